"""The whole comparison of two workbooks, part by part."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from canceldesk.workbook.comparing import anchors, charts, locating, nodes, parts
from canceldesk.workbook.comparing.cells import Rows
from canceldesk.workbook.comparing.expectation import Area, Expectation, area
from canceldesk.workbook.comparing.nodes import Node
from canceldesk.workbook.comparing.sheets import Sheet
from canceldesk.workbook.comparing.workbooks import TYPES, Arrow, Tab, Workbook
from canceldesk.workbook.errors import CannotRead

_MOST_PER_PLACE: Final = 25
_WITH_ROWS: Final = frozenset(("worksheet", "xlMacrosheet", "xlIntlMacrosheet", "dialogsheet"))


@dataclass(frozen=True)
class Difference:
    """One thing that differs: where, and in words what."""

    place: str
    sentence: str


@dataclass(frozen=True)
class Comparison:
    """The rows found inserted (by their numbers afterwards), and all that differs beyond them."""

    tab: str
    inserted_rows: tuple[int, ...]
    differences: tuple[Difference, ...]


def compare(
    before: bytes,
    after: bytes,
    *,
    name_before: str,
    name_after: str,
    tab: str | None = None,
    headings: Mapping[str, str] | None = None,
    anywhere: bool = False,
) -> Comparison:
    """What differs between two workbooks beyond rows put in directly under the list's heading.

    `tab` and `headings` find the list as `WorkbookList` does; without a list nothing is taken for
    inserted. `anywhere`: rows may also be put in further down in the list. For a row that was
    taken out, give the two workbooks in the other order. Raises `CannotRead`, and `CannotPlace`
    when the tab asked for is not there.
    """
    old, new = Workbook(before, name_before), Workbook(after, name_after)
    expected = locating.expectation(old, new, tab=tab, overrides=headings or {}, anywhere=anywhere)
    found = _Comparing(old, new, expected)
    rows = tuple(range(expected.row, expected.row + expected.count))
    return Comparison(expected.tab, rows, tuple(found.all()))


class _Comparing:
    def __init__(self, before: Workbook, after: Workbook, expected: Expectation) -> None:
        self._before, self._after, self._expected = before, after, expected
        if self._same_styles():
            after.formats = before.formats
        own = next((tab.part for tab in before.tabs if tab.name == expected.tab), None)
        self._own = set() if own is None else {a.target for a in before.arrows_of(own)}
        self._done: set[str] = set()

    def all(self) -> Iterator[Difference]:
        """Every difference, most important first."""
        yield from self._tabs()
        yield from _few("the workbook", self._workbook())
        yield from _few("formats", self._formats())
        for tab in self._before.tabs:
            twin = next((one for one in self._after.tabs if one.name == tab.name), None)
            if twin is not None:
                yield from self._tab(tab, twin)
        yield from self._parts()
        yield from _few("the package", self._package())

    def _tabs(self) -> Iterator[Difference]:
        was = [(tab.name, tab.kind, tab.hidden) for tab in self._before.tabs]
        now = [(tab.name, tab.kind, tab.hidden) for tab in self._after.tabs]
        if was != now:
            names = [", ".join(name for name, _, _ in tabs) or "none" for tabs in (was, now)]
            yield Difference("tabs", f"the tabs were {names[0]}; they are {names[1]}")

    def _workbook(self) -> Iterator[tuple[str, str]]:
        before, after = (book.node(book.main) for book in (self._before, self._after))
        self._done.add(self._before.main.casefold())
        was, now = _without_calculation(before), _without_calculation(after)
        parts.expect_workbook(before, self._expected)
        if self._expected.count and now.get("fullCalcOnLoad") not in ("1", "true"):
            yield "calculation", "Excel is not asked to calculate when it opens the file"
        was.pop("fullCalcOnLoad", None)
        now.pop("fullCalcOnLoad", None)
        if was != now:
            yield "calculation", f"was {was}, is {now}"
        for name in (one for one in before.walk() if one.name == "definedName"):
            if self._expected.count and self._expected.crosses(name.was()):
                yield "a defined name", f"{name.get('name')} reads several tabs and cannot follow"
        yield from nodes.differences(before, after)

    def _formats(self) -> Iterator[tuple[str, str]]:
        was, now = self._before.formats.rest, self._after.formats.rest
        for part in (book.one("styles") for book in (self._before, self._after)):
            self._done.add((part or "").casefold())
        for name in dict.fromkeys((*was, *now)):
            if was.get(name) != now.get(name):
                yield name, "differs" if name in was and name in now else "is gone or new"
        for name, number in self._before.formats.lost(self._after.formats):
            yield name, f"entry {number} is another, or its place in the list is"
        strings = self._before.one("sharedStrings")
        self._done.add((strings or "").casefold())

    def _tab(self, tab: Tab, twin: Tab) -> Iterator[Difference]:
        here = tab.name == self._expected.tab
        place = f"tab “{tab.name}”"
        self._done.add(tab.part.casefold())
        if not self._before.has(tab.part) or not self._after.has(twin.part):
            if self._before.has(tab.part) != self._after.has(twin.part):
                yield Difference(place, "its part is missing in one of the two")
            return
        same = self._before.read(tab.part) == self._after.read(twin.part)
        quiet = same and self._same_styles() and not self._expected.count
        if tab.kind not in _WITH_ROWS or quiet:
            if not same:
                pair = (self._before.node(tab.part), self._after.node(twin.part))
                yield from _few(place, nodes.differences(*pair))
            return
        before, after = Sheet(self._before, tab.part), Sheet(self._after, twin.part)
        rows = Rows(self._before, self._after, self._expected, here=here)
        yield from _few(place, rows.differences(before, after))
        frames = (before.frame, after.frame)
        yield from _few(place, _used_range(before, after, self._expected, here=here))
        _prepare(*frames, self._expected, here=here)
        yield from _few(place, self._frame(*frames, here=here))

    def _same_styles(self) -> bool:
        a, b = self._before.one("styles"), self._after.one("styles")
        if a is None or b is None:
            return a is b
        return self._before.read(a) == self._after.read(b)

    def _frame(self, before: Node, after: Node, *, here: bool) -> Iterator[tuple[str, str]]:
        parts.expect_sheet(before, self._expected, here=here)
        looks = (self._before.formats, self._after.formats)
        for side, root in enumerate((before, after)):
            for one in (node for node in root.walk() if node.name == "col"):
                style = one.get("style")
                if style.isdigit() and not self._same_styles():
                    one.attributes["style"] = repr(looks[side].meaning(int(style)))
        yield from nodes.differences(before, after)

    def _parts(self) -> Iterator[Difference]:
        for folded, part in self._before.parts.items():
            if folded in self._done or part == TYPES or part.endswith("/"):
                continue
            twin = self._after.parts.get(folded)
            if twin is None:
                if not self._is_chain(part):
                    yield Difference(f"part {part}", "is missing")
                continue
            yield from _few(f"part {part}", self._part(part, twin))
        for folded, part in self._after.parts.items():
            if folded not in self._before.parts and not part.endswith("/"):
                yield Difference(f"part {part}", "is new")

    def _is_chain(self, part: str) -> bool:
        """The calculation chain may go: Excel makes it anew."""
        return self._before.type(part).endswith("calcchain+xml") or (
            part.casefold().endswith("calcchain.xml.rels")
        )

    def _part(self, part: str, twin: str) -> Iterator[tuple[str, str]]:
        old, new = self._before.read(part), self._after.read(twin)
        if old == new and not self._expected.count:
            return
        here = part in self._own
        if part.casefold().endswith(".vml"):
            texts = [data.decode("utf-8", "replace") for data in (old, new)]
            found = anchors.vml_differences(texts[0], texts[1], self._expected, here=here)
            yield from (("", words) for words in found)
            return
        owner = _owner(part, self._before)
        if owner is not None and _owner(twin, self._after) == owner:
            yield from self._arrows(owner)
            return
        kind = self._before.type(part)
        expect = next((e for ending, e in parts.KINDS.items() if kind.endswith(ending)), None)
        if expect is None and old == new:
            return
        try:
            before, after = self._before.node(part), self._after.node(twin)
        except CannotRead:
            if old != new:
                yield "", "its bytes differ"
            return
        if expect is charts.expect_chart:
            charts.settle(before, after, self._expected)
        if expect is not None:
            expect(before, self._expected, here=here)
        yield from nodes.differences(before, after)

    def _arrows(self, owner: str) -> Iterator[tuple[str, str]]:
        was = {arrow.id: arrow for arrow in self._before.arrows_of(owner)}
        now = {arrow.id: arrow for arrow in self._after.arrows_of(owner)}
        for name in dict.fromkeys((*was, *now)):
            old, new = was.get(name), now.get(name)
            if old is None or new is None:
                if old is None or old.kind != "calcChain":
                    yield name, f"the arrow to {(old or new or _NOWHERE).written} is gone or new"
                continue
            target = old.written
            if target.startswith("#"):
                target = "#" + self._expected.formula(target[1:], here=False)
            if (target, old.kind, old.external) != (new.written, new.kind, new.external):
                yield name, f"pointed to {old.written}, points to {new.written}"

    def _package(self) -> Iterator[tuple[str, str]]:
        """Whether the package after is whole, and says the same of its parts."""
        for part in self._after.parts.values():
            if part == TYPES or part.endswith("/"):
                continue
            now, was = self._after.type(part), self._before.type(part)
            if not now and not (self._before.has(part) and not was):
                yield part, "has no content type"
            elif self._before.has(part) and was != now:
                yield part, f"was declared as {was}, is declared as {now}"
            owner = _owner(part, self._after)
            if owner is not None:
                yield from self._dangling(part, owner)
        for part in self._after.types[0]:
            if not self._after.has(part) and self._before.has(part):
                yield part, "is declared but not there"

    def _dangling(self, part: str, owner: str) -> Iterator[tuple[str, str]]:
        for arrow in self._after.arrows_of(owner):
            if arrow.external or arrow.written.startswith("#") or self._after.has(arrow.target):
                continue
            if self._before.has(arrow.target) or not self._before.has(part):
                yield part, f"points to {arrow.target}, which is not there"


_NOWHERE: Final = Arrow("", "", "", False, "")


def _owner(part: str, workbook: Workbook) -> str | None:
    """The part whose arrows a part holds; empty for the package's own, None for other parts."""
    folder, name = posixpath.split(part)
    if posixpath.basename(folder) != "_rels" or not name.casefold().endswith(".rels"):
        return None
    owner = posixpath.join(posixpath.dirname(folder), name[: -len(".rels")])
    try:
        workbook.arrows_of(owner)
    except CannotRead:
        return None
    return owner


