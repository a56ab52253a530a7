"""What lies on ranges of cells in a drawn workbook: comparing it before and after one row."""

from __future__ import annotations

from lxml import etree

from tests.workbook import following
from tests.workbook.addition import Addition, area_moved
from tests.workbook.everything.looking import Book, all_named, split
from tests.workbook.following import Place, down


def check_moved(addition: Addition) -> None:
    """Merged cells, links, filters, tables and comments cover what they covered."""
    tab, first = addition.plan.tab, addition.plan.first
    for name in ("mergeCell", "hyperlink", "autoFilter"):
        before, after = (
            [str(one.get("ref")) for one in all_named(book.tab(tab).root, name)]
            for book in (addition.before, addition.after)
        )
        twins = [area for area in before if name == "mergeCell" and _is_in_row(area, first)]
        expected = sorted([*(area_moved(area, first) for area in before), *twins])
        assert sorted(after) in (expected, sorted(area_moved(area, first) for area in before))
    for kind, name in (("table", "table"), ("table", "autoFilter"), ("comments", "comment")):
        before, after = (
            _in_parts(book, tab, kind, name) for book in (addition.before, addition.after)
        )
        assert after == [area_moved(area, first) for area in before]


def _is_in_row(area: str, row: int) -> bool:
    """Whether merged cells lie in that row alone, so that the new row may have their like."""
    return {split(corner)[1] for corner in area.split(":")} == {row}


def check_breaks_and_sparklines(addition: Addition) -> None:
    """Page breaks and sparklines went down with their rows."""
    tab, first = addition.plan.tab, addition.plan.first
    roots = [book.tab(tab).root for book in (addition.before, addition.after)]
    before, after = ([one.get("id", "") for one in all_named(root, "brk")] for root in roots)
    assert after == [str(down(int(row) + 1, first) - 1) for row in before]
    lines = [[e.text or "" for e in all_named(root, "sqref")] for root in roots]
    assert lines[1] == [area_moved(area, first) for area in lines[0]]
    data = [
        [e.text or "" for line in all_named(root, "sparkline") for e in all_named(line, "f")]
        for root in roots
    ]
    for old, new in zip(*data, strict=True):
        following.check(old, new, addition.place, here=True, inside=True)


def _in_parts(book: Book, tab: str, kind: str, name: str) -> list[str]:
    parts = book.parts_of(book.tab(tab).part, kind)
    return [str(one.get("ref")) for part in parts for one in all_named(book.tree(part), name)]


def check_rules(addition: Addition) -> None:
    """Conditional formats, validation and ignored errors cover the new row and look as before."""
    tab = addition.plan.tab
    for name in ("conditionalFormatting", "dataValidation", "ignoredError"):
        before, after = (
            all_named(book.tab(tab).root, name) for book in (addition.before, addition.after)
        )
        for old, new in zip(before, after, strict=True):
            _check_rule(old, new, addition.place)


def _check_rule(before: etree._Element, after: etree._Element, place: Place) -> None:
    old, new = str(before.get("sqref")), str(after.get("sqref"))
    for one, other in zip(old.split(), new.split(), strict=True):
        single = ":" not in one
        area, grown = (text if ":" in text else f"{text}:{text}" for text in (one, other))
        following.check(area, grown, place, here=True, inside=single)
    was, now = _top(old), _top(new)
    for one, other in zip(_formulas(before), _formulas(after), strict=True):
        for corner in old.replace(":", " ").split():
            row = split(corner)[1]
            meant = following.filled(one, row - was)
            means = following.filled(other, down(row, place.first) - now)
            if meant is not None and means is not None:
                following.check(meant, means, place, here=True, inside=True)


def _top(sqref: str) -> int:
    return min(split(corner)[1] for corner in sqref.replace(":", " ").split())


def _formulas(rule: etree._Element) -> list[str]:
    return [element.text or "" for element in all_named(rule, "formula", "formula1")]


def check_charts(addition: Addition) -> None:
    """The series of charts followed."""
    before, after = (
        _series(book, addition.plan.others[-1]) for book in (addition.before, addition.after)
    )
    assert len(before) == len(addition.plan.charted)
    for old, new in zip(before, after, strict=True):
        following.check(old, new, addition.place, here=False)


def _series(book: Book, tab: str) -> list[str]:
    return [
        element.text or ""
        for drawing in book.parts_of(book.tab(tab).part, "drawing")
        for chart in book.parts_of(drawing, "chart")
        for element in all_named(book.tree(chart), "f")
    ]


CHECKS = (check_moved, check_breaks_and_sparklines, check_rules, check_charts)
"""All comparisons; each raises `AssertionError` where something is not as it must be."""
