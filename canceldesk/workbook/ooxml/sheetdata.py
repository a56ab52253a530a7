"""The rows and cells of a worksheet as text, so that a hundred thousand of them stay cheap.

What is read here is *ordinary* XML, as `worksheet` gives it.
"""

from __future__ import annotations

import operator
import re
import string
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.ooxml import references
from canceldesk.workbook.ooxml.markup import unescaped

_ROW: Final = re.compile(
    rb"<row(?P<attributes>\s[^<>]*?)"
    rb"(?:/>|>(?P<cells>(?:[^<]++|<(?!/?row[\s/>]))*+)</row\s*>)"
)
_CELL: Final = re.compile(
    rb"<c(?P<attributes>\s[^<>]*?)"
    rb"(?:/>|>(?P<content>(?:[^<]++|<(?!/?c[\s/>]))*+)</c\s*>)"
)
"""Neither looks beyond the next of its kind, lest XML without any ends take for ever."""
_NUMBERED_FIRST: Final = b'<row r="'
_CELL_FIRST: Final = b'<c r="'
_NUMBERED: Final = re.compile(rb"(<(?:row|c)\s(?:[^<>]*?\s)?r=\"[A-Za-z]{0,3})([0-9]+)\"")
_FORMULA: Final = rb"(?P<all><f(?P<attributes>(?:\s[^<>]*?)?)(?:/>|>(?P<text>[^<]*)</f\s*>))"
_CELL_FORMULA: Final = re.compile(rb"<c(?P<cell>\s[^<>]*)>\s*" + _FORMULA)
_LATE_CELL_FORMULA: Final = re.compile(
    rb"<c(?P<cell>\s[^<>]*)>\s*(?:<v(?:\s[^<>]*)?(?:/>|>[^<]*</v\s*>)\s*)?" + _FORMULA
)
_AFTER_VALUE: Final = re.compile(rb"(?:</v\s*|<v\s*/)>\s*<f[\s/>]")
"""A formula behind its cell's value, which is not Excel's order."""
_ATTRIBUTE: Final = re.compile(rb"([\w:.-]+)\s*=\s*\"([^\"]*)\"")
_POSITION: Final = re.compile(rb"\sr=\"([A-Za-z]+)([0-9]+)\"")
_STYLE: Final = re.compile(rb"\ss=\"([0-9]+)\"")
_KIND: Final = re.compile(rb"\st=\"([a-zA-Z]+)\"")
_ROW_NUMBERS: Final = re.compile(rb"<row\s(?:[^<>]*?\s)?r=\"([0-9]+)\"")
_ROW_NUMBERS_FIRST: Final = re.compile(rb"<row r=\"([0-9]+)\"")
_ROW_NUMBER: Final = re.compile(rb"\sr=\"([0-9]+)\"")
_IN_TEXT: Final = {"\r": "&#13;"}
_IN_ATTRIBUTE: Final = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_CAPITALS: Final = string.ascii_uppercase.encode()
_HOLDS_SOMETHING: Final = re.compile(rb"<(?:v|is|f)[\s/>]")


