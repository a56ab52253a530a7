"""The list in a workbook file on a disk or a shared folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Final, TypeVar

from lxml import etree

from canceldesk import go_ahead
from canceldesk.workbook import editing, reading, text
from canceldesk.workbook.errors import (
    CannotEdit,
    CannotPlace,
    CannotRead,
    ChangedMeanwhile,
    ListError,
    ReadBackDiffers,
)
from canceldesk.workbook.gathering import Gathering, Gatherings, Ticket
from canceldesk.workbook.ooxml.strings import SharedStrings
from canceldesk.workbook.protocol import (
    CancellationList,
    ListedRow,
    ListView,
    NewRow,
    RowRemoved,
    RowWritten,
    Unless,
)
from canceldesk.workbook.proving import Adding, Plan, Removing
from canceldesk.workbook.reading import FoundList
from canceldesk.workbook.rows import infile
from canceldesk.workbook.storing import companions, locking, saving
from canceldesk.workbook.storing.locking import Waiting

Read = TypeVar("Read")

_TIMES_TRIED: Final = 5
_NOT_UNDERSTOOD: Final = (ValueError, LookupError, ArithmeticError, etree.LxmlError)
"""What comes of numbers, ranges and XML that no spreadsheet program would write."""
_REFUSALS: Final = (CannotEdit, CannotPlace, ReadBackDiffers)
"""What may be said of one row's values, before anything is put in place."""


@dataclass(frozen=True)
class _Wanted:
    row: NewRow
    expected: str | None
    unless: Unless | None
    go_ahead: go_ahead.Question


_Tickets = Sequence[Ticket[_Wanted, RowWritten]]
_gatherings: Final[Gatherings[_Wanted, RowWritten]] = Gatherings()
_seen: Final[dict[object, ListView]] = {}
"""The list of a file as it was last read, by who asked; it counts only for the very same bytes."""
_MOST_SEEN: Final = 2
_seeing: Final = Lock()


