"""What cannot be done faithfully is refused with the reason, and nothing is written."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace

import pytest

from canceldesk.workbook.errors import CannotEdit, CannotRead
from canceldesk.workbook.ooxml import package
from canceldesk.workbook.storing import saving
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import HEADINGS, NEW, build, members, patch, rewrite

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "clients.xlsx"


def refused(path, why):
    before = path.read_bytes()
    with pytest.raises(CannotEdit, match=why) as refusal:
        WorkbookList(path).add(NEW)
    assert path.read_bytes() == before
    assert refusal.value.sentence.endswith(".")


def test_a_protected_tab(path):
    refused(
        build(path, more=lambda _workbook, sheet: sheet.protect()), "protected against new rows"
    )


def test_a_tab_protected_but_open_to_new_rows_is_added_to(path):
    def more(_workbook, sheet):
        sheet.protect("", {"insert_rows": True})

    assert WorkbookList(build(path, more=more)).add(NEW).row_number == 5


def test_merged_cells_across_the_new_row(path):
    def more(_workbook, sheet):
        sheet.merge_range("H5:H7", "beside")

    build(path, more=more)
    patch(path, "xl/worksheets/sheet1.xml", "H5:H7", "F4:F7")
    assert WorkbookList(path).read().heading_row == 7
    patch(path, "xl/worksheets/sheet1.xml", "F4:F7", "A7:B8")
    patch(
        path, "xl/worksheets/sheet1.xml", "</mergeCells>", '<mergeCell ref="C4:C7"/></mergeCells>'
    )
    refused(path, "A7:B8 are merged")


def test_another_table_across_the_new_row(path):
    refused(
        build(path, more=lambda _workbook, sheet: sheet.add_table("I2:J9", {"name": "Aside"})),
        "table “Aside” .* lies across",
    )


def test_a_table_fed_from_outside(path):
    build(
        path,
        more=lambda _workbook, sheet: sheet.add_table(
            "A4:F9", {"columns": [{"header": name} for name in HEADINGS]}
        ),
    )
    patch(path, "xl/tables/table1.xml", 'totalsRowShown="0"', 'tableType="queryTable"')
    refused(path, "filled from outside data")


def test_an_array_formula_across_the_new_row(path):
    def more(_workbook, sheet):
        sheet.write_array_formula("H2:H9", "{=D2:D9}")

    refused(build(path, more=more), "H2:H9 as a block")


def test_a_sheet_used_to_its_very_end(path):
    build(path)
    last = '<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>'
    patch(path, "xl/worksheets/sheet1.xml", "</sheetData>", last)
    refused(path, "very last row")


def test_a_blank_row_at_the_sheets_end_is_in_nobodys_way(path):
    build(path)
    last = '<row r="1048576" ht="12.8"><c r="A1048576" s="0"/></row></sheetData>'
    patch(path, "xl/worksheets/sheet1.xml", "</sheetData>", last)
    assert WorkbookList(path).add(NEW).row_number == 5
    assert "1048576" not in members(path)["xl/worksheets/sheet1.xml"].decode()


def test_a_signed_workbook(path):
    refused(rewrite(build(path), {"_xmlsignatures/origin.sigs": b""}), "digitally signed")


def test_a_workbook_that_asks_for_a_password_to_change_it(path):
    build(path)
    patch(
        path, "xl/workbook.xml", "<workbookPr", '<fileSharing reservationPassword="AB"/><workbookPr'
    )
    refused(path, "only with a password")


@pytest.mark.parametrize(
    ("kind", "why"), [("revisionHeaders", "old shared way"), ("volatileDependencies", "RTD")]
)
def test_parts_of_the_workbook_that_note_where_cells_are(path, kind, why):
    build(path)
    arrow = f'<Relationship Id="rId90" Type="{OFFICE}/{kind}" Target="x.xml"/></Relationships>'
    patch(path, "xl/_rels/workbook.xml.rels", "</Relationships>", arrow)
    refused(path, why)


def sheet_relationship(path, kind, target="x.xml", part=None):
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}/{kind}" Target="{target}"/></Relationships>'
    )
    parts = {"xl/worksheets/_rels/sheet1.xml.rels": rels.encode()}
    if part is not None:
        parts["xl/worksheets/" + target] = part
    return rewrite(path, parts)


def test_a_tab_filled_by_a_query(path):
    refused(sheet_relationship(build(path), "queryTable"), "next refresh")


@pytest.mark.parametrize(
    ("cells", "refusing"),
    [("cancellation!$A$4:$F$9", True), ("cancellation!$L$4:$M$20", True), ("Other!$A$1", False)],
)
def test_a_query_is_in_the_way_only_where_its_cells_are(path, cells, refusing):
    build(
        path, more=lambda workbook, _sheet: workbook.define_name("cancellation!Rates", f"={cells}")
    )
    sheet_relationship(path, "queryTable", part=b'<queryTable xmlns="urn:x" name="Rates"/>')
    if refusing:
        refused(path, "next refresh")
    else:
        assert WorkbookList(path).add(NEW).row_number == 5


def test_a_query_far_below_the_list_moves_with_its_name(path):
    def more(workbook, _sheet):
        workbook.define_name("cancellation!Rates", "=cancellation!$A$30:$B$40")

    build(path, more=more)
    sheet_relationship(path, "queryTable", part=b'<queryTable xmlns="urn:x" name="Rates"/>')
    WorkbookList(path).add(NEW)
    assert "cancellation!$A$31:$B$41" in members(path)["xl/workbook.xml"].decode()


def test_a_part_nobody_knows_that_names_cells_of_the_list(path):
    build(path)
    data = b"<note>total in cancellation!$D$9</note>"
    refused(rewrite(path, {"customXml/item1.xml": data}), "does not know .customXml/item1.xml")


@pytest.mark.parametrize(
    "data",
    [
        b"<note>cancellation!$D$2 and the cancellation of D9</note>",
        b"not XML: cancellation!$D$9",
        "<note>Kündigung!D9</note>".encode("utf-16"),
    ],
)
def test_a_part_nobody_knows_that_names_no_cell_that_moves(path, data):
    build(path)
    rewrite(path, {"customXml/item1.xml": data, "xl/media/image1.png": b"<cancellation!D9"})
    assert WorkbookList(path).add(NEW).row_number == 5


def test_a_feature_nobody_knows_that_points_at_no_cells(path):
    sheet_relationship(build(path), "hologram", part=b'<hologram xmlns="urn:x" colour="red"/>')
    assert WorkbookList(path).add(NEW).row_number == 5


def test_a_feature_nobody_knows_that_points_at_cells(path):
    sheet_relationship(build(path), "hologram", part=b'<hologram xmlns="urn:x" ref="A5"/>')
    refused(path, "does not know \\(hologram\\)")


def test_a_feature_nobody_knows(path):
    refused(sheet_relationship(build(path), "hologram"), "does not know \\(hologram\\)")


def test_a_pivot_table_across_the_new_row(path):
    pivot = b'<pivotTableDefinition xmlns="urn:x"><location ref="H2:J9"/></pivotTableDefinition>'
    refused(sheet_relationship(build(path), "pivotTable", part=pivot), "pivot table \\(H2:J9\\)")


def test_a_pivot_table_whose_filters_stand_above_the_new_row(path):
    pivot = (
        b'<pivotTableDefinition xmlns="urn:x"><location ref="H6:J9" rowPageCount="1"/>'
        b"</pivotTableDefinition>"
    )
    refused(sheet_relationship(build(path), "pivotTable", part=pivot), "pivot table \\(H6:J9\\)")


def test_a_pivot_table_below_moves(path):
    pivot = b'<pivotTableDefinition xmlns="urn:x"><location ref="H20:J29"/></pivotTableDefinition>'
    WorkbookList(sheet_relationship(build(path), "pivotTable", part=pivot)).add(NEW)
    assert b'ref="H21:J30"' in members(path)["xl/worksheets/x.xml"]


def test_single_cells_of_an_xml_map_move(path):
    cells = b'<singleXmlCells xmlns="urn:x"><singleXmlCell r="H6"/></singleXmlCells>'
    WorkbookList(sheet_relationship(build(path), "tableSingleCells", part=cells)).add(NEW)
    assert b'r="H7"' in members(path)["xl/worksheets/x.xml"]


def test_saved_views_of_the_sheet_move(path):
    views = b'<namedSheetViews xmlns="urn:x"><nsvFilter ref="A4:F9"/></namedSheetViews>'
    WorkbookList(sheet_relationship(build(path), "namedSheetView", part=views)).add(NEW)
    assert b'ref="A4:F10"' in members(path)["xl/worksheets/x.xml"]


@pytest.mark.parametrize(
    "content", ['<x:thing ref="A5:A9"/>', "<x:things><x:sqref>A5</x:sqref></x:things>"]
)
def test_an_extension_nobody_knows_that_points_at_cells(path, content):
    build(path)
    extension = f'<extLst><ext uri="{{1}}" xmlns:x="urn:x">{content}</ext></extLst></worksheet>'
    patch(path, "xl/worksheets/sheet1.xml", "</worksheet>", extension)
    refused(path, "does not know")


def test_an_extension_that_points_at_no_cells_is_left_alone(path):
    build(path)
    extension = '<extLst><ext uri="{1}" xmlns:x="urn:x"><x:thing a="1"/></ext></extLst></worksheet>'
    patch(path, "xl/worksheets/sheet1.xml", "</worksheet>", extension)
    WorkbookList(path).add(NEW)
    assert '<x:thing a="1"/>' in members(path)["xl/worksheets/sheet1.xml"].decode()


def unreadable(path, why):
    with pytest.raises(CannotRead, match=why) as refusal:
        WorkbookList(path).read()
    assert refusal.value.sentence.endswith(".")
    with pytest.raises(CannotRead, match=why):
        WorkbookList(path).add(NEW)


def test_a_missing_file(path):
    unreadable(path, "There is no workbook at")


def test_a_folder(tmp_path):
    unreadable(tmp_path, "is a folder")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not an Excel workbook"),
        (b"Name,Phone\n", "not an Excel workbook"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, "old Excel format"),
        (
            bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"),
            "encrypted with a password",
        ),
        (b"PK\x03\x04 and then nothing", "not an Excel workbook"),
    ],
)
def test_files_of_other_kinds(path, data, why):
    path.write_bytes(data)
    unreadable(path, why)


def test_a_zip_of_something_else(path):
    with zipfile.ZipFile(path, "w") as other:
        other.writestr("hello.txt", "hello")
    unreadable(path, "not an Excel workbook")


def test_a_word_document(path):
    build(path)
    patch(
        path, r"[Content_Types].xml", "spreadsheetml.sheet.main", "wordprocessingml.document.main"
    )
    unreadable(path, "another kind of document")


def test_a_missing_part(path):
    build(path)
    rewrite(path, {}, drop=["xl/worksheets/sheet1.xml"])
    unreadable(path, "part “xl/worksheets/sheet1.xml” is missing")


def test_a_part_that_cannot_be_unpacked(path):
    build(path)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as zipped:
        info = zipped.getinfo("xl/worksheets/sheet1.xml")
    for offset in range(60, 90):
        data[info.header_offset + offset] ^= 0xFF
    path.write_bytes(bytes(data))
    unreadable(path, "cannot be unpacked")


def test_xml_that_is_cut_off(path):
    build(path)
    whole = members(path)
    rewrite(path, {"xl/workbook.xml": whole["xl/workbook.xml"][:-20]})
    unreadable(path, "not well-formed")


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"]
)
def test_xml_entities(path, part):
    build(path)
    before = members(path)[part].decode()
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    after = re.sub(r"(<\?xml[^>]*\?>)", lambda match: match[1] + bomb, before, count=1)
    rewrite(path, {part: after.encode()})
    unreadable(path, "entities")


def test_a_zip_bomb(path, monkeypatch):
    monkeypatch.setattr(package, "LARGEST_CONTENT", 1000)
    unreadable(build(path), "more than the desk will open")


def test_a_file_too_large(path, monkeypatch):
    monkeypatch.setattr(saving, "LARGEST_FILE", 1000)
    unreadable(build(path), "larger than the desk will open")


def test_a_zip_with_a_password(path):
    build(path)
    data = bytearray(path.read_bytes())
    begin = data.find(b"PK\x01\x02")
    data[begin + 8] |= 1
    path.write_bytes(bytes(data))
    unreadable(path, "encrypted with a password")


def test_two_parts_of_the_same_name(path):
    build(path)
    with zipfile.ZipFile(path, "a") as zipped:
        zipped.writestr("XL/WORKBOOK.XML", b"<x/>")
    unreadable(path, "two parts of the same name")


def test_a_row_without_name_and_phone(path):
    build(path)
    with pytest.raises(CannotEdit, match="needs the client's name"):
        WorkbookList(path).add(replace(NEW, name=" ", phone=""))
