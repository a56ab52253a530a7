"""The rows and cells of a worksheet as text, so that a hundred thousand of them stay cheap.

A worksheet's XML is cut into what stands before its rows, the rows, and what stands after. The
rows are never made into a tree. This relies on the XML being *ordinary*: UTF-8, no comments or
CDATA, the main namespace unprefixed, every row and cell numbered in order. `ordinary` brings any
other well-formed worksheet into that form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from canceldesk.workbook import markup, references
from canceldesk.workbook.errors import CannotRead

_EMPTY: Final = b"<sheetData/>"
_SHEET_DATA: Final = re.compile(
    rb"<sheetData(?:\s[^<>]*)?(?:/>|>(?P<rows>.*)</sheetData\s*>)", re.DOTALL
)
_UNUSUAL: Final = re.compile(rb"<!--|<!\[CDATA\[|<\?(?!xml\s)|<[\w.-]+:sheetData[\s/>]")
_UNUSUAL_IN_ROWS: Final = re.compile(
    rb"<(?:row|c)(?=[\s/>])(?![^<>]*\sr=\")|<(?:row|c|f|v)\s[^<>]*'|<[\w.-]+:(?:row|c)[\s/>]"
)
_DECLARED_ENCODING: Final = re.compile(rb"<\?xml[^>]*encoding=[\"']([\w.-]+)[\"']")
_ROW: Final = re.compile(
    rb"<row(?P<attributes>\s[^<>]*?)(?:/>|>(?P<cells>.*?)</row\s*>)", re.DOTALL
)
_CELL: Final = re.compile(rb"<c(?P<attributes>\s[^<>]*?)(?:/>|>(?P<content>.*?)</c\s*>)", re.DOTALL)
_NUMBERED: Final = re.compile(rb"(<(?:row|c)\s(?:[^<>]*?\s)?r=\")([A-Za-z]{0,3})([0-9]+)\"")
_CELL_FORMULA: Final = re.compile(
    rb"<c(?P<cell>\s[^<>]*)>\s*(?P<all><f(?P<attributes>(?:\s[^<>]*?)?)(?:/>|>(?P<text>[^<]*)</f\s*>))"
)
_ATTRIBUTE: Final = re.compile(rb"([\w:.-]+)\s*=\s*\"([^\"]*)\"")
_POSITION: Final = re.compile(rb"\sr=\"([A-Za-z]+)([0-9]+)\"")
_STYLE: Final = re.compile(rb"\ss=\"([0-9]+)\"")
_KIND: Final = re.compile(rb"\st=\"([a-zA-Z]+)\"")
_ROW_NUMBER: Final = re.compile(rb"\sr=\"([0-9]+)\"")


@dataclass(frozen=True)
class Worksheet:
    """A worksheet cut in three; `frame` is the XML around the rows with an empty `sheetData`."""

    frame: bytes
    rows: bytes

    @classmethod
    def of(cls, data: bytes, what: str) -> Worksheet:
        """Cut a worksheet's XML; `what` names it in the sentence of a `CannotRead`."""
        text = ordinary(data, what)
        match = _SHEET_DATA.search(text)
        if match is None:
            raise CannotRead(f"{what} holds no rows part, so it is damaged or not a worksheet.")
        frame = text[: match.start()] + _EMPTY + text[match.end() :]
        return cls(frame, match["rows"] or b"")

    def joined(self) -> bytes:
        """The worksheet's XML again."""
        before, _, after = self.frame.partition(_EMPTY)
        return b"".join((before, b"<sheetData>", self.rows, b"</sheetData>", after))


@dataclass(frozen=True)
class Row:
    """One `row` element: its number, attributes and the XML of its cells."""

    number: int
    attributes: dict[str, str]
    cells: bytes


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


def holds_rows(data: bytes) -> bool:
    """Whether a sheet's XML is one with rows at all; a dialog or chart sheet has none."""
    return b"sheetData" in data or data[:2] in (b"\xff\xfe", b"\xfe\xff")


