"""A new workbook is well made, is found by the desk at once, and never replaces anything."""

from __future__ import annotations

import errno
import shutil
import subprocess
from dataclasses import replace

import openpyxl
import pytest

from canceldesk.workbook.creating import HEADINGS, REASONS, create_list, money_format
from canceldesk.workbook.errors import CannotPlace, CannotSave
from canceldesk.workbook.protocol import REQUIRED_FIELDS, matches
from canceldesk.workbook.storing import exchange
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import NEW, client

SOFFICE = shutil.which("soffice") or ""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "Clients.xlsx"


def sheet_of(path):
    return openpyxl.load_workbook(path)["Cancellations"]


def test_the_desk_finds_its_list_and_adds_to_it(path):
    view = create_list(path)
    assert (view.tab, view.heading_row, view.rows) == ("Cancellations", 1, ())
    assert tuple(view.columns) == REQUIRED_FIELDS
    book = WorkbookList(path)
    for number in (3, 2, 1):
        book.add(client(number))
    assert [row.name for row in book.read().rows] == ["Client 1", "Client 2", "Client 3"]


def test_every_kind_of_value_has_its_format(path):
    create_list(path, with_reference=True, currency="EUR")
    WorkbookList(path, currency="EUR").add(replace(NEW, currency="EUR", reference="007"))
    sheet = sheet_of(path)
    assert sheet["B2"].number_format == sheet["G2"].number_format == "@"
    assert sheet["C2"].is_date
    assert sheet["D2"].number_format == '"€"#,##0.00'
    assert sheet["F2"].alignment.wrap_text
    assert [sheet[f"{letter}2"].value for letter in "ABDEFG"] == [
        "Nora New", "+1 555 0199", 1234.5, 7, "Too expensive", "007",
    ]  # fmt: skip


def test_it_is_a_table_that_grows_with_headings_that_stay_in_sight_and_print(path):
    create_list(path)
    WorkbookList(path).add(NEW)
    sheet = sheet_of(path)
    table = sheet.tables["Cancellations"]
    assert table.ref == "A1:F3"
    assert [column.name for column in table.tableColumns] == list(HEADINGS.values())[:6]
    assert sheet.freeze_panes == "B2"
    assert sheet.print_title_rows == "$1:$1"
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)
    assert sheet["A1"].font.b
    assert all(sheet.column_dimensions[letter].width > 12 for letter in "ABCDEF")


def test_reasons_are_offered_but_any_other_may_be_written(path):
    create_list(path)
    WorkbookList(path).add(NEW)
    [rule] = sheet_of(path).data_validations.dataValidation
    assert str(rule.sqref) == "F2:F3"
    assert rule.formula1 == '"' + ",".join(REASONS) + '"'
    assert not rule.showErrorMessage


def test_tab_and_headings_are_named_as_the_settings_have_them(path):
    own = {"name": "Who  left", "reference": "Case & co"}
    view = create_list(path, tab="Left <2026>", headings=own)
    assert view.tab == "Left <2026>"
    assert view.headings["name"] == "Who left"
    assert view.headings["reference"] == "Case & co"
    row = replace(NEW, reference="C-9")
    WorkbookList(path, tab="Left <2026>", headings=own).add(row)
    assert matches(WorkbookList(path, tab="left <2026>", headings=own).read().rows[0], row)


@pytest.mark.parametrize(
    ("currency", "code"),
    [("USD", '"$"#,##0.00'), ("GBP", '"£"#,##0.00'), ("CHF", '"CHF" #,##0.00')],
)
def test_amounts_show_their_currency(currency, code):
    assert money_format(currency) == code


@pytest.mark.parametrize("there", ["a file", "a folder", "a link to nowhere"])
def test_what_is_there_is_never_replaced(path, there):
    if there == "a file":
        path.write_bytes(b"precious")
    elif there == "a folder":
        path.mkdir()
    else:
        path.symlink_to(path.with_name("nowhere"))
    with pytest.raises(CannotSave, match="never replaced"):
        create_list(path)
    assert [one.name for one in path.parent.iterdir()] == ["Clients.xlsx"]
    assert not path.is_file() or path.read_bytes() == b"precious"


def test_of_two_that_make_it_at_once_one_is_told(path, monkeypatch):
    real = exchange.move

    def overtaken(source, target):
        path.write_bytes(b"the other's")
        real(source, target)

    monkeypatch.setattr(exchange, "move", overtaken)
    with pytest.raises(CannotSave, match="never replaced"):
        create_list(path)
    assert path.read_bytes() == b"the other's"
    assert [one.name for one in path.parent.iterdir()] == ["Clients.xlsx"]


def test_where_it_cannot_be_put_nothing_is_left(path, monkeypatch):
    def refused(*_paths):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(exchange, "move", refused)
    with pytest.raises(CannotSave, match="the disk is full"):
        create_list(path)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["gone/Clients.xlsx", "Clients.xls", "Clients", "n" * 300 + ".xlsx"]
)
def test_a_place_that_will_not_do_is_refused_in_words(tmp_path, name):
    with pytest.raises(CannotSave) as refusal:
        create_list(tmp_path / name)
    assert refusal.value.sentence.endswith(".")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "tab", ["", " ", "a/b", "x" * 32, "'quoted'", "History", "[1]", "why?", "a:b", "\x00"]
)
def test_a_tab_name_that_excel_does_not_take_is_refused(path, tab):
    with pytest.raises(CannotPlace, match="name of a tab"):
        create_list(path, tab=tab)
    assert not path.exists()


@pytest.mark.parametrize("headings", [{"name": "PHONE number"}, {"name": " "}, {"name": "n" * 256}])
def test_headings_that_cannot_be_told_apart_or_read_are_refused(path, headings):
    with pytest.raises(CannotPlace, match="[Hh]ead"):
        create_list(path, headings=headings)
    assert not path.exists()


@pytest.mark.skipif(not SOFFICE, reason="LibreOffice (soffice) is not installed")
def test_libreoffice_opens_it(path, tmp_path):
    create_list(path, with_reference=True)
    WorkbookList(path).add(NEW)
    home = f"-env:UserInstallation=file://{tmp_path}/home"
    subprocess.run(
        [SOFFICE, home, "--headless", "--convert-to", "csv", "--outdir", tmp_path, path],
        check=True,
        capture_output=True,
        timeout=180,
    )
    lines = path.with_suffix(".csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("Name,Phone Number,Date of Cancellation,")
    assert lines[1].startswith("Nora New,+1 555 0199,11/23/2026,")
