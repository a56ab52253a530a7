"""A cloud list is read and written in the company's own way, as a file's is."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest

from canceldesk import go_ahead
from canceldesk.workbook.errors import CannotPlace, ChangedMeanwhile
from canceldesk.workbook.protocol import matches
from tests.workbook.building import HEADINGS, client
from tests.workbook.graph.building import NEW, book, put, saved, the_list
from tests.workbook.graph.practice.book import Tab, Table
from tests.workbook.graph.practice.graph import PracticeGraph
from tests.workbook.graph.practice.typing_in import Cell

BOTH = pytest.mark.parametrize("table", [True, False], ids=["table", "range"])
OWN = (*HEADINGS, "Status", "Share")


def tab_of(graph: PracticeGraph) -> Tab:
    return graph.book.tab("{list}")


@BOTH
def test_months_are_written_in_words_where_the_list_has_words(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table))
    for row in (5, 6, 7):
        tab_of(graph).cells[row, 5].value = f"{row} months"

    written = the_list(graph, tmp_path).add(NEW)

    assert (written.row.months, tab_of(graph).cells[5, 5].value) == (7, "7 months")


def test_a_date_looks_like_those_the_list_has_as_text(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    for row, day in ((5, "2026-10-01"), (6, "2026-09-30"), (7, "2026-09-28")):
        tab_of(graph).cells[row, 3] = Cell(day)

    written = the_list(graph, tmp_path).add(NEW)

    assert written.row.cancelled_on == NEW.cancelled_on
    assert tab_of(graph).cells[5, 3].number_format == "yyyy-mm-dd"


@BOTH
def test_columns_of_the_companys_own_are_filled(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table, headings=OWN))
    fill = {"status": "=Cancelled", "Share": "0.5"}

    the_list(graph, tmp_path, fill=fill).add(NEW)

    assert [tab_of(graph).cells[5, column].value for column in (7, 8)] == ["=Cancelled", 0.5]


@BOTH
@pytest.mark.parametrize(
    ("heading", "sentence"),
    [("Colour", "no column headed “Colour”"), ("Phone", "is filled by the desk itself")],
)
def test_a_column_that_cannot_be_filled_is_told_before_anything_is_written(
    tmp_path: Path, table: bool, heading: str, sentence: str
) -> None:
    graph = PracticeGraph(book(table=table, headings=OWN))

    with pytest.raises(CannotPlace, match=sentence):
        the_list(graph, tmp_path, fill={heading: "x"}).add(NEW)
    assert tab_of(graph).cells[5, 1].value == "Client 1"


def test_a_line_that_sums_up_is_no_row_in_any_language(tmp_path: Path) -> None:
    graph = PracticeGraph(book(2))
    tab_of(graph).cells[7, 1] = Cell("Samenvatting")
    tab_of(graph).cells[7, 4] = Cell(formula="=SUM(D5:D6)")

    assert [row.name for row in the_list(graph, tmp_path).read().rows] == ["Client 1", "Client 2"]


def test_a_note_under_the_list_is_no_row(tmp_path: Path) -> None:
    graph = PracticeGraph(book(2))
    tab_of(graph).cells[7, 1] = Cell("Client without more")
    tab_of(graph).cells[9, 1] = Cell("Kept by accounts, ask Omar")

    names = [row.name for row in the_list(graph, tmp_path).read().rows]

    assert names == ["Client 1", "Client 2", "Client without more"]


def test_a_table_ends_where_it_ends_and_its_totals_are_no_row(tmp_path: Path) -> None:
    graph = PracticeGraph(book(2, table=True))
    tab = tab_of(graph)
    tab.tables[0] = Table("{table}", (1, 4, 6, 7), has_totals=True)
    put(tab, 7, 1, replace(client(3), name="Sum"))
    put(tab, 9, 1, client(4))
    desk = the_list(graph, tmp_path)

    assert [row.name for row in desk.read().rows] == ["Client 1", "Client 2"]
    desk.add(NEW)
    assert [row.row_number for row in desk.read().rows] == [5, 6, 7]


def test_another_table_below_is_not_the_list(tmp_path: Path) -> None:
    graph = PracticeGraph(book(2))
    tab = tab_of(graph)
    put(tab, 10, 1, client(9))
    tab.tables.append(Table("{below}", (1, 9, 6, 10)))

    assert [row.name for row in the_list(graph, tmp_path).read().rows] == ["Client 1", "Client 2"]


def test_a_sub_heading_is_not_looked_like(tmp_path: Path) -> None:
    graph = PracticeGraph(book(2))
    tab = tab_of(graph)
    graph.book.insert_rows(tab, 5)
    tab.cells[5, 1] = Cell("This year", look={"bold": True, "fill": "#DDDDDD"})
    for column in range(2, 7):
        tab.cells[5, column] = Cell(look={"bold": True, "fill": "#DDDDDD"})

    the_list(graph, tmp_path).add(NEW)

    assert not any(tab.cells[5, column].look.get("bold") for column in range(1, 7))


def test_a_row_left_with_the_marks_of_typing_is_put_right_where_it_stands(tmp_path: Path) -> None:
    graph = PracticeGraph(book(table=True), content=saved())
    tab = tab_of(graph)
    put(tab, 6, 1, replace(NEW, phone=f"'{NEW.phone}", reason=f"'{NEW.reason}"))
    desk = the_list(graph, tmp_path)

    written = desk.add(NEW)

    assert written.row_number == 6
    assert sum(matches(row, NEW) for row in desk.read().rows) == 1
    assert len(desk.read().rows) == 3


class TakenOverError(Exception):
    """The case of a row is somebody else's now."""


@pytest.mark.parametrize("table", [True, False])
def test_a_row_that_may_not_be_written_any_more_leaves_the_workbook_as_it_was(
    tmp_path: Path, *, table: bool
) -> None:
    graph = PracticeGraph(book(3, table=table), content=saved(3))
    before = copy.deepcopy(graph.book)

    def taken_over() -> None:
        raise TakenOverError

    with go_ahead.asked_of(taken_over), pytest.raises(TakenOverError):
        the_list(graph, tmp_path).add(NEW)
    assert graph.book == before


def test_what_was_begun_is_brought_to_its_end_without_asking_again(tmp_path: Path) -> None:
    graph = PracticeGraph(book(3), content=saved(3))
    asked: list[bool] = []
    with go_ahead.asked_of(lambda: asked.append(True)):
        the_list(graph, tmp_path).add(NEW)
    assert asked == [True]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_list_that_another_has_changed_is_written_to_unless_the_row_is_there(
    tmp_path: Path, *, is_there: bool
) -> None:
    graph = PracticeGraph(book(3), content=saved(3))
    desk = the_list(graph, tmp_path)
    before = desk.read().fingerprint
    desk.add(replace(NEW, name="Somebody Else"))

    def add() -> None:
        desk.add(NEW, expected_fingerprint=before, unless=lambda _view: is_there)

    if is_there:
        with pytest.raises(ChangedMeanwhile):
            add()
    else:
        add()
    assert [row.name for row in desk.read().rows].count(NEW.name) == (0 if is_there else 1)
