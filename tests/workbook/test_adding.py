"""A row is put on top of the list, and everything that knows about the list follows."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canceldesk.workbook import text
from canceldesk.workbook.errors import ChangedMeanwhile
from canceldesk.workbook.protocol import NewRow, matches
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import (
    DAY,
    HEADINGS,
    NEW,
    build,
    client,
    members,
    patch,
    rewrite,
    row_xml,
    sheet_xml,
    write_list,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "clients.xlsx"


def sheet_of(path, tab="cancellation"):
    return openpyxl.load_workbook(path)[tab]


def values_of(sheet, row):
    return [cell.value for cell in sheet[row][:6]]


def test_the_row_stands_under_the_heading_and_the_others_below_it(path):
    written = WorkbookList(build(path)).add(NEW)
    sheet = sheet_of(path)
    assert [cell.value for cell in sheet[4]] == list(HEADINGS)
    assert values_of(sheet, 5) == [
        "Nora New",
        "+1 555 0199",
        dt.datetime.combine(DAY, dt.time()),
        1234.5,
        7,
        "Too expensive",
    ]
    assert values_of(sheet, 6)[:2] == ["Client 1", "0555 0101"]
    assert values_of(sheet, 10)[:2] == ["Client 5", "0555 0105"]
    assert sheet.max_row == 10
    assert written.row_number == 5
    assert matches(written.row, NEW)


def test_what_is_read_before_and_after_agrees(path):
    book = WorkbookList(build(path))
    before = book.read()
    written = book.add(NEW)
    after = book.read()
    assert written.fingerprint_before == before.fingerprint
    assert written.fingerprint_after == after.fingerprint
    assert after.rows[0] == written.row
    assert [replace(row, row_number=row.row_number - 1) for row in after.rows[1:]] == list(
        before.rows
    )


def test_the_row_takes_the_looks_of_the_first_row(path):
    def look(_workbook, sheet):
        sheet.set_row(4, 30)

    WorkbookList(build(path, more=look)).add(NEW)
    sheet = sheet_of(path)
    for column in range(1, 7):
        assert sheet.cell(5, column).style_id == sheet.cell(6, column).style_id
    assert sheet.cell(5, 3).number_format == "dd.mm.yyyy"
    assert sheet.cell(5, 4).number_format == '"$"#,##0.00'
    assert sheet.row_dimensions[5].height == sheet.row_dimensions[6].height == 30


def test_only_members_that_must_change_differ(path):
    before = members(build(path))
    WorkbookList(path).add(NEW)
    after = members(path)
    assert list(after) == list(before)
    assert {name for name in before if before[name] != after[name]} == {
        "xl/worksheets/sheet1.xml",
        "xl/workbook.xml",
    }


def test_excel_is_asked_to_calculate_and_old_results_stay(path):
    def sums(workbook, _sheet):
        workbook.add_worksheet("Sums").write_formula("A1", "=SUM(cancellation!D5:D9)", None, 515)

    WorkbookList(build(path, more=sums)).add(NEW)
    assert 'fullCalcOnLoad="1"' in members(path)["xl/workbook.xml"].decode()
    assert "<f>SUM(cancellation!D5:D10)</f><v>515</v>" in sheet_xml(path, 3)


def test_adding_again_and_again_keeps_the_newest_on_top(path):
    book = WorkbookList(build(path, count=0))
    for number in range(1, 6):
        book.add(client(number))
    assert [row.name for row in book.read().rows] == [f"Client {n}" for n in range(5, 0, -1)]


@pytest.mark.parametrize("reason", ["=1+1", "+SUM(A1)", "-2", "@cmd", '=HYPERLINK("x")', "'=1"])
def test_client_text_never_becomes_a_formula(path, reason):
    WorkbookList(build(path)).add(replace(NEW, name=reason, reason=reason))
    sheet = sheet_of(path)
    assert (sheet["A5"].value, sheet["F5"].value) == (reason, reason)
    assert "<f>" not in row_xml(path, 5)


words = st.text(max_size=60).filter(lambda value: text.storable(value).strip())


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.builds(
        NewRow,
        name=words,
        phone=st.text(alphabet="+0123456789 ()-", max_size=20),
        cancelled_on=st.dates(dt.date(1950, 1, 1), dt.date(2149, 12, 31)),
        collected_minor=st.integers(-(10**9), 10**9),
        currency=st.just("USD"),
        months=st.integers(0, 600),
        reason=st.text(max_size=200) | st.sampled_from(["=1", "_x000D_", "<b>&amp;", " x "]),
    ),
    st.booleans(),
)
def test_any_values_come_back_as_they_were_meant(path, row, date1904):
    build(path, count=1, options={"date_1904": date1904})
    book = WorkbookList(path)
    book.add(row)
    top = book.read().rows[0]
    assert matches(top, row)
    assert (top.name, top.phone, top.reason) == (
        text.storable(row.name),
        row.phone,
        text.storable(row.reason),
    )


def test_dates_in_a_workbook_from_1904_are_right(path):
    WorkbookList(build(path, options={"date_1904": True})).add(NEW)
    assert sheet_of(path)["C5"].value.date() == DAY


@pytest.mark.parametrize("count", [0, 1])
def test_an_empty_or_short_list_gets_real_date_and_money_formats(path, count):
    WorkbookList(build(path, count=count)).add(NEW)
    sheet = sheet_of(path)
    assert sheet["C5"].is_date
    assert "0.00" in sheet["D5"].number_format
    if count == 0:
        assert sheet["D5"].number_format == "#,##0.00"


def test_an_empty_list_takes_the_looks_of_its_columns(path):
    def columns(workbook, sheet):
        bold = workbook.add_format({"bold": True})
        sheet.set_column(0, 0, 20, bold)
        sheet.set_column(2, 2, 20, workbook.add_format({"num_format": "d mmm yy"}))

    WorkbookList(build(path, count=0, more=columns)).add(NEW)
    sheet = sheet_of(path)
    assert sheet["A5"].font.b
    assert sheet["C5"].number_format == "d mmm yy"


def test_an_empty_list_takes_the_looks_of_a_prepared_row(path):
    def prepared(workbook, sheet):
        sheet.set_row(4, 45)
        sheet.write_blank(4, 2, None, workbook.add_format({"num_format": "d mmm yy"}))

    WorkbookList(build(path, count=0, more=prepared)).add(NEW)
    sheet = sheet_of(path)
    assert sheet["C5"].number_format == "d mmm yy"
    assert sheet.row_dimensions[5].height == 45


def test_a_list_of_dates_as_text_gets_its_new_date_as_a_date(path):
    def as_text(_workbook, sheet):
        for row in range(4, 9):
            sheet.write_string(row, 2, "Mar 5, 2026")

    book = WorkbookList(build(path, more=as_text))
    assert book.read().rows[0].cancelled_on == dt.date(2026, 3, 5)
    book.add(NEW)
    assert sheet_of(path)["C5"].is_date


def test_a_date_format_further_down_is_preferred_to_a_new_one(path):
    def first_as_text(_workbook, sheet):
        sheet.write_string(4, 2, "Mar 5, 2026")

    before = members(build(path, more=first_as_text))["xl/styles.xml"]
    WorkbookList(path).add(NEW)
    assert sheet_of(path)["C5"].number_format == "dd.mm.yyyy"
    assert members(path)["xl/styles.xml"] == before


def test_extra_columns_stay_empty_but_keep_their_looks(path):
    def extra(workbook, sheet):
        sheet.write_string(3, 6, "Agent")
        for row in range(4, 9):
            sheet.write_string(row, 6, "someone", workbook.add_format({"bold": True}))

    WorkbookList(build(path, more=extra)).add(NEW)
    sheet = sheet_of(path)
    assert sheet["G5"].value is None
    assert sheet["G5"].font.b
    assert sheet["G6"].value == "someone"


def test_a_reference_is_written_where_there_is_a_column_for_it(path):
    row = replace(NEW, reference="CASE-0042")
    book = WorkbookList(build(path, headings=(*HEADINGS, "Case")))
    assert book.add(row).row.reference == "CASE-0042"
    assert sheet_of(path)["G5"].value == "CASE-0042"
    plain = WorkbookList(build(path.with_name("plain.xlsx")))
    assert plain.add(row).row.reference == ""


def test_a_macro_workbook_keeps_its_macros(path):
    macro = path.with_suffix(".xlsm")
    project = path.with_name("vbaProject.bin")
    project.write_bytes(b"not really a project, but bytes all the same")

    def macros(workbook, sheet):
        workbook.add_vba_project(str(project))
        sheet.insert_button("H9", {"macro": "Go", "caption": "Go"})

    build(macro, more=macros)
    WorkbookList(macro).add(NEW)
    after = members(macro)
    assert after["xl/vbaProject.bin"] == project.read_bytes()
    assert "<x:Anchor>7, 0, 9, 0, 8, 0, 10, 0" in re.sub(
        r"\s+", " ", after["xl/drawings/vmlDrawing1.vml"].decode().replace("\n", "")
    ).replace("<x:Anchor> ", "<x:Anchor>")


def test_only_the_very_file_that_was_read_is_added_to_when_asked(path):
    book = WorkbookList(build(path))
    seen = book.read().fingerprint
    book.add(client(30))
    before = path.read_bytes()
    with pytest.raises(ChangedMeanwhile, match="saved by someone else"):
        book.add(NEW, expected_fingerprint=seen)
    assert path.read_bytes() == before
    assert book.add(NEW, expected_fingerprint=book.read().fingerprint).row_number == 5


def test_the_list_may_stand_anywhere_on_its_tab(path):
    with xlsxwriter.Workbook(str(path)) as workbook:
        sheet = workbook.add_worksheet("Cancelled clients 2026")
        shuffled = ["No.", *HEADINGS]
        write_list(workbook, sheet, 3, heading_row=9, left=3)
        for column, heading in enumerate(shuffled[:1]):
            sheet.write_string(8, 2 + column, heading)
        sheet.write_string("A1", "Company")
    written = WorkbookList(path).add(NEW)
    assert written.row_number == 10
    assert sheet_of(path, "Cancelled clients 2026")["D10"].value == "Nora New"


def test_a_first_row_hidden_by_a_filter_does_not_hide_the_new_one(path):
    def hide(_workbook, sheet):
        sheet.set_row(4, None, None, {"hidden": True, "level": 1})

    WorkbookList(build(path, more=hide)).add(NEW)
    sheet = sheet_of(path)
    assert not sheet.row_dimensions[5].hidden
    assert sheet.row_dimensions[6].hidden
    assert sheet.row_dimensions[5].outlineLevel == 0


def test_a_workbook_reached_by_a_link_is_changed_where_it_is(path, tmp_path):
    build(path)
    link = tmp_path / "link.xlsx"
    link.symlink_to(path)
    WorkbookList(link).add(NEW)
    assert link.is_symlink()
    assert sheet_of(path)["A5"].value == "Nora New"


def test_a_calculation_chain_is_dropped_cleanly(path):
    build(path)
    chain = (
        b'<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<c r="A1" i="1"/></calcChain>'
    )
    rewrite(path, {"xl/calcChain.xml": chain})
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain"
    patch(
        path,
        "xl/_rels/workbook.xml.rels",
        "</Relationships>",
        f'<Relationship Id="rId99" Type="{kind}" Target="calcChain.xml"/></Relationships>',
    )
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"
    patch(
        path,
        r"[Content_Types].xml",
        "</Types>",
        f'<Override PartName="/xl/calcChain.xml" ContentType="{main}"/></Types>',
    )
    WorkbookList(path).add(NEW)
    after = members(path)
    assert "xl/calcChain.xml" not in after
    assert b"calcChain" not in after["xl/_rels/workbook.xml.rels"]
    assert b"calcChain" not in after["[Content_Types].xml"]


def test_a_workbook_saved_by_openpyxl_is_added_to(path):
    build(path, more=lambda _workbook, sheet: sheet.autofilter("A4:F9"))
    workbook = openpyxl.load_workbook(path)
    workbook["Other"]["B1"] = "=SUM(cancellation!D5:D9)"
    workbook.save(path)
    WorkbookList(path).add(NEW)
    again = openpyxl.load_workbook(path)
    assert again["Other"]["B1"].value == "=SUM(cancellation!D5:D10)"
    assert again["cancellation"].auto_filter.ref == "A4:F10"
    assert values_of(again["cancellation"], 5)[0] == "Nora New"
    assert [row.name for row in WorkbookList(path).read().rows][1] == "Client 1"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_an_independent_reader_sees_every_other_cell_exactly_one_row_lower(path, data):
    """Random cells around a list, read by openpyxl before and after."""
    heading_row = data.draw(st.integers(1, 12))
    count = data.draw(st.integers(0, 6))
    cells = data.draw(
        st.dictionaries(
            st.tuples(st.integers(0, 30), st.integers(8, 30)),
            st.text(alphabet="abc<&>\"' é_x41=", min_size=1, max_size=8)
            | st.floats(-1e6, 1e6, allow_nan=False)
            | st.booleans(),
            max_size=12,
        )
    )

    def more(_workbook, sheet):
        for (row, column), value in cells.items():
            if isinstance(value, str):
                sheet.write_string(row, column, value)
            else:
                sheet.write(row, column, value)

    build(path, count=count, heading_row=heading_row, more=more)
    before = read_all(path)
    WorkbookList(path).add(NEW)
    after = read_all(path)
    expected = {
        (tab, row + (tab == "cancellation" and row > heading_row), column): value
        for (tab, row, column), value in before.items()
    }
    new_row = {key for key in after if key[:2] == ("cancellation", heading_row + 1)}
    assert {key[2] for key in new_row} == {1, 2, 3, 4, 5, 6}
    assert {key: value for key, value in after.items() if key not in new_row} == expected


def read_all(path):
    workbook = openpyxl.load_workbook(path)
    return {
        (sheet.title, cell.row, cell.column): (cell.value, cell.number_format, cell.font.b)
        for sheet in workbook
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    }


def test_the_used_range_grows_by_one_row_however_many_blank_ones_follow(path):
    blank = "".join(f'<row r="{number}" spans="1:6"/>' for number in range(20, 60))
    build(path)
    patch(path, "xl/worksheets/sheet1.xml", "</sheetData>", f"{blank}</sheetData>")
    WorkbookList(path).add(NEW)
    assert '<dimension ref="A4:F10"/>' in sheet_xml(path)
