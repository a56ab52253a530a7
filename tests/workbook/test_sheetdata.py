"""Worksheets as text: cut, read, moved; unusual XML brought into ordinary form."""

from __future__ import annotations

import pytest

from canceldesk.workbook import sheetdata
from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.sheetdata import Worksheet

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def worksheet(rows: str, head: str = "", root: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{MAIN}"{root}>{head}'
        f'<sheetData>{rows}</sheetData><pageMargins left="1"/></worksheet>'
    ).encode()


def cut(data: bytes) -> Worksheet:
    return Worksheet.of(data, "The tab")


def places(rows: bytes) -> list[tuple[int, list[int]]]:
    return [
        (row.number, [cell.column for cell in sheetdata.cells(row.cells)])
        for row in sheetdata.rows(rows)
    ]


def test_an_ordinary_worksheet_is_cut_and_joined_without_a_change():
    data = worksheet('<row r="2"><c r="A2"><v>1</v></c></row>')
    assert cut(data).joined() == data


def test_a_worksheet_without_rows_can_be_given_some():
    data = worksheet("").replace(b"<sheetData></sheetData>", b"<sheetData/>")
    assert cut(data).rows == b""
    assert b"<sheetData></sheetData>" in cut(data).joined()


@pytest.mark.parametrize(
    "rows",
    [
        "<row><c><v>1</v></c><c><v>2</v></c></row><row><c/></row>",
        '<!-- note --><row r="1"><c r="A1"/><c r="B1"/></row><row r="2"><c r="A2"/></row>',
        "<row r='1'><c r='A1'/><c r='B1'/></row><row r='2'><c r='A2'/></row>",
        '<row r="1"><c r="A1" t="str"><v><![CDATA[<c>]]></v></c><c/></row><row><c/></row>',
        '<row r="1"><?note x?><c r="A1"/><c r="B1"/></row><row r="2"><c r="A2"/></row>',
    ],
)
def test_unusual_but_valid_rows_are_brought_into_ordinary_form(rows):
    assert places(cut(worksheet(rows)).rows) == [(1, [1, 2]), (2, [1])]


def test_a_prefixed_worksheet_is_read():
    data = (
        f'<x:worksheet xmlns:x="{MAIN}" xmlns:r="urn:r" r:note="1"><x:sheetData>'
        '<x:row r="3"><x:c r="B3"><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    ).encode()
    sheet = cut(data)
    assert places(sheet.rows) == [(3, [2])]
    assert b'xmlns:r="urn:r"' in sheet.frame


def test_a_worksheet_in_another_encoding_is_read():
    text = worksheet('<row r="1"><c r="A1" t="str"><v>é</v></c></row>').decode()
    data = text.replace("UTF-8", "UTF-16").encode("utf-16")
    assert "é".encode() in cut(data).rows


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<worksheet><sheetData>", "not well-formed"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet><sheetData/></worksheet>', "entities"),
        (b"<worksheet/>", "no rows part"),
        (b"<!-- --><worksheet><sheetData></worksheet>", "not well-formed"),
        ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"), "entities"),
    ],
)
def test_what_is_no_sound_worksheet_is_refused_in_words(data, why):
    with pytest.raises(CannotRead, match=why):
        cut(data)


def test_rows_move_down_with_their_cells_and_their_words_stay():
    rows = (
        b'<row r="9" ht="20"><c r="A9" t="inlineStr"><is><t>see r="A9" &lt;c r="A9"></t></is></c>'
        b'<c s="4" r="XFD9"/></row><row spans="1:2" r="10"/>'
    )
    assert sheetdata.shifted(rows) == rows.replace(b'r="9"', b'r="10"', 1).replace(
        b'<c r="A9"', b'<c r="A10"'
    ).replace(b'r="XFD9"', b'r="XFD10"').replace(b'spans="1:2" r="10"', b'spans="1:2" r="11"')


def test_the_place_of_a_row_is_found():
    rows = b'<row r="2"/><row r="5"><c r="A5"/></row>'
    assert sheetdata.begin_of(rows, 1) == 0
    assert sheetdata.begin_of(rows, 3) == rows.index(b'<row r="5"')
    assert sheetdata.begin_of(rows, 6) == len(rows)
    assert sheetdata.last_number(rows) == 5
    assert sheetdata.last_number(b"") == 0


def test_rows_out_of_order_are_refused():
    sheetdata.check_order(b'<row r="2"/><row r="5"/>', "It")
    with pytest.raises(CannotRead, match="out of order"):
        sheetdata.check_order(b'<row r="5"/><row r="2"/>', "It")


def test_a_sheet_without_rows_is_told_apart():
    assert sheetdata.holds_rows(worksheet(""))
    assert not sheetdata.holds_rows(b"<dialogsheet/>")
