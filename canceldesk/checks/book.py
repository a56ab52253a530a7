"""The list as it was read, with what the desk knows of each line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from canceldesk.cases.models import Case, Finding
from canceldesk.checks.matching import Matched
from canceldesk.checks.people import People
from canceldesk.clients.models import Client
from canceldesk.workbook.protocol import ListedRow, ListView


@dataclass(frozen=True)
class Wrong:
    """Something to be reported as a finding."""

    kind: Finding.Kind
    key: str
    sentence: str
    client: Client | None = None
    case: Case | None = None


@dataclass
class Book:
    """One reading of the list, tied to cases and clients."""

    view: ListView
    matched: Matched
    people: People

    def case_of(self, row: ListedRow) -> Case | None:
        """The case a line belongs to."""
        return self.matched.case_of.get(row.row_number)

    def client_of(self, row: ListedRow) -> int | None:
        """The primary key of the client a line is about, None when that is not certain."""
        return self._clients[row.row_number]

    @cached_property
    def _clients(self) -> dict[int, int | None]:
        return {
            row.row_number: case.client_id
            if (case := self.case_of(row))
            else self.people.certain(row)
            for row in self.view.rows
        }
