"""The sample workbook is believable, and the command line shows and adds to it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import openpyxl
import pytest
from typer.testing import CliRunner

from canceldesk.workbook.commands import list_app
from canceldesk.workbook.protocol import matches
from canceldesk.workbook.sample import create_sample
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import NEW, build, client, members

ADD = (
    "--name", "Nora New", "--phone", "+1 555 0199", "--date", "2026-11-23",
    "--collected", "1234.50", "--months", "7", "--reason", "=SUM(A1)",
)  # fmt: skip


@pytest.fixture
def path(tmp_path):
    clients = [replace(client(number), reason="=1+1") for number in range(1, 41)]
    create_sample(tmp_path / "sample.xlsx", clients, title="Cancelled clients")
    return tmp_path / "sample.xlsx"


def run(*arguments):
    return CliRunner().invoke(list_app, [str(argument) for argument in arguments])


def test_the_sample_lists_its_clients_newest_first(path):
    rows = WorkbookList(path).read().rows
    expected = [replace(client(number), reason="=1+1") for number in range(1, 41)]
    assert len(rows) == 40
    assert all(matches(row, new) for row, new in zip(rows, expected, strict=True))


def test_the_sample_looks_like_a_companys_workbook(path):
    workbook = openpyxl.load_workbook(path)
    assert workbook.sheetnames == ["Clients", "cancellation", "Summary", "Payments", "Notes"]
    sheet = workbook["cancellation"]
    assert str(sheet.merged_cells) == "A1:F1"
    assert sheet.auto_filter.ref == "A3:F43"
    assert sheet.freeze_panes == "B4"
    assert sheet["D4"].number_format == '"$"#,##0.00'
    assert sheet["C4"].is_date
    assert sheet["F4"].data_type == "s"
    assert len(sheet.data_validations.dataValidation) == 1
    assert "xl/charts/chart1.xml" in members(path)


def test_the_samples_summary_follows_a_new_row(path):
    WorkbookList(path).add(NEW)
    summary = openpyxl.load_workbook(path)["Summary"]
    assert summary["B1"].value == "=COUNTA(cancellation!$A$4:$A$44)"
    assert summary["B2"].value == "=SUM(cancellation!$D$4:$D$44)"


def test_an_empty_sample_can_be_added_to(tmp_path):
    create_sample(tmp_path / "empty.xlsx", [], currency="JPY")
    book = WorkbookList(tmp_path / "empty.xlsx", currency="JPY")
    book.add(replace(NEW, currency="JPY", collected_minor=5000))
    assert [row.collected_minor for row in book.read().rows] == [5000]


@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD"])
def test_the_amount_typed_is_the_amount_in_the_cell_whatever_the_currency(tmp_path, currency):
    path = tmp_path / "list.xlsx"
    create_sample(path, [], currency=currency)
    given = {"name": "Taro", "phone": "5550100", "date": "2026-03-01", "collected": "5000"}
    given |= {"months": "5", "reason": "Moved", "currency": currency}
    result = run(
        "add", path, *(part for name, text in given.items() for part in (f"--{name}", text))
    )
    assert result.exit_code == 0
    assert "5000.00" in result.stdout
    [cell] = [
        row[3].value
        for row in openpyxl.load_workbook(path)["cancellation"]
        if row[0].value == "Taro"
    ]
    assert cell == 5000
    assert WorkbookList(path, currency=currency).read().rows[0].collected_minor == 500000
    in_dollars = WorkbookList(path).read()
    assert in_dollars.rows[0].collected_minor == 500000


def test_show_prints_the_list(path):
    result = run("show", path)
    assert result.exit_code == 0
    assert "tab “cancellation”, headings in row 3" in result.stdout
    assert "Client 1  0555 0101  2026-09-30  101.25  1  =1+1" in result.stdout


def test_show_prints_json_for_machines(path):
    answer = json.loads(run("show", path, "--tab", "cancellation", "--json").stdout)
    assert answer["done"] is True
    assert answer["columns"]["phone"] == "B"
    assert len(answer["rows"]) == 40
    assert answer["rows"][0]["cancelled_on"] == "2026-09-30"


def test_show_prints_what_was_not_understood_as_it_stands(tmp_path):
    def more(_workbook, sheet):
        sheet.write_string("C5", "03/04/2026")
        sheet.write_string("D5", " ")
        sheet.write_string("E5", "a while")

    path = build(tmp_path / "odd.xlsx", count=1, more=more)
    assert "Client 1  0555 0101  03/04/2026    a while  Reason 1" in run("show", path).stdout
    row = json.loads(run("show", path, "--json").stdout)["rows"][0]
    assert (row["cancelled_on"], row["raw"]["cancelled_on"]) == (None, "03/04/2026")


def test_add_puts_the_row_on_top_and_says_so(path):
    result = run("add", path, *ADD)
    assert result.exit_code == 0
    assert "Added and read back in row 4:" in result.stdout
    assert WorkbookList(path).read().rows[0].collected_minor == 123450


def test_add_prints_json_for_machines(path):
    answer = json.loads(run("add", path, *ADD, "--json").stdout)
    assert answer["done"] is True
    assert answer["row_number"] == 4
    assert answer["row"]["reason"] == "=SUM(A1)"
    assert answer["fingerprint_after"] == WorkbookList(path).read().fingerprint


def test_a_refusal_ends_with_one_and_its_sentence(path):
    result = run("add", path, *ADD, "--tab", "Gone")
    assert result.exit_code == 1
    assert "There is no tab “Gone”" in result.stderr
    answer = json.loads(run("add", path, *ADD, "--tab", "Gone", "--json").stdout)
    assert answer["done"] is False
    assert answer["error"] == "CannotPlace"
    assert "There is no tab “Gone”" in answer["sentence"]


def test_what_cannot_be_read_ends_with_two(tmp_path):
    assert run("show", tmp_path / "gone.xlsx").exit_code == 2
    assert run("add", tmp_path / "gone.xlsx", *ADD).exit_code == 2


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--date", "23/11/2026", "write it as 2026-11-23"),
        ("--collected", "1,234.50", "write it as 1234.50"),
        ("--collected", "1.005", "is no amount; write it as"),
        ("--collected", "nan", "is no amount"),
        ("--months", "-1", "--months"),
    ],
)
def test_a_mistyped_value_is_explained_and_nothing_written(path, option, value, said):
    before = path.read_bytes()
    result = run("add", path, *ADD, option, value)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert path.read_bytes() == before


def test_the_command_needs_no_django():
    script = "import sys, canceldesk.workbook.commands; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
