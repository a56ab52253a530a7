"""Everything a company's workbook can hold around its list follows the new row."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib

import openpyxl
import pytest

from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import (
    NEW,
    build,
    members,
    patch,
    rewrite,
    row_xml,
    sheet_xml,
)

RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def picture() -> bytes:
    """A one-pixel PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
        + chunk(b"IEND", b"")
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "clients.xlsx"


def add(path, more, **kwargs):
    WorkbookList(build(path, more=more, **kwargs)).add(NEW)
    return sheet_xml(path)


def test_merged_cells(path):
    def more(_workbook, sheet):
        sheet.merge_range("A1:F1", "Cancelled clients")
        sheet.merge_range("H4:H7", "across the new row, beside the list")
        sheet.merge_range("A20:B21", "below")

    xml = add(path, more)
    assert re.findall('mergeCell ref="([^"]*)"', xml) == ["A1:F1", "H4:H8", "A21:B22"]


def test_merged_cells_of_the_first_row_are_given_to_the_new_one(path):
    xml = add(path, lambda _workbook, sheet: sheet.merge_range("F5:H5", "wide"))
    assert re.findall('mergeCell ref="([^"]*)"', xml) == ["F6:H6", "F5:H5"]
    assert 'mergeCells count="2"' in xml


def test_headings_merged_downwards(path):
    def more(_workbook, sheet):
        sheet.merge_range("A3:A4", "Name")

    def headless(_workbook, sheet):
        for column, heading in enumerate(
            ("Name", "Phone", "Cancel date", "Total collected", "Tenure", "Reason")
        ):
            sheet.merge_range(2, column, 3, column, heading)

    build(path, more=headless, headings=())
    assert WorkbookList(path).read().heading_row == 4
    assert WorkbookList(path).add(NEW).row_number == 5


def test_conditional_formats_cover_the_new_row_and_follow(path):
    def more(workbook, sheet):
        red = workbook.add_format({"bg_color": "red"})
        sheet.conditional_format(
            "D5:D9", {"type": "cell", "criteria": ">", "value": 5, "format": red}
        )
        sheet.conditional_format(
            "A5:F9", {"type": "formula", "criteria": "=$D5>$D$9", "format": red}
        )
        sheet.conditional_format(
            "A30:F31", {"type": "formula", "criteria": "=A30=$A$9", "format": red}
        )
        sheet.conditional_format("E5:E9", {"type": "data_bar", "data_bar_2010": True})
        workbook.get_worksheet_by_name("Other").conditional_format(
            "A1:A9", {"type": "formula", "criteria": "=A1=cancellation!$A$5", "format": red}
        )

    xml = add(path, more)
    assert re.findall('conditionalFormatting sqref="([^"]*)"', xml) == [
        "D5:D10",
        "A5:F10",
        "A31:F32",
        "E5:E10",
    ]
    assert "<formula>$D5&gt;$D$10</formula>" in xml
    assert "<formula>A31=$A$10</formula>" in xml
    assert "<xm:sqref>E5:E10</xm:sqref>" in xml
    assert "<formula>A1=cancellation!$A$6</formula>" in sheet_xml(path, 2)


def test_data_validation_covers_the_new_row_and_follows(path):
    def more(workbook, sheet):
        sheet.data_validation("F5:F9", {"validate": "list", "source": "=$J$5:$J$9"})
        sheet.data_validation("E5", {"validate": "custom", "value": "=E5>0"})
        workbook.get_worksheet_by_name("Other").data_validation(
            "B1", {"validate": "list", "source": "=cancellation!$A$5:$A$9"}
        )

    xml = add(path, more)
    assert 'sqref="F5:F10"' in xml
    assert "<formula1>$J$6:$J$10</formula1>" in xml
    assert 'sqref="E5:E6"' in xml
    assert "<formula1>E5&gt;0</formula1>" in xml
    assert "<formula1>cancellation!$A$5:$A$10</formula1>" in sheet_xml(path, 2)


