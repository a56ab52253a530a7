"""The list in a workbook in OneDrive or SharePoint, through Microsoft Graph."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from canceldesk.workbook import text
from canceldesk.workbook.errors import CannotEdit, ChangedMeanwhile
from canceldesk.workbook.graph import place, seeing, telling
from canceldesk.workbook.graph.adding import Adding
from canceldesk.workbook.graph.exchange import Exchange
from canceldesk.workbook.graph.patience import SECONDS, Patience
from canceldesk.workbook.graph.place import Item
from canceldesk.workbook.graph.problems import Problem, Refused
from canceldesk.workbook.graph.removing import Removing
from canceldesk.workbook.graph.seeing import Seen, Wanted
from canceldesk.workbook.graph.sitting import Sitting
from canceldesk.workbook.protocol import (
    CancellationList,
    ListedRow,
    ListView,
    NewRow,
    RowRemoved,
    RowWritten,
    Unless,
)
from canceldesk.workbook.storing import locking
from canceldesk.workbook.storing.locking import Waiting

_UNKNOWN_YET: Final = "the workbook in the cloud"
_NOT_FOUND: Final = 404


class GraphList(CancellationList):
    """The cancellation tab of the workbook that `link` leads to.

    `tab`, `headings`, `fill` and `currency` are as for `WorkbookList`. Workers on this machine take
    turns by a lock in `lock_folder`. One piece of work waits for Microsoft `patience_seconds` at
    most; `now` and `sleep` are the clock for that.
    """

    def __init__(
        self,
        link: str,
        exchange: Exchange,
        *,
        lock_folder: Path,
        tab: str | None = None,
        headings: Mapping[str, str] | None = None,
        fill: Mapping[str, str] | None = None,
        currency: str = "USD",
        patience_seconds: float = SECONDS,
        lock_wait_seconds: float = 5.0,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._link = link
        self._exchange = exchange
        self._wanted = Wanted(tab or None, dict(headings or {}), currency, dict(fill or {}))
        self._lock_folder = lock_folder
        self._patience_seconds = patience_seconds
        self._waiting = Waiting(lock_wait_seconds, now, sleep)
        self._item: Item | None = None

    def read(self) -> ListView:
        """The list as it is now; raises `CannotRead` or `CannotPlace`."""
        with self._errors_of_reading():
            patience = self._patience()
            with Sitting(self._exchange, self._found(patience), patience) as sitting:
                return seeing.look(sitting, self._wanted).view()

    def add(
        self,
        row: NewRow,
        *,
        expected_fingerprint: str | None = None,
        unless: Unless | None = None,
    ) -> RowWritten:
        """Put `row` directly under the heading, read back and compare.

        See `CancellationList.add`. Raises any `ListError`; unless it is `ReadBackDiffers`, nothing
        was written.
        """
        if not text.normalised(row.name) and not text.normalised(row.phone):
            raise CannotEdit(
                "A row needs the client's name or phone number. Fill in one of them. "
                "Nothing was written."
            )
        wanted = replace(self._wanted, currency=row.currency)
        with self._seen_alone(wanted, expected_fingerprint, "added", unless) as (sitting, first):
            return Adding(sitting, wanted, row, first).run()

    def remove(
        self, row: ListedRow, *, expected_fingerprint: str | None = None, if_alone: bool = False
    ) -> RowRemoved:
        """Take out the line `row` as `read` gave it, read back and compare.

        See `CancellationList.remove`; `if_alone` cannot see comments, links and pictures. Raises
        any `ListError`; unless it is `ReadBackDiffers`, nothing was written.
        """
        with self._seen_alone(self._wanted, expected_fingerprint, "removed") as (sitting, first):
            return Removing(sitting, self._wanted, row, first, if_alone=if_alone).run()

    @property
    def acts_as_app(self) -> bool:
        """Whether the desk signs in as its own app rather than for a person."""
        return self._exchange.acts_as_app

    @property
    def _name(self) -> str:
        return self._item.name if self._item else _UNKNOWN_YET

    def _patience(self) -> Patience:
        return Patience(self._patience_seconds, self._waiting.now, self._waiting.sleep)

    def _found(self, patience: Patience) -> Item:
        if self._item is None:
            self._item = place.find(self._exchange, self._link, patience)
        return self._item

    @contextmanager
    def _errors_of_reading(self) -> Iterator[None]:
        try:
            yield
        except Problem as problem:
            raise telling.reading(self._forgetting(problem), self._name) from None

    def _forgetting(self, problem: Problem) -> Problem:
        # A file that was moved to another library is found again by its link.
        if isinstance(problem, Refused) and problem.status == _NOT_FOUND:
            self._item = None
        return problem

    @contextmanager
    def _seen_alone(
        self, wanted: Wanted, expected: str | None, what: str, unless: Unless | None = None
    ) -> Iterator[tuple[Sitting, Seen]]:
        """A session and the list as it is now, with no other worker of this machine writing."""
        try:
            patience = self._patience()
            item = self._found(patience)
            with (
                locking.held(self._lock_folder / Path(item.name).name, self._waiting),
                Sitting(self._exchange, item, patience) as sitting,
            ):
                first = seeing.look(sitting, wanted)
                is_another = expected is not None and first.fingerprint != expected
                if is_another and (unless is None or unless(first.view())):
                    raise ChangedMeanwhile(
                        f"The list in “{item.name}” was changed by someone else since the desk "
                        "read it. It is read again first. Nothing was written."
                    )
                yield sitting, first
        except Problem as problem:
            # `Adding` and `Removing` turn their own problems; these came before them.
            raise telling.nothing_written(self._forgetting(problem), self._name, what) from None
