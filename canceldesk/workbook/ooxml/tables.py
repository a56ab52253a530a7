"""The Excel tables of a tab, as far as the list must know them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from canceldesk.workbook.ooxml import markup
from canceldesk.workbook.ooxml.package import Package
from canceldesk.workbook.ooxml.references import Span


@dataclass(frozen=True)
class Table:
    """Where a table stands; `totals` is how many rows of totals it ends with."""

    top: int
    left: int
    bottom: int
    right: int
    headed: bool
    totals: int

    @property
    def last_data_row(self) -> int:
        """The number of its last row that is not a line of totals."""
        return self.bottom - self.totals


def on(package: Package, part: str) -> Sequence[Table]:
    """The tables on the tab that is this part."""
    found = []
    for arrow in package.relationships(part):
        if arrow.kind == "table" and not arrow.external and package.has(arrow.target):
            described = package.tree(arrow.target)
            span = Span.of(described.get("ref", ""))
            found.append(
                Table(
                    top=span.top,
                    left=span.left,
                    bottom=span.bottom,
                    right=span.right,
                    headed=markup.is_true(described.get("headerRowCount"), default=True),
                    totals=int(described.get("totalsRowCount") or 0),
                )
            )
    return found
