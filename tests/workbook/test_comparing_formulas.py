"""How the comparison reads formulas, and where it expects them after rows were put in."""

from __future__ import annotations

import pytest

from canceldesk.workbook.comparing import formulas
from canceldesk.workbook.comparing.expectation import Expectation, area

TABS = ("Sheet1", "cancellation", "Sheet3")


def under_heading(*, last_row: int = 9, count: int = 1) -> Expectation:
    """Rows put in at row 4 of a list in A to F."""
    return Expectation("cancellation", 4, count, True, last_row, 1, 6, TABS)


@pytest.mark.parametrize(
    ("was", "should"),
    [
        ("D4", "D5"),
        ("D3", "D3"),
        ("$D$4", "$D$5"),
        ("SUM(D4:D9)", "SUM(D4:D10)"),
        ("SUM(D3:D9)", "SUM(D3:D10)"),
        ("SUM(D5:D9)", "SUM(D6:D10)"),
        ("SUM(D9:D4)", "SUM(D10:D4)"),
        ("SUM(H4:H9)", "SUM(H5:H10)"),
        ("SUM(4:9)", "SUM(4:10)"),
        ("SUM(D:D)", "SUM(D:D)"),
        ("SUM(A4:F4)", "SUM(A5:F5)"),
        ("LOG10(D4)", "LOG10(D5)"),
        ('"D4:D9"&D4', '"D4:D9"&D5'),
        ("D4:INDEX(D:D,9)", "D4:INDEX(D:D,9)"),
        ("OFFSET($D$4,0,0,COUNTA($D:$D),1)", "OFFSET($D$4,0,0,COUNTA($D:$D),1)"),
        ("OFFSET($D$4,1,1)", "OFFSET($D$5,1,1)"),
        ("Table1[[#This Row],[D4]]+D4", "Table1[[#This Row],[D4]]+D5"),
        ("[1]cancellation!D4+D4", "[1]cancellation!D4+D5"),
        ("Sheet1!D4+cancellation!D4", "Sheet1!D4+cancellation!D5"),
        ("'CANCELLATION'!D4", "'CANCELLATION'!D5"),
        ("'my ''own'!D4", "'my ''own'!D4"),
        ("'col4' 'row4'", "'col4' 'row4'"),
        ("#REF!+D4", "#REF!+D5"),
        ("rate4.D5+D4_x+D4", "rate4.D5+D4_x+D5"),
        ("ANCHORARRAY(D4)+D4#", "ANCHORARRAY(D5)+D5#"),
        ("XFE4+A1048577", "XFE4+A1048577"),
        ("d4", "d5"),
        ("Blatt・1!D4+Übersicht!D4", "Blatt・1!D4+Übersicht!D4"),
    ],
)
def test_a_formula_on_the_lists_tab_follows(was: str, should: str) -> None:
    assert under_heading().formula(was, here=True) == should


@pytest.mark.parametrize(
    ("was", "should"),
    [
        ("D4*2", "D5*2"),
        ("SUM(D4:D6)", "SUM(D5:D7)"),
        ("D4/SUM(D$4:D$9)", "D5/SUM(D$4:D$10)"),
        ("SUM(D$4:D4)", "SUM(D$4:D5)"),
    ],
)
def test_inside_the_list_only_fixed_ranges_mean_all_of_it(was: str, should: str) -> None:
    assert under_heading().formula(was, here=True, row=4) == should


def test_a_list_of_one_row_is_meant_by_one_cell_ranges() -> None:
    assert under_heading(last_row=4).formula("SUM(D4:D4)", here=True) == "SUM(D4:D5)"
    assert under_heading(last_row=9).formula("SUM(D4:D4)", here=True) == "SUM(D5:D5)"


def test_a_formula_elsewhere_follows_only_where_it_names_the_tab() -> None:
    was = "D4+cancellation!D4"
    assert under_heading().formula(was, here=False) == "D4+cancellation!D5"


