"""XML as a tree of what it means, and the difference of two such trees in words."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from canceldesk.workbook.ooxml import markup

_WORDS: Final = {
    "autoFilter": "the filter",
    "brk": "a page break",
    "cfRule": "a conditional format",
    "clientData": "a drawing",
    "col": "the columns",
    "comment": "a comment",
    "conditionalFormatting": "a conditional format",
    "dataValidation": "a data validation",
    "definedName": "a defined name",
    "filterColumn": "the filter",
    "hyperlink": "a hyperlink",
    "ignoredError": "an ignored error",
    "mergeCell": "merged cells",
    "oneCellAnchor": "a drawing",
    "pageSetup": "the page setup",
    "pane": "the frozen panes",
    "protectedRange": "a protected range",
    "sheetProtection": "the protection",
    "sortState": "the sorting",
    "sparkline": "a sparkline",
    "table": "the table",
    "tableColumn": "a column of the table",
    "threadedComment": "a comment",
    "twoCellAnchor": "a drawing",
    "worksheetSource": "the pivot table's source",
    "xf": "a cell format",
}
_LONGEST: Final = 120


@dataclass(frozen=True)
class Expected:
    """A text that had to follow the new rows: what it was and should be, and what else is right."""

    was: str
    should: str
    accepts: Callable[[str], bool]


def one_of(was: str, *readings: str) -> str | Expected:
    """A text of which any of these readings is right; the text itself if it should stay."""
    if readings == (was,):
        return was
    return Expected(was, readings[0], frozenset(readings).__contains__)


@dataclass
class Node:
    """One XML element; attributes and text may be what is expected rather than what is."""

    tag: str
    attributes: dict[str, str | Expected]
    text: str | Expected
    children: list[Node] = field(default_factory=list)
    optional: bool = False

    @property
    def name(self) -> str:
        """The element's name without its namespace."""
        return self.tag.rpartition("}")[2]

    def get(self, name: str) -> str:
        """An attribute as it was; empty when there is none."""
        value = self.attributes.get(name, "")
        return value.was if isinstance(value, Expected) else value

    def was(self) -> str:
        """The text as it was."""
        return self.text.was if isinstance(self.text, Expected) else self.text

    def child(self, name: str) -> Node | None:
        """The first direct child of this name."""
        return next((node for node in self.children if node.name == name), None)

    def walk(self) -> Iterator[Node]:
        """The element and all below it, in order."""
        yield self
        for node in self.children:
            yield from node.walk()


def node(element: etree._Element) -> Node:
    """The meaning of an element: no comments, no blanks between elements, no namespace prefixes."""
    children = [node(child) for child in element if markup.local(child)]
    text = element.text or ""
    if children and not text.strip():
        text = ""
    return Node(
        str(element.tag), {str(k): str(v) for k, v in element.attrib.items()}, text, children
    )


def differences(before: Node, after: Node) -> Iterator[tuple[str, str]]:
    """What differs, as pairs of (what it is about, what happened to it)."""
    yield from _differ(before, after, before.name)


def _differ(before: Node, after: Node, about: str) -> Iterator[tuple[str, str]]:
    about = _WORDS.get(before.name, about)
    if before.tag != after.tag:
        yield about, f"was {shown(before)}, is {shown(after)}"
        return
    for name in dict.fromkeys((*before.attributes, *after.attributes)):
        label = name.rpartition("}")[2]
        yield from _texts(
            about, label, before.attributes.get(name), str(after.attributes.get(name, "\0"))
        )
    yield from _texts(about, "", before.text, after.was())
    yield from _children(before, after, about)


def _texts(
    about: str, label: str, before: str | Expected | None, after: str
) -> Iterator[tuple[str, str]]:
    """The difference of one attribute or text; a zero byte stands for a missing attribute."""
    what = f"{label} " if label else ""
    if before is None:
        yield about, f"{what}is new: {cut(after)}"
    elif after == "\0":
        was = before.was if isinstance(before, Expected) else before
        yield about, f"{what}is gone; it was {cut(was)}"
    elif isinstance(before, str):
        if before != after and before.strip() + after.strip():
            yield about, f"{what}was {cut(before)}, is {cut(after)}"
    elif not before.accepts(after):
        yield (
            about,
            f"{what}was {cut(before.was)}, is {cut(after)}, should be {cut(before.should)}",
        )


def _children(before: Node, after: Node, about: str) -> Iterator[tuple[str, str]]:
    left, right = before.children, after.children
    if [one.tag for one in left] == [one.tag for one in right]:
        pairs = zip(left, right, strict=True)
        if len(left) == 1 or all(_key(a) == _key(b) for a, b in zip(left, right, strict=True)):
            for a, b in pairs:
                yield from _differ(a, b, about)
            return
    matcher = difflib.SequenceMatcher(
        None, [_key(one) for one in left], [_key(one) for one in right], autojunk=False
    )
    for kind, i, i_end, j, j_end in matcher.get_opcodes():
        gone, new = left[i:i_end], right[j:j_end]
        if kind == "equal" or len(gone) == len(new):
            for a, b in zip(gone, new, strict=True):
                yield from _differ(a, b, about)
            continue
        yield from _unpaired(gone, new, about)


def _unpaired(gone: list[Node], new: list[Node], about: str) -> Iterator[tuple[str, str]]:
    """Elements without a counterpart; those of one name are still compared in their order."""
    for name in dict.fromkeys(one.tag for one in (*gone, *new)):
        mine = [one for one in gone if one.tag == name]
        theirs = [one for one in new if one.tag == name]
        for a, b in zip(mine, theirs, strict=False):
            yield from _differ(a, b, about)
        for one in mine[len(theirs) :]:
            if not one.optional:
                yield _WORDS.get(one.name, about), f"is gone: {shown(one)}"
        for one in theirs[len(mine) :]:
            yield _WORDS.get(one.name, about), f"is new: {shown(one)}"


def _key(one: Node) -> tuple[object, ...]:
    """What makes two elements the same one: what should not change about it, roughly."""
    plain = tuple(
        sorted((name, value.should if isinstance(value, Expected) else value)
        for name, value in one.attributes.items())
    )  # fmt: skip
    text = one.text.should if isinstance(one.text, Expected) else one.text
    return (one.tag, plain, text.strip())


def shown(one: Node) -> str:
    """An element in short, for a sentence."""
    parts = [
        f"{name.rpartition('}')[2]}={value.should if isinstance(value, Expected) else value}"
        for name, value in one.attributes.items()
    ]
    text = one.was().strip()
    return cut(" ".join((one.name, *parts, *([text] if text else []))))


def cut(text: str) -> str:
    """A text short enough for a sentence; “nothing” for an empty one."""
    if not text:
        return "nothing"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
