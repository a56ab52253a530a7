"""What each kind of part should read after the insertion, element by element.

Names follow ECMA-376 part 1 (chapters 18, 20 and 21) and [MS-XLSX] for the `x14` kind. Whatever is
not named here has to stay as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from canceldesk.workbook.comparing import anchors, charts, rules
from canceldesk.workbook.comparing.expectation import Expectation, area
from canceldesk.workbook.comparing.nodes import Expected, Node, one_of

_MOVED: Final = {
    "mergeCell": "ref",
    "hyperlink": "ref",
    "autoFilter": "ref",
    "cellWatch": "r",
    "inputCells": "r",
    "scenarios": "sqref",
    "cellSmartTags": "r",
    "webPublishItem": "sourceRef",
    "comment": "ref",
    "threadedComment": "ref",
    "singleXmlCell": "r",
    "nsvFilter": "ref",
    "location": "ref",
}
_GROWN: Final = {
    "sortState": "ref",
    "sortCondition": "ref",
    "protectedRange": "sqref",
    "ignoredError": "sqref",
}
_LOOKED_AT: Final = {
    "pane": ("topLeftCell",),
    "selection": ("activeCell", "sqref"),
    "sheetView": ("topLeftCell",),
    "customSheetView": ("topLeftCell",),
}
"""Where the reader last looked: may stay or follow."""
_FORMULAS: Final = {
    "hyperlink": ("location",),
    "controlPr": ("linkedCell", "listFillRange"),
    "parameter": ("cell",),
}
_LINKS: Final = frozenset(
    ("textlink", "cellRange", "fmlaLink", "fmlaRange", "fmlaGroup", "fmlaTxbx", "fmlaPict")
)


def expect_sheet(root: Node, expected: Expectation, *, here: bool) -> None:
    """Turn what stands around a sheet's rows into what should stand there."""
    for node in root.walk():
        if node.name in ("conditionalFormatting", "dataValidation"):
            rules.expect_rule(node, expected, here=here)
        elif node.name == "sparklineGroup":
            _sparklines(node, expected, here=here)
        elif node.name == "dataRef":
            _source(node, expected)
        elsewhere = node.name == "hyperlink" and any(
            name.endswith("}id") for name in node.attributes
        )
        for name in () if elsewhere else _FORMULAS.get(node.name, ()):
            _formula_attribute(node, name, expected, here=here)
        if here:
            _places(node, expected)
    if here:
        for breaks in (node for node in root.walk() if node.name in _BREAKS):
            for one in breaks.children:
                _BREAKS[breaks.name](one, expected)
        anchors.expect_controls(root, expected)


def _places(node: Node, expected: Expectation) -> None:
    """Cells and ranges of the list's own sheet that an element names."""
    moved, grown = _MOVED.get(node.name), _GROWN.get(node.name)
    for name, grows in ((moved, False), (grown, True)):
        if name is not None and name in node.attributes:
            was = node.get(name)
            node.attributes[name] = one_of(was, *expected.ranges(was, grows=grows))
    if node.name in ("protectedRange", "ignoredError"):
        covered = node.child("sqref")
        if covered is not None:
            was = covered.was()
            covered.text = one_of(was, *expected.ranges(was, grows=True))
    for name in _LOOKED_AT.get(node.name, ()):
        if name in node.attributes:
            was = node.get(name)
            readings = (was, *expected.ranges(was, grows=False), *expected.ranges(was, grows=True))
            node.attributes[name] = one_of(was, *dict.fromkeys(readings))


def _column_break(one: Node, expected: Expectation) -> None:
    """A page break between columns goes from one row to another."""
    for name in ("min", "max"):
        was = one.get(name)
        if was.isdigit():
            one.attributes[name] = one_of(was, was, str(expected.moved(int(was) + 1) - 1))


def _break(one: Node, expected: Expectation) -> None:
    """A page break is numbered by the row above it and goes with the row under it."""
    if not one.get("id").isdigit():
        return
    number = int(one.get("id"))
    moved = str(expected.moved(number + 1) - 1)
    readings = (moved, str(number)) if number + 1 == expected.row else (moved,)
    one.attributes["id"] = one_of(str(number), *readings)


_BREAKS: Final = {"rowBreaks": _break, "colBreaks": _column_break}


