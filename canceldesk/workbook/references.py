"""Finding cell references in formulas, and moving them.

The grammar is that of formulas as files store them (ECMA-376 part 1, 18.17): A1 style, English
function names, commas between arguments.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

LAST_ROW: Final = 1_048_576
LAST_COLUMN: Final = 16_384

_OFFSET_WITH_HEIGHT: Final = 4
_NAME_CHARACTER: Final = r"[\w.\\?]"
_CELL: Final = r"(\$?)([A-Za-z]{1,3})(\$?)([1-9][0-9]{0,6})"
_ENDS: Final = r"(?![\w.\\?(\[!])"
_AREA: Final = re.compile(rf"{_CELL}(?:\s*:\s*{_CELL})?{_ENDS}")
_ROWS: Final = re.compile(rf"(\$?)([1-9][0-9]{{0,6}}):(\$?)([1-9][0-9]{{0,6}}){_ENDS}")
_PREFIX: Final = re.compile(
    r"(?:'(?P<quoted>(?:[^']|'')+)'"
    rf"|(?P<plain>(?:\[[^\[\]]*\])?{_NAME_CHARACTER}+(?::{_NAME_CHARACTER}+)?|\[[^\[\]]*\]))!"
)
_LITERAL: Final = re.compile(
    r'"(?:[^"]|"")*"'
    r"|#(?:REF!|NULL!|DIV/0!|VALUE!|NAME\?|NUM!|N/A|GETTING_DATA|[A-Z]+!)",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[\w.\\?$]+")
_ONE_CELL: Final = re.compile(rf"^{_CELL}$")
_RANGE: Final = re.compile(
    r"^\$?([A-Za-z]{1,3})?\$?([0-9]{1,7})?(?::\$?([A-Za-z]{1,3})?\$?([0-9]{1,7})?)?$"
)


@lru_cache(maxsize=4096)
def column_number(letters: str) -> int:
    """The number of a column, A being 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """The letters of a column, 1 being A."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@dataclass(frozen=True, slots=True)
class Corner:
    """One corner of a reference; without letters it means whole rows."""

    letters: str
    column_fixed: bool
    row: int
    row_fixed: bool

    def __str__(self) -> str:
        column = ("$" if self.column_fixed else "") + self.letters if self.letters else ""
        return f"{column}{'$' if self.row_fixed else ''}{self.row}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference found in a formula at `begin` to `end`.

    `sheet` is None for the formula's own sheet. `anchors_block` is true for a single cell from
    which a block opens: `B5:INDEX(...)`, or OFFSET with a height.
    """

    begin: int
    end: int
    sheet: str | None
    prefix: str
    top: Corner
    bottom: Corner | None
    anchors_block: bool = False

    def moved(self, rows: tuple[int, int]) -> str:
        """The reference as text with its top and bottom at these rows."""
        top = replace(self.top, row=rows[0])
        if self.bottom is None:
            return f"{self.prefix}{top}"
        return f"{self.prefix}{top}:{replace(self.bottom, row=rows[1])}"


