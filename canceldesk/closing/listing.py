"""Which lines of the list are this case's."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict
from typing import Any

from canceldesk.cases.models import Case
from canceldesk.clients import phones
from canceldesk.closing import forgotten
from canceldesk.closing.models import Facts, Intent
from canceldesk.workbook.protocol import ListedRow, ListView, NewRow, matches

# A row that has been read back, and that nothing has touched since.
STANDS = (Intent.State.CONFIRMED, Intent.State.UNWANTED)


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


def changed_or_removed(facts: Facts) -> str:
    """What is said of a closed case's row that is not on the list as the desk wrote it."""
    return (
        f"The row of {facts.name} on the list has been changed or removed since it was written. "
        f"Put it back as {facts.case.number} shows it."
    )


def as_json(row: NewRow) -> dict[str, Any]:
    """A row as an intent keeps it."""
    return asdict(row) | {"cancelled_on": row.cancelled_on.isoformat()}


def intended_row(intent: Intent) -> NewRow:
    """The row that an intent is about, whatever the facts say by now."""
    kept = dict(intent.request)
    return NewRow(**kept | {"cancelled_on": dt.date.fromisoformat(kept["cancelled_on"])})


def likeness(row: NewRow) -> str:
    """The same for two rows a reader could not tell apart."""
    values = [row.name, row.phone, row.cancelled_on.isoformat(), row.collected_minor]
    told = json.dumps([*values, row.months, row.reason])
    return hashlib.sha256(told.casefold().encode()).hexdigest()


def mine(view: ListView, case: Case, row: NewRow) -> list[ListedRow]:
    """The lines that are this case's row.

    The case number tells, where the list has a column for it. Lines without a number (no such
    column, or a person left it empty) are told by equal values; of equal lines as many belong to
    other cases as those cases have had confirmed and do not have under their own number. One more
    may belong to a case whose row is just being written or taken out. What is left beside a
    numbered line says the same once more.
    """
    numbered = [listed for listed in view.rows if listed.reference.strip() == case.number]
    alike = [
        listed for listed in view.rows if not listed.reference.strip() and matches(listed, row)
    ]
    if not alike:
        return numbered
    certain, uncertain = _rows_of_others(view, case, row)
    left = max(0, len(alike) - certain)
    if numbered:
        surplus = alike[: max(0, left - uncertain)]
        return sorted([*numbered, *surplus], key=lambda listed: listed.row_number)
    return alike[: max(1, left - uncertain) if left else 0]


def _rows_of_others(view: ListView, case: Case, row: NewRow) -> tuple[int, int]:
    """How many of the lines with these values and without a number are other cases', and how
    many more may be.
    """
    numbers = {listed.reference.strip() for listed in view.rows}
    others = (
        Intent.objects.filter(kind=Intent.Kind.ROW, likeness=likeness(row))
        .exclude(case=case)
        .exclude(state=Intent.State.REMOVED)
        .select_related("case")
    )
    theirs = [intent.state in STANDS for intent in others if intent.case.number not in numbers]
    return theirs.count(True), theirs.count(False)


def nearly_mine(view: ListView, case: Case, row: NewRow) -> ListedRow | None:
    """A line with this client's name and phone and the same date, but other values: written or
    changed by a person. So is one of a day that the desk has forgotten, whatever its date: it may
    be the desk's own. A line that is another case's is not.
    """
    near = [one for one in view.rows if _is_same_person(one, row) and not matches(one, row)]
    days = forgotten.days() if near else []
    for listed in near:
        is_forgotten = forgotten.is_among(listed.cancelled_on, days)
        is_of_that_day = listed.cancelled_on == row.cancelled_on or is_forgotten
        if is_of_that_day and not _is_of_another(listed, case, is_forgotten=is_forgotten):
            return listed
    return None


def _is_same_person(listed: ListedRow, row: NewRow) -> bool:
    same_name = listed.name.casefold().split() == row.name.casefold().split()
    return same_name and phones.digits(listed.phone) == phones.digits(row.phone)


def _is_of_another(listed: ListedRow, case: Case, *, is_forgotten: bool) -> bool:
    reference = listed.reference.strip()
    if reference:
        nobodys = is_forgotten and forgotten.is_number_of_nobody(reference)
        return reference != case.number and not nobodys
    if listed.cancelled_on is None:
        return False
    others = Intent.objects.filter(
        kind=Intent.Kind.ROW,
        state__in=[*STANDS, Intent.State.LEAVING],
        request__cancelled_on=listed.cancelled_on.isoformat(),
    ).exclude(case=case)
    return any(matches(listed, intended_row(intent)) for intent in others)


def differences(listed: ListedRow, row: NewRow) -> str:
    """Which values of a line are not what they should be, in words; "" when none."""
    pairs = {
        "name": (listed.name, row.name),
        "phone": (listed.phone, row.phone),
        "date": (listed.cancelled_on, row.cancelled_on),
        "total": (listed.collected_minor, row.collected_minor),
        "months": (listed.months, row.months),
        "reason": (listed.reason, row.reason),
        "case number": (listed.reference or row.reference, row.reference),
    }
    if matches(listed, row):
        return ""
    return ", ".join(what for what, (is_, should) in pairs.items() if _told(is_) != _told(should))


def _told(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value
