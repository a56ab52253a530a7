"""Moving conditional formats and data validation, of the ordinary and of the `x14` kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from lxml import etree

from canceldesk.workbook.moving.pruning import take_out
from canceldesk.workbook.moving.shift import Shift
from canceldesk.workbook.ooxml import markup
from canceldesk.workbook.ooxml.references import Span

_RULES: Final = ("conditionalFormatting", "dataValidation")


def move(frame: etree._Element, shift: Shift, *, here: bool) -> None:
    """Move the rules of a worksheet; one that covers nothing any more goes."""
    for rule in list(markup.named(frame, *_RULES)):
        covered, put = covered_cells(rule)
        if not (spans := _spans(covered)):
            continue
        before = after = Span.around(spans)
        if here:
            even_single = markup.local(rule) == "dataValidation"
            grown = shift.ranges_grown(covered, even_single=even_single)
            if not grown:
                take_out(rule)
                continue
            put(grown)
            after = Span.around(_spans(grown) or spans)
        for text, write in _formulas(rule):
            write(shift.rule(text, here=here, before=before, after=after))


def _spans(covered: str) -> list[Span]:
    """The rectangles covered; `#REF!`, where cells were deleted, is none."""
    return [Span.of(part) for part in covered.split() if not part.startswith("#")]


def covered_cells(element: etree._Element) -> tuple[str, Callable[[str], None]]:
    """The cells something covers and how to write them: an attribute, or an element in `x14`."""
    written = element.get("sqref")
    if written is not None:
        return written, lambda text: element.set("sqref", text)
    inner = markup.child(element, "sqref")
    if inner is None or not inner.text:
        return "", lambda _text: None

    def put(text: str) -> None:
        inner.text = text

    return inner.text, put


def _formulas(rule: etree._Element) -> Iterator[tuple[str, Callable[[str], None]]]:
    for element in markup.named(rule, "formula", "formula1", "formula2", "f"):
        if element.text and element.text.strip():

            def put(text: str, element: etree._Element = element) -> None:
                element.text = text

            yield element.text, put
