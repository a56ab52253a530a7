"""Moving the formulas in cells, shared and array formulas included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from canceldesk.workbook import references, sheetdata
from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.insertion import Insertion
from canceldesk.workbook.references import Reference, Span
from canceldesk.workbook.sheetdata import Formula


@dataclass
class _Group:
    """A shared formula: the cell that holds its text, and the rows its members stand in."""

    master: Formula
    top: int
    bottom: int


def moved(rows: bytes, insertion: Insertion, *, here: bool) -> bytes:
    """The rows with all formulas as they read after the insertion; cells stay where they are.

    `here`: these are the rows of the list's own sheet. Raises `CannotEdit` for a formula that
    cannot follow.
    """
    groups = _Groups(rows, insertion, here=here)

    def change(formula: Formula) -> Formula:
        kind = formula.attributes.get("t")
        if kind == "shared":
            formula = groups.own(formula)
        elif kind in ("array", "dataTable") and here:
            _check_block(formula, insertion)
        named = dict(formula.attributes)
        if here:
            for name in {"ref", "r1", "r2"} & named.keys():
                named[name] = insertion.range_moved(named[name])
        text = insertion.formula(formula.text, here=here, row=formula.row)
        return replace(formula, attributes=named, text=text)

    return sheetdata.with_formulas(rows, change)


def formulas_of_row(rows: bytes, number: int) -> dict[int, Formula]:
    """The formulas of one row by column, followers of a shared one spelled out."""
    groups = _Groups(rows, None, here=False)
    return {
        formula.column: groups.spelled_out(formula)
        for formula in sheetdata.formulas(rows)
        if formula.row == number
    }


def _check_block(formula: Formula, insertion: Insertion) -> None:
    block = formula.attributes.get("ref")
    if block and insertion.straddled_by(Span.of(block)):
        raise CannotEdit(
            f"On the tab “{insertion.tab}” one formula fills the cells {block} as a block, and a "
            "row cannot be put through the middle of it. Move that formula off the list's rows."
        )


class _Groups:
    """The shared formulas of a sheet, and which of them a row in the middle breaks up."""

    def __init__(self, rows: bytes, insertion: Insertion | None, *, here: bool) -> None:
        self._masters: dict[tuple[int, int], _Group] = {}
        for formula, group in _members(rows):
            self._masters[formula.row, formula.column] = group
            group.top = min(group.top, formula.row)
            group.bottom = max(group.bottom, formula.row)
        self._broken = {
            id(group)
            for group in self._masters.values()
            if insertion is not None and not _stays_shared(group, insertion, here=here)
        }

    def own(self, formula: Formula) -> Formula:
        """The formula as it is, or spelled out where its group cannot stay shared."""
        group = self._masters.get((formula.row, formula.column))
        if group is None or id(group) in self._broken:
            return self.spelled_out(formula)
        return formula

    def spelled_out(self, formula: Formula) -> Formula:
        """A member of a shared formula as a formula of its own."""
        if formula.attributes.get("t") != "shared":
            return formula
        group = self._masters.get((formula.row, formula.column))
        text = None
        if group is not None:
            master = group.master
            text = references.relocated(
                master.text, formula.row - master.row, formula.column - master.column
            )
        if text is None:
            cell = f"{references.column_letters(formula.column)}{formula.row}"
            raise CannotEdit(
                f"The formula in {cell} is shared with other cells in a way the desk cannot follow."
                " Open the workbook in Excel, enter that formula again, save and try again."
            )
        kept = {
            name: value
            for name, value in formula.attributes.items()
            if name not in ("t", "ref", "si")
        }
        return replace(formula, attributes=kept, text=text)


def _members(rows: bytes) -> Iterator[tuple[Formula, _Group]]:
    if b'"shared"' not in rows:
        return
    current: dict[str, _Group] = {}
    for formula in sheetdata.formulas(rows):
        if formula.attributes.get("t") != "shared":
            continue
        number = formula.attributes.get("si", "")
        if formula.text and "ref" in formula.attributes:
            current[number] = _Group(formula, formula.row, formula.row)
        if number in current:
            yield formula, current[number]


def _stays_shared(group: _Group, insertion: Insertion, *, here: bool) -> bool:
    """Whether all members' formulas change alike, so that one text still stands for all."""
    row = insertion.row
    if here and (group.top < row <= group.bottom or group.top <= insertion.last_row < group.bottom):
        return False
    inside = here and row <= group.top <= insertion.last_row
    return all(
        _moves_alike(reference, group, insertion, inside=inside)
        for reference in references.found(group.master.text)
        if insertion.means(reference, here=here)
    )


def _moves_alike(
    reference: Reference, group: _Group, insertion: Insertion, *, inside: bool
) -> bool:
    row = insertion.row
    up, down = group.top - group.master.row, group.bottom - group.master.row
    for corner in (reference.top, reference.bottom):
        if corner is None or corner.row_fixed:
            continue
        if corner.row + up < row <= corner.row + down:
            return False
    top, bottom = reference.top, reference.bottom
    if bottom is None and not reference.anchors_block:
        return True
    if top.row_fixed and (bottom is None or bottom.row_fixed):
        return True
    if top.row_fixed and bottom is not None:
        return top.row != row or bottom.row + up > row
    return inside or not top.row + up <= row <= top.row + down
