"""Rows and cells of ordinary worksheets, read and moved as text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.ooxml import sheetdata
from canceldesk.workbook.ooxml.references import column_letters
from canceldesk.workbook.ooxml.sheetdata import Cell, Formula
from tests.workbook.spelling import TEXTS, tree

TEXT = st.sampled_from(TEXTS).map(
    lambda words: words.replace("&", "&amp;").replace("<", "&lt;").replace("]]>", "]]&gt;")
)


@st.composite
def ordinary_rows(draw):
    """Rows as an ordinary worksheet may hold them; some cells stand under a wrong number."""
    rows, number = "", 0
    for _ in range(draw(st.integers(0, 4))):
        number += draw(st.sampled_from([1, 2, 8, 89]))
        cells = "".join(
            draw_cell(draw, number, column)
            for column in sorted(draw(st.sets(st.integers(1, 800), max_size=4)))
        )
        more = draw(st.sampled_from(["", f' spans="1:{number}"', f' s="{number}" ht="1{number}"']))
        place = draw(st.sampled_from([f' r="{number}"{more}', f'{more} r="{number}"']))
        end = f">{cells}</row>" if cells else draw(st.sampled_from(["/>", " />", "></row >"]))
        rows += f"<row{place}{end}" + draw(st.sampled_from(["", "\n"]))
    return rows.encode()


def draw_cell(draw, row, column):
    own = draw(st.sampled_from([row, row, row, row, row, row + 1, row + 10, 10 * row + row]))
    letters = column_letters(column)
    place = f' r="{draw(st.sampled_from([letters, letters, letters.lower()]))}{own}"'
    style = draw(st.sampled_from(["", "", f' s="{row}"', f' s="{own}"', f' note="A{row}"']))
    text = draw(TEXT)
    content = draw(
        st.sampled_from(["", f"<v>{row}</v>", f"<f>{text}</f><v>1</v>", f"<is><t>{text}</t></is>"])
    )
    return f"<c{draw(st.sampled_from([place + style, style + place]))}>{content}</c>"


def by_lxml(rows, moved):
    """The rows renumbered by a parser that knows nothing of text."""
    root = tree(b"<a>%b</a>" % rows)
    for row in root:
        row.set("r", str(moved(int(row.get("r")))))
        for cell in row:
            letters = cell.get("r").rstrip("0123456789")
            cell.set("r", f"{letters}{moved(int(cell.get('r')[len(letters) :]))}")
    return etree.tostring(root, method="c14n")


@settings(max_examples=300)
@given(ordinary_rows(), st.sampled_from([0, 1, 5, -1]), st.integers(1, 100))
def test_rows_are_renumbered_as_a_parser_would(rows, step, first):
    def moved(number):
        return number + step if number >= first else number

    renumbered = sheetdata.renumbered(rows, moved)
    assert etree.tostring(etree.fromstring(b"<a>%b</a>" % renumbered), method="c14n") == by_lxml(
        rows, moved
    )


@pytest.mark.parametrize(
    "row",
    [
        b'<row r="5" spans="1:5"><c r="A5"/><c r="B7"/></row>',
        b'<row r="5"><c r="A5"/><c s="5" r="B8"/></row>',
        b'<row r="5"><c r="A5"/><c r="B15"><v>"5"</v></c></row>',
        b'<row r="5"><c r="A5"/><c r="B6"/><c r="C5"><is><t>5"</t></is></c></row>',
    ],
)
def test_a_damaged_row_cannot_make_a_number_move_that_is_no_position(row):
    assert sheetdata.renumbered(row, lambda number: number + 1) == re.sub(
        rb'(r="[A-Z]*)(\d+)"', lambda match: b'%b%d"' % (match[1], int(match[2]) + 1), row
    )


def test_rows_move_down_with_their_cells_and_their_words_stay():
    rows = (
        b'<row r="9" ht="20"><c r="A9" t="inlineStr"><is><t>see r="A9" &lt;c r="A9"></t></is></c>'
        b'<c s="4" r="XFD9"/></row><row spans="1:2" r="10"/>'
    )
    assert sheetdata.renumbered(rows, lambda number: number + 1) == rows.replace(
        b'<row r="9"', b'<row r="10"'
    ).replace(b'<c r="A9" t', b'<c r="A10" t').replace(b'r="XFD9"', b'r="XFD10"').replace(
        b'spans="1:2" r="10"', b'spans="1:2" r="11"'
    )


def test_what_stands_before_the_first_row_in_the_usual_spelling_moves_too():
    rows = b' <row ht="3" r="2"/><row r="3"/>'
    assert sheetdata.renumbered(rows, lambda number: number * 10) == (
        b' <row ht="3" r="20"/><row r="30"/>'
    )
    assert sheetdata.renumbered(b"", lambda number: number) == b""


def test_rows_and_cells_are_read_as_they_stand():
    text = (
        b'<row r="2" ht="15" note="a&amp;b"><c r="B2" s="3" t="s"><v>1</v></c><c r="AA2"/>'
        b'<c t="b"/></row><row ht="1"/><row r="3" />'
    )
    first, last = sheetdata.rows(text)
    assert (first.number, last.number, last.cells) == (2, 3, b"")
    assert first.attributes == {"r": "2", "ht": "15", "note": "a&b"}
    assert (first.is_blank, last.is_blank) == (False, True)
    cells = list(sheetdata.cells(first.cells))
    assert [(cell.column, cell.style, cell.kind) for cell in cells] == [(2, 3, "s"), (27, 0, "n")]
    assert cells[0].content == b"<v>1</v>"
    assert [row.number for row in sheetdata.rows(text, text.index(b'<row ht="1"/>'))] == [3]


def test_cells_of_some_columns_are_picked_by_their_letters():
    row = b'<c r="A1"/><c r="b1" s="2"><v>1</v></c><c t="s"/><c r="AB1"/>'
    assert list(sheetdata.cells_in(row, {b"B", b"AB"})) == [
        (b"B", Cell(2, b' r="b1" s="2"', b"<v>1</v>")),
        (b"AB", Cell(28, b' r="AB1"', b"")),
    ]


@pytest.mark.parametrize("content", ["<v>1</v>", "<is><t/></is>", "<f/>", "<v/>"])
def test_a_row_with_anything_in_a_cell_is_not_blank(content):
    (row,) = sheetdata.rows(f'<row r="1"><c r="A1">{content}</c></row>'.encode())
    assert not row.is_blank


def test_rows_come_from_the_end_too():
    rows = b'\n<row r="2"/>\n<row r="5"><c r="A5"/></row><row r="8"></row>'
    assert [row.number for row in sheetdata.rows_from_the_end(rows)] == [8, 5, 2]
    assert list(sheetdata.rows_from_the_end(b"")) == []


def test_the_place_of_a_row_is_found():
    rows = b'<row r="2"/><row r="5"><c r="A5"/></row>'
    assert sheetdata.begin_of(rows, 1) == 0
    assert sheetdata.begin_of(rows, 3) == rows.index(b'<row r="5"')
    assert sheetdata.begin_of(rows, 6) is None


def test_rows_after_a_number_are_left_out():
    rows = b'<row r="2"/><row r="5"><c r="A5"/></row>'
    assert sheetdata.up_to(rows, 5) == rows
    assert sheetdata.up_to(rows, 4) == b'<row r="2"/>'
    assert sheetdata.up_to(rows, 1) == b""
    assert sheetdata.up_to(b"", 4) == b""


def test_one_row_is_left_out_and_no_other():
    rows = b'<row r="2"/> <row r="5"><c r="A5"/></row><row r="51"/>'
    assert sheetdata.without(rows, 5) == b'<row r="2"/> <row r="51"/>'
    assert sheetdata.without(rows, 51) == rows[: rows.index(b'<row r="51"')]
    for number in (1, 3, 52):
        assert sheetdata.without(rows, number) == rows


def test_row_numbers_are_found_in_any_attribute_order():
    assert sheetdata.row_numbers(b'<row r="2"/><row r="5"/>') == [2, 5]
    assert sheetdata.row_numbers(b'<row r="2"/><row ht="1" r="5"/><row/>') == [2, 5]


def test_rows_out_of_order_are_refused():
    assert sheetdata.check_order([2, 5], 1, "It") == 5
    assert sheetdata.check_order([], 7, "It") == 7
    for numbers in ([5, 2], [5, 5], [1]):
        with pytest.raises(CannotRead, match="out of order"):
            sheetdata.check_order(numbers, 1, "It")


FORMULAS = (
    b'<row r="3"><c r="A3"><f>A1&amp;"x"</f><v>1</v></c><c r="B3"> <f t="shared" si="0"/></c>'
    b'<c r="C3"><v>7</v><f ca="1">1>0</f></c><c r="D3"><v/><f>D1</f></c><c r="E3"/></row>'
)


def test_formulas_are_found_with_where_they_stand():
    assert list(sheetdata.formulas(FORMULAS)) == [
        Formula(3, 1, {}, 'A1&"x"'),
        Formula(3, 2, {"t": "shared", "si": "0"}, ""),
        Formula(3, 3, {"ca": "1"}, "1>0"),
        Formula(3, 4, {}, "D1"),
    ]


def test_changed_formulas_are_written_and_others_keep_their_bytes():
    def change(formula):
        if formula.column == 2:
            return replace(formula, attributes={})
        if formula.column == 3:
            return replace(formula, text='"a\r\n"<A9', attributes={"ref": 'A"\n'})
        return formula

    changed = sheetdata.with_formulas(FORMULAS, change)
    assert changed == FORMULAS.replace(b'<f t="shared" si="0"/>', b"<f/>").replace(
        b'<f ca="1">1>0</f>', b'<f ref="A&quot;&#10;">"a&#13;\n"&lt;A9</f>'
    )
    parsed = etree.fromstring(changed)
    assert [f.text for f in parsed.iter("f")][2] == '"a\r\n"<A9'
    assert [f.get("ref") for f in parsed.iter("f")][2] == 'A"\n'
    assert sheetdata.with_formulas(b'<row r="1"/>', change) == b'<row r="1"/>'


def test_xml_without_any_ends_does_not_take_for_ever():
    cells = b'<c r="A1"><v>' * 40_000
    assert list(sheetdata.cells(cells)) == []
    assert list(sheetdata.rows(b'<row r="1">' * 40_000)) == []
    assert [row.cells for row in sheetdata.rows(b'<row r="1">%b</row>' % cells)] == [cells]


def test_one_row_is_emptied_and_keeps_its_look():
    rows = (
        b'<row r="2"><c r="A2"><v>1</v></c></row>'
        b'<row r="5" ht="9"><c r="A5" s="3" t="s"><v>1</v></c><c r="B5"><f>A2</f></c></row>'
    )
    assert sheetdata.emptied(rows, 5) == (
        b'<row r="2"><c r="A2"><v>1</v></c></row>'
        b'<row r="5" ht="9"><c r="A5" s="3"/><c r="B5"/></row>'
    )
    for number in (1, 3, 6):
        assert sheetdata.emptied(rows, number) == rows
    assert sheetdata.emptied(b'<row r="5"/>', 5) == b'<row r="5"/>'
