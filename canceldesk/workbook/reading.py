"""Reading the list out of a workbook."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from lxml import etree

from canceldesk.workbook import cellvalues, headings
from canceldesk.workbook.errors import CannotPlace
from canceldesk.workbook.headings import Headings
from canceldesk.workbook.ooxml import markup, references, sheetdata, tables
from canceldesk.workbook.ooxml.references import Span
from canceldesk.workbook.ooxml.sheetdata import Row
from canceldesk.workbook.ooxml.strings import SharedStrings
from canceldesk.workbook.ooxml.workbookfile import Tab, WorkbookFile
from canceldesk.workbook.ooxml.worksheet import Worksheet
from canceldesk.workbook.protocol import ListedRow, ListView

_TOTALS: Final = frozenset(
    ("total", "totals", "grand total", "subtotal", "sum", "count", "average")
)
_LONGEST_TOTAL: Final = 40


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
            if row.number > self.last_row:
                break
            if row.number > self.headings.row and self._is_row(row, listed := self._listed(row)):
                yield listed

    def rows_at(self, first: int, count: int) -> list[ListedRow]:
        """What stands in some rows, whatever it is."""
        found = []
        for row in self.sheet.rows():
            if row.number >= first + count:
                break
            if row.number >= first:
                found.append(self._listed(row))
        return found

    @cached_property
    def last_row(self) -> int:
        """The number of the list's last row; the heading's for an empty list.

        A table ends where it ends. Any other list ends above the next table under it, with the
        last line that tells more of a client than a name, and the names right under it: what
        stands further below, such as a note, is no row. Looks from each chunk's end, so that most
        rows need not be read.
        """
        if self._table is not None:
            return tables.rows_of_data(self._table).bottom
        end = min((span.top - 1 for span in self._tables_below), default=references.LAST_ROW)
        last = self.headings.row
        for chunk in self.sheet.chunks():
            last = self._last_of(chunk, last, end)
            if last == end:
                break
        return last

    def _last_of(self, chunk: bytes, before: int, end: int) -> int:
        """The last row of the list among these, or `before`, the last one above them."""
        names: set[int] = set()
        for row in sheetdata.rows_from_the_end(chunk):
            if row.number <= self.headings.row:
                break
            listed = self._listed(row)
            if row.number > end or not self._is_row(row, listed):
                continue
            if tells_more_than_name(listed):
                return _followed(row.number, names)
            names.add(row.number)
        return _followed(before, names)

    @cached_property
    def _tables(self) -> Sequence[etree._Element]:
        return tuple(tables.on(self.file.package, self.tab.part))

    @property
    def _table(self) -> etree._Element | None:
        """The table that is the list, where it is one."""
        columns = self.headings.columns.values()
        for table in self._tables:
            span = tables.cells(table)
            across = all(span.left <= column <= span.right for column in columns)
            top = self.headings.row if tables.has_headings(table) else self.first_row
            if across and span.top == top:
                return table
        return None

    @property
    def _tables_below(self) -> Iterator[Span]:
        for span in map(tables.cells, self._tables):
            beside = span.right < self.headings.left or span.left > self.headings.right
            if span.top > self.headings.row and not beside:
                yield span

    @cached_property
    def _fields(self) -> Mapping[bytes, str]:
        return {
            references.column_letters(column).encode(): field
            for field, column in self.headings.columns.items()
        }

    def _is_row(self, row: Row, listed: ListedRow) -> bool:
        """Whether a line is a row of the list: about a client, and not one that sums others up.

        A line of totals may be named in any language; but it has no phone number and no date, and
        a formula where rows have an amount or a number.
        """
        if not is_client(listed):
            return False
        if listed.phone.strip() or listed.cancelled_on or "cancelled_on" in listed.raw:
            return True
        return not any(
            b"<f" in cell.content and self._fields[letters] in ("collected", "months")
            for letters, cell in sheetdata.cells_in(row.cells, self._fields)
        )

    def _listed(self, row: Row) -> ListedRow:
        fields = self._fields
        cells = {fields[letters]: cell for letters, cell in sheetdata.cells_in(row.cells, fields)}
        return cellvalues.listed_row(self.file, row.number, cells, self.currency)

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
    checking: bool = True,
    strings: SharedStrings | None = None,
    ours: bool = False,
) -> FoundList:
    """Find the list in a workbook's bytes, whose shared strings may be known already; raises
    `CannotRead` or `CannotPlace`. Without `checking` damaged XML may go unnoticed. `ours`: the file
    was just made by the desk.
    """
    file = WorkbookFile(data, name, checking=checking, strings=strings)
    chosen = _chosen(file, tab)
    sheet = Worksheet.of(file.package, chosen.part, _what(chosen, file), ours=ours)
    top = ((row.number, _texts(file, row.cells)) for row in _first_rows(sheet))
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
        others={
            references.column_letters(column): " ".join(heading.split())
            for column, heading in found.headings.others.items()
        },
    )


def _what(tab: Tab, file: WorkbookFile) -> str:
    return f"The tab “{tab.name}” of “{file.name}”"


def _chosen(file: WorkbookFile, wanted: str | None) -> Tab:
    sheets = [
        tab
        for tab in file.tabs
        if wanted is not None or (tab.kind == "worksheet" and not tab.hidden)
    ]
    name = headings.choose_tab([tab.name for tab in sheets], wanted, file.name)
    chosen = next(tab for tab in sheets if tab.name == name)
    if chosen.kind != "worksheet":
        raise CannotPlace(
            f"The tab “{name}” of “{file.name}” is not a sheet with cells. "
            "Say which tab holds the list, in the settings or with --tab. Nothing was written."
        )
    return chosen


def _first_rows(sheet: Worksheet) -> Iterator[sheetdata.Row]:
    for row in sheet.rows():
        if row.number > headings.ROWS_SEARCHED:
            break
        yield row


def _texts(file: WorkbookFile, cells: bytes) -> dict[int, str]:
    shown = {cell.column: cellvalues.shown_text(file, cell) for cell in sheetdata.cells(cells)}
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
    return replace(found, row=bottom)


def is_client(listed: ListedRow) -> bool:
    """Whether the line is about a client: blank lines and lines of totals are not."""
    if listed.phone.strip():
        return True
    name = listed.name.strip()
    is_dated = listed.cancelled_on is not None or "cancelled_on" in listed.raw
    is_total = len(name) < _LONGEST_TOTAL and headings.normalised(name) in _TOTALS
    return bool(name) and (is_dated or not is_total)


def tells_more_than_name(listed: ListedRow) -> bool:
    """Whether the line says anything but a name, as a note under a list does not."""
    told = (listed.phone, listed.reason, listed.reference, *listed.raw.values())
    understood = (listed.cancelled_on, listed.collected_minor, listed.months)
    return any(words.strip() for words in told) or any(value is not None for value in understood)


def _followed(number: int, names: Container[int]) -> int:
    """The last row of those that follow row `number` without a gap."""
    while number + 1 in names:
        number += 1
    return number
