"""The formats of cells: which are dates, and a new one where the list has none to copy."""

from __future__ import annotations

import copy
import re
from typing import Final

from lxml import etree

from canceldesk.workbook.ooxml import markup

DATE_FORMAT: Final = 14
"""The built-in short date, shown in the reader's own way (ECMA-376 part 1, 18.8.30)."""
MONEY_FORMAT: Final = 4
"""The built-in `#,##0.00`."""
GENERAL: Final = 0
_TEXT_FORMAT: Final = 49
_FIRST_OWN_FORMAT: Final = 164
"""Lower ids are Excel's built-in formats."""

_BUILT_IN_DATES: Final = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_NOT_A_CODE: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE)
_DATE_LETTERS: Final = re.compile(r"[dyhsm]|e", re.IGNORECASE)


class Styles:
    """A workbook's `styles.xml`; `root` is None where a workbook has no styles at all."""

    def __init__(self, root: etree._Element | None) -> None:
        self.root = root
        self.changed = False
        self._formats = _number_formats(root)
        self._cells = markup.child(root, "cellXfs") if root is not None else None

    def number_format(self, style: int) -> int:
        """The number format's id of a cell's style."""
        if self._cells is None or not 0 <= style < len(self._cells):
            return GENERAL
        return int(self._cells[style].get("numFmtId") or GENERAL)

    def is_date(self, style: int) -> bool:
        """Whether numbers in this style are shown as dates."""
        number = self.number_format(style)
        code = self._formats.get(number)
        if code is None:
            return number in _BUILT_IN_DATES
        return is_date_code(code)

    def is_text(self, style: int) -> bool:
        """Whether what is typed into a cell of this style stays text."""
        return self.number_format(style) == _TEXT_FORMAT

    def is_plain(self, style: int) -> bool:
        """Whether numbers in this style have no number format of their own."""
        return self.number_format(style) in (GENERAL, _TEXT_FORMAT)

    def with_format(self, style: int, number_format: int) -> int:
        """The index of a style like `style` but with this number format, added if need be."""
        if self._cells is None or not 0 <= style < len(self._cells):
            return style
        wanted = copy.deepcopy(self._cells[style])
        wanted.set("numFmtId", str(number_format))
        wanted.set("applyNumberFormat", "1")
        text = etree.tostring(wanted, method="c14n")
        for index, known in enumerate(self._cells):
            if etree.tostring(known, method="c14n") == text:
                return index
        self._cells.append(wanted)
        self._cells.set("count", str(len(self._cells)))
        self.changed = True
        return len(self._cells) - 1

    def fill(self, style: int) -> str:
        """The id of the fill of a cell's style; empty for a style that is not there."""
        if self._cells is None or not 0 <= style < len(self._cells):
            return ""
        return self._cells[style].get("fillId") or "0"

    def with_code(self, style: int, code: str) -> int:
        """The index of a style like `style` but with a number format's code, added if need be."""
        known = next((number for number, other in self._formats.items() if other == code), None)
        return self.with_format(style, self._added(code) if known is None else known)

    def _added(self, code: str) -> int:
        if self.root is None:
            return GENERAL
        formats = markup.child(self.root, "numFmts")
        namespace = etree.QName(self.root).namespace
        if formats is None:
            formats = etree.Element(f"{{{namespace}}}numFmts")
            self.root.insert(0, formats)
        number = max((_FIRST_OWN_FORMAT - 1, *self._formats)) + 1
        element = etree.SubElement(formats, f"{{{namespace}}}numFmt")
        element.set("numFmtId", str(number))
        element.set("formatCode", code)
        formats.set("count", str(len(formats)))
        self._formats[number] = code
        self.changed = True
        return number


def is_date_code(code: str) -> bool:
    """Whether a number format's code shows dates or times."""
    section = _NOT_A_CODE.sub("", code).split(";")[0]
    if "general" in section.casefold() or re.search(r"[0#?]e[+-]", section, re.IGNORECASE):
        return False
    return _DATE_LETTERS.search(section) is not None


def _number_formats(root: etree._Element | None) -> dict[int, str]:
    if root is None:
        return {}
    formats = markup.child(root, "numFmts")
    if formats is None:
        return {}
    return {
        int(known.get("numFmtId") or -1): known.get("formatCode", "")
        for known in formats
        if markup.local(known) == "numFmt"
    }
