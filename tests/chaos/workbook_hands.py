"""What a person changes in the workbook, with openpyxl and none of the product's code."""

from __future__ import annotations

import datetime as dt
import io
import random
from collections.abc import Callable, Collection, Iterable
from copy import copy
from dataclasses import dataclass
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.worksheet.worksheet import Worksheet

NAME, PHONE, DATE = "Name", "Phone Number", "Date of Cancellation"
TOTAL, MONTHS, REASON = (
    "Total Amount Collected",
    "Number of Months in the Program",
    "Reason for Cancellation",
)
CASE, NOTES = "Case", "Notes"
BY_HAND = "by hand: "
"""How the reason of a row begins that a person wrote for a client of the desk's."""
_SEARCHED = 20

Entry = tuple[str, dict[str, Any]]
"""A word of the journal and its facts."""
Edit = Callable[["OpenBook"], list[Entry]]


class Missing(Exception):
    """What was to be changed is not in the workbook."""


@dataclass(frozen=True)
class OpenBook:
    """A workbook as it is on somebody's screen."""

    book: Workbook

    @classmethod
    def opened(cls, data: bytes) -> OpenBook:
        """From a file's bytes; raises what openpyxl raises for a torn one."""
        return cls(load_workbook(io.BytesIO(data), rich_text=True))

    def saved(self) -> bytes:
        """As a file's bytes."""
        into = io.BytesIO()
        self.book.save(into)
        return into.getvalue()

    @property
    def sheet(self) -> Worksheet:
        """The cancellation tab."""
        return next(one for one in self.book.worksheets if "cancel" in one.title.lower())

    @property
    def heading(self) -> int:
        """The row of the headings."""
        rows = self.sheet.iter_rows(max_row=_SEARCHED, values_only=True)
        for number, values in enumerate(rows, start=1):
            if NAME in values:
                return number
        raise Missing("no headings")

    @property
    def columns(self) -> dict[str, int]:
        """The number of each column by its heading."""
        cells = self.sheet[self.heading]
        return {str(cell.value): int(cell.column) for cell in cells if cell.value}

    def cell(self, row: int, heading: str) -> Cell:
        """One cell of the list."""
        found = self.sheet.cell(row, self.columns[heading])
        assert isinstance(found, Cell)
        return found

    def rows(self) -> Iterable[int]:
        """The rows of the list from the top."""
        column = self.columns[NAME]
        for row in range(self.heading + 1, self.sheet.max_row + 1):
            if self.sheet.cell(row, column).value is not None:
                yield row

    def rows_that_stay(self, cases: Collection[str]) -> list[int]:
        """Rows that are not the desk's (they have no case number), and those of `cases`; not
        rows that a person may have to delete again because the desk asks for it.
        """
        staying = {None, "", *cases}
        return [
            row
            for row in self.rows()
            if self.cell(row, CASE).value in staying
            and not str(self.cell(row, REASON).value).startswith(BY_HAND)
        ]

    def row_of(self, case: str) -> int:
        """The row of a case; raises Missing."""
        for row in self.rows():
            if self.cell(row, CASE).value == case:
                return row
        raise Missing(case)

    def row_with(self, mark: str) -> int:
        """The row whose reason holds a mark; raises Missing."""
        for row in self.rows():
            if mark in str(self.cell(row, REASON).value):
                return row
        raise Missing(mark)

    def put_row(self, row: int, values: dict[str, object]) -> None:
        """Fill a row in and make it look like the one below the headings."""
        for heading, value in values.items():
            self.cell(row, heading).value = value  # type: ignore[assignment]
        like = self.heading + 2 if row == self.heading + 1 else self.heading + 1
        for heading in values:
            self.cell(row, heading).number_format = copy(self.cell(like, heading).number_format)


