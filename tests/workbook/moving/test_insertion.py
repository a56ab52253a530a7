"""Where references point after a row was put under the heading, and which of them grow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.moving.insertion import Insertion
from canceldesk.workbook.ooxml.references import LAST_ROW, Span

TABS = ("Jan", "cancellation", "Dec", "Other")
LIST = Insertion("cancellation", row=5, last_row=44, left=1, right=6, tabs=TABS)
ONE_ROW = Insertion("cancellation", row=5, last_row=5, left=1, right=6, tabs=TABS)
EMPTY = Insertion("cancellation", row=5, last_row=4, left=1, right=6, tabs=TABS)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("SUM(cancellation!D5:D44)", "SUM(cancellation!D5:D45)"),
        ("SUM('CANCELLATION'!$D$5:$D$44)", "SUM('CANCELLATION'!$D$5:$D$45)"),
        ("SUM(cancellation!D4:D44)", "SUM(cancellation!D4:D45)"),
        ("SUM(cancellation!D6:D44)", "SUM(cancellation!D7:D45)"),
        ("SUM(cancellation!D5:D1048576)", "SUM(cancellation!D5:D1048576)"),
        ("SUM(cancellation!5:44)", "SUM(cancellation!5:45)"),
        ("SUM(cancellation!D:D)", "SUM(cancellation!D:D)"),
        ("cancellation!A1+cancellation!A4+cancellation!A5", None),
        ("SUM(D5:D44)+Other!D5", "SUM(D5:D44)+Other!D5"),
        ("[1]cancellation!D5", "[1]cancellation!D5"),
        ('"cancellation!D5"', '"cancellation!D5"'),
        ("SUM(cancellation!H5:H44)", "SUM(cancellation!H6:H45)"),
        ("SUM(cancellation!A5:F5)", "SUM(cancellation!A6:F6)"),
        ("OFFSET(cancellation!$A$5,0,0,9,1)", "OFFSET(cancellation!$A$5,0,0,9,1)"),
        ("cancellation!A5:INDEX(cancellation!A:A,9)", "cancellation!A5:INDEX(cancellation!A:A,9)"),
        ("Other:Nowhere!D9", "Other:Nowhere!D9"),
        ("Jan:Dec!D4", "Jan:Dec!D4"),
        ("Dec:Other!D9", "Dec:Other!D9"),
    ],
)
def test_a_formula_on_another_tab_follows_the_list(formula, expected):
    if expected is None:
        expected = "cancellation!A1+cancellation!A4+cancellation!A6"
    assert LIST.formula(formula, here=False) == expected


@pytest.mark.parametrize(
    ("formula", "row", "expected"),
    [
        ("D5*2", 5, "D6*2"),
        ("SUM(A5:F5)", 5, "SUM(A6:F6)"),
        ("AVERAGE(D5:D7)", 5, "AVERAGE(D6:D8)"),
        ("SUM(D$5:D5)", 5, "SUM(D$5:D6)"),
        ("SUM(D$5:D9)", 9, "SUM(D$5:D10)"),
        ("COUNTIF($B$5:$B$44,B9)", 9, "COUNTIF($B$5:$B$45,B10)"),
        ("D5-D4", 5, "D6-D4"),
        ("SUM(D5:D44)", 45, "SUM(D5:D45)"),
        ("SUM(D5:D44)", 2, "SUM(D5:D45)"),
        ("$A$5:INDEX($A:$A,9)", 9, "$A$5:INDEX($A:$A,9)"),
        ("A5:INDEX(A:A,9)", 9, "A6:INDEX(A:A,9)"),
    ],
)
def test_a_formula_on_the_lists_tab_knows_rows_from_the_whole_list(formula, row, expected):
    assert LIST.formula(formula, here=True, row=row) == expected


@pytest.mark.parametrize(
    ("formula", "row", "column", "expected"),
    [
        ("SUM(D5:D43)", 44, 4, "SUM(D5:D44)"),
        ("SUM(D5:D20)", 22, 4, "SUM(D5:D21)"),
        ("SUM(D5:D20)", 22, 5, "SUM(D6:D21)"),
        ("SUM(D5:D20)/E22", 44, 5, "SUM(D5:D21)/E23"),
        ("SUM(D5:D44)", 9, 8, "SUM(D5:D45)"),
        ("SUM(D5:D99)", 5, 8, "SUM(D5:D100)"),
        ("SUM(D5:D43)", 9, 8, "SUM(D6:D44)"),
        ("SUM(D5:D$44)", 5, 8, "SUM(D6:D$45)"),
        ("SUM(D$5:D9)", 9, 8, "SUM(D$5:D10)"),
        ("SUM(D5:D44)", 9, 5, "SUM(D6:D45)"),
        ("D5*2", 5, 8, "D6*2"),
    ],
)
def test_totals_beside_the_list_and_under_its_rows_are_told_from_rows_that_look_around(
    formula, row, column, expected
):
    assert LIST.formula(formula, here=True, row=row, column=column) == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("SUMIFS(l!D5:D44,l!H5:H44,1)", "SUMIFS(l!D5:D45,l!H5:H45,1)"),
        ("SUMPRODUCT(l!D5:D44,Other!D5:D44)", "SUMPRODUCT(l!D6:D45,Other!D5:D44)"),
        ("SUMPRODUCT((l!D5:D44>1)*Other!D5:D44)", "SUMPRODUCT((l!D6:D45>1)*Other!D5:D44)"),
        ("INDEX(l!D5:D44,MATCH(1,[1]x!D5:D44,0))", "INDEX(l!D6:D45,MATCH(1,[1]x!D5:D44,0))"),
        ("INDEX(l!D5:D44,MATCH(1,l!A5:A44,0))", "INDEX(l!D5:D45,MATCH(1,l!A5:A45,0))"),
        ("SUM(l!D5:D44)/SUM(Other!D5:D44)", "SUM(l!D5:D45)/SUM(Other!D5:D44)"),
        ("SUM(l!D5:D44,Other!D5:D44)", "SUM(l!D5:D45,Other!D5:D44)"),
        ("SUM(l!D5:D44*Other!D5:D44)", "SUM(l!D6:D45*Other!D5:D44)"),
        ("SUMPRODUCT(l!D6:D44-l!D5:D43)", "SUMPRODUCT(l!D7:D45-l!D6:D44)"),
        ("SUMPRODUCT(l!D5:D44*l!D4:D43)", "SUMPRODUCT(l!D5:D45*l!D4:D44)"),
        ("VLOOKUP(1,l!A5:F44,2)+Other!A1", "VLOOKUP(1,l!A5:F45,2)+Other!A1"),
        ("XLOOKUP(1,l!A5:A44,Other!D5:D44)", "XLOOKUP(1,l!A6:A45,Other!D5:D44)"),
        ("_xlfn._xlws.FILTER(l!A5:F44,l!D5:D44>1)", "_xlfn._xlws.FILTER(l!A5:F45,l!D5:D45>1)"),
        ('SUMIFS(l!D5:D44,l!A5:A44,"a,(b")', 'SUMIFS(l!D5:D45,l!A5:A45,"a,(b")'),
        ("SUM((l!A5:A44,l!C5:C44))", "SUM((l!A5:A45,l!C5:C45))"),
        ("SUM(l!A5:A44 l!5:9)", "SUM(l!A5:A45 l!5:10)"),
        ("SUM(l!D44:D5)", "SUM(l!D45:D5)"),
        ("SUM(l!F5:A44)", "SUM(l!F5:A45)"),
        ("SUM(l!D9:D2)", "SUM(l!D10:D2)"),
        ("SUM(l!A1:XFD1048576)", "SUM(l!A1:XFD1048576)"),
        ("l!A1048576", "l!A1048576"),
    ],
)
def test_ranges_taken_row_by_row_stay_equally_tall(formula, expected):
    """`l` stands for the list's tab."""
    formula, expected = (text.replace("l!", "cancellation!") for text in (formula, expected))
    assert LIST.formula(formula, here=False) == expected


