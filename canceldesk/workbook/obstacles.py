"""What stands in the way of adding a row faithfully; found before anything is written."""

from __future__ import annotations

from typing import Final

from lxml import etree

from canceldesk.workbook import markup
from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.insertion import Insertion
from canceldesk.workbook.reading import FoundList
from canceldesk.workbook.references import Span

_UNDERSTOOD: Final = frozenset(
    (
        "comments",
        "control",
        "ctrlProp",
        "customProperty",
        "drawing",
        "hyperlink",
        "image",
        "namedSheetView",
        "oleObject",
        "package",
        "pivotTable",
        "printerSettings",
        "slicer",
        "table",
        "tableSingleCells",
        "threadedComment",
        "timeline",
        "vmlDrawing",
        "vmlDrawingHF",
        "legacyDrawingHF",
        "sheetCustomProperty",
    )
)
_BY_HAND: Final = "Add this row by hand."


def check(found: FoundList, frame: etree._Element, insertion: Insertion) -> None:
    """Raise `CannotEdit` when a row cannot be put under the heading without harm."""
    _check_workbook(found)
    _check_protection(found, frame)
    _check_space(found, insertion)
    _check_merges(found, frame, insertion)
    _check_parts_of_sheet(found, insertion)


def _check_workbook(found: FoundList) -> None:
    file = found.file
    if any("_xmlsignatures/" in part for part in file.package.parts):
        raise CannotEdit(
            f"“{file.name}” is digitally signed, and a new row would break the signature. "
            "Have the signature removed, or use another workbook for the list."
        )
    kinds = {arrow.kind for arrow in file.relationships}
    if "revisionHeaders" in kinds:
        raise CannotEdit(
            f"“{file.name}” keeps track of changes in the old shared way, which a new row would "
            "upset. Turn off Share Workbook (Legacy) in Excel and save it."
        )
    if "volatileDependencies" in kinds:
        raise CannotEdit(
            f"“{file.name}” holds live data functions (RTD) that note where cells are. {_BY_HAND}"
        )
    sharing = markup.child(file.root, "fileSharing")
    if sharing is not None and (sharing.get("reservationPassword") or sharing.get("hashValue")):
        raise CannotEdit(
            f"“{file.name}” may be changed only with a password. Remove the password to modify in "
            "Excel, or use another workbook for the list."
        )


def _check_protection(found: FoundList, frame: etree._Element) -> None:
    protection = markup.child(frame, "sheetProtection")
    if protection is None or not markup.is_true(protection.get("sheet")):
        return
    if markup.is_true(protection.get("insertRows"), default=True):
        raise CannotEdit(
            f"The tab “{found.tab.name}” is protected against new rows. Unprotect the sheet in "
            "Excel (Review, Unprotect Sheet), or protect it so that rows may be inserted."
        )


def _check_space(found: FoundList, insertion: Insertion) -> None:
    if not found.sheet.fits(insertion.count):
        raise CannotEdit(
            f"The tab “{found.tab.name}” is used down to the very last row, so nothing can be moved"
            " down. Clear what stands at its end."
        )


def _check_merges(found: FoundList, frame: etree._Element, insertion: Insertion) -> None:
    for merge in markup.named(frame, "mergeCell"):
        written = merge.get("ref", "")
        span = Span.of(written)
        meets = any(span.left <= c <= span.right for c in found.headings.columns.values())
        if meets and insertion.straddled_by(span):
            raise CannotEdit(
                f"On the tab “{found.tab.name}” the cells {written} are merged across the place of "
                "the new row. Unmerge them in Excel."
            )


def _check_parts_of_sheet(found: FoundList, insertion: Insertion) -> None:
    package = found.file.package
    for arrow in package.relationships(found.tab.part):
        if arrow.kind == "queryTable":
            raise CannotEdit(
                f"The tab “{found.tab.name}” is filled from outside data; a row added to it would "
                "be lost at the next refresh. Use a tab of its own for the list."
            )
        if arrow.kind not in _UNDERSTOOD:
            raise CannotEdit(
                f"The tab “{found.tab.name}” uses a feature the desk does not know ({arrow.kind}); "
                f"it might be harmed. {_BY_HAND}"
            )
        if arrow.external or not package.has(arrow.target):
            continue
        if arrow.kind == "table":
            _check_table(package.tree(arrow.target), found, insertion)
        elif arrow.kind == "pivotTable":
            _check_pivot(package.tree(arrow.target), found, insertion)


def _check_table(table: etree._Element, found: FoundList, insertion: Insertion) -> None:
    span = Span.of(table.get("ref", ""))
    name = table.get("displayName", "")
    if not insertion.straddled_by(span):
        return
    if table.get("tableType", "worksheet") != "worksheet":
        raise CannotEdit(
            f"The table “{name}” is filled from outside data; a row added to it would be lost at "
            "the next refresh. Use a table of its own for the list."
        )
    columns = found.headings.columns.values()
    if span.top != found.headings.row or not all(span.left <= c <= span.right for c in columns):
        raise CannotEdit(
            f"The table “{name}” ({table.get('ref')}) lies across the place of the new row without "
            "being the list. Move it to another tab."
        )


def _check_pivot(pivot: etree._Element, found: FoundList, insertion: Insertion) -> None:
    location = markup.child(pivot, "location")
    written = "" if location is None else location.get("ref", "")
    if written and insertion.straddled_by(Span.of(written)):
        raise CannotEdit(
            f"The tab “{found.tab.name}” has a pivot table ({written}) across the place of the new "
            "row. Move the pivot table to another tab."
        )
