"""Which case each line of the list belongs to."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet

from canceldesk.cases.models import Case, State
from canceldesk.closing.models import Facts, Intent
from canceldesk.workbook.protocol import ListedRow, ListView
from canceldesk.workbook.text import normalised


@dataclass(frozen=True)
class Matched:
    """Each line with its case and each case with its line, one to one. `case_of` goes from row
    number, `row_of` from a case's primary key.
    """

    case_of: dict[int, Case] = field(default_factory=dict)
    row_of: dict[int, ListedRow] = field(default_factory=dict)


def listed_facts() -> QuerySet[Facts]:
    """The facts of every case that has, or is to have, a row; newest first. One whose row was
    taken off the list has none.
    """
    off = Intent.objects.filter(kind=Intent.Kind.ROW, state=Intent.State.REMOVED)
    stopping = Facts.objects.filter(case__state__in=[State.CLOSING, State.CLOSED])
    stopping = stopping.exclude(case__state=State.CLOSED, case__in=off.values("case"))
    return stopping.select_related("case__client").order_by("-pk")


def match(view: ListView, facts: Iterable[Facts]) -> Matched:
    """Find the line of each case: by the case number where the list has a column for it, else by
    equal values. Of equal lines the upper one belongs to the newer case.
    """
    has_reference = "reference" in view.columns
    lines: dict[object, deque[ListedRow]] = defaultdict(deque)
    for row in view.rows:
        lines[row.reference.strip() if has_reference else values_of(row)].append(row)
    matched = Matched()
    for one in facts:
        mine = lines.get(one.case.number if has_reference else _values_of_facts(one))
        if mine:
            row = mine.popleft()
            matched.case_of[row.row_number] = one.case
            matched.row_of[one.case.pk] = row
    return matched


def values_of(row: ListedRow) -> tuple[object, ...]:
    """What two lines must share to look the same; compared as `workbook.protocol.matches`."""
    return (
        normalised(row.name),
        normalised(row.phone),
        row.cancelled_on,
        row.collected_minor,
        row.months,
        normalised(row.reason),
    )


def _values_of_facts(facts: Facts) -> tuple[object, ...]:
    return (
        normalised(facts.name),
        normalised(facts.phone),
        facts.cancelled_on,
        facts.collected_minor,
        facts.months,
        normalised(facts.reason),
    )
