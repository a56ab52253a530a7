"""What else can stand on the list's tab, each drawn into some workbooks and not into others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Spot:
    """A sheet and the places on it, counted from 0.

    `first` is the row under the heading, `far` a column right of everything else, `below` a row
    below everything else; `left` and `right` are the list's columns; `format` looks like something.
    """

    sheet: Any
    first: int
    far: int
    below: int
    left: int
    right: int
    format: Any
    quoted: str


def _odd_cells(spot: Spot) -> None:
    spot.sheet.write_boolean(spot.first, spot.far, True)
    spot.sheet.write_formula(spot.first + 1, spot.far, "=1/0", None, "#DIV/0!")
    spot.sheet.write_formula(spot.first + 2, spot.far, '="a"&"b"', None, "ab")
    spot.sheet.write_number(spot.first + 3, spot.far, -1.5e-7)
    spot.sheet.write_blank(spot.first + 4, spot.far, None, spot.format)


def _grouped_rows(spot: Spot) -> None:
    for row in range(spot.below + 2, spot.below + 6):
        spot.sheet.set_row(row, None, None, {"level": 2, "collapsed": row == spot.below + 5})


def _blank_rows(spot: Spot) -> None:
    for row in range(spot.below + 10, spot.below + 14):
        spot.sheet.write_blank(row, 0, None, spot.format)


def _sparkline(spot: Spot) -> None:
    area = f"{spot.quoted}!D{spot.first + 1}:F{spot.first + 1}"
    spot.sheet.add_sparkline(spot.first, spot.far + 9, {"range": area})


AROUND: Final[dict[str, Callable[[Spot], object]]] = {
    "odd cells beside": _odd_cells,
    "styled columns": lambda at: at.sheet.set_column(at.left, at.right, 15, at.format),
    "styled row": lambda at: at.sheet.set_row(at.below, 22, at.format),
    "grouped rows": _grouped_rows,
    "merged beside the first row": lambda at: at.sheet.merge_range(
        at.first, at.far + 2, at.first, at.far + 4, "one row"
    ),
    "merged across the new row": lambda at: at.sheet.merge_range(
        at.first - 1, at.far + 6, at.first + 1, at.far + 7, "three rows"
    ),
    "protected but for new rows": lambda at: at.sheet.protect("", {"insert_rows": True}),
    "blank rows with a look below": _blank_rows,
    "frozen": lambda at: at.sheet.freeze_panes(at.first, 1),
    "page break": lambda at: at.sheet.set_h_pagebreaks([at.below]),
    "sparkline": _sparkline,
    "second table below": lambda at: at.sheet.add_table(
        at.below + 20, 0, at.below + 22, 1, {"name": "Second"}
    ),
}
"""By name: how it is put on the list's tab."""
