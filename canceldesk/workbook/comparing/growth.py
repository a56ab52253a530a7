"""Which references mean the whole list: the policy, worked out independently of the editing.

A range that begins at the list's first row means the whole list and takes new rows in. Inside the
list, a formula's own and neighbouring rows just move along with it. Where both can be meant, either
reading is right: the judge names what is wrong, not what could have been decided otherwise.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from canceldesk.workbook.comparing import formulas
from canceldesk.workbook.comparing.formulas import ROWS, End, Ref

if TYPE_CHECKING:
    from canceldesk.workbook.comparing.expectation import Expectation


class Wish(enum.Enum):
    """How surely a reference means the whole list."""

    MUST = enum.auto()
    SHOULD = enum.auto()
    MAY = enum.auto()
    NOT = enum.auto()


@dataclass(frozen=True)
class Stands:
    """The place of a formula among the list's rows."""

    row: int | None
    column: int | None


def grown(ref: Ref, expected: Expectation) -> tuple[End, End | None] | None:
    """A reference that begins at the list's first row with the new rows taken in; else None.

    A range may be written from the bottom up: `D9:D4`.
    """
    if ref.last is None:
        return (ref.first, None) if ref.opens and ref.first.row == expected.row else None
    top, bottom = _upright(ref)
    if top.row != expected.row:
        return None
    lower = replace(bottom, row=expected.moved(bottom.row or ROWS))
    return (top, lower) if top is ref.first else (lower, top)


def wish(ref: Ref, among: Sequence[Ref], expected: Expectation, stands: Stands | None) -> Wish:
    """How surely a reference beginning at the first row means the list; `stands`: inside it."""
    if ref.last is None:
        on_list = _meets(ref.first, ref.first, expected)
        return Wish.MUST if on_list and (ref.first.row_fixed or stands is None) else Wish.NOT
    top, bottom = _upright(ref)
    if not _meets(top, bottom, expected):
        return Wish.MAY if len(among) > 1 else Wish.NOT
    surely = _outside(top, bottom, expected) if stands is None else _inside(
        top, bottom, expected, stands
    )  # fmt: skip
    if surely is Wish.MUST and _is_paired(ref, among, expected, stands):
        return Wish.SHOULD
    return surely


def _outside(top: End, bottom: End, expected: Expectation) -> Wish:
    if (bottom.row or ROWS) > expected.row:
        return Wish.MUST
    if expected.last_row > expected.row:
        return Wish.NOT
    return Wish.MUST if _one_column(top, bottom) else Wish.MAY


def _after_a_gap(top: End, bottom: End, expected: Expectation, stands: Stands) -> Wish:
    """Below the unbroken rows: more of the list, or totals and notes under it."""
    surely = _outside(top, bottom, expected)
    own = _one_column(top, bottom) and stands.column == top.column
    return Wish.SHOULD if surely is Wish.MUST and not own else surely


def _inside(top: End, bottom: End, expected: Expectation, stands: Stands) -> Wish:
    row, last = stands.row or 0, bottom.row or ROWS
    if row > expected.last_row:
        return _after_a_gap(top, bottom, expected, stands)
    running = not bottom.row_fixed and _one_column(top, bottom)
    if top.row_fixed:
        return Wish.MUST if last > expected.row or running else Wish.NOT
    if expected.row < last < row:
        total = row == expected.last_row and last == row - 1 and stands.column == top.column
        return Wish.MUST if total else Wish.MAY
    beside = stands.column is not None and not expected.left <= stands.column <= expected.right
    return Wish.MAY if beside and last >= expected.last_row else Wish.NOT


def _is_paired(
    ref: Ref, among: Sequence[Ref], expected: Expectation, stands: Stands | None
) -> bool:
    """Whether a range beside it, equally tall, cannot become equally tall with it."""
    height = _height(ref)
    for other in among:
        if other is ref or other.last is None or _height(other) != height:
            continue
        top, bottom = _upright(other)
        straddles = (top.row or 1) < expected.row <= (bottom.row or ROWS)
        moves_along = stands is not None and not top.row_fixed
        if (top.row != expected.row or moves_along) and not straddles:
            return True
    return False


def _height(ref: Ref) -> int:
    top, bottom = _upright(ref)
    return (bottom.row or ROWS) - (top.row or 1)


def _upright(ref: Ref) -> tuple[End, End]:
    last = ref.last or ref.first
    turned = (ref.first.row or 1) > (last.row or ROWS)
    return (last, ref.first) if turned else (ref.first, last)


def _meets(top: End, bottom: End, expected: Expectation) -> bool:
    columns = sorted((top.column or 1, bottom.column or formulas.COLUMNS))
    return columns[0] <= expected.right and columns[1] >= expected.left


def _one_column(top: End, bottom: End) -> bool:
    return top.column is not None and top.column == bottom.column
