"""Taking a case's row off the list again: its decision was taken back, or the closed case was a
mistake. Only a line that is exactly what the desk wrote is taken out, and only as long as it holds
nothing else; anything else is a person's.

Like writing it, this remembers nothing that can be read: a pass first looks whether the row is
there. So a crash between taking out and noting cannot take out another one.
"""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError

from canceldesk.cases.log import Verb
from canceldesk.cases.models import WaitsFor
from canceldesk.closing import listing
from canceldesk.closing.models import Intent
from canceldesk.closing.results import Done, NotNeeded, Result, Waits
from canceldesk.closing.work import Work
from canceldesk.workbook.errors import SomethingBeside
from canceldesk.workbook.protocol import ListedRow, ListView, NewRow

AGAIN = dt.timedelta(seconds=30)
SOON = dt.timedelta(seconds=10)
TURN = dt.timedelta(seconds=5)
ANOTHERS_TURN = "Another case with the very same row is being written or taken out first."


def run(work: Work) -> Result:
    """Take the case's row off the list if it is to leave; read the list to know that it has."""
    intent = work.row_intent
    if intent is None or not intent.is_to_leave:
        return NotNeeded("No row is to be taken off the list.")
    row = listing.intended_row(intent)
    view = work.the_list.read()
    found = listing.mine(view, work.case, row)
    if len(found) > 1:
        return _twice(view, found)
    standing = found[0] if found else listing.nearly_mine(view, work.case, row)
    if standing is not None and listing.differences(standing, row):
        return _changed(view, standing, row)
    if standing is not None:
        return _take_out(work, intent, view, standing)
    if intent.may_still_arrive:
        return _may_still_arrive()
    return _note_removed(work, intent, Verb.ROW_REMOVAL_ADOPTED, fingerprint=view.fingerprint)


def _take_out(work: Work, intent: Intent, view: ListView, listed: ListedRow) -> Result:
    """Take the line out where it now stands: rows that came above it meanwhile are no reason to
    wait. One that a person has changed, or written something into, meanwhile is not that line any
    more and stays.
    """
    if view.settles_late and intent.is_settling:
        return on_its_way("The row is being taken out of the workbook but still shows.")
    where = {"leaves_row": listed.row_number, "fingerprint": view.fingerprint}
    try:
        with work.fenced():
            is_new = "leaves_row" not in intent.answer
            intent.mark_leaving(where)
            if is_new:
                row = listing.as_json(listing.intended_row(intent))
                work.log(Verb.ROW_REMOVAL_INTENDED, row_number=listed.row_number, **row)
    except IntegrityError:
        return Waits(WaitsFor.TIME, ANOTHERS_TURN, again=TURN)
    try:
        removed = work.the_list.remove(listed, if_alone=True)
    except SomethingBeside as problem:
        return _beside(work, intent, view, problem)
    return _note_removed(
        work,
        intent,
        Verb.ROW_REMOVED,
        row_number=removed.row_number,
        fingerprint=removed.fingerprint_after,
    )


def _note_removed(work: Work, intent: Intent, verb: Verb, **answer: object) -> Done:
    with work.fenced():
        intent.mark_removed(answer)
        work.log(verb, **answer)
    return Done("The row is off the list, read back.")


def on_its_way(what: str) -> Waits:
    """What was sent to a workbook in the cloud may yet be done there; sent again, it would be done
    twice.
    """
    return Waits(
        WaitsFor.OUTSIDE,
        f"{what} The desk looks again, and sends it again after a minute.",
        again=SOON,
        is_unknown=True,
    )


def _may_still_arrive() -> Waits:
    return Waits(
        WaitsFor.TIME,
        "The row was being written when the decision was taken back. The desk waits a minute, "
        "reads the list again and takes the row out if it has come.",
        again=SOON,
        is_unknown=True,
    )


def _twice(view: ListView, found: list[ListedRow]) -> Waits:
    numbers = " and ".join(str(listed.row_number) for listed in found)
    return Waits(
        WaitsFor.PERSON,
        f'The row that is to leave the list is on the tab "{view.tab}" more than once: rows '
        f"{numbers}. Delete those that are wrong there; the last one the desk takes out itself.",
        again=AGAIN,
        attention=True,
    )


def _changed(view: ListView, listed: ListedRow, row: NewRow) -> Waits:
    return Waits(
        WaitsFor.PERSON,
        f'Row {listed.row_number} of the tab "{view.tab}" was to leave the list, but its '
        f"{listing.differences(listed, row)} is not what the desk wrote, so the desk does not "
        "touch it. Delete that row in the workbook, or put its values back; the desk goes on by "
        "itself.",
        again=AGAIN,
        attention=True,
    )


def _beside(work: Work, intent: Intent, view: ListView, problem: SomethingBeside) -> Waits:
    """Leave the line to a person, and its turn to other rows: nothing was written."""
    with work.fenced():
        intent.state = Intent.State.UNWANTED
        intent.save(update_fields=["state"])
    return Waits(
        WaitsFor.PERSON,
        f'The row that is to leave the tab "{view.tab}" holds something that the desk did not put '
        f"there: {problem.what}. Move that to another place, or delete the row in the workbook "
        "yourself; the desk goes on by itself.",
        again=AGAIN,
        attention=True,
    )
