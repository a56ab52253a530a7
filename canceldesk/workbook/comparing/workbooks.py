"""A workbook opened for comparing: its members, arrows, tabs, texts and formats."""

from __future__ import annotations

import io
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import unquote

from lxml import etree

from canceldesk.workbook.comparing.formats import Formats
from canceldesk.workbook.comparing.nodes import Node, node
from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.ooxml import markup
from canceldesk.workbook.ooxml.package import Package

TYPES: Final = "[Content_Types].xml"
_WORKBOOKS: Final = ("sheet.main+xml", "sheet.macroenabled.main+xml")


@dataclass(frozen=True)
class Arrow:
    """A relationship; `target` is a part's name, or what stands there when it is outside."""

    id: str
    kind: str
    target: str
    external: bool
    written: str


@dataclass(frozen=True)
class Tab:
    """One sheet of the workbook."""

    name: str
    part: str
    kind: str
    hidden: bool


class Workbook:
    """The bytes of a workbook as parts; raises `CannotRead` for what is none."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self._package = Package(data, name)
        self.parts = {part.casefold(): part for part in self._package.parts}
        self.types = self._types()
        self.main = self._main()
        self.arrows = self.arrows_of(self.main)

    def read(self, part: str) -> bytes:
        """The bytes of a member."""
        return self._package.read(part)

    def has(self, part: str) -> bool:
        """Whether there is such a member."""
        return part.casefold() in self.parts

    def tree(self, part: str) -> etree._Element:
        """A member's XML; raises `CannotRead` when it is damaged."""
        return markup.parsed(self.read(part), f"“{self.name}” (part “{part}”)")

    def node(self, part: str) -> Node:
        """A member's XML as what it means."""
        return node(self.tree(part))

    def type(self, part: str) -> str:
        """A part's content type in lower case; empty when it has none."""
        overrides, defaults = self.types
        ending = part.rpartition(".")[2].casefold()
        return overrides.get(part.casefold(), defaults.get(ending, "")).casefold()

    def _types(self) -> tuple[dict[str, str], dict[str, str]]:
        overrides, defaults = {}, {}
        for one in self.tree(TYPES):
            if markup.local(one) == "Override":
                overrides[one.get("PartName", "").lstrip("/").casefold()] = one.get(
                    "ContentType", ""
                )
            elif markup.local(one) == "Default":
                defaults[one.get("Extension", "").casefold()] = one.get("ContentType", "")
        return overrides, defaults

    def arrows_of(self, part: str) -> list[Arrow]:
        """Where a part points to; the package's own arrows for the empty name."""
        folder, name = posixpath.split(part)
        arrows = posixpath.join(folder, "_rels", f"{name}.rels")
        if not self.has(arrows):
            return []
        return [_arrow(folder, one) for one in self.tree(arrows) if markup.local(one)]

    def _main(self) -> str:
        main = [arrow.target for arrow in self.arrows_of("") if arrow.kind == "officeDocument"]
        if not main or not self.has(main[0]) or not self.type(main[0]).endswith(_WORKBOOKS):
            raise CannotRead(
                f"“{self.name}” is not an Excel workbook (.xlsx or .xlsm): it is another kind of "
                "document. Open it in Excel and save it as an Excel Workbook."
            )
        return main[0]

    @cached_property
    def tabs(self) -> list[Tab]:
        """The sheets in their order."""
        arrows = {arrow.id: arrow for arrow in self.arrows}
        found = []
        for sheet in markup.named(self.tree(self.main), "sheet"):
            arrow = arrows.get(markup.relationship_id(sheet))
            if arrow is not None:
                hidden = sheet.get("state", "visible") != "visible"
                found.append(Tab(sheet.get("name", ""), arrow.target, arrow.kind, hidden))
        return found

    def one(self, kind: str) -> str | None:
        """The workbook's one part of this kind, such as `styles`."""
        return next((a.target for a in self.arrows if a.kind == kind and self.has(a.target)), None)

    @cached_property
    def formats(self) -> Formats:
        """What the styles of cells mean."""
        part = self.one("styles")
        return Formats(None if part is None else self.tree(part))

    @cached_property
    def strings(self) -> list[str]:
        """The shared texts, with their inner formats where they have any."""
        part = self.one("sharedStrings")
        if part is None:
            return []
        return list(_strings(self.read(part)))


def _arrow(folder: str, one: etree._Element) -> Arrow:
    written = one.get("Target", "")
    external = one.get("TargetMode") == "External"
    target = written
    if not external:
        joined = posixpath.join("/", folder, unquote(written))
        target = posixpath.normpath(joined).lstrip("/")
    return Arrow(
        one.get("Id", ""), one.get("Type", "").rpartition("/")[2], target, external, written
    )


def _strings(data: bytes) -> Iterator[str]:
    items = etree.iterparse(
        io.BytesIO(data),
        tag="{*}si",
        huge_tree=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
    )
    for _, item in items:
        yield rich_text(item)
        item.clear()
        drop_before(item)


def drop_before(element: etree._Element) -> None:
    """Let go of the elements before one that was read, so that memory does not fill with them."""
    parent = element.getparent()
    if parent is not None:
        while parent[0] is not element:
            del parent[0]


def rich_text(item: etree._Element) -> str:
    """A text; one with formats or readings inside is a tab character and its XML."""
    if len(item) == 1 and markup.local(item[0]) == "t":
        return item[0].text or ""
    if not len(item):
        return ""
    parts = [etree.tostring(child, method="c14n", with_tail=False).decode() for child in item]
    return "\t" + "".join(parts)


def plain_text(text: str) -> str:
    """A text as `rich_text` gave it, without what its XML says of formats and readings."""
    if not text.startswith("\t<"):
        return text
    root = markup.parsed(f"<si>{text[1:]}</si>".encode(), "A text")
    runs = (one for one in markup.named(root, "t") if not _is_reading(one))
    return "".join(run.text or "" for run in runs)


def _is_reading(element: etree._Element) -> bool:
    parent = element.getparent()
    return parent is not None and markup.local(parent) == "rPh"
