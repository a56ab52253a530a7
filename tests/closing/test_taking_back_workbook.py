"""Taking a decision back, with a real workbook instead of the one in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.worksheet.worksheet import Worksheet

from canceldesk import clock, outside
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Decision, State
from canceldesk.closing import services
from canceldesk.closing.models import Intent
from canceldesk.workbook.protocol import NewRow
from canceldesk.workbook.sample import create_sample
from canceldesk.workbook.workbooklist import WorkbookList
from tests.closing.conftest import Desk

OLDER = [
    NewRow(f"Former {day}", f"(202) 555-01{day}", dt.date(2026, 1, day), 9900, "USD", 3, "Other")
    for day in range(10, 16)
]


@pytest.fixture
def workbook(desk: Desk, tmp_path: Path) -> Iterator[WorkbookList]:
    path = tmp_path / "list.xlsx"
    create_sample(path, OLDER, title="Cancellations")
    the_list = WorkbookList(path)
    with outside.using(the_list=the_list):
        yield the_list


def names(workbook: WorkbookList) -> list[str]:
    return [row.name for row in workbook.read().rows]


def test_the_rows_that_were_there_are_there_again(desk: Desk, workbook: WorkbookList) -> None:
    before = workbook.read()
    _, subscription = desk.client()
    case = desk.advance(desk.decided(subscription))
    assert names(workbook) == ["Nora Field", *(row.name for row in before.rows)]
    services.take_back(case, by=desk.manager, why="They called again")
    desk.advance(case)
    assert workbook.read().rows == before.rows
    assert Intent.objects.get(kind="row").state == Intent.State.REMOVED


def test_decided_anew_the_new_row_is_on_top(desk: Desk, workbook: WorkbookList) -> None:
    _, subscription = desk.client()
    case = desk.advance(desk.decided(subscription))
    services.take_back(case, by=desk.manager, why="They called again")
    desk.later(days=2)
    desk.decide(case, Decision.SUSPEND)
    desk.advance(case)
    [mine, *others] = workbook.read().rows
    assert (mine.name, mine.cancelled_on) == ("Nora Field", dt.date(2026, 3, 4))
    assert "Nora Field" not in {row.name for row in others}
    assert len(others) == len(OLDER)


def test_the_row_of_a_closed_case_is_taken_off_and_put_back(
    desk: Desk, workbook: WorkbookList
) -> None:
    _, subscription = desk.client()
    case = desk.advance(desk.decided(subscription))
    desk.company.panel_suspend(subscription.uid)
    desk.advance(case)
    listed = workbook.read().rows
    services.take_off_list(case, by=desk.manager, why="Another Nora Field")
    desk.advance(case)
    assert names(workbook) == [row.name for row in listed[1:]]
    services.rewrite_row(case, by=desk.manager)
    desk.advance(case)
    assert workbook.read().rows == listed
    assert case.state == State.CLOSED
    assert not case.findings.exists()


# ------------------------------------------------------------------ what people wrote into the row


def edit(workbook: WorkbookList, change: Callable[[Worksheet], object]) -> None:
    """A person opens the workbook, changes something on the list's tab, and saves."""
    book = openpyxl.load_workbook(workbook.path)
    change(book["cancellation"])
    book.save(workbook.path)


def write_a_note(sheet: Worksheet) -> None:
    sheet["G3"] = "Notes"
    sheet["G4"] = "called back on Monday, wants a call"
    sheet["D4"].comment = Comment("Paid in cash", "Pat")


def test_a_row_that_holds_something_of_a_persons_waits_for_a_person(
    desk: Desk, workbook: WorkbookList
) -> None:
    _, subscription = desk.client()
    case = desk.advance(desk.decided(subscription))
    edit(workbook, write_a_note)
    as_saved = workbook.path.read_bytes()
    services.take_back(case, by=desk.manager, why="They called again")
    for _ in range(3):
        desk.advance(case)
        assert case.attention == case.waits_sentence
        assert case.waits_sentence == (
            'The row that is to leave the tab "cancellation" holds something that the desk did not '
            "put there: “Notes” (G4) holds “called back on Monday, wants a call”; somebody's "
            "comment is on D4. Move that to another place, or delete the row in the workbook "
            "yourself; the desk goes on by itself."
        )
        assert case.next_pass_at == clock.now() + dt.timedelta(seconds=30)
        assert workbook.path.read_bytes() == as_saved
        desk.later(seconds=30)
    assert Intent.objects.get(kind="row").state == Intent.State.UNWANTED
    assert case.log.filter(verb=Verb.ROW_REMOVAL_INTENDED).count() == 1

    edit(workbook, lambda sheet: sheet.delete_rows(4))
    desk.advance(case)
    assert names(workbook) == [row.name for row in OLDER]
    assert Intent.objects.get(kind="row").state == Intent.State.REMOVED
    assert not case.attention


def test_once_a_persons_words_have_been_moved_the_row_leaves(
    desk: Desk, workbook: WorkbookList
) -> None:
    _, subscription = desk.client()
    case = desk.advance(desk.decided(subscription))
    edit(workbook, write_a_note)
    services.take_back(case, by=desk.manager, why="They called again")
    desk.advance(case)
    assert case.attention

    def move_it(sheet: Worksheet) -> None:
        sheet["G5"], sheet["G4"] = sheet["G4"].value, None
        sheet["D4"].comment = None

    edit(workbook, move_it)
    desk.later(seconds=30)
    desk.advance(case)
    assert names(workbook) == [row.name for row in OLDER]
    assert not case.attention
    sheet = openpyxl.load_workbook(workbook.path)["cancellation"]
    assert sheet["G4"].value == "called back on Monday, wants a call"
