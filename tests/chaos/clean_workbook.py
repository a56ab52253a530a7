"""The workbook of the clean run, as somebody made it with a spreadsheet program."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl

HEADINGS = (
    "Name",
    "Phone Number",
    "Date of Cancellation",
    "Total Amount Collected",
    "Number of Months in the Program",
    "Reason for Cancellation",
    "Case",
    "Notes",
)


def make_workbook(path: Path) -> None:
    """A list of six who left before, with a column and a tab of the company's own."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Cancellations"
    sheet.append(["Cancelled clients"])
    sheet.append(HEADINGS)
    for number in range(6):
        day = dt.datetime(2026, 1, 20 - number)  # noqa: DTZ001 - Excel knows no zones
        sheet.append(
            [f"Former Client {number}", f"(202) 555-010{number}", day, 99.5 + number, 3, "Other"]
        )
        sheet.cell(sheet.max_row, 8, f"known to Pat {number}")
        sheet.cell(sheet.max_row, 3).number_format = "mmm d, yyyy"
        sheet.cell(sheet.max_row, 4).number_format = '"$"#,##0.00'
    notes = book.create_sheet("Notes")
    notes.append(["Questions about an entry: ask the manager on duty."])
    notes.append(["Clients on the list", "=COUNTA(Cancellations!A3:A8)"])
    book.save(path)
