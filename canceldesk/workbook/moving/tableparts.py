"""Moving tables: where they lie, and the formulas they keep for their columns."""

from __future__ import annotations

from typing import Final

from lxml import etree

from canceldesk.workbook.moving.pruning import take_out
from canceldesk.workbook.moving.shift import Shift
from canceldesk.workbook.ooxml import markup, tables

_SORTED: Final = ("sortState", "sortCondition")


def move_formulas(root: etree._Element, shift: Shift, here: bool) -> None:
    """Move the formulas of a table on any sheet; before the table itself is moved."""
    before = tables.rows_of_data(root)
    after = before
    if here and before.top != shift.row:
        after = shift.span_moved(before) or before
    for element in markup.named(root, "calculatedColumnFormula"):
        if element.text:
            element.text = shift.rule(element.text, here=here, before=before, after=after)
    for element in markup.named(root, "totalsRowFormula"):
        if element.text:
            element.text = shift.formula(element.text, here=here)


def move(root: etree._Element, shift: Shift) -> None:
    """Move a table that lies on the list's sheet."""
    change = shift.range_moved if tables.has_headings(root) else shift.range_grown
    for element in (root, *markup.named(root, "autoFilter")):
        written = element.get("ref")
        if written:
            element.set("ref", change(written))
    for element in list(markup.named(root, *_SORTED)):
        move_sorted(element, shift)


def move_sorted(element: etree._Element, shift: Shift) -> None:
    """Move the cells that were sorted or sorted by, which never have the headings."""
    written = element.get("ref")
    if written:
        moved = shift.range_grown(written, even_single=True)
        if moved:
            element.set("ref", moved)
        else:
            take_out(element)
