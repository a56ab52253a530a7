"""What the cells of one line of the list tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from canceldesk.workbook import text, values
from canceldesk.workbook.ooxml import markup
from canceldesk.workbook.ooxml.sheetdata import Cell
from canceldesk.workbook.ooxml.strings import text_inside
from canceldesk.workbook.ooxml.workbookfile import WorkbookFile
from canceldesk.workbook.protocol import ListedRow

_VALUE: Final = re.compile(rb"<v(?:\s[^<>]*)?>([^<]*)</v\s*>")
_UNDERSTOOD: Final = frozenset(("cancelled_on", "collected", "months"))


def listed_row(
    file: WorkbookFile, number: int, cells: Mapping[str, Cell], currency: str
) -> ListedRow:
    """The line `number` with the cells of its fields; amounts are in `currency` (ISO 4217)."""
    numbers = {field: _number(cell) for field, cell in cells.items() if field in _UNDERSTOOD}
    shown = {
        field: shown_text(file, cell) for field, cell in cells.items() if not numbers.get(field)
    }

    def read(field: str) -> tuple[str, str]:
        return numbers.get(field, ""), shown.get(field, "")

    stored, words = read("cancelled_on")
    date = (
        values.date_from_serial(stored, date1904=file.date1904)
        if stored
        else values.date_from_text(words)
    )
    stored, words = read("collected")
    collected = values.minor(stored) if stored else values.minor_from_text(words, currency)
    stored, words = read("months")
    months = values.months_from_text(stored or words)
    understood = {"cancelled_on": date, "collected": collected, "months": months}
    raw = {
        field: words
        for field, value in understood.items()
        if value is None
        and field in cells
        and (words := shown.get(field) or shown_text(file, cells[field])).strip()
    }
    return ListedRow(
        row_number=number,
        name=shown.get("name", ""),
        phone=shown.get("phone", ""),
        cancelled_on=date,
        collected_minor=collected,
        months=months,
        reason=shown.get("reason", ""),
        reference=shown.get("reference", ""),
        raw=raw,
    )


def shown_text(file: WorkbookFile, cell: Cell) -> str:
    """What a person would roughly see in the cell: text as it is, dates in ISO form."""
    kind = cell.kind
    if kind == "inlineStr":
        return text_inside(cell.content)
    value = _value(cell)
    if kind == "s":
        return file.shared_strings[int(value)] if value.isdigit() else ""
    if kind == "n":
        return _shown_number(file, cell, value)
    if kind == "b":
        return "TRUE" if value == "1" else "FALSE"
    return text.unescaped(value)


def _shown_number(file: WorkbookFile, cell: Cell, value: str) -> str:
    if file.styles.is_date(cell.style):
        date = values.date_from_serial(value, date1904=file.date1904)
        if date is not None:
            return date.isoformat()
    return format(Decimal(value), "f") if "E" in value.upper() else value.removesuffix(".0")


def _number(cell: Cell) -> str:
    """The stored number of a cell; "" where it holds none."""
    return _value(cell) if cell.kind == "n" else ""


def _value(cell: Cell) -> str:
    match = _VALUE.search(cell.content)
    return "" if match is None else markup.unescaped(match[1].decode())