def test_the_autofilter_and_its_hidden_name(path):
    xml = add(path, lambda _workbook, sheet: sheet.autofilter("A4:F9"))
    assert '<autoFilter ref="A4:F10"/>' in xml
    assert "cancellation!$A$4:$F$10" in members(path)["xl/workbook.xml"].decode()


def test_names_print_area_and_titles(path):
    def more(workbook, sheet):
        workbook.define_name("AllNames", "=cancellation!$A$5:$A$9")
        workbook.define_name("Newest", "=cancellation!$A$5")
        workbook.define_name(
            "Dynamic", "=OFFSET(cancellation!$A$5,0,0,COUNTA(cancellation!$A:$A),1)"
        )
        workbook.define_name("Rate", "=0.19")
        sheet.print_area("A1:F9")
        sheet.repeat_rows(0, 3)

    add(path, more)
    names = dict(
        re.findall(
            r'<definedName name="([^"]*)"[^>]*>([^<]*)<',
            members(path)["xl/workbook.xml"].decode(),
        )
    )
    assert names == {
        "AllNames": "cancellation!$A$5:$A$10",
        "Newest": "cancellation!$A$6",
        "Dynamic": "OFFSET(cancellation!$A$5,0,0,COUNTA(cancellation!$A:$A),1)",
        "Rate": "0.19",
        "_xlnm.Print_Area": "cancellation!$A$1:$F$10",
        "_xlnm.Print_Titles": "cancellation!$1:$4",
    }


TABLE = {
    "name": "Cancelled",
    "columns": [
        {"header": name}
        for name in (
            "Name",
            "Phone",
            "Date of Cancellation",
            "Total Amount Collected",
            "Months in the Program",
            "Reason",
        )
    ]
    + [{"header": "Per month", "formula": "=Cancelled[@[Total Amount Collected]]*2"}],
}


def test_a_table_grows_and_gives_the_new_row_its_formulas(path):
    def more(workbook, sheet):
        sheet.add_table("A4:G9", TABLE)
        sheet.add_table("A20:B22", {"name": "Below"})

    xml = add(path, more)
    table = members(path)["xl/tables/table1.xml"].decode()
    assert re.findall(' ref="([^"]*)"', table) == ["A4:G10", "A4:G10"]
    below = members(path)["xl/tables/table2.xml"].decode()
    assert re.findall(' ref="([^"]*)"', below) == ["A21:B23", "A21:B23"]
    formulas = re.findall(r'<c r="G(\d+)"[^>]*><f>([^<]*)</f>', xml)
    assert formulas[0] == ("5", "Cancelled[[#This Row],[Total Amount Collected]]*2")
    assert len({formula for _, formula in formulas}) == 1
    assert len(formulas) == 6


def test_a_table_of_one_empty_row_is_an_empty_list(path):
    def more(_workbook, sheet):
        sheet.add_table("A4:G5", TABLE)

    build(path, count=0, more=more)
    patch(path, "xl/worksheets/sheet1.xml", r'<c r="G5".*?</c>', "")
    book = WorkbookList(path)
    book.add(NEW)
    assert [row.name for row in book.read().rows] == ["Nora New"]
    assert '<c r="G5"><f>Cancelled[[#This Row],[Total Amount Collected]]*2</f></c>' in sheet_xml(
        path
    )
    assert ' ref="A4:G6"' in members(path)["xl/tables/table1.xml"].decode()


def test_a_tables_formulas_that_refer_to_cells_follow(path):
    columns = [*TABLE["columns"][:6], {"header": "Share", "formula": "=D5/SUM($D$5:$D$9)"}]

    def more(_workbook, sheet):
        sheet.add_table("A4:G9", {**TABLE, "columns": columns, "total_row": False})

    xml = add(path, more)
    assert '<c r="G5"><f>D5/SUM($D$5:$D$10)</f></c>' in xml
    assert "<calculatedColumnFormula>D5/SUM($D$5:$D$10)<" in (
        members(path)["xl/tables/table1.xml"].decode()
    )


