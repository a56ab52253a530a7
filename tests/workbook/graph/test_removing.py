from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest

from canceldesk.workbook.errors import (
    CannotEdit,
    ChangedMeanwhile,
    ListError,
    ReadBackDiffers,
    SomethingBeside,
)
from canceldesk.workbook.protocol import ListedRow
from tests.workbook.building import HEADINGS, client
from tests.workbook.graph.building import NEW, book, put, saved, the_list
from tests.workbook.graph.practice.faults import Effect, Fault, any_call, error, writes
from tests.workbook.graph.practice.graph import PracticeGraph
from tests.workbook.graph.practice.typing_in import Cell

BOTH = pytest.mark.parametrize("table", [True, False], ids=["table", "range"])


def names(rows: tuple[ListedRow, ...]) -> list[str]:
    return [row.name for row in rows]


@BOTH
def test_a_row_is_taken_out_and_only_that_one(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table))
    desk = the_list(graph, tmp_path)
    before = desk.read()

    removed = desk.remove(before.rows[1], expected_fingerprint=before.fingerprint)

    after = desk.read()
    assert (removed.row_number, removed.row) == (6, before.rows[1])
    assert (removed.fingerprint_before, removed.fingerprint_after) == (
        before.fingerprint,
        after.fingerprint,
    )
    assert names(after.rows) == ["Client 1", "Client 3"]
    other = graph.book.tab("Other").cells[1, 1]
    assert other.formula == ("=SUM(Cancellations!D4:D6)")


@BOTH
def test_the_last_row_can_be_taken_out_and_another_added(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(1, table=table), content=saved(0))
    desk = the_list(graph, tmp_path)

    desk.remove(desk.read().rows[0])
    assert desk.read().rows == ()
    assert desk.add(NEW).row_number == 5


@BOTH
def test_a_row_that_moved_is_taken_out_where_it_stands_now(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table))
    desk = the_list(graph, tmp_path)
    row = desk.read().rows[0]
    desk.add(NEW)

    assert desk.remove(row).row_number == 6
    assert names(desk.read().rows) == [NEW.name, "Client 2", "Client 3"]


