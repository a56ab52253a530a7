"""Reading the list out of a workbook."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Final

from canceldesk.workbook import headings, markup, references, sheetdata, text, values
from canceldesk.workbook.errors import CannotPlace
from canceldesk.workbook.headings import Headings
from canceldesk.workbook.protocol import ListedRow, ListView
from canceldesk.workbook.references import Span
from canceldesk.workbook.sheetdata import Cell, Row
from canceldesk.workbook.strings import SharedStrings, text_inside
from canceldesk.workbook.workbookfile import Tab, WorkbookFile
from canceldesk.workbook.worksheet import Worksheet, check_well_formed

_VALUE: Final = re.compile(rb"<v(?:\s[^<>]*)?>([^<]*)</v\s*>")
_TOTALS: Final = frozenset(
    ("total", "totals", "grand total", "subtotal", "sum", "count", "average")
)


@dataclass(frozen=True)
class FoundList:
    """The list as it was found: its tab, the cut-up worksheet and its headings."""

    file: WorkbookFile
    tab: Tab
    sheet: Worksheet
    headings: Headings
    currency: str

    @property
    def first_row(self) -> int:
        """The row directly under the heading."""
        return self.headings.row + 1

    @cached_property
    def listed(self) -> tuple[ListedRow, ...]:
        """The rows of the list from the top; blank lines and lines of totals are no rows."""
        return tuple(self.rows_from_the_top())

    def rows_from_the_top(self) -> Iterator[ListedRow]:
        """The rows of the list one by one."""
        for row in self.sheet.rows():
            if row.number > self.headings.row and (listed := self._listed(row)) is not None:
                yield listed

    @cached_property
    def last_listed(self) -> int:
        """The number of the list's last row; 0 for an empty list. Looks from each chunk's end."""
        last = 0
        for chunk in self.sheet.chunks():
            for row in sheetdata.rows_from_the_end(chunk):
                if row.number <= self.headings.row:
                    break
                if self._listed(row) is not None:
                    last = row.number
                    break
        return last

    def _listed(self, row: Row) -> ListedRow | None:
        wanted = self.headings.columns.values()
        cells = {cell.column: cell for cell in sheetdata.cells(row.cells) if cell.column in wanted}
        listed = _listed(self, row.number, cells)
        return listed if is_client(listed) else None

    def check_well_formed(self) -> None:
        """Raise `CannotRead` unless what the list was read from is well-formed XML."""
        check_well_formed(self.file.package, self.tab.part, self.what)
        self.file.shared_strings.check_well_formed()

    @property
    def what(self) -> str:
        """The tab as sentences name it."""
        return _what(self.tab, self.file)


def fingerprint(data: bytes) -> str:
    """The SHA-256 of a file's bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def find_list(
    data: bytes,
    *,
    name: str,
    tab: str | None,
    overrides: Mapping[str, str],
    currency: str,
    strings: SharedStrings | None = None,
) -> FoundList:
    """Find the list in a workbook's bytes, whose shared strings may be known already; raises
    `CannotRead` or `CannotPlace`.
    """
    file = WorkbookFile(data, name, strings)
    chosen = _chosen(file, tab)
    sheet = Worksheet.of(file.package, chosen.part, _what(chosen, file))
    top = {row.number: _texts(file, row.cells) for row in _first_rows(sheet)}
    found = headings.find(top, overrides, tab=chosen.name, file=name)
    return FoundList(file, chosen, sheet, _below_merges(found, sheet), currency)


def view(found: FoundList, path: Path, data: bytes) -> ListView:
    """The list as the rest of the desk sees it."""
    return ListView(
        path=path,
        tab=found.tab.name,
        heading_row=found.headings.row,
        headings=dict(found.headings.texts),
        columns={
            field: references.column_letters(column)
            for field, column in found.headings.columns.items()
        },
        rows=found.listed,
        fingerprint=fingerprint(data),
    )


def _what(tab: Tab, file: WorkbookFile) -> str:
    return f"The tab “{tab.name}” of “{file.name}”"


def _chosen(file: WorkbookFile, wanted: str | None) -> Tab:
    sheets = [tab for tab in file.tabs if wanted is not None or not tab.hidden]
    name = headings.choose_tab([tab.name for tab in sheets], wanted, file.name)
    chosen = next(tab for tab in sheets if tab.name == name)
    if chosen.kind != "worksheet":
        raise CannotPlace(
            f"The tab “{name}” of “{file.name}” is not a sheet with cells. "
            "Say in the settings which tab holds the list. Nothing was written."
        )
    return chosen


