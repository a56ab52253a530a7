"""What stands in the way of moving the list's rows; found before anything is written."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from lxml import etree

from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.moving import unknownparts
from canceldesk.workbook.moving.insertion import Insertion
from canceldesk.workbook.moving.removal import Removal
from canceldesk.workbook.moving.shift import Shift, folded
from canceldesk.workbook.ooxml import markup, references, sheetdata, tables
from canceldesk.workbook.ooxml.package import Relationship
from canceldesk.workbook.ooxml.references import Span
from canceldesk.workbook.reading import FoundList

_UNDERSTOOD: Final = frozenset(
    (
        "comments",
        "control",
        "ctrlProp",
        "customProperty",
        "customXml",
        "drawing",
        "hyperlink",
        "image",
        "namedSheetView",
        "oleObject",
        "package",
        "pivotTable",
        "printerSettings",
        "queryTable",
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
_POINTING: Final = re.compile(
    rb"\s(?:ref|sqref|r|cell|range)=|<(?:[\w.-]+:)?(?:f|sqref)[\s>]|!\$?[A-Z]"
)
_FILLED: Final = re.compile(rb"<f[\s/>]|<(?:v|t)(?:\s[^<>]*)?>[^<]")


def check(found: FoundList, frame: etree._Element, shift: Shift) -> None:
    """Raise `CannotEdit` when the row cannot be put in, or taken out, without harm."""
    _check_workbook(found, shift)
    _check_protection(found, frame, shift)
    if isinstance(shift, Insertion):
        _check_space(found, shift)
    if isinstance(shift, Removal):
        _check_nothing_else_lost(found, shift)
    _check_merges(found, frame, shift)
    _check_parts_of_sheet(found, shift)
    unknownparts.check(found.file.package, shift)


def is_last_of_table(found: FoundList, removal: Removal) -> bool:
    """Whether the row is its table's only one: Excel keeps that and only empties it."""
    return any(data.top == data.bottom == removal.row for data in _data_of_tables(found))


def _data_of_tables(found: FoundList) -> list[Span]:
    return [*map(tables.rows_of_data, tables.on(found.file.package, found.tab.part))]


def _check_workbook(found: FoundList, shift: Shift) -> None:
    file = found.file
    if any("_xmlsignatures/" in part for part in file.package.parts):
        raise CannotEdit(
            f"“{file.name}” is digitally signed, and any change would break the signature. "
            "Have the signature removed, or use another workbook for the list."
        )
    kinds = {arrow.kind for arrow in file.relationships}
    if "revisionHeaders" in kinds:
        raise CannotEdit(
            f"“{file.name}” keeps track of changes in the old shared way, which moving rows "
            "would upset. Turn off Share Workbook (Legacy) in Excel and save it."
        )
    if "volatileDependencies" in kinds:
        raise CannotEdit(
            f"“{file.name}” holds live data functions (RTD) that note where cells are. "
            f"{shift.by_hand.capitalize()}."
        )
    sharing = markup.child(file.root, "fileSharing")
    if sharing is not None and (sharing.get("reservationPassword") or sharing.get("hashValue")):
        raise CannotEdit(
            f"“{file.name}” may be changed only with a password. Remove the password to modify in "
            "Excel, or use another workbook for the list."
        )


def _check_protection(found: FoundList, frame: etree._Element, shift: Shift) -> None:
    protection = markup.child(frame, "sheetProtection")
    if protection is None or not markup.is_true(protection.get("sheet")):
        return
    adds = isinstance(shift, Insertion)
    if markup.is_true(protection.get("insertRows" if adds else "deleteRows"), default=True):
        kind, allowed = ("new rows", "inserted") if adds else ("deleting rows", "deleted")
        raise CannotEdit(
            f"The tab “{found.tab.name}” is protected against {kind}. Unprotect the sheet in "
            f"Excel (Review, Unprotect Sheet), or protect it so that rows may be {allowed}."
        )


def _check_space(found: FoundList, insertion: Insertion) -> None:
    if not found.sheet.fits(insertion.count):
        raise CannotEdit(
            f"The tab “{found.tab.name}” is used down to the very last row, so nothing can be moved"
            " down. Clear what stands at its end."
        )


def _check_nothing_else_lost(found: FoundList, removal: Removal) -> None:
    spans = _data_of_tables(found)
    own = [Span(removal.row, removal.left, removal.row, removal.right)]
    own += [span for span in spans if span.top <= removal.row <= span.bottom]
    row = next((row for row in found.sheet.rows() if row.number >= removal.row), None)
    if row is None or row.number > removal.row:
        return
    for cell in sheetdata.cells(row.cells):
        if _FILLED.search(cell.content) and not _in_one_of(own, cell.column):
            place = f"{references.column_letters(cell.column)}{row.number}"
            raise CannotEdit(
                f"In its row {row.number} the tab “{removal.tab}” also holds something that is not "
                f"the list's ({place}), which would be lost. Move that to another place, or "
                f"{removal.by_hand}."
            )


