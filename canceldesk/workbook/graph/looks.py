"""Giving the new row of a plain range the look of the row below it.

A row inserted under the headings takes their look, as in Excel. Graph cannot copy a look, so it is
read and set: font, fill, alignment and borders (pages “workbookRangeFormat” and those it names),
for the whole row where it is uniform and else by column. Number formats go with the values.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from canceldesk.workbook.graph.problems import Refused
from canceldesk.workbook.graph.seeing import Seen
from canceldesk.workbook.graph.sitting import Sitting, named
from canceldesk.workbook.ooxml import references

_FONT: Final = ("bold", "color", "italic", "name", "size", "underline")
_ALIGNMENT: Final = ("horizontalAlignment", "verticalAlignment", "wrapText")
_BORDER: Final = ("color", "style", "weight")
_SIDES: Final = ("EdgeTop", "EdgeBottom", "EdgeLeft", "EdgeRight", "InsideVertical")
_NO_FILL: Final = frozenset(("", "#FFFFFF"))
_DOING: Final = "give the row its look"


def copy(sitting: Sitting, seen: Seen, *, below: int, to: int) -> None:
    """Give the list's cells of the row `to` the look of those of the row `below`.

    What Graph refuses stays as it is: a row that looks different is still the right row.
    """
    left, right = seen.headings.left, seen.headings.right
    sheet = named("worksheets", seen.tab_id)
    with contextlib.suppress(Refused):
        for part, settings in (("/font", _FONT), ("", _ALIGNMENT)):
            for first, last, look in _looks(sitting, sheet, (left, right), below, part, settings):
                _set(sitting, f"{_range(sheet, first, last, to)}/format{part}", look)
        for first, last, look in _looks(sitting, sheet, (left, right), below, "/fill", ("color",)):
            _fill(sitting, _range(sheet, first, last, to), str(look["color"] or ""))
        _borders(sitting, _range(sheet, left, right, below), _range(sheet, left, right, to))


def _looks(
    sitting: Sitting,
    sheet: str,
    columns: tuple[int, int],
    row: int,
    part: str,
    settings: tuple[str, ...],
) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """First column, last column and their common look: of all, or, where Graph says null because
    they differ (“non-uniform values would result in the return of a null value”), of those side by
    side that are alike.
    """
    left, right = columns
    look = _get(sitting, f"{_range(sheet, left, right, row)}/format{part}", settings)
    if left == right or None not in look.values():
        yield left, right, look
        return
    each = [
        (column, _get(sitting, f"{_range(sheet, column, column, row)}/format{part}", settings))
        for column in range(left, right + 1)
    ]
    for look, alike in groupby(each, key=lambda one: one[1]):
        side_by_side = [column for column, _ in alike]
        yield side_by_side[0], side_by_side[-1], look


def _fill(sitting: Sitting, place: str, color: str) -> None:
    if color.upper() in _NO_FILL:
        sitting.write("POST", f"{place}/format/fill/clear", None, doing=_DOING)
    else:
        _set(sitting, f"{place}/format/fill", {"color": color})


def _borders(sitting: Sitting, below: str, to: str) -> None:
    has = _sides(sitting, to)
    for side, look in _sides(sitting, below).items():
        if look != has.get(side):
            wanted = {"style": "None"} if look.get("style") == "None" else look
            _set(sitting, f"{to}/format/borders/{side}", wanted)


def _sides(sitting: Sitting, place: str) -> dict[str, dict[str, Any]]:
    """The borders of a row by side; without those whose look differs from cell to cell."""
    borders = sitting.pages(f"{place}/format/borders", doing="see the look of the list")
    sides = {str(border.get("sideIndex") or border.get("id")): border for border in borders}
    return {
        side: {key: sides[side].get(key) for key in _BORDER}
        for side in _SIDES
        if sides.get(side, {}).get("style") is not None
    }


def _get(sitting: Sitting, path: str, settings: tuple[str, ...]) -> dict[str, Any]:
    found = sitting.read(path, doing="see the look of the list")
    return {setting: found.get(setting) for setting in settings}


def _set(sitting: Sitting, path: str, look: Mapping[str, Any]) -> None:
    known = {key: _json(value) for key, value in look.items() if value is not None}
    if known:
        sitting.write("PATCH", path, known, doing=_DOING)


def _json(value: Any) -> Any:  # noqa: ANN401 - text, number, Boolean
    return value if isinstance(value, str | bool | int) else float(value)


def _range(sheet: str, left: int, right: int, row: int) -> str:
    first, last = references.column_letters(left), references.column_letters(right)
    return f"{sheet}/range(address='{first}{row}:{last}{row}')"
