"""Moving what stands around a worksheet's rows: formats, validation, merges, breaks, anchors.

Element and attribute names follow ECMA-376 part 1, 18.3 and [MS-XLSX] for the `x14` kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from lxml import etree

from canceldesk.workbook import anchors, markup
from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.insertion import Insertion
from canceldesk.workbook.references import LAST_ROW, Span

_RULES: Final = ("conditionalFormatting", "dataValidation")
_MOVED: Final = {
    "mergeCell": "ref",
    "hyperlink": "ref",
    "autoFilter": "ref",
    "cellWatch": "r",
    "inputCells": "r",
    "cellSmartTags": "r",
    "webPublishItem": "sourceRef",
}
_GROWN: Final = {
    "sortState": "ref",
    "sortCondition": "ref",
    "protectedRange": "sqref",
    "ignoredError": "sqref",
}
_FORMULA_ATTRIBUTES: Final = {
    "hyperlink": ("location",),
    "controlPr": ("linkedCell", "listFillRange"),
    "cfvo": ("val",),
}
_EXTENSIONS_UNDERSTOOD: Final = frozenset(
    (
        "conditionalFormattings",
        "dataValidations",
        "sparklineGroups",
        "slicerList",
        "timelineRefs",
        "ignoredErrors",
        "protectedRanges",
    )
)


def move(frame: etree._Element, insertion: Insertion, *, here: bool) -> None:
    """Bring a worksheet's frame to how it reads after the insertion; `here`: the list's own."""
    if here:
        _check_extensions(frame, insertion.tab)
    _move_rules(frame, insertion, here=here)
    _move_sparklines(frame, insertion, here=here)
    _move_formula_attributes(frame, insertion, here=here)
    _move_consolidation(frame, insertion)
    if here:
        _move_attributes(frame, _MOVED, insertion.ranges_moved)
        _move_attributes(frame, _GROWN, lambda text: insertion.ranges_grown(text, even_single=True))
        _move_breaks(frame, insertion)
        anchors.move_controls(frame, insertion)


def extend_dimension(frame: etree._Element, last_row: int) -> None:
    """Let the sheet's used range end at `last_row`."""
    dimension = markup.child(frame, "dimension")
    if dimension is None:
        return
    begin, _, end = dimension.get("ref", "").partition(":")
    if end:
        dimension.set("ref", f"{begin}:{end.rstrip('0123456789')}{last_row}")


def add_merges_of_row(frame: etree._Element, row: int) -> None:
    """Give the new row at `row` the merged cells of the row now under it."""
    merges = markup.child(frame, "mergeCells")
    if merges is None:
        return
    for merge in list(merges):
        span = Span.of(merge.get("ref", ""))
        if span.top == span.bottom == row + 1:
            twin = etree.SubElement(merges, merge.tag)
            begin, _, end = merge.get("ref", "").partition(":")
            begin, end = begin.rstrip("0123456789"), end.rstrip("0123456789")
            twin.set("ref", f"{begin}{row}:{end}{row}")
    merges.set("count", str(len(merges)))


def _check_extensions(frame: etree._Element, tab: str) -> None:
    for extension in markup.named(frame, "ext"):
        for content in extension:
            if markup.local(content) in _EXTENSIONS_UNDERSTOOD:
                continue
            for element in content.iter(etree.Element):
                if markup.local(element) in ("f", "sqref") or {"ref", "sqref"} & set(
                    element.attrib
                ):
                    raise CannotEdit(
                        f"The tab “{tab}” uses a feature the desk does not know "
                        f"({markup.local(content)}) that points at cells; it might be harmed. "
                        "Add this row by hand."
                    )


def _move_rules(frame: etree._Element, insertion: Insertion, *, here: bool) -> None:
    for rule in markup.named(frame, *_RULES):
        covered, put = _covered(rule)
        if not covered:
            continue
        before = _bounding(covered)
        after = before
        if here:
            grown = insertion.ranges_grown(
                covered, even_single=markup.local(rule) == "dataValidation"
            )
            put(grown)
            after = _bounding(grown)
        for text, write in _formulas(rule):
            write(insertion.rule(text, here=here, before=before, after=after))


def _covered(rule: etree._Element) -> tuple[str, Callable[[str], None]]:
    """The cells a rule covers and how to write them: an attribute, or an element in `x14`."""
    written = rule.get("sqref")
    if written is not None:
        return written, lambda text: rule.set("sqref", text)
    element = markup.child(rule, "sqref")
    if element is None or not element.text:
        return "", lambda _text: None

    def put(text: str) -> None:
        element.text = text

    return element.text, put


def _bounding(sqref: str) -> Span:
    spans = [Span.of(part) for part in sqref.split()]
    return Span(
        min(span.top for span in spans),
        min(span.left for span in spans),
        max(span.bottom for span in spans),
        max(span.right for span in spans),
    )


def _formulas(rule: etree._Element) -> Iterator[tuple[str, Callable[[str], None]]]:
    for element in markup.named(rule, "formula", "formula1", "formula2", "f"):
        if element.text and element.text.strip():

            def put(text: str, element: etree._Element = element) -> None:
                element.text = text

            yield element.text, put


def _move_sparklines(frame: etree._Element, insertion: Insertion, *, here: bool) -> None:
    for groups in markup.named(frame, "sparklineGroups"):
        for element in markup.named(groups, "f"):
            place = _place_of_sparkline(element)
            row = Span.of(place).top if place else None
            element.text = insertion.formula(element.text or "", here=here, row=row)
        for element in markup.named(groups, "sqref"):
            if here and element.text:
                element.text = insertion.ranges_moved(element.text)


def _place_of_sparkline(data: etree._Element) -> str:
    parent = data.getparent()
    place = None if parent is None else markup.child(parent, "sqref")
    return "" if place is None or place.text is None else place.text


def _move_formula_attributes(frame: etree._Element, insertion: Insertion, *, here: bool) -> None:
    for element in markup.named(frame, *_FORMULA_ATTRIBUTES):
        for name in _FORMULA_ATTRIBUTES[markup.local(element)]:
            written = element.get(name)
            if written:
                element.set(name, insertion.formula(written, here=here))


def _move_consolidation(frame: etree._Element, insertion: Insertion) -> None:
    for source in markup.named(frame, "dataRef"):
        if source.get("sheet", "").casefold() == insertion.tab.casefold() and source.get("ref"):
            source.set("ref", insertion.range_grown(source.get("ref", "")))


def _move_attributes(
    frame: etree._Element, attributes: dict[str, str], change: Callable[[str], str]
) -> None:
    for element in markup.named(frame, *attributes):
        name = attributes[markup.local(element)]
        written = element.get(name)
        if written:
            element.set(name, change(written))


def _move_breaks(frame: etree._Element, insertion: Insertion) -> None:
    """A break's id is the row above it; it goes with the row under it, as in Excel."""
    for breaks in markup.named(frame, "rowBreaks"):
        for one in breaks:
            number = int(one.get("id") or 0)
            if number + 1 >= insertion.row:
                one.set("id", str(min(number + 1, LAST_ROW - 1)))
