"""Looking at the list in a workbook session: its tab, its headings, its table, all its rows."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from lxml import etree

from canceldesk.workbook import headings, reading
from canceldesk.workbook.errors import CannotPlace, CannotRead
from canceldesk.workbook.graph import cells
from canceldesk.workbook.graph.cells import Line
from canceldesk.workbook.graph.problems import Refused
from canceldesk.workbook.graph.sitting import Sitting, named
from canceldesk.workbook.headings import Headings
from canceldesk.workbook.ooxml import references
from canceldesk.workbook.protocol import ListedRow, ListView

CELLS_AT_ONCE: Final = 20_000
"""“Using read or write for large ranges in multiple smaller range sizes is recommended” (page
“Working with Excel”); no number is published."""

MOST_CELLS: Final = 8_000_000
"""A million rows of eight columns; more is no list of clients."""

ROWS_LOOKED_AT: Final = 20
"""Topmost rows that tell how the list writes its values."""

_tells: Final = reading.tells_more_than_name
_AREA: Final = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]+)(?::\$?([A-Z]{1,3})\$?([0-9]+))?$")
_EMPTY: Final = Line((), (), ())


@dataclass(frozen=True)
class Wanted:
    """What the settings say of the list: its tab and headings when they cannot be found by
    themselves, the currency of its amounts, and text for columns of the company's own.
    """

    tab: str | None
    headings: Mapping[str, str]
    currency: str
    fill: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """An Excel table: its ID, columns, and first and last row below its headings and above its
    totals.
    """

    id: str
    left: int
    right: int
    top: int
    bottom: int


@dataclass(frozen=True)
class Seen:
    """The list as it was seen at one moment. `lines` are by row number, from row 1 on."""

    item_id: str
    file: str
    tab: str
    tab_id: str
    headings: Headings
    tables: Sequence[Table]
    lines: Sequence[Line]
    date1904: bool
    currency: str

    @property
    def first_row(self) -> int:
        """The row directly under the heading."""
        return self.headings.row + 1

    def line(self, number: int) -> Line:
        """The line with this number; an empty one below what is used."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else _EMPTY

    @property
    def what(self) -> str:
        """The tab as sentences name it."""
        return f"The tab “{self.tab}” of “{self.file}”"

    @cached_property
    def table(self) -> Table | None:
        """The table whose body begins under the heading, if the list is one."""
        columns = self.headings.columns.values()
        for table in self.tables:
            some = any(table.left <= column <= table.right for column in columns)
            if some and table.top - 1 <= self.first_row <= max(table.bottom, table.top):
                return table
        return None

    @cached_property
    def rows(self) -> tuple[ListedRow, ...]:
        """The rows of the list from the top, as a file's are told: blank lines and lines of totals
        are no rows, nor is what stands below the table or, without one, lone names further down.
        """
        found = []
        end = len(self.lines)
        if self.table is not None:
            end = self.table.bottom
        else:
            end = min((table.top - 2 for table in self._tables_below), default=end)
        for number in range(self.first_row, min(end, len(self.lines)) + 1):
            listed = self.listed(number)
            if self._is_row(listed):
                found.append(listed)
        if self.table is None:
            del found[self._told(found) :]
        return tuple(found)

    @property
    def _tables_below(self) -> Iterator[Table]:
        for table in self.tables:
            beside = table.right < self.headings.left or table.left > self.headings.right
            if table.top > self.first_row + 1 and not beside:
                yield table

    def _is_row(self, listed: ListedRow) -> bool:
        if not reading.is_client(listed):
            return False
        if listed.phone.strip() or listed.cancelled_on or "cancelled_on" in listed.raw:
            return True
        line, columns = self.line(listed.row_number), self.headings.columns
        return not any(line.formula(columns[what]) for what in ("collected", "months"))

    @staticmethod
    def _told(rows: Sequence[ListedRow]) -> int:
        """How many rows there are up to the last that tells more than a name, and the names right
        under it.
        """
        count = max((n for n, row in enumerate(rows, 1) if _tells(row)), default=0)
        while 0 < count < len(rows) and rows[count].row_number == rows[count - 1].row_number + 1:
            count += 1
        return count

    def model(self, above: int = 0) -> ListedRow | None:
        """The topmost row to look like, under the line `above`: one that tells more than a name,
        since a name alone may be a sub-heading.
        """
        below = [row for row in self.rows if row.row_number > above]
        return next((row for row in below if _tells(row)), below[0] if below else None)

    def texts(self, what: str) -> list[str]:
        """How the topmost rows write a field, where they write it as text."""
        column = self.headings.columns[what]
        found = (self.line(row.row_number).value(column) for row in self.rows[:ROWS_LOOKED_AT])
        return [value for value in found if isinstance(value, str) and value.strip()]

    def is_vacant(self, number: int, *, besides: Iterable[int] = ()) -> bool:
        """Whether nothing but formulas stands in that line: in the table, if the list is one, and
        in the whole line where it is not, since whole lines are inserted there.
        """
        line = self.line(number)
        whole = range(1, len(line.values) + 1)
        mine = whole if self.table is None else range(self.table.left, self.table.right + 1)
        return cells.is_vacant(line, set(mine) - set(besides))

    def listed(self, number: int) -> ListedRow:
        """The line with this number as a row."""
        return cells.listed(
            number,
            self.line(number),
            self.headings.columns,
            date1904=self.date1904,
            currency=self.currency,
        )

    @cached_property
    def fingerprint(self) -> str:
        """The same only while the list's tab holds the same: SHA-256 of what was typed in it.

        Not the file's version (`cTag`): that changes only when a session is saved, some time after
        people have typed, and so could be the same for another list. Formulas count as they are
        written, since some of them give another value every time.
        """
        typed = [self.item_id, self.tab_id, [list(line.formulas) for line in self.lines]]
        data = json.dumps(typed, ensure_ascii=False, default=str)
        return hashlib.sha256(data.encode("utf-8", "surrogatepass")).hexdigest()

    def view(self) -> ListView:
        """The list as the rest of the desk sees it."""
        columns = self.headings.columns
        return ListView(
            path=Path(self.file),
            tab=self.tab,
            heading_row=self.headings.row,
            headings=dict(self.headings.texts),
            columns={what: references.column_letters(at) for what, at in columns.items()},
            rows=self.rows,
            fingerprint=self.fingerprint,
            settles_late=True,
        )