def test_totals_below_and_above_the_list_include_the_new_row(path):
    def more(_workbook, sheet):
        sheet.write_formula("D2", "=SUM(D5:D9)")
        sheet.write_string("A11", "Total")
        sheet.write_formula("D11", "=SUM(D5:D10)")
        sheet.write_formula("H5", "=D5*2")

    xml = add(path, more)
    assert '<c r="D2"><f>SUM(D5:D10)</f>' in xml
    assert '<c r="D12"><f>SUM(D5:D11)</f>' in xml
    assert '<c r="H6"><f>D6*2</f>' in xml
    assert [row.name for row in WorkbookList(path).read().rows][-1] == "Client 5"


def test_charts_include_the_new_row(path):
    def more(workbook, sheet):
        for target in (sheet, workbook.get_worksheet_by_name("Other")):
            chart = workbook.add_chart({"type": "line"})
            chart.add_series({"name": "=cancellation!$D$4", "values": "=cancellation!$D$5:$D$9"})
            target.insert_chart("I8", chart)

    add(path, more)
    for number in (1, 2):
        chart = members(path)[f"xl/charts/chart{number}.xml"].decode()
        assert re.findall("<c:f>([^<]*)</c:f>", chart) == [
            "cancellation!$D$4",
            "cancellation!$D$5:$D$10",
        ]


def rows_of(drawing: str) -> list[int]:
    return [int(row) for row in re.findall("<xdr:row>([0-9]+)</xdr:row>", drawing)]


@pytest.mark.parametrize(
    ("held", "moves"), [(1, True), (2, True), (3, False)], ids=["both", "moves", "stays"]
)
def test_pictures_and_charts_move_as_they_are_set_to(path, tmp_path, held, moves):
    image = tmp_path / "logo.png"
    image.write_bytes(picture())

    def more(_workbook, sheet):
        sheet.insert_image("H8", str(image), {"object_position": held, "y_scale": 60})
        sheet.insert_image("H1", str(image), {"object_position": held})

    before = rows_of(members(build(path, more=more))["xl/drawings/drawing1.xml"].decode())
    WorkbookList(path).add(NEW)
    after = rows_of(members(path)["xl/drawings/drawing1.xml"].decode())
    assert [new - old for new, old in zip(after, before, strict=True)] == (
        [1, 1, 0, 0] if moves else [0, 0, 0, 0]
    )
    assert members(path)["xl/media/image1.png"] == picture()


def test_a_picture_across_the_new_row_stretches_or_keeps_its_size(path, tmp_path):
    image = tmp_path / "logo.png"
    image.write_bytes(picture())

    def more(_workbook, sheet):
        sheet.insert_image("H2", str(image), {"object_position": 1, "y_scale": 180})
        sheet.insert_image("I2", str(image), {"object_position": 2, "y_scale": 180})

    before = rows_of(members(build(path, more=more))["xl/drawings/drawing1.xml"].decode())
    WorkbookList(path).add(NEW)
    after = rows_of(members(path)["xl/drawings/drawing1.xml"].decode())
    assert [new - old for new, old in zip(after, before, strict=True)] == [0, 1, 0, 0]


def test_a_drawing_on_another_tab_stays(path, tmp_path):
    image = tmp_path / "logo.png"
    image.write_bytes(picture())

    def more(workbook, _sheet):
        workbook.get_worksheet_by_name("Other").insert_image("H8", str(image))

    before = members(build(path, more=more))
    WorkbookList(path).add(NEW)
    assert members(path)["xl/drawings/drawing1.xml"] == before["xl/drawings/drawing1.xml"]


