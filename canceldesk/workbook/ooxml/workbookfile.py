"""A workbook file as its tabs, strings and formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.ooxml import markup
from canceldesk.workbook.ooxml.package import Package, Relationship
from canceldesk.workbook.ooxml.strings import SharedStrings
from canceldesk.workbook.ooxml.styles import Styles

_WORKBOOK_TYPES: Final = ("sheet.main+xml", "sheet.macroEnabled.main+xml")


@dataclass(frozen=True)
class Tab:
    """One sheet of the workbook; `kind` is `worksheet`, `chartsheet`, ..."""

    name: str
    part: str
    kind: str
    hidden: bool


class WorkbookFile:
    """The parts of a workbook the list needs, found through the package's relationships."""

    def __init__(
        self, data: bytes, name: str, *, checking: bool, strings: SharedStrings | None = None
    ) -> None:
        """Open a file; with `checking` all that is streamed must be well-formed XML. `strings` are
        its shared strings where they are known already.
        """
        self.name = name
        self._strings = strings
        self.package = Package(data, name, checking=checking)
        self.part = self._main_part()
        self.root = self.package.tree(self.part)
        self.relationships: Sequence[Relationship] = self.package.relationships(self.part)

    def _main_part(self) -> str:
        main = [arrow for arrow in self.package.relationships("") if arrow.kind == "officeDocument"]
        kinds = self.package.content_types()
        if not main or not kinds.get(main[0].target, "").endswith(_WORKBOOK_TYPES):
            raise CannotRead(
                f"“{self.name}” is not an Excel workbook (.xlsx or .xlsm): it is another kind of "
                "document. Open it in Excel and save it as an Excel Workbook."
            )
        return main[0].target

    @cached_property
    def tabs(self) -> list[Tab]:
        """The sheets in their order."""
        arrows = {arrow.id: arrow for arrow in self.relationships}
        found = []
        for sheet in markup.named(self.root, "sheet"):
            arrow = arrows.get(markup.relationship_id(sheet))
            if arrow is not None:
                hidden = sheet.get("state", "visible") != "visible"
                found.append(Tab(sheet.get("name", ""), arrow.target, arrow.kind, hidden))
        return found

    @cached_property
    def date1904(self) -> bool:
        """Whether dates count from 1904, as old Macintosh workbooks do."""
        properties = markup.child(self.root, "workbookPr")
        return properties is not None and markup.is_true(properties.get("date1904"))

    def part_of_kind(self, kind: str) -> str | None:
        """The workbook's one part of this kind, such as `styles`."""
        for arrow in self.relationships:
            if arrow.kind == kind and self.package.has(arrow.target):
                return arrow.target
        return None

    @cached_property
    def styles(self) -> Styles:
        """The formats of cells."""
        part = self.part_of_kind("styles")
        return Styles(None if part is None else self.package.tree(part))

    @cached_property
    def shared_strings(self) -> SharedStrings:
        """The texts that cells point to by number."""
        if self._strings is not None:
            return self._strings
        part = self.part_of_kind("sharedStrings")
        return SharedStrings(self.package, part, f"“{self.name}” (part “{part}”)")

    @property
    def kept_strings(self) -> SharedStrings | None:
        """The shared strings for another file that holds the same ones; None if they change."""
        changed = self.part_of_kind("sharedStrings") in self.package.changed
        return None if changed else self.shared_strings