def test_an_array_formula_that_fills_as_many_cells_as_the_list_has_rows_takes_in_none():
    whole = "cancellation!D5:D44*2+SUM(cancellation!D5:D44)"
    assert LIST.formula(whole, here=False, block=40) == (
        "cancellation!D6:D45*2+SUM(cancellation!D5:D45)"
    )
    assert LIST.formula(whole, here=False, block=39) == whole.replace("D44", "D45")


def test_formulas_that_belong_together_grow_together_or_not_at_all():
    values, names = "cancellation!$D$5:$D$44", "cancellation!$A$5:$A$44"
    assert LIST.formulas([names, values]) == [names.replace("44", "45"), values.replace("44", "45")]
    assert LIST.formulas(["Other!$A$5:$A$44", values]) == [
        "Other!$A$5:$A$44",
        "cancellation!$D$6:$D$45",
    ]
    assert LIST.formulas([f"({names},{values})", "cancellation!$D$4", "1"]) == [
        f"({names},{values})".replace("44", "45"),
        "cancellation!$D$4",
        "1",
    ]


def test_several_rows_move_everything_by_as_many():
    three = Insertion("cancellation", row=5, last_row=44, left=1, right=6, tabs=TABS, count=3)
    assert three.formula("SUM(D5:D44)+D9+D4+D1048575", here=True) == "SUM(D5:D47)+D12+D4+D1048576"
    assert three.ranges_grown("A5:F44 H5 F1:F9") == "A5:F47 H8 F1:F12"
    assert three.span_moved(Span(4, 1, 9, 2)) == Span(4, 1, 12, 2)


