"""The list as it stands in the workbook, read with openpyxl."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.chaos.oracle import values
from tests.chaos.oracle.violation import UnreadableError

HEADINGS_WITHIN = 50
NEEDED = ("name", "phone", "cancelled_on", "collected", "months", "reason")
_SAYS = {
    "cancelled_on": re.compile(r"\bdate\b"),
    "phone": re.compile(r"\bphone\b"),
    "collected": re.compile(r"\bcollected\b"),
    "months": re.compile(r"\bmonths\b"),
    "reason": re.compile(r"\breason\b"),
    "reference": re.compile(r"^(case|reference|case number)$"),
    "name": re.compile(r"\bname\b|^client$"),
}

Cell = Any


@dataclass(frozen=True)
class Line:
    """A line of the list. What cannot be understood is None; `cells` has every cell as it is,
    `own` the places of the list's own columns among them.
    """

    number: int
    name: str
    phone: str
    cancelled_on: dt.date | None
    collected_minor: int | None
    months: int | None
    reason: str
    reference: str
    cells: tuple[Cell, ...]
    own: tuple[int, ...]

    def __str__(self) -> str:
        return f"row {self.number}: {' | '.join(str(self.cells[place]) for place in self.own)}"

    def says(self, mark: str) -> bool:
        """Whether a text stands in one of its cells."""
        return any(mark in str(cell) for cell in self.cells if cell is not None)


class Book:
    """A workbook with the list in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _workbook(self) -> Workbook:
        try:
            return openpyxl.load_workbook(self.path)
        except Exception as problem:  # openpyxl raises whatever it stumbles over
            raise UnreadableError(f"{self.path.name} cannot be opened: {problem!r}") from problem

    @cached_property
    def sheet(self) -> Worksheet:
        """The tab with the list. Raises UnreadableError."""
        for sheet in self._workbook.worksheets:
            if "cancel" in sheet.title.casefold():
                return sheet
        raise UnreadableError(f"{self.path.name} has no tab for cancellations.")

    @cached_property
    def _headings(self) -> tuple[int, dict[str, int]]:
        for row in self.sheet.iter_rows(max_row=HEADINGS_WITHIN):
            found: dict[str, int] = {}
            for cell in row:
                text = values.plain(cell.value).casefold()
                fits = [name for name, says in _SAYS.items() if says.search(text)]
                if fits:
                    found.setdefault(fits[0], int(cell.column or 0) - 1)
            if all(name in found for name in NEEDED):
                return int(row[0].row or 0), found
        raise UnreadableError(f"{self.path.name} has no headings of the list.")

    @cached_property
    def lines(self) -> list[Line]:
        """The lines of the list, from the top to the first empty one."""
        heading, columns = self._headings
        found = []
        for number, cells in enumerate(
            self.sheet.iter_rows(min_row=heading + 1, values_only=True), start=heading + 1
        ):
            if all(cells[place] is None for place in columns.values()):
                break
            found.append(_line(number, cells, columns))
        return found

    @cached_property
    def texts(self) -> list[str]:
        """Everything a person can have put anywhere: values, comments and colours of cells."""
        found = []
        for sheet in self._workbook.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.value is not None:
                        found.append(str(cell.value))
                    if cell.comment is not None:
                        found.append(str(cell.comment.text))
                    if cell.fill.fill_type is not None:
                        found.append(str(cell.fill.start_color.rgb))
        return found

    def constants(self) -> dict[tuple[str, str], Cell]:
        """What stands in the cells of the other tabs, formulas left out, by tab and cell."""
        return {
            (sheet.title, cell.coordinate): cell.value
            for sheet in self._workbook.worksheets
            if sheet.title != self.sheet.title
            for row in sheet.iter_rows()
            for cell in row
            if cell.value is not None and cell.data_type != "f"
        }


def _line(number: int, cells: tuple[Cell, ...], columns: dict[str, int]) -> Line:
    def value(field: str) -> Cell:
        return cells[columns[field]] if field in columns else None

    return Line(
        number=number,
        name=values.plain(value("name")),
        phone=values.plain(value("phone")),
        cancelled_on=_day(value("cancelled_on")),
        collected_minor=_minor(value("collected")),
        months=_count(value("months")),
        reason=values.plain(value("reason")),
        reference=values.plain(value("reference")),
        cells=cells,
        own=tuple(sorted(columns.values())),
    )


def _day(cell: Cell) -> dt.date | None:
    return cell.date() if isinstance(cell, dt.datetime) else None


def _minor(cell: Cell) -> int | None:
    return round(cell * 100) if isinstance(cell, int | float) else None


def _count(cell: Cell) -> int | None:
    if isinstance(cell, int | float):
        return int(cell) if cell == int(cell) else None
    said = re.fullmatch(r"(\d+)( months?)?", values.plain(cell))
    return int(said[1]) if said else None
