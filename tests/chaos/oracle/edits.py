"""What people have in the workbook is still in it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.oracle.evidence import Evidence
from tests.chaos.oracle.placing import of_lines
from tests.chaos.oracle.sheet import Line
from tests.chaos.oracle.violation import Violation


def edits_are_still_there(evidence: Evidence) -> Iterator[Violation]:
    """Every mark a person made stands somewhere, unless the person took it out again."""
    standing: dict[str, str] = {}
    for deed in evidence.journal.of("edited", "unedited"):
        mark = str(deed.facts.get("mark") or "")
        if deed.what == "unedited":
            standing.pop(mark, None)
        elif mark:
            standing[mark] = str(deed)
    everything = "\n".join(evidence.book.texts)
    for mark, told in standing.items():
        if mark not in everything:
            yield Violation(
                "edit_lost",
                mark,
                f'A person wrote "{mark}" into the workbook and it is not there any more.',
                (told,),
            )


def rows_of_the_start_are_still_there(evidence: Evidence) -> Iterator[Violation]:
    """Each once, in the same order, with what stands beside it."""
    placed = of_lines(evidence)
    for line in placed.gone:
        yield Violation(
            "old_row_lost",
            line.name,
            f'The row of "{line.name}" stood on the list at the start and is not there any more.',
            (str(line),),
        )
    numbers = [line.number for _, line in placed.old]
    if numbers != sorted(numbers):
        yield Violation(
            "old_rows_moved",
            "list",
            "The rows that stood on the list at the start are not in their order any more.",
            tuple(str(line) for _, line in placed.old),
        )
    marks = [str(d.facts["mark"]) for d in evidence.journal.of("edited") if d.facts.get("mark")]
    for old, line in placed.old:
        yield from _beside(old, line, marks)


def other_tabs_are_as_they_were(evidence: Evidence) -> Iterator[Violation]:
    """Constants on other tabs stay, but for the cells that people edited."""
    now = evidence.book.constants()
    edited = {
        (str(deed.facts.get("sheet")), str(deed.facts.get("cell")))
        for deed in evidence.journal.of("edited", "unedited")
    }
    for (tab, cell), value in evidence.book_at_start.constants().items():
        if (tab, cell) not in edited and now.get((tab, cell)) != value:
            yield Violation(
                "other_tab_changed",
                f"{tab}!{cell}",
                f'Cell {cell} of the tab "{tab}" was "{value}" and is '
                f'"{now.get((tab, cell))}" now, and no person changed it.',
            )


def _beside(old: Line, line: Line, marks: list[str]) -> Iterator[Violation]:
    for place, before in enumerate(old.cells):
        now = line.cells[place] if place < len(line.cells) else None
        is_formula = str(before).startswith("=")
        if place in old.own or before == now or before is None or is_formula:
            continue
        if not any(mark in str(now) for mark in marks):
            yield Violation(
                "old_row_changed",
                line.name,
                f'Beside the row of "{line.name}" stood "{before}"; now it is "{now}".',
                (str(line),),
            )
