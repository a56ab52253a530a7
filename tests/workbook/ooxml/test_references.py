"""Formulas are read as Excel stores them, and references in them moved as a plain model says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.workbook.moving import relocation
from canceldesk.workbook.ooxml import references
from canceldesk.workbook.ooxml.references import LAST_ROW, Reference, Span


def texts(formula: str) -> list[str]:
    return [formula[found.begin : found.end] for found in references.found(formula)]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("A1", ["A1"]),
        ("$A$1+b2", ["$A$1", "b2"]),
        ("SUM(A1:B2,C3)", ["A1:B2", "C3"]),
        ("SUM(5:9)+$2:$3", ["5:9", "$2:$3"]),
        ("SUM(A:B)", []),
        ("Sheet1!A1", ["Sheet1!A1"]),
        ("'my sheet'!A1:B2", ["'my sheet'!A1:B2"]),
        ("'it''s'!$A$1", ["'it''s'!$A$1"]),
        ("Übersicht!A1", ["Übersicht!A1"]),
        ("Jan:Dec!B2", ["Jan:Dec!B2"]),
        ("A1:Sheet1!B2", ["A1", "Sheet1!B2"]),
        ("[1]Sheet1!A1+'[2]my sheet'!A1", []),
        ('"A1"&"say ""B2"""&C3', ["C3"]),
        ("LOG10(A1)+ATAN2(1,2)+A1(", ["A1"]),
        ("TAX2024+XFE1+ABCD1+A1048577", ["TAX2024"]),
        ("_A1+A1_x+my.A1+A1.b+rate2", []),
        ("Table1[[#This Row],[A1]]+Table1['[B2']]+C3", ["C3"]),
        ("#REF!+Sheet1!#REF!+#N/A+A1", ["A1"]),
        ("A1#+@B2", ["A1", "B2"]),
        ("{1,2;3,4}*1E5+A1", ["A1"]),
        ('IF(A1>0,A2:INDEX(A:A,3),"")', ["A1", "A2"]),
        ("A1:B2:C3", ["A1:B2", "C3"]),
        ("Q4!A1+'2024'!B2+2024!C3", ["Q4!A1", "'2024'!B2", "2024!C3"]),
        ("😀!A1+→!B2+名簿!C3", ["😀!A1", "→!B2", "名簿!C3"]),
        ("#REF!A1+#REF!$B$2:$C$3+D4", ["D4"]),
        ("'C:\\books\\[list.xlsx]Sheet1'!A1+[list.xlsx]Sheet1!B2+C3", ["C3"]),
        ("'it''s [x]'!A1+B2", ["B2"]),
        ("R1C1+RC+R1C+AB12(C3)+LOG10(D4)", ["C3", "D4"]),
        ("A1 : B2+5 : 9", ["A1 : B2", "5 : 9"]),
        ("(A1:A9,C1:C9) A5:C5", ["A1:A9", "C1:C9", "A5:C5"]),
        ("_xlfn.ANCHORARRAY(A5)+_xlfn.SINGLE($B$2)", ["A5", "$B$2"]),
        ('INDIRECT("A5")&INDIRECT("Sheet1!A"&A6)', ["A6"]),
        ("SUM(1:1048577)+SUM(1:1048576)", ["1:1048576"]),
        ("A0+A01", []),
        ("!A1+B2", ["B2"]),
        ("LET(_xlpm.A1,5,_xlpm.A1+\\A1+A2?)", []),
        ("", []),
    ],
)
def test_every_reference_with_rows_is_found_and_nothing_else(formula, expected):
    assert texts(formula) == expected


def test_references_to_other_workbooks_and_deleted_tabs_are_given_when_asked_for():
    everything = references.found("[1]Sheet1!A1+#REF!B2+C3", elsewhere=True)
    assert [found.elsewhere for found in everything] == [True, True, False]


def test_a_range_written_upside_down_keeps_its_order():
    (found,) = references.found("B9:A2")
    assert (found.upper.row, found.lower.row, found.height) == (2, 9, 8)
    assert found.at(3, 10) == "B10:A3"


def test_a_quoted_tab_name_is_given_without_its_quotes():
    (found,) = references.found("'it''s ours'!A1")
    assert found.sheet == "it's ours"


