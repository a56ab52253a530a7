"""Reading formulas for the comparison, apart from the code that edits them.

The grammar is that of formulas as files store them (ECMA-376 part 1, 18.17.2). A judge that read
references with the editor's own code would share its mistakes, so this is written a second time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

ROWS: Final = 1_048_576
COLUMNS: Final = 16_384

_LETTER: Final = r"[\w.\\?\u0080-\U0010ffff]"
_TOKEN: Final = re.compile(
    r"""
      (?P<string>"(?:[^"]|"")*")
    | (?P<error>\#(?:REF!|NULL!|DIV/0!|VALUE!|NAME\?|NUM!|N/A|[A-Z_]+[!?]))
    | (?P<quoted>'(?:[^']|'')*'!)
    | (?P<label>'(?:[^']|'')*')
    | (?P<word>[\w.\\?$\u0080-\U0010ffff]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_CELL: Final = re.compile(r"(\$?)([A-Z]{1,3})(\$?)([0-9]{1,7})", re.IGNORECASE)
_COLUMN: Final = re.compile(r"(\$?)([A-Z]{1,3})", re.IGNORECASE)
_ROW: Final = re.compile(r"(\$?)([0-9]{1,7})")
_OFFSET_ARGUMENTS: Final = 4


def letters(column: int) -> str:
    """A column's letters, 1 being A."""
    text = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def column(text: str) -> int:
    """A column's number, A being 1."""
    number = 0
    for letter in text.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


@dataclass(frozen=True, slots=True)
class End:
    """One end of a reference; `row` or `column` is None where it means all of them."""

    letters: str
    column: int | None
    column_fixed: bool
    row: int | None
    row_fixed: bool

    def __str__(self) -> str:
        words = ""
        if self.letters:
            words += ("$" if self.column_fixed else "") + self.letters
        if self.row is not None:
            words += ("$" if self.row_fixed else "") + str(self.row)
        return words


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference at `begin` to `end` of a formula; `last` is None for a single cell.

    `sheet` is None for the formula's own sheet, a pair of names for several sheets in a row.
    `opens` says that a block of cells starts here whose end is worked out: `D4:INDEX(...)` or
    `OFFSET(D4, ..., height)`.
    """

    begin: int
    end: int
    sheet: str | None
    last_sheet: str | None
    elsewhere: bool
    first: End
    last: End | None
    opens: bool

    def text(self, first: End, last: End | None) -> str:
        """The reference, without its sheet, with other ends."""
        return str(first) if last is None else f"{first}:{last}"


@lru_cache(maxsize=20_000)
def refs(formula: str) -> tuple[Ref, ...]:
    """All references of `formula` from left to right, those to other workbooks included."""
    return tuple(_Reader(formula).read())


def replaced(formula: str, change: Callable[[Ref], str | None]) -> str:
    """`formula` with references replaced by what `change` gives for them; None keeps one."""
    text, done = "", 0
    for ref in refs(formula):
        new = change(ref)
        if new is not None:
            text += formula[done : ref.begin] + new
            done = ref.end
    return text + formula[done:]


def bare(formula: str) -> str:
    """`formula` with a gap in place of every reference."""
    return replaced(formula, lambda _ref: "\t")


def copied(formula: str, down: int, right: int) -> str:
    """`formula` as it reads in a cell that far away; over a sheet's edge it goes round."""
    if not down and not right:
        return formula
    return replaced(
        formula,
        lambda ref: ref.text(
            _carried(ref.first, down, right),
            None if ref.last is None else _carried(ref.last, down, right),
        ),
    )


def _carried(end: End, down: int, right: int) -> End:
    row, col = end.row, end.column
    if row is not None and not end.row_fixed:
        row = (row + down - 1) % ROWS + 1
    if col is not None and not end.column_fixed:
        col = (col + right - 1) % COLUMNS + 1
    written = end.letters if col == end.column or col is None else letters(col)
    return replace(end, letters=written, row=row, column=col)


class _Reader:
    """One pass over a formula's tokens; `_ahead` looks at what follows without taking it."""

    def __init__(self, formula: str) -> None:
        self._formula = formula
        self._at = 0
        self._found: list[Ref] = []

    def read(self) -> list[Ref]:
        while self._at < len(self._formula):
            self._step()
        return self._found

    def _step(self) -> None:
        token = _TOKEN.match(self._formula, self._at)
        assert token is not None  # noqa: S101 - `other` matches any character
        begin, self._at = self._at, token.end()
        if token["quoted"] is not None:
            self._behind_sheet(token["quoted"][1:-2].replace("''", "'"))
        elif token["word"] is not None:
            self._word(token["word"], begin)
        elif token["other"] == "[":
            self._bracket(begin)

    def _bracket(self, begin: int) -> None:
        """Skip a table's part, or take `[2]Sheet!` as a sheet of another workbook."""
        self._at = _behind_bracket(self._formula, begin)
        inside = self._formula[begin : self._at]
        name = re.compile(rf"{_LETTER}*(?::{_LETTER}+)?!").match(self._formula, self._at)
        if name is not None and not self._formula[:begin].endswith("]"):
            self._at = name.end()
            self._behind_sheet(inside + name[0][:-1])

    def _word(self, word: str, begin: int) -> None:
        following = self._formula[self._at : self._at + 1]
        if following == "!":
            self._at += 1
            self._behind_sheet(word)
            return
        several = re.compile(rf":({_LETTER}+)!").match(self._formula, self._at)
        if several is not None and not _CELL.fullmatch(word):
            self._at = several.end()
            self._behind_sheet(f"{word}:{several[1]}")
            return
        if following == "[":
            self._at = _behind_bracket(self._formula, self._at)
            return
        self._ends(word, begin, None)

    def _behind_sheet(self, sheet: str) -> None:
        token = _TOKEN.match(self._formula, self._at)
        if token is not None and token["word"] is not None:
            begin, self._at = self._at, token.end()
            self._ends(token["word"], begin, sheet)

    def _ends(self, word: str, begin: int, sheet: str | None) -> None:
        """Take a reference that starts with `word`, if it is one."""
        first = _end(word)
        if first is None or self._formula[self._at : self._at + 1] in ("(", "[", "!"):
            return
        stop, last = self._at, None
        colon = re.compile(r"\s*:\s*([\w.\\?$]+)").match(self._formula, self._at)
        if colon is not None:
            last = _end(colon[1])
            after = self._formula[colon.end() : colon.end() + 1]
            if last is None or not _alike(first, last) or after in ("(", "[", "!"):
                last = None
            else:
                stop = colon.end()
        if last is None and (first.row is None or first.column is None):
            return
        self._at = stop
        opens = last is None and (
            self._formula[stop : stop + 1] == ":" or self._is_offset_with_height(begin)
        )
        first_sheet, _, last_sheet = (sheet or "").partition(":")
        elsewhere = "[" in (sheet or "")
        if elsewhere:
            first_sheet, last_sheet = sheet or "", ""
        self._found.append(
            Ref(
                begin,
                stop,
                None if sheet is None else first_sheet,
                last_sheet or None,
                elsewhere,
                first,
                last,
                opens,
            )
        )

    def _is_offset_with_height(self, begin: int) -> bool:
        """Whether the reference is the first argument of an OFFSET with four or more."""
        before = re.search(
            rf"OFFSET\(\s*(?:'(?:[^']|'')*'!|{_LETTER}+!)?$", self._formula[:begin], re.I
        )
        if before is None:
            return False
        depth, commas, at = 0, 0, self._at
        while at < len(self._formula):
            token = _TOKEN.match(self._formula, at)
            assert token is not None  # noqa: S101 - `other` matches any character
            sign = token["other"] or ""
            depth += (sign in ("(", "{")) - (sign in (")", "}"))
            if depth < 0:
                break
            commas += sign == "," and depth == 0
            at = token.end()
        return commas + 1 >= _OFFSET_ARGUMENTS


def _end(word: str) -> End | None:
    cell = _CELL.fullmatch(word)
    if cell is not None:
        end = End(cell[2], column(cell[2]), bool(cell[1]), int(cell[4]), bool(cell[3]))
    elif (only_column := _COLUMN.fullmatch(word)) is not None:
        end = End(only_column[2], column(only_column[2]), bool(only_column[1]), None, False)
    elif (only_row := _ROW.fullmatch(word)) is not None:
        end = End("", None, False, int(only_row[2]), bool(only_row[1]))
    else:
        return None
    if end.column is not None and end.column > COLUMNS:
        return None
    return None if end.row is not None and not 1 <= end.row <= ROWS else end


def _alike(first: End, last: End) -> bool:
    return (first.row is None) == (last.row is None) and (first.column is None) == (
        last.column is None
    )


def _behind_bracket(formula: str, begin: int) -> int:
    """The place behind the bracket that opens at `begin`; an apostrophe escapes inside."""
    depth, at = 0, begin
    while at < len(formula):
        sign = formula[at]
        if sign == "'":
            at += 2
            continue
        depth += (sign == "[") - (sign == "]")
        at += 1
        if depth == 0:
            return at
    return len(formula)
