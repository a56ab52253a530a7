"""Whether a list runs newest first, as the procedure has it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Final

from canceldesk.workbook.protocol import ListedRow

_MOST: Final = 0.8
"""The share of steps in one direction from which on the rest are a person's slips."""


class Order(StrEnum):
    """How the dates run down the list."""

    NEWEST_FIRST = "newest first"
    OLDEST_FIRST = "oldest first"
    MIXED = "in no order"
    UNTOLD = "untold"


def of_rows(rows: Sequence[ListedRow]) -> Order:
    """How the dates of these rows run from the top; rows without a date are passed over."""
    dates = [row.cancelled_on for row in rows if row.cancelled_on is not None]
    down = sum(above > below for above, below in pairwise(dates))
    up = sum(above < below for above, below in pairwise(dates))
    if not down + up:
        return Order.UNTOLD
    if down >= _MOST * (down + up):
        return Order.NEWEST_FIRST
    if up >= _MOST * (down + up):
        return Order.OLDEST_FIRST
    return Order.MIXED
