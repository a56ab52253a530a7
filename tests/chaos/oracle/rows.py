"""Every closed case has exactly one right row; nobody else has one."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.oracle.desk import Case
from tests.chaos.oracle.evidence import Evidence
from tests.chaos.oracle.placing import Placed, of_lines
from tests.chaos.oracle.sheet import Line
from tests.chaos.oracle.violation import Violation

LEAVES = ("row.removal_asked", "row.removal_intended", "row.removed", "row.removal_adopted")
COMES = ("row.intended", "row.written", "row.found", "row.rewrite_asked")


def closed_cases_have_one_right_row(evidence: Evidence) -> Iterator[Violation]:
    """One row for a closed case, none for one whose row a manager took off; and whatever row a
    closing case has already is right, too.
    """
    placed = of_lines(evidence)
    spoiled = spoiled_cases(evidence)
    for case in evidence.desk.cases.values():
        if case.number in spoiled:
            continue
        lines = placed.lines(case)
        if case.state == "closed":
            yield from _number_of_rows(evidence, case, lines)
        elif case.state == "closing" and len(lines) > 1:
            yield _twice(case, lines)
        yield from _wrong_values(case, placed)


def no_row_without_a_decision(evidence: Evidence) -> Iterator[Violation]:
    """Who stays, or is not decided yet, is not on the list; and every row has a reason to be."""
    placed = of_lines(evidence)
    for case in evidence.desk.cases.values():
        if case.state in {"closing", "closed"} or case.number in spoiled_cases(evidence):
            continue
        for line in placed.lines(case):
            yield Violation(
                "row_without_decision",
                case.number,
                f"Case {case.number} is {case.state}, yet the client is on the list.",
                (str(case), str(line)),
            )
    for line in placed.nobody:
        yield _of_nobody(evidence, placed, line)


def new_rows_are_on_top(evidence: Evidence) -> Iterator[Violation]:
    """The procedure: a client is added at the top of the list."""
    placed = of_lines(evidence)
    if not placed.old:
        return
    first_old = min(line.number for _, line in placed.old)
    for case in evidence.desk.cases.values():
        for line in placed.lines(case):
            if line.number > first_old and line not in placed.people:
                yield Violation(
                    "row_not_on_top",
                    case.number,
                    f"The row of case {case.number} stands below row {first_old}, which was on "
                    "the list before.",
                    (str(line),),
                )


def _of_nobody(evidence: Evidence, placed: Placed, line: Line) -> Violation:
    """Without a column for case numbers a row that stands twice is left over here."""
    for number, wanted in placed.wanted.items():
        if not wanted.differences(line):
            case = evidence.desk.cases[number]
            return _twice(case, [*placed.lines(case), line])
    return Violation(
        "row_of_nobody",
        f"row {line.number}",
        f'Row {line.number} of the list ("{line.name}") belongs to no case that was decided, was '
        "not there at the start and is no person's.",
        (str(line),),
    )


def spoiled_cases(evidence: Evidence) -> set[str]:
    """The numbers of cases whose row a person changed or deleted and left so."""
    found: set[str] = set()
    for deed in evidence.journal.of("row_changed", "row_deleted", "row_put_right", "rewritten"):
        number = str(deed.facts.get("case") or "")
        if deed.what in {"row_changed", "row_deleted"}:
            found.add(number)
        elif deed.what == "row_put_right" or deed.succeeded:
            found.discard(number)
    return found


def _number_of_rows(evidence: Evidence, case: Case, lines: list[Line]) -> Iterator[Violation]:
    if _was_taken_off(evidence, case):
        if lines and not case.waits_for_person:
            yield Violation(
                "row_taken_off_is_there",
                case.number,
                f"A manager had the row of case {case.number} taken off the list, but it is there.",
                (str(case), *map(str, lines)),
            )
        return
    if not lines:
        yield Violation(
            "no_row",
            case.number,
            f"Case {case.number} is closed, but client {case.client} is not on the list.",
            (str(case),),
        )
    if len(lines) > 1:
        yield _twice(case, lines)


def _twice(case: Case, lines: list[Line]) -> Violation:
    return Violation(
        "row_twice",
        case.number,
        f"Case {case.number} is on the list {len(lines)} times.",
        tuple(str(line) for line in lines),
    )


def _wrong_values(case: Case, placed: Placed) -> Iterator[Violation]:
    wanted = placed.wanted.get(case.id)
    for line in placed.lines(case) if wanted else []:
        wrong = wanted.differences(line) if wanted else []
        if wrong:
            yield Violation(
                "wrong_row",
                case.number,
                f"The row of case {case.number} has a wrong {', '.join(wrong)}.",
                (str(line), str(wanted)),
            )


def _was_taken_off(evidence: Evidence, case: Case) -> bool:
    moves = [e.verb for e in evidence.desk.story(case.id) if e.verb in {*LEAVES, *COMES}]
    return bool(moves) and moves[-1] in LEAVES