@pytest.mark.parametrize(
    ("written", "is_list"),
    [
        ("STRASSE", False),
        ("strasse", False),
        ("Straße", True),
        ("STRAßE", True),
    ],
)
def test_tabs_are_told_apart_letter_by_letter(written, is_list):
    tabs = ("Strasse", "Straße")
    street = Insertion("Straße", row=5, last_row=9, left=1, right=6, tabs=tabs)
    after = f"'{written}'!D{7 if is_list else 6}"
    assert street.formula(f"'{written}'!D6", here=False) == after


@pytest.mark.parametrize("insertion", [ONE_ROW, EMPTY])
def test_in_a_list_of_at_most_one_row_one_cell_of_a_column_can_mean_the_list(insertion):
    assert insertion.formula("SUM(cancellation!D5:D5)", here=False) == "SUM(cancellation!D5:D6)"
    assert insertion.formula("cancellation!D5", here=False) == "cancellation!D6"
    assert insertion.formula("SUM(cancellation!A5:B5)", here=False) == "SUM(cancellation!A6:B6)"


def test_a_sum_across_tabs_that_would_tear_is_refused():
    with pytest.raises(CannotEdit, match="several tabs at once") as refusal:
        LIST.formula("SUM(Jan:Dec!D9)", here=False)
    assert "cancellation" in refusal.value.sentence


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("cancellation!$A$5:$F$44", "cancellation!$A$5:$F$45"),
        ("cancellation!$A$4:$F$44", "cancellation!$A$4:$F$45"),
        ("cancellation!$1:$4", "cancellation!$1:$4"),
        ("cancellation!$A:$F,cancellation!$1:$9", "cancellation!$A:$F,cancellation!$1:$10"),
        ("cancellation!A9", "cancellation!A9"),
        ("cancellation!$A9:$A$20", "cancellation!$A9:$A$20"),
        ("Other!$A$5:$A$9", "Other!$A$5:$A$9"),
    ],
)
def test_a_name_moves_only_in_its_fixed_rows(formula, expected):
    assert LIST.name(formula) == expected


@pytest.mark.parametrize(
    ("text", "moved", "grown"),
    [
        ("A5:F44", "A6:F45", "A5:F45"),
        ("A4:F44", "A4:F45", "A4:F45"),
        ("A1:F4", "A1:F4", "A1:F4"),
        ("F5", "F6", "F6"),
        ("H5:H9", "H6:H10", "H6:H10"),
        ("A1048576", "A1048576", "A1048576"),
    ],
)
def test_ranges_move_or_grow(text, moved, grown):
    assert LIST.range_moved(text) == moved
    assert LIST.range_grown(text) == grown


