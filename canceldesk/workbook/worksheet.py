"""A worksheet as a stream of its rows, so that a million of them need no memory.

A worksheet's XML is cut into what stands before its rows, the rows, and what stands after. The
rows come in chunks of whole `row` elements, anew each time they are asked for, and are never made
into a tree. What reads them (`sheetdata`) relies on *ordinary* XML: UTF-8, no comments or CDATA,
the main namespace unprefixed, every row and cell numbered, attributes in double quotes. Any other
well-formed worksheet is brought into that form first, in memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from canceldesk.workbook import markup, references, sheetdata
from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.package import Package

_EMPTY: Final = b"<sheetData/>"
_BEGIN: Final = re.compile(rb"<sheetData(?:\s[^<>]*)?(?P<empty>/?)>")
_END: Final = re.compile(rb"</sheetData\s*>")
_ROW_BEGIN: Final = b"<row"
_DECLARED_ENCODING: Final = re.compile(rb"<\?xml[^>]*encoding=[\"']([\w.-]+)[\"']")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
_IN_MEMORY: Final = 4 * 1024 * 1024
"""Rows of up to so many bytes are kept rather than unpacked again for each use."""
_PREFIXED: Final = re.compile(rb"<[\w.-]+:(?:sheetData|row|c|f|v|is)[\s/>]")
_UNUSUAL_QUOTES: Final = re.compile(rb"<(?:row|c|f|v|t)\s(?:[^<>\"]|\"[^<>\"]*\")*(?:'|\s=|=\s)")
_UNNUMBERED: Final = re.compile(rb"<(?:row|c)(?=[\s/>])(?![^<>]*\sr=\")")

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
    def of(cls, package: Package, part: str, what: str) -> Worksheet:
        """Cut a worksheet; `what` names it in the sentence of a `CannotRead`.

        Whether its XML is well-formed is told by a package that checks alone.
        """
        try:
            return _cut(lambda: package.stream(part), package.size(part), what)
        except _Unusual:
            data = ordinary(markup.parsed(package.read(part), what))
            return _cut(lambda: (data,), 0, what, made_ordinary=True)

    def chunks(self) -> Iterator[bytes]:
        """The rows in order, some whole `row` elements at a time."""
        yield from self._rows()

    def pieces(self, frame: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The worksheet's XML again, with other rows and another frame."""
        before, _, after = frame.partition(_EMPTY)
        yield before + b"<sheetData>"
        yield from chunks
        yield b"</sheetData>" + after

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


def holds_rows(data: bytes) -> bool:
    """Whether a sheet's XML is one with rows at all; a dialog or chart sheet has none."""
    return b"sheetData" in data or data.startswith(_UTF_16)


def _cut(source: Pieces, size: int, what: str, *, made_ordinary: bool = False) -> Worksheet:
    """Cut and survey the XML; raises `_Unusual` where it is not ordinary."""
    cutter = _Cutter(source, what)
    kept: list[bytes] | None = [] if size <= _IN_MEMORY else None
    last_row, shares = 0, False
    for chunk in cutter.chunks():
        if not made_ordinary:
            _check_ordinary(chunk)
        last_row = sheetdata.check_order(chunk, last_row, what)
        shares = shares or b'"shared"' in chunk
        if kept is not None:
            kept.append(chunk)
    head, tail = cutter.head, cutter.tail
    if not made_ordinary:
        _check_ordinary_frame(head, tail)
    frame = head + _EMPTY + tail
    if kept is not None:
        return Worksheet(frame, last_row, shares, lambda: kept)
    return Worksheet(frame, last_row, shares, lambda: _Cutter(source, what).chunks())


class _Cutter:
    """One reading of a worksheet's XML; `head` and `tail` are known when the chunks are over."""

    def __init__(self, source: Pieces, what: str) -> None:
        self._source = source
        self._what = what
        self.head = b""
        self.tail = b""

    def chunks(self) -> Iterator[bytes]:
        pieces = iter(self._source())
        rest, empty = self._read_head(pieces)
        while not empty:
            end = _END.search(rest)
            if end is not None:
                if rest[: end.start()].strip():
                    yield rest[: end.start()]
                rest = rest[end.end() :]
                break
            cut = rest.rfind(_ROW_BEGIN)
            if cut > 0:
                yield rest[:cut]
                rest = rest[cut:]
            piece = next(pieces, b"")
            if not piece:
                raise _Unusual
            rest += piece
        self.tail = b"".join((rest, *pieces))

    def _read_head(self, pieces: Iterator[bytes]) -> tuple[bytes, bool]:
        rest = b""
        for piece in pieces:
            rest += piece
            begin = _BEGIN.search(rest)
            if begin is not None:
                self.head = rest[: begin.start()]
                return rest[begin.end() :], bool(begin["empty"])
        if b":sheetData" in rest or rest.startswith(_UTF_16):
            raise _Unusual
        raise CannotRead(f"{self._what} holds no rows part, so it is damaged or not a worksheet.")


def _check_ordinary(chunk: bytes) -> None:
    """Raise `_Unusual` for rows that are not ordinary; quick for those that are."""
    if b"<!" in chunk or b"<?" in chunk or b"xmlns" in chunk:
        raise _Unusual
    numbered = all(chunk.count(tag) == chunk.count(tag + b' r="') for tag in (b"<c", b"<row"))
    if not numbered and _UNNUMBERED.search(chunk):
        raise _Unusual
    if chunk.count(b"=") != chunk.count(b'="') and _UNUSUAL_QUOTES.search(chunk):
        raise _Unusual
    if (b' ="' in chunk or b'\n="' in chunk) and _UNUSUAL_QUOTES.search(chunk):
        raise _Unusual
    if (b":row" in chunk or b":c" in chunk) and _PREFIXED.search(chunk):
        raise _Unusual


def _check_ordinary_frame(head: bytes, tail: bytes) -> None:
    declared = _DECLARED_ENCODING.match(head[:200].removeprefix(_BYTE_ORDER_MARK))
    if declared is not None and declared[1].lower() not in (b"utf-8", b"us-ascii"):
        raise _Unusual
    if b"<!" in head or _PREFIXED.search(head) or b"<!" in tail:
        raise _Unusual


def ordinary(root: etree._Element) -> bytes:
    """A worksheet's XML in ordinary form."""
    etree.strip_tags(root, etree.Comment)
    etree.strip_elements(root, etree.ProcessingInstruction, with_tail=False)
    root = _unprefixed(root)
    row_number = 0
    sheet_data = markup.child(root, "sheetData")
    for row in [] if sheet_data is None else sheet_data:
        row_number = int(row.get("r") or row_number + 1)
        row.set("r", str(row_number))
        column = 0
        for cell in row:
            written = (cell.get("r") or "").rstrip("0123456789")
            column = references.column_number(written) if written else column + 1
            cell.set("r", f"{references.column_letters(column)}{row_number}")
    return markup.serialised(root)


def _unprefixed(root: etree._Element) -> etree._Element:
    """A copy of the tree whose main namespace is the default one."""
    main = etree.QName(root).namespace
    if root.prefix is None:
        return root
    names = {prefix: uri for prefix, uri in root.nsmap.items() if prefix and uri != main}
    declared = "".join(f' xmlns:{prefix}="{escape(uri)}"' for prefix, uri in names.items())
    copy = etree.fromstring(f'<worksheet xmlns="{main}"{declared}/>')
    for name, value in root.attrib.items():
        copy.set(name, value)
    copy.extend(list(root))
    etree.cleanup_namespaces(copy, keep_ns_prefixes=list(names))
    return copy
