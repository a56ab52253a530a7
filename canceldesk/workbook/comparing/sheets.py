"""The rows of a worksheet, one after the other, without holding them all."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from canceldesk.workbook.comparing import formulas
from canceldesk.workbook.comparing.expectation import Area
from canceldesk.workbook.comparing.nodes import Node, node
from canceldesk.workbook.comparing.workbooks import Workbook, drop_before, rich_text
from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.ooxml import markup

_PLACE: Final = re.compile(r"([A-Za-z]+)([0-9]+)$")
_TEXT_KINDS: Final = frozenset(("s", "inlineStr"))


@dataclass(slots=True)
class Formula:
    """A cell's formula as it reads in that cell, and its other attributes."""

    text: str
    attributes: dict[str, str]


@dataclass(slots=True)
class Cell:
    """A cell: `kind` is `text` for shared and inline text, else the file's own word."""

    column: int
    style: int
    kind: str
    value: str
    formula: Formula | None
    more: tuple[tuple[str, str], ...]

    @property
    def is_blank(self) -> bool:
        """Whether the cell holds nothing but perhaps a format."""
        return not self.value and self.formula is None


@dataclass(slots=True)
class Row:
    """A row: what it says of itself, and its cells by column."""

    number: int
    attributes: dict[str, str]
    cells: dict[int, Cell]

    @property
    def is_blank(self) -> bool:
        """Whether no cell holds anything."""
        return all(cell.is_blank for cell in self.cells.values())


class Sheet:
    """One pass over a worksheet: take `rows` to their end, then `frame` is what is around them.

    `used` are then the rows and columns that hold something, if any do.
    """

    def __init__(self, workbook: Workbook, part: str) -> None:
        self._workbook = workbook
        self._part = part
        self._masters: dict[str, tuple[str, int, int]] = {}
        self._frame: Node | None = None
        self.used: Area | None = None

    @property
    def frame(self) -> Node:
        """The XML around the rows; known once all rows were taken."""
        if self._frame is None:
            raise LookupError(self._part)
        return self._frame

    def rows(self) -> Iterator[Row]:
        """All rows from the top; raises `CannotRead` for a damaged sheet."""
        what = f"“{self._workbook.name}” (part “{self._part}”)"
        parser = etree.iterparse(
            io.BytesIO(self._workbook.read(self._part)),
            tag=("{*}row", "{*}worksheet", "{*}macrosheet", "{*}dialogsheet"),
            huge_tree=True,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
        )
        number, root = 0, None
        try:
            for _, element in parser:
                if markup.local(element) != "row":
                    root = element
                    continue
                row = self._row(element, number)
                number = row.number
                element.clear()
                drop_before(element)
                yield row
        except (etree.XMLSyntaxError, ValueError) as error:
            raise CannotRead(
                f"{what} is damaged. Open the workbook in Excel, let Excel repair it, save it and "
                "try again."
            ) from error
        if root is None:
            root = self._workbook.tree(self._part)
        for data in markup.named(root, "sheetData"):
            for row_left in list(data):
                data.remove(row_left)
        self._frame = node(root)

    def _row(self, element: etree._Element, before: int) -> Row:
        number = _number(element, before)
        attributes = {
            str(name): str(value)
            for name, value in element.attrib.items()
            if name not in ("r", "spans")
        }
        cells: dict[int, Cell] = {}
        column = 0
        for child in element:
            if markup.local(child) == "c":
                place = _PLACE.match(child.get("r", ""))
                column = formulas.column(place[1]) if place else column + 1
                cells[column] = self._cell(child, number, column)
                if place is not None and int(place[2]) != number:
                    cells[column].more += (("rows off", str(int(place[2]) - number)),)
        row = Row(number, attributes, cells)
        if not row.is_blank:
            self._use(number, min(cells), max(cells))
        return row

    def _use(self, row: int, left: int, right: int) -> None:
        if self.used is None:
            self.used = Area(row, left, row, right)
        else:
            used = self.used
            self.used = Area(used.top, min(used.left, left), row, max(used.right, right))

    def _cell(self, element: etree._Element, row: int, column: int) -> Cell:
        kind, style, value, formula = "n", 0, "", None
        more: tuple[tuple[str, str], ...] = ()
        for name, written in element.attrib.items():
            if name == "t":
                kind = str(written)
            elif name == "s":
                style = int(written)
            elif name != "r":
                more += ((str(name), str(written)),)
        for child in element:
            name = markup.local(child)
            if name == "v":
                value = child.text or ""
            elif name == "f":
                formula = self._formula(child, row, column)
            elif name == "is":
                value = rich_text(child)
        if kind == "s":
            value = self._shared(value)
        if kind in _TEXT_KINDS:
            kind = "text"
        return Cell(column, style, kind if value else "", value, formula, more)

    def _shared(self, index: str) -> str:
        strings = self._workbook.strings
        at = index.strip()
        return strings[int(at)] if at.isdigit() and int(at) < len(strings) else f"text {at}"

    def _formula(self, element: etree._Element, row: int, column: int) -> Formula:
        attributes = {str(name): str(value) for name, value in element.attrib.items()}
        text = element.text or ""
        if attributes.get("t") == "shared":
            index = attributes.pop("si", "")
            attributes.pop("ref", None)
            del attributes["t"]
            if text:
                self._masters[index] = (text, row, column)
            elif index in self._masters:
                master, at_row, at_column = self._masters[index]
                text = formulas.copied(master, row - at_row, column - at_column)
        return Formula(text, attributes)


def _number(element: etree._Element, before: int) -> int:
    """A row's number: its own word, else its cells', else that of the row before and one."""
    written = element.get("r")
    if written is None and len(element):
        place = _PLACE.match(element[0].get("r", ""))
        written = None if place is None else place[2]
    return int(written or before + 1)