def test_comments_and_their_boxes(path):
    def more(_workbook, sheet):
        sheet.write_comment("A4", "stays")
        sheet.write_comment("B6", "moves")

    before = members(build(path, more=more))["xl/drawings/vmlDrawing1.vml"].decode()
    WorkbookList(path).add(NEW)
    after = members(path)
    assert re.findall('comment ref="([^"]*)"', after["xl/comments1.xml"].decode()) == ["A4", "B7"]
    vml = after["xl/drawings/vmlDrawing1.vml"].decode()
    assert re.findall(r"<x:Row>(\d+)<", before) == ["3", "5"]
    assert re.findall(r"<x:Row>(\d+)<", vml) == ["3", "6"]

    def anchors(text):
        return [[int(n) for n in a.split(",")] for a in re.findall("<x:Anchor>([^<]*)<", text)]

    (stays_before, moves_before), (stays, moves) = anchors(before), anchors(vml)
    assert stays == stays_before
    assert [new - old for new, old in zip(moves, moves_before, strict=True)] == [
        0, 0, 1, 0, 0, 0, 1, 0,
    ]  # fmt: skip


def test_threaded_comments(path):
    build(path)
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="http://schemas.microsoft.com/office/2017/10/relationships/'
        'threadedComment" Target="../threadedComments/threadedComment1.xml"/></Relationships>'
    )
    comments = (
        '<ThreadedComments xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/'
        'threadedcomments"><threadedComment ref="A6" id="{1}"><text>A6?</text></threadedComment>'
        "</ThreadedComments>"
    )
    rewrite(
        path,
        {
            "xl/worksheets/_rels/sheet1.xml.rels": rels.encode(),
            "xl/threadedComments/threadedComment1.xml": comments.encode(),
        },
    )
    WorkbookList(path).add(NEW)
    after = members(path)["xl/threadedComments/threadedComment1.xml"].decode()
    assert 'ref="A7"' in after
    assert "<text>A6?</text>" in after


def test_sparklines(path):
    def more(workbook, sheet):
        sheet.add_sparkline("H6", {"range": "cancellation!D6:E6"})
        workbook.get_worksheet_by_name("Other").add_sparkline("A1", {"range": "cancellation!D5:D9"})

    xml = add(path, more)
    assert "<xm:f>cancellation!D7:E7</xm:f><xm:sqref>H7</xm:sqref>" in xml
    assert "<xm:f>cancellation!D5:D10</xm:f><xm:sqref>A1</xm:sqref>" in sheet_xml(path, 2)


def test_links(path):
    def more(workbook, sheet):
        sheet.write_url("H6", "https://example.com/")
        sheet.write_url("H2", "internal:cancellation!A9")
        workbook.get_worksheet_by_name("Other").write_url("A5", "internal:'cancellation'!A6")

    xml = add(path, more)
    assert re.findall('hyperlink ref="([^"]*)"', xml) == ["H2", "H7"]
    assert 'location="cancellation!A10"' in xml
    assert "location=\"'cancellation'!A7\"" in sheet_xml(path, 2)


def test_page_breaks_outline_and_heights_follow_their_rows(path):
    def more(_workbook, sheet):
        sheet.set_h_pagebreaks([2, 7])
        sheet.set_row(6, 45, None, {"level": 1, "hidden": True})

    xml = add(path, more)
    assert re.findall(r'<brk id="(\d+)"', xml) == ["2", "8"]
    sheet = openpyxl.load_workbook(path)["cancellation"]
    assert sheet.row_dimensions[8].height == 45
    assert sheet.row_dimensions[8].hidden
    assert sheet.row_dimensions[8].outlineLevel == 1
    assert not sheet.row_dimensions[7].hidden


def test_panes_widths_and_page_setup_stay(path):
    def more(_workbook, sheet):
        sheet.freeze_panes(4, 1)
        sheet.set_column("A:A", 33)
        sheet.set_header("&LCancelled")

    xml = add(path, more)
    assert 'ySplit="4"' in xml
    assert "&amp;LCancelled" in xml
    assert openpyxl.load_workbook(path)["cancellation"].column_dimensions["A"].width > 33