class WorkbookList(CancellationList):
    """The cancellation tab of the workbook at `path` (.xlsx or .xlsm).

    `tab` names the tab (else it is found by its name), `headings` the heading of a field where it
    is an unusual one (see `protocol.FIELDS`). `fill` is text for columns of the company's own, by
    heading, put into each new row. Amounts are read as `currency` (ISO 4217).
    `lock_wait_seconds` is how long to wait for another worker or for a person who has the workbook
    open; `now` and `sleep` are the clock for that. The last `backups` versions are kept beside it.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        tab: str | None = None,
        headings: Mapping[str, str] | None = None,
        fill: Mapping[str, str] | None = None,
        currency: str = "USD",
        lock_wait_seconds: float = 10.0,
        backups: int = 5,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.path = Path(path)
        self.tab = tab or None
        self.headings = dict(headings or {})
        self.fill = dict(fill or {})
        self.currency = currency
        self._backups = backups
        self._waiting = Waiting(lock_wait_seconds, now, sleep)

    def read(self) -> ListView:
        """The list as it is now; raises `CannotRead` or `CannotPlace`."""
        return self._view(saving.read(self.path))

    def _view(self, data: bytes) -> ListView:
        who = (str(self.path), *self._told)
        known = _seen.get(who)
        if known is not None and known.fingerprint == reading.fingerprint(data):
            return known
        view = self._understood(lambda: reading.view(self._found(data), self.path, data))
        with _seeing:
            _seen.pop(who, None)
            while len(_seen) >= _MOST_SEEN:
                del _seen[next(iter(_seen))]
            _seen[who] = view
        return view

    def add(
        self,
        row: NewRow,
        *,
        expected_fingerprint: str | None = None,
        unless: Unless | None = None,
    ) -> RowWritten:
        """Put `row` directly under the heading, save, read back and compare.

        A workbook that a person saves at the same moment is taken as they saved it and the row
        added to that, unless `expected_fingerprint` is given without `unless`, or `unless` says so.
        Rows of several threads that wait for the same workbook are saved together, each above the
        one that came before it. Raises any `ListError`.
        """
        if not text.normalised(row.name) and not text.normalised(row.phone):
            raise CannotEdit(
                "A row needs the client's name or phone number. Fill in one of them. "
                "Nothing was written."
            )
        path = companions.real(self.path)
        saving.read(path)
        wanted = _Wanted(row, expected_fingerprint, unless, go_ahead.question())
        place = (path, self._told, row.currency)
        with _gatherings.at(place) as gathering:
            return gathering.served(wanted, lambda gathered: self._add_those(path, gathered))

    def remove(
        self, row: ListedRow, *, expected_fingerprint: str | None = None, if_alone: bool = False
    ) -> RowRemoved:
        """Take out the line `row` as `read` gave it, save, read back and compare.

        Raises any `ListError`; see `CancellationList.remove`.
        """
        path = companions.real(self.path)
        saving.read(path)
        with locking.held(path, self._waiting):
            for _ in range(_TIMES_TRIED):
                locking.wait_until_closed(path, self._waiting)
                removed = self._try_removing(path, row, expected_fingerprint, if_alone)
                if removed is not None:
                    return removed
        raise _saved_each_time(path)

    @property
    def _told(self) -> tuple[object, ...]:
        named, filled = (tuple(sorted(one.items())) for one in (self.headings, self.fill))
        return (self.tab, named, filled, self.currency)

    def _add_those(self, path: Path, gathered: Gathering[_Wanted, RowWritten]) -> None:
        with locking.held(path, self._waiting):
            locking.wait_until_closed(path, self._waiting)
            tickets = sorted(
                gathered.those_waiting(), key=lambda ticket: ticket.wanted.row.cancelled_on
            )
            self._add_or_tell(path, tickets)

    def _add_or_tell(self, path: Path, tickets: _Tickets) -> None:
        """Add the rows; where that is refused, one by one, so that no row is refused for another's
        values.
        """
        try:
            self._add(path, tickets)
        except ListError as error:
            unserved = [ticket for ticket in tickets if not ticket.served]
            if len(unserved) > 1 and isinstance(error, _REFUSALS):
                for ticket in unserved:
                    self._add_or_tell(path, [ticket])
            else:
                for ticket in unserved:
                    ticket.trouble = error

    def _add(self, path: Path, tickets: _Tickets) -> None:
        for _ in range(_TIMES_TRIED):
            data = saving.read(path)
            before = reading.fingerprint(data)
            for ticket in tickets:
                if ticket.wanted.expected not in (None, before) and not ticket.served:
                    ticket.trouble = self._why_not(path, data, ticket.wanted)
            open_ones = [ticket for ticket in tickets if not ticket.served]
            if not open_ones or self._try_adding(path, data, before, open_ones):
                return
            locking.wait_until_closed(path, self._waiting)
        raise _saved_each_time(path)

    def _why_not(self, path: Path, data: bytes, wanted: _Wanted) -> Exception | None:
        """What keeps a row from being added to another file than was expected, if anything."""
        if wanted.unless is None:
            return _saved_since(path)
        try:
            return _saved_since(path) if wanted.unless(self._view(data)) else None
        except Exception as problem:
            return problem

    def _try_adding(self, path: Path, data: bytes, before: str, tickets: _Tickets) -> bool:
        """Add the rows once; False when the workbook was changed meanwhile."""
        news = [ticket.wanted.row for ticket in tickets]
        found = self._understood(lambda: self._found(data, checking=False))
        plan = Adding(found, news)
        edited = self._edited(lambda: editing.insert(found, news, self.fill))
        if not self._saved(path, edited, before, plan, found, lambda: _still_wanted(tickets)):
            return False
        self._read_back(path, data, edited, plan, tickets)
        return True

    def _read_back(
        self, path: Path, data: bytes, edited: bytes, plan: Adding, tickets: _Tickets
    ) -> None:
        """The proof from the file now in place, which a person may already have saved again."""
        try:
            now = saving.read(path)
            rows: Sequence[ListedRow | None] = plan.rows
            if now != edited:
                earlier = self._understood(lambda: self._found(data).listed)
                rows = plan.found_again(earlier, self._understood(lambda: self._found(now).listed))
        except ListError as error:
            raise _not_seen(path, "added", error) from error
        before, after = reading.fingerprint(data), reading.fingerprint(now)
        for ticket, row in zip(tickets, rows, strict=True):
            if row is None:
                ticket.trouble = _gone_again(path, ticket.wanted.row)
            else:
                ticket.given = RowWritten(row.row_number, before, after, row)

    def _try_removing(
        self, path: Path, row: ListedRow, expected: str | None, if_alone: bool
    ) -> RowRemoved | None:
        """Take the row out once; None when the workbook was changed meanwhile."""
        data = saving.read(path)
        before = reading.fingerprint(data)
        if expected not in (None, before):
            raise _saved_since(path)
        found = self._understood(lambda: self._found(data, checking=False))
        standing = self._understood(lambda: _standing(path, found, row))
        if if_alone:
            self._understood(lambda: infile.check_alone(found, standing.row_number, self.fill))
        plan = Removing(found, standing)
        edited = self._edited(lambda: editing.remove(found, standing.row_number))
        if not self._saved(path, edited, before, plan, found, _assured):
            return None
        try:
            after = reading.fingerprint(saving.read(path))
        except ListError as error:
            raise _not_seen(path, "taken out", error) from error
        return RowRemoved(standing.row_number, before, after, standing)

    def _saved(
        self,
        path: Path,
        edited: bytes,
        before: str,
        plan: Plan,
        found: FoundList,
        still_wanted: Callable[[], bool],
    ) -> bool:
        kept = found.file.kept_strings
        return saving.replace(
            path,
            edited,
            check=lambda content: self._check(content, plan, kept),
            still_wanted=still_wanted,
            before=before,
            backups=self._backups,
        )

    def _check(self, content: bytes, plan: Plan, strings: SharedStrings | None) -> None:
        try:
            self._understood(lambda: plan.check(self._found(content, ours=True, strings=strings)))
        except (CannotRead, CannotPlace) as error:
            raise ReadBackDiffers(plan.nothing_written(error.sentence)) from error

    def _edited(self, edit: Callable[[], bytes]) -> bytes:
        try:
            return edit()
        except _NOT_UNDERSTOOD as error:
            raise CannotEdit(
                f"“{self.path.name}” holds something the desk does not understand ({error}), so "
                "nothing was written. Open it in Excel, save it and try again, or do it by hand."
            ) from error

    def _understood(self, read: Callable[[], Read]) -> Read:
        try:
            return read()
        except _NOT_UNDERSTOOD as error:
            raise CannotRead(
                f"“{self.path.name}” holds something the desk does not understand ({error}). "
                "Open it in Excel, let Excel repair it, save it and try again."
            ) from error

    def _found(
        self,
        data: bytes,
        *,
        checking: bool = True,
        ours: bool = False,
        strings: SharedStrings | None = None,
    ) -> FoundList:
        return reading.find_list(
            data,
            name=self.path.name,
            tab=self.tab,
            overrides=self.headings,
            currency=self.currency,
            checking=checking,
            ours=ours,
            strings=strings,
        )


def _still_wanted(tickets: _Tickets) -> bool:
    """Whether every row may still be written; one that may not is told so and left out."""
    for ticket in tickets:
        try:
            ticket.wanted.go_ahead()
        except Exception as refusal:
            ticket.trouble = refusal
    return not any(ticket.served for ticket in tickets)


def _assured() -> bool:
    go_ahead.assure()
    return True


def _standing(path: Path, found: FoundList, row: ListedRow) -> ListedRow:
    """The line as it stands now: where it was read, else the only one with its values."""
    alike = [listed for listed in found.listed if replace(listed, row_number=row.row_number) == row]
    if row in alike:
        return row
    if len(alike) == 1:
        return alike[0]
    raise ChangedMeanwhile(
        f"“{path.name}” has no line any more that reads as row {row.row_number} did ({row.name}), "
        "or has more than one. Nothing was taken out; look at the list again."
    )


def _not_seen(path: Path, done: str, error: ListError) -> ReadBackDiffers:
    return ReadBackDiffers(
        f"The row was {done} in “{path.name}”, but then the workbook could not be read back: "
        f"{error.sentence.replace(' Nothing was written.', '')} Look at the list before going on."
    )


def _gone_again(path: Path, row: NewRow) -> ReadBackDiffers:
    return ReadBackDiffers(
        f"The row for {row.name} was added to “{path.name}”, but is not there now. Someone may "
        "have saved an older copy over it: look at the list before going on."
    )


def _saved_since(path: Path) -> ChangedMeanwhile:
    return ChangedMeanwhile(
        f"“{path.name}” was saved by someone else since the desk read it. "
        "It is read again before anything is written."
    )


def _saved_each_time(path: Path) -> ChangedMeanwhile:
    return ChangedMeanwhile(
        f"“{path.name}” was saved by someone else each time the desk was about to save it. "
        "It will be tried again."
    )
