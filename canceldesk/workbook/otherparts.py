"""Moving what the rest of the package knows about the list: tables, charts, names, comments, ..."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from lxml import etree

from canceldesk.workbook import anchors, markup
from canceldesk.workbook.insertion import Insertion
from canceldesk.workbook.package import Package, Relationship
from canceldesk.workbook.references import Span

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


def mentions(data: bytes, tab: str) -> bool:
    """Whether a part may hold a reference to the tab; true when in doubt."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or _ACROSS_TABS.search(data):
        return True
    longest = max(re.findall(r"\w+", tab) or [""], key=len)
    if longest.isascii():
        return longest.lower().encode() in data.lower()
    return longest.casefold() in data.decode("utf-8", "replace").casefold()


def move_workbook(root: etree._Element, insertion: Insertion) -> None:
    """Move the defined names and ask Excel to calculate when it opens the file."""
    names = markup.child(root, "definedNames")
    if names is not None:
        for name in names:
            if name.text:
                name.text = insertion.name(name.text)
    _calculate_on_load(root)


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


def move_formula_parts(package: Package, own: set[str], insertion: Insertion) -> None:
    """Move the formulas in charts, drawings, tables, controls and pivot sources everywhere.

    `own` are the parts that belong to the list's sheet, whose references need not name it.
    """
    types = package.content_types()
    for part in package.parts:
        kind = types.get(part, "")
        here = part in own
        if not kind.endswith(tuple(_FORMULA_PARTS)):
            continue
        if not here and not mentions(package.read(part), insertion.tab):
            continue
        move = next(move for ending, move in _FORMULA_PARTS.items() if kind.endswith(ending))
        root = package.tree(part)
        before = etree.tostring(root)
        move(root, insertion, here)
        if etree.tostring(root) != before:
            package.write_tree(part, root)


def _move_chart(root: etree._Element, insertion: Insertion, here: bool) -> None:
    for element in markup.named(root, "f", "sqref"):
        if element.text:
            element.text = insertion.formula(element.text, here=False)


def _move_linked(root: etree._Element, insertion: Insertion, here: bool) -> None:
    for element in root.iter(etree.Element):
        for name in _LINKED & set(element.attrib):
            element.set(str(name), insertion.formula(element.get(name) or "", here=here))


def _move_table_formulas(root: etree._Element, insertion: Insertion, here: bool) -> None:
    before = Span.of(root.get("ref", ""))
    headed = root.get("headerRowCount", "1") != "0"
    before = replace(before, top=before.top + headed)
    top = before.top if before.top == insertion.row else insertion.moved(before.top)
    after = replace(before, top=top)
    for element in markup.named(root, "calculatedColumnFormula"):
        if element.text:
            element.text = insertion.rule(element.text, here=here, before=before, after=after)
    for element in markup.named(root, "totalsRowFormula"):
        if element.text:
            element.text = insertion.formula(element.text, here=here)


def _move_pivot_source(root: etree._Element, insertion: Insertion, here: bool) -> None:
    for source in markup.named(root, "worksheetSource", "rangeSet"):
        on_list = source.get("sheet", "").casefold() == insertion.tab.casefold()
        if source.get("ref") and on_list and not markup.relationship_id(source):
            source.set("ref", insertion.range_grown(source.get("ref", "")))


_LINKED: Final = frozenset(
    ("textlink", "cellRange", "fmlaLink", "fmlaRange", "fmlaGroup", "fmlaTxbx")
)
_FORMULA_PARTS: Final = {
    "drawingml.chart+xml": _move_chart,
    "ms-office.chartex+xml": _move_chart,
    "officedocument.drawing+xml": _move_linked,
    "drawingml.chartshapes+xml": _move_linked,
    "ms-excel.controlproperties+xml": _move_linked,
    "spreadsheetml.table+xml": _move_table_formulas,
    "pivotCacheDefinition+xml": _move_pivot_source,
}


def move_parts_of_sheet(package: Package, arrows: list[Relationship], insertion: Insertion) -> None:
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
            move(root, insertion)
            if etree.tostring(root) != before:
                package.write_tree(arrow.target, root)


def _move_table(root: etree._Element, insertion: Insertion) -> None:
    headed = root.get("headerRowCount", "1") != "0"
    change = insertion.range_moved if headed else insertion.range_grown
    for element in (root, *markup.named(root, "autoFilter")):
        written = element.get("ref")
        if written:
            element.set("ref", change(written))
    for element in markup.named(root, "sortState", "sortCondition"):
        written = element.get("ref")
        if written:
            element.set("ref", insertion.range_grown(written))


def _move_comments(root: etree._Element, insertion: Insertion) -> None:
    for comment in markup.named(root, "comment", "threadedComment"):
        written = comment.get("ref")
        if written:
            comment.set("ref", insertion.range_moved(written))


def _move_pivot_table(root: etree._Element, insertion: Insertion) -> None:
    location = markup.child(root, "location")
    if location is not None and location.get("ref"):
        location.set("ref", insertion.range_moved(location.get("ref", "")))


def _move_single_cells(root: etree._Element, insertion: Insertion) -> None:
    for cell in markup.named(root, "singleXmlCell"):
        if cell.get("r"):
            cell.set("r", insertion.range_moved(cell.get("r", "")))


def _move_sheet_views(root: etree._Element, insertion: Insertion) -> None:
    for element in root.iter(etree.Element):
        if element.get("ref"):
            element.set("ref", insertion.range_moved(element.get("ref", "")))


_MOVERS: Final = {
    "table": _move_table,
    "comments": _move_comments,
    "threadedComment": _move_comments,
    "drawing": anchors.move_drawing,
    "pivotTable": _move_pivot_table,
    "tableSingleCells": _move_single_cells,
    "namedSheetView": _move_sheet_views,
}


def move_vml(package: Package, on_list: set[str], insertion: Insertion) -> None:
    """Move all VML drawings; `on_list` are those that lie on the list's sheet."""
    for part in package.parts:
        if not part.casefold().endswith(".vml"):
            continue
        data = package.read(part)
        here = part in on_list
        if here or mentions(data, insertion.tab):
            text = data.decode("utf-8", "surrogateescape")
            moved = anchors.vml_moved(text, insertion, here=here)
            package.write(part, moved.encode("utf-8", "surrogateescape"))


def move_hyperlinks_in_relationships(package: Package, insertion: Insertion) -> None:
    """Move links of shapes to places in the workbook, which relationships hold as `#Tab!A1`."""
    for part in package.parts:
        if not part.endswith(".rels") or b'Target="#' not in package.read(part):
            continue
        root = package.tree(part)
        changed = False
        for arrow in root.iter(etree.Element):
            target = arrow.get("Target", "")
            if target.startswith("#"):
                moved = "#" + insertion.formula(target[1:], here=False)
                changed = changed or moved != target
                arrow.set("Target", moved)
        if changed:
            package.write_tree(part, root)