def test_ignored_errors_and_the_used_range(path):
    xml = add(
        path, lambda _workbook, sheet: sheet.ignore_errors({"number_stored_as_text": "B5:B9"})
    )
    assert 'ignoredError sqref="B5:B10"' in xml
    assert '<dimension ref="A4:F10"/>' in xml


def test_protected_and_scenario_ranges(path):
    build(path)
    extra = (
        '<protectedRanges><protectedRange sqref="A5:F9" name="staff"/></protectedRanges>'
        '<scenarios><scenario name="s" count="1"><inputCells r="D7" val="1"/></scenario>'
        "</scenarios>"
        '<dataConsolidate><dataRefs count="1"><dataRef ref="A5:F9" sheet="cancellation"/>'
        "</dataRefs></dataConsolidate>"
    )
    patch(path, "xl/worksheets/sheet1.xml", "</sheetData>", "</sheetData>" + extra)
    WorkbookList(path).add(NEW)
    xml = sheet_xml(path)
    assert 'protectedRange sqref="A5:F10"' in xml
    assert 'inputCells r="D8"' in xml
    assert 'dataRef ref="A5:F10"' in xml


def test_a_pivot_source_includes_the_new_row(path):
    build(path)
    cache = (
        '<pivotCacheDefinition xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<cacheSource type="worksheet"><worksheetSource ref="{}" sheet="{}"/></cacheSource>'
        "</pivotCacheDefinition>"
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.pivotCacheDefinition+xml"
    parts = {
        f"xl/pivotCache/pivotCacheDefinition{number}.xml": cache.format(*source).encode()
        for number, source in enumerate([("A4:F9", "cancellation"), ("A5:F9", "Other")], start=1)
    }
    rewrite(path, parts)
    overrides = "".join(f'<Override PartName="/{part}" ContentType="{kind}"/>' for part in parts)
    patch(path, r"[Content_Types].xml", "</Types>", overrides + "</Types>")
    WorkbookList(path).add(NEW)
    after = members(path)
    assert b'ref="A4:F10"' in after["xl/pivotCache/pivotCacheDefinition1.xml"]
    second = "xl/pivotCache/pivotCacheDefinition2.xml"
    assert after[second] == parts[second]


def test_form_controls_linked_cells_follow(path):
    def more(_workbook, sheet):
        sheet.insert_checkbox("H9", True)
        sheet.insert_button("H20", {"caption": "Go"})

    build(path, more=more)
    vml = "xl/drawings/vmlDrawing1.vml"
    patch(path, vml, "</x:ClientData>", "<x:FmlaLink>$H$9</x:FmlaLink></x:ClientData>")
    WorkbookList(path).add(NEW)
    assert "<x:FmlaLink>$H$10</x:FmlaLink>" in members(path)[vml].decode()


def test_links_of_shapes_in_relationships_follow(path, tmp_path):
    image = tmp_path / "logo.png"
    image.write_bytes(picture())

    def more(workbook, _sheet):
        other = workbook.get_worksheet_by_name("Other")
        other.insert_image("A1", str(image), {"url": "internal:cancellation!A6"})

    add(path, more)
    rels = members(path)["xl/drawings/_rels/drawing1.xml.rels"].decode()
    assert 'Target="#cancellation!A7"' in rels


def test_rich_text_and_custom_parts_stay_byte_for_byte(path):
    def more(workbook, sheet):
        bold = workbook.add_format({"bold": True})
        sheet.write_rich_string("F6", "very ", bold, "bold", " reason")
        workbook.set_custom_property("Owner", "the office")

    build(path, more=more)
    rewrite(path, {"customXml/item1.xml": b"<anything/>"})
    before = members(path)
    WorkbookList(path).add(NEW)
    after = members(path)
    for name in ("xl/sharedStrings.xml", "docProps/custom.xml", "customXml/item1.xml"):
        assert after[name] == before[name]
    assert WorkbookList(path).read().rows[2].reason == "very bold reason"


def test_a_tab_whose_name_needs_quotes(path):
    def more(workbook, _sheet):
        workbook.get_worksheet_by_name("Other").write_formula(
            "B1", "=SUM('Cancelled: it''s & <more>'!D5:D9)".replace(":", "", 1)
        )

    tab = "Cancelled it's & <more>"
    build(path, tab=tab, more=more)
    WorkbookList(path).add(NEW)
    assert "<f>SUM('Cancelled it''s &amp; &lt;more&gt;'!D5:D10)</f>" in sheet_xml(path, 2)


def content_type(path, part, kind):
    override = f'<Override PartName="/{part}" ContentType="{kind}"/></Types>'
    return patch(path, r"[Content_Types].xml", "</Types>", override)


def sheet_arrow(path, kind, target, number=1):
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{RELATIONSHIPS}/{kind}" Target="{target}"/></Relationships>'
    )
    return rewrite(path, {f"xl/worksheets/_rels/sheet{number}.xml.rels": rels.encode()})


