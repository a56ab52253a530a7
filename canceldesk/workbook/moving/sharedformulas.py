"""Formulas written once for many cells, and which of them a change of rows breaks up.

A shared formula (ECMA-376 part 1, 18.3.1.40) is written in one cell, here its leader; the other
members read it as if it had been copied to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.moving.relocation import relocated
from canceldesk.workbook.moving.shift import Shift
from canceldesk.workbook.ooxml import references
from canceldesk.workbook.ooxml.references import Corner, Reference
from canceldesk.workbook.ooxml.sheetdata import Formula


class Leaders:
    """The leaders of shared formulas as they are met; a number may be used again."""

    def __init__(self) -> None:
        self._latest: dict[str, Formula] = {}

    def of(self, formula: Formula) -> Formula | None:
        """The leader of the shared formula met next; None for a follower nobody leads."""
        number = formula.attributes.get("si", "")
        if formula.text and "ref" in formula.attributes:
            self._latest[number] = formula
        return self._latest.get(number)


def spelled_out(formula: Formula, leader: Formula | None) -> Formula:
    """A member of a shared formula as a formula of its own."""
    text = formula.text or None
    if leader is not None:
        text = relocated(leader.text, formula.row - leader.row, formula.column - leader.column)
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


@dataclass
class _Group:
    """A leader, and the rows and columns in which the members that stay are found."""

    leader: Formula
    rows: set[int] = field(default_factory=set)
    columns: set[int] = field(default_factory=set)
    stays: bool | None = None
    led_anew: bool = False

    def take_in(self, member: Formula) -> None:
        self.rows = _ends({member.row, *self.rows})
        self.columns = _ends({member.column, *self.columns})


class Groups:
    """The shared formulas of a sheet: first each member is met, then asked for as it reads after.

    One entry is kept for each leader, none for the followers.
    """

    def __init__(self, shift: Shift, *, here: bool) -> None:
        self._shift = shift
        self._here = here
        self._leaders = Leaders()
        self._known: dict[tuple[int, int], _Group] = {}

    def again(self) -> Groups:
        """These same groups, to be met from the first row once more."""
        other = Groups(self._shift, here=self._here)
        other._known = self._known
        return other

    def meet(self, formula: Formula) -> None:
        """Learn of a member."""
        group = self._group_of(formula)
        if group is not None and self._stands(formula.row):
            group.take_in(formula)

    def own(self, formula: Formula) -> Formula:
        """A member as it is, or spelled out where the change of rows breaks up its group.

        Where the leader's row is lost, the first member left leads.
        """
        group = self._group_of(formula)
        if not self._stands(formula.row):
            return formula
        if group is None or not self._stays(group):
            return spelled_out(formula, None if group is None else group.leader)
        if self._stands(group.leader.row) or group.led_anew:
            return formula
        group.led_anew = True
        named = {**formula.attributes, "ref": group.leader.attributes["ref"]}
        return replace(spelled_out(formula, group.leader), attributes=named)

    def _group_of(self, formula: Formula) -> _Group | None:
        leader = self._leaders.of(formula)
        if leader is None:
            return None
        return self._known.setdefault((leader.row, leader.column), _Group(leader))

    def _stands(self, row: int) -> bool:
        return not self._here or self._shift.keeps(row)

    def _stays(self, group: _Group) -> bool:
        if group.stays is None:
            group.stays = self._changes_alike(group)
        return group.stays

    def _changes_alike(self, group: _Group) -> bool:
        """Whether one text still stands for all members.

        How a reference changes can differ only between members on two sides of a row that counts,
        so it is enough to look at the members next to those.
        """
        if _ranges_of_many_kinds(group.leader.text):
            return False
        members = list(self._telling_members(group))
        after = [self._after(group.leader, *member) for member in members]
        first, first_text = members[0], after[0]
        if first_text is None:
            return False
        return all(
            text == relocated(first_text, self._now(row) - self._now(first[0]), column - first[1])
            for (row, column), text in zip(members, after, strict=True)
        )

    def _now(self, row: int) -> int:
        return self._shift.moved(row) if self._here else row

    def _after(self, leader: Formula, row: int, column: int) -> str | None:
        text = relocated(leader.text, row - leader.row, column - leader.column)
        if text is None:
            return None
        return self._shift.formula(text, here=self._here, row=row, column=column)

    def _telling_members(self, group: _Group) -> Iterator[tuple[int, int]]:
        shift, leader = self._shift, group.leader
        corners = list(_corners(leader.text))
        counting = {shift.row, shift.last_row}
        counting |= {corner.row for corner in corners if corner.row_fixed}
        offsets = {0} | {corner.row - leader.row for corner in corners if not corner.row_fixed}
        rows = {row - offset for row in counting for offset in offsets}
        for row in sorted(_within(group.rows, rows)):
            if self._stands(row):
                for column in sorted(_within(group.columns, self._telling_columns(group, corners))):
                    yield row, column

    def _telling_columns(self, group: _Group, corners: list[Corner]) -> set[int]:
        offsets = {0} | {
            references.column_number(corner.letters) - group.leader.column
            for corner in corners
            if corner.letters and not corner.column_fixed
        }
        counting = {self._shift.left, self._shift.right}
        counting |= {references.column_number(corner.letters) for corner in corners}
        return {column - offset for column in counting for offset in offsets}


def _ends(numbers: set[int]) -> set[int]:
    return {min(numbers), max(numbers)}


def _within(ends: set[int], counting: set[int]) -> set[int]:
    near = {number + by for number in counting for by in (-1, 0, 1)}
    return {number for number in near if min(ends) <= number <= max(ends)} | ends


def _corners(text: str) -> Iterator[Corner]:
    for reference in references.found(text):
        yield from filter(None, (reference.top, reference.bottom))


def _ranges_of_many_kinds(text: str) -> bool:
    """Whether ranges that become taller from member to member stand beside others."""

    def kind(reference: Reference) -> tuple[object, ...]:
        return reference.upper.row, reference.lower.row, reference.upper.row_fixed

    ranges = [reference for reference in references.found(text) if reference.bottom is not None]
    growing = [one for one in ranges if one.upper.row_fixed != one.lower.row_fixed]
    return bool(growing) and len({kind(reference) for reference in ranges}) > 1
