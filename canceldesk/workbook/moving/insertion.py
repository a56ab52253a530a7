"""Where everything stands after rows were inserted directly under a list's heading.

Everything at or below the new rows moves down. A reference that means the whole list, that is a
range whose first row was the first data row, grows to take the new rows in; Excel itself would
only move it. Rows *inside* the list that look at their own or neighbouring rows are no such
references and just move; a total of the rows above it is one, though.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from canceldesk.workbook.moving import pairing
from canceldesk.workbook.moving.shift import Base, Place, Shift
from canceldesk.workbook.ooxml import references
from canceldesk.workbook.ooxml.references import LAST_ROW, Corner, Reference, Span, column_number


@dataclass(frozen=True)
class Insertion(Shift):
    """`count` rows put in at `row`, which was the first data row until now.

    `last_row` is the last row of the list before (`row - 1` for an empty list).
    """

    count: int = 1

    by_hand: ClassVar[str] = "add this row by hand"
    impossible: ClassVar[str] = "a row cannot be put into"

    @property
    def single(self) -> bool:
        """Whether the list held at most one row, so that one cell could mean the whole list."""
        return self.last_row <= self.row

    def moved(self, row: int) -> int:
        """Where the row numbered `row` stands now; nothing falls off the sheet's end."""
        return min(row + self.count, LAST_ROW) if row >= self.row else row

    def rows_moved(self, first: int, last: int) -> tuple[int, int]:
        """Where a run of rows stands now, stretched if the new rows are inside."""
        return self.moved(first), self.moved(last)

    def straddled_by(self, span: Span) -> bool:
        """Whether a rectangle lies on both sides of the new rows."""
        return span.top < self.row <= span.bottom

    def range_grown(self, text: str, *, even_single: bool = False) -> str:
        """The range with the new rows taken in if it covered the list from its first row.

        With `even_single` a range over only the first row grows too.
        """

        def change(found: Reference) -> str | None:
            last = found.lower.row
            starts = found.upper.row == self.row and self.overlaps(found)
            if not starts or not (last > self.row or even_single or self.single):
                return self._plain(found)
            if found.bottom is None:
                return f"{found.top}:{_with_row(found.top, self.moved(last))}"
            return found.at(self.row, self.moved(last))

        return references.rewritten(text, change)

    def special(
        self, text: str, found: Sequence[Reference], *, here: bool, place: Place, block: int
    ) -> set[int]:
        """The ranges that grow and the single cells that stay as the start of the whole list."""
        mine = [reference for reference in found if self.means(reference, here=here)]
        staying = {one.begin for one in mine if self._opens_list(one, place)}

        def could(reference: Reference) -> bool:
            straddles = reference.upper.row < self.row <= reference.lower.row
            return reference in mine and (straddles or self._may_grow(reference, place))

        def grows(reference: Reference) -> bool:
            return (
                self._may_grow(reference, place) and self.overlaps(reference) and reference in mine
            )

        return staying | pairing.growing(text, found, grows=grows, could=could, block=block)

    def special_rows(self, first: int, last: int) -> tuple[int, int]:
        """The first row stays, and the new rows come in."""
        return min(first, self.row), self.moved(last)

    def _opens_list(self, reference: Reference, place: Place) -> bool:
        """Whether a single cell is the fixed start of a block that means the list."""
        return (
            reference.anchors_block
            and reference.top.row == self.row
            and self.overlaps(reference)
            and (reference.top.row_fixed or not place.in_rows)
        )

    def _may_grow(self, reference: Reference, place: Place) -> bool:
        """Whether the rows of a range are those of the whole list, seen from `place`."""
        upper, lower = reference.upper, reference.lower
        if reference.bottom is None or upper.row != self.row:
            return False
        if not place.in_rows:
            return lower.row > self.row or (self.single and reference.one_column)
        running_total = not lower.row_fixed and reference.one_column
        if upper.row_fixed and (lower.row > self.row or running_total):
            return True
        if self.row < lower.row < place.row and self._is_total(reference, place):
            return True
        from_here_on = lower.row_fixed and not upper.row_fixed
        return not place.in_columns and self.row < lower.row >= self.last_row and not from_here_on

    def _is_total(self, reference: Reference, place: Place) -> bool:
        """Whether a formula among the list's rows that reads rows above it is really a total."""
        own_column = column_number(reference.top.letters or "A") == place.column
        return place.row == self.last_row or (reference.one_column and own_column)

    def _with_base(
        self, text: str, found: Sequence[Reference], base: Base
    ) -> Callable[[Reference], str | None]:
        def may_grow(reference: Reference) -> bool:
            upper, lower = reference.upper, reference.lower
            return (
                reference.bottom is not None
                and upper.row_fixed
                and upper.row == self.row
                and (lower.row > self.row or not lower.row_fixed or self.single)
            )

        growing = pairing.growing(
            text,
            found,
            grows=lambda reference: (
                self.means(reference, here=True)
                and self.overlaps(reference)
                and may_grow(reference)
            ),
            could=lambda reference: (
                self.means(reference, here=True)
                and (may_grow(reference) or reference.upper.row < self.row <= reference.lower.row)
            ),
        )

        def change(reference: Reference) -> str:
            upper = self._corner_with_base(reference.upper, base)
            lower = self._corner_with_base(reference.lower, base)
            grows = reference.begin in growing and reference.upper.row == self.row
            return reference.at(self.row if grows else upper, lower)

        return change

    def _corner_with_base(self, corner: Corner, base: Base) -> int:
        return self.moved(corner.row) if corner.row_fixed else self._based(corner, base)

    def _tears(self, first: int, height: int) -> bool:
        return first < self.row <= first + height


def _with_row(corner: Corner, row: int) -> Corner:
    return Corner(corner.letters, corner.column_fixed, row, corner.row_fixed)
