"""Moving what the rest of the package knows about the list: tables, charts, names, comments, ..."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, unquote

from lxml import etree

from canceldesk.workbook.moving import anchors, charts, comments, tableparts, vml
from canceldesk.workbook.moving.pruning import take_out
from canceldesk.workbook.moving.shift import LOST, Shift, folded
from canceldesk.workbook.ooxml import markup
from canceldesk.workbook.ooxml.package import Package, Relationship

_AFTER_CALCULATION: Final = [
    "fileVersion",
    "fileSharing",
    "workbookPr",
    "AlternateContent",
    "workbookProtection",
    "bookViews",
    "sheets",
    "functionGroups",
    "externalReferences",
    "definedNames",
]
_ACROSS_TABS: Final = re.compile(rb":[^<>:!\"]{1,64}!")
_SPELLED_OUT: Final = re.compile(
    rb"&#(?!(?:0*(?:9|10|13|34|38|39|60|62)|x0*(?:9|a|d|22|26|27|3c|3e));)", re.IGNORECASE
)
"""A letter written as its number; what must be written so in XML is none."""
_LINK: Final = re.compile(rb"Target\s*=\s*[\"'](?:#|&#)")
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
_HIDDEN_ROWS: Final = ".wvu.Rows"
"""How the name ends that holds the rows a person's own view of the sheet hides."""
_BUILT_IN: Final = "_xlnm."
"""How the names begin that mean the same from every cell, whether or not their rows are fixed."""
_LEFT_IN_LINKS: Final = "!$&'()*+,;=:@/?"


def mentions(data: bytes, tab: str) -> bool:
    """Whether a part may hold a reference to the tab; true when in doubt."""
    if data[:2] in _UTF_16 or _ACROSS_TABS.search(data) or _SPELLED_OUT.search(data):
        return True
    longest = max(re.findall(r"\w+", tab) or [""], key=len)
    if longest.isascii():
        return longest.lower().encode() in data.lower()
    return longest.casefold() in data.decode("utf-8", "replace").casefold()


def move_workbook(root: etree._Element, shift: Shift) -> None:
    """Move the defined names and ask Excel to calculate when it opens the file."""
    names = markup.child(root, "definedNames")
    for name in [] if names is None else names:
        if not name.text:
            continue
        known, here = name.get("name", ""), _belongs(name, shift)
        if known.endswith(_HIDDEN_ROWS):
            name.text = shift.merely_moved(name.text)
        elif known.startswith(_BUILT_IN):
            name.text = shift.formula(name.text, here=here)
        else:
            name.text = shift.name(name.text, here=here)
    _calculate_on_load(root)


def _belongs(name: etree._Element, shift: Shift) -> bool:
    """Whether a name is one of the list's own sheet only."""
    place = name.get("localSheetId", "")
    return place.isdigit() and shift.tabs[int(place) : int(place) + 1] == (shift.tab,)


def _calculate_on_load(root: etree._Element) -> None:
    calculation = markup.child(root, "calcPr")
    if calculation is None:
        namespace = etree.QName(root).namespace
        calculation = etree.Element(f"{{{namespace}}}calcPr")
        place = 0
        for index, element in enumerate(root):
            if markup.local(element) in _AFTER_CALCULATION:
                place = index + 1
        root.insert(place, calculation)
    calculation.set("fullCalcOnLoad", "1")


def move_formula_parts(package: Package, own: set[str], shift: Shift) -> None:
    """Move the formulas in charts, drawings, tables, controls and pivot sources everywhere.

    `own` are the parts that belong to the list's sheet, whose references need not name it.
    """
    types = package.content_types()
    for part in package.parts:
        kind = types.get(part, "")
        here = part in own
        if not kind.endswith(tuple(_FORMULA_PARTS)):
            continue
        if not here and not mentions(package.read(part), shift.tab):
            continue
        move = next(move for ending, move in _FORMULA_PARTS.items() if kind.endswith(ending))
        root = package.tree(part)
        before = etree.tostring(root)
        move(root, shift, here)
        if etree.tostring(root) != before:
            package.write_tree(part, root)


def _move_linked(root: etree._Element, shift: Shift, here: bool) -> None:
    for element in root.iter(etree.Element):
        for name in _LINKED & set(element.attrib):
            element.set(str(name), shift.formula(element.get(name) or "", here=here))