def test_of_equal_rows_the_one_that_was_read_goes(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    put(graph.book.tab("{list}"), 8, 1, client(1))
    desk = the_list(graph, tmp_path)

    desk.remove(desk.read().rows[3])

    assert names(desk.read().rows) == ["Client 1", "Client 2", "Client 3"]


def test_of_equal_rows_elsewhere_none_is_guessed(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    put(graph.book.tab("{list}"), 8, 1, client(1))
    desk = the_list(graph, tmp_path)

    with pytest.raises(ChangedMeanwhile, match="more than one row is exactly that one"):
        desk.remove(replace(desk.read().rows[0], row_number=9))


def test_a_row_that_was_edited_is_not_taken_out(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    desk = the_list(graph, tmp_path)
    row = desk.read().rows[1]
    graph.book.tab("{list}").cells[6, 6].value = "Moved abroad"

    with pytest.raises(ChangedMeanwhile, match="no row is exactly that one"):
        desk.remove(row)
    assert len(desk.read().rows) == 3


def test_a_list_that_was_changed_is_left_alone_when_told_so(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    desk = the_list(graph, tmp_path)
    before = desk.read()
    graph.book.tab("{list}").cells[7, 6].value = "Moved abroad"

    with pytest.raises(ChangedMeanwhile):
        desk.remove(before.rows[0], expected_fingerprint=before.fingerprint)


@BOTH
def test_a_protected_tab_is_left_alone(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table))
    desk = the_list(graph, tmp_path)
    row = desk.read().rows[0]
    graph.book.tab("{list}").protected = True

    with pytest.raises(CannotEdit, match="is protected"):
        desk.remove(row)


@BOTH
def test_a_deletion_that_may_yet_come_is_never_sent_again(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table))
    desk = the_list(graph, tmp_path)
    row = desk.read().rows[0]
    graph.faults = [Fault(writes, Effect.LATE, None, seconds=50)]

    with pytest.raises(ReadBackDiffers, match="not known whether the row was removed"):
        desk.remove(row)
    graph.clock.at += 60

    assert names(desk.read().rows) == ["Client 2", "Client 3"]


def test_another_row_that_went_missing_is_told(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    desk = the_list(graph, tmp_path)
    row = desk.read().rows[0]
    tab = graph.book.tab("{list}")

    def delete_too(_request: object) -> None:
        if graph.calls[-1].endswith("/delete"):
            graph.meanwhile = None
            for column in range(1, 7):
                del tab.cells[7, column]

    graph.meanwhile = delete_too

    with pytest.raises(ReadBackDiffers, match="the row for Client 3 is not there any more"):
        desk.remove(row)


KINDS = {
    "cut before": Fault(any_call),
    "cut after": Fault(any_call, Effect.DONE),
    "504, late": Fault(any_call, Effect.LATE, error(504, "gatewayTimeout"), seconds=4),
    "429": Fault(any_call, answer=error(429, "tooManyRequests", retry_after=3)),
    "session lost": Fault(any_call, answer=error(404, "itemNotFound", "invalidSession")),
    "409": Fault(any_call, answer=error(409, "conflict", "accessConflict")),
    "500 after": Fault(any_call, Effect.DONE, error(500, "generalException")),
}


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_one_row_goes_whichever_call_goes_wrong(tmp_path: Path, table: bool, kind: str) -> None:
    for at in range(60):
        graph = PracticeGraph(book(table=table))
        desk = the_list(graph, tmp_path)
        row = desk.read().rows[1]
        graph.faults = [replace(KINDS[kind], after=at)]
        before = copy.deepcopy(graph.book)
        try:
            desk.remove(row)
        except ReadBackDiffers:
            graph.clock.at += 30
            if names(desk.read().rows) == names(
                the_list(PracticeGraph(before), tmp_path).read().rows
            ):
                desk.remove(row)
        except ListError:
            assert graph.book == before
            desk.remove(row)
        assert names(desk.read().rows) == ["Client 1", "Client 3"], at
        if graph.faults[0].times:
            assert at > 10
            return
    raise AssertionError("removing a row takes too many calls")


def test_a_row_of_a_plain_range_is_taken_out_by_its_line(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    desk = the_list(graph, tmp_path)

    desk.remove(desk.read().rows[0])

    assert [call for call in graph.calls if call.endswith("range(address='5:5')/delete")]


WIDER = (*HEADINGS, "Reference", "Status", "Notes")
STATUS, NOTES = 8, 9


@BOTH
def test_what_the_desk_put_there_goes_with_the_row(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table, headings=WIDER))
    desk = the_list(graph, tmp_path, fill={"Status": "Q3 5", "notes": "5.10"})
    for row in (5, 6, 7):
        graph.book.tab("{list}").cells[row, 10] = Cell(formula=f"=D{row}*2", value=7)
    if table:
        graph.book.tab("{list}").tables[0].area = (1, 4, 10, 7)

    desk.add(NEW)
    desk.remove(desk.read().rows[0], if_alone=True)
    desk.remove(desk.read().rows[1], if_alone=True)

    assert names(desk.read().rows) == ["Client 1", "Client 3"]


@BOTH
@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (Cell("called back on Monday"), "“Notes” (I6) holds “called back on Monday”"),
        (Cell(7), "“Notes” (I6) holds “7”"),
        (Cell(value=70, formula="=D6-30"), "“Notes” (I6) holds “=D6-30”"),
    ],
)
def test_a_row_into_which_somebody_wrote_stays(
    tmp_path: Path, table: bool, cell: Cell, told: str
) -> None:
    graph = PracticeGraph(book(table=table, headings=WIDER))
    desk = the_list(graph, tmp_path, fill={"Status": "Cancelled"})
    tab = graph.book.tab("{list}")
    tab.cells[5, NOTES] = Cell(formula="=D5*2", value=2)
    tab.cells[6, STATUS] = Cell("Cancelled")
    tab.cells[6, NOTES] = cell
    before = copy.deepcopy(graph.book)

    with pytest.raises(SomethingBeside, match="Nothing was written") as problem:
        desk.remove(desk.read().rows[1], if_alone=True)

    assert problem.value.what == told
    assert graph.book == before
    tab.cells[6, NOTES] = Cell("")
    desk.remove(desk.read().rows[1], if_alone=True)
    assert names(desk.read().rows) == ["Client 1", "Client 3"]


def test_what_stands_beside_a_table_stays_there_and_keeps_no_row(tmp_path: Path) -> None:
    graph = PracticeGraph(book(table=True))
    desk = the_list(graph, tmp_path)
    graph.book.tab("{list}").cells[5, 12] = Cell("a note beside the table")

    desk.remove(desk.read().rows[0], if_alone=True)

    assert graph.book.tab("{list}").cells[5, 12].value == "a note beside the table"


def test_the_formula_in_a_tables_only_row_is_taken_for_the_tables(tmp_path: Path) -> None:
    for table in (True, False):
        graph = PracticeGraph(book(1, table=table, headings=WIDER), content=saved(0))
        desk = the_list(graph, tmp_path)
        graph.book.tab("{list}").cells[5, NOTES] = Cell(formula="=D5*2", value=2)
        if table:
            desk.remove(desk.read().rows[0], if_alone=True)
            assert desk.read().rows == ()
        else:
            with pytest.raises(SomethingBeside, match="=D5"):
                desk.remove(desk.read().rows[0], if_alone=True)


def test_what_somebody_writes_between_two_tries_is_seen(tmp_path: Path) -> None:
    graph = PracticeGraph(book(headings=WIDER))
    desk = the_list(graph, tmp_path)
    row = desk.read().rows[0]
    graph.faults = [Fault(writes, answer=error(429, "tooManyRequests", retry_after=3))]
    tab = graph.book.tab("{list}")

    def write_beside(_request: object) -> None:
        if graph.calls[-1].endswith("/delete"):
            graph.meanwhile = None
            tab.cells[5, NOTES] = Cell("called back")

    graph.meanwhile = write_beside

    with pytest.raises(SomethingBeside, match="called back"):
        desk.remove(row, if_alone=True)
    assert len(desk.read().rows) == 3
