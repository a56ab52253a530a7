"""Stand-ins for the outside world."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from canceldesk import go_ahead
from canceldesk.workbook.errors import ChangedMeanwhile, ListError, SomethingBeside
from canceldesk.workbook.protocol import (
    ListedRow,
    ListView,
    NewRow,
    RowRemoved,
    RowWritten,
    Unless,
)

HEADING_ROW = 3
COLUMNS = {
    "name": "A",
    "phone": "B",
    "cancelled_on": "C",
    "collected": "D",
    "months": "E",
    "reason": "F",
}


@dataclass
class FakeList:
    """The list in memory, with the protocol's behaviour. `trouble` is raised by the next
    reading or writing; `has_reference` gives it a column for the case number; `at_last_moment`
    happens once between the last question and the writing. `beside` is what people wrote into a
    client's row, in columns the desk does not know, by the client's name. `settles_late` as a list
    in the cloud has it."""

    rows: list[ListedRow] = field(default_factory=list)
    has_reference: bool = False
    trouble: ListError | None = None
    written: int = 0
    removed: int = 0
    after_write: Exception | None = None
    at_last_moment: Callable[[], object] | None = None
    beside: dict[str, str] = field(default_factory=dict)
    settles_late: bool = False

    def read(self) -> ListView:
        self._raise_trouble()
        columns = {**COLUMNS, "reference": "G"} if self.has_reference else dict(COLUMNS)
        return ListView(
            path=Path("list.xlsx"),
            tab="cancellation",
            heading_row=HEADING_ROW,
            headings={key: key.replace("_", " ") for key in columns},
            columns=columns,
            rows=tuple(
                replace(row, row_number=HEADING_ROW + place)
                for place, row in enumerate(self.rows, start=1)
            ),
            fingerprint=self._fingerprint(),
            settles_late=self.settles_late,
        )

    def add(
        self,
        row: NewRow,
        *,
        expected_fingerprint: str | None = None,
        unless: Unless | None = None,
    ) -> RowWritten:
        self._raise_trouble()
        before = self._fingerprint()
        is_another = expected_fingerprint not in {None, before}
        if is_another and (unless is None or unless(self.read())):
            raise ChangedMeanwhile("Somebody saved the workbook meanwhile.")
        self._go_ahead(before)
        self.rows.insert(0, self.listed(row))
        self.written += 1
        if self.after_write is not None:
            problem, self.after_write = self.after_write, None
            raise problem
        return RowWritten(HEADING_ROW + 1, before, self._fingerprint(), self.read().rows[0])

    def remove(
        self, row: ListedRow, *, expected_fingerprint: str | None = None, if_alone: bool = False
    ) -> RowRemoved:
        self._raise_trouble()
        before = self._fingerprint()
        alike = [
            place
            for place, one in enumerate(self.rows)
            if replace(one, row_number=row.row_number) == row
        ]
        where_it_was = row.row_number - HEADING_ROW - 1
        place = where_it_was if where_it_was in alike else next(iter(alike), -1)
        is_certain = place == where_it_was or len(alike) == 1
        if expected_fingerprint not in {None, before} or not is_certain:
            raise ChangedMeanwhile("Somebody saved the workbook meanwhile.")
        if if_alone and row.name in self.beside:
            what = f"“Notes” (H{HEADING_ROW + 1 + place}) holds “{self.beside[row.name]}”"
            raise SomethingBeside(f"There is something beside: {what}.", what=what)
        self._go_ahead(before)
        del self.rows[place]
        self.beside.pop(row.name, None)
        self.removed += 1
        if self.after_write is not None:
            problem, self.after_write = self.after_write, None
            raise problem
        return RowRemoved(HEADING_ROW + 1 + place, before, self._fingerprint(), row)

    def listed(self, row: NewRow) -> ListedRow:
        """The row as it would be read back."""
        return ListedRow(
            row_number=HEADING_ROW + 1,
            name=row.name,
            phone=row.phone,
            cancelled_on=row.cancelled_on,
            collected_minor=row.collected_minor,
            months=row.months,
            reason=row.reason,
            reference=row.reference if self.has_reference else "",
        )

    def put(self, rows: Iterable[NewRow]) -> None:
        """Rows written by hand, below everything else."""
        self.rows.extend(self.listed(row) for row in rows)

    def _go_ahead(self, before: str) -> None:
        go_ahead.assure()
        if self.at_last_moment is not None:
            meanwhile, self.at_last_moment = self.at_last_moment, None
            meanwhile()
        if self._fingerprint() != before:
            raise ChangedMeanwhile("Somebody saved the workbook meanwhile.")

    def _raise_trouble(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    def _fingerprint(self) -> str:
        return hashlib.sha256(repr((self.rows, self.beside)).encode()).hexdigest()
