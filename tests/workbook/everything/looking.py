"""A workbook's package as it stands in the file, read with nothing of Cancel Desk's own."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from lxml import etree

from tests.workbook.following import column_letters, column_number

OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_CORNER: Final = re.compile(r"(\$?)([A-Z]{1,3})(\$?)(\d+)")
_REFERENCE: Final = re.compile(r"\"[^\"]*\"|(?<![\w.!'])\$?[A-Z]{1,3}\$?\d+(?![\w(])")
_BUILT_IN: Final = {0: "General", 1: "0", 2: "0.00", 4: "#,##0.00", 14: "mm-dd-yy", 49: "@"}


@dataclass(frozen=True)
class Arrow:
    """A relationship; `kind` is the last word of its type, `target` a part or an address."""

    id: str
    kind: str
    target: str
    external: bool


@dataclass(frozen=True)
class Cell:
    """A cell: what it holds, the formula in it (followers of a shared one spelled out)."""

    value: str
    type: str
    formula: str | None
    formula_attributes: dict[str, str] = field(default_factory=dict)
    style: int = 0
    attributes: dict[str, str] = field(default_factory=dict)
    rich: bytes = b""


@dataclass(frozen=True)
class Tab:
    """A sheet: its name, state, part and XML."""

    name: str
    state: str
    part: str
    root: etree._Element


def local(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return etree.QName(element).localname


def all_named(root: etree._Element, *names: str) -> list[etree._Element]:
    """All elements below, of any namespace, with one of these names."""
    return [element for element in root.iter(etree.Element) if local(element) in names]


def text_in(element: etree._Element, name: str) -> str:
    """The text of the first element of that name below."""
    found = all_named(element, name)
    return (found[0].text or "") if found else ""


class Book:
    """A saved workbook."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with zipfile.ZipFile(path) as package:
            self.members = {info.filename: package.read(info) for info in package.infolist()}
        self.tree = cache(self._tree)
        self.cells = cache(self._cells)

    def _tree(self, part: str) -> etree._Element:
        return etree.fromstring(self.members[part])

    def arrows(self, part: str) -> list[Arrow]:
        """The relationships of a part, "" being the package."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        if rels not in self.members:
            return []
        found = []
        for element in self.tree(rels):
            target = element.get("Target", "")
            external = element.get("TargetMode") == "External"
            if not external and not target.startswith("#"):
                absolute = target if target.startswith("/") else posixpath.join("/", folder, target)
                target = self._member(posixpath.normpath(absolute).lstrip("/"))
            kind = element.get("Type", "").rpartition("/")[2]
            found.append(Arrow(element.get("Id", ""), kind, target, external))
        return found

    def _member(self, target: str) -> str:
        """The member a target means, whose name is the same but for case and percent signs."""
        if target in self.members:
            return target
        wanted = unquote(target).casefold()
        return next((name for name in self.members if unquote(name).casefold() == wanted), target)

    def parts_of(self, part: str, kind: str) -> list[str]:
        """The parts of that kind that a part points at."""
        return [arrow.target for arrow in self.arrows(part) if arrow.kind == kind]

    @cached_property
    def main(self) -> str:
        """The workbook's own part."""
        return self.parts_of("", "officeDocument")[0]

    @cached_property
    def tabs(self) -> list[Tab]:
        """The sheets in their order."""
        targets = {arrow.id: arrow.target for arrow in self.arrows(self.main)}
        found = []
        for sheet in all_named(self.tree(self.main), "sheet"):
            made = next(v for k, v in sheet.attrib.items() if str(k).endswith("}id"))
            part = targets[str(made)]
            state = sheet.get("state", "visible")
            found.append(Tab(sheet.get("name", ""), state, part, self.tree(part)))
        return found

    def tab(self, name: str) -> Tab:
        """The sheet of that name."""
        return next(tab for tab in self.tabs if tab.name == name)

    def only(self, tab: str, kind: str) -> etree._Element:
        """The one part of that kind belonging to a sheet."""
        parts = self.parts_of(self.tab(tab).part, kind)
        assert len(parts) == 1, f"{tab} has {len(parts)} parts of the kind {kind}"
        return self.tree(parts[0])

    @cached_property
    def strings(self) -> list[etree._Element]:
        """The shared strings."""
        parts = self.parts_of(self.main, "sharedStrings")
        return all_named(self.tree(parts[0]), "si") if parts else []

    def _cells(self, tab: str) -> dict[str, Cell]:
        shared: dict[str, tuple[str, str]] = {}
        found: dict[str, Cell] = {}
        for number, row in self._numbered_rows(tab):
            column = 0
            for element in row.iterchildren("{*}c"):
                written = element.get("r")
                column = column + 1 if written is None else column_number(split(written)[0])
                place = f"{column_letters(column)}{number}"
                found[place] = self._cell(element, place, shared)
        return found

    def _numbered_rows(self, tab: str) -> Iterator[tuple[int, etree._Element]]:
        """The rows of a sheet; one without a number comes right under the one before."""
        number = 0
        for row in self.tab(tab).root.iterfind("{*}sheetData/{*}row"):
            number = int(row.get("r") or number + 1)
            yield number, row

    def _cell(
        self, element: etree._Element, place: str, shared: dict[str, tuple[str, str]]
    ) -> Cell:
        kind = element.get("t", "n")
        value, rich = text_in(element, "v"), b""
        if kind in ("s", "inlineStr"):
            item = self.strings[int(value)] if kind == "s" else element
            value = "".join(t.text or "" for t in all_named(item, "t"))
            rich = runs(item)
            kind = "text"
        formula, named = None, {}
        for written in all_named(element, "f"):
            formula, named = written.text or "", {str(k): str(v) for k, v in written.items()}
            if named.get("t") == "shared":
                formula = _spelled_out(place, formula, named, shared)
        others = {str(k): str(v) for k, v in element.items() if k not in ("r", "s", "t")}
        return Cell(value, kind, formula, named, int(element.get("s", "0")), others, rich)

    def rows(self, tab: str) -> dict[int, dict[str, str]]:
        """The attributes of a sheet's rows by number."""
        return {
            number: {str(k): str(v) for k, v in row.items()}
            for number, row in self._numbered_rows(tab)
        }

    @cached_property
    def styles(self) -> etree._Element:
        """The styles part."""
        return self.tree(self.parts_of(self.main, "styles")[0])

    @cached_property
    def looks(self) -> list[object]:
        """Each cell format as something that compares equal when it looks the same."""
        formats = _BUILT_IN | {
            int(element.get("numFmtId", "0")): element.get("formatCode", "")
            for element in all_named(self.styles, "numFmt")
        }
        pools = {
            name: [same(element) for element in group]
            for name in ("fonts", "fills", "borders")
            for group in all_named(self.styles, name)[:1]
        }
        looks: list[object] = []
        for xf in all_named(self.styles, "cellXfs")[0]:
            number = int(xf.get("numFmtId", "0"))
            looks.append(
                (
                    formats.get(number, number),
                    pools["fonts"][int(xf.get("fontId", "0"))],
                    pools["fills"][int(xf.get("fillId", "0"))],
                    pools["borders"][int(xf.get("borderId", "0"))],
                    frozenset(same(e) for e in xf if local(e) in ("alignment", "protection")),
                )
            )
        return looks

    def names(self) -> dict[tuple[str, str], str]:
        """The defined names by name and the tab they are local to."""
        return {
            (name.get("name", ""), self._local_to(name)): name.text or ""
            for name in all_named(self.tree(self.main), "definedName")
        }

    def _local_to(self, name: etree._Element) -> str:
        number = name.get("localSheetId")
        return "" if number is None else self.tabs[int(number)].name


