"""Which lines of the list are this case's."""

from __future__ import annotations

import hashlib
import json

from canceldesk.cases.models import Case, State
from canceldesk.clients import phones
from canceldesk.closing.models import Facts, Intent
from canceldesk.workbook.protocol import ListedRow, ListView, NewRow, matches


def row_for(facts: Facts) -> NewRow:
    """The row as it is to stand on the list."""
    return NewRow(
        name=facts.name,
        phone=facts.phone,
        cancelled_on=facts.cancelled_on,
        collected_minor=facts.collected_minor,
        currency=facts.currency,
        months=facts.months,
        reason=facts.reason,
        reference=facts.case.number,
    )


def likeness(row: NewRow) -> str:
    """The same for two rows a reader could not tell apart."""
    values = [row.name, row.phone, row.cancelled_on.isoformat(), row.collected_minor]
    told = json.dumps([*values, row.months, row.reason])
    return hashlib.sha256(told.casefold().encode()).hexdigest()


def mine(view: ListView, case: Case, row: NewRow) -> list[ListedRow]:
    """The lines that are this case's row.

    The case number tells, where the list has a column for it. Lines without a number (no such
    column, or a person left it empty) are told by equal values; of equal lines as many belong to
    other cases as those cases have had confirmed and do not have under their own number.
    """
    numbered = [listed for listed in view.rows if listed.reference.strip() == case.number]
    if numbered:
        return numbered
    alike = [
        listed for listed in view.rows if not listed.reference.strip() and matches(listed, row)
    ]
    taken = _rows_of_others(view, case, row)
    return alike[: len(alike) - taken] if taken <= len(alike) else []


def _rows_of_others(view: ListView, case: Case, row: NewRow) -> int:
    """How many of the lines with these values and without a number are other cases'."""
    numbers = {listed.reference.strip() for listed in view.rows}
    others = (
        Intent.objects.filter(
            kind=Intent.Kind.ROW,
            state=Intent.State.CONFIRMED,
            likeness=likeness(row),
            case__state__in=[State.CLOSING, State.CLOSED],
        )
        .exclude(case=case)
        .select_related("case")
    )
    return sum(1 for intent in others if intent.case.number not in numbers)


def nearly_mine(view: ListView, case: Case, row: NewRow) -> ListedRow | None:
    """A line with this client's name and phone and the same date, but other values: written or
    changed by a person. A line that is another case's is not.
    """
    for listed in view.rows:
        same_person = listed.name.casefold().split() == row.name.casefold().split() and (
            phones.digits(listed.phone) == phones.digits(row.phone)
        )
        same_day = listed.cancelled_on == row.cancelled_on
        if (
            same_person
            and same_day
            and not matches(listed, row)
            and not _is_of_another(listed, case, row)
        ):
            return listed
    return None


def _is_of_another(listed: ListedRow, case: Case, row: NewRow) -> bool:
    if listed.reference.strip():
        return listed.reference.strip() != case.number
    others = Facts.objects.filter(
        cancelled_on=row.cancelled_on,
        case__state__in=[State.CLOSING, State.CLOSED],
        case__intents__kind=Intent.Kind.ROW,
        case__intents__state=Intent.State.CONFIRMED,
    ).exclude(case=case)
    return any(matches(listed, row_for(facts)) for facts in others.select_related("case"))


def differences(listed: ListedRow, row: NewRow) -> str:
    """Which values of a line are not what they should be, in words; "" when none."""
    pairs = {
        "name": (listed.name, row.name),
        "phone": (listed.phone, row.phone),
        "date": (listed.cancelled_on, row.cancelled_on),
        "total": (listed.collected_minor, row.collected_minor),
        "months": (listed.months, row.months),
        "reason": (listed.reason, row.reason),
    }
    if matches(listed, row):
        return ""
    return ", ".join(what for what, (is_, should) in pairs.items() if _told(is_) != _told(should))


def _told(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value
