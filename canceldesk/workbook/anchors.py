"""Moving what lies over the cells: pictures, charts, shapes, buttons, the boxes of comments."""

from __future__ import annotations

import re
from html import unescape
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from canceldesk.workbook import markup
from canceldesk.workbook.insertion import Insertion

_CLIENT_DATA: Final = re.compile(
    r"(<(?P<ns>[\w]+):ClientData\b[^>]*>)(?P<body>.*?)(</(?P=ns):ClientData>)", re.DOTALL
)
_VML_FORMULA: Final = re.compile(r"(<[\w]+:Fmla(?:Link|Range|Group|Txbx)>)([^<]*)(<)")
_VML_ROW: Final = re.compile(r"(<[\w]+:Row>\s*)(\d+)")
_VML_ANCHOR: Final = re.compile(r"(<[\w]+:Anchor>)([^<]*)(<)")
_ANCHOR_NUMBERS: Final = 8
_FROM_ROW, _TO_ROW = 2, 6


def move_drawing(root: etree._Element, insertion: Insertion) -> None:
    """Move the anchors of a drawing (ECMA-376 part 1, 20.5.2) that lies on the list's sheet."""
    for anchor in markup.named(root, "twoCellAnchor", "oneCellAnchor"):
        held = anchor.get("editAs", "twoCell")
        if held == "absolute":
            continue
        _move_ends(anchor, insertion, size_kept=held == "oneCell")


def move_controls(frame: etree._Element, insertion: Insertion) -> None:
    """Move the anchors of form controls and embedded objects written in the sheet itself."""
    for anchor in markup.named(frame, "anchor"):
        follows = markup.is_true(anchor.get("moveWithCells"))
        stretches = markup.is_true(anchor.get("sizeWithCells"))
        if follows or stretches:
            _move_ends(anchor, insertion, size_kept=not stretches)


def _move_ends(anchor: etree._Element, insertion: Insertion, *, size_kept: bool) -> None:
    begin = _row_of(anchor, "from")
    end = _row_of(anchor, "to")
    if begin is None:
        return
    moved_by = _moved(begin, insertion) - _row(begin)
    if end is not None:
        end.text = str(_row(end) + moved_by if size_kept else _moved(end, insertion))
    begin.text = str(_row(begin) + moved_by)


def _row_of(anchor: etree._Element, end: str) -> etree._Element | None:
    marker = markup.child(anchor, end)
    return None if marker is None else markup.child(marker, "row")


def _row(element: etree._Element) -> int:
    return int(element.text or 0)


def _moved(element: etree._Element, insertion: Insertion) -> int:
    return _after(_row(element), insertion)


def _after(row: int, insertion: Insertion) -> int:
    """Drawings count rows from 0."""
    return insertion.moved(row + 1) - 1


def vml_moved(text: str, insertion: Insertion, *, here: bool) -> str:
    """A VML drawing, which need not be well-formed XML, after the insertion.

    `here`: it lies on the list's sheet, so comments' boxes and buttons move too.
    """

    def change(match: re.Match[str]) -> str:
        body = _VML_FORMULA.sub(lambda found: _formula(found, insertion, here=here), match["body"])
        if here:
            body = _client_data_moved(body, insertion)
        return f"{match[1]}{body}{match[4]}"

    return _CLIENT_DATA.sub(change, text)


def _formula(match: re.Match[str], insertion: Insertion, *, here: bool) -> str:
    before = unescape(match[2])
    after = insertion.formula(before, here=here)
    return match[0] if after == before else f"{match[1]}{escape(after)}{match[3]}"


def _client_data_moved(body: str, insertion: Insertion) -> str:
    cell = _VML_ROW.search(body)
    if cell is not None:
        row = int(cell[2])
        by = _after(row, insertion) - row
        body = _VML_ROW.sub(lambda found: f"{found[1]}{row + by}", body)
        return _VML_ANCHOR.sub(lambda found: _anchor_by(found, by, by), body)
    if _is_set(body, "MoveWithCells"):
        return body
    size_kept = _is_set(body, "SizeWithCells")
    return _VML_ANCHOR.sub(lambda found: _anchor_moved(found, insertion, size_kept), body)


def _is_set(body: str, name: str) -> bool:
    """Excel writes these two where an object does *not* move or size with its cells."""
    match = re.search(rf"<\w+:{name}(?:/>|>\s*(\w*)\s*<)", body)
    return match is not None and (match[1] or "true").casefold() not in ("false", "f")


def _anchor_moved(match: re.Match[str], insertion: Insertion, size_kept: bool) -> str:
    numbers = match[2].split(",")
    if len(numbers) != _ANCHOR_NUMBERS:
        return match[0]
    begin, end = int(numbers[_FROM_ROW]), int(numbers[_TO_ROW])
    by = _after(begin, insertion) - begin
    return _anchor_by(match, by, by if size_kept else _after(end, insertion) - end)


def _anchor_by(match: re.Match[str], begin_by: int, end_by: int) -> str:
    numbers = match[2].split(",")
    if len(numbers) != _ANCHOR_NUMBERS:
        return match[0]
    numbers[_FROM_ROW] = f" {int(numbers[_FROM_ROW]) + begin_by}"
    numbers[_TO_ROW] = f" {int(numbers[_TO_ROW]) + end_by}"
    return f"{match[1]}{','.join(numbers)}{match[3]}"
