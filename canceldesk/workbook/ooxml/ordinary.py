"""Well-formed XML of any spelling brought into *ordinary* form as it streams by.

Ordinary is what Excel writes: UTF-8, no comments, instructions or CDATA, the main namespace without
a prefix, attributes in double quotes, every row and cell numbered. The document means the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape

from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.ooxml import markup, references

WIDE: Final = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0")
"""How XML in UTF-16 or UTF-32 begins."""

_DECLARED_ENCODING: Final = re.compile(rb"<\?xml[^>]*?\sencoding\s*=\s*[\"']([^\"']*)[\"']")
_KNOWN_ENCODINGS: Final = (b"utf-8", b"us-ascii", b"ascii")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_MAIN_PREFIXED: Final = re.compile(
    rb"\sxmlns:[\w.-]+\s*=\s*[\"']http://(?:schemas\.openxmlformats\.org/spreadsheetml/2006/main"
    rb"|purl\.oclc\.org/ooxml/spreadsheetml/main)[\"']"
)
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_IN_TEXT: Final = {"\r": "&#13;"}
_IN_ATTRIBUTE: Final = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_ROW_DEPTH: Final = 2
_CELL_DEPTH: Final = 3
_NOT_PARSED: Final = (expat.ExpatError, LookupError, ValueError)
"""What expat raises for XML that is not well-formed or in an encoding it does not know."""


def begins_ordinary(head: bytes) -> bool:
    """Whether the beginning of a part, its root's start tag included, is in ordinary form."""
    document = head.removeprefix(_BYTE_ORDER_MARK)
    declared = _DECLARED_ENCODING.match(document)
    if declared is not None and declared[1].lower() not in _KNOWN_ENCODINGS:
        return False
    plain = not (document.startswith(WIDE) or b"<!" in document or b"<?" in document[2:])
    return plain and not _MAIN_PREFIXED.search(document)


def ordinary(pieces: Iterable[bytes], what: str) -> Iterator[bytes]:
    """The XML that `pieces` make up in ordinary form, piece by piece.

    `what` names it in the sentence of a `CannotRead`, raised where it is not well-formed, declares
    a document type, or numbers its rows and cells with what is no number.
    """
    writing = _Writing(what)
    try:
        for piece in pieces:
            writing.parser.Parse(piece)
            if written := writing.taken():
                yield written
        writing.parser.Parse(b"", True)
    except _NOT_PARSED as error:
        raise CannotRead(markup.damaged(what)) from error
    yield writing.taken()


class _Writing:
    """The parser of one document and what was written of it since `taken` was called."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._out = [_DECLARATION]
        self._tag_is_open = False
        self._declared: dict[str, str] = {}
        self._names: list[str] = []
        self._defaults = [""]
        self._main: str | None = None
        self._in_rows = False
        self._row = 0
        self._column = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.namespace_prefixes = True
        self.parser.ordered_attributes = True
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartNamespaceDeclHandler = self._declare
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def taken(self) -> bytes:
        """What was written, which is then forgotten."""
        written = "".join(self._out)
        self._out.clear()
        return written.encode()

    def _refuse(self, *_declaration: object) -> None:
        raise CannotRead(markup.untrusted(self._what))

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        if prefix and uri != self._main:
            self._declared[prefix] = uri or ""

    def _start(self, name: str, attributes: Sequence[str]) -> None:
        if self._tag_is_open:
            self._out.append(">")
        uri, local, prefix = _split(name)
        if self._main is None:
            self._main = uri
            self._declared = {known: to for known, to in self._declared.items() if to != uri}
        own = uri == self._main
        written = local if own or not prefix else f"{prefix}:{local}"
        default = self._defaults[-1]
        tag = f"<{written}"
        if written is local and uri != default:
            tag += f' xmlns="{_attribute(uri)}"'
            default = uri
        named = self._named(attributes)
        if self._in_rows:
            self._number(local if own else "", named)
        for known, to in self._declared.items():
            tag += f' xmlns:{known}="{_attribute(to)}"'
        self._declared.clear()
        for known, value in named.items():
            tag += f' {known}="{_attribute(value)}"'
        if own and local == "sheetData" and len(self._names) == 1:
            self._in_rows = True
        self._names.append(written)
        self._defaults.append(default)
        self._out.append(tag)
        self._tag_is_open = True

    def _named(self, attributes: Sequence[str]) -> dict[str, str]:
        """Attributes by name as written; the main namespace keeps its prefix where one uses it."""
        named = dict(zip(attributes[::2], attributes[1::2], strict=True))
        if not any(" " in name for name in named):
            return named
        spelled = {}
        for name, value in named.items():
            uri, local, prefix = _split(name)
            if prefix and uri == self._main:
                self._declared[prefix] = uri
            spelled[f"{prefix}:{local}" if prefix else local] = value
        return spelled

    def _number(self, local: str, named: dict[str, str]) -> None:
        """Number a row or cell that is not, by its place among the others."""
        depth = len(self._names)
        if depth == _ROW_DEPTH and local == "row":
            self._row = int(named.get("r", self._row + 1))
            self._column = 0
            _put_first(named, str(self._row))
        elif depth == _CELL_DEPTH and local == "c" and self._names[-1] == "row":
            position = named.get("r", "").strip()
            letters = position.rstrip("0123456789")
            if letters and not (letters.isascii() and letters.isalpha()):
                raise ValueError(position)
            self._column = references.column_number(letters) if letters else self._column + 1
            if self._column > references.LAST_COLUMN:
                raise ValueError(position)
            row = position[len(letters) :] or str(self._row)
            _put_first(named, f"{references.column_letters(self._column)}{row}")

    def _end(self, _name: str) -> None:
        name = self._names.pop()
        self._defaults.pop()
        if self._tag_is_open:
            self._out.append("/>")
            self._tag_is_open = False
        else:
            self._out.append(f"</{name}>")
        if len(self._names) == 1:
            self._in_rows = False

    def _text(self, text: str) -> None:
        if self._tag_is_open:
            self._out.append(">")
            self._tag_is_open = False
        self._out.append(escape(text, _IN_TEXT))


@lru_cache(maxsize=1024)
def _split(name: str) -> tuple[str, str, str]:
    """Namespace, local name and prefix of a name as expat gives it."""
    parts = name.split(" ")
    if len(parts) == 1:
        return "", name, ""
    return parts[0], parts[1], "".join(parts[2:])


def _attribute(value: str) -> str:
    return value if value.isalnum() else escape(value, _IN_ATTRIBUTE)


def _put_first(named: dict[str, str], number: str) -> None:
    if named and next(iter(named)) == "r":
        named["r"] = number
        return
    others = {name: value for name, value in named.items() if name != "r"}
    named.clear()
    named["r"] = number
    named.update(others)