def _move_pivot_source(root: etree._Element, shift: Shift, here: bool) -> None:
    for source in markup.named(root, "worksheetSource", "rangeSet"):
        on_list = folded(source.get("sheet", "")) == folded(shift.tab)
        if source.get("ref") and on_list and not markup.relationship_id(source):
            source.set("ref", shift.range_grown(source.get("ref", "")) or source.get("ref", ""))


def _move_query_parameters(root: etree._Element, shift: Shift, here: bool) -> None:
    for parameter in markup.named(root, "parameter"):
        written = parameter.get("cell")
        if written:
            parameter.set("cell", shift.formula(written, here=False))


_LINKED: Final = frozenset(
    ("textlink", "cellRange", "fmlaLink", "fmlaRange", "fmlaGroup", "fmlaTxbx")
)
_FORMULA_PARTS: Final[dict[str, Callable[[etree._Element, Shift, bool], None]]] = {
    "drawingml.chart+xml": charts.move,
    "ms-office.chartex+xml": charts.move,
    "officedocument.drawing+xml": _move_linked,
    "drawingml.chartshapes+xml": _move_linked,
    "ms-excel.controlproperties+xml": _move_linked,
    "spreadsheetml.table+xml": tableparts.move_formulas,
    "pivotCacheDefinition+xml": _move_pivot_source,
    "spreadsheetml.connections+xml": _move_query_parameters,
}


def move_parts_of_sheet(package: Package, arrows: list[Relationship], shift: Shift) -> None:
    """Move the parts that lie on the list's own sheet."""
    for arrow in arrows:
        if arrow.external or not package.has(arrow.target):
            continue
        if arrow.kind == "vmlDrawing":
            continue
        move = _MOVERS.get(arrow.kind)
        if move is not None:
            root = package.tree(arrow.target)
            before = etree.tostring(root)
            move(root, shift)
            if etree.tostring(root) != before:
                package.write_tree(arrow.target, root)


def _move_pivot_table(root: etree._Element, shift: Shift) -> None:
    location = markup.child(root, "location")
    if location is not None and location.get("ref"):
        location.set("ref", shift.range_moved(location.get("ref", "")))


def _move_single_cells(root: etree._Element, shift: Shift) -> None:
    for cell in list(markup.named(root, "singleXmlCell")):
        moved = shift.range_moved(cell.get("r", ""))
        if moved:
            cell.set("r", moved)
        elif cell.get("r"):
            take_out(cell)


def _move_sheet_views(root: etree._Element, shift: Shift) -> None:
    for element in list(root.iter(etree.Element)):
        if markup.local(element) in ("sortCondition", "sortState"):
            tableparts.move_sorted(element, shift)
        elif element.get("ref"):
            written = element.get("ref", "")
            element.set("ref", shift.range_moved(written) or written)


_MOVERS: Final = {
    "table": tableparts.move,
    "comments": comments.move,
    "threadedComment": comments.move,
    "drawing": anchors.move_drawing,
    "pivotTable": _move_pivot_table,
    "tableSingleCells": _move_single_cells,
    "namedSheetView": _move_sheet_views,
}


def move_vml(package: Package, on_list: set[str], shift: Shift) -> None:
    """Move all VML drawings; `on_list` are those that lie on the list's sheet."""
    for part in package.parts:
        if not part.casefold().endswith(".vml"):
            continue
        data = package.read(part)
        here = part in on_list
        if here or mentions(data, shift.tab):
            text = data.decode("utf-8", "surrogateescape")
            moved = vml.moved(text, shift, here=here)
            package.write(part, moved.encode("utf-8", "surrogateescape"))


def move_hyperlinks_in_relationships(package: Package, shift: Shift) -> None:
    """Move links of shapes to places in the workbook, which relationships hold as `#Tab!A1`."""
    for part in package.parts:
        if not part.casefold().endswith(".rels") or not _LINK.search(package.read(part)):
            continue
        root = package.tree(part)
        changed = False
        for arrow in root.iter(etree.Element):
            target = arrow.get("Target", "")
            if target.startswith("#"):
                moved = _link_moved(target, shift)
                changed = changed or moved != target
                arrow.set("Target", moved)
        if changed:
            package.write_tree(part, root)


def _link_moved(target: str, shift: Shift) -> str:
    place = unquote(target[1:])
    moved = shift.formula(place, here=False)
    if moved == place or LOST in moved:
        return target
    return "#" + (quote(moved, safe=_LEFT_IN_LINKS) if "%" in target else moved)
