"""A workbook as Excel for the web holds it: cells, tables, merges, and formulas that move."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from canceldesk.workbook.ooxml.references import column_letters, column_number
from tests.workbook.graph.practice.typing_in import Cell, type_into

_REFERENCE = re.compile(
    r"(?:(?P<tab>'[^']+'|\w+)!)?\$?(?P<c1>[A-Z]{1,3})\$?(?P<r1>\d+)"
    r"(?::\$?(?P<c2>[A-Z]{1,3})\$?(?P<r2>\d+))?(?![\w(])"
)
_SUM = re.compile(r"=SUM\((?:(?P<tab>'[^']+'|\w+)!)?([A-Z]+)(\d+):([A-Z]+)(\d+)\)$")
Area = tuple[int, int, int, int]
"""Left, top, right, bottom."""


class InTheWayError(Exception):
    """Excel cannot make the move."""


@dataclass
class Table:
    """An Excel table; `area` includes its headings. `calculated` has formulas by column."""

    id: str
    area: Area
    has_headings: bool = True
    has_totals: bool = False
    calculated: dict[int, str] = field(default_factory=dict)

    @property
    def body_top(self) -> int:
        return self.area[1] + (1 if self.has_headings else 0)


@dataclass
class Tab:
    """One tab of the book; cells by (row, column) from 1."""

    id: str
    name: str
    visibility: str = "Visible"
    protected: bool = False
    cells: dict[tuple[int, int], Cell] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    merges: list[Area] = field(default_factory=list)

    def cell(self, row: int, column: int) -> Cell:
        return self.cells.setdefault((row, column), Cell())

    def used(self) -> tuple[int, int]:
        """The last row and column that hold something; (1, 1) on an empty tab."""
        filled = [place for place, cell in self.cells.items() if cell.value != "" or cell.formula]
        return (
            max((row for row, _ in filled), default=1),
            max((column for _, column in filled), default=1),
        )

    def hides(self, row: int, column: int) -> bool:
        """Whether the cell lies under another one merged over it; what is typed there is lost."""
        return any(
            left <= column <= right and top <= row <= bottom and (row, column) != (top, left)
            for left, top, right, bottom in self.merges
        )


@dataclass
class Book:
    """The workbook. Quirks say what Excel may do either way, because nothing is published."""

    tabs: list[Tab]
    date1904: bool = False
    keeps_apostrophe: bool = False
    formats_after_values: bool = False
    new_table_rows_are_plain: bool = False

    def tab(self, key: str) -> Tab:
        return next(tab for tab in self.tabs if key in (tab.id, tab.name))

    def table(self, key: str) -> tuple[Tab, Table]:
        return next((tab, t) for tab in self.tabs for t in tab.tables if t.id == key)

    def value(self, tab: Tab, cell: Cell) -> Any:
        """What the cell shows: sums are computed, other formulas keep their last value."""
        match = _SUM.match(cell.formula)
        if match is None:
            return cell.value
        where = self.tab(match[1].strip("'")) if match[1] else tab
        area = (column_number(match[2]), int(match[3]), column_number(match[4]), int(match[5]))
        numbers = (where.cells[p].value for p in _places(area) if p in where.cells)
        return sum(n for n in numbers if isinstance(n, int | float) and not isinstance(n, bool))

    def type(self, tab: Tab, row: int, column: int, entry: Any, number_format: Any) -> None:
        """Set what one PATCH says of one cell; None leaves alone."""
        cell = tab.cell(row, column)
        if number_format is not None and not self.formats_after_values:
            cell.number_format = number_format or "General"
        if entry is not None and not tab.hides(row, column):
            type_into(cell, entry, keeps_apostrophe=self.keeps_apostrophe)
        if number_format is not None and self.formats_after_values:
            cell.number_format = number_format or "General"

    def insert_rows(self, tab: Tab, row: int) -> None:
        """A whole new line that looks like the one above it, as in Excel."""
        self._move(tab, row, 1, lambda _column: True)
        for (r, column), cell in list(tab.cells.items()):
            if r == row - 1:
                tab.cells[row, column] = cell.like()
        for table in tab.tables:
            table.area = _grown(table.area, row)
        tab.merges = [_grown(area, row) for area in tab.merges]

    def delete_rows(self, tab: Tab, row: int) -> None:
        """Take a whole line out."""
        for place in [place for place in tab.cells if place[0] == row]:
            del tab.cells[place]
        self._move(tab, row + 1, -1, lambda _column: True)
        for table in tab.tables:
            table.area = _shrunk(table.area, row)

    def insert_in_table(self, tab: Tab, table: Table, index: int, values: list[Any]) -> None:
        """A new row of a table, with its values; only the table's columns move down."""
        left, top, right, bottom = table.area
        row = table.body_top + index
        if any(
            other is not table and other.area[1] > bottom and not _within(other.area, left, right)
            for other in tab.tables
        ):
            raise InTheWayError
        columns = range(left, right + 1)
        looks = {c: tab.cells[row, c].like() for c in columns if (row, c) in tab.cells}
        self._move(tab, row, 1, lambda column: left <= column <= right)
        table.area = (left, top, right, bottom + 1)
        for column, value in zip(columns, values, strict=True):
            plain = self.new_table_rows_are_plain
            tab.cells[row, column] = Cell() if plain else looks.get(column, Cell())
            if column in table.calculated:
                tab.cells[row, column].formula = table.calculated[column]
                tab.cells[row, column].value = 0
            self.type(tab, row, column, value, None)

    def delete_in_table(self, tab: Tab, table: Table, index: int) -> None:
        """Take a row out of a table; the last one stays as an empty line."""
        left, top, right, bottom = table.area
        row = table.body_top + index
        for column in range(left, right + 1):
            tab.cells.pop((row, column), None)
        if bottom - table.has_totals > table.body_top:
            self._move(tab, row + 1, -1, lambda column: left <= column <= right)
            table.area = (left, top, right, bottom - 1)

    def _move(self, tab: Tab, row: int, by: int, moves: Callable[[int], bool]) -> None:
        tab.cells = {
            ((r + by, c) if r >= row and moves(c) else (r, c)): cell
            for (r, c), cell in tab.cells.items()
        }
        for where in self.tabs:
            for cell in where.cells.values():
                if cell.formula:
                    cell.formula = _moved(cell.formula, where, tab, row, by, moves)


