"""Where everything stands after one row of a list was taken out.

Everything below moves up by one, ranges over the row shrink, and what pointed at it alone is lost
(`#REF!`), as in Excel. Taking out the row that was just put in gives back every reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from canceldesk.workbook.moving.shift import LOST, Base, Place, Shift
from canceldesk.workbook.ooxml.references import LAST_ROW, Corner, Reference, Span


@dataclass(frozen=True)
class Removal(Shift):
    """The row `row` taken out of a list whose first data row was `first_row`."""

    first_row: int = 0

    by_hand: ClassVar[str] = "take this row out by hand"
    impossible: ClassVar[str] = "a row cannot be taken out of"

    def moved(self, row: int) -> int:
        """Where the row numbered `row` stands now; for the lost one, the row in its place."""
        return row - 1 if row > self.row else row

    def rows_moved(self, first: int, last: int) -> tuple[int, int] | None:
        """Where a run of rows stands now; one that reached the sheet's end still does."""
        if first == last == self.row:
            return None
        reaches_end = first < last == LAST_ROW
        return self.moved(first), last if reaches_end or last < self.row else last - 1

    def straddled_by(self, span: Span) -> bool:
        """Whether a rectangle has the lost row and others."""
        return span.top <= self.row <= span.bottom and span.top < span.bottom

    def range_moved(self, text: str) -> str:
        """The range without the lost row; one cell that is left is written as a cell."""
        moved = super().range_moved(text)
        first, _, last = moved.partition(":")
        return first if moved != text and first == last else moved

    def range_grown(self, text: str, *, even_single: bool = False) -> str:
        """The range without the lost row."""
        return self.range_moved(text)

    def special(
        self, text: str, found: Sequence[Reference], *, here: bool, place: Place, block: int
    ) -> set[int]:
        """The single cells that still are the start of the whole list."""
        if self.row != self.first_row:
            return set()
        return {
            reference.begin
            for reference in found
            if reference.anchors_block
            and reference.top.row == self.row
            and self.means(reference, here=here)
            and self.overlaps(reference)
            and (reference.top.row_fixed or not place.in_rows)
        }

    def special_rows(self, first: int, last: int) -> tuple[int, int]:
        """The row that follows takes the lost one's place."""
        return first, last

    def _with_base(
        self, text: str, found: Sequence[Reference], base: Base
    ) -> Callable[[Reference], str | None]:
        def change(reference: Reference) -> str | None:
            upper, lower = reference.upper, reference.lower
            if upper.row_fixed and lower.row_fixed:
                return self._plain(reference)
            if reference.bottom is None:
                row = self._based(upper, base)
                return reference.at(row, row)
            first = self._corner_with_base(upper, base)
            last = self._corner_with_base(lower, base)
            if lower.row_fixed and lower.row == self.row:
                last -= 1
            if first > last:
                return reference.prefix + LOST
            return reference.at(first, last)

        return change

    def _corner_with_base(self, corner: Corner, base: Base) -> int:
        return self.moved(corner.row) if corner.row_fixed else self._based(corner, base)

    def _tears(self, first: int, height: int) -> bool:
        return bool(height) and first <= self.row <= first + height