def test_controls_in_the_sheet_move_and_their_links_follow(path):
    build(path)

    def control(moves, sizes, begin, end):
        return (
            '<control><controlPr linkedCell="$H$9" listFillRange="$J$5:$J$9">'
            f'<anchor moveWithCells="{moves}" sizeWithCells="{sizes}">'
            f"<from><xdr:row>{begin}</xdr:row></from><to><xdr:row>{end}</xdr:row></to>"
            "</anchor></controlPr></control>"
        )

    controls = "".join(
        control(*numbers) for numbers in ((1, 1, 3, 6), (1, 0, 3, 6), (1, 0, 6, 8), (0, 0, 6, 8))
    )
    end = f'<controls xmlns:xdr="urn:xdr">{controls}</controls></worksheet>'
    patch(path, "xl/worksheets/sheet1.xml", "</worksheet>", end)
    WorkbookList(path).add(NEW)
    xml = sheet_xml(path)
    assert re.findall("<xdr:row>([0-9]+)</xdr:row>", xml) == [
        "3",
        "7",
        "3",
        "6",
        "7",
        "9",
        "6",
        "8",
    ]
    assert xml.count('linkedCell="$H$10" listFillRange="$J$6:$J$10"') == 4


def test_the_links_of_control_properties_follow(path):
    build(path)
    properties = (
        b'<formControlPr xmlns="urn:x" fmlaLink="$H$9" fmlaRange="cancellation!$A$5:$A$9"/>'
    )
    rewrite(path, {"xl/ctrlProps/ctrlProp1.xml": properties})
    content_type(
        path, "xl/ctrlProps/ctrlProp1.xml", "application/vnd.ms-excel.controlproperties+xml"
    )
    sheet_arrow(path, "ctrlProp", "../ctrlProps/ctrlProp1.xml")
    WorkbookList(path).add(NEW)
    after = members(path)["xl/ctrlProps/ctrlProp1.xml"].decode()
    assert 'fmlaLink="$H$10"' in after
    assert 'fmlaRange="cancellation!$A$5:$A$10"' in after


def test_text_boxes_linked_to_cells_follow_from_any_tab(path):
    def more(workbook, sheet):
        for target in (sheet, workbook.get_worksheet_by_name("Other")):
            target.insert_textbox("J1", "", {"textlink": "=cancellation!$A$5"})

    add(path, more)
    for number in (1, 2):
        drawing = members(path)[f"xl/drawings/drawing{number}.xml"].decode()
        assert 'textlink="cancellation!$A$6"' in drawing


