"""Moving the boxes of comments and old buttons in VML drawings, which need not be well-formed XML.

Element names follow ECMA-376 part 4, 19.4 (`ClientData`).
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final
from xml.sax.saxutils import escape

from canceldesk.workbook.moving.shift import Shift

_CLIENT_DATA: Final = re.compile(
    r"(<(?P<ns>[\w]+):ClientData\b[^>]*>)(?P<body>.*?)(</(?P=ns):ClientData>)", re.DOTALL
)
_VML_FORMULA: Final = re.compile(r"(<[\w]+:Fmla(?:Link|Range|Group|Txbx|Pict)>)([^<]*)(<)")
_SHAPE: Final = re.compile(
    r"<(?P<ns>\w+):shape(?:\s[^>]*)?(?<!/)>.*?</(?P=ns):shape>\s*", re.DOTALL
)
_NOTE: Final = re.compile(r"ObjectType=[\"']Note[\"']")
_VML_ROW: Final = re.compile(r"(<[\w]+:Row>\s*)(\d+)")
_VML_ANCHOR: Final = re.compile(r"(<[\w]+:Anchor>)([^<]*)(<)")
_ANCHOR_NUMBERS: Final = 8
_FROM_ROW, _TO_ROW = 2, 6


def moved(text: str, shift: Shift, *, here: bool) -> str:
    """A VML drawing, which need not be well-formed XML, after the shift.

    `here`: it lies on the list's sheet, so comments' boxes and buttons move too.
    """

    def change(match: re.Match[str]) -> str:
        body = _VML_FORMULA.sub(lambda found: _formula(found, shift, here=here), match["body"])
        if here:
            body = _client_data_moved(body, shift)
        return f"{match[1]}{body}{match[4]}"

    if here:
        text = _SHAPE.sub(lambda shape: "" if _is_lost(shape[0], shift) else shape[0], text)
    return _CLIENT_DATA.sub(change, text)


def _is_lost(shape: str, shift: Shift) -> bool:
    """Whether a shape is the box of a comment whose row is gone."""
    cell = _VML_ROW.search(shape) if _NOTE.search(shape) else None
    return cell is not None and not shift.keeps(int(cell[2]) + 1)


def _formula(match: re.Match[str], shift: Shift, *, here: bool) -> str:
    before = unescape(match[2])
    after = shift.formula(before, here=here)
    return match[0] if after == before else f"{match[1]}{escape(after)}{match[3]}"


def _client_data_moved(body: str, shift: Shift) -> str:
    cell = _VML_ROW.search(body)
    if cell is not None:
        row = int(cell[2])
        by = _after(row, shift) - row
        if not by:
            return body
        body = _VML_ROW.sub(lambda found: f"{found[1]}{row + by}", body)
        return _VML_ANCHOR.sub(lambda found: _anchor_by(found, by, by), body)
    if _is_set(body, "MoveWithCells"):
        return body
    size_kept = _is_set(body, "SizeWithCells")
    return _VML_ANCHOR.sub(lambda found: _anchor_moved(found, shift, size_kept), body)


def _is_set(body: str, name: str) -> bool:
    """Excel writes these two where an object does *not* move or size with its cells."""
    match = re.search(rf"<\w+:{name}(?:/>|>\s*(\w*)\s*<)", body)
    return match is not None and (match[1] or "true").casefold() not in ("false", "f")


def _anchor_moved(match: re.Match[str], shift: Shift, size_kept: bool) -> str:
    numbers = match[2].split(",")
    if len(numbers) != _ANCHOR_NUMBERS:
        return match[0]
    begin, end = int(numbers[_FROM_ROW]), int(numbers[_TO_ROW])
    by = _after(begin, shift) - begin
    if size_kept:
        return _anchor_by(match, by, by)
    for row, offset in ((begin, _FROM_ROW + 1), (end, _TO_ROW + 1)):
        if not shift.keeps(row + 1):
            numbers[offset] = " 0"
    return _anchor_text(match, numbers, by, _after(end, shift) - end)


def _anchor_by(match: re.Match[str], begin_by: int, end_by: int) -> str:
    return _anchor_text(match, match[2].split(","), begin_by, end_by)


def _anchor_text(match: re.Match[str], numbers: list[str], begin_by: int, end_by: int) -> str:
    if len(numbers) != _ANCHOR_NUMBERS:
        return match[0]
    for place, by in ((_FROM_ROW, begin_by), (_TO_ROW, end_by)):
        if by:
            numbers[place] = f" {max(int(numbers[place]) + by, 0)}"
    return f"{match[1]}{','.join(numbers)}{match[3]}"


def _after(row: int, shift: Shift) -> int:
    """Drawings count rows from 0."""
    return shift.moved(row + 1) - 1