@dataclass(frozen=True, slots=True)
class Span:
    """A rectangle of rows and columns, both ends included."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def of(cls, text: str) -> Span:
        """The rectangle `A1:B2`, `A1`, `A:B` or `1:2` means; ValueError for anything else."""
        match = _RANGE.match(text.strip())
        if match is None or not text.strip():
            raise ValueError(f"not a range: {text}")
        first_column, first_row, last_column, last_row = match.groups()
        if ":" not in text:
            last_column, last_row = first_column, first_row
        return cls(
            int(first_row or 1),
            column_number(first_column) if first_column else 1,
            int(last_row or LAST_ROW),
            column_number(last_column) if last_column else LAST_COLUMN,
        )


def rewritten(formula: str, change: Callable[[Reference], str | None]) -> str:
    """`formula` with every reference replaced by what `change` gives; None leaves it alone."""
    pieces: list[str] = []
    done = 0
    for reference in found(formula):
        replacement = change(reference)
        if replacement is None:
            continue
        pieces += (formula[done : reference.begin], replacement)
        done = reference.end
    return "".join((*pieces, formula[done:])) if pieces else formula


def found(formula: str) -> list[Reference]:
    """All references with rows in `formula`, left to right.

    References to other workbooks are left out; one across several sheets (`Jan:Dec!A1`) has the
    sheets' names joined by a colon as its sheet.
    """
    references: list[Reference] = []
    position = 0
    while position < len(formula):
        position = _step(formula, position, references)
    return references


def _step(formula: str, position: int, references: list[Reference]) -> int:
    """Read one token at `position`; give the position behind it."""
    literal = _LITERAL.match(formula, position)
    if literal:
        return literal.end()
    prefix = _prefix(formula, position)
    begin = prefix.end() if prefix else position
    reference = _reference(formula, position, begin, prefix)
    if reference is not None:
        if not (prefix and _external(prefix)):
            references.append(reference)
        return reference.end
    if prefix:
        return begin
    if formula[position] == "[":
        return _behind_brackets(formula, position)
    word = _WORD.match(formula, position)
    return word.end() if word else position + 1


def _prefix(formula: str, position: int) -> re.Match[str] | None:
    match = _PREFIX.match(formula, position)
    if match is None or match["plain"] is None:
        return match
    before, colon, _after = match["plain"].partition(":")
    return None if colon and _ONE_CELL.match(before) else match


def _external(prefix: re.Match[str]) -> bool:
    return "[" in (prefix["quoted"] or prefix["plain"])


def _reference(formula: str, begin: int, at: int, prefix: re.Match[str] | None) -> Reference | None:
    sheet = None
    if prefix is not None:
        sheet = prefix["plain"] or prefix["quoted"].replace("''", "'")
    written = formula[begin:at]
    area = _AREA.match(formula, at)
    if area is not None:
        corners = _corners(area)
        if corners is None:
            return None
        opens = area[5] is None and (
            formula[area.end() : area.end() + 1] == ":" or _starts_block(formula, begin)
        )
        return Reference(begin, area.end(), sheet, written, *corners, anchors_block=opens)
    rows = _ROWS.match(formula, at)
    if rows is None:
        return None
    top = Corner("", False, int(rows[2]), bool(rows[1]))
    bottom = Corner("", False, int(rows[4]), bool(rows[3]))
    return Reference(begin, rows.end(), sheet, written, top, bottom)


def _corners(area: re.Match[str]) -> tuple[Corner, Corner | None] | None:
    top = Corner(area[2], bool(area[1]), int(area[4]), bool(area[3]))
    if not _on_sheet(top):
        return None
    if area[5] is None:
        return top, None
    bottom = Corner(area[6], bool(area[5]), int(area[8]), bool(area[7]))
    return (top, bottom) if _on_sheet(bottom) else None


def _on_sheet(corner: Corner) -> bool:
    return corner.row <= LAST_ROW and column_number(corner.letters) <= LAST_COLUMN


def _starts_block(formula: str, begin: int) -> bool:
    """Whether the reference at `begin` is the first argument of an OFFSET that gives a height."""
    if not formula[:begin].upper().endswith("OFFSET("):
        return False
    depth, arguments, position = 0, 1, begin
    while position < len(formula) and depth >= 0:
        literal = _LITERAL.match(formula, position)
        character = formula[position]
        depth += (character in "([{") - (character in ")]}")
        arguments += character == "," and depth == 0
        position = literal.end() if literal else position + 1
    return arguments >= _OFFSET_WITH_HEIGHT


def _behind_brackets(formula: str, position: int) -> int:
    """The position behind a table's bracketed part; an apostrophe there escapes one character."""
    depth = 0
    while position < len(formula):
        character = formula[position]
        if character == "'":
            position += 1
        depth += (character == "[") - (character == "]")
        position += 1
        if depth == 0:
            break
    return position


def relocated(formula: str, rows: int, columns: int) -> str | None:
    """`formula` as it reads that many cells further down and right; None when it falls off."""
    fell_off = False

    def change(reference: Reference) -> str | None:
        nonlocal fell_off
        ends = (reference.top, reference.bottom)
        moved = tuple(
            None if corner is None else _carried(corner, rows, columns) for corner in ends
        )
        fell_off = fell_off or any(corner is not None and not _valid(corner) for corner in moved)
        text = ":".join(str(corner) for corner in moved if corner is not None)
        return reference.prefix + text

    result = _relocate_columns(rewritten(formula, change), columns)
    return None if fell_off or result is None else result


def _carried(corner: Corner, rows: int, columns: int) -> Corner:
    letters = corner.letters
    if letters and not corner.column_fixed:
        letters = column_letters(max(column_number(letters) + columns, 0)) or "?"
    row = corner.row if corner.row_fixed else corner.row + rows
    return replace(corner, letters=letters, row=row)


def _valid(corner: Corner) -> bool:
    return corner.letters != "?" and corner.row >= 1 and _on_sheet(corner)


_COLUMN_RANGE: Final = re.compile(
    r"(?<![\w.\\?$:])(\$?)([A-Za-z]{1,3}):(\$?)([A-Za-z]{1,3})(?![\w.\\?(\[!:])"
)


def _relocate_columns(formula: str, columns: int) -> str | None:
    """Whole-column references have no rows; those not fixed still follow a move to the side."""
    if columns == 0 or not _COLUMN_RANGE.search(formula):
        return formula
    return None