def _in_one_of(spans: list[Span], column: int) -> bool:
    return any(span.left <= column <= span.right for span in spans)


def _check_merges(found: FoundList, frame: etree._Element, shift: Shift) -> None:
    for merge in markup.named(frame, "mergeCell"):
        written = merge.get("ref", "")
        span = Span.of(written)
        meets = any(span.left <= c <= span.right for c in found.headings.columns.values())
        if meets and shift.straddled_by(span) and span.top < span.bottom:
            raise CannotEdit(
                f"On the tab “{found.tab.name}” the cells {written} are merged across the place of "
                "the row. Unmerge them in Excel."
            )


def _check_parts_of_sheet(found: FoundList, shift: Shift) -> None:
    package = found.file.package
    for arrow in package.relationships(found.tab.part):
        known = not arrow.external and package.has(arrow.target)
        if arrow.kind not in _UNDERSTOOD and not arrow.external:
            _check_unknown(found, arrow, package.read(arrow.target) if known else None, shift)
        if arrow.kind == "queryTable":
            _check_query(package.tree(arrow.target) if known else None, found, shift)
        if not known:
            continue
        if arrow.kind == "table":
            _check_table(package.tree(arrow.target), found, shift)
        elif arrow.kind == "pivotTable":
            _check_pivot(package.tree(arrow.target), found, shift)


def _check_unknown(found: FoundList, arrow: Relationship, data: bytes | None, shift: Shift) -> None:
    if (
        data is None
        or not data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")
        or _POINTING.search(data)
    ):
        raise CannotEdit(
            f"The tab “{found.tab.name}” uses a feature the desk does not know ({arrow.kind}); "
            f"it might be harmed. {shift.by_hand.capitalize()}."
        )


def _check_table(table: etree._Element, found: FoundList, shift: Shift) -> None:
    span = tables.cells(table)
    name = table.get("displayName", "")
    if not shift.straddled_by(span):
        return
    if table.get("tableType", "worksheet") != "worksheet":
        raise CannotEdit(
            f"The table “{name}” is filled from outside data; a row added to it or taken out would "
            "be undone at the next refresh. Use a table of its own for the list."
        )
    columns = found.headings.columns.values()
    headed = span.top == found.headings.row or not tables.has_headings(table)
    if not headed or not all(span.left <= c <= span.right for c in columns):
        raise CannotEdit(
            f"The table “{name}” ({table.get('ref')}) lies across the place of the row without "
            "being the list. Move it to another tab."
        )
    data = tables.rows_of_data(table)
    if isinstance(shift, Removal) and not data.top <= shift.row <= data.bottom:
        raise CannotEdit(
            f"The row {shift.row} is not one of the data of the table “{name}”. "
            f"{shift.by_hand.capitalize()}."
        )


def _check_pivot(pivot: etree._Element, found: FoundList, shift: Shift) -> None:
    location = markup.child(pivot, "location")
    if location is None or not location.get("ref"):
        return
    span = Span.of(location.get("ref", ""))
    filters = int(location.get("rowPageCount") or 0)
    whole = replace(span, top=span.top - filters - bool(filters))
    if shift.straddled_by(whole) or shift.span_moved(whole) is None:
        raise CannotEdit(
            f"The tab “{found.tab.name}” has a pivot table ({location.get('ref')}) across the place"
            " of the row. Move the pivot table to another tab."
        )


def _check_query(query: etree._Element | None, found: FoundList, shift: Shift) -> None:
    """Refuse where cells filled by a query meet the list; their place is that of a name."""
    name = "" if query is None else query.get("name", "")
    if not any(_meets(span, shift) for span in _filled_by(name, found)):
        return
    raise CannotEdit(
        f"The tab “{found.tab.name}” is filled from outside data; a row added to it or taken out "
        "would be undone at the next refresh. Use a tab of its own for the list."
    )


def _filled_by(name: str, found: FoundList) -> list[Span]:
    everything = Span(1, 1, references.LAST_ROW, references.LAST_COLUMN)
    for defined in markup.named(found.file.root, "definedName"):
        if folded(defined.get("name", "")) == folded(name):
            cells = references.found(defined.text or "")
            return [
                Span(
                    cell.upper.row,
                    references.column_number(cell.top.letters),
                    cell.lower.row,
                    references.column_number((cell.bottom or cell.top).letters),
                )
                for cell in cells
                if folded(cell.sheet or "") == folded(found.tab.name)
            ]
    return [everything]


def _meets(span: Span, shift: Shift) -> bool:
    return (
        span.left <= shift.right
        and span.right >= shift.left
        and span.bottom >= shift.row - 1
        and span.top <= max(shift.last_row, shift.row)
    ) or shift.straddled_by(span)