def _first_rows(sheet: Worksheet) -> Iterator[sheetdata.Row]:
    for row in sheet.rows():
        if row.number > headings.ROWS_SEARCHED:
            break
        yield row


def _texts(file: WorkbookFile, cells: bytes) -> dict[int, str]:
    shown = {cell.column: shown_text(file, cell) for cell in sheetdata.cells(cells)}
    return {column: words for column, words in shown.items() if words.strip()}


def _below_merges(found: Headings, sheet: Worksheet) -> Headings:
    """The headings with their row lowered to the bottom of cells merged downwards from it."""
    bottom = found.row
    frame = markup.parsed(sheet.frame, "The list's tab")
    for merge in markup.named(frame, "mergeCell"):
        span = Span.of(merge.get("ref", ""))
        columns = range(span.left, span.right + 1)
        if span.top <= found.row and any(c in columns for c in found.columns.values()):
            bottom = max(bottom, span.bottom if span.bottom >= found.row else 0)
    if bottom == found.row:
        return found
    return Headings(bottom, found.columns, found.texts, found.left, found.right)


def is_client(listed: ListedRow) -> bool:
    """Whether the line is about a client: blank lines and lines of totals are not."""
    if headings.normalised(listed.name) in _TOTALS and not listed.phone:
        return False
    return bool(listed.name.strip() or listed.phone.strip())


def _listed(found: FoundList, number: int, cells: Mapping[int, Cell]) -> ListedRow:
    raw: dict[str, str] = {}
    file, columns = found.file, found.headings.columns

    def shown(field: str) -> str:
        cell = cells.get(columns[field]) if field in columns else None
        return "" if cell is None else shown_text(file, cell)

    date = _date(file, cells.get(columns["cancelled_on"]))
    collected = _collected(file, cells.get(columns["collected"]), found.currency)
    months = _months(file, cells.get(columns["months"]))
    for field, value in (("cancelled_on", date), ("collected", collected), ("months", months)):
        if value is None and shown(field).strip():
            raw[field] = shown(field)
    return ListedRow(
        row_number=number,
        name=shown("name"),
        phone=shown("phone"),
        cancelled_on=date,
        collected_minor=collected,
        months=months,
        reason=shown("reason"),
        reference=shown("reference"),
        raw=raw,
    )


def _date(file: WorkbookFile, cell: Cell | None) -> dt.date | None:
    if cell is None:
        return None
    if _is_number(cell):
        return values.date_from_serial(_value(cell), date1904=file.date1904)
    return values.date_from_text(shown_text(file, cell))


def _collected(file: WorkbookFile, cell: Cell | None, currency: str) -> int | None:
    if cell is None:
        return None
    if _is_number(cell):
        return values.minor(_value(cell))
    return values.minor_from_text(shown_text(file, cell), currency)


def _months(file: WorkbookFile, cell: Cell | None) -> int | None:
    if cell is None:
        return None
    return values.months_from_text(_value(cell) if _is_number(cell) else shown_text(file, cell))


def shown_text(file: WorkbookFile, cell: Cell) -> str:
    """What a person would roughly see in the cell: text as it is, dates in ISO form."""
    kind = cell.kind
    if kind == "inlineStr":
        return text_inside(cell.content)
    value = _value(cell)
    if kind == "s":
        return _shared(file, value)
    if kind == "n":
        return _shown_number(file, cell, value)
    if kind == "b":
        return "TRUE" if value == "1" else "FALSE"
    return text.unescaped(value)


def _shared(file: WorkbookFile, index: str) -> str:
    return file.shared_strings[int(index)] if index.isdigit() else ""


def _shown_number(file: WorkbookFile, cell: Cell, value: str) -> str:
    if file.styles.is_date(cell.style):
        date = values.date_from_serial(value, date1904=file.date1904)
        if date is not None:
            return date.isoformat()
    return format(Decimal(value), "f") if "E" in value.upper() else value.removesuffix(".0")


def _is_number(cell: Cell) -> bool:
    return cell.kind == "n" and bool(_value(cell))


def _value(cell: Cell) -> str:
    match = _VALUE.search(cell.content)
    if match is None:
        return ""
    return markup.unescaped(match[1].decode())
