"""Moving the formulas in cells, shared and array formulas included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.moving import sharedformulas
from canceldesk.workbook.moving.filldown import FilledDown
from canceldesk.workbook.moving.sharedformulas import Groups
from canceldesk.workbook.moving.shift import Shift
from canceldesk.workbook.ooxml import sheetdata
from canceldesk.workbook.ooxml.references import Span, column_number
from canceldesk.workbook.ooxml.sheetdata import Formula

_SHARED: Final = b'"shared"'
_WITH_METADATA: Final = re.compile(rb"<c\s(?=[^<>]*\scm=\")(?:[^<>]*?\s)?r=\"([A-Za-z]+)([0-9]+)\"")


class CellFormulas:
    """The formulas of one sheet's cells, met chunk by chunk, twice: to learn, then to move.

    `here`: it is the list's own sheet. What is kept is one entry for each shared formula, so that
    the number of cells does not matter.
    """

    def __init__(self, shift: Shift, *, here: bool) -> None:
        self._shift = shift
        self._here = here
        self._filled = FilledDown(shift, here=here)
        self._learned = Groups(shift, here=here)
        self._met: Groups | None = None
        self._spilling: frozenset[tuple[int, int]] = frozenset()

    def learn(self, rows: bytes) -> None:
        """Learn the shared formulas of a chunk; the chunks, whole rows, come in their order."""
        if _SHARED in rows:
            for formula in sheetdata.formulas(rows):
                if formula.attributes.get("t") == "shared":
                    self._learned.meet(formula)

    def moved(self, rows: bytes) -> bytes:
        """A chunk, the same ones in the same order, with its formulas as they read after.

        The cells themselves stay where they are, and the formulas of a row that is taken out are
        left as they were. Raises `CannotEdit` for a formula that cannot follow.
        """
        if self._met is None:
            self._met = self._learned.again()
        self._spilling = _spilling(rows)
        return sheetdata.with_formulas(rows, self._changed)

    def _changed(self, formula: Formula) -> Formula:
        if self._here and not self._shift.keeps(formula.row):
            return self._met_in_lost_row(formula)
        if not formula.attributes:
            text = self._filled.moved(formula.text, formula.row, formula.column)
            return Formula(formula.row, formula.column, formula.attributes, text)
        kind = formula.attributes.get("t")
        if kind == "shared" and self._met is not None:
            formula = self._met.own(formula)
        block = self._block(formula) if kind in ("array", "dataTable") else 0
        named = dict(formula.attributes)
        if self._here:
            for name in {"ref", "r1", "r2"} & named.keys():
                named[name] = self._shift.range_moved(named[name]) or self._lost(formula)
        text = self._filled.moved(formula.text, formula.row, formula.column, block)
        return Formula(formula.row, formula.column, named, text)

    def _met_in_lost_row(self, formula: Formula) -> Formula:
        if self._met is not None and formula.attributes.get("t") == "shared":
            self._met.own(formula)
        return formula

    def _block(self, formula: Formula) -> int:
        """How many rows the formula fills; 0 for one that spills as far as it needs to."""
        written = formula.attributes.get("ref")
        if not written or (formula.row, formula.column) in self._spilling:
            return 0
        block = Span.of(written)
        # A data table's own formulas stand in the row above its block.
        headed = formula.attributes.get("t") == "dataTable"
        kept = replace(block, top=max(block.top - headed, 1))
        if self._here and self._shift.straddled_by(kept):
            raise CannotEdit(
                f"On the tab “{self._shift.tab}” one formula fills the cells {written} as a block, "
                f"so {self._shift.impossible} the middle of it. "
                "Move that formula off the list's rows."
            )
        return block.bottom - block.top + 1

    def _lost(self, formula: Formula) -> str:
        raise CannotEdit(
            f"On the tab “{self._shift.tab}” the data table "
            f"({formula.attributes.get('ref', '')}) takes its values from the row in question. "
            f"Change that table, or {self._shift.by_hand}."
        )


def learned(chunks: Iterable[bytes], shift: Shift, *, here: bool) -> CellFormulas:
    """The formulas of a sheet, ready to be moved; `chunks` are its rows if any share formulas."""
    formulas = CellFormulas(shift, here=here)
    for chunk in chunks:
        formulas.learn(chunk)
    return formulas


def formulas_of_row(chunks: Iterable[bytes], number: int) -> dict[int, Formula]:
    """The formulas of one row by column, followers of a shared one spelled out.

    The chunks, whole rows, come in their order and are read no further than needed.
    """
    found: dict[int, Formula] = {}
    for formula, leader in with_leaders(chunks):
        if formula.row > number:
            break
        if formula.row == number:
            found[formula.column] = spelled_out(formula, leader)
    return found


def with_leaders(chunks: Iterable[bytes]) -> Iterator[tuple[Formula, Formula | None]]:
    """The formulas in their order, each with the leader of the shared formula it is part of."""
    leaders = sharedformulas.Leaders()
    for rows in chunks:
        for formula in sheetdata.formulas(rows):
            shared = formula.attributes.get("t") == "shared"
            yield formula, leaders.of(formula) if shared else None


def spelled_out(formula: Formula, leader: Formula | None) -> Formula:
    """A formula as it would stand there by itself; `leader` as `with_leaders` gives it."""
    if formula.attributes.get("t") != "shared":
        return formula
    return sharedformulas.spelled_out(formula, leader)


def _spilling(rows: bytes) -> frozenset[tuple[int, int]]:
    """The cells whose formula spills: those with cell metadata ([MS-XLSX] 2.2.1, `cm`)."""
    if b' cm="' not in rows:
        return frozenset()
    cells = _WITH_METADATA.findall(rows)
    return frozenset((int(row), column_number(column.decode())) for column, row in cells)
