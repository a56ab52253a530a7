"""Taking one row out of a workbook in the cloud, and proving that only it went."""

from __future__ import annotations

from canceldesk.workbook.errors import ChangedMeanwhile, ReadBackDiffers
from canceldesk.workbook.graph import seeing, telling
from canceldesk.workbook.graph.adding import PASSING, check_unprotected, lost, same_row
from canceldesk.workbook.graph.problems import OutcomeUnknown
from canceldesk.workbook.graph.seeing import Seen, Wanted
from canceldesk.workbook.graph.sitting import Sitting, named
from canceldesk.workbook.protocol import ListedRow, RowRemoved


class Removing:
    """The removing of `row` in one session, from `first`, the list as it was seen before.

    A deletion of unknown outcome is never made again: it goes by place, and in that place there
    would be another client's row by then.
    """

    def __init__(self, sitting: Sitting, wanted: Wanted, row: ListedRow, first: Seen) -> None:
        self._sitting = sitting
        self._wanted = wanted
        self._row = row
        self._first = first
        self._alike_before = self._alike(first)

    def run(self) -> RowRemoved:
        """Take the row out. Raises the list's errors only."""
        with telling.in_words(self._sitting, self._first.file, "removed"):
            target = self._target(self._first)
            check_unprotected(self._sitting, self._first)
            return self._converged(target)

    def _converged(self, target: ListedRow) -> RowRemoved:
        seen = self._first
        while self._alike(seen) >= self._alike_before:
            try:
                if self._sitting.maybe_changed:
                    raise OutcomeUnknown(code="stillThere")
                target = self._target(seen)
                self._delete(seen, target.row_number)
            except PASSING as problem:
                self._sitting.recover(problem)
            seen = seeing.look(self._sitting, self._wanted, self._first)
        return self._proof(seen, target)

    def _alike(self, seen: Seen) -> int:
        return sum(same_row(listed, self._row) for listed in seen.rows)

    def _target(self, seen: Seen) -> ListedRow:
        """The row where it was read, or, when lines were put above it, where it now stands."""
        alike = [listed for listed in seen.rows if same_row(listed, self._row)]
        there = [listed for listed in alike if listed.row_number == self._row.row_number]
        if there:
            return there[0]
        if len(alike) == 1:
            return alike[0]
        what = "no row" if not alike else "more than one row"
        raise ChangedMeanwhile(
            f"“{seen.file}” has been changed since the row for {self._row.name} was read, and "
            f"{what} is exactly that one now. Read the list again. Nothing was written."
        )

    def _delete(self, seen: Seen, number: int) -> None:
        doing = "delete the row"
        table = seen.table
        if table is not None and number >= table.top:
            index = number - table.top
            path = f"{named('tables', table.id)}/rows/itemAt(index={index})"
            self._sitting.write("DELETE", path, None, doing=doing)
        else:
            path = f"{named('worksheets', seen.tab_id)}/range(address='{number}:{number}')/delete"
            self._sitting.write("POST", path, {"shift": "Up"}, doing=doing)

    def _proof(self, seen: Seen, target: ListedRow) -> RowRemoved:
        missing = [row for row in lost(self._first.rows, seen.rows) if not same_row(row, self._row)]
        if missing and len(seen.rows) < len(self._first.rows) - 1:
            raise ReadBackDiffers(
                f"The row for {self._row.name} was removed from “{seen.file}”, but the row for "
                f"{missing[0].name} is not there any more, either. Look at the file's version "
                "history in OneDrive or SharePoint, and bring that row back if nobody deleted it."
            )
        return RowRemoved(target.row_number, self._first.fingerprint, seen.fingerprint, target)