def test_several_rows_move_everything_by_as_many() -> None:
    assert under_heading(count=3).formula("D4+SUM(D4:D9)", here=True) == "D7+SUM(D4:D12)"


def test_rows_further_down_stretch_and_do_not_grow() -> None:
    further = Expectation("cancellation", 6, 1, False, 9, 1, 6, TABS)
    assert further.formula("SUM(D4:D9)+SUM(D6:D9)", here=True) == "SUM(D4:D10)+SUM(D7:D10)"


def test_a_name_follows_only_with_fixed_rows() -> None:
    was = "cancellation!$A$4:$A$9,cancellation!A4"
    assert under_heading().fixed(was, here=False) == "cancellation!$A$4:$A$10,cancellation!A4"


def test_a_formula_over_several_tabs_is_seen_to_be_stuck() -> None:
    assert under_heading().crosses("SUM(Sheet1:Sheet3!D4)")
    assert not under_heading().crosses("SUM(Sheet1:Sheet3!D3)")
    assert not under_heading().crosses("SUM(Sheet1:Sheet1!D4)")


def test_a_range_over_the_first_row_of_a_longer_list_may_grow_or_move() -> None:
    assert under_heading().ranges("A4:F9", grows=True) == ("A4:F10",)
    assert under_heading().ranges("A4:F4 H1", grows=True) == ("A4:F5 H1", "A5:F5 H1")
    assert under_heading().ranges("A4:F9", grows=False) == ("A5:F10",)
    assert under_heading().ranges("#REF!", grows=True) == ("#REF!",)


def test_a_shared_formula_is_read_as_its_followers_mean_it() -> None:
    assert formulas.copied("A1+$A$1+B$1:$B2", 2, 1) == "B3+$A$1+C$1:$B4"
    assert formulas.copied("A1048576", 1, 0) == "A1"
    assert formulas.copied("SUM(A:B)", 5, 1) == "SUM(B:C)"


def test_what_is_no_range_is_no_area() -> None:
    assert area("#REF!") is None
    assert area("B2:C3") == area("$B$2:$C$3")


@pytest.mark.parametrize(
    ("was", "now", "row"),
    [
        ("SUM(D4:D6)", "SUM(D4:D7)", 8),
        ("SUM(D4:D6)", "SUM(D5:D7)", 8),
        ("SUMPRODUCT(D4:D8,E5:E9)", "SUMPRODUCT(D5:D9,E6:E10)", 20),
        ("SUMPRODUCT(D4:D8,E5:E9)", "SUMPRODUCT(D4:D9,E6:E10)", 20),
        ("SUMIFS(D4:D9,J4:J9,1)", "SUMIFS(D4:D10,J4:J10,1)", 20),
        ("SUMIFS(D4:D9,J4:J9,1)", "SUMIFS(D4:D10,J5:J10,1)", 20),
    ],
)
def test_where_both_can_be_meant_either_reading_is_right(was: str, now: str, row: int) -> None:
    assert under_heading().accepts(was, now, here=True, row=row, column=8)


@pytest.mark.parametrize(
    ("was", "now", "row"),
    [
        ("SUM(D4:D9)", "SUM(D5:D10)", 20),
        ("SUM(D4:D9)", "SUM(D4:D9)", 20),
        ("SUM(D4:D9)", "SUM(D4:D11)", 20),
        ("SUM(D4:D8)", "SUM(D5:D9)", 9),
        ("SUM(D6:D9)", "SUM(D6:D10)", 20),
        ("D4*2", "D4*2", 4),
        ("D4*2", "D5*3", 4),
        ("D4*2", "(D5*2)", 4),
        ("SUM(D$4:D$9)", "SUM(D$5:D$10)", 6),
    ],
)
def test_what_no_reading_allows_is_not_right(was: str, now: str, row: int) -> None:
    assert not under_heading().accepts(was, now, here=True, row=row, column=4)
