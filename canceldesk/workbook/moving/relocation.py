"""A formula as it reads in another cell, as when a shared formula is spelled out."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from canceldesk.workbook.ooxml import references
from canceldesk.workbook.ooxml.references import LAST_COLUMN, Corner, Reference

_WHOLE_COLUMNS: Final = re.compile(
    r"(?<![\w.\\?$:])(?P<a>\$?)(?P<first>[A-Za-z]{1,3}):(?P<b>\$?)(?P<last>[A-Za-z]{1,3})"
    r"(?![\w.\\?(\[!:])"
)
_LITERAL: Final = re.compile(r'"(?:[^"]|"")*"')


def relocated(formula: str, rows: int, columns: int) -> str | None:
    """`formula` as it reads that many cells further down and right; None when it falls off."""
    if not rows and not columns:
        return formula
    fell_off = False

    def change(reference: Reference) -> str | None:
        nonlocal fell_off
        ends = (reference.top, reference.bottom)
        moved = tuple(
            None if corner is None else _carried(corner, rows, columns) for corner in ends
        )
        fell_off = fell_off or any(
            corner is not None and (corner.letters == "?" or not references.on_sheet(corner))
            for corner in moved
        )
        return reference.prefix + ":".join(str(corner) for corner in moved if corner is not None)

    result = _with_whole_columns(references.rewritten(formula, change), columns)
    return None if fell_off or result is None else result


def _carried(corner: Corner, rows: int, columns: int) -> Corner:
    letters = corner.letters
    if letters and not corner.column_fixed:
        letters = _sideways(letters, columns) or "?"
    row = corner.row if corner.row_fixed else corner.row + rows
    return replace(corner, letters=letters, row=row)


def _sideways(letters: str, columns: int) -> str | None:
    number = references.column_number(letters) + columns
    return references.column_letters(number) if 1 <= number <= LAST_COLUMN else None


def _with_whole_columns(formula: str, columns: int) -> str | None:
    """References to whole columns have no rows, but those not fixed follow a move sideways."""
    if columns == 0 or ":" not in formula:
        return formula
    pieces: list[str] = []
    done = 0
    for match in _WHOLE_COLUMNS.finditer(formula):
        if _in_words(formula, match.start()):
            continue
        first = match["first"] if match["a"] else _sideways(match["first"], columns)
        last = match["last"] if match["b"] else _sideways(match["last"], columns)
        if first is None or last is None:
            return None
        pieces += (formula[done : match.start()], f"{match['a']}{first}:{match['b']}{last}")
        done = match.end()
    return "".join((*pieces, formula[done:]))


def _in_words(formula: str, position: int) -> bool:
    """Whether a place lies in a text, a sheet's quoted name or a table's brackets."""
    at = 0
    while at <= position:
        character = formula[at]
        end = at + 1
        if character in "\"'":
            literal = re.compile(f"{character}(?:[^{character}]|{character * 2})*{character}")
            found = literal.match(formula, at)
            end = found.end() if found else end
        elif character == "[":
            end = references.behind_brackets(formula, at)
        if at <= position < end and character in "\"'[":
            return True
        at = end
    return False
