"""Formulas that one text states for many cells: conditional formats, validations, table columns.

They are judged by what they mean in sample cells, not by how they are written: each covered cell
must see, where it now stands, what it saw before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from canceldesk.workbook.comparing import formulas
from canceldesk.workbook.comparing.expectation import Area, Expectation, area
from canceldesk.workbook.comparing.nodes import Expected, Node, one_of


def expect_rule(rule: Node, expected: Expectation, *, here: bool) -> None:
    """Turn the cells a rule covers, and its formulas, into what they should be."""
    inside = rule.child("sqref")
    covered = inside.was() if inside is not None else rule.get("sqref")
    before = _areas(covered)
    if not before:
        return
    readings: tuple[str, ...] = (covered,)
    if here:
        readings = expected.ranges(covered, grows=True)
        if inside is not None:
            inside.text = one_of(covered, *readings)
        else:
            rule.attributes["sqref"] = one_of(covered, *readings)
    bases = [_base(_areas(reading)) for reading in readings]
    for node in rule.walk():
        if node.name in ("formula", "formula1", "formula2", "f") and node.was().strip():
            node.text = _expected(node.was(), before, bases, expected, here=here)
        elif node.name == "cfvo" and node.get("val"):
            node.attributes["val"] = _threshold(node.get("val"), before, bases, expected, here=here)


def expect_columns(
    table: Node, before: Area, expected: Expectation, *, here: bool, headed: bool
) -> None:
    """Turn the formulas of a table's calculated columns."""
    data = replace(before, top=before.top + headed)
    top = data.top
    if here and not (data.top == expected.row and before.top < expected.row):
        top = expected.moved(data.top)
    for node in table.walk():
        if node.name == "calculatedColumnFormula" and node.was():
            bases = [(top, data.left)]
            node.text = _expected(node.was(), [data], bases, expected, here=here)


def _areas(sqref: str) -> list[Area]:
    return [one for part in sqref.split() if (one := area(part)) is not None]


def _base(areas: Sequence[Area]) -> tuple[int, int]:
    return min(one.top for one in areas), min(one.left for one in areas)


def _expected(
    was: str,
    before: Sequence[Area],
    bases: Iterable[tuple[int, int]],
    expected: Expectation,
    *,
    here: bool,
) -> str | Expected:
    """The rule's formula as it may now be written; `bases` are where it may now start."""
    if not expected.count or not formulas.refs(was):
        return was
    base = _base(before)
    starts = tuple(bases)
    seen = [
        (row, column, _at(was, base, row, column))
        for row, column in _samples(before, expected)
        if not _looks_across(
            _at(was, base, row, column), row, expected, here=here, stays=base in starts
        )
    ]

    def means_the_same(now: str) -> bool:
        return any(_sees(now, start, seen, expected, here=here) for start in starts)

    should = _written(was, base, starts[0], expected, here=here)
    return Expected(was, should, means_the_same if seen else should.__eq__)


def _threshold(
    was: str,
    before: Sequence[Area],
    bases: Iterable[tuple[int, int]],
    expected: Expectation,
    *,
    here: bool,
) -> str | Expected:
    """The limit of a colour scale or icon set; Excel allows only fixed references there."""
    as_rule = _expected(was, before, bases, expected, here=here)
    plain = expected.formula(was, here=here)
    if isinstance(as_rule, str):
        return one_of(was, plain)
    return Expected(was, plain, lambda now: now == plain or as_rule.accepts(now))


def _at(formula: str, base: tuple[int, int], row: int, column: int) -> str:
    return formulas.copied(formula, row - base[0], column - base[1])


def _sees(
    now: str,
    start: tuple[int, int],
    seen: Sequence[tuple[int, int, str]],
    expected: Expectation,
    *,
    here: bool,
) -> bool:
    """Whether each cell sees with `now`, from where the rule starts, what it saw before."""
    return all(
        expected.accepts(
            before,
            _at(now, start, expected.moved(row) if here else row, column),
            here=here,
            row=row,
            column=column,
        )
        for row, column, before in seen
    )


def _written(
    was: str, base: tuple[int, int], start: tuple[int, int], expected: Expectation, *, here: bool
) -> str:
    """The formula for the cell the rule now starts at: as it was, but for what does not follow."""
    if start == base or not here:
        return expected.fixed(was, here=here)
    return expected.formula(was, here=here, row=base[0])


def _samples(before: Sequence[Area], expected: Expectation) -> list[tuple[int, int]]:
    """Cells that together show how the rule goes on: edges of the rule and of the list."""
    row, last = expected.row, expected.last_row
    wanted = (row - 1, row, row + 1, last, last + 1)
    samples = []
    for one in before[:50]:
        edges = (one.top, one.top + 1, one.bottom - 1, one.bottom, *wanted)
        rows = sorted({edge for edge in edges if one.top <= edge <= one.bottom})
        samples += [(at, column) for at in rows for column in {one.left, one.right}]
    return samples


def _looks_across(seen: str, row: int, expected: Expectation, *, here: bool, stays: bool) -> bool:
    """Whether a relative reference in the cell looks over the place of the new rows.

    One text for all cells cannot follow that in this one cell; Excel leaves it uniform too. The
    same goes for other sheets' rows that cells look at side by side, where the rule's base `stays`
    and the cell moves.
    """
    if not here:
        return False
    for ref in formulas.refs(seen):
        elsewhere = ref.sheet is not None and ref.sheet.casefold() != expected.tab.casefold()
        for end in (ref.first, ref.last):
            if end is None or end.row is None or end.row_fixed:
                continue
            if elsewhere and stays and row >= expected.row:
                return True
            if not elsewhere and (end.row < expected.row) != (row < expected.row):
                return True
    return False
