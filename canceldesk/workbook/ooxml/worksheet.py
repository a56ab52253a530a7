"""A worksheet as a stream of its rows, so that a million of them need no memory.

A worksheet's XML is cut into what stands before its rows, the rows, and what stands after. The
rows come in chunks of whole `row` elements, anew each time they are asked for, and are never made
into a tree. What reads them (`sheetdata`) relies on *ordinary* XML (see there). Any other
well-formed worksheet is brought into that form first, and its rows are kept in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.ooxml import references, sheetdata
from canceldesk.workbook.ooxml.ordinary import WIDE, begins_ordinary, ordinary
from canceldesk.workbook.ooxml.package import Package

LARGEST_STRETCH: Final = 64 * 1024 * 1024
"""Bytes of one row, or of all that stands before or after the rows: these are held at once."""

_BEGIN: Final = re.compile(
    rb"<(?P<prefix>[\w.-]+:)?sheetData(?P<attributes>\s[^<>]*?)?(?P<empty>/?)>"
)
_END: Final = re.compile(rb"</sheetData\s*>")
_EMPTY: Final = re.compile(rb"<sheetData(?P<attributes>\s[^<>]*?)?/>")
_ROW_BEGIN: Final = b"<row"
_CELL_BEGIN: Final = b"<c"
_NUMBERED_CELL: Final = b'<c r="'
_IN_MEMORY: Final = 4 * 1024 * 1024
"""Rows of up to so many bytes are kept rather than unpacked again for each use."""
_PLAIN_ATTRIBUTES: Final = re.compile(rb"(?:\s++(?!xmlns=)[\w:.-]++=\"[^\"<>]*+\")*+\s*")
_UNUSUAL_TAG: Final = re.compile(
    rb"<(?:row|c|f|v|t|is)(?=[\s/>])(?!(?:\s++[^\s=<>\"'/]++=\"[^\"<>]*+\")*+\s*+/?>)"
)
"""A start tag whose attributes are not all in double quotes, or hold a bracket."""
_UNUSUAL_POSITION: Final = re.compile(rb"<c r=\"(?![A-Za-z]{1,3}[0-9]+\")")
_UNNUMBERED_CELL: Final = re.compile(rb"<c(?=[\s/>])(?![^<>]*\sr=\"[A-Za-z]{1,3}[0-9]+\")")
_SIGNS: Final = ((b"!", b"<!"), (b"?", b"<?"), (b"m", b"xmlns"))
_AROUND_EQUALS: Final = tuple(
    (sign, pair)
    for sign in (b"'", b" ", b"\n", b"\t", b"\r")
    for pair in ((b"=" + sign,) if sign == b"'" else (sign + b"=", b"=" + sign))
)
"""Each pair of bytes that tells of something unusual with a single one that is found faster."""

Pieces = Callable[[], Iterable[bytes]]


class _Unusual(Exception):
    """The XML is not ordinary."""


@dataclass
class Worksheet:
    """A worksheet cut up; `frame` is the XML around the rows with an empty `sheetData`.

    `last_row` is the highest row number, 0 without rows. Rows are numbered upwards.
    `shares_formulas` tells whether any cells have one formula together.
    """

    frame: bytes
    last_row: int
    shares_formulas: bool
    _rows: Pieces

    @classmethod
    def of(cls, package: Package, part: str, what: str, *, ours: bool = False) -> Worksheet:
        """Cut a worksheet; `what` names it in the sentence of a `CannotRead`.

        Whether its XML is well-formed is told by a package that checks alone. One of `ours`, which
        is to be compared with what was made anyway, need not be searched for unusual XML.
        """
        keep = package.size(part) <= _IN_MEMORY
        try:
            return _cut(lambda: package.stream(part), what, keep=keep, is_ordinary=ours)
        except _Unusual:
            return _cut_ordinary(lambda: ordinary(package.stream(part), what), what)

    def chunks(self) -> Iterator[bytes]:
        """The rows in order, some whole `row` elements at a time."""
        yield from self._rows()

    def pieces(self, frame: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The worksheet's XML again, with other rows and another frame."""
        place = _EMPTY.search(frame)
        if place is None:
            raise ValueError("the frame has no place for rows")
        yield b"%b<sheetData%b>" % (frame[: place.start()], place["attributes"] or b"")
        yield from chunks
        yield b"</sheetData>" + frame[place.end() :]

    def fits(self, count: int) -> bool:
        """Whether `count` rows can be put in with only blank ones falling off the sheet's end."""
        last = references.LAST_ROW - count
        return self.last_row <= last or all(
            row.is_blank for row in self.rows() if row.number > last
        )

    def last_row_up_to(self, number: int) -> int:
        """The number of the last row that is not after row `number`; 0 if there is none."""
        if self.last_row <= number:
            return self.last_row
        return max((row.number for row in self.rows() if row.number <= number), default=0)

    def rows(self) -> Iterator[sheetdata.Row]:
        """The rows one by one."""
        for chunk in self.chunks():
            yield from sheetdata.rows(chunk)


