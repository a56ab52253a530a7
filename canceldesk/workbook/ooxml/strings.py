"""The texts that cells point to by number, decoded only when asked for."""

from __future__ import annotations

import re
from array import array
from typing import Final

from canceldesk.workbook import text
from canceldesk.workbook.ooxml import markup
from canceldesk.workbook.ooxml.ordinary import begins_ordinary, ordinary
from canceldesk.workbook.ooxml.package import Package

_ITEM: Final = re.compile(rb"<si(?:\s[^<>]*)?(?:/>|>)")
_TEXT: Final = re.compile(rb"<t(?:\s[^<>]*)?>([^<]*)</t\s*>")
_PHONETIC: Final = re.compile(rb"<rPh(?:\s[^<>]*?)?(?:/>|>(?:[^<]++|<(?!/?rPh[\s/>]))*+</rPh\s*>)")
_SIGNS: Final = ((b"!", b"<!"), (b"?", b"<?"), (b"m", b"xmlns"))
"""What tells of unusual items, with a single byte of it that is found faster."""
_BRACKET_IN_VALUE: Final = re.compile(
    rb"<\w++(?=\s)(?!(?:\s++[^\s=<>\"'/]++\s*+=\s*+(?:\"[^\"<>]*+\"|'[^'<>]*+'))*+\s*+/?>)"
)
_MOST_KNOWN: Final = 10_000
"""Texts kept decoded, for the few that many cells share, such as reasons."""


class SharedStrings:
    """The items of a `sharedStrings` part; of a huge one only its bytes are held."""

    def __init__(self, package: Package, part: str | None, what: str) -> None:
        self._data = b"" if part is None else b"".join(package.stream(part, checking=True))
        if part is not None and not _is_ordinary(self._data):
            self._data = b"".join(ordinary(package.stream(part), what))
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
    if b"\r" in item:
        item = item.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    words = "".join(map(_meant, _TEXT.findall(item)))
    return words[: text.LONGEST_CELL_TEXT]


def _meant(run: bytes) -> str:
    return text.unescaped(markup.unescaped(run.decode("utf-8", "replace")))


def _is_ordinary(data: bytes) -> bool:
    first = _ITEM.search(data)
    begin = len(data) if first is None else first.start()
    if not begins_ordinary(data[:begin]):
        return False
    if any(data.find(one, begin) >= 0 and data.find(all_, begin) >= 0 for one, all_ in _SIGNS):
        return False
    brackets = data.count(b"<", begin) - data.count(b">", begin)
    return not brackets or not _BRACKET_IN_VALUE.search(data, begin)