def _moved(
    formula: str, where: Tab, tab: Tab, row: int, by: int, moves: Callable[[int], bool]
) -> str:
    def change(match: re.Match[str]) -> str:
        named = (match["tab"] or "").strip("'")
        if (named or where.name) != tab.name or not moves(column_number(match["c1"])):
            return match[0]
        prefix = f"{match['tab']}!" if match["tab"] else ""
        first = int(match["r1"]) + (by if int(match["r1"]) >= row else 0)
        if not match["r2"]:
            return f"{prefix}{match['c1']}{first}"
        last = int(match["r2"]) + (by if int(match["r2"]) >= row else 0)
        return f"{prefix}{match['c1']}{first}:{match['c2']}{last}"

    return _REFERENCE.sub(change, formula)


def _grown(area: Area, row: int) -> Area:
    left, top, right, bottom = area
    return left, top + (top >= row), right, bottom + (bottom >= row)


def _shrunk(area: Area, row: int) -> Area:
    left, top, right, bottom = area
    return left, top - (top > row), right, bottom - (bottom >= row)


def _within(area: Area, left: int, right: int) -> bool:
    return (area[0] >= left and area[2] <= right) or area[2] < left or area[0] > right


def _places(area: Area) -> Iterator[tuple[int, int]]:
    left, top, right, bottom = area
    return ((r, c) for r in range(top, bottom + 1) for c in range(left, right + 1))


def address(tab: Tab, area: Area) -> str:
    """An area as Graph writes it, with its tab."""
    left, top, right, bottom = area
    first, last = f"{column_letters(left)}{top}", f"{column_letters(right)}{bottom}"
    return f"'{tab.name}'!{first}" if first == last else f"'{tab.name}'!{first}:{last}"
