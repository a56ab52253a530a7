"""Moving what stands around a worksheet's rows: formats, validation, merges, breaks, anchors.

Element and attribute names follow ECMA-376 part 1, 18.3 and [MS-XLSX] for the `x14` kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lxml import etree

from canceldesk.workbook.moving import anchors, extensions, rules
from canceldesk.workbook.moving.pruning import take_out
from canceldesk.workbook.moving.shift import LOST, Shift, folded
from canceldesk.workbook.ooxml import markup, references
from canceldesk.workbook.ooxml.references import LAST_ROW, Span

_MOVED: Final = {
    "hyperlink": "ref",
    "autoFilter": "ref",
    "cellWatch": "r",
    "inputCells": "r",
    "cellSmartTags": "r",
    "webPublishItem": "sourceRef",
    "scenarios": "sqref",
    "sheetPr": "syncRef",
}
_GROWN: Final = {"sortState": "ref", "sortCondition": "ref"}
_COVERING: Final = ("protectedRange", "ignoredError")
_FORMULA_ATTRIBUTES: Final = {
    "controlPr": ("linkedCell", "listFillRange"),
    "cfvo": ("val",),
}
_STAYING: Final = frozenset(("scenarios", "sheetPr"))


def move(frame: etree._Element, shift: Shift, *, here: bool) -> None:
    """Bring a worksheet's frame to how it reads after the change; `here`: the list's own."""
    extensions.check(frame, shift, here=here)
    rules.move(frame, shift, here=here)
    _move_sparklines(frame, shift, here=here)
    _move_links(frame, shift, here=here)
    _move_formula_attributes(frame, shift, here=here)
    _move_consolidation(frame, shift)
    if here:
        _move_merges(frame, shift)
        _move_attributes(frame, _MOVED, shift.ranges_moved)
        _move_attributes(frame, _GROWN, lambda text: shift.ranges_grown(text, even_single=True))
        _move_covering(frame, shift)
        _move_breaks(frame, shift)
        anchors.move_controls(frame, shift)


def move_dimension(frame: etree._Element, shift: Shift, *, least: int, most: int) -> None:
    """Move the end of the sheet's used range, but not above row `least` or below row `most`."""
    dimension = markup.child(frame, "dimension")
    if dimension is None:
        return
    begin, _, end = dimension.get("ref", "").partition(":")
    if end:
        span = Span.of(end)
        last_row = max(min(shift.moved(span.bottom), most), least)
        dimension.set("ref", f"{begin}:{references.column_letters(span.right)}{last_row}")


def add_merges_of_row(frame: etree._Element, row: int, count: int = 1) -> None:
    """Give the `count` new rows from `row` on the merged cells of the row now under them."""
    merges = markup.child(frame, "mergeCells")
    if merges is None:
        return
    for merge in list(merges):
        span = Span.of(merge.get("ref", ""))
        if span.top == span.bottom == row + count:
            begin, end = (cell.rstrip("0123456789") for cell in merge.get("ref", "").split(":"))
            for new in range(row, row + count):
                twin = etree.SubElement(merges, merge.tag)
                twin.set("ref", f"{begin}{new}:{end}{new}")
    merges.set("count", str(len(merges)))


def _move_merges(frame: etree._Element, shift: Shift) -> None:
    for merge in list(markup.named(frame, "mergeCell")):
        moved = shift.range_moved(merge.get("ref", ""))
        if ":" in moved:
            merge.set("ref", moved)
        else:
            take_out(merge)


def _move_sparklines(frame: etree._Element, shift: Shift, *, here: bool) -> None:
    for groups in list(markup.named(frame, "sparklineGroups")):
        for element in list(markup.named(groups, "f")):
            place = _place_of_sparkline(element)
            span = Span.of(place) if place else None
            row, column = (None, None) if span is None else (span.top, span.left)
            moved = shift.formula(element.text or "", here=here, row=row, column=column)
            if LOST in moved:
                take_out(element)
            else:
                element.text = moved
        for element in list(markup.named(groups, "sqref")) if here else []:
            moved = shift.ranges_moved(element.text or "")
            parent = element.getparent()
            if moved or parent is None:
                element.text = moved
            else:
                take_out(parent)


def _place_of_sparkline(data: etree._Element) -> str:
    parent = data.getparent()
    place = None if parent is None else markup.child(parent, "sqref")
    return "" if place is None or place.text is None else place.text


def _move_links(frame: etree._Element, shift: Shift, *, here: bool) -> None:
    """Links to places in this workbook; one with a relationship leads into another file."""
    for link in markup.named(frame, "hyperlink"):
        written = link.get("location")
        if written and not markup.relationship_id(link):
            moved = shift.formula(written, here=here)
            if LOST not in moved:
                link.set("location", moved)


def _move_formula_attributes(frame: etree._Element, shift: Shift, *, here: bool) -> None:
    for element in markup.named(frame, *_FORMULA_ATTRIBUTES):
        for name in _FORMULA_ATTRIBUTES[markup.local(element)]:
            written = element.get(name)
            if written:
                element.set(name, shift.formula(written, here=here))
    for extension in markup.named(frame, "webExtension"):
        for element in markup.named(extension, "f"):
            element.text = shift.formula(element.text or "", here=here)


def _move_consolidation(frame: etree._Element, shift: Shift) -> None:
    for source in list(markup.named(frame, "dataRef")):
        on_list = folded(source.get("sheet", "")) == folded(shift.tab)
        if on_list and source.get("ref") and not markup.relationship_id(source):
            _put(source, "ref", shift.range_grown(source.get("ref", "")))


def _move_attributes(
    frame: etree._Element, attributes: dict[str, str], change: Callable[[str], str]
) -> None:
    for element in list(markup.named(frame, *attributes)):
        name = attributes[markup.local(element)]
        written = element.get(name)
        if written:
            _put(element, name, change(written))


def _move_covering(frame: etree._Element, shift: Shift) -> None:
    for element in list(markup.named(frame, *_COVERING)):
        covered, put = rules.covered_cells(element)
        grown = shift.ranges_grown(covered, even_single=True)
        if grown:
            put(grown)
        elif covered:
            take_out(element)


def _put(element: etree._Element, name: str, text: str) -> None:
    """Write where something lies; what lies nowhere any more goes."""
    if text:
        element.set(name, text)
    elif markup.local(element) in _STAYING:
        del element.attrib[name]
    else:
        take_out(element)


def _move_breaks(frame: etree._Element, shift: Shift) -> None:
    """A break's id is the row above it; it goes with the row under it, as in Excel."""
    for breaks in list(markup.named(frame, "rowBreaks")):
        known = set()
        for one in list(breaks):
            number = min(shift.moved(int(one.get("id") or 0) + 1) - 1, LAST_ROW - 1)
            if number in known:
                take_out(one)
                _count_manual(breaks)
            known.add(number)
            one.set("id", str(number))
    for breaks in markup.named(frame, "colBreaks"):
        for one in breaks:
            for name in {"min", "max"} & set(one.attrib):
                _move_end_of_break(one, str(name), shift)


def _count_manual(breaks: etree._Element) -> None:
    manual = sum(markup.is_true(one.get("man")) for one in breaks)
    breaks.set("manualBreakCount", str(manual))


def _move_end_of_break(one: etree._Element, name: str, shift: Shift) -> None:
    """From and to which row, counted from 0, a break between columns reaches."""
    row = int(one.get(name) or 0)
    if row < LAST_ROW - 1:
        one.set(name, str(shift.moved(row + 1) - 1))
