"""Finding cell references in formulas, and rewriting them.

The grammar is that of formulas as files store them (ECMA-376 part 1, 18.17): A1 style, English
function names, commas between arguments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

LAST_ROW: Final = 1_048_576
LAST_COLUMN: Final = 16_384

_OFFSET_WITH_HEIGHT: Final = 4
_NAME_CHARACTER: Final = r"[\w.\\?\x80-\U0010ffff]"
_CELL: Final = r"(\$?)([A-Za-z]{1,3})(\$?)([1-9][0-9]{0,6})"
_ENDS: Final = r"(?![\w.\\?(\[!])"
_AREA: Final = re.compile(rf"{_CELL}(?:\s*:\s*{_CELL})?{_ENDS}")
_ROWS: Final = re.compile(rf"(\$?)([1-9][0-9]{{0,6}})\s*:\s*(\$?)([1-9][0-9]{{0,6}}){_ENDS}")
_PREFIX: Final = re.compile(
    r"(?:'(?P<quoted>(?:[^']|'')+)'"
    rf"|(?P<plain>(?:\[[^\[\]]*\])?{_NAME_CHARACTER}+(?::{_NAME_CHARACTER}+)?|\[[^\[\]]*\])"
    r"|(?P<lost>\#REF))!"
)
_STRING: Final = re.compile(r'"(?:[^"]|"")*"')
_LABEL: Final = re.compile(r"'(?:[^']|'')*+'")
"""Words between apostrophes that name no tab: LibreOffice's labels of rows and columns."""
_WORD: Final = re.compile(rf"(?:{_NAME_CHARACTER}|\$)+")
_ONE_CELL: Final = re.compile(rf"^{_CELL}$")
_TOKEN_BEGINS: Final = re.compile(r"""["'\[#\w.\\?$]|[^\x00-\x7f]""")
_DIGIT: Final = re.compile(r"[0-9]")
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

    `sheet` is None for the formula's own sheet. `bottom` is the corner written second, if any; it
    may lie above `top` in a range written upside down. `anchors_block` is true for a single cell
    from which a block opens: `B5:INDEX(...)`, or OFFSET with a height. `elsewhere` is true for
    cells of another workbook, of a deleted sheet, or (`!A1`) of whichever sheet is looked at.
    """

    begin: int
    end: int
    sheet: str | None
    prefix: str
    top: Corner
    bottom: Corner | None
    anchors_block: bool = False
    elsewhere: bool = False

    @property
    def upper(self) -> Corner:
        """The corner of the first row."""
        if self.bottom is not None and self.bottom.row < self.top.row:
            return self.bottom
        return self.top

    @property
    def lower(self) -> Corner:
        """The corner of the last row."""
        if self.bottom is None or self.bottom.row < self.top.row:
            return self.top
        return self.bottom

    @property
    def height(self) -> int:
        """How many rows it covers."""
        return self.lower.row - self.upper.row + 1

    @property
    def one_column(self) -> bool:
        """Whether it is a range within one column."""
        return self.bottom is not None and self.top.letters == self.bottom.letters != ""

    def at(self, first: int, last: int) -> str:
        """The reference as text, covering the rows `first` to `last`."""
        if self.bottom is None:
            return f"{self.prefix}{replace(self.top, row=first)}"
        ends = (last, first) if self.bottom.row < self.top.row else (first, last)
        return f"{self.prefix}{replace(self.top, row=ends[0])}:{replace(self.bottom, row=ends[1])}"


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
        rows = (int(first_row or 1), int(last_row or LAST_ROW))
        columns = (
            column_number(first_column) if first_column else 1,
            column_number(last_column) if last_column else LAST_COLUMN,
        )
        return cls(min(rows), min(columns), max(rows), max(columns))

    @classmethod
    def around(cls, spans: Iterable[Span]) -> Span:
        """The smallest rectangle that holds all of these."""
        held = list(spans)
        return cls(
            min(span.top for span in held),
            min(span.left for span in held),
            max(span.bottom for span in held),
            max(span.right for span in held),
        )


def rewritten(
    formula: str,
    change: Callable[[Reference], str | None],
    among: Iterable[Reference] | None = None,
) -> str:
    """`formula` with every reference replaced by what `change` gives; None leaves it alone.

    `among` are the references to look at, in their order, when they are known already.
    """
    pieces: list[str] = []
    done = 0
    for reference in found(formula) if among is None else among:
        replacement = change(reference)
        if replacement is None:
            continue
        pieces += (formula[done : reference.begin], replacement)
        done = reference.end
    return "".join((*pieces, formula[done:])) if pieces else formula


def found(formula: str, *, elsewhere: bool = False) -> list[Reference]:
    """All references with rows in `formula`, left to right.

    References to other workbooks are given only if `elsewhere` is asked for; one across several
    sheets (`Jan:Dec!A1`) has the sheets' names joined by a colon as its sheet.
    """
    references: list[Reference] = []
    if not _DIGIT.search(formula):
        return references
    token = _TOKEN_BEGINS.search(formula)
    while token is not None:
        position = _step(formula, token.start(), references)
        token = _TOKEN_BEGINS.search(formula, position)
    if elsewhere:
        return references
    return [reference for reference in references if not reference.elsewhere]


def _step(formula: str, position: int, references: list[Reference]) -> int:
    """Read one token at `position`; give the position behind it."""
    if formula[position] == '"':
        literal = _STRING.match(formula, position)
        return literal.end() if literal else position + 1
    prefix = _prefix(formula, position)
    begin = prefix.end() if prefix else position
    reference = _reference(formula, position, begin, prefix)
    if reference is not None:
        references.append(reference)
        return reference.end
    if prefix:
        return begin
    if formula[position] == "[":
        return behind_brackets(formula, position)
    label = _LABEL.match(formula, position) or _WORD.match(formula, position)
    return label.end() if label else position + 1


def _prefix(formula: str, position: int) -> re.Match[str] | None:
    match = _PREFIX.match(formula, position)
    if match is None or match["plain"] is None:
        return match
    before, colon, _after = match["plain"].partition(":")
    return None if colon and _ONE_CELL.match(before) else match


def _reference(formula: str, begin: int, at: int, prefix: re.Match[str] | None) -> Reference | None:
    sheet, elsewhere = None, False
    if formula[begin - 1 : begin] == "!":
        elsewhere = True
    elif prefix is not None:
        quoted, plain, lost = prefix.group("quoted", "plain", "lost")
        sheet = plain or lost or quoted.replace("''", "'")
        elsewhere = lost is not None or "[" in sheet
    written = formula[begin:at]
    area = _AREA.match(formula, at)
    if area is not None:
        corners = _corners(area)
        if corners is None:
            return None
        opens = area[5] is None and (
            formula[area.end() : area.end() + 1] == ":" or _starts_block(formula, begin)
        )
        return Reference(begin, area.end(), sheet, written, *corners, opens, elsewhere)
    rows = _ROWS.match(formula, at)
    if rows is None:
        return None
    top = Corner("", False, int(rows[2]), bool(rows[1]))
    bottom = Corner("", False, int(rows[4]), bool(rows[3]))
    if max(top.row, bottom.row) > LAST_ROW:
        return None
    return Reference(begin, rows.end(), sheet, written, top, bottom, False, elsewhere)


def _corners(area: re.Match[str]) -> tuple[Corner, Corner | None] | None:
    top = Corner(area[2], bool(area[1]), int(area[4]), bool(area[3]))
    if not on_sheet(top):
        return None
    if area[5] is None:
        return top, None
    bottom = Corner(area[6], bool(area[5]), int(area[8]), bool(area[7]))
    return (top, bottom) if on_sheet(bottom) else None


def on_sheet(corner: Corner) -> bool:
    """Whether a sheet is large enough to have this cell."""
    return 1 <= corner.row <= LAST_ROW and column_number(corner.letters) <= LAST_COLUMN


def _starts_block(formula: str, begin: int) -> bool:
    """Whether the reference at `begin` is the first argument of an OFFSET that gives a height."""
    if not formula[:begin].upper().endswith("OFFSET("):
        return False
    depth, arguments, position = 0, 1, begin
    while position < len(formula) and depth >= 0:
        literal = _STRING.match(formula, position)
        character = formula[position]
        depth += (character in "([{") - (character in ")]}")
        arguments += character == "," and depth == 0
        position = literal.end() if literal else position + 1
    return arguments >= _OFFSET_WITH_HEIGHT


def behind_brackets(formula: str, position: int) -> int:
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
