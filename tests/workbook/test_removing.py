"""Taking a row out of the list again: as faithful as putting it in."""

from __future__ import annotations

from dataclasses import replace

import openpyxl
import pytest

from canceldesk.workbook.errors import CannotEdit, ChangedMeanwhile, ReadBackDiffers
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import HEADINGS, NEW, build, client, members, row_xml, sheet_xml


@pytest.fixture
def path(tmp_path):
    return build(tmp_path / "clients.xlsx", more=_more)


def _more(workbook, sheet):
    sheet.write_string(9, 0, "Total")
    sheet.write_formula(9, 3, "=SUM(D5:D9)", None, 510)
    sheet.data_validation(4, 5, 8, 5, {"validate": "list", "source": ["Moved", "Other"]})
    sheet.conditional_format(
        4, 3, 8, 3, {"type": "cell", "criteria": ">", "value": 1, "format": workbook.add_format()}
    )
    workbook.define_name("Reasons", "=cancellation!$F$5:$F$9")
    chart = workbook.add_chart({"type": "line"})
    chart.add_series({"values": "=cancellation!$D$5:$D$9"})
    other = workbook.get_worksheet_by_name("Other")
    other.insert_chart(3, 3, chart)
    other.write_formula(1, 0, "=SUM(cancellation!D5:D9)", None, 510)
    other.write_formula(2, 0, "=cancellation!A7", None, "Client 3")


def names(path):
    return [row.name for row in WorkbookList(path).read().rows]


def test_a_row_that_was_added_and_taken_out_leaves_the_workbook_as_it_was(path):
    before = members(path)
    book = WorkbookList(path)
    written = book.add(NEW)
    removed = book.remove(written.row, expected_fingerprint=written.fingerprint_after)
    assert removed.row == written.row
    assert removed.fingerprint_before == written.fingerprint_after
    assert removed.fingerprint_after == book.read().fingerprint
    after = members(path)
    assert after.keys() == before.keys()
    changed = {part for part in before if _plain(before[part]) != _plain(after[part])}
    assert changed == set()


def _plain(xml):
    return xml.replace(b"\r\n", b"").replace(b"\n", b"").replace(b"'", b'"')


@pytest.mark.parametrize("place", [0, 2, 4])
def test_any_row_can_be_taken_out_and_the_rest_closes_up(path, place):
    book = WorkbookList(path)
    row = book.read().rows[place]
    removed = book.remove(row)
    assert removed.row_number == row.row_number
    assert names(path) == [f"Client {n}" for n in range(1, 6) if n != place + 1]
    assert [row.row_number for row in book.read().rows] == [5, 6, 7, 8]
    assert "<f>SUM(D5:D8)</f>" in row_xml(path, 9)
    assert "SUM(cancellation!D5:D8)" in sheet_xml(path, 2)
    xml = sheet_xml(path)
    assert 'sqref="F5:F8"' in xml
    assert 'sqref="D5:D8"' in xml
    parts = members(path)
    assert b"$F$5:$F$8" in parts["xl/workbook.xml"]
    assert b"$D$5:$D$8" in parts["xl/charts/chart1.xml"]
    assert openpyxl.load_workbook(path)["cancellation"].max_row == 9


def test_what_pointed_at_the_row_alone_says_so(path):
    book = WorkbookList(path)
    book.remove(book.read().rows[2])
    assert "<f>cancellation!#REF!</f>" in sheet_xml(path, 2)


def test_a_row_that_moved_down_meanwhile_is_found(path):
    book = WorkbookList(path)
    row = book.read().rows[1]
    book.add(NEW)
    assert book.remove(row).row_number == row.row_number + 1
    assert names(path) == ["Nora New", "Client 1", "Client 3", "Client 4", "Client 5"]


def test_a_row_that_was_changed_meanwhile_is_not_taken_out(path):
    book = WorkbookList(path)
    row = replace(book.read().rows[1], reason="something else")
    before = path.read_bytes()
    with pytest.raises(ChangedMeanwhile, match="no line any more"):
        book.remove(row)
    assert path.read_bytes() == before


def test_of_two_equal_rows_only_the_one_at_its_place_is_taken_out(path):
    book = WorkbookList(path)
    book.add(NEW)
    book.add(NEW)
    first, second, *_ = book.read().rows
    assert book.remove(second).row_number == second.row_number
    book.add(client(40))
    book.add(NEW)
    with pytest.raises(ChangedMeanwhile, match="more than one"):
        book.remove(replace(first, row_number=30))


def test_another_file_than_the_one_that_was_read_is_left_alone(path):
    book = WorkbookList(path)
    view = book.read()
    book.add(NEW)
    before = path.read_bytes()
    with pytest.raises(ChangedMeanwhile, match="saved by someone else"):
        book.remove(view.rows[0], expected_fingerprint=view.fingerprint)
    assert path.read_bytes() == before


def test_a_row_with_something_beside_the_list_is_refused(tmp_path):
    path = build(
        tmp_path / "beside.xlsx", more=lambda _book, sheet: sheet.write_string(5, 9, "ours")
    )
    before = path.read_bytes()
    book = WorkbookList(path)
    with pytest.raises(CannotEdit, match="J6"):
        book.remove(book.read().rows[1])
    assert path.read_bytes() == before
    book.remove(book.read().rows[0])
    assert names(path) == ["Client 2", "Client 3", "Client 4", "Client 5"]


def test_a_tables_only_row_is_emptied_as_excel_does(tmp_path):
    def more(_workbook, sheet):
        sheet.add_table(3, 0, 4, 5, {"columns": [{"header": heading} for heading in HEADINGS]})

    path = build(tmp_path / "table.xlsx", count=1, more=more)
    book = WorkbookList(path)
    looks = _styles(row_xml(path, 5))
    removed = book.remove(book.read().rows[0])
    assert removed.row.name == "Client 1"
    assert book.read().rows == ()
    assert 'ref="A4:F5"' in members(path)["xl/tables/table1.xml"].decode()
    assert _styles(row_xml(path, 5)) == looks
    assert "<v>" not in row_xml(path, 5)
    assert book.add(NEW).row_number == 5


def _styles(xml):
    worksheet = [piece.split('"')[0] for piece in xml.split(' s="')[1:]]
    assert worksheet
    return worksheet


def test_a_removal_that_reads_back_differently_is_not_put_in_place(path, monkeypatch):
    from canceldesk.workbook import editing

    book = WorkbookList(path)
    row = book.read().rows[1]
    before = path.read_bytes()
    real = editing.remove
    monkeypatch.setattr(editing, "remove", lambda found, number: real(found, number + 1))
    with pytest.raises(ReadBackDiffers, match="not taken out"):
        book.remove(row)
    assert path.read_bytes() == before
