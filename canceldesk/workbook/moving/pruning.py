"""Taking elements out of a part's XML without leaving containers that may not be empty."""

from __future__ import annotations

from typing import Final

from lxml import etree

from canceldesk.workbook.ooxml import markup

_NEVER_EMPTY: Final = frozenset(
    (
        "cellSmartTags",
        "cellWatches",
        "colBreaks",
        "conditionalFormattings",
        "dataRefs",
        "dataConsolidate",
        "dataValidations",
        "ext",
        "extLst",
        "hyperlinks",
        "ignoredErrors",
        "mergeCells",
        "protectedRanges",
        "rowBreaks",
        "scenario",
        "scenarios",
        "singleXmlCells",
        "smartTags",
        "sortState",
        "sparklineGroup",
        "sparklineGroups",
        "sparklines",
        "webPublishItems",
    )
)
_HELD: Final = {"scenario": "inputCells", "sparklineGroup": "sparklines"}
"""What an element must hold at least one of, where it may hold other things, too."""


def take_out(element: etree._Element) -> None:
    """Remove an element, and each container that it leaves empty; counts are kept right."""
    parent = element.getparent()
    if parent is None:
        return
    tail = element.tail
    before = element.getprevious()
    parent.remove(element)
    if tail and tail.strip():
        if before is None:
            parent.text = (parent.text or "") + tail
        else:
            before.tail = (before.tail or "") + tail
    name = markup.local(parent)
    held = _HELD.get(name)
    left = list(parent.iterchildren(etree.Element))
    if held is not None:
        left = [child for child in left if markup.local(child) == held]
    if not left and name in _NEVER_EMPTY:
        take_out(parent)
    elif parent.get("count") is not None:
        parent.set("count", str(len(left)))