def test_buttons_move_and_comments_of_other_tabs_stay(path):
    def more(workbook, sheet):
        sheet.insert_button("H9", {"caption": "Go"})
        workbook.get_worksheet_by_name("Other").write_comment("A9", "stays")

    before = members(build(path, more=more))
    WorkbookList(path).add(NEW)
    after = members(path)
    changed = {name for name in before if name.endswith(".vml") and before[name] != after[name]}
    assert changed == {"xl/drawings/vmlDrawing1.vml"}
    assert after["xl/comments1.xml"] == before["xl/comments1.xml"]


@pytest.mark.parametrize(
    ("held", "rows"),
    [
        ("", ["3", "7"]),
        ("<x:SizeWithCells/>", ["3", "6"]),
        ("<x:MoveWithCells/>", ["3", "6"]),
        ("<x:MoveWithCells>False</x:MoveWithCells>", ["3", "7"]),
    ],
)
def test_a_vml_object_across_the_new_row(path, held, rows):
    build(path, more=lambda _workbook, sheet: sheet.insert_button("H9", {"caption": "Go"}))
    vml = "xl/drawings/vmlDrawing1.vml"
    anchor = "<x:Anchor>1, 0, 3, 0, 2, 0, 6, 0</x:Anchor>"
    body = f'<x:ClientData ObjectType="Button">{anchor}{held}</x:ClientData>'
    patch(path, vml, "<x:ClientData.*?</x:ClientData>", body + body.replace("1, 0, 3", "odd, 3"))
    WorkbookList(path).add(NEW)
    anchor, *_ = re.findall("<x:Anchor>([^<]*)<", members(path)[vml].decode())
    numbers = anchor.split(",")
    assert [numbers[2].strip(), numbers[6].strip()] == rows


def test_a_table_without_headings_of_its_own_still_covers_the_new_row(path):
    build(path, more=lambda _workbook, sheet: sheet.add_table("A5:F9", {"header_row": False}))
    WorkbookList(path).add(NEW)
    assert ' ref="A5:F10"' in members(path)["xl/tables/table1.xml"].decode()


def test_a_sorted_table_and_its_total_row(path):
    columns = [*TABLE["columns"][:6], {"header": "G", "total_function": "sum"}]

    def more(_workbook, sheet):
        sheet.add_table("A4:G10", {**TABLE, "columns": columns, "total_row": True})

    build(path, more=more)
    table = "xl/tables/table1.xml"
    patch(
        path,
        table,
        "<tableColumns",
        '<sortState ref="A5:G9"><sortCondition ref="C5:C9"/></sortState><tableColumns',
    )
    patch(
        path,
        table,
        '<tableColumn id="7" name="G" totalsRowFunction="sum"/>',
        '<tableColumn id="7" name="G" totalsRowFunction="custom">'
        "<totalsRowFormula>SUM(D5:D9)</totalsRowFormula></tableColumn>",
    )
    WorkbookList(path).add(NEW)
    after = members(path)[table].decode()
    assert '<sortState ref="A5:G10"><sortCondition ref="C5:C10"/>' in after
    assert "<totalsRowFormula>SUM(D5:D10)</totalsRowFormula>" in after
    assert ' ref="A4:G11"' in after


def test_a_calculated_column_of_arrays_and_one_that_is_a_field(path):
    columns = [*TABLE["columns"][:4], {"header": "Months in the Program", "formula": "=1+1"}]
    columns += [{"header": "Reason"}, {"header": "Double", "formula": "=D5*2"}]
    build(
        path, more=lambda _workbook, sheet: sheet.add_table("A4:G9", {**TABLE, "columns": columns})
    )
    table = "xl/tables/table1.xml"
    patch(path, table, "<calculatedColumnFormula>D5", '<calculatedColumnFormula array="1">D5')
    WorkbookList(path).add(NEW)
    row = row_xml(path, 5)
    assert '<c r="E5"><v>7</v></c>' in row
    assert '<c r="G5"><f t="array" ref="G5">D5*2</f></c>' in row


