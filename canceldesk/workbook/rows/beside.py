"""What stands in a row of the list that the desk did not put there, in a file or in the cloud.

The desk puts in the list's own values, the texts for columns of the company's own, and what Excel
fills down; all else is somebody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from canceldesk.workbook import text
from canceldesk.workbook.errors import SomethingBeside
from canceldesk.workbook.headings import Headings, normalised
from canceldesk.workbook.moving.relocation import relocated
from canceldesk.workbook.ooxml import references

_MOST_NAMED: Final = 5
_LONGEST_SHOWN: Final = 40


@dataclass(frozen=True)
class Written:
    """What a cell holds: as a person sees it, or its formula without the `=`."""

    column: int
    shown: str
    formula: str = ""


@dataclass(frozen=True)
class Alike:
    """A formula of the same column in another row, or as the table describes it for that row."""

    row: int
    formula: str

    def reads(self, formula: str, row: int) -> bool:
        """Whether it would read just like `formula` if it were filled down, or up, to `row`."""
        return relocated(self.formula, row - self.row, 0) == formula


def refuse(number: int, file: str, stands: Sequence[str]) -> None:
    """Raise `SomethingBeside` if anything stands in the row `number`."""
    if not stands:
        return
    told = "; ".join(stands[:_MOST_NAMED])
    if len(stands) > _MOST_NAMED:
        told += f"; and {len(stands) - _MOST_NAMED} more"
    raise SomethingBeside(
        f"Row {number} of “{file}” holds something that the desk did not put there: {told}. Move "
        "that to another place, or take this row out by hand. Nothing was written.",
        what=told,
    )


def cells(
    headings: Headings,
    number: int,
    written: Iterable[Written],
    fill: Mapping[str, str],
    alike: Mapping[int, Sequence[Alike]],
) -> list[str]:
    """Which of the cells `written` in the row `number` are somebody's, in words.

    `fill` is text for columns of the company's own, by heading; `alike` are formulas to compare
    with, by column.
    """
    filled = {normalised(heading): words for heading, words in fill.items()}
    ours = set(headings.columns.values())

    def is_the_desks(cell: Written) -> bool:
        if cell.formula:
            return any(other.reads(cell.formula, number) for other in alike.get(cell.column, ()))
        return _is_filled(cell, filled.get(normalised(headings.others.get(cell.column, ""))))

    return [
        _in_words(headings, number, cell)
        for cell in written
        if cell.column not in ours and not is_the_desks(cell)
    ]


def _in_words(headings: Headings, number: int, cell: Written) -> str:
    place = f"{references.column_letters(cell.column)}{number}"
    heading = " ".join(headings.others.get(cell.column, "").split())
    shown = f"={cell.formula}" if cell.formula else text.normalised(cell.shown)
    if len(shown) > _LONGEST_SHOWN:
        shown = f"{shown[:_LONGEST_SHOWN]}…"
    return f"“{heading}” ({place}) holds “{shown}”" if heading else f"{place} holds “{shown}”"


def _is_filled(cell: Written, words: str | None) -> bool:
    if words is None:
        return False
    # Excel in the cloud may keep the apostrophe before a text.
    shown, told = text.normalised(cell.shown).removeprefix("'"), text.normalised(words)
    return shown == told.removeprefix("'") or _as_number(shown) == _as_number(told)


def _as_number(written: str) -> Decimal | str:
    """`written` as it is compared: `5.10` in the settings is 5.1 in a cell."""
    try:
        number = Decimal(written)
    except InvalidOperation:
        return written
    return number if number.is_finite() else written