def ordinary(data: bytes, what: str) -> bytes:
    """The worksheet's XML in ordinary form, unchanged where it already is."""
    declared = _DECLARED_ENCODING.match(data[:200].lstrip(b"\xef\xbb\xbf"))
    utf8 = data[:2] not in (b"\xff\xfe", b"\xfe\xff") and (
        declared is None or declared[1].lower() in (b"utf-8", b"us-ascii")
    )
    if utf8:
        markup.check_well_formed(data, what)
        rows = _SHEET_DATA.search(data)
        begin, end = rows.span() if rows else (0, 0)
        if not _UNUSUAL.search(data) and not _UNUSUAL_IN_ROWS.search(data, begin, end):
            return data
    return _made_ordinary(markup.parsed(data, what))


def _made_ordinary(root: etree._Element) -> bytes:
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


def attributes(text: bytes) -> dict[str, str]:
    """The attributes of a start tag, by name as written."""
    return {name.decode(): unescape(value.decode()) for name, value in _ATTRIBUTE.findall(text)}


def rows(data: bytes, begin: int = 0) -> Iterator[Row]:
    """The rows from byte `begin` on, as they stand."""
    for match in _ROW.finditer(data, begin):
        named = attributes(match["attributes"])
        yield Row(int(named["r"]), named, match["cells"] or b"")


def cells(row: bytes) -> Iterator[Cell]:
    """The cells in the XML inside a row."""
    for match in _CELL.finditer(row):
        named = match["attributes"]
        position = _POSITION.search(named)
        if position is not None:
            column = references.column_number(position[1].decode())
            yield Cell(column, named, match["content"] or b"")


def formulas(data: bytes) -> Iterator[Formula]:
    """All formulas in these rows."""
    for match in _CELL_FORMULA.finditer(data):
        yield _formula(match)


def _formula(match: re.Match[bytes]) -> Formula:
    position = _POSITION.search(match["cell"])
    if position is None:  # pragma: no cover - `ordinary` numbered every cell
        raise CannotRead("A cell without a position was found, so the sheet cannot be read.")
    return Formula(
        row=int(position[2]),
        column=references.column_number(position[1].decode()),
        attributes=attributes(match["attributes"]),
        text=unescape((match["text"] or b"").decode()),
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

    return _CELL_FORMULA.sub(replaced, data)


def _formula_xml(formula: Formula) -> bytes:
    named = attributes_text(formula.attributes)
    if not formula.text:
        return f"<f{named}/>".encode()
    return f"<f{named}>{escape(formula.text)}</f>".encode()


def attributes_text(named: Mapping[str, str]) -> str:
    """Attributes as they stand in a start tag, a space before each."""
    quote = {'"': "&quot;"}
    return "".join(f' {name}="{escape(value, quote)}"' for name, value in named.items())


def begin_of(data: bytes, number: int) -> int:
    """The byte where the first row numbered `number` or higher begins; the end if there is none."""
    for match in _ROW.finditer(data):
        if int(attributes(match["attributes"])["r"]) >= number:
            return match.start()
    return len(data)


def last_number(data: bytes) -> int:
    """The number of the last row; 0 when there is none."""
    begin = data.rfind(b"<row")
    found = _ROW_NUMBER.search(data, begin) if begin >= 0 else None
    return int(found[1]) if found else 0


def without_blank_end(data: bytes) -> bytes:
    """The rows without one at the sheet's very end that holds nothing, as LibreOffice writes."""
    if last_number(data) < references.LAST_ROW:
        return data
    begin = data.rfind(b"<row")
    return data if re.search(rb"<(?:v|is|f)[\s/>]", data[begin:]) else data[:begin]


def check_order(data: bytes, what: str) -> None:
    """Raise `CannotRead` unless the rows are numbered upwards."""
    before = 0
    for match in _ROW.finditer(data):
        found = _ROW_NUMBER.search(match["attributes"])
        number = int(found[1]) if found else 0
        if number <= before:
            raise CannotRead(
                f"{what} numbers its rows out of order, so the desk cannot tell where the list is. "
                "Open the workbook in Excel, save it and try again."
            )
        before = number


def shifted(data: bytes) -> bytes:
    """These rows, each one further down."""

    def one_down(match: re.Match[bytes]) -> bytes:
        return b'%b%b%d"' % (match[1], match[2], int(match[3]) + 1)

    return _NUMBERED.sub(one_down, data)
