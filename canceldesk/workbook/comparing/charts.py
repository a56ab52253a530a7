"""Charts: their sources, and the values kept with them, whose numbers may follow a grown source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from canceldesk.workbook.comparing import formulas, growth
from canceldesk.workbook.comparing.expectation import Expectation
from canceldesk.workbook.comparing.formulas import ROWS, Ref
from canceldesk.workbook.comparing.nodes import Expected, Node, one_of

_KEPT: Final = frozenset(
    ("numCache", "strCache", "multiLvlStrCache", "lvl", "dlblRangeCache", "numLit")
)
_POINTS: Final = frozenset(("dPt", "dLbl", "dataPt", "dataLabel", "dataLabelHidden"))


def expect_chart(root: Node, expected: Expectation, *, here: bool) -> None:
    """Turn a chart's sources into what they should be, and allow its points to follow them."""
    for node in root.walk():
        if node.name in ("f", "sqref"):
            node.text = _source(node.was(), expected)
    grown = any(
        _first_new(source.was(), expected) is not None for source, _ in _with_kept(root)
    )  # fmt: skip
    for point in (node for node in root.walk() if node.name in _POINTS and grown):
        _may_follow(point, expected)


def _source(was: str, expected: Expectation) -> Expected:
    """A source and what it may read now; one beside the list may grow to stay as long as others."""
    should = expected.formula(was, here=False)
    longer = formulas.replaced(was, lambda ref: _longer(ref, expected))
    return Expected(
        was, should, lambda now: now == longer or expected.accepts(was, now, here=False)
    )


def _longer(ref: Ref, expected: Expectation) -> str | None:
    long = growth.grown(ref, expected)
    if long is None or (ref.sheet or "").casefold() != expected.tab.casefold():
        return None
    return ref.text(*long)


def _may_follow(point: Node, expected: Expectation) -> None:
    """Let a point that looks its own way keep its number or go on with its row."""
    index = point.child("idx")
    holder = point if index is None else index
    name = "idx" if index is None else "val"
    was = holder.get(name)
    if was.isdigit():
        holder.attributes[name] = one_of(was, was, str(int(was) + expected.count))


def settle(before: Node, after: Node, expected: Expectation) -> None:
    """Number the points kept in `after` as before, where they followed a source that grew."""
    pairs = zip(_with_kept(before), _with_kept(after), strict=False)
    for (source, old), (_, new) in pairs:
        first = _first_new(source.was(), expected)
        if first is None or _count(new) != _count(old) + expected.count:
            continue
        for node in new.walk():
            _set_count(node, expected.count)
            node.children = [
                point for point in node.children if not _is_new(point, first, expected.count)
            ]
            for point in node.children:
                if point.name == "pt" and int(point.get("idx") or 0) >= first:
                    point.attributes["idx"] = str(int(point.get("idx")) - expected.count)


def _with_kept(root: Node) -> Iterator[tuple[Node, Node]]:
    """Sources together with the values kept of them."""
    for node in root.walk():
        source = node.child("f")
        for kept in node.children if source is not None else ():
            if kept.name in _KEPT and source is not None:
                yield source, kept


def _first_new(source: str, expected: Expectation) -> int | None:
    """The number of the first new point of a source that took new rows in; None for others."""
    found = formulas.refs(source)
    if len(found) != 1 or found[0].last is None or (found[0].sheet or "").casefold() != (
        expected.tab.casefold()
    ):  # fmt: skip
        return None
    top, bottom = found[0].first.row or 1, found[0].last.row or ROWS
    return expected.row - top if top <= expected.row <= bottom else None


def _count(kept: Node) -> int:
    child = kept.child("ptCount")
    text = kept.get("ptCount") if child is None else child.get("val")
    return int(text) if text.isdigit() else -1


def _set_count(node: Node, count: int) -> None:
    name = {"ptCount": "val"}.get(node.name, "ptCount")
    if node.get(name).isdigit():
        node.attributes[name] = str(int(node.get(name)) - count)


def _is_new(point: Node, first: int, count: int) -> bool:
    index = point.get("idx")
    return point.name == "pt" and index.isdigit() and first <= int(index) < first + count