@dataclass(slots=True)
class Row:
    """One `row` element: its number, and the XML of its attributes and of its cells."""

    number: int
    written: bytes
    cells: bytes

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes by name."""
        return attributes(self.written)

    @property
    def is_blank(self) -> bool:
        """Whether no cell of it holds anything."""
        return _HOLDS_SOMETHING.search(self.cells) is None


@dataclass(slots=True)
class Cell:
    """One `c` element: its column, the XML of its attributes, and the XML inside."""

    column: int
    attributes: bytes
    content: bytes

    @property
    def style(self) -> int:
        """Index of the cell's format; 0 is the workbook's default."""
        found = _STYLE.search(self.attributes)
        return int(found[1]) if found else 0

    @property
    def kind(self) -> str:
        """What the value is: `n` a number, `s` a shared string, ... (ST_CellType)."""
        found = _KIND.search(self.attributes)
        return found[1].decode() if found else "n"


@dataclass(frozen=True)
class Formula:
    """One formula with where it stands; `text` is empty for a follower of a shared formula."""

    row: int
    column: int
    attributes: dict[str, str]
    text: str


def attributes(text: bytes) -> dict[str, str]:
    """The attributes of a start tag, by name as written."""
    return {name.decode(): unescaped(value.decode()) for name, value in _ATTRIBUTE.findall(text)}


def rows(data: bytes, begin: int = 0) -> Iterator[Row]:
    """The rows from byte `begin` on, as they stand."""
    for match in _ROW.finditer(data, begin):
        written = match["attributes"]
        number = _ROW_NUMBER.search(written)
        if number is not None:
            yield Row(int(number[1]), written, match["cells"] or b"")


def rows_from_the_end(chunk: bytes) -> Iterator[Row]:
    """The rows of a chunk, the last one first."""
    end = len(chunk)
    while (begin := chunk.rfind(b"<row", 0, end)) >= 0:
        yield from rows(chunk[begin:end])
        end = begin


def cells(row: bytes) -> Iterator[Cell]:
    """The cells in the XML inside a row."""
    for match in _CELL.finditer(row):
        named = match["attributes"]
        position = _POSITION.search(named)
        if position is not None:
            column = references.column_number(position[1].decode())
            yield Cell(column, named, match["content"] or b"")


def cells_in(row: bytes, letters: Container[bytes]) -> Iterator[tuple[bytes, Cell]]:
    """The cells of a row that stand in columns of these (upper-case) letters, with the letters."""
    for match in _CELL.finditer(row):
        named = match[1]
        position = _POSITION.search(named)
        if position is not None and (written := position[1].upper()) in letters:
            yield written, Cell(references.column_number(written.decode()), named, match[2] or b"")


def formulas(data: bytes) -> Iterator[Formula]:
    """All formulas in these rows."""
    for match in _pattern(data).finditer(data):
        yield _formula(match)


def _pattern(data: bytes) -> re.Pattern[bytes]:
    return _LATE_CELL_FORMULA if _AFTER_VALUE.search(data) else _CELL_FORMULA


def _formula(match: re.Match[bytes]) -> Formula:
    position = _POSITION.search(match["cell"])
    if position is None:  # pragma: no cover - `ordinary` numbered every cell
        raise CannotRead("A cell without a position was found, so the sheet cannot be read.")
    return Formula(
        row=int(position[2]),
        column=references.column_number(position[1].decode()),
        attributes=attributes(match["attributes"]),
        text=unescaped((match["text"] or b"").decode()),
    )


def with_formulas(data: bytes, change: Callable[[Formula], Formula]) -> bytes:
    """The rows with every formula as `change` gives it; an equal one keeps its bytes."""
    if b"<f" not in data:
        return data

    def replaced(match: re.Match[bytes]) -> bytes:
        before = _formula(match)
        after = change(before)
        if after == before:
            return match[0]
        return match[0][: match.start("all") - match.start()] + _formula_xml(after)

    return _pattern(data).sub(replaced, data)


def _formula_xml(formula: Formula) -> bytes:
    named = attributes_text(formula.attributes)
    if not formula.text:
        return f"<f{named}/>".encode()
    return f"<f{named}>{escape(formula.text, _IN_TEXT)}</f>".encode()


def attributes_text(named: Mapping[str, str]) -> str:
    """Attributes as they stand in a start tag, a space before each."""
    return "".join(f' {name}="{escape(value, _IN_ATTRIBUTE)}"' for name, value in named.items())


def row_numbers(chunk: bytes) -> list[int]:
    """The numbers of the rows in a chunk that have one."""
    numbers = _ROW_NUMBERS_FIRST.findall(chunk)
    if len(numbers) != chunk.count(b"<row"):
        numbers = _ROW_NUMBERS.findall(chunk)
    return [*map(int, numbers)]


def check_order(rows: Sequence[int], before: int, what: str) -> int:
    """The last of these row numbers, which follow a row numbered `before`.

    Raises `CannotRead` unless they go upwards.
    """
    numbers = [before, *rows]
    if not all(map(operator.lt, numbers, numbers[1:])):
        raise CannotRead(
            f"{what} numbers its rows out of order, so the desk cannot tell where the list is. "
            "Open the workbook in Excel, save it and try again."
        )
    return numbers[-1]


def begin_of(chunk: bytes, number: int) -> int | None:
    """The byte where the first row numbered `number` or higher begins; None if there is none."""
    for match in _ROW_NUMBERS.finditer(chunk):
        if int(match[1]) >= number:
            return match.start()
    return None


def up_to(chunk: bytes, number: int) -> bytes:
    """The rows numbered `number` or lower."""
    last = next(rows_from_the_end(chunk), None)
    if last is None or last.number <= number:
        return chunk
    return chunk[: begin_of(chunk, number + 1)]


def without(chunk: bytes, number: int) -> bytes:
    """The rows without the one numbered `number`."""
    begin = begin_of(chunk, number)
    row = None if begin is None else _ROW.match(chunk, begin)
    if row is None or next(rows(row[0])).number != number:
        return chunk
    return chunk[: row.start()] + chunk[row.end() :]


def renumbered(chunk: bytes, moved: Callable[[int], int]) -> bytes:
    """The rows and their cells with every row number as `moved` gives it.

    A row in the usual spelling is changed as a whole, which is several times as fast as cell by
    cell: where its number stands before all else and ends no attribute or text but its cells'
    positions. Without the letters of their columns these are all alike.
    """
    before, *rows = chunk.split(_NUMBERED_FIRST)
    if chunk.count(b"<row") != len(rows):
        return _renumbered_one_by_one(chunk, moved)
    _, *bare_rows = chunk.translate(None, _CAPITALS).split(_NUMBERED_FIRST)
    pieces = [before]
    for row, bare in zip(rows, bare_rows, strict=True):
        old = row[: row.index(b'"') + 1]
        cells = row.count(b"<c")
        if row.count(old) == cells + 1 and bare.count(_CELL_FIRST + old) == cells:
            pieces.append(row.replace(old, b'%d"' % moved(int(old[:-1]))))
        else:
            changed = _renumbered_one_by_one(_NUMBERED_FIRST + row, moved)
            pieces.append(changed.removeprefix(_NUMBERED_FIRST))
    return _NUMBERED_FIRST.join(pieces)


def _renumbered_one_by_one(rows: bytes, moved: Callable[[int], int]) -> bytes:
    return _NUMBERED.sub(lambda match: b'%b%d"' % (match[1], moved(int(match[2]))), rows)


def emptied(chunk: bytes, number: int) -> bytes:
    """The rows with the cells of the one numbered `number` holding nothing but their look."""
    begin = begin_of(chunk, number)
    row = None if begin is None else next(rows(chunk, begin), None)
    if begin is None or row is None or row.number != number:
        return chunk
    kept = []
    for cell in cells(row.cells):
        place = f"{references.column_letters(cell.column)}{number}"
        look = f' s="{cell.style}"' if cell.style else ""
        kept.append(f'<c r="{place}"{look}/>'.encode())
    return chunk[:begin] + chunk[begin:].replace(row.cells, b"".join(kept), 1)
