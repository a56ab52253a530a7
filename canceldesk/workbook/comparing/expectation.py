"""Where everything should stand once rows were inserted.

What is at or below the place of the new rows moves down; what means the whole list grows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from canceldesk.workbook.comparing import formulas, growth
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
    label of its own; `left` and `right` are the list's outermost columns. Until `far_row` more of
    the list may follow after gaps.
    """

    tab: str
    row: int
    count: int
    at_top: bool
    last_row: int
    left: int
    right: int
    tabs: tuple[str, ...]
    far_row: int = 0

    def moved(self, row: int) -> int:
        """Where the row with this number stands now."""
        return min(row + self.count, ROWS) if row >= self.row else row

    def is_inserted(self, row: int) -> bool:
        """Whether a row of the workbook afterwards is one of the new ones."""
        return self.row <= row < self.row + self.count

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
        if before.bottom > self.row or before.top == max(self.last_row, self.far_row):
            return (grown,)
        return (grown, moved)

    def _meets(self, left: int, right: int) -> bool:
        return left <= self.right and right >= self.left

    def formula(
        self, text: str, *, here: bool, row: int | None = None, column: int | None = None
    ) -> str:
        """A formula standing there as it should best read now; `here`: on the list's own sheet."""
        if not self.count:
            return text
        found = formulas.refs(text)

        def change(ref: Ref) -> str | None:
            first, last = self._readings(ref, found, here=here, row=row, column=column)[0]
            return None if (first, last) == (ref.first, ref.last) else ref.text(first, last)

        return formulas.replaced(text, change)

    def accepts(
        self, was: str, now: str, *, here: bool, row: int | None = None, column: int | None = None
    ) -> bool:
        """Whether a formula that read `was` may read `now`."""
        if not self.count:
            return was == now
        old, new = formulas.refs(was), formulas.refs(now)
        if len(old) != len(new) or formulas.bare(was) != formulas.bare(now):
            return False
        return all(
            (b.first, b.last) in self._readings(a, old, here=here, row=row, column=column)
            for a, b in zip(old, new, strict=True)
        )

    def fixed(self, text: str, *, here: bool) -> str:
        """A formula whose rows that are not fixed are counted from the cell that uses it."""
        if not self.count:
            return text
        found = formulas.refs(text)

        def change(ref: Ref) -> str | None:
            if not ref.first.row_fixed or not (ref.last is None or ref.last.row_fixed):
                return None
            first, last = self._readings(ref, found, here=here, row=None, column=None)[0]
            return None if (first, last) == (ref.first, ref.last) else ref.text(first, last)

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

    def _readings(
        self, ref: Ref, among: Sequence[Ref], *, here: bool, row: int | None, column: int | None
    ) -> list[tuple[End, End | None]]:
        """What a reference may read now, the best first; `among` are all of its formula's."""
        if not self._is_meant(ref, here=here):
            return [(ref.first, ref.last)]
        plain, grown = self._plain(ref), growth.grown(ref, self)
        if grown is None or not self.at_top:
            return [plain]
        last = max(self.last_row, self.far_row)
        inside = here and row is not None and self.row <= row <= last
        stands = growth.Stands(row, column) if inside else None
        wish = growth.wish(ref, among, self, stands)
        return {
            growth.Wish.MUST: [grown],
            growth.Wish.SHOULD: [grown, plain],
            growth.Wish.MAY: [plain, grown],
            growth.Wish.NOT: [plain],
        }[wish]

    def _plain(self, ref: Ref) -> tuple[End, End | None]:
        def end(one: End) -> End:
            return one if one.row is None else replace(one, row=self.moved(one.row))

        return end(ref.first), None if ref.last is None else end(ref.last)


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
