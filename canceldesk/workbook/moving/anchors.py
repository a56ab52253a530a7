"""Moving what lies over the cells: pictures, charts, shapes, buttons, embedded objects."""

from __future__ import annotations

from lxml import etree

from canceldesk.workbook.moving.shift import Shift
from canceldesk.workbook.ooxml import markup


def move_drawing(root: etree._Element, shift: Shift) -> None:
    """Move the anchors of a drawing (ECMA-376 part 1, 20.5.2) that lies on the list's sheet."""
    for anchor in markup.named(root, "twoCellAnchor", "oneCellAnchor"):
        held = anchor.get("editAs", "twoCell")
        if held == "absolute":
            continue
        _move_ends(anchor, shift, size_kept=held == "oneCell")


def move_controls(frame: etree._Element, shift: Shift) -> None:
    """Move the anchors of form controls and embedded objects written in the sheet itself."""
    for anchor in markup.named(frame, "anchor"):
        follows = markup.is_true(anchor.get("moveWithCells"))
        stretches = markup.is_true(anchor.get("sizeWithCells"))
        if follows or stretches:
            _move_ends(anchor, shift, size_kept=not stretches)


def move_by(anchor: etree._Element, rows: int) -> None:
    """Move an anchor as a whole."""
    for end in ("from", "to"):
        row = _part_of(anchor, end, "row")
        if row is not None:
            row.text = str(max(_number(row) + rows, 0))


def _move_ends(anchor: etree._Element, shift: Shift, *, size_kept: bool) -> None:
    begin = _part_of(anchor, "from", "row")
    end = _part_of(anchor, "to", "row")
    if begin is None:
        return
    before = _number(begin)
    after = _after(before, shift)
    begin.text = str(after)
    if size_kept:
        if end is not None:
            end.text = str(_number(end) + after - before)
        return
    _drop_offset(anchor, "from", before, shift)
    if end is not None:
        bottom = _number(end)
        end.text = str(_after(bottom, shift))
        _drop_offset(anchor, "to", bottom, shift)


def _drop_offset(anchor: etree._Element, end: str, row: int, shift: Shift) -> None:
    """An end within a lost row now lies where that row began."""
    offset = _part_of(anchor, end, "rowOff")
    if offset is not None and not shift.keeps(row + 1):
        offset.text = "0"


def _part_of(anchor: etree._Element, end: str, name: str) -> etree._Element | None:
    marker = markup.child(anchor, end)
    return None if marker is None else markup.child(marker, name)


def _number(element: etree._Element) -> int:
    return int(element.text or 0)


def _after(row: int, shift: Shift) -> int:
    """Drawings count rows from 0."""
    return shift.moved(row + 1) - 1
