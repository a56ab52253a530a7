"""Extensions of a worksheet nobody here knows: harmless unless they point at cells.

Which there are: [MS-XLSX] 2.2.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.moving.shift import Shift
from canceldesk.workbook.ooxml import markup

_UNDERSTOOD: Final = frozenset(
    (
        "conditionalFormattings",
        "dataValidations",
        "filter",
        "iconFilter",
        "id",
        "ignoredErrors",
        "protectedRanges",
        "slicerList",
        "sortCondition",
        "sortState",
        "sparklineGroups",
        "timelineRefs",
        "webExtensions",
    )
)
_POINTING: Final = ("f", "sqref", "ref")
_POINTING_ATTRIBUTES: Final = ("ref", "sqref", "r", "cell", "range", "sourceRef", "formula")


def check(frame: etree._Element, shift: Shift, *, here: bool) -> None:
    """Raise `CannotEdit` when an extension nobody knows would no longer point where it did."""
    for extension in markup.named(frame, "ext"):
        for content in extension.iterchildren(etree.Element):
            if markup.local(content) in _UNDERSTOOD:
                continue
            if any(_changes(text, shift, here=here) for text in _pointers(content)):
                where = f"The tab “{shift.tab}”" if here else "A tab that looks at the list"
                raise CannotEdit(
                    f"{where} uses a feature the desk does not know ({markup.local(content)}) that "
                    f"points at cells; it might be harmed. {shift.by_hand.capitalize()}."
                )


def _pointers(content: etree._Element) -> Iterator[str]:
    for element in content.iter(etree.Element):
        if element.text and markup.local(element) in _POINTING:
            yield element.text
        for name in _POINTING_ATTRIBUTES:
            if element.get(name):
                yield str(element.get(name))


def _changes(text: str, shift: Shift, *, here: bool) -> bool:
    return any(shift.formula(part, here=here) != part for part in (text, *text.split()))