def same(element: etree._Element) -> object:
    """An element as something that compares equal whatever its order and its defaults."""
    inside = frozenset(same(child) for child in element.iterchildren("*"))
    named = frozenset((str(k), str(v)) for k, v in element.attrib.items())
    return (local(element), named - _defaults(local(element)), (element.text or "").strip(), inside)


def _defaults(name: str) -> frozenset[tuple[str, str]]:
    if name in ("b", "i", "strike"):
        return frozenset({("val", "1")})
    return frozenset({("patternType", "none"), ("hidden", "0")})


def runs(item: etree._Element) -> bytes:
    """The formatted runs of a string, b"" for a plain one."""
    return b"".join(etree.tostring(run, method="c14n") for run in all_named(item, "r"))


def _spelled_out(
    place: str, formula: str, named: dict[str, str], shared: dict[str, tuple[str, str]]
) -> str:
    number = named.get("si", "")
    if formula:
        shared[number] = (place, formula)
    begin, text = shared[number]
    return filled(text, split(place)[1] - split(begin)[1])


def split(place: str) -> tuple[str, int]:
    """A cell's column letters and row."""
    match = re.fullmatch(r"([A-Z]+)(\d+)", place)
    assert match is not None, place
    return match[1], int(match[2])


def filled(formula: str, down: int) -> str:
    """A formula without references to other tabs, filled down by some rows."""

    def change(match: re.Match[str]) -> str:
        corner = _CORNER.fullmatch(match[0])
        if corner is None or corner[3]:
            return match[0]
        return f"{corner[1]}{corner[2]}{int(corner[4]) + down}"

    return _REFERENCE.sub(change, formula)


def moved(formula: str, row: int = 5) -> str:
    """A formula without references to other tabs after plain insertion of `row`."""

    def change(match: re.Match[str]) -> str:
        corner = _CORNER.fullmatch(match[0])
        if corner is None:
            return match[0]
        return f"{corner[1]}{corner[2]}{corner[3]}{down(int(corner[4]), row)}"

    return _REFERENCE.sub(change, formula)


def down(number: int, row: int = 5) -> int:
    """Where the row of that number stands now."""
    return number + 1 if number >= row else number