def _sparklines(group: Node, expected: Expectation, *, here: bool) -> None:
    for node in group.walk():
        if node.name == "f":
            _formula_text(node, expected, here=here)
        if node.name != "sparkline":
            continue
        place, data = node.child("sqref"), node.child("f")
        stands = None if place is None else area(place.was())
        if data is not None:
            _formula_text(data, expected, here=here, row=None if stands is None else stands.top)
        if here and place is not None:
            was = place.was()
            place.text = one_of(was, *expected.ranges(was, grows=False))


def _formula_text(node: Node, expected: Expectation, *, here: bool, row: int | None = None) -> None:
    node.text = _followed(node.was(), expected, here=here, row=row)


def _formula_attribute(node: Node, name: str, expected: Expectation, *, here: bool) -> None:
    if node.get(name):
        node.attributes[name] = _followed(node.get(name), expected, here=here)


def _followed(
    was: str, expected: Expectation, *, here: bool, row: int | None = None
) -> str | Expected:
    """A formula and all it may read now."""
    should = expected.formula(was, here=here, row=row)
    return Expected(was, should, lambda now: expected.accepts(was, now, here=here, row=row))


def _source(node: Node, expected: Expectation) -> None:
    """The range that a pivot table or a consolidation reads."""
    named = any(name.endswith("}id") for name in node.attributes)
    if named or node.get("sheet").casefold() != expected.tab.casefold() or not node.get("ref"):
        return
    was = node.get("ref")
    node.attributes["ref"] = one_of(was, *expected.ranges(was, grows=True))


def expect_drawing(root: Node, expected: Expectation, *, here: bool) -> None:
    """Turn a drawing's anchors, if it lies on the list's sheet, and linked cells."""
    for node in root.walk():
        for name in _LINKS & node.attributes.keys():
            _formula_attribute(node, name, expected, here=here)
    if here:
        anchors.expect_drawing(root, expected)


def expect_table(root: Node, expected: Expectation, *, here: bool) -> None:
    """Turn a table's place, if it is on the list's sheet, and its columns' formulas."""
    before = area(root.get("ref"))
    if before is None:
        return
    headed = root.get("headerRowCount") != "0"
    rules.expect_columns(root, before, expected, here=here, headed=headed)
    for node in root.walk():
        if node.name == "totalsRowFormula":
            _formula_text(node, expected, here=here)
    if not here:
        return
    for node in root.walk():
        if node.name in ("table", "autoFilter") and node.get("ref"):
            was = node.get("ref")
            node.attributes["ref"] = one_of(was, *expected.ranges(was, grows=not headed))
        elif node.name in _GROWN:
            _places(node, expected)


def expect_places(root: Node, expected: Expectation, *, here: bool) -> None:
    """Turn the cells that comments, mapped cells, pivot tables and filters of views stand at."""
    if here:
        for node in root.walk():
            _places(node, expected)


def expect_pivot_source(root: Node, expected: Expectation, *, here: bool) -> None:
    """Turn what a pivot table's cache was read from."""
    for node in root.walk():
        if node.name in ("worksheetSource", "rangeSet"):
            _source(node, expected)


def expect_connections(root: Node, expected: Expectation, *, here: bool) -> None:
    """Turn the cells that queries take their parameters from."""
    for node in root.walk():
        if node.name == "parameter":
            _formula_attribute(node, "cell", expected, here=False)


def expect_workbook(root: Node, expected: Expectation) -> None:
    """Turn the defined names."""
    for node in root.walk():
        if node.name == "definedName":
            node.text = one_of(node.was(), expected.fixed(node.was(), here=False))


KINDS: Final[dict[str, Callable[..., None]]] = {
    "drawingml.chart+xml": charts.expect_chart,
    "ms-office.chartex+xml": charts.expect_chart,
    "officedocument.drawing+xml": expect_drawing,
    "drawingml.chartshapes+xml": expect_drawing,
    "ms-excel.controlproperties+xml": expect_drawing,
    "spreadsheetml.table+xml": expect_table,
    "spreadsheetml.comments+xml": expect_places,
    "ms-excel.threadedcomments+xml": expect_places,
    "spreadsheetml.tablesinglecells+xml": expect_places,
    "spreadsheetml.pivottable+xml": expect_places,
    "ms-excel.namedsheetviews+xml": expect_places,
    "spreadsheetml.pivotcachedefinition+xml": expect_pivot_source,
    "spreadsheetml.connections+xml": expect_connections,
}
"""What to expect of a part by the end of its content type, in lower case."""
