"""A believable company workbook to practise on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from canceldesk.workbook import text, values
from canceldesk.workbook.protocol import NewRow

TAB: Final = "cancellation"
HEADING_ROW: Final = 3
_HEADINGS: Final = (
    "Name",
    "Phone Number",
    "Date of Cancellation",
    "Total Amount Collected",
    "Number of Months in the Program",
    "Reason for Cancellation",
)
_WIDTHS: Final = (26, 18, 20, 22, 20, 44)
_REASONS: Final = ("Too expensive", "Moved away", "No longer needed", "Unhappy", "Other")


def create_sample(
    path: Path | str,
    rows: Sequence[NewRow],
    *,
    title: str = "Cancelled clients",
    currency: str = "USD",
) -> None:
    """Write a workbook whose tab `cancellation` lists `rows`, the first of them on top.

    Beside it stand tabs for clients, payments, notes and a summary that counts and charts the
    list, as companies have them. An existing file is replaced. Raises `OSError`.
    """
    with xlsxwriter.Workbook(
        str(path), {"strings_to_formulas": False, "strings_to_urls": False}
    ) as workbook:
        formats = _Formats(workbook, currency)
        clients, listed = workbook.add_worksheet("Clients"), workbook.add_worksheet(TAB)
        summary = workbook.add_worksheet("Summary")
        payments, notes = workbook.add_worksheet("Payments"), workbook.add_worksheet("Notes")
        _write_list(listed, rows, formats, title)
        _write_clients(clients, rows, formats)
        _write_summary(workbook, summary, rows, formats)
        _write_payments(payments, rows, formats)
        notes.set_column(0, 0, 80)
        notes.write_string(0, 0, "New cancellations go on top of the list.", formats.heading)
        notes.write_string(1, 0, "Questions about an entry: ask the manager on duty.")
        listed.activate()


class _Formats:
    def __init__(self, workbook: Any, currency: str) -> None:  # noqa: ANN401 - no types there
        sign = {"USD": "$", "EUR": "€", "GBP": "£"}.get(currency, "")
        money = f'"{sign}"#,##0.00'
        self._workbook = workbook
        self.title = workbook.add_format({"bold": True, "font_size": 16, "font_color": "#1F3864"})
        self.heading = workbook.add_format(
            {"bold": True, "bg_color": "#1F3864", "font_color": "#FFFFFF", "border": 1}
            | {"text_wrap": True, "valign": "vcenter"}
        )
        self.bands = [self._band(colour, money) for colour in ("#FFFFFF", "#EAF0FA")]
        self.plain_money = workbook.add_format({"num_format": money})
        self.plain_date = workbook.add_format({"num_format": "yyyy-mm-dd"})
        self.alert = workbook.add_format({"font_color": "#9C0006", "bg_color": "#FFC7CE"})

    def _band(self, colour: str, money: str) -> dict[str, Any]:
        base = {"bg_color": colour, "border": 1, "border_color": "#C9D3E6"}
        return {
            "text": self._workbook.add_format({**base, "num_format": "@"}),
            "date": self._workbook.add_format({**base, "num_format": "mmm d, yyyy"}),
            "money": self._workbook.add_format({**base, "num_format": money}),
            "number": self._workbook.add_format({**base, "num_format": "0"}),
            "long": self._workbook.add_format({**base, "text_wrap": True}),
        }


def _write_list(sheet: Any, rows: Sequence[NewRow], formats: _Formats, title: str) -> None:  # noqa: ANN401
    for column, (heading, width) in enumerate(zip(_HEADINGS, _WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(HEADING_ROW - 1, column, heading, formats.heading)
    sheet.merge_range(0, 0, 0, len(_HEADINGS) - 1, text.storable(title), formats.title)
    sheet.set_row(0, 28)
    sheet.set_row(HEADING_ROW - 1, 32)
    for number, row in enumerate(rows):
        _write_row(sheet, HEADING_ROW + number, row, formats.bands[number % 2])
    last = HEADING_ROW + max(len(rows), 1) - 1
    sheet.autofilter(HEADING_ROW - 1, 0, last, len(_HEADINGS) - 1)
    sheet.freeze_panes(HEADING_ROW, 1)
    sheet.data_validation(
        HEADING_ROW,
        5,
        last,
        5,
        {
            "validate": "list",
            "source": list(_REASONS),
            "error_type": "information",
            "ignore_blank": True,
        },
    )
    sheet.conditional_format(
        HEADING_ROW,
        3,
        last,
        3,
        {"type": "cell", "criteria": ">=", "value": 2000, "format": formats.alert},
    )
    sheet.repeat_rows(0, HEADING_ROW - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _write_row(sheet: Any, number: int, row: NewRow, band: dict[str, Any]) -> None:  # noqa: ANN401
    sheet.set_row(number, 20)
    sheet.write_string(number, 0, _stored(row.name), band["text"])
    sheet.write_string(number, 1, _stored(row.phone), band["text"])
    sheet.write_datetime(number, 2, _midnight(row.cancelled_on), band["date"])
    amount = values.amount(row.collected_minor)
    sheet.write_number(number, 3, float(amount), band["money"])
    sheet.write_number(number, 4, row.months, band["number"])
    sheet.write_string(number, 5, _stored(row.reason), band["long"])


def _write_clients(sheet: Any, rows: Sequence[NewRow], formats: _Formats) -> None:  # noqa: ANN401
    sheet.set_column(0, 1, 24)
    for column, heading in enumerate(("Client", "Phone", "State")):
        sheet.write_string(0, column, heading, formats.heading)
    for number, row in enumerate(rows, start=1):
        sheet.write_string(number, 0, _stored(row.name))
        sheet.write_string(number, 1, _stored(row.phone))
        sheet.write_string(number, 2, "left")


def _write_summary(workbook: Any, sheet: Any, rows: Sequence[NewRow], formats: _Formats) -> None:  # noqa: ANN401
    first, last = HEADING_ROW + 1, HEADING_ROW + max(len(rows), 1)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 16)
    amounts = [float(values.amount(row.collected_minor)) for row in rows]
    months = [row.months for row in rows]
    latest = max((values.serial(row.cancelled_on, date1904=False) for row in rows), default=0)
    lines = (
        ("Clients who left", "COUNTA", "A", None, len(rows)),
        ("Collected from them", "SUM", "D", formats.plain_money, sum(amounts)),
        ("Months on average", "AVERAGE", "E", None, sum(months) / max(len(months), 1)),
        ("Latest cancellation", "MAX", "C", formats.plain_date, latest),
    )
    for number, (words, function, column, shown, result) in enumerate(lines):
        formula = f"={function}({TAB}!${column}${first}:${column}${last})"
        sheet.write_string(number, 0, words)
        sheet.write_formula(number, 1, formula, shown, result)
    chart = workbook.add_chart({"type": "column"})
    chart.add_series(
        {
            "name": "Collected",
            "categories": f"={TAB}!$A${first}:$A${last}",
            "values": f"={TAB}!$D${first}:$D${last}",
        }
    )
    chart.set_title({"name": "Collected by client"})
    sheet.insert_chart(len(lines) + 1, 0, chart)


def _write_payments(sheet: Any, rows: Sequence[NewRow], formats: _Formats) -> None:  # noqa: ANN401
    sheet.set_column(0, 2, 20)
    for column, heading in enumerate(("Client", "Paid on", "Amount")):
        sheet.write_string(0, column, heading, formats.heading)
    for number, row in enumerate(rows, start=1):
        amount = values.amount(row.collected_minor) / max(row.months, 1)
        sheet.write_string(number, 0, _stored(row.name))
        paid = row.cancelled_on - dt.timedelta(days=12)
        sheet.write_datetime(number, 1, _midnight(paid), formats.plain_date)
        sheet.write_number(number, 2, round(float(amount), 2), formats.plain_money)


def _stored(value: str) -> str:
    """Client text as this writer wants it: it escapes the XML, but not what looks escaped."""
    return text.escaped(text.storable(value))


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a cell has no time zone
