"""Letting formulas that mean the whole list take in the new row of a plain range.

Excel only moves a range whose first row is the row inserted at, as a file's `insertion` explains;
so totals would leave the new client out. Formulas are put right before the values are written:
after a crash the empty line is still there to show what they should begin with. In a table they
grow by themselves. Names, charts and conditional formats cannot be reached this way through Graph.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from canceldesk.workbook.graph.cells import Line
from canceldesk.workbook.graph.problems import Refused
from canceldesk.workbook.graph.seeing import CELLS_AT_ONCE, Seen, area
from canceldesk.workbook.graph.sitting import Sitting, named
from canceldesk.workbook.ooxml import references
from canceldesk.workbook.ooxml.references import Reference

MOST_CELLS_OF_ANOTHER_TAB: Final = 100_000
"""Larger tabs are not searched: it would take longer than the row."""

_DOING: Final = "find formulas about the list"


def take_in(sitting: Sitting, seen: Seen) -> None:
    """Make formulas that begin right under the empty first row begin with it.

    What Graph refuses, such as a part of an array formula, stays as it is.
    """
    for tab_id, name, row, column, formula in _formulas(sitting, seen):
        grown = references.rewritten(formula, lambda found, tab=name: _grown(found, seen, tab))  # type: ignore[misc]
        if grown != formula:
            place = f"{references.column_letters(column)}{row}"
            with contextlib.suppress(Refused):
                sitting.write(
                    "PATCH",
                    f"{named('worksheets', tab_id)}/range(address='{place}')",
                    {"formulas": [[grown]]},
                    doing="let a formula take in the row",
                )


def _grown(found: Reference, seen: Seen, tab: str) -> str | None:
    sheet = tab if found.sheet is None else found.sheet
    below = seen.first_row + 1
    if sheet.casefold() != seen.tab.casefold() or found.top.row != below or not found.bottom:
        return None
    left = references.column_number(found.top.letters or "A")
    right = references.column_number(found.bottom.letters or "XFD")
    overlaps = left <= seen.headings.right and right >= seen.headings.left
    means_all = found.bottom.row > below or len(seen.rows) == 1
    if not overlaps or not means_all:
        return None
    return f"{found.prefix}{replace(found.top, row=seen.first_row)}:{found.bottom}"


def _formulas(sitting: Sitting, seen: Seen) -> Iterator[tuple[str, str, int, int, str]]:
    """Tab, its name, row, column and text of every formula outside the list's rows."""
    last = max((row.row_number for row in seen.rows), default=seen.first_row)
    for number, line in enumerate(seen.lines, start=1):
        if not seen.first_row <= number <= last:
            for column in range(1, len(line.formulas) + 1):
                if formula := line.formula(column):
                    yield seen.tab_id, seen.tab, number, column, formula
    for tab in sitting.pages("worksheets?$select=id,name,visibility", doing=_DOING):
        if tab.get("id") != seen.tab_id:
            # A tab of only a chart has no cells to ask for.
            with contextlib.suppress(Refused):
                yield from _of_another(sitting, str(tab.get("id")), str(tab.get("name")))


def _of_another(
    sitting: Sitting, tab_id: str, name: str
) -> Iterator[tuple[str, str, int, int, str]]:
    sheet = named("worksheets", tab_id)
    used = sitting.read(f"{sheet}/usedRange(valuesOnly=true)?$select=address", doing=_DOING)
    left, top, right, bottom = area(str(used.get("address", "")))
    width = right - left + 1
    if width * (bottom - top + 1) > MOST_CELLS_OF_ANOTHER_TAB:
        return
    height = max(1, CELLS_AT_ONCE // width)
    for first in range(top, bottom + 1, height):
        last = min(bottom, first + height - 1)
        corners = (references.column_letters(left), references.column_letters(right))
        block = sitting.read(
            f"{sheet}/range(address='{corners[0]}{first}:{corners[1]}{last}')"
            "?$select=values,formulas",
            doing=_DOING,
        )
        grids = zip(_rows(block.get("values")), _rows(block.get("formulas")), strict=False)
        for row, (shown, written) in enumerate(grids, start=first):
            line = Line(shown, (), written)
            for at in range(1, len(written) + 1):
                if formula := line.formula(at):
                    yield tab_id, name, row, left + at - 1, formula


def _rows(grid: object) -> Sequence[Sequence[Any]]:
    return grid if isinstance(grid, list) else ()
