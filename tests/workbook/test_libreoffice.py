"""LibreOffice, a reader that is not ours, opens the result and calculates it."""

from __future__ import annotations

import csv
import random
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from canceldesk.workbook.sample import create_sample
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import HEADINGS, NEW, build, client

pytestmark = pytest.mark.skipif(
    shutil.which("soffice") is None,
    reason="LibreOffice (the command soffice) is not installed; install libreoffice-calc",
)


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    """A user's settings that make LibreOffice calculate on load, as Excel is asked to."""
    folder = tmp_path_factory.mktemp("profile")
    (folder / "user").mkdir()
    (folder / "user" / "registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<oor:items xmlns:oor="http://openoffice.org/2001/registry">'
        '<item oor:path="/org.openoffice.Office.Calc/Formula/Load">'
        '<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item></oor:items>'
    )
    return folder


def opened(path: Path, profile: Path) -> dict[str, list[list[str]]]:
    """All tabs as LibreOffice shows them after calculating."""
    out = path.parent / "shown"
    every_tab = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation=file://{profile}",
            "--headless",
            "--convert-to",
            every_tab,
            "--outdir",
            str(out),
            str(path),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return {
        file.stem.removeprefix(f"{path.stem}-"): list(
            csv.reader(file.read_text(encoding="utf-8").splitlines())
        )
        for file in out.iterdir()
    }


def test_the_sample_with_a_new_row_opens_and_its_sums_include_it(tmp_path, profile):
    path = tmp_path / "sample.xlsx"
    create_sample(path, [client(number) for number in range(1, 41)])
    WorkbookList(path).add(NEW)
    tabs = opened(path, profile)
    rows = tabs["cancellation"]
    assert rows[3] == [
        "Nora New", "+1 555 0199", "11/23/2026", "1234.5", "7", "Too expensive",
    ]  # fmt: skip
    assert rows[4][:4] == ["Client 1", "0555 0101", "09/30/2026", "101.25"]
    assert rows[43][0] == "Client 40"
    total = sum(client(number).collected_minor for number in range(1, 41)) + 123450
    summary = dict(row[:2] for row in tabs["Summary"] if row)
    assert summary["Clients who left"] == "41"
    assert float(summary["Collected from them"]) == total / 100
    assert summary["Latest cancellation"] == "2026-11-23"


def test_a_table_with_formulas_everywhere_calculates_with_the_new_row(tmp_path, profile):
    columns = [{"header": heading} for heading in HEADINGS]
    columns.append({"header": "Double", "formula": "=List[@[Total Amount Collected]]*2"})

    def more(workbook, sheet):
        sheet.add_table("A4:G9", {"name": "List", "columns": columns})
        workbook.define_name("Amounts", "=cancellation!$D$5:$D$9")
        sums = workbook.add_worksheet("Sums")
        for number, formula in enumerate(
            (
                "=SUM(List[Total Amount Collected])",
                "=SUM(Amounts)",
                "=SUM(cancellation!D5:D9)",
                "=SUM(cancellation!D:D)",
                "=INDEX(cancellation!A5:A9,1)",
                "=cancellation!A5",
                "=SUM(cancellation!G5:G9)",
            )
        ):
            sums.write_formula(number, 0, formula)

    path = build(tmp_path / "table.xlsx", more=more)
    total = sum(client(number).collected_minor for number in range(1, 6)) / 100 + 1234.5
    WorkbookList(path).add(NEW)
    shown = [row[0] for row in opened(path, profile)["Sums"]]
    assert [float(value) for value in shown[:4]] == [total] * 4
    assert shown[4:6] == ["Nora New", "Client 1"]
    assert float(shown[6]) == total * 2


def saved_by_libreoffice(path: Path, profile: Path) -> Path:
    out = path.parent / "saved"
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation=file://{profile}",
            "--headless",
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
            "--outdir",
            str(out),
            str(path),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return out / path.name


def test_a_workbook_saved_by_libreoffice_is_added_to_and_opens_again(tmp_path, profile):
    sample = tmp_path / "sample.xlsx"
    create_sample(sample, [client(number) for number in range(1, 41)])
    path = saved_by_libreoffice(sample, profile)
    before = WorkbookList(path).read()
    assert len(before.rows) == 40
    WorkbookList(path).add(NEW)
    tabs = opened(path, profile)
    assert tabs["cancellation"][3][0] == "Nora New"
    assert tabs["cancellation"][4][0] == "Client 1"
    assert dict(row[:2] for row in tabs["Summary"] if row)["Clients who left"] == "41"


def random_formula(rng: random.Random, tab: str) -> str:
    """A sum over some cells of the list's tab, written in one of many ways."""

    def corner(row: int) -> str:
        return f"{rng.choice(['', '$'])}{{}}{rng.choice(['', '$'])}{row}"

    def area() -> str:
        top = rng.choice([1, 4, 5, 5, 5, 6, 9, 10, 14])
        bottom = rng.choice([top, top + 1, top + 3, 14])
        left, right = rng.choice(
            [("D", "D"), ("D", "E"), ("E", "E"), ("H", "H"), ("D", "I"), ("I", "I")]
        )
        prefix = rng.choice([f"{tab}!", f"'{tab.upper()}'!"]) if tab else ""
        written = prefix + corner(top).format(left)
        if bottom > top or left != right or rng.random() < 0.3:
            written += ":" + corner(max(top, bottom)).format(right)
        return written

    return "=" + "+".join(f"SUM({area()},{area()})" for _ in range(rng.randint(1, 2)))


def test_sums_of_any_cells_stay_the_same_when_the_new_row_adds_nothing(tmp_path, profile):
    rng = random.Random(20261123)

    def more(workbook, sheet):
        other = workbook.get_worksheet_by_name("Other")
        for row in range(16):
            sheet.write_number(row, 8, row * 10.5)
            sheet.write_formula(row, 10, random_formula(rng, rng.choice(["", "cancellation"])))
        for row in range(1, 150):
            other.write_formula(row, 1, random_formula(rng, "cancellation"))

    path = build(tmp_path / "sums.xlsx", count=9, more=more)
    before = opened(path, profile)
    WorkbookList(path).add(replace(NEW, collected_minor=0, months=0))
    after = opened(path, profile)
    assert after["Other"] == before["Other"]
    assert any(float(row[1]) > 0 for row in before["Other"][1:])
    on_list = [row[10] for row in after["cancellation"]]
    assert on_list[:4] + on_list[5:] == [row[10] for row in before["cancellation"]]
