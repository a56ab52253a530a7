"""Moving the formulas of a sheet quickly: those that differ only in their rows are read once.

A column of formulas filled down is the same text with other numbers. What is kept of each such
text is where its references have their rows and, for each way these can lie to the list, which of
them do not merely move.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from canceldesk.workbook.moving.shift import Place, Shift
from canceldesk.workbook.ooxml import references
from canceldesk.workbook.ooxml.references import LAST_ROW, Reference

_NUMBER: Final = re.compile(r"([0-9]+)")
_LONGEST_ROW: Final = 7
_MOST_KEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class _Rows:
    """Of a reference, which of the text's numbers are its rows; `mine`: it is to the list."""

    first: int
    last: int
    mine: bool


@dataclass
class _Reading:
    """What a text says whatever its rows are; `names` are the numbers within names of tabs."""

    names: tuple[int, ...] = ()
    rows: tuple[_Rows, ...] = ()
    plain: bool = True
    special: dict[tuple[object, ...], frozenset[int]] = field(default_factory=dict)
    variants: dict[tuple[str, ...], _Reading] = field(default_factory=dict)


class FilledDown:
    """Gives what `Shift.formula` gives, for the many formulas of one sheet."""

    def __init__(self, shift: Shift, *, here: bool) -> None:
        self._shift = shift
        self._here = here
        self._readings: dict[str, _Reading] = {}

    def moved(self, text: str, row: int, column: int, block: int = 0) -> str:
        """The formula of a cell after the change; see `Shift.formula`."""
        if not self._here and "!" not in text:
            return text
        parts = _NUMBER.split(text)
        reading = self._reading(parts)
        if reading.plain:
            quick = self._quickly(text, parts, reading, (row, column, block))
            if quick is not None:
                return quick
        return self._shift.formula(text, here=self._here, row=row, column=column, block=block)

    def _reading(self, parts: list[str]) -> _Reading:
        key = "0".join(parts[::2])
        reading = self._readings.get(key)
        if reading is None:
            if len(self._readings) >= _MOST_KEPT:
                self._readings.clear()
            reading = self._readings[key] = self._read(parts, ())
        if not reading.names:
            return reading
        names = tuple(parts[number] for number in reading.names)
        if names not in reading.variants:
            reading.variants[names] = self._read(parts, reading.names)
        return reading.variants[names]

    def _read(self, parts: list[str], names: tuple[int, ...]) -> _Reading:
        """Read a text with 1 for each number but those in names of tabs that are known of."""
        text, begins = "", {}
        for place, part in enumerate(parts):
            begins[len(text)] = place
            text += "1" if place % 2 and place not in names else part
        found = references.found(text, elsewhere=True)
        inside = tuple(
            place
            for begin, place in begins.items()
            if place % 2 and any(_in_prefix(begin, reference) for reference in found)
        )
        if inside and not names:
            return _Reading(names=inside)
        if any(":" in (reference.sheet or "") for reference in found):
            return _Reading(plain=False)
        return _Reading(rows=tuple(self._rows(reference, begins) for reference in found))

    def _rows(self, reference: Reference, begins: dict[int, int]) -> _Rows:
        own = [
            place
            for begin, place in begins.items()
            if place % 2 and reference.begin + len(reference.prefix) <= begin < reference.end
        ]
        return _Rows(own[0], own[-1], self._shift.means(reference, here=self._here))

    def _quickly(
        self, text: str, parts: list[str], reading: _Reading, cell: tuple[int, int, int]
    ) -> str | None:
        """The formula after the change; None where it must be looked at more closely."""
        if not reading.rows:
            return text
        spans = []
        for one in reading.rows:
            first, last = parts[one.first], parts[one.last]
            if not (_is_row(first) and _is_row(last)):
                return None
            spans.append((int(first), int(last)))
        starts = any(
            one.mine and min(span) == self._shift.row
            for one, span in zip(reading.rows, spans, strict=True)
        )
        special = self._special(text, reading, spans, cell) if starts else frozenset()
        for place, (one, span) in enumerate(zip(reading.rows, spans, strict=True)):
            if not one.mine:
                continue
            moved = self._span_moved(span, special=place in special)
            if moved is None:
                return None
            parts[one.first] = str(moved[0])
            if one.last != one.first:
                parts[one.last] = str(moved[1])
        return "".join(parts)

    def _span_moved(self, span: tuple[int, int], *, special: bool) -> tuple[int, int] | None:
        upside_down = span[0] > span[1]
        upper, lower = sorted(span)
        move = self._shift.special_rows if special else self._shift.rows_moved
        moved = move(upper, lower)
        if moved is None:
            return None
        return (moved[1], moved[0]) if upside_down else moved

    def _special(
        self,
        text: str,
        reading: _Reading,
        spans: Sequence[tuple[int, int]],
        cell: tuple[int, int, int],
    ) -> frozenset[int]:
        """Which references do not merely move; the same for all that lie to the list alike."""
        row, column, block = cell
        place = self._shift.place(row, column, here=self._here)
        signature = self._signature(spans, place, block)
        known = reading.special.get(signature)
        if known is None:
            found = references.found(text, elsewhere=True)
            begins = self._shift.special(text, found, here=self._here, place=place, block=block)
            known = frozenset(at for at, one in enumerate(found) if one.begin in begins)
            if len(reading.special) < _MOST_KEPT:
                reading.special[signature] = known
        return known

    def _signature(
        self, spans: Sequence[tuple[int, int]], place: Place, block: int
    ) -> tuple[object, ...]:
        """All of the rows that can make a difference to which references are special."""
        counting = (self._shift.row, self._shift.last_row, place.row)
        heights = [abs(last - first) + 1 for first, last in spans] + [block]
        at = tuple(
            (number > row) - (number < row) for span in spans for number in span for row in counting
        )
        alike = tuple(heights.index(height) for height in heights)
        flat = tuple(first <= last for first, last in spans)
        at_end = place.row == self._shift.last_row
        return place.in_rows, place.in_columns, place.column, at_end, bool(block), at, alike, flat


def _in_prefix(begin: int, reference: Reference) -> bool:
    return reference.begin <= begin < reference.begin + len(reference.prefix)


def _is_row(number: str) -> bool:
    return number[0] != "0" and len(number) <= _LONGEST_ROW and int(number) <= LAST_ROW