def look(sitting: Sitting, wanted: Wanted, before: Seen | None = None) -> Seen:
    """See the list as it is now, on the same tab as `before`.

    Raises `CannotPlace`, `CannotRead` and Graph's problems.
    """
    file = sitting.item.name
    tab, tab_id = (before.tab, before.tab_id) if before else _tab(sitting, wanted.tab)
    lines = _lines(sitting, tab_id)
    date1904 = _is_1904(sitting)
    top = (
        (number, _texts(line, date1904=date1904))
        for number, line in enumerate(lines[: headings.ROWS_SEARCHED], start=1)
    )
    found = headings.find(top, wanted.headings, tab=tab, file=file)
    return Seen(
        item_id=sitting.item.id,
        file=file,
        tab=tab,
        tab_id=tab_id,
        headings=found,
        tables=_tables(sitting, tab_id),
        lines=lines,
        date1904=date1904,
        currency=wanted.currency,
    )


def area(address: str) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of an address such as `'The list'!A4:H20`."""
    match = _AREA.search(address)
    if match is None:
        raise CannotRead(
            "Microsoft 365 describes the list's place in a way the desk does not understand. "
            "Nothing was written."
        )
    left, top = references.column_number(match[1]), int(match[2])
    right = references.column_number(match[3]) if match[3] else left
    return left, top, right, int(match[4]) if match[4] else top


def _tab(sitting: Sitting, wanted: str | None) -> tuple[str, str]:
    tabs = sitting.pages("worksheets?$select=id,name,visibility", doing="list the tabs")
    seen = {
        str(tab.get("name")): str(tab.get("id"))
        for tab in tabs
        if wanted is not None or tab.get("visibility") == "Visible"
    }
    name = headings.choose_tab(list(seen), wanted, sitting.item.name)
    return name, seen[name]


def _is_1904(sitting: Sitting) -> bool:
    """Whether the workbook counts days from 1904: its own DATE says so.

    Where Graph does not compute, it is taken to count from 1900, as nearly all workbooks do.
    """
    try:
        day = sitting.computed("date", {"year": 2000, "month": 1, "day": 1})
    except Refused:
        return False
    return str(day).removesuffix(".0") == "35064"


def _lines(sitting: Sitting, tab_id: str) -> list[Line]:
    used = sitting.read(
        f"{named('worksheets', tab_id)}/usedRange(valuesOnly=true)?$select=address",
        doing="see how far the list goes",
    )
    _, _, right, bottom = area(str(used.get("address", "")))
    if right * bottom > MOST_CELLS:
        raise CannotRead(
            f"The list's tab of “{sitting.item.name}” goes to row {bottom}, column "
            f"{references.column_letters(right)}: too much to read. Delete what does not belong "
            "there."
        )
    height = max(headings.ROWS_SEARCHED, CELLS_AT_ONCE // right)
    lines: list[Line] = []
    for top in range(1, bottom + 1, height):
        lines += _block(sitting, tab_id, top, min(bottom, top + height - 1), right)
    return lines


def _block(sitting: Sitting, tab_id: str, top: int, bottom: int, right: int) -> Iterator[Line]:
    place = f"A{top}:{references.column_letters(right)}{bottom}"
    found = sitting.read(
        f"{named('worksheets', tab_id)}/range(address='{place}')"
        "?$select=values,numberFormat,formulas",
        doing="read the list",
    )
    grids = [found.get(grid) for grid in ("values", "numberFormat", "formulas")]
    if not all(_is_grid(grid, bottom - top + 1) for grid in grids):
        raise CannotRead(
            f"Microsoft 365 gave only a part of the list in “{sitting.item.name}”. It is read "
            "again on the next try."
        )
    return (Line(*rows) for rows in zip(*grids, strict=True))


def _is_grid(grid: object, height: int) -> bool:
    return (
        isinstance(grid, list)
        and len(grid) == height
        and all(isinstance(row, list) for row in grid)
    )


def _texts(line: Line, *, date1904: bool) -> dict[int, str]:
    shown = {
        column: cells.shown(line, column, date1904=date1904)
        for column in range(1, len(line.values) + 1)
    }
    return {column: words for column, words in shown.items() if words.strip()}


def _tables(sitting: Sitting, tab_id: str) -> list[Table]:
    found = []
    for table in sitting.pages(
        f"{named('worksheets', tab_id)}/tables?$select=id,showHeaders,showTotals",
        doing="list the tables",
    ):
        key = str(table.get("id"))
        whole = sitting.read(
            f"{named('tables', key)}/range?$select=address", doing="see the table's place"
        )
        left, top, right, bottom = area(str(whole.get("address", "")))
        body = top + (1 if table.get("showHeaders", True) else 0)
        found.append(Table(key, left, right, body, bottom - bool(table.get("showTotals"))))
    return found


def merged_rows(content: bytes, seen: Seen, wanted: Wanted) -> int:
    """How many lines under the headings are merged with them, in the file as last saved.

    Raises `CannotRead` when the file does not tell.
    """
    try:
        found = reading.find_list(
            content,
            name=seen.file,
            tab=seen.tab,
            overrides=wanted.headings,
            currency=wanted.currency,
        )
    except (CannotPlace, ValueError, LookupError, ArithmeticError, etree.LxmlError) as error:
        raise CannotRead(f"The headings of “{seen.file}” are not in the saved file.") from error
    if dict(found.headings.texts) != dict(seen.headings.texts):
        raise CannotRead(f"The saved file of “{seen.file}” has other headings.")
    return max(0, found.headings.row - seen.headings.row)
