"""What a row looks like after it was added, and what it leaves alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.workbook.errors import (
    CannotEdit,
    CannotPlace,
    CannotRead,
    ChangedMeanwhile,
    ReadBackDiffers,
)
from canceldesk.workbook.graph import cells
from canceldesk.workbook.protocol import matches
from tests.workbook.building import HEADINGS, client
from tests.workbook.graph.building import (
    DATE,
    HEADING_LOOK,
    MONEY,
    NEW,
    book,
    put,
    saved,
    the_list,
)
from tests.workbook.graph.practice.book import Tab, Table
from tests.workbook.graph.practice.faults import Fault, error, holding
from tests.workbook.graph.practice.graph import PracticeGraph
from tests.workbook.graph.practice.typing_in import Cell, type_into

BOTH = pytest.mark.parametrize("table", [True, False], ids=["table", "range"])
WITH_REFERENCE = (*HEADINGS, "Case reference")


def tab_of(graph: PracticeGraph) -> Tab:
    return graph.book.tab("{list}")


def formats(tab: Tab, row: int, columns: int = 6) -> list[str]:
    return [tab.cells[row, column].number_format for column in range(1, columns + 1)]


# ------------------------------------------------------------------ values


@BOTH
@pytest.mark.parametrize(
    "text", ["=cmd()", "+1 555 0199", "0555 0101", "-5", "@home", "'quoted", "5/6", "TRUE", "1e5"]
)
def test_text_stays_text_whatever_it_looks_like(tmp_path: Path, table: bool, text: str) -> None:
    graph = PracticeGraph(book(table=table))
    row = replace(NEW, name=text, phone=text, reason=text)

    the_list(graph, tmp_path).add(row)

    tab = tab_of(graph)
    assert [tab.cells[5, column].value for column in (1, 2, 6)] == [text] * 3
    assert not any(cell.formula for cell in tab.cells.values())


@BOTH
@pytest.mark.parametrize("quirk", ["keeps_apostrophe", "formats_after_values"])
def test_text_stays_text_however_excel_takes_it(tmp_path: Path, table: bool, quirk: str) -> None:
    graph = PracticeGraph(book(table=table))
    setattr(graph.book, quirk, True)
    if not table:
        for column in range(1, 7):
            tab_of(graph).cell(4, column).number_format = "@"

    written = the_list(graph, tmp_path).add(replace(NEW, name="=A1", phone="00123"))

    assert (written.row.name, written.row.phone) == ("=A1", "00123")
    assert tab_of(graph).cells[5, 3].value == 46349
    assert not any(cell.formula for cell in tab_of(graph).cells.values())


@given(
    words=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(
        str.strip
    )
)
def test_any_text_comes_out_of_a_cell_as_it_went_in(words: str) -> None:
    cell = Cell()
    type_into(cell, cells.typed(words))
    assert (cell.value, cell.formula) == (words, "")


@BOTH
def test_numbers_take_the_formats_of_the_list(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table))

    the_list(graph, tmp_path).add(NEW)

    tab = tab_of(graph)
    assert formats(tab, 5) == ["General", "@", DATE, MONEY, "General", "General"]
    assert [tab.cells[5, column].value for column in (3, 4, 5)] == [46349, 1234.5, 7]


@BOTH
def test_an_empty_list_gets_formats_for_dates_and_money(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(0, table=table), content=saved(0))

    written = the_list(graph, tmp_path).add(NEW)

    assert matches(written.row, NEW)
    assert formats(tab_of(graph), 5)[2:4] == ["m/d/yyyy", "#,##0.00"]
    if table:
        assert tab_of(graph).tables[0].area == (1, 4, 6, 5)


def test_a_table_whose_new_rows_are_plain_gets_the_formats_after(tmp_path: Path) -> None:
    graph = PracticeGraph(book(table=True))
    graph.book.new_table_rows_are_plain = True

    the_list(graph, tmp_path).add(NEW)

    assert formats(tab_of(graph), 5)[2:4] == [DATE, MONEY]


@BOTH
def test_a_workbook_that_counts_from_1904_is_read_and_written_so(
    tmp_path: Path, table: bool
) -> None:
    graph = PracticeGraph(book(table=table, date1904=True))

    written = the_list(graph, tmp_path).add(NEW)

    assert written.row.cancelled_on == NEW.cancelled_on
    assert tab_of(graph).cells[5, 3].value == (NEW.cancelled_on - dt.date(1904, 1, 1)).days


def test_where_graph_does_not_compute_days_count_from_1900(tmp_path: Path) -> None:
    graph = PracticeGraph(book(), computes=False)

    assert the_list(graph, tmp_path).read().rows[0].cancelled_on == client(1).cancelled_on


@BOTH
def test_the_reference_goes_into_its_column(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table, headings=WITH_REFERENCE))

    the_list(graph, tmp_path).add(replace(NEW, reference="C-2026-7"))

    assert tab_of(graph).cells[5, 7].value == "C-2026-7"


@BOTH
def test_other_columns_are_left_empty_and_formulas_of_a_table_go_on(
    tmp_path: Path, table: bool
) -> None:
    headings = ("No", *HEADINGS[:3], "Per month", *HEADINGS[3:])
    graph = PracticeGraph(book(0, table=table, headings=headings), content=saved(0))
    if table:
        tab_of(graph).tables[0].calculated = {5: "=[@Total]/[@Months]"}
        tab_of(graph).cells[5, 5] = Cell(0, formula="=[@Total]/[@Months]")
        put_at = tab_of(graph).cells
        put_at[5, 2] = Cell("Client 1")

    the_list(graph, tmp_path).add(NEW)

    assert 1 not in [c for (r, c), cell in tab_of(graph).cells.items() if r == 5 and cell.value]
    if table:
        assert tab_of(graph).cells[5, 5].formula == "=[@Total]/[@Months]"


# ------------------------------------------------------------------ surroundings


def test_a_row_of_a_plain_range_looks_like_the_one_below(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    tab = tab_of(graph)
    tab.cells[5, 6].look["wrapText"] = True

    the_list(graph, tmp_path).add(NEW)

    looks = [tab.cells[5, column].look for column in range(1, 7)]
    assert not any(look.get("bold") or "fill" in look for look in looks)
    assert [look.get("italic", False) for look in looks] == [False] * 3 + [True] + [False] * 2
    assert {look["EdgeBottom"] for look in looks} == {"Continuous"}
    assert looks[5]["wrapText"] is True
    assert tab.cells[4, 1].look == HEADING_LOOK


def test_a_coloured_list_stays_coloured(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    for column in range(1, 7):
        tab_of(graph).cells[5, column].look["fill"] = "#FFEECC"

    the_list(graph, tmp_path).add(NEW)

    assert {tab_of(graph).cells[5, c].look["fill"] for c in range(1, 7)} == {"#FFEECC"}


def test_a_look_that_may_not_be_copied_does_not_stop_the_row(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    refused = error(403, "accessDenied")
    graph.faults = [Fault(holding("/format/font", "PATCH"), answer=refused, times=9)]

    assert matches(the_list(graph, tmp_path).add(NEW).row, NEW)


def test_totals_that_begin_with_the_first_row_take_the_new_one_in(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    tab, other = tab_of(graph), graph.book.tab("Other")
    tab.cells[9, 1] = Cell("Total")
    tab.cells[9, 4] = Cell(formula="=SUM(D5:D7)")
    tab.cells[1, 4] = Cell(formula="=SUM(D6:D7)")
    other.cells[2, 1] = Cell(formula="=SUM(Cancellations!D5:D7)")
    other.cells[3, 1] = Cell("=SUM(Cancellations!D5:D7)")
    whole = sum(client(number).collected_minor for number in (1, 2, 3)) / 100

    the_list(graph, tmp_path).add(NEW)

    assert tab.cells[10, 4].formula == "=SUM(D5:D8)"
    assert graph.book.value(tab, tab.cells[10, 4]) == whole + 1234.5
    assert tab.cells[1, 4].formula == "=SUM(D7:D8)"
    assert other.cells[2, 1].formula == "=SUM(Cancellations!D5:D8)"
    assert (other.cells[3, 1].value, other.cells[3, 1].formula) == ("=SUM(Cancellations!D5:D7)", "")


def test_a_line_of_totals_is_no_row(tmp_path: Path) -> None:
    graph = PracticeGraph(book(2))
    tab_of(graph).cells[7, 1] = Cell("Grand total")
    tab_of(graph).cells[7, 4] = Cell(99)

    assert len(the_list(graph, tmp_path).read().rows) == 2


@BOTH
def test_a_list_beside_the_first_column_is_found_and_added_to(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table, left=3, heading_row=2))

    written = the_list(graph, tmp_path).add(NEW)

    assert written.row_number == 3
    assert tab_of(graph).cells[3, 3].value == NEW.name


@BOTH
def test_another_table_on_the_tab_is_no_list(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table))
    tab_of(graph).tables.insert(0, Table("{aside}", (10, 4, 11, 6)))

    written = the_list(graph, tmp_path).add(NEW)

    assert written.row_number == 5
    assert tab_of(graph).tables[0].area == ((10, 4, 11, 6) if table else (10, 4, 11, 7))


def test_headings_over_two_merged_lines_stay_over_the_list(tmp_path: Path) -> None:
    graph = PracticeGraph(book(0), content=saved(0, merged=True))
    tab_of(graph).merges = [(column, 4, column, 5) for column in range(1, 7)]
    put(tab_of(graph), 6, 1, client(1))

    written = the_list(graph, tmp_path).add(NEW)

    assert written.row_number == 6
    assert tab_of(graph).cells[7, 1].value == "Client 1"


@pytest.mark.parametrize("content", [b"", b"no workbook", saved(0)[:900]])
def test_an_empty_line_that_may_be_part_of_the_headings_is_not_written_on(
    tmp_path: Path, content: bytes
) -> None:
    graph = PracticeGraph(book(0), content=content)

    with pytest.raises(CannotEdit, match="is empty, and whether it belongs to the headings"):
        the_list(graph, tmp_path).add(NEW)
    assert not [call for call in graph.calls if call.startswith("PATCH")]


# ------------------------------------------------------------------ what is refused


@BOTH
def test_a_protected_tab_is_refused_before_anything_is_written(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table))
    tab_of(graph).protected = True

    with pytest.raises(CannotEdit, match="is protected. Unprotect it"):
        the_list(graph, tmp_path).add(NEW)
    assert tab_of(graph).cells[5, 1].value == "Client 1"


def test_a_table_with_only_some_of_the_columns_is_read_but_not_added_to(tmp_path: Path) -> None:
    graph = PracticeGraph(book(table=True))
    tab_of(graph).tables[0].area = (1, 4, 4, 7)
    desk = the_list(graph, tmp_path)

    assert len(desk.read().rows) == 3
    with pytest.raises(CannotEdit, match="Make the table as large as the list"):
        desk.add(NEW)


def test_a_table_in_the_way_below_is_told(tmp_path: Path) -> None:
    graph = PracticeGraph(book(table=True))
    tab_of(graph).tables.append(Table("{below}", (5, 12, 9, 15)))

    with pytest.raises(CannotEdit, match="something is in the way there"):
        the_list(graph, tmp_path).add(NEW)


def test_a_row_without_name_and_phone_is_refused(tmp_path: Path) -> None:
    graph = PracticeGraph(book())

    with pytest.raises(CannotEdit, match="needs the client's name or phone"):
        the_list(graph, tmp_path).add(replace(NEW, name=" ", phone=""))
    assert graph.calls == []


def test_a_missing_tab_is_told_as_for_a_file(tmp_path: Path) -> None:
    graph = PracticeGraph(book(name="Left us"))

    with pytest.raises(CannotPlace, match="named for cancellation"):
        the_list(graph, tmp_path).read()
    assert len(the_list(graph, tmp_path, tab="left us").read().rows) == 3


def test_a_hidden_tab_is_only_found_by_name(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    tab_of(graph).visibility = "Hidden"

    with pytest.raises(CannotPlace):
        the_list(graph, tmp_path).read()
    assert the_list(graph, tmp_path, tab="Cancellations").read().tab == "Cancellations"


def test_headings_the_company_invented_are_found_by_setting(tmp_path: Path) -> None:
    graph = PracticeGraph(book(headings=("Who", *HEADINGS[1:])))

    with pytest.raises(CannotPlace, match="missing: “name”"):
        the_list(graph, tmp_path).read()
    assert the_list(graph, tmp_path, headings={"name": "who"}).read().headings["name"] == "Who"


def test_an_absurdly_large_tab_is_not_read(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    tab_of(graph).cells[1_048_576, 16_384] = Cell("x")

    with pytest.raises(CannotRead, match="too much to read"):
        the_list(graph, tmp_path).read()


# ------------------------------------------------------------------ what people do meanwhile


@BOTH
def test_a_list_that_was_changed_is_not_added_to(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table))
    desk = the_list(graph, tmp_path)
    before = desk.read()
    tab_of(graph).cells[6, 6].value = "Moved abroad"

    with pytest.raises(ChangedMeanwhile, match="changed by someone else"):
        desk.add(NEW, expected_fingerprint=before.fingerprint)
    assert tab_of(graph).cells[5, 1].value == "Client 1"


def test_a_look_or_another_tab_is_no_change_of_the_list(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    desk = the_list(graph, tmp_path)
    before = desk.read()
    tab_of(graph).cells[6, 6].look["bold"] = True
    graph.book.tab("Other").cells[5, 5] = Cell("note")

    assert desk.add(NEW, expected_fingerprint=before.fingerprint).row_number == 5


def test_a_formula_that_gives_another_value_each_time_is_no_change(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    clock = tab_of(graph).cell(1, 3)
    clock.formula = "=NOW()"

    def tick(_request: object) -> None:
        clock.value = len(graph.calls)

    graph.meanwhile = tick
    desk = the_list(graph, tmp_path)

    assert desk.add(NEW, expected_fingerprint=desk.read().fingerprint).row_number == 5


def test_a_row_overwritten_in_the_same_moment_is_told(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    tab = tab_of(graph)

    def sort(request: object) -> None:
        if graph.calls[-1].startswith("PATCH") and graph.calls[-1].endswith("(address='A5:F5')"):
            graph.meanwhile = None
            for column in range(1, 7):
                tab.cells[5, column] = tab.cells.pop((7, column))

    graph.meanwhile = sort

    with pytest.raises(ReadBackDiffers, match="the row for Client 2 is not there any more"):
        the_list(graph, tmp_path).add(NEW)


def test_an_equal_row_of_another_client_stays_and_a_second_is_added(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    desk = the_list(graph, tmp_path)

    desk.add(NEW)
    desk.add(NEW)

    assert [matches(row, NEW) for row in desk.read().rows] == [True, True, False, False, False]


@BOTH
def test_an_empty_line_and_a_half_written_one_are_completed(tmp_path: Path, table: bool) -> None:
    for words in ({}, {1: NEW.name}, {1: NEW.name, 5: NEW.months}):
        graph = PracticeGraph(book(table=table), content=saved())
        tab = tab_of(graph)
        graph.book.insert_rows(tab, 5)
        if table:
            tab.tables[0].area = (1, 4, 6, 8)
        for column, value in words.items():
            tab.cells[5, column].value = value

        written = the_list(graph, tmp_path).add(NEW)

        rows = the_list(graph, tmp_path).read().rows
        assert (written.row_number, len(rows)) == (5, 4)
        assert matches(rows[0], NEW)


def test_a_line_that_only_begins_alike_is_somebody_elses(tmp_path: Path) -> None:
    graph = PracticeGraph(book(), content=saved())
    tab = tab_of(graph)
    graph.book.insert_rows(tab, 5)
    tab.cells[5, 1].value, tab.cells[5, 2].value = NEW.name, "555 0100"

    the_list(graph, tmp_path).add(NEW)

    assert [tab.cells[row, 2].value for row in (5, 6)] == [NEW.phone, "555 0100"]


@BOTH
def test_headings_that_went_missing_meanwhile_do_not_hide_what_was_written(
    tmp_path: Path, table: bool
) -> None:
    graph = PracticeGraph(book(table=table))

    def rename(_request: object) -> None:
        if "PATCH" in graph.calls[-1] or graph.calls[-1].endswith("/rows/add"):
            tab_of(graph).cells[4, 1].value = "?"

    graph.meanwhile = rename

    with pytest.raises(ReadBackDiffers, match="may have been added, but then") as problem:
        the_list(graph, tmp_path).add(NEW)
    assert "Nothing was written" not in problem.value.sentence


def test_how_many_calls_a_row_takes(tmp_path: Path) -> None:
    for table, most in ((True, 20), (False, 38)):
        graph = PracticeGraph(book(table=table))
        the_list(graph, tmp_path).add(NEW)
        assert len(graph.calls) <= most
