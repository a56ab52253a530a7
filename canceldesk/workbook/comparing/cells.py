"""Comparing the rows of one sheet, cell by cell, with where they should stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from canceldesk.workbook.comparing import formats, formulas
from canceldesk.workbook.comparing.expectation import Expectation
from canceldesk.workbook.comparing.nodes import cut
from canceldesk.workbook.comparing.sheets import Cell, Formula, Row, Sheet
from canceldesk.workbook.comparing.workbooks import Workbook, plain_text

_EMPTY: Final = Cell(0, 0, "", "", None, ())
_PLAIN_ROW: Final = frozenset(("customHeight", "dyDescent", "ht", "hidden", "collapsed"))
_FALSE: Final = ("", "0", "false")
_ROW_WORDS: Final = {
    "ht": "its height",
    "hidden": "whether it is hidden",
    "outlineLevel": "its outline level",
    "collapsed": "whether its group is collapsed",
    "customHeight": "whether its height is fixed",
    "s": "its format",
}


class Rows:
    """The comparison of two sheets' rows; `here`: they are the list's own."""

    def __init__(
        self, before: Workbook, after: Workbook, expected: Expectation, *, here: bool
    ) -> None:
        self._formats = (before.formats, after.formats)
        self._expected = expected
        self._here = here
        self._inserted: list[Row] = []
        self._models: dict[int, Row] = {}

    def differences(self, before: Sheet, after: Sheet) -> Iterator[tuple[str, str]]:
        """Pairs of (row or cell, what happened to it)."""
        old, new = before.rows(), self._old_ones(after)
        left, right = self._next(old), next(new, None)
        while left is not None or right is not None:
            at = None if left is None else self._moved(left.number)
            if left is not None and self._is_model(left):
                self._models[left.number] = left
            if left is not None and right is not None and at == right.number:
                yield from self._row(left, right)
                left, right = self._next(old), next(new, None)
            elif right is None or (left is not None and at is not None and at < right.number):
                assert left is not None  # noqa: S101 - one of the two is there
                yield from self._row(left, Row(self._moved(left.number), {}, {}))
                left = self._next(old)
            else:
                yield from self._row(Row(0, {}, {}), right)
                right = next(new, None)
        yield from self._misplaced()
        yield from self._strange()

    def _next(self, rows: Iterator[Row]) -> Row | None:
        """The next row before, but no blank one that the new rows push off the sheet's end."""
        for row in rows:
            beyond = self._here and row.number + self._expected.count > formulas.ROWS
            if not (beyond and row.is_blank):
                return row
        return None

    def _misplaced(self) -> Iterator[tuple[str, str]]:
        for new in self._inserted:
            for cell in new.cells.values():
                if any(name == "rows off" for name, _ in cell.more):
                    place = f"new cell {formulas.letters(cell.column)}{new.number}"
                    yield place, "says that it stands in another row"

    def _old_ones(self, after: Sheet) -> Iterator[Row]:
        for row in after.rows():
            if self._here and self._expected.is_inserted(row.number):
                self._inserted.append(row)
            else:
                yield row

    def _is_model(self, row: Row) -> bool:
        """Whether the row is the list's first or second, whose look new rows above them take."""
        expected = self._expected
        if not self._here or not expected.at_top or expected.last_row < expected.row:
            return False
        return row.number in (expected.row, expected.row + 1) and "hidden" not in row.attributes

    def _strange(self) -> Iterator[tuple[str, str]]:
        """Where new rows look neither like the row under them nor, in bands, like the next one.

        A number format may have been mended.
        """
        models = list(self._models.values())
        for new in self._inserted if models else ():
            if new.attributes.get("ht") not in [model.attributes.get("ht") for model in models]:
                yield f"new row {new.number}", "is not as high as the rows under it"
            for column in models[0].cells:
                under = [self._look(0, model.cells.get(column, _EMPTY).style) for model in models]
                look = self._look(1, new.cells.get(column, _EMPTY).style)
                if look[0] == under[0][0] and look not in under:
                    place = f"new cell {formulas.letters(column)}{new.number}"
                    differing = formats.difference(under[0], look)
                    yield place, f"does not look like the ones under it: {differing}"

    def _moved(self, row: int) -> int:
        return self._expected.moved(row) if self._here else row

    def _row(self, old: Row, new: Row) -> Iterator[tuple[str, str]]:
        if old.attributes or new.attributes:
            yield from self._attributes(old, new)
        if old.cells == new.cells and not self._is_telling(old):
            return
        for column in sorted(old.cells.keys() | new.cells.keys()):
            yield from self._cell(
                old.cells.get(column, _EMPTY),
                new.cells.get(column, _EMPTY),
                old.number,
                new.number,
                column,
            )

    def _is_telling(self, row: Row) -> bool:
        """Whether cells that read the same may still differ in what that means."""
        formats_differ = self._formats[0] is not self._formats[1]
        return any(
            cell.formula is not None
            or (formats_differ and self._look(0, cell.style) != self._look(1, cell.style))
            for cell in row.cells.values()
        )

    def _attributes(self, old: Row, new: Row) -> Iterator[tuple[str, str]]:
        for name in dict.fromkeys((*old.attributes, *new.attributes)):
            was, now = old.attributes.get(name, ""), new.attributes.get(name, "")
            if name == "s" and self._look(0, int(was or 0)) == self._look(1, int(now or 0)):
                continue
            label = name.rpartition("}")[2]
            if was == now or (was in _FALSE and now in _FALSE):
                continue
            yield (
                f"row {new.number}",
                f"{_ROW_WORDS.get(label, label)} was {cut(was)}, is {cut(now)}",
            )

    def _look(self, side: int, style: int) -> tuple[str, ...]:
        return self._formats[side].meaning(style)

    def _cell(
        self, old: Cell, new: Cell, old_row: int, row: int, column: int
    ) -> Iterator[tuple[str, str]]:
        place = f"cell {formulas.letters(column)}{row}"
        told = self._formula(old.formula, new.formula, old_row, column)
        yield from ((place, words) for words in told)
        if old.value != new.value:
            was, now = cut(plain_text(old.value)), cut(plain_text(new.value))
            if was == now:
                yield place, f"the text {now} has other formats inside"
            else:
                what = "the value" if new.formula is None else "the stored result"
                yield place, f"{what} was {was}, is {now}"
        elif old.kind != new.kind:
            yield place, f"the value {cut(old.value)} was of type {old.kind}, is {new.kind}"
        was_look, look = self._look(0, old.style), self._look(1, new.style)
        if was_look != look:
            yield place, f"the {formats.difference(was_look, look)} changed"
        if old.more != new.more:
            yield place, f"its marks were {_marks(old.more)}, are {_marks(new.more)}"

    def _formula(
        self, old: Formula | None, new: Formula | None, row: int, column: int
    ) -> Iterator[str]:
        if old is None or new is None:
            if old is not None:
                yield f"the formula {cut(old.text)} is gone"
            if new is not None:
                yield f"there is a new formula, {cut(new.text)}"
            return
        if not self._expected.accepts(old.text, new.text, here=self._here, row=row, column=column):
            should = self._expected.formula(old.text, here=self._here, row=row, column=column)
            yield (
                f"the formula was {cut(old.text)}, is {cut(new.text)}, should be {cut(should)}"
                if should != old.text
                else f"the formula was {cut(old.text)}, is {cut(new.text)}"
            )
        if self._expected.crosses(old.text):
            yield f"the formula {cut(old.text)} reads several tabs at once and cannot follow"
        for name in dict.fromkeys((*old.attributes, *new.attributes)):
            was, now = old.attributes.get(name, ""), new.attributes.get(name, "")
            readings: tuple[str, ...] = (was,)
            if self._here and was and name in ("ref", "r1", "r2"):
                readings = self._expected.ranges(was, grows=False)
            if now not in readings and not (was in _FALSE and now in _FALSE):
                yield f"the formula's {name} was {was}, is {cut(now)}, should be {readings[0]}"


def _marks(more: tuple[tuple[str, str], ...]) -> str:
    return cut(", ".join(f"{name.rpartition('}')[2]} {value}" for name, value in more))
