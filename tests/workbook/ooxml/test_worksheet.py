"""A worksheet of any spelling is cut into frame and rows that mean what its XML means."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.ooxml import markup, package, sheetdata, worksheet
from canceldesk.workbook.ooxml.references import column_letters, column_number
from canceldesk.workbook.ooxml.worksheet import Worksheet, holds_rows
from tests.workbook.spelling import MAIN, packed, tree, words_of, worksheets

PART = "xl/worksheets/sheet1.xml"
PIECES = (1, 2, 3, 7, 64, 256 * 1024)


def sheet(rows="", head="", root="", data=None):
    xml = f"<sheetData>{rows}</sheetData>" if data is None else data
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{MAIN}"{root}>{head}'
        f'{xml}<pageMargins left="1"/></worksheet>'
    ).encode()


def cut(data):
    return Worksheet.of(packed({PART: data}), PART, "The tab")


def joined(found):
    return b"".join(found.pieces(found.frame, found.chunks()))


def places(found):
    return [
        (row.number, [cell.column for cell in sheetdata.cells(row.cells)]) for row in found.rows()
    ]


def numbered(root):
    """The tree with every row and cell numbered, by lxml."""
    last = 0
    for row in root.find("{*}sheetData").iter(f"{{{MAIN}}}row"):
        last = int(row.get("r", last + 1))
        row.set("r", str(last))
        column = 0
        for cell in row.iter(f"{{{MAIN}}}c"):
            letters = cell.get("r", "").rstrip("0123456789")
            column = column_number(letters) if letters else column + 1
            cell.set("r", f"{column_letters(column)}{last}")
    return root


def meaning(element):
    """What an element says, whatever its spelling; white space between elements says nothing."""
    children = [meaning(child) for child in element if isinstance(child.tag, str)]
    text = words_of(element) if markup.local(element) in ("v", "f", "t") else ""
    return (element.tag, sorted(element.attrib.items()), children, text)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(worksheets(), st.sampled_from(PIECES))
def test_any_spelling_cut_at_any_place_means_the_same(data, piece):
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(package, "_PIECE", piece)
        found = cut(data)
        again = joined(found)
    root = numbered(tree(data))
    assert meaning(tree(again)) == meaning(root)
    rows = list(root.iter("{*}row"))
    assert [row.number for row in found.rows()] == [int(row.get("r")) for row in rows]
    assert found.last_row == (int(rows[-1].get("r")) if rows else 0)
    for read, row in zip(found.rows(), rows, strict=True):
        cells = list(row.iter("{*}c"))
        own = list(sheetdata.cells(read.cells))
        assert read.attributes == dict(row.attrib)
        assert [f"{column_letters(c.column)}{read.number}" for c in own] == [
            cell.get("r") for cell in cells
        ]
        assert [cell.style for cell in own] == [int(cell.get("s", 0)) for cell in cells]
        assert read.is_blank == (not any(len(cell) for cell in cells))
    texts = [formula.text for formula in sheetdata.formulas(b"".join(found.chunks()))]
    assert texts == [words_of(f) for f in markup.named(root, "f")]


def test_an_ordinary_worksheet_is_cut_and_joined_without_a_change():
    data = sheet('\n<row r="2"><c r="A2"><v>1</v></c></row>\n<row r="7"/>\n')
    assert joined(cut(data)) == data


def test_a_worksheet_without_rows_can_be_given_some():
    for empty in (
        "<sheetData/>",
        "<sheetData />",
        "<sheetData></sheetData>",
        "<sheetData>\n</sheetData >",
    ):
        found = cut(sheet(data=empty))
        assert (list(found.chunks()), found.last_row) == ([], 0)
        again = b"".join(found.pieces(found.frame, [b'<row r="1"/>']))
        assert b'<sheetData><row r="1"/></sheetData>' in again.replace(
            b"<sheetData >", b"<sheetData>"
        )


def test_a_frame_that_lost_its_place_for_rows_is_noticed():
    found = cut(sheet())
    with pytest.raises(ValueError, match="no place for rows"):
        list(found.pieces(b"<worksheet/>", []))


@pytest.mark.parametrize(
    "rows",
    [
        "<row><c><v>1</v></c><c><v>2</v></c></row><row><c/></row>",
        '<row r="1"><c\nt="str"/><c r="B1"/></row><row r="2"><c r="A2"/></row>',
        '<row r="1"><c s="1"/><c r="B1"/></row><row\tr="2"><c r="A2"/></row>',
        "<row r='1'><c r='A1'/><c r='B1'/></row><row r='2'><c r='A2'/></row>",
        '<row r="1"><c r="A1" s ="1"/><c s= "1" r="B1"/></row><row r="2"><c r="A2"/></row>',
        '<row r="1"><c r="A1" note="x>" s="1"/><c r="B1"/></row><row r="2"><c r="A2"/></row>',
        '<row r=" 1"><c r=" A1"/><c r="B1"/></row><row r="2"><c r="A2 "/></row>',
        '<row r="1"><c r="A1"/><c r="B1"/></row><row r="2" xmlns:q="q"><c r="A2"/></row>',
        '<row r="1"><?note x?><c r="A1"/><c r="B1"/></row><row r="2"><c r="A2"/></row>',
    ],
)
def test_unusual_but_valid_rows_are_brought_into_ordinary_form(rows):
    assert places(cut(sheet(rows))) == [(1, [1, 2]), (2, [1])]


@pytest.mark.parametrize(
    "rows",
    [
        '<row ht="15" r="1"><c s="4" r="A1"/><c  r="B1"/></row><row r="2"><c r="A2"/></row>',
        '<row r="1"><c r="A1"><v>a>b = \'c\'</v></c><c r="B1"/></row><row r="2"><c r="a2"/></row>',
    ],
)
def test_rows_that_only_look_unusual_keep_their_bytes(rows):
    found = cut(sheet(rows))
    assert b"".join(found.chunks()) == rows.encode()
    assert places(found) == [(1, [1, 2]), (2, [1])]


def test_a_main_namespace_under_two_names_is_read():
    found = cut(sheet('<x:row r="3"><c r="B3"/><x:c r="C3"/></x:row>', root=f' xmlns:x="{MAIN}"'))
    assert places(found) == [(3, [2, 3])]


def test_what_the_rows_part_declares_for_its_rows_stays_declared():
    data = '<sheetData xmlns:q="urn:q"><row r="1" q:note="a"/></sheetData>'
    again = joined(cut(sheet(data=data)))
    assert tree(again).find(".//{*}row").get("{urn:q}note") == "a"
    spelled = cut(sheet(data=data.replace('r="1"', "r='1'")))
    assert tree(joined(spelled)).find(".//{*}row").get("{urn:q}note") == "a"


def test_elements_of_other_namespaces_stay_what_they_are():
    root = f' xmlns:x="{MAIN}" x:odd="1" xmlns:mc="urn:mc" mc:Ignorable="q"'
    row = '<row r="1"><c r="A1"/><ext xmlns="urn:e"><x:v/><c/><d xmlns=""/></ext></row>'
    data = sheet(row, root=root)
    again = joined(cut(data))
    assert meaning(tree(again)) == meaning(tree(data))
    assert tree(again).nsmap["mc"] == "urn:mc"


@pytest.mark.parametrize(
    "declaration", ['encoding = "iso-8859-1"', "encoding='ISO-8859-1' standalone='yes'"]
)
def test_a_worksheet_in_another_encoding_is_read(declaration):
    row = '<row r="1"><c r="A1" t="str"><v>é</v></c></row>'
    text = sheet(row).decode().replace('encoding="UTF-8"', declaration)
    assert "é".encode() in joined(cut(text.encode("latin-1")))


def test_a_worksheet_in_utf_16_is_told_by_its_first_bytes():
    text = sheet('<row r="1"/>').decode().replace("UTF-8", "UTF-16")
    for data in (text.encode("utf-16"), b"\xfe\xff" + text.encode("utf-16-be")):
        assert places(cut(data)) == [(1, [])]
        assert holds_rows([data[:1], data[1:]])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no rows part"),
        (b"<worksheet/>", "no rows part"),
        (b"<dialogsheet>sheetData</dialogsheet>", "no rows part"),
        (b'<worksheet xmlns="urn:w"><x:sheetData xmlns:x="urn:x"/></worksheet>', "no rows part"),
        (b"<worksheet><sheetData>", "not well-formed"),
        (b"<worksheet><sheetData", "not well-formed"),
        (b"<!-- --><worksheet><sheetData></worksheet>", "not well-formed"),
        (b'<?xml version="1.0" encoding="nonsense"?><a><sheetData/></a>', "not well-formed"),
        (b'<?xml version="1.0" encoding="shift_jis"?><a><sheetData/></a>', "not well-formed"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet><sheetData/></worksheet>', "entities"),
        ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"), "entities"),
        (sheet('<row r="5"/><row r="2"/>'), "out of order"),
        (sheet('<row r="5"/><row/><row r="6"/>'), "out of order"),
        (sheet('<row r="x"/>'), "not well-formed"),
        (sheet('<row r="1"><c r="A$1"/></row>'), "not well-formed"),
        (sheet('<row r="1"><c r="XFE1"/></row><row/>'), "not well-formed"),
    ],
)
def test_what_is_no_sound_worksheet_is_refused_in_words(data, why):
    with pytest.raises(CannotRead, match=why) as refusal:
        cut(data)
    assert refusal.value.sentence.endswith(".")


@pytest.mark.parametrize(
    "data",
    [
        b" " * 5000 + sheet(),
        sheet('<row r="1">' + "<c/>" * 1000),
        sheet(data="<sheetData/>" + " " * 5000),
        b"<a>" * 2000,
    ],
)
def test_a_stretch_of_absurd_size_is_refused(monkeypatch, data):
    monkeypatch.setattr(worksheet, "LARGEST_STRETCH", 4000)
    monkeypatch.setattr(package, "_PIECE", 64)
    with pytest.raises(CannotRead, match="more than the desk will open"):
        cut(data)


def test_many_rows_of_little_size_are_no_absurd_stretch(monkeypatch):
    monkeypatch.setattr(worksheet, "LARGEST_STRETCH", 4000)
    monkeypatch.setattr(worksheet, "_IN_MEMORY", 0)
    monkeypatch.setattr(package, "_PIECE", 64)
    rows = "".join(f'<row r="{number}"><c r="A{number}"/></row>' for number in range(1, 501))
    found = cut(sheet(rows))
    assert "".join(chunk.decode() for chunk in found.chunks()) == rows
    assert [row.number for row in found.rows()] == list(range(1, 501))


def test_shared_formulas_are_told_of():
    assert cut(sheet('<row r="1"><c r="A1"><f t="shared" si="0"/></c></row>')).shares_formulas
    assert not cut(sheet('<row r="1"><c r="A1"><f>shared</f></c></row>')).shares_formulas


def test_rows_fit_while_only_blank_ones_fall_off_the_end():
    blank = cut(sheet('<row r="7"><c r="A7"><v>1</v></c></row><row r="1048576" ht="9"/>'))
    assert blank.fits(1)
    assert blank.last_row_up_to(1048576) == 1048576
    assert blank.last_row_up_to(1048575) == 7
    assert blank.last_row_up_to(3) == 0
    full = cut(sheet('<row r="1048576"><c r="A1048576"><v>1</v></c></row>'))
    assert not full.fits(1)
    assert cut(sheet('<row r="1048575"><c r="A1048575"><v>1</v></c></row>')).fits(1)


def test_a_sheet_without_rows_is_told_apart_wherever_its_pieces_end():
    data = sheet()
    for place in range(len(data)):
        assert holds_rows([data[:place], data[place:]])
    assert not holds_rows([b"<dialogsheet/>", b"<sheet", b"Dat/>"])
