"""Moving the formulas in cells, shared and array formulas included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from canceldesk.workbook import references, sheetdata
from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.insertion import Insertion
from canceldesk.workbook.references import Reference, Span
from canceldesk.workbook.sheetdata import Formula


class CellFormulas:
    """The formulas of one sheet's cells, met chunk by chunk, twice: to learn, then to move.

    `here`: it is the list's own sheet. What is kept is one entry for each shared formula, so that
    the number of cells does not matter.
    """

    def __init__(self, shift: Insertion, *, here: bool) -> None:
        self._shift = shift
        self._here = here
        self._learned = _Groups()
        self._met: _Groups | None = None

    def learn(self, rows: bytes) -> None:
        """Learn the shared formulas of a chunk; the chunks, whole rows, come in their order."""
        for formula in _shared(rows):
            group = self._learned.group_of(formula)
            if group is not None:
                group.take_in(formula)

    def moved(self, rows: bytes) -> bytes:
        """A chunk, the same ones in the same order, with its formulas as they read after.

        The cells themselves stay where they are. Raises `CannotEdit` for a formula that cannot
        follow.
        """
        if self._met is None:
            self._met = self._learned.again()
        return sheetdata.with_formulas(rows, self._changed)

    def _changed(self, formula: Formula) -> Formula:
        kind = formula.attributes.get("t")
        if kind == "shared":
            formula = self._own(formula)
        elif kind in ("array", "dataTable") and self._here:
            _check_block(formula, self._shift)
        named = dict(formula.attributes)
        if self._here:
            for name in {"ref", "r1", "r2"} & named.keys():
                named[name] = self._shift.range_moved(named[name])
        text = self._shift.formula(formula.text, here=self._here, row=formula.row)
        return replace(formula, attributes=named, text=text)

    def _own(self, formula: Formula) -> Formula:
        """A member of a shared formula as it is, or spelled out where it cannot stay shared."""
        group = None if self._met is None else self._met.group_of(formula)
        if group is not None and group.stays_shared(self._shift, here=self._here):
            return formula
        return _spelled_out(formula, group)


def formulas_of_row(chunks: Iterable[bytes], number: int) -> dict[int, Formula]:
    """The formulas of one row by column, followers of a shared one spelled out.

    The chunks, whole rows, come in their order and are read no further than needed.
    """
    groups = _Groups()
    found: dict[int, Formula] = {}
    for rows in chunks:
        for formula in sheetdata.formulas(rows):
            if formula.row > number:
                return found
            shared = formula.attributes.get("t") == "shared"
            group = groups.group_of(formula) if shared else None
            if formula.row == number:
                found[formula.column] = _spelled_out(formula, group) if shared else formula
    return found


def moved(rows: bytes, insertion: Insertion, *, here: bool) -> bytes:
    """All rows of a sheet at once through `CellFormulas`."""
    formulas = CellFormulas(insertion, here=here)
    formulas.learn(rows)
    return formulas.moved(rows)


def _check_block(formula: Formula, insertion: Insertion) -> None:
    block = formula.attributes.get("ref")
    if block and insertion.straddled_by(Span.of(block)):
        raise CannotEdit(
            f"On the tab “{insertion.tab}” one formula fills the cells {block} as a block, and a "
            "row cannot be put through the middle of it. Move that formula off the list's rows."
        )


@dataclass
class _Group:
    """A shared formula: the cell that holds its text, and the rows its members stand in."""

    master: Formula
    top: int
    bottom: int
    stays: bool | None = None

    def take_in(self, member: Formula) -> None:
        self.top = min(self.top, member.row)
        self.bottom = max(self.bottom, member.row)

    def stays_shared(self, shift: Insertion, *, here: bool) -> bool:
        if self.stays is None:
            self.stays = _stays_shared(self, shift, here=here)
        return self.stays


class _Groups:
    """The shared formulas of a sheet; a number may be used again, and means the latest then."""

    def __init__(self) -> None:
        self._current: dict[str, _Group] = {}
        self._known: dict[tuple[int, int], _Group] = {}

    def again(self) -> _Groups:
        """These same groups, to be met from the first row once more."""
        other = _Groups()
        other._known = self._known
        return other

    def group_of(self, formula: Formula) -> _Group | None:
        """The group of the shared formula met next; None for a follower nobody leads."""
        number = formula.attributes.get("si", "")
        if formula.text and "ref" in formula.attributes:
            place = (formula.row, formula.column)
            group = self._known.get(place)
            if group is None:
                group = self._known[place] = _Group(formula, formula.row, formula.row)
            self._current[number] = group
        return self._current.get(number)


def _shared(rows: bytes) -> Iterator[Formula]:
    if b'"shared"' not in rows:
        return
    for formula in sheetdata.formulas(rows):
        if formula.attributes.get("t") == "shared":
            yield formula


def _spelled_out(formula: Formula, group: _Group | None) -> Formula:
    """A member of a shared formula as a formula of its own."""
    text = formula.text or None
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
        name: value for name, value in formula.attributes.items() if name not in ("t", "ref", "si")
    }
    return replace(formula, attributes=kept, text=text)


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
