"""The Excel tables of a tab: where they stand, and which of their rows are data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from canceldesk.workbook.ooxml.package import Package
from canceldesk.workbook.ooxml.references import Span


def on(package: Package, part: str) -> Iterator[etree._Element]:
    """The tables on the tab that is this part."""
    for arrow in package.relationships(part):
        if arrow.kind == "table" and not arrow.external and package.has(arrow.target):
            yield package.tree(arrow.target)


def cells(table: etree._Element) -> Span:
    """All cells of a table."""
    return Span.of(table.get("ref", ""))


def has_headings(table: etree._Element) -> bool:
    """Whether the table's first row holds its headings."""
    return table.get("headerRowCount", "1") != "0"


def rows_of_data(table: etree._Element) -> Span:
    """The cells of a table without its headings and its row of totals."""
    span = cells(table)
    totals = int(table.get("totalsRowCount") or 0)
    return replace(span, top=span.top + has_headings(table), bottom=span.bottom - totals)