def holds_rows(pieces: Iterable[bytes]) -> bool:
    """Whether a sheet's XML is one with rows at all; a dialog or chart sheet has none."""
    end = b""
    for piece in pieces:
        end += piece
        if b"sheetData" in end or end.startswith(WIDE):
            return True
        end = end[-len(b"sheetData") :]
    return False


def _cut(source: Pieces, what: str, *, keep: bool, is_ordinary: bool = False) -> Worksheet:
    """Cut and survey the XML; raises `_Unusual` where it is not ordinary."""
    cutter = _Cutter(source, what)
    if not is_ordinary and not begins_ordinary(cutter.head):
        raise _Unusual
    kept: list[bytes] | None = [] if keep else None
    last_row, shares = 0, False
    for chunk in cutter.chunks():
        numbers = sheetdata.row_numbers(chunk)
        if not is_ordinary:
            _check_ordinary(chunk, len(numbers))
        last_row = sheetdata.check_order(numbers, last_row, what)
        shares = shares or b'"shared"' in chunk
        if kept is not None:
            kept.append(chunk)
    frame = b"%b<sheetData%b/>%b" % (cutter.head, cutter.attributes, cutter.tail)
    if kept is not None:
        return Worksheet(frame, last_row, shares, lambda: kept)
    return Worksheet(frame, last_row, shares, lambda: _Cutter(source, what).chunks())


def _cut_ordinary(source: Pieces, what: str) -> Worksheet:
    try:
        return _cut(source, what, keep=True, is_ordinary=True)
    except _Unusual as error:
        raise CannotRead(_without_rows(what)) from error


class _Cutter:
    """One reading of a worksheet's XML; `tail` is known when the chunks are over."""

    def __init__(self, source: Pieces, what: str) -> None:
        self._pieces = iter(source())
        self._what = what
        self._rest = b""
        self._look_from = 0
        begin = self._read_to_rows()
        self.head = self._rest[: begin.start()]
        self.attributes = begin["attributes"] or b""
        self.tail = b""
        if begin["prefix"] or not _PLAIN_ATTRIBUTES.fullmatch(self.attributes):
            raise _Unusual
        self._is_empty = bool(begin["empty"])
        self._keep_from(begin.end())

    def chunks(self) -> Iterator[bytes]:
        while not self._is_empty:
            end = _END.search(self._rest, self._look_from)
            if end is not None:
                if not self._rest[: end.start()].isspace() and end.start():
                    yield self._rest[: end.start()]
                self._keep_from(end.end())
                break
            cut = self._rest.rfind(_ROW_BEGIN, self._look_from)
            if cut > 0:
                yield self._rest[:cut]
                self._keep_from(cut)
            if not self._take_in_more():
                raise _Unusual
        while self._take_in_more():
            pass
        self.tail = self._rest

    def _read_to_rows(self) -> re.Match[bytes]:
        while True:
            if self._rest.startswith(WIDE):
                raise _Unusual
            begin = _BEGIN.search(self._rest, self._look_from)
            if begin is not None:
                return begin
            if not self._take_in_more():
                break
        if b"sheetData" in self._rest:
            raise _Unusual
        raise CannotRead(_without_rows(self._what))

    def _keep_from(self, place: int) -> None:
        self._rest = self._rest[place:]
        self._look_from = 0

    def _take_in_more(self) -> bool:
        """Add the next piece to the rest, to be looked at from the last tag that was begun."""
        piece = next(self._pieces, b"")
        if len(self._rest) + len(piece) > LARGEST_STRETCH:
            raise CannotRead(
                f"{self._what} has a row, or settings around its rows, of more than "
                f"{LARGEST_STRETCH // 2**20} MB, which is more than the desk will open. "
                "Move the list to a workbook of its own."
            )
        self._look_from = max(self._rest.rfind(b"<"), 0)
        self._rest += piece
        return bool(piece)


def _without_rows(what: str) -> str:
    return f"{what} holds no rows part, so it is damaged or not a worksheet."


def _check_ordinary(chunk: bytes, rows: int) -> None:
    """Raise `_Unusual` for rows that are not ordinary; quick for those that are.

    `rows` is how many of them are numbered.
    """
    if any(sign in chunk and longer in chunk for sign, longer in _SIGNS):
        raise _Unusual
    if chunk.count(_ROW_BEGIN) != rows:
        raise _Unusual
    numbered = chunk.count(_NUMBERED_CELL) == chunk.count(_CELL_BEGIN)
    if _UNUSUAL_POSITION.search(chunk) or (not numbered and _UNNUMBERED_CELL.search(chunk)):
        raise _Unusual
    in_doubt = any(sign in chunk and pair in chunk for sign, pair in _AROUND_EQUALS)
    if (in_doubt or chunk.count(b"<") != chunk.count(b">")) and _UNUSUAL_TAG.search(chunk):
        raise _Unusual