class Marks:
    """Edits with a mark each that is nowhere else, so that each can be found again.

    `staying` are the cases whose rows nobody is going to take out: people write beside those, too.
    """

    def __init__(self, seed: int, rng: random.Random) -> None:
        self.staying: set[str] = set()
        self._seed, self._rng = seed, rng
        self._count = 0

    def any(self) -> Edit:
        """One of all kinds of edits."""
        kinds = (self.row_on_top, self.row_at_bottom, self.comment, self.note, self.colour)
        return self._rng.choice((*kinds, self.elsewhere))

    def new(self) -> str:
        """A mark that was never given before."""
        self._count += 1
        return f"mark-{self._seed}-{self._count:04d}"

    def row_on_top(self, open_book: OpenBook) -> list[Entry]:
        """A cancellation of the person's own, on top of the list."""
        row = open_book.heading + 1
        open_book.sheet.insert_rows(row)
        return self._own_row(open_book, row)

    def row_at_bottom(self, open_book: OpenBook) -> list[Entry]:
        """One under the last row."""
        return self._own_row(open_book, max(open_book.rows(), default=open_book.heading) + 1)

    def _own_row(self, open_book: OpenBook, row: int) -> list[Entry]:
        mark, months = self.new(), self._rng.randint(0, 30)
        values = {
            NAME: f"By Hand {mark}",
            PHONE: f"(303) 555-01{self._rng.randint(0, 99):02d}",
            DATE: dt.datetime(2026, 1, 1) + dt.timedelta(days=self._rng.randint(0, 300)),  # noqa: DTZ001
            TOTAL: 49.0 * months,
            MONTHS: months,
            REASON: f"Called the office ({mark})",
        }
        open_book.put_row(row, values)
        return [_edited("own_row", mark, open_book.cell(row, NAME))]

    def comment(self, open_book: OpenBook) -> list[Entry]:
        """A comment on a row that stays."""
        mark = self.new()
        cell = self._cell_that_stays(open_book, (NAME, PHONE, REASON))
        if cell.comment is not None:
            return self.note(open_book)
        cell.comment = Comment(f"Ask again: {mark}", "Rosa")
        return [_edited("comment", mark, cell)]

    def note(self, open_book: OpenBook) -> list[Entry]:
        """A word in the company's own column."""
        mark = self.new()
        cell = self._cell_that_stays(open_book, (NOTES,))
        cell.value = f"{cell.value or ''} {mark}".strip()
        return [_edited("cell", mark, cell)]

    def colour(self, open_book: OpenBook) -> list[Entry]:
        """A colour nobody else uses."""
        self._count += 1
        mark = f"FF{self._seed % 256:02X}{self._count:04X}"
        cell = self._cell_that_stays(open_book, (NAME, PHONE, REASON))
        if cell.fill.fill_type:
            return self.note(open_book)
        cell.fill = PatternFill("solid", start_color=mark)
        return [_edited("colour", mark, cell)]

    def elsewhere(self, open_book: OpenBook) -> list[Entry]:
        """A line on another tab."""
        mark = self.new()
        sheet = next(one for one in open_book.book.worksheets if one is not open_book.sheet)
        cell = sheet.cell(sheet.max_row + 1, 1)
        assert isinstance(cell, Cell)
        cell.value = f"Remember {mark}"
        return [_edited("other_sheet", mark, cell)]

    def _cell_that_stays(self, open_book: OpenBook, headings: tuple[str, ...]) -> Cell:
        rows = open_book.rows_that_stay(tuple(self.staying))
        if not rows:
            raise Missing("a row that stays")
        return open_book.cell(self._rng.choice(rows), self._rng.choice(headings))


def like_the_desks(name: str, phone: str, on: dt.date, mark: str) -> Edit:
    """A row that a person wrote by hand for a client whose case the desk is about to list."""

    def edit(open_book: OpenBook) -> list[Entry]:
        row = open_book.heading + 1
        open_book.sheet.insert_rows(row)
        day = dt.datetime.combine(on, dt.time())
        values = {NAME: name, PHONE: phone, DATE: day, TOTAL: 1, MONTHS: 1, REASON: BY_HAND + mark}
        open_book.put_row(row, values)
        return [_edited("by_hand", mark, open_book.cell(row, NAME))]

    return edit


def without_mark(mark: str) -> Edit:
    """Delete the row that holds a mark, because the desk asks for it."""

    def edit(open_book: OpenBook) -> list[Entry]:
        open_book.sheet.delete_rows(open_book.row_with(mark))
        return [("unedited", {"mark": mark})]

    return edit


def without_row_of(case: str) -> Edit:
    """Delete the desk's row of a case, by mistake."""

    def edit(open_book: OpenBook) -> list[Entry]:
        open_book.sheet.delete_rows(open_book.row_of(case))
        return [("row_deleted", {"case": case})]

    return edit


def months_of(case: str, change: int) -> Edit:
    """Change the months in the desk's row of a case, or put them right again."""

    def edit(open_book: OpenBook) -> list[Entry]:
        cell = open_book.cell(open_book.row_of(case), MONTHS)
        cell.value = int(str(cell.value)) + change
        word = "row_changed" if change > 0 else "row_put_right"
        return [(word, {"case": case, "cell": cell.coordinate})]

    return edit


def _edited(kind: str, mark: str, cell: Cell) -> Entry:
    where = {"sheet": cell.parent.title, "cell": cell.coordinate}
    return "edited", {"kind": kind, "mark": mark, **where}