@pytest.mark.parametrize(
    ("formula", "opens"),
    [
        ("B5:INDEX(B:B,9)", True),
        ("OFFSET($B$5,0,0,COUNTA(B:B),1)", True),
        ("OFFSET(Sheet1!B5,0,0,4)", True),
        ("OFFSET(B5,1,0)", False),
        ('OFFSET(B5,LEN("a,b,c,d"),{1,2,3})', False),
        ("INDEX(B5,1)", False),
        ("B5:B9", False),
    ],
)
def test_a_cell_that_opens_a_block_is_known(formula, opens):
    assert references.found(formula)[0].anchors_block is opens


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("B2", Span(2, 2, 2, 2)),
        ("$B$2:C9", Span(2, 2, 9, 3)),
        ("A:C", Span(1, 1, LAST_ROW, 3)),
        ("4:9", Span(4, 1, 9, 16384)),
        ("C9:B2", Span(2, 2, 9, 3)),
    ],
)
def test_a_range_is_a_rectangle(text, span):
    assert Span.of(text) == span


@pytest.mark.parametrize("text", ["", "Sheet1!A1", "A1:B2:C3", "#REF!"])
def test_what_is_no_range_is_an_error(text):
    with pytest.raises(ValueError, match="not a range"):
        Span.of(text)


@given(st.integers(1, references.LAST_COLUMN))
def test_column_letters_and_numbers_are_each_others_reverse(number):
    assert references.column_number(references.column_letters(number)) == number


@pytest.mark.parametrize(
    ("formula", "rows", "columns", "expected"),
    [
        ("B5+$C$5+D$5+$E5", 2, 1, "C7+$C$5+E$5+$E7"),
        ("SUM(B5:B$9)", 1, 0, "SUM(B6:B$9)"),
        ("SUM(5:5)", 3, 2, "SUM(8:8)"),
        ("'x y'!B5", 0, -1, "'x y'!A5"),
        ("SUM(B:B)", 3, 0, "SUM(B:B)"),
        ("A1", -1, 0, None),
        ("A1", 0, -1, None),
        ("A1048576", 1, 0, None),
        ("SUM(B:B)", 0, 1, "SUM(C:C)"),
        ("SUM(B:B,Other!$A:C)", 4, -1, "SUM(A:A,Other!$A:B)"),
        ("SUM(A:A)", 0, -1, None),
        ("\"A:A\"&Table1[[A:B]]&'A:A'!C:C", 0, 1, "\"A:A\"&Table1[[A:B]]&'A:A'!D:D"),
    ],
)
def test_a_shared_formula_is_spelled_out_for_another_cell(formula, rows, columns, expected):
    assert relocation.relocated(formula, rows, columns) == expected


@st.composite
def cells(draw):
    column = references.column_letters(draw(st.integers(1, references.LAST_COLUMN)))
    row = draw(st.integers(1, LAST_ROW))
    fixed = draw(st.tuples(st.sampled_from(["", "$"]), st.sampled_from(["", "$"])))
    return row, f"{fixed[0]}{column}{fixed[1]}{{}}"


prefixes = st.sampled_from(["", "Sheet1!", "'my list'!", "'it''s'!"])
noise = st.sampled_from(
    ["+", "*", "&", ",", '&"A1:B2"&', "+SUM(", ")-LOG10(", "+[1]Other!C7+", "+Table1[[#All],[D4]]+"]
)


@given(st.lists(st.tuples(prefixes, cells(), st.none() | cells(), noise), min_size=1, max_size=6))
def test_moving_every_reference_changes_rows_and_nothing_else(pieces):
    before, after = "", ""
    for prefix, (top, top_text), bottom, between in pieces:
        ends = [(top, top_text)] + ([] if bottom is None else [bottom])
        before += prefix + ":".join(text.format(row) for row, text in ends) + between
        after += prefix + ":".join(text.format(row + 7) for row, text in ends) + between

    def move(found: Reference) -> str:
        return found.at(found.upper.row + 7, found.lower.row + 7)

    assert references.rewritten(before, move) == after


@given(st.text(alphabet="AB19$!'\"[]():,.+#& xé", max_size=40))
def test_no_formula_however_broken_is_changed_by_looking_at_it(formula):
    assert references.rewritten(formula, lambda _found: None) == formula
    for found in references.found(formula):
        assert found.at(found.upper.row, found.lower.row).replace(" ", "") == formula[
            found.begin : found.end
        ].replace(" ", "")


def test_a_long_name_in_any_script_is_read_in_no_time() -> None:
    formula = f"{'Сумма' * 2000}+{'名前:' * 2000}A4+A5"
    assert texts(formula) == ["A4", "A5"]


@pytest.mark.parametrize("formula", ["'col3' 'row1'", "'A5'", "SUM('It''s A5')+1", "'a'&'D5:D9'"])
def test_words_between_apostrophes_that_name_no_tab_are_no_references(formula):
    assert references.found(formula) == []
