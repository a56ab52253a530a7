"""The list in a workbook file on a disk or a shared folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from lxml import etree

from canceldesk.workbook import editing, locking, markup, reading, saving, text
from canceldesk.workbook.errors import (
    CannotEdit,
    CannotPlace,
    CannotRead,
    ChangedMeanwhile,
    ReadBackDiffers,
)
from canceldesk.workbook.locking import Waiting
from canceldesk.workbook.package import Package
from canceldesk.workbook.protocol import (
    CancellationList,
    ListedRow,
    ListView,
    NewRow,
    RowWritten,
    matches,
)
from canceldesk.workbook.reading import FoundList

_TIMES_TRIED: Final = 5
_NOT_UNDERSTOOD: Final = (ValueError, LookupError, ArithmeticError, etree.LxmlError)
"""What comes of numbers, ranges and XML that no spreadsheet program would write."""


class WorkbookList(CancellationList):
    """The cancellation tab of the workbook at `path` (.xlsx or .xlsm).

    `tab` names the tab (else it is found by its name), `headings` the heading of a field where it
    is an unusual one (see `protocol.FIELDS`). Amounts are read as `currency` (ISO 4217).
    `lock_wait_seconds` is how long to wait for another worker or for a person who has the workbook
    open; `now` and `sleep` are the clock for that. The last `backups` versions are kept beside it.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        tab: str | None = None,
        headings: Mapping[str, str] | None = None,
        currency: str = "USD",
        lock_wait_seconds: float = 10.0,
        backups: int = 5,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.path = Path(path)
        self.tab = tab or None
        self.headings = dict(headings or {})
        self.currency = currency
        self._backups = backups
        self._waiting = Waiting(lock_wait_seconds, now, sleep)

    def read(self) -> ListView:
        """The list as it is now; raises `CannotRead` or `CannotPlace`."""
        data = saving.read(self.path)
        return reading.view(self._found(data, self.currency), self.path, data)

    def add(self, row: NewRow, *, expected_fingerprint: str | None = None) -> RowWritten:
        """Put `row` directly under the heading, save, read back and compare.

        A workbook that a person saves at the same moment is taken as they saved it and the row
        added to that, unless `expected_fingerprint` is given. Raises any `ListError`.
        """
        if not text.normalised(row.name) and not text.normalised(row.phone):
            raise CannotEdit(
                "A row needs the client's name or phone number. Fill in one of them. "
                "Nothing was written."
            )
        path = self.path.resolve()
        saving.read(path)
        with locking.held(path, self._waiting):
            for _ in range(_TIMES_TRIED):
                locking.wait_until_closed(path, self._waiting)
                written = self._try(path, row, expected_fingerprint)
                if written is not None:
                    return written
        raise ChangedMeanwhile(
            f"“{path.name}” was saved by someone else each time the row was about to be added. "
            "It will be tried again."
        )

    def _try(self, path: Path, row: NewRow, expected: str | None) -> RowWritten | None:
        """Add the row once; None when the workbook was changed meanwhile."""
        data = saving.read(path)
        before = reading.fingerprint(data)
        if expected is not None and before != expected:
            raise ChangedMeanwhile(
                f"“{path.name}” was saved by someone else since the desk read it. "
                "It is read again before the row is added."
            )
        found = self._found(data, row.currency)
        plan = _Plan(found, row, before)
        edited = self._edited(found, row)
        saved = saving.replace(
            path,
            edited,
            check=lambda content: self._check(content, row, plan),
            before=before,
            backups=self._backups,
        )
        return self._read_back(path, row, plan, edited) if saved else None

    def _check(self, content: bytes, row: NewRow, plan: _Plan) -> None:
        try:
            plan.check(self._found(content, row.currency))
        except (CannotRead, CannotPlace) as error:
            raise ReadBackDiffers(_nothing_written(row, error.sentence)) from error

    def _read_back(self, path: Path, row: NewRow, plan: _Plan, edited: bytes) -> RowWritten:
        """The proof from the file now in place, which a person may already have saved again."""
        data = saving.read(path)
        after = reading.fingerprint(data)
        if after == reading.fingerprint(edited):
            return RowWritten(plan.row_number, plan.fingerprint, after, plan.row_checked)
        alike = [
            listed for listed in self._found(data, row.currency).listed if matches(listed, row)
        ]
        if len(alike) <= plan.alike_before:
            raise ReadBackDiffers(
                f"The row for {row.name} was added to “{path.name}”, but is not there now. Someone "
                "may have saved an older copy over it: look at the list before going on."
            )
        return RowWritten(alike[0].row_number, plan.fingerprint, after, alike[0])

    def _edited(self, found: FoundList, row: NewRow) -> bytes:
        try:
            return editing.insert(found, row)
        except _NOT_UNDERSTOOD as error:
            raise CannotEdit(
                f"“{self.path.name}” holds something the desk does not understand ({error}), so "
                "nothing was written. Open it in Excel, save it and try again, or add this row "
                "by hand."
            ) from error

    def _found(self, data: bytes, currency: str) -> FoundList:
        try:
            found = reading.find_list(
                data, name=self.path.name, tab=self.tab, overrides=self.headings, currency=currency
            )
            _ = found.listed
        except _NOT_UNDERSTOOD as error:
            raise CannotRead(
                f"“{self.path.name}” holds something the desk does not understand ({error}). "
                "Open it in Excel, let Excel repair it, save it and try again."
            ) from error
        return found


class _Plan:
    """What the list must look like after the row was added, and what it was before."""

    def __init__(self, found: FoundList, new: NewRow, fingerprint: str) -> None:
        before = found.listed
        self.row_number = found.first_row
        self.fingerprint = fingerprint
        self.alike_before = sum(matches(row, new) for row in before)
        self._package = found.file.package
        self._new = new
        self._others = tuple(replace(row, row_number=row.row_number + 1) for row in before)
        self._tabs = [tab.name for tab in found.file.tabs]
        self._row_checked: ListedRow | None = None

    @property
    def row_checked(self) -> ListedRow:
        """The new row as `check` read it."""
        if self._row_checked is None:
            raise ReadBackDiffers(_nothing_written(self._new, "the new file was not read."))
        return self._row_checked

    def check(self, found: FoundList) -> None:
        """Raise `ReadBackDiffers` unless the new file, not yet in place, is as planned."""
        rows = found.listed
        _check_parts(self._package, found.file.package, found.file.name)
        top = rows[0] if rows else None
        if top is None or top.row_number != self.row_number or not matches(top, self._new):
            raise ReadBackDiffers(_nothing_written(self._new, "the new row reads differently."))
        if rows[1:] != self._others or [tab.name for tab in found.file.tabs] != self._tabs:
            raise ReadBackDiffers(_nothing_written(self._new, "other rows would be changed."))
        self._row_checked = top


def _check_parts(before: Package, after: Package, name: str) -> None:
    """Raise `CannotRead` unless every part that was changed is sound XML."""
    for part in before.changed:
        if after.has(part) and not part.casefold().endswith(".vml"):
            markup.check_well_formed(after.read(part), f"“{name}” (part “{part}”)")


def _nothing_written(new: NewRow, why: str) -> str:
    return (
        f"The row for {new.name} was not added, because on checking the new file {why} "
        "The workbook is as it was; add this row by hand."
    )
