"""The texts that cells point to by number, decoded only when asked for."""

from __future__ import annotations

import io
import re
from array import array
from typing import Final

from lxml import etree

from canceldesk.workbook import markup, text
from canceldesk.workbook.package import Package

_ITEM: Final = re.compile(rb"<si(?:\s[^<>]*)?(?:/>|>)")
_TEXT: Final = re.compile(rb"<t(?:\s[^<>]*)?>([^<]*)</t\s*>")
_PHONETIC: Final = re.compile(rb"<rPh[\s>].*?</rPh\s*>", re.DOTALL)
_UNUSUAL: Final = (b"<!", b":si", b"\xff\xfe", b"\xfe\xff")
_NOT_UTF_8: Final = re.compile(rb"<\?xml[^>]*encoding=[\"'](?!utf-8|us-ascii)", re.IGNORECASE)
_MOST_KNOWN: Final = 10_000
"""Texts kept decoded, for the few that many cells share, such as reasons."""


class SharedStrings:
    """The items of a `sharedStrings` part; of a huge one only its bytes are held."""

    def __init__(self, package: Package, part: str | None, what: str) -> None:
        self._data = b"" if part is None else b"".join(package.stream(part))
        if part is not None:
            _check_well_formed(self._data, what)
        if _is_unusual(self._data):
            self._data = _ordinary(markup.parsed(self._data, what))
        self._begins = array("L", (item.start() for item in _ITEM.finditer(self._data)))
        self._begins.append(len(self._data))
        self._known: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._begins) - 1

    def __getitem__(self, index: int) -> str:
        """The text of an item, its rich-text runs joined; "" for a number that is no item's."""
        known = self._known.get(index)
        if known is not None:
            return known
        if not 0 <= index < len(self):
            return ""
        words = text_inside(self._data[self._begins[index] : self._begins[index + 1]])
        if len(self._known) < _MOST_KNOWN:
            self._known[index] = words
        return words


def text_inside(item: bytes) -> str:
    """The text of a string item's XML, phonetic hints left out, as much as a cell can hold."""
    if b"<rPh" in item:
        item = _PHONETIC.sub(b"", item)
    pieces = _TEXT.findall(item)
    joined = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    words = text.unescaped(markup.unescaped(joined.decode("utf-8", "replace")))
    return words[: text.LONGEST_CELL_TEXT]


def _check_well_formed(data: bytes, what: str) -> None:
    check = markup.WellFormed(what)
    check.feed(data)
    check.close()


def _is_unusual(data: bytes) -> bool:
    head = data[:200]
    return any(sign in data for sign in _UNUSUAL[:2]) or (
        head.startswith(_UNUSUAL[2:]) or _NOT_UTF_8.search(head) is not None
    )


def _ordinary(root: etree._Element) -> bytes:
    """The items in plain spelling: unprefixed, without comments or CDATA."""
    made = io.BytesIO()
    with etree.xmlfile(made, encoding="utf-8") as written, written.element("sst"):
        for item in root:
            with written.element("si"):
                for piece in item.iter("{*}t"):
                    parent = piece.getparent()
                    if parent is None or markup.local(parent) != "rPh":
                        with written.element("t"):
                            written.write("".join(str(part) for part in piece.itertext()))
    return made.getvalue()