def test_a_sum_across_tabs_is_noticed_though_it_does_not_name_the_list(path):
    def more(workbook, _sheet):
        workbook.add_worksheet("Last").write_formula("A1", "=SUM(First:Other!D2)")

    build(path, tab="First", more=more)
    WorkbookList(path, tab="First").add(NEW)
    assert "<f>SUM(First:Other!D2)</f>" in sheet_xml(path, 3)


def test_a_workbook_without_calculation_settings_gets_them_in_their_place(path):
    build(path)
    patch(path, "xl/workbook.xml", "<calcPr[^>]*/>", "")
    WorkbookList(path).add(NEW)
    assert '</sheets><calcPr fullCalcOnLoad="1"/></workbook>' in (
        members(path)["xl/workbook.xml"].decode()
    )


def test_a_tab_named_in_another_script(path):
    def more(workbook, _sheet):
        workbook.get_worksheet_by_name("Other").write_formula("B1", "=SUM(ОТМЕНЫ!D5:D9)")

    build(path, tab="Отмены", more=more)
    WorkbookList(path, tab="отмены").add(NEW)
    assert "<f>SUM(ОТМЕНЫ!D5:D10)</f>" in sheet_xml(path, 2)


def test_names_of_members_and_their_dates_stay(path):
    def listing():
        with zipfile.ZipFile(path) as package:
            return [
                (info.filename, info.date_time, info.external_attr) for info in package.infolist()
            ]

    build(path)
    rewrite(path, {"docs/Übersicht.bin": b"x"})
    before = listing()
    WorkbookList(path).add(NEW)
    assert listing() == before


@pytest.mark.parametrize("covered", ["#REF!", "#REF! F5:F9"])
def test_a_rule_whose_cells_were_deleted_is_in_nobodys_way(tmp_path, covered):
    def more(_workbook, sheet):
        sheet.data_validation(4, 5, 8, 5, {"validate": "list", "source": ["Moved", "Other"]})

    path = build(tmp_path / "deleted.xlsx", more=more)
    patch(path, "xl/worksheets/sheet1.xml", 'sqref="F5:F9"', f'sqref="{covered}"')
    WorkbookList(path).add(NEW)
    assert f'sqref="{covered.replace("F9", "F10")}"' in sheet_xml(path)


@pytest.mark.parametrize(
    ("covered", "formula", "after"),
    [
        ("D5", "D4", "D4"),
        ("D20", "D4", "D4"),
        ("D20:D22", "D2", "D2"),
        ("D20:D22", "D19", "D20"),
        ("D20:D22", "D$4", "D$4"),
    ],
)
def test_a_rule_that_looks_at_what_stays_goes_on_looking_at_it(tmp_path, covered, formula, after):
    def more(workbook, sheet):
        shown = workbook.add_format({"bold": True})
        rule = {"type": "formula", "criteria": f"={formula}>1", "format": shown}
        sheet.conditional_format(covered, rule)

    path = build(tmp_path / "rules.xlsx", more=more)
    WorkbookList(path).add(NEW)
    assert f"<formula>{after}&gt;1</formula>" in sheet_xml(path)
    book = WorkbookList(path)
    book.remove(book.read().rows[0])
    assert f"<formula>{formula}&gt;1</formula>" in sheet_xml(path)


def test_a_data_table_whose_formulas_stand_above_the_new_row_is_in_the_way(tmp_path):
    path = build(tmp_path / "what-if.xlsx", more=lambda _b, sheet: sheet.write_number(4, 8, 1))
    patch(
        path,
        "xl/worksheets/sheet1.xml",
        '<c r="I5"><v>1</v></c>',
        '<c r="I5"><f t="dataTable" ref="I5:I7" dt2D="0" dtr="0" r1="B2"/><v>1</v></c>',
    )
    before = path.read_bytes()
    with pytest.raises(CannotEdit, match="I5:I7"):
        WorkbookList(path).add(NEW)
    assert path.read_bytes() == before