def _without_calculation(root: Node) -> dict[str, str]:
    """Take the wish how to calculate out of a workbook's XML and give it as a mapping."""
    found = root.child("calcPr")
    if found is None:
        return {}
    root.children.remove(found)
    return {str(name): found.get(str(name)) for name in found.attributes}


def _used_range(
    before: Sheet, after: Sheet, expected: Expectation, *, here: bool
) -> Iterator[tuple[str, str]]:
    """Whether what a sheet says of its used range still holds all its cells and not much else."""
    was, now = _dimension(before.frame), _dimension(after.frame)
    if was is None or now is None or before.used is None or after.used is None:
        return
    used = after.used
    bottom = expected.moved(was.bottom) if here else was.bottom
    holds = _holds(now, used) or not _holds(was, before.used)
    fits = now.bottom <= max(bottom, used.bottom) and now.right <= max(was.right, used.right)
    if not fits or not holds:
        yield "the used range", f"is said to end in row {now.bottom}, but ends in row {used.bottom}"


def _holds(outer: Area, inner: Area) -> bool:
    return (
        outer.top <= inner.top
        and outer.left <= inner.left
        and outer.bottom >= inner.bottom
        and outer.right >= inner.right
    )


def _dimension(root: Node) -> Area | None:
    found = root.child("dimension")
    return None if found is None else area(found.get("ref"))


