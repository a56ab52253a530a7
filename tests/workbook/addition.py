"""A drawn workbook before and after one row was added."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from canceldesk.workbook.protocol import NewRow
from tests.workbook.everything.looking import Book
from tests.workbook.following import Place, down
from tests.workbook.strategies import Plan


@dataclass(frozen=True)
class Addition:
    """A plan's workbook before and after `new` was added on top of its list."""

    plan: Plan
    new: NewRow
    before_path: Path
    after_path: Path

    @cached_property
    def before(self) -> Book:
        """As it was."""
        return Book(self.before_path)

    @cached_property
    def after(self) -> Book:
        """As it is."""
        return Book(self.after_path)

    @property
    def place(self) -> Place:
        """Where the list was."""
        columns = [self.plan.column(field) for field in self.plan.fields if field]
        plan = self.plan
        return Place(plan.tab, plan.first, plan.last, min(columns), max(columns))


def area_moved(area: str, first: int) -> str:
    """`A1:B2` after plain insertion of the row `first`."""
    return re.sub(r"\d+", lambda match: str(down(int(match[0]), first)), area)
