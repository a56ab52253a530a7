"""Workbooks to add rows to, built by XlsxWriter and by hand."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from canceldesk.workbook.protocol import NewRow

HEADINGS = (
    "Name",
    "Phone",
    "Date of Cancellation",
    "Total Amount Collected",
    "Months in the Program",
    "Reason",
)
DAY = dt.date(2026, 11, 23)
NEW = NewRow("Nora New", "+1 555 0199", DAY, 123450, "USD", 7, "Too expensive")


def client(number: int) -> NewRow:
    """An invented client, the same for the same number."""
    return NewRow(
        name=f"Client {number}",
        phone=f"0555 01{number:02d}",
        cancelled_on=dt.date(2026, 10, 1) - dt.timedelta(days=number),
        collected_minor=10_000 + number * 125,
        currency="USD",
        months=number,
        reason=f"Reason {number}",
    )


def write_list(
    workbook: Any,
    sheet: Any,
    count: int,
    *,
    heading_row: int = 4,
    left: int = 0,
    headings: Sequence[str] = HEADINGS,
) -> None:
    """Headings in `heading_row` (from 1) and `count` clients under them, from column `left`."""
    date = workbook.add_format({"num_format": "dd.mm.yyyy", "bg_color": "#FFEECC"})
    money = workbook.add_format({"num_format": '"$"#,##0.00', "italic": True})
    for column, heading in enumerate(headings):
        sheet.write_string(heading_row - 1, left + column, heading)
    for number in range(count):
        row = client(number + 1)
        at = heading_row + number
        sheet.write_string(at, left, row.name)
        sheet.write_string(at, left + 1, row.phone)
        moment = dt.datetime.combine(row.cancelled_on, dt.time())
        sheet.write_datetime(at, left + 2, moment, date)
        sheet.write_number(at, left + 3, row.collected_minor / 100, money)
        sheet.write_number(at, left + 4, row.months)
        sheet.write_string(at, left + 5, row.reason)


def build(
    path: Path,
    *,
    count: int = 5,
    tab: str = "cancellation",
    heading_row: int = 4,
    headings: Sequence[str] = HEADINGS,
    more: Callable[[Any, Any], None] | None = None,
    options: dict[str, Any] | None = None,
) -> Path:
    """A workbook with the list on `tab` and a tab `Other`; `more` adds to (workbook, sheet)."""
    with xlsxwriter.Workbook(str(path), options or {}) as workbook:
        # Or two that were built alike would differ whenever a second ends in between.
        workbook.set_properties({"created": dt.datetime(2026, 1, 1)})  # noqa: DTZ001
        sheet = workbook.add_worksheet(tab)
        write_list(workbook, sheet, count, heading_row=heading_row, headings=headings)
        other = workbook.add_worksheet("Other")
        other.write_string(0, 0, "nothing to do with it")
        if more is not None:
            more(workbook, sheet)
    return path


def members(path: Path) -> dict[str, bytes]:
    """All members of a package by name."""
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def rewrite(path: Path, changes: dict[str, bytes], *, drop: Sequence[str] = ()) -> Path:
    """Replace, add or drop members of a package."""
    kept = {name: data for name, data in members(path).items() if name not in drop}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in (kept | changes).items():
            package.writestr(name, data)
    return path


def patch(path: Path, member: str, pattern: str, replacement: str) -> Path:
    """Change the XML of one member by a regular expression that must match."""
    before = members(path)[member].decode()
    after, count = re.subn(pattern, lambda _match: replacement, before, count=1, flags=re.DOTALL)
    assert count == 1, f"{pattern} is not in {member}"
    return rewrite(path, {member: after.encode()})


def sheet_xml(path: Path, number: int = 1) -> str:
    """The XML of one worksheet."""
    return members(path)[f"xl/worksheets/sheet{number}.xml"].decode()


def row_xml(path: Path, number: int, sheet: int = 1) -> str:
    """The XML of one row of a worksheet."""
    found = re.search(rf'<row r="{number}".*?</row>', sheet_xml(path, sheet), re.DOTALL)
    assert found is not None, f"there is no row {number}"
    return found[0]
