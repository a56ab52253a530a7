"""Where everything should stand once rows were inserted: the policy, worked out independently.

What is at or below the place of the new rows moves down. A range that begins at the list's first
row means the whole list and takes the new rows in; but inside the list, a formula's own and
neighbouring rows just move along with it. In the list's last row, what reads rows above it from the
first on is a total.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from canceldesk.workbook.comparing import formulas
from canceldesk.workbook.comparing.formulas import ROWS, End, Ref

_RANGE: Final = re.compile(
    r"\$?([A-Za-z]{1,3})?\$?([0-9]{1,7})?(?::\$?([A-Za-z]{1,3})?\$?([0-9]{1,7})?)?"
)


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cells, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


def area(text: str) -> Area | None:
    """The rectangle that `A1:B2`, `A1`, `A:B` or `1:2` means; None for what is no range."""
    match = _RANGE.fullmatch(text.strip())
    if match is None or not text.strip():
        return None
    first_column, first_row, last_column, last_row = match.groups()
    if ":" not in text:
        last_column, last_row = first_column, first_row
    left = formulas.column(first_column) if first_column else 1
    right = formulas.column(last_column) if last_column else formulas.COLUMNS
    return Area(int(first_row or 1), left, int(last_row or ROWS), right)


@dataclass(frozen=True)
class Expectation:
    """`count` rows inserted at `row` of `tab`; nothing moves when `count` is 0.

    `at_top`: they stand directly under the heading, so that whole-list references grow.
    `last_row` is the last of the unbroken rows of the list before, perhaps a row of totals with a
    label of its own; `left` and `right` are the list's outermost columns.
    """

    tab: str
    row: int
    count: int
    at_top: bool
    last_row: int
    left: int
    right: int
    tabs: tuple[str, ...]

    def moved(self, row: int) -> int:
        """Where the row with this number stands now."""
        return min(row + self.count, ROWS) if row >= self.row else row

    def is_inserted(self, row: int) -> bool:
        """Whether a row of the workbook afterwards is one of the new ones."""
        return self.row <= row < self.row + self.count

    def area_moved(self, before: Area) -> Area:
        """Where a rectangle stands now."""
        return replace(before, top=self.moved(before.top), bottom=self.moved(before.bottom))

    def ranges(self, text: str, *, grows: bool) -> tuple[str, ...]:
        """What one or several ranges may read now, the best first; `grows`: whole-list ones do.

        Ranges over only the first row of a longer list may grow or move.
        """
        readings = [""]
        for part in text.split(" "):
            choices = self._range(part, grows=grows)
            readings = [f"{reading} {choice}" for reading in readings for choice in choices]
        return tuple(dict.fromkeys(reading[1:] for reading in readings[:64]))

    def _range(self, text: str, *, grows: bool) -> tuple[str, ...]:
        before = area(text)
        if before is None or not self.count:
            return (text,)
        moved = _with_rows(text, self.moved(before.top), self.moved(before.bottom))
        starts = self.at_top and before.top == self.row and self._meets(before.left, before.right)
        if not grows or not starts:
            return (moved,)
        grown = _with_rows(text, before.top, self.moved(before.bottom))
        if before.bottom > self.row or before.top == self.last_row:
            return (grown,)
        return (grown, moved)

    @property
    def _single(self) -> bool:
        return self.last_row <= self.row

    def _meets(self, left: int, right: int) -> bool:
        return left <= self.right and right >= self.left

    def inside(self, row: int | None, *, here: bool) -> bool:
        """Whether a formula standing there is one of the list's own rows."""
        return here and row is not None and self.row <= row <= self.last_row

    def formula(self, text: str, *, here: bool, row: int | None = None) -> str:
        """A formula standing in `row` as it should read now; `here`: on the list's own sheet."""
        if not self.count:
            return text
        inside = row if self.inside(row, here=here) else None
        return formulas.replaced(text, lambda ref: self._ref(ref, here=here, inside=inside))

    def fixed(self, text: str, *, here: bool) -> str:
        """A formula whose rows that are not fixed are counted from the cell that uses it."""
        if not self.count:
            return text

        def change(ref: Ref) -> str | None:
            fixed = ref.first.row_fixed and (ref.last is None or ref.last.row_fixed)
            return self._ref(ref, here=here, inside=None) if fixed else None

        return formulas.replaced(text, change)

    def crosses(self, text: str) -> bool:
        """Whether a formula reads the moved rows of several sheets at once."""
        return any(
            ref.last_sheet is not None
            and self._within(ref)
            and self._plain(ref) != (ref.first, ref.last)
            for ref in formulas.refs(text)
        )

    def _within(self, ref: Ref) -> bool:
        folded = [tab.casefold() for tab in self.tabs]
        begin, end = (ref.sheet or "").casefold(), (ref.last_sheet or "").casefold()
        if begin not in folded or end not in folded:
            return False
        between = folded[folded.index(begin) : folded.index(end) + 1]
        return self.tab.casefold() in between

    def _is_meant(self, ref: Ref, *, here: bool) -> bool:
        if ref.elsewhere or ref.last_sheet is not None:
            return False
        return here if ref.sheet is None else ref.sheet.casefold() == self.tab.casefold()

    def _ref(self, ref: Ref, *, here: bool, inside: int | None) -> str | None:
        if not self._is_meant(ref, here=here):
            return None
        first, last = self._grown(ref, inside=inside) or self._plain(ref)
        return None if (first, last) == (ref.first, ref.last) else ref.text(first, last)

    def _plain(self, ref: Ref) -> tuple[End, End | None]:
        def end(one: End) -> End:
            return one if one.row is None else replace(one, row=self.moved(one.row))

        return end(ref.first), None if ref.last is None else end(ref.last)

    def _grown(self, ref: Ref, *, inside: int | None) -> tuple[End, End | None] | None:
        """The ends of a reference that means the list from its first row on; None for others.

        A range may be written from the bottom up: `D9:D4`.
        """
        if ref.last is None:
            return (ref.first, None) if self._opens_the_list(ref, inside=inside) else None
        first, last = ref.first, ref.last
        turned = (first.row or 1) > (last.row or ROWS)
        top, bottom = (last, first) if turned else (first, last)
        if not self._covers_the_list(top, bottom, inside=inside):
            return None
        moved = replace(bottom, row=self.moved(bottom.row or ROWS))
        return (moved, top) if turned else (top, moved)

    def _opens_the_list(self, ref: Ref, *, inside: int | None) -> bool:
        at = ref.first
        starts = self.at_top and at.row == self.row and self._meets(at.column or 1, at.column or 1)
        return starts and ref.opens and (at.row_fixed or inside is None)

    def _covers_the_list(self, top: End, bottom: End, *, inside: int | None) -> bool:
        columns = sorted((top.column or 1, bottom.column or formulas.COLUMNS))
        if not self.at_top or top.row != self.row or not self._meets(columns[0], columns[1]):
            return False
        longer = (bottom.row or ROWS) > self.row
        one_column = top.column is not None and top.column == bottom.column
        if inside is not None:
            running = not bottom.row_fixed and one_column
            total = longer and inside == self.last_row and (bottom.row or ROWS) < inside
            return total or (top.row_fixed and (longer or running))
        return longer or (self._single and one_column)


def _with_rows(text: str, top: int, bottom: int) -> str:
    """A range's text with other rows, its dollar signs and case kept."""
    first, colon, last = text.partition(":")

    def end(part: str, row: int) -> str:
        return re.sub(r"[0-9]+$", str(row), part)

    if not colon:
        if top == bottom:
            return end(first, top)
        return f"{end(first, top)}:{end(first, bottom)}"
    return f"{end(first, top)}:{end(last, bottom)}"