def test_a_range_over_the_first_row_alone_grows_when_asked_or_when_it_is_the_list():
    assert LIST.range_grown("F5", even_single=True) == "F5:F6"
    assert ONE_ROW.range_grown("A5:F5") == "A5:F6"
    assert LIST.ranges_grown("A5:A9 H1 H7") == "A5:A10 H1 H8"


def test_a_rule_over_the_grown_list_keeps_its_relative_rows():
    before, after = Span(5, 1, 44, 6), Span(5, 1, 45, 6)
    rule = LIST.rule(
        "AND($D5>$D$50,COUNTIF($B$5:$B$44,$B5)>1)", here=True, before=before, after=after
    )
    assert rule == "AND($D5>$D$51,COUNTIF($B$5:$B$45,$B5)>1)"


def test_a_rule_with_a_running_range_keeps_its_start():
    before, after = Span(5, 1, 44, 6), Span(5, 1, 45, 6)
    assert LIST.rule("COUNTIF(B$5:B5,B5)>1", here=True, before=before, after=after) == (
        "COUNTIF(B$5:B5,B5)>1"
    )


def test_a_rule_below_the_list_moves_with_its_cells():
    before, after = Span(50, 1, 60, 6), Span(51, 1, 61, 6)
    assert LIST.rule("A50>$D$5", here=True, before=before, after=after) == "A51>$D$6"


def test_a_rule_elsewhere_follows_as_a_formula_does():
    where = Span(1, 1, 3, 1)
    rule = LIST.rule("cancellation!$D$5>A1", here=False, before=where, after=where)
    assert rule == "cancellation!$D$6>A1"
    text = "SUM(cancellation!D5:D9)+SUM(cancellation!$D$5:$D$9)"
    assert LIST.rule(text, here=False, before=where, after=where) == (
        "SUM(cancellation!D6:D10)+SUM(cancellation!$D$5:$D$10)"
    )
    alone = Span(1, 1, 1, 1)
    assert LIST.rule("SUM(cancellation!D5:D9)", here=False, before=alone, after=alone) == (
        "SUM(cancellation!D5:D10)"
    )
    assert LIST.rule("cancellation!D9", here=False, before=where, after=where) == "cancellation!D10"


def test_a_rule_elsewhere_that_looks_row_by_row_across_the_new_row_is_refused():
    where = Span(1, 1, 9, 1)
    with pytest.raises(CannotEdit, match="row by row"):
        LIST.rule("cancellation!D1>3", here=False, before=where, after=where)


rows = st.integers(1, LAST_ROW - 1)


@given(rows, rows, rows)
def test_a_moved_range_still_covers_exactly_the_same_cells(row, one, other):
    top, bottom = sorted((one, other))
    insertion = Insertion("t", row=row, last_row=row + 9, left=1, right=1)
    span = Span(top, 1, bottom, 1)
    after = insertion.span_moved(span)
    assert after is not None
    covered = {insertion.moved(number) for number in (top, bottom)}
    assert {after.top, after.bottom} == covered
    assert after.bottom - after.top == bottom - top + insertion.straddled_by(span)


@given(st.integers(2, 50), st.integers(0, 30), st.integers(1, 90), st.integers(0, 60))
def test_a_sum_over_any_range_of_other_cells_keeps_its_value_or_gains_only_the_new_row(
    row, length, top, height
):
    insertion = Insertion("t", row=row, last_row=row + length - 1, left=1, right=1)
    bottom = top + height
    after = insertion.formula(f"t!A{top}:A{bottom}", here=False).removeprefix("t!")
    span = Span.of(after)
    before_cells = set(range(top, bottom + 1))
    came_from = {n if n < row else n - 1 for n in range(span.top, span.bottom + 1) if n != row}
    assert came_from == before_cells
    includes_new = span.top <= row <= span.bottom
    list_from_the_start = top == row and (bottom > row or length <= 1)
    assert includes_new == (top < row <= bottom or list_from_the_start)
