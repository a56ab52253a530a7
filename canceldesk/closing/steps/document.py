"""Document: exactly one right row on the list, whatever happened in between.

Nothing is remembered that can be read: a pass first looks whether the row is there and only
writes when it is not. So a crash between writing and noting cannot make a second row.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

from django.db import IntegrityError

from canceldesk import clock
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, WaitsFor
from canceldesk.closing import listing, taking_out, turns
from canceldesk.closing.models import Intent
from canceldesk.closing.results import Done, Result, Waits
from canceldesk.closing.work import Work
from canceldesk.workbook.protocol import ListedRow, ListView, NewRow

AGAIN = dt.timedelta(seconds=30)


def run(work: Work) -> Result:
    """Write the row on top of the list unless it is there; say where it stands. The row of a
    decision that was taken back goes first.
    """
    old = taking_out.run(work)
    return old if isinstance(old, Waits) else _write_unless_there(work)


def _write_unless_there(work: Work) -> Result:
    row = listing.row_for(work.facts)
    intent = _intend(work, row)
    if intent is None:
        return Waits(
            WaitsFor.TIME,
            taking_out.ANOTHERS_TURN,
            again=taking_out.TURN,
        )
    view = work.the_list.read()
    found = listing.mine(view, work.case, row)
    if len(found) > 1:
        return _twice(view, found)
    if found:
        return _standing(work, intent, view, found[0], row)
    if intent.state == Intent.State.CONFIRMED:
        return _gone(work, view, row)
    if (near := listing.nearly_mine(view, work.case, row)) is not None:
        return _nearly(view, near, row)
    return _write(work, intent, view, row)


def _intend(work: Work, row: NewRow) -> Intent | None:
    existing = work.row_intent
    if existing is not None and existing.state != Intent.State.REMOVED:
        return existing
    intent = Intent(
        pk=existing.pk if existing is not None else None,
        case=work.case,
        kind=Intent.Kind.ROW,
        target=Intent.ROW,
        likeness=listing.likeness(row),
        request=listing.as_json(row),
        created_at=clock.now(),
    )
    try:
        with work.fenced():
            intent.save()
            work.log(Verb.ROW_INTENDED, **listing.as_json(row))
    except IntegrityError:
        return None
    return work.keep(intent)


def _standing(work: Work, intent: Intent, view: ListView, listed: ListedRow, row: NewRow) -> Result:
    if different := listing.differences(listed, row):
        return Waits(
            WaitsFor.PERSON,
            f'Row {listed.row_number} of the tab "{view.tab}" is this case\'s, but its '
            f"{different} is not what the desk wrote. Put it right in the workbook; the desk "
            "goes on by itself.",
            again=AGAIN,
            attention=True,
        )
    if intent.state != Intent.State.CONFIRMED:
        _confirm(work, intent, Verb.ROW_FOUND, listed.row_number, view.fingerprint)
        work.store()  # of a row that the desk has not sent `take_back` would think it never came
    return Done(
        f'Row {listed.row_number} of the tab "{view.tab}", read back.',
        {"row_number": listed.row_number, "tab": view.tab, "fingerprint": view.fingerprint},
    )


def _write(work: Work, intent: Intent, view: ListView, row: NewRow) -> Result:
    """Add the row unless it has come meanwhile. A worker that was asleep since it read the list
    would otherwise write a second one.
    """
    if view.settles_late and intent.is_settling:
        return taking_out.on_its_way("The row was sent to the workbook but does not show yet.")
    first = turns.one_before(work.case, row)
    if first is not None:
        return Waits(
            WaitsFor.TIME,
            f"The row of {first.number}, decided on an earlier day, goes on the list first.",
            again=taking_out.TURN,
            evidence=turns.QUEUED,
        )
    with work.sending(lambda: intent.mark_sent(fingerprint_before=view.fingerprint)):
        written = work.the_list.add(
            row,
            expected_fingerprint=view.fingerprint,
            unless=lambda now: _is_there(now, work.case, row),
        )
    _confirm(work, intent, Verb.ROW_WRITTEN, written.row_number, written.fingerprint_after)
    return Done(
        f"Written as row {written.row_number}, on top of the list, and read back.",
        {"row_number": written.row_number, "fingerprint": written.fingerprint_after},
    )


def _is_there(view: ListView, case: Case, row: NewRow) -> bool:
    return bool(listing.mine(view, case, row)) or listing.nearly_mine(view, case, row) is not None


def _confirm(work: Work, intent: Intent, verb: Verb, row_number: int, fingerprint: str) -> None:
    seen = {"row_number": row_number, "fingerprint": fingerprint}
    work.confirm(intent, seen)
    work.notes.along(partial(work.log, verb, **seen))


def _twice(view: ListView, found: list[ListedRow]) -> Waits:
    numbers = " and ".join(str(listed.row_number) for listed in found)
    return Waits(
        WaitsFor.PERSON,
        f'This case is on the tab "{view.tab}" more than once: rows {numbers}. Delete all but '
        "one in the workbook; the desk goes on by itself.",
        again=AGAIN,
        attention=True,
    )


def _gone(work: Work, view: ListView, row: NewRow) -> Waits:
    near = listing.nearly_mine(view, work.case, row)
    if near is not None:
        return _nearly(view, near, row)
    return Waits(
        WaitsFor.PERSON,
        f'The desk wrote the row on the tab "{view.tab}", but it is not there any more. '
        "Bring it back in the workbook, or have it written again with the button on its page.",
        again=AGAIN,
        attention=True,
        evidence={"can_rewrite": True},
    )


def _nearly(view: ListView, near: ListedRow, row: NewRow) -> Waits:
    this_day = " and this day" if near.cancelled_on == row.cancelled_on else ""
    return Waits(
        WaitsFor.PERSON,
        f'Row {near.row_number} of the tab "{view.tab}" is about this client{this_day}, but '
        f"its {listing.differences(near, row)} differs from what the desk would write. Correct "
        "or delete that row in the workbook; the desk goes on by itself.",
        again=AGAIN,
        attention=True,
        evidence={"should_be": listing.as_json(row), "row_number": near.row_number},
    )
