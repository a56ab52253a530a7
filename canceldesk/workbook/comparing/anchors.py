"""Where drawings, buttons and comment boxes should hang after the insertion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Final

from canceldesk.workbook.comparing.expectation import Expectation
from canceldesk.workbook.comparing.nodes import Node, one_of

_CLIENT_DATA: Final = re.compile(
    r"<(?:\w+:)?ClientData\b[^>]*>.*?</(?:\w+:)?ClientData\s*>", re.DOTALL
)
_FIELD: Final = re.compile(r"<(?:\w+:)?(\w+)[^<>]*?(?:/>|>([^<]*)</(?:\w+:)?\1\s*>)")
_MEASURE: Final = re.compile(r"(?<=[;'\"])\s*margin-(?:left|top):[^;'\"]*;?")
_NUMBERS: Final = 8
_FROM_ROW: Final = 2
_TO_ROW: Final = 6
_FORMULAS: Final = frozenset(("FmlaLink", "FmlaRange", "FmlaGroup", "FmlaTxbx", "FmlaPict"))


def expect_drawing(root: Node, expected: Expectation) -> None:
    """Turn the anchors of a drawing on the list's sheet (ECMA-376 part 1, 20.5.2)."""
    for node in root.walk():
        if node.name in ("twoCellAnchor", "oneCellAnchor"):
            held = node.get("editAs") or "twoCell"
            if held != "absolute":
                _hang(node, expected, size_kept=held == "oneCell" or node.name == "oneCellAnchor")


def expect_controls(root: Node, expected: Expectation) -> None:
    """Turn the anchors of buttons and embedded objects written in the sheet itself."""
    for node in root.walk():
        if node.name != "anchor":
            continue
        moves = node.get("moveWithCells") in ("1", "true")
        sizes = node.get("sizeWithCells") in ("1", "true")
        if moves or sizes:
            _hang(node, expected, size_kept=not sizes)


def _hang(anchor: Node, expected: Expectation, *, size_kept: bool) -> None:
    begin, end = _row(anchor, "from"), _row(anchor, "to")
    if begin is None:
        return
    first = int(begin.was())
    by = _after(first, expected) - first
    begin.text = one_of(begin.was(), str(first + by))
    if end is None:
        return
    last = int(end.was())
    readings = [last + by if size_kept else _after(last, expected)]
    if not size_kept and _offset(anchor) == 0:
        readings.append(_after(last - 1, expected) + 1)
    end.text = one_of(end.was(), *dict.fromkeys(str(reading) for reading in readings))


def _row(anchor: Node, end: str) -> Node | None:
    marker = anchor.child(end)
    row = None if marker is None else marker.child("row")
    return row if row is not None and row.was().strip().isdigit() else None


def _offset(anchor: Node) -> int:
    marker = anchor.child("to")
    offset = None if marker is None else marker.child("rowOff")
    text = "" if offset is None else offset.was().strip()
    return int(text) if text.lstrip("-").isdigit() else 0


def _after(row: int, expected: Expectation) -> int:
    """Drawings count rows from 0."""
    return expected.moved(row + 1) - 1


def vml_differences(before: str, after: str, expected: Expectation, *, here: bool) -> Iterator[str]:
    """What differs between two VML drawings, which need not be well-formed XML."""
    if _shapes(before) != _shapes(after):
        yield "the shapes themselves differ"
    left, right = _CLIENT_DATA.findall(before), _CLIENT_DATA.findall(after)
    if len(left) != len(right):
        yield f"there were {len(left)} boxes and buttons, now there are {len(right)}"
        return
    for old, new in zip(left, right, strict=True):
        yield from _box(_fields(old), _fields(new), expected, here=here)


def _shapes(text: str) -> str:
    """A VML drawing without its anchors and the measures that are only worked out from them."""
    return _MEASURE.sub("", _CLIENT_DATA.sub("", text))


def _fields(block: str) -> list[tuple[str, str]]:
    inner = block[block.index(">") + 1 :]
    return [(name, unescape(text).strip()) for name, text in _FIELD.findall(inner)]


def _box(
    old: list[tuple[str, str]],
    new: list[tuple[str, str]],
    expected: Expectation,
    *,
    here: bool,
) -> Iterator[str]:
    if [name for name, _ in old] != [name for name, _ in new]:
        yield "a box or button has other properties than before"
        return
    properties = dict(old)
    for (name, was), (_, now) in zip(old, new, strict=True):
        readings = [was]
        if name in _FORMULAS:
            readings = [expected.formula(was, here=here)]
        elif here and name == "Row" and was.isdigit():
            readings = [str(_after(int(was), expected))]
        elif here and name == "Anchor":
            readings = list(_anchors(was, properties, expected))
        if _spaced(now) not in [_spaced(reading) for reading in readings]:
            yield f"{name} of a box or button was {was}, is {now}, should be {readings[0]}"


def _anchors(was: str, properties: dict[str, str], expected: Expectation) -> Iterator[str]:
    """Where the box may hang; Excel writes two properties for what does *not* follow cells."""
    numbers = [part.strip() for part in was.split(",")]
    if len(numbers) != _NUMBERS or not all(part.lstrip("-").isdigit() for part in numbers):
        yield was
        return
    begin, end = int(numbers[_FROM_ROW]), int(numbers[_TO_ROW])
    row = properties.get("Row", "")
    if row.isdigit():
        by = _after(int(row), expected) - int(row)
        yield _anchor(numbers, begin + by, end + by)
        yield was
        return
    by = _after(begin, expected) - begin
    if _is_set(properties, "MoveWithCells"):
        yield was
    elif _is_set(properties, "SizeWithCells"):
        yield _anchor(numbers, begin + by, end + by)
    else:
        yield _anchor(numbers, begin + by, _after(end, expected))


def _anchor(numbers: list[str], begin: int, end: int) -> str:
    moved = list(numbers)
    moved[_FROM_ROW], moved[_TO_ROW] = str(begin), str(end)
    return ", ".join(moved)


def _is_set(properties: dict[str, str], name: str) -> bool:
    return name in properties and properties[name].casefold() not in ("false", "f")


def _spaced(text: str) -> str:
    return re.sub(r"\s+", "", text)
