"""Moving what the other tabs know about the list; one that knows nothing is left as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from lxml import etree

from canceldesk.workbook.moving import otherparts, sheetframe
from canceldesk.workbook.moving.cellformulas import CellFormulas, learned
from canceldesk.workbook.moving.shift import Shift
from canceldesk.workbook.ooxml import markup
from canceldesk.workbook.ooxml.workbookfile import Tab
from canceldesk.workbook.ooxml.worksheet import Worksheet, holds_rows
from canceldesk.workbook.ooxml.zipwriter import deflated
from canceldesk.workbook.reading import FoundList

_LONGEST_MENTION: Final = 512
"""Bytes of a tab's name with all around it that could lie across two pieces."""


def move(found: FoundList, shift: Shift) -> None:
    """Bring every other tab to how it reads after the change."""
    for tab in found.file.tabs:
        if tab.part != found.tab.part and tab.kind != "chartsheet":
            _move_tab(found, tab, shift)


def _move_tab(found: FoundList, tab: Tab, shift: Shift) -> None:
    package = found.file.package
    if not package.has(tab.part) or not _mentions(package.stream(tab.part), shift.tab):
        return
    what = f"The tab “{tab.name}” of “{found.file.name}”"
    if not holds_rows(package.stream(tab.part)):
        return
    sheet = Worksheet.of(package, tab.part, what)
    frame = markup.parsed(sheet.frame, what)
    before = etree.tostring(frame)
    sheetframe.move(frame, shift, here=False)
    after = sheet.frame if etree.tostring(frame) == before else markup.serialised(frame)
    rewriting = _Rewriting(
        learned(sheet.chunks() if sheet.shares_formulas else (), shift, here=False)
    )
    made = deflated(sheet.pieces(after, rewriting.moved(sheet.chunks())))
    if rewriting.changed or after is not sheet.frame:
        package.put(tab.part, made)


class _Rewriting:
    """The formulas of another tab moved; `changed` tells afterwards whether any had to be."""

    def __init__(self, formulas: CellFormulas) -> None:
        self._formulas = formulas
        self.changed = False

    def moved(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            moved = self._formulas.moved(chunk)
            self.changed = self.changed or moved != chunk
            yield moved


def _mentions(pieces: Iterable[bytes], tab: str) -> bool:
    end = b""
    for piece in pieces:
        if otherparts.mentions(end + piece, tab):
            return True
        end = (end + piece)[-_LONGEST_MENTION:]
    return False
