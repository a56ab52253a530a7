"""Moving comments, of the old and of the threaded kind, with their cells."""

from __future__ import annotations

from lxml import etree

from canceldesk.workbook.moving import anchors
from canceldesk.workbook.moving.pruning import take_out
from canceldesk.workbook.moving.shift import Shift
from canceldesk.workbook.ooxml import markup
from canceldesk.workbook.ooxml.references import Span


def move(root: etree._Element, shift: Shift) -> None:
    """Move the comments of the list's sheet; those of a lost cell go."""
    for comment in list(markup.named(root, "comment", "threadedComment")):
        written = comment.get("ref")
        if not written:
            continue
        row = Span.of(written).top
        if not shift.keeps(row):
            take_out(comment)
            continue
        comment.set("ref", shift.range_moved(written))
        for anchor in markup.named(comment, "anchor"):
            anchors.move_by(anchor, shift.moved(row) - row)
