"""Where references point after a row was taken out, and that this undoes putting it in."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.moving.cellformulas import CellFormulas
from canceldesk.workbook.moving.insertion import Insertion
from canceldesk.workbook.moving.removal import Removal
from canceldesk.workbook.ooxml.references import LAST_ROW, Span

TABS = ("Jan", "cancellation", "Dec", "Other")
FIRST = Removal("cancellation", row=5, last_row=44, left=1, right=6, tabs=TABS, first_row=5)
NINTH = Removal("cancellation", row=9, last_row=44, left=1, right=6, tabs=TABS, first_row=5)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("cancellation!D9", "cancellation!#REF!"),
        ("'CANCELLATION'!$D$9*2", "'CANCELLATION'!#REF!*2"),
        ("SUM(cancellation!D9:F9)", "SUM(cancellation!#REF!)"),
        ("SUM(cancellation!9:9)", "SUM(cancellation!#REF!)"),
        ("SUM(cancellation!D5:D44)", "SUM(cancellation!D5:D43)"),
        ("SUM(cancellation!D44:D5)", "SUM(cancellation!D43:D5)"),
        ("SUM(cancellation!D9:D12)", "SUM(cancellation!D9:D11)"),
        ("SUM(cancellation!D6:D9)", "SUM(cancellation!D6:D8)"),
        ("SUM(cancellation!D8:D9)", "SUM(cancellation!D8:D8)"),
        ("SUM(cancellation!D9:D1048576)", "SUM(cancellation!D9:D1048576)"),
        ("SUM(cancellation!D10:D1048576)", "SUM(cancellation!D9:D1048576)"),
        ("SUM(cancellation!A1:XFD1048576)", "SUM(cancellation!A1:XFD1048576)"),
        ("SUM(cancellation!D:D)+cancellation!D8", "SUM(cancellation!D:D)+cancellation!D8"),
        ("cancellation!D1048576", "cancellation!D1048575"),
        ("OFFSET(cancellation!$A$9,0,0,4,1)", "OFFSET(cancellation!#REF!,0,0,4,1)"),
        ("Other!D9+D9+[1]cancellation!D9", "Other!D9+D9+[1]cancellation!D9"),
        ('"cancellation!D9"&Cancelled[[#This Row],[D9]]', None),
        ("Jan:Dec!D8", "Jan:Dec!D8"),
    ],
)
def test_a_formula_elsewhere_follows_or_loses_what_it_pointed_at(formula, expected):
    assert NINTH.formula(formula, here=False) == (formula if expected is None else expected)


def test_a_formula_on_the_lists_tab_loses_it_without_the_tabs_name():
    assert NINTH.formula("D9+D10+$A$9", here=True) == "#REF!+D9+#REF!"


def test_a_block_that_starts_with_the_lists_first_row_still_starts_there():
    dynamic = "OFFSET(cancellation!$A$5,0,0,COUNTA(cancellation!$A:$A),1)"
    assert FIRST.formula(dynamic, here=False) == dynamic
    assert FIRST.name(dynamic) == dynamic
    assert FIRST.formula("A5:INDEX(A:A,9)", here=True, row=7) == "#REF!:INDEX(A:A,9)"


def test_a_sum_across_tabs_that_would_tear_is_refused():
    with pytest.raises(CannotEdit, match=r"cannot be taken out of “cancellation” alone"):
        NINTH.formula("SUM(Jan:Dec!D10)", here=False)


def test_names_lose_their_fixed_cells_only():
    assert NINTH.name("cancellation!$A$9") == "cancellation!#REF!"
    assert NINTH.name("cancellation!A9") == "cancellation!A9"
    assert NINTH.name("cancellation!$A$5:$F$44,cancellation!$1:$4") == (
        "cancellation!$A$5:$F$43,cancellation!$1:$4"
    )


def test_covered_cells_shrink_and_go():
    assert NINTH.ranges_grown("A5:F44 H9 F9:F10 A9:F9") == "A5:F43 F9"
    assert NINTH.ranges_moved("A9:F9 H9") == ""
    assert NINTH.span_moved(Span(9, 1, 9, 6)) is None
    assert NINTH.span_moved(Span(9, 1, 10, 6)) == Span(9, 1, 9, 6)


def test_rules_keep_looking_at_the_rows_they_cover():
    whole, less = Span(5, 1, 44, 6), Span(5, 1, 43, 6)
    text = "AND($D5>$D$50,COUNTIF($B$5:$B$44,$B5)>1,$A$9=1,SUM(B$9:B5)>0)"
    assert NINTH.rule(text, here=True, before=whole, after=less) == (
        "AND($D5>$D$49,COUNTIF($B$5:$B$43,$B5)>1,#REF!=1,SUM(B$8:B5)>0)"
    )
    below, up = Span(50, 1, 60, 6), Span(49, 1, 59, 6)
    assert NINTH.rule("A50>$D$9+A49", here=True, before=below, after=up) == "A49>#REF!+A48"


def test_a_rule_elsewhere_that_looks_row_by_row_across_the_row_is_refused():
    where = Span(1, 1, 9, 1)
    with pytest.raises(CannotEdit, match="take this row out by hand"):
        NINTH.rule("cancellation!D1>3", here=False, before=where, after=where)
    assert NINTH.rule("cancellation!D10>3", here=False, before=where, after=where) == (
        "cancellation!D9>3"
    )


def moved(rows: bytes, removal: Removal) -> str:
    formulas = CellFormulas(removal, here=True)
    formulas.learn(rows)
    return formulas.moved(rows).decode()


def test_when_the_leader_of_a_shared_formula_goes_the_next_one_leads():
    rows = (
        b'<row r="5"><c r="G5"><f t="shared" ref="G5:G7" si="0">D5*2</f></c></row>'
        b'<row r="6"><c r="G6"><f t="shared" si="0"/></c></row>'
        b'<row r="7"><c r="G7"><f t="shared" si="0"/></c></row>'
    )
    after = moved(rows, FIRST)
    assert '<c r="G6"><f t="shared" si="0" ref="G5:G6">D5*2</f></c>' in after
    assert '<c r="G7"><f t="shared" si="0"/></c>' in after


def test_a_shared_formula_that_looked_at_the_lost_row_is_spelled_out():
    rows = (
        b'<row r="8"><c r="G8"><f t="shared" ref="G8:G10" si="0">G7+D8</f></c></row>'
        b'<row r="9"><c r="G9"><f t="shared" si="0"/></c></row>'
        b'<row r="10"><c r="G10"><f t="shared" si="0"/></c></row>'
    )
    after = moved(rows, NINTH)
    assert '<c r="G8"><f>G7+D8</f></c>' in after
    assert '<c r="G10"><f>#REF!+D9</f></c>' in after


@pytest.mark.parametrize(
    "formula",
    [
        '<f t="array" ref="H8:H12">D8:D12</f>',
        '<f t="dataTable" ref="H8:H12" r1="B2"/>',
        '<f t="dataTable" ref="H20:H22" r1="B9"/>',
    ],
)
def test_a_block_that_loses_a_row_or_its_input_is_refused(formula):
    row = 8 if "H8" in formula else 20
    with pytest.raises(CannotEdit, match="take|taken"):
        moved(f'<row r="{row}"><c r="H{row}">{formula}</c></row>'.encode(), NINTH)


rows = st.integers(1, 60) | st.integers(LAST_ROW - 9, LAST_ROW - 2)
fixed = st.sampled_from(["", "$"])


@st.composite
def references(draw):
    prefix = draw(st.sampled_from(["", "cancellation!", "Other!", "'CANCELLATION'!"]))
    letters = draw(st.lists(st.sampled_from("ADFHZ"), min_size=2, max_size=2))
    ends = [
        f"{draw(fixed)}{letter}{draw(fixed)}{row}"
        for letter, row in zip(letters, draw(st.tuples(rows, rows)), strict=True)
    ]
    one = draw(st.booleans())
    whole = draw(st.sampled_from(["", "", "", "5:9", "A:D", "$6:$1048576"]))
    return prefix + (whole or (ends[0] if one else ":".join(ends)))


patterns = st.sampled_from(
    [
        "{0}+{1}",
        "SUM({0},{1})",
        "SUMPRODUCT({0},{1})",
        "OFFSET({0},0,0,COUNTA({1}),1)",
        "{0}:INDEX({1},3)",
        "INDEX({0},MATCH(1,{1},0))",
    ]
)
lists = st.tuples(st.integers(2, 12), st.integers(-1, 8))


def put_in_and_taken_out(place: tuple[int, int]) -> tuple[Insertion, Removal]:
    row, length = place
    last = row + length
    return (
        Insertion("cancellation", row, last, 1, 6, TABS),
        Removal("cancellation", row, last + 1, 1, 6, TABS, first_row=row),
    )


@given(lists, st.lists(references(), min_size=2, max_size=2), patterns, st.booleans(), rows)
def test_taking_out_the_row_just_put_in_gives_back_every_formula(place, pieces, form, here, at):
    insertion, removal = put_in_and_taken_out(place)
    text = form.format(*pieces)
    between = insertion.formula(text, here=here, row=at, column=4)
    after = removal.formula(between, here=here, row=insertion.moved(at), column=4)
    assert after == text


@given(lists, st.lists(references(), min_size=2, max_size=2), patterns)
def test_taking_out_the_row_just_put_in_gives_back_every_name(place, pieces, form):
    insertion, removal = put_in_and_taken_out(place)
    text = form.format(*pieces)
    assert removal.name(insertion.name(text)) == text
    assert removal.merely_moved(insertion.merely_moved(text)) == text


@given(lists, references(), rows, st.integers(0, 20), st.booleans())
def test_taking_out_the_row_just_put_in_gives_back_every_rule(place, text, top, height, here):
    insertion, removal = put_in_and_taken_out(place)
    before = Span(top, 1, min(top + height, LAST_ROW - 2), 3)
    covered = f"A{before.top}:C{before.bottom}"
    between = insertion.ranges_grown(covered)
    after = removal.ranges_grown(between)
    assert after == covered
    spans = [Span.of(covered), Span.of(between), Span.of(after)] if here else [before] * 3
    try:
        moved = insertion.rule(text, here=here, before=spans[0], after=spans[1])
    except CannotEdit:
        assume(False)
    assume("1048576" not in moved or "1048576" in text)
    assert removal.rule(moved, here=here, before=spans[1], after=spans[2]) == text


@given(lists, rows, st.integers(0, 20), st.sampled_from("AH"), st.booleans())
def test_taking_out_the_row_just_put_in_gives_back_every_range(place, top, height, letter, even):
    insertion, removal = put_in_and_taken_out(place)
    bottom = min(top + height, LAST_ROW - 2)
    text = f"{letter}{top}" if bottom == top else f"{letter}{top}:{letter}{bottom}"
    assert removal.range_moved(insertion.range_moved(text)) == text
    grown = insertion.ranges_grown(text, even_single=even)
    assert removal.ranges_grown(grown, even_single=even) == text
