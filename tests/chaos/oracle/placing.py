"""Whose each line of the list is: there at the start, a person's own, a case's, or nobody's."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from tests.chaos.oracle import expected
from tests.chaos.oracle.desk import STOPS, Case
from tests.chaos.oracle.evidence import Evidence
from tests.chaos.oracle.expected import Expected
from tests.chaos.oracle.sheet import Line


@dataclass
class Placed:
    """Every line at one place. `old` goes with the lines of the start they are, in that order,
    `gone` are lines of the start that are nowhere.
    """

    old: list[tuple[Line, Line]] = field(default_factory=list)
    gone: list[Line] = field(default_factory=list)
    people: list[Line] = field(default_factory=list)
    of_case: dict[int, list[Line]] = field(default_factory=dict)
    nobody: list[Line] = field(default_factory=list)
    wanted: dict[int, Expected] = field(default_factory=dict)

    def lines(self, case: Case) -> list[Line]:
        """A case's lines."""
        return self.of_case.get(case.id, [])


@lru_cache(maxsize=1)
def of_lines(evidence: Evidence) -> Placed:
    """Place every line."""
    placed = Placed()
    left = _without_the_old(evidence, placed)
    marks = [str(d.facts["mark"]) for d in evidence.journal.of("edited") if is_own_row(d.facts)]
    placed.people = [line for line in left if any(line.says(mark) for mark in marks)]
    left = [line for line in left if line not in placed.people]
    numbers = {case.number: case.id for case in evidence.desk.cases.values()}
    for line in left:
        if line.reference in numbers:
            placed.of_case.setdefault(numbers[line.reference], []).append(line)
    left = [line for line in left if line.reference not in numbers]
    _place_by_values(evidence, placed, left)
    return placed


def is_own_row(facts: dict[str, object]) -> bool:
    """Whether a person typed a whole row: of their own, or for a client of a case."""
    return facts.get("kind") in {"own_row", "by_hand"}


def _without_the_old(evidence: Evidence, placed: Placed) -> list[Line]:
    """The lines that were not there at the start. New rows go on top, so the old are looked for
    from the bottom.
    """
    marks = [str(d.facts["mark"]) for d in evidence.journal.of("edited") if d.facts.get("mark")]
    left = list(evidence.book.lines)
    for old in reversed(evidence.book_at_start.lines):
        found = next((line for line in reversed(left) if _is_same(old, line, marks)), None)
        if found is None:
            placed.gone.insert(0, old)
        else:
            placed.old.insert(0, (old, found))
            left.remove(found)
    return left


def _is_same(old: Line, line: Line, marks: list[str]) -> bool:
    """Whether a line has all an old one's own values, but for cells that a person has edited."""
    pairs = [(old.cells[place], line.cells[place]) for place in old.own]
    changed = [now for before, now in pairs if before != now]
    return len(changed) < len(pairs) and all(
        any(mark in str(now) for mark in marks) for now in changed
    )


def _place_by_values(evidence: Evidence, placed: Placed, left: list[Line]) -> None:
    """Lines without a case number: told by equal values first, then by name and phone. A person's
    own line that says all a case's row must say counts as that row when there is no other.
    """
    stopping = [case for case in evidence.desk.cases.values() if case.state in STOPS]
    for case in stopping:
        wanted = expected.of_case(evidence, case)
        if wanted is not None:
            placed.wanted[case.id] = wanted
    for lines, is_exact in ((left, True), (left, False), (placed.people, True)):
        for case in stopping:
            wanted = placed.wanted.get(case.id)
            if wanted is None or case.id in placed.of_case:
                continue
            fits = [line for line in lines if wanted.is_about(line)]
            if is_exact:
                fits = [line for line in fits if not wanted.differences(line)]
            if fits:
                placed.of_case[case.id] = [fits[-1]]
                lines.remove(fits[-1])
    placed.nobody = left