def _prepare(before: Node, after: Node, expected: Expectation, *, here: bool) -> None:
    """Take out what may differ freely: the used range, counts, merges of the new rows."""
    for root in (before, after):
        root.children = [one for one in root.children if one.name != "dimension"]
        for one in root.walk():
            if one.name == "mergeCells":
                one.attributes.pop("count", None)
    if not here or not expected.count:
        return
    flat = {
        (span.left, span.right)
        for one in before.walk()
        if one.name == "mergeCell"
        and (span := area(one.get("ref"))) is not None
        and span.top == span.bottom == expected.row
    }
    for merges in (one for one in after.walk() if one.name == "mergeCells"):
        merges.children = [one for one in merges.children if not _is_twin(one, flat, expected)]


def _is_twin(merge: Node, flat: set[tuple[int, int]], expected: Expectation) -> bool:
    span = area(merge.get("ref"))
    return (
        span is not None
        and expected.is_inserted(span.top)
        and span.top == span.bottom
        and (span.left, span.right) in flat
    )


def _few(place: str, found: Iterable[tuple[str, str]]) -> Iterator[Difference]:
    """The differences of one place, not more than a person reads, and how many are left out."""
    count = 0
    for about, words in found:
        count += 1
        if count <= _MOST_PER_PLACE:
            yield Difference(f"{place}, {about}" if about else place, words)
    if count > _MOST_PER_PLACE:
        yield Difference(place, f"{count - _MOST_PER_PLACE} more differences")


__all__ = ["Comparison", "Difference", "compare"]
