"""Adding one row to a workbook in the cloud: look, do the next missing thing, look again.

Graph has no call that inserts a row of a plain range with its values, takes no condition on what
the workbook holds, and may lose a reply. So nothing is remembered that can be seen: every pass
looks at the whole list, and what an earlier pass left half done (an empty line under the heading,
a line with a part of the row) is completed rather than added again.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Final, NoReturn

from canceldesk.workbook.errors import CannotEdit, CannotRead, ReadBackDiffers
from canceldesk.workbook.graph import cells, composing, looks, seeing, telling, totals
from canceldesk.workbook.graph.cells import Entry
from canceldesk.workbook.graph.problems import (
    Held,
    NotReached,
    OutcomeUnknown,
    Problem,
    SessionLost,
    Throttled,
)
from canceldesk.workbook.graph.seeing import Seen, Wanted
from canceldesk.workbook.graph.sitting import Sitting, named
from canceldesk.workbook.ooxml import references, styles
from canceldesk.workbook.protocol import ListedRow, NewRow, RowWritten, matches
from canceldesk.workbook.rows import filling

PASSING: Final = (Throttled, Held, OutcomeUnknown, NotReached, SessionLost)

_MOST_TRIES: Final = 3
_LOOKS_FOR_A_LATE_ROW: Final = 3
"""After a lost reply: about a quarter of a minute, with the waits between."""
_LEAST_ALIKE: Final = 2


class _Insertion(Enum):
    NONE = "none"
    MAYBE = "maybe"
    MADE = "made"


class Adding:
    """The adding of `row` in one session, from `first`, the list as it was seen before."""

    def __init__(self, sitting: Sitting, wanted: Wanted, row: NewRow, first: Seen) -> None:
        self._sitting = sitting
        self._wanted = wanted
        self._row = row
        self._lowered = 0
        self._first = first
        self._others: Sequence[ListedRow] = first.rows
        self._alike_before = sum(matches(listed, row) for listed in first.rows)
        self._insertion = _Insertion.NONE
        self._insertions = 0
        self._fills = 0
        self._looks_since = 0
        self._wrote = False
        self._as_text = False
        self._rewritten = False
        self._prepared = False
        self._dressed = False

    def run(self) -> RowWritten:
        """Add the row and prove it. Raises the list's errors only."""
        with telling.in_words(self._sitting, self._first.file, "added"):
            self._prepare()
            return self._converged()

    def _converged(self) -> RowWritten:
        seen = self._first
        while True:
            mine = self._mine(seen)
            if mine is not None and not self._to_dress(seen, mine):
                return self._proof(seen, mine)
            try:
                if mine is not None:
                    self._dress(seen, mine)
                else:
                    self._next_step(seen)
            except PASSING as problem:
                self._sitting.recover(problem)
            seen = self._look()

    # -------------------------------------------------------------- before anything is written

    def _prepare(self) -> None:
        """Refuse what cannot be done well, and find how far the headings go down."""
        check_unprotected(self._sitting, self._first)
        table = self._first.table
        columns = self._first.headings.columns.values()
        if table is not None and not (
            table.top <= self._first.first_row
            and all(table.left <= column <= table.right for column in columns)
        ):
            raise CannotEdit(
                f"On “{self._first.file}” a table holds only some of the list's columns or rows. "
                "Make the table as large as the list. Nothing was written."
            )
        if table is None and self._first.is_vacant(self._first.first_row):
            self._lowered = self._merged_rows()
            self._first = self._lower(self._first)
        begun = self._begun(self._first)
        self._others = [row for row in self._first.rows if row.row_number != begun]
        self._entries(self._first)  # refuses columns to be filled that are not there

    def _merged_rows(self) -> int:
        """How many lines under the headings are merged with them: only the file itself tells."""
        try:
            content = self._sitting.content()
            return seeing.merged_rows(content, self._first, self._wanted)
        except CannotRead:
            raise CannotEdit(
                f"The line under the headings of “{self._first.file}” is empty, and whether it "
                "belongs to the headings could not be seen in the file. Delete the empty line in "
                "Excel. Nothing was written."
            ) from None

    def _lower(self, seen: Seen) -> Seen:
        lower = replace(seen.headings, row=seen.headings.row + self._lowered)
        return replace(seen, headings=lower) if self._lowered else seen

    # -------------------------------------------------------------- the steps

    def _look(self) -> Seen:
        return self._lower(seeing.look(self._sitting, self._wanted, self._first))

    def _mine(self, seen: Seen) -> ListedRow | None:
        alike = [listed for listed in seen.rows if matches(listed, self._row)]
        return alike[0] if len(alike) > self._alike_before else None

    def _next_step(self, seen: Seen) -> None:
        marked = self._marked(seen)
        if marked is not None:
            self._write_otherwise(seen, marked)
        elif self._begun(seen) is not None:
            self._fill(seen)
        elif self._wrote and self._misread(seen):
            self._write_otherwise(seen, seen.first_row)
        elif self._may_insert(seen):
            self._insert(seen)
        else:
            self._wait_for_it()

    def _wait_for_it(self) -> NoReturn:
        """Give what was written time to show, in a new session; patience ends it."""
        self._looks_since += 1
        raise OutcomeUnknown(code="notSeen")

    def _begun(self, seen: Seen) -> int | None:
        """The line that an interrupted pass left: the one under the heading, empty or with a part
        of the row, or the row wherever it stands now, but with the marks of typing.
        """
        marked = self._marked(seen)
        if marked is None and (seen.is_vacant(seen.first_row) or self._half_written(seen)):
            return seen.first_row
        return marked

    def _half_written(self, seen: Seen) -> bool:
        top, columns = seen.first_row, seen.headings.columns
        begun = cells.is_beginning_of(seen.line(top), seen.listed(top), self._row, columns)
        filled = filling.by_column(seen, self._wanted.fill)
        return begun and seen.is_vacant(top, besides={*columns.values(), *filled})

    def _marked(self, seen: Seen) -> int | None:
        """Where the row stands with marks of typing that Excel kept."""
        return next(
            (
                listed.row_number
                for listed in seen.rows
                if cells.is_misread(listed, self._row, date1904=seen.date1904)
            ),
            None,
        )

    def _misread(self, seen: Seen) -> bool:
        """Whether the top row is ours with cells that Excel understood in another way."""
        top = seen.listed(seen.first_row)
        alike = sum(same_row(row, top) for row in seen.rows)
        if alike <= sum(same_row(row, top) for row in self._first.rows):
            return False
        equal = (
            top.cancelled_on == self._row.cancelled_on,
            top.collected_minor == self._row.collected_minor,
            top.months == self._row.months,
            top.name.strip() == self._row.name.strip(),
            top.phone.strip() == self._row.phone.strip(),
        )
        return sum(equal) >= _LEAST_ALIKE

    def _may_insert(self, seen: Seen) -> bool:
        """Whether to insert (again). An insertion of unknown outcome is waited for first; in a
        table, whose rows come with their values, it is never made twice: it could double the row.
        """
        if self._insertion is _Insertion.NONE:
            return True
        if seen.table is not None or self._insertions >= _MOST_TRIES:
            return False
        return self._insertion is _Insertion.MADE or self._looks_since >= _LOOKS_FOR_A_LATE_ROW

    def _insert(self, seen: Seen) -> None:
        try:
            if seen.table is None:
                self._insert_line(seen)
            else:
                self._insert_in_table(seen, seen.table)
        except OutcomeUnknown:
            self._inserted(_Insertion.MAYBE, seen)
            raise
        self._inserted(_Insertion.MADE, seen)

    def _inserted(self, how: _Insertion, seen: Seen) -> None:
        self._insertion = how
        self._insertions += 1
        self._looks_since = 0
        self._wrote = self._wrote or seen.table is not None

    def _insert_line(self, seen: Seen) -> None:
        number = seen.first_row
        self._sitting.write(
            "POST",
            f"{named('worksheets', seen.tab_id)}/range(address='{number}:{number}')/insert",
            {"shift": "Down"},
            doing="insert a row",
        )

    def _insert_in_table(self, seen: Seen, table: seeing.Table) -> None:
        entries = self._entries(seen)
        columns = range(table.left, table.right + 1)
        self._sitting.write(
            "POST",
            f"{named('tables', table.id)}/rows/add",
            {
                "index": seen.first_row - table.top,
                "values": [[_value(entries.get(column), formatted=False) for column in columns]],
            },
            doing="add a row to the table",
        )

    def _fill(self, seen: Seen) -> None:
        """Put the values into the line under the heading, after all that is to surround them."""
        model = seen.model(seen.first_row)
        if seen.table is None and model is not None and not self._prepared:
            looks.copy(self._sitting, seen, below=model.row_number, to=seen.first_row)
            totals.take_in(self._sitting, seen)
            self._prepared = True
        if self._fills >= _MOST_TRIES or (self._fills and not self._looks_since):
            self._wait_for_it()
        try:
            self._put(seen, seen.first_row, self._entries(seen))
        except OutcomeUnknown:
            self._filled()
            raise
        self._filled()

    def _filled(self) -> None:
        self._fills += 1
        self._looks_since = 0

    def _write_otherwise(self, seen: Seen, number: int) -> None:
        """Write once more, texts into cells for text."""
        if self._rewritten:
            raise ReadBackDiffers(
                f"The row for {self._row.name} stands in row {number} of “{seen.file}”, but reads "
                "differently from what was written. Put it right there by hand."
            )
        self._as_text = True
        self._put(seen, number, self._entries(seen))
        self._rewritten = True

    def _to_dress(self, seen: Seen, mine: ListedRow) -> bool:
        if self._dressed or self._insertion is _Insertion.NONE or seen.table is None:
            return False
        date = seen.headings.columns["cancelled_on"]
        return not styles.is_date_code(seen.line(mine.row_number).number_format(date))

    def _dress(self, seen: Seen, mine: ListedRow) -> None:
        """Give a table's new row its number formats, where it did not take them over."""
        self._dressed = True
        formats = {
            column: Entry("", entry.number_format) for column, entry in self._entries(seen).items()
        }
        with contextlib.suppress(Problem):
            self._patch(seen, mine.row_number, formats, "numberFormat")

    # -------------------------------------------------------------- cells

    def _entries(self, seen: Seen) -> dict[int, Entry]:
        """What to write, in the way of the topmost row that is not the new one itself."""
        ours = self._begun(seen)
        if ours is None and self._insertion is not _Insertion.NONE:
            ours = seen.first_row
        model = seen.model(ours or 0)
        line = seen.line(model.row_number if model else seen.first_row)
        return composing.entries(seen, self._row, self._wanted.fill, line, as_text=self._as_text)

    def _put(self, seen: Seen, number: int, entries: dict[int, Entry]) -> None:
        """Write the formats, then the values: what a value is taken for depends on its cell's
        format, and whether Graph sets that first within one call is not published.
        """
        self._wrote = True
        self._patch(seen, number, entries, "numberFormat")
        self._patch(seen, number, entries, "values")

    def _patch(self, seen: Seen, number: int, entries: dict[int, Entry], grid: str) -> None:
        """Set cells of one row in one call; Graph leaves alone what is null (page “Working with
        Excel”, null input in a 2-D array).
        """
        left, right = min(entries), max(entries)
        columns = range(left, right + 1)
        of = partial(_value, formatted=True) if grid == "values" else _format
        first, last = references.column_letters(left), references.column_letters(right)
        self._sitting.write(
            "PATCH",
            f"{named('worksheets', seen.tab_id)}/range(address='{first}{number}:{last}{number}')",
            {grid: [[of(entries.get(column)) for column in columns]]},
            doing="write the row",
        )

    # -------------------------------------------------------------- the proof

    def _proof(self, seen: Seen, mine: ListedRow) -> RowWritten:
        """What was read back; refused when another row went missing while ours was written."""
        missing = lost(self._others, seen.rows)
        if missing and len(seen.rows) <= len(self._others):
            raise ReadBackDiffers(
                f"The row for {self._row.name} was added to “{seen.file}”, but the row for "
                f"{missing[0].name} is not there any more. Look at the file's version history in "
                "OneDrive or SharePoint, and bring that row back if nobody deleted it."
            )
        return RowWritten(mine.row_number, self._first.fingerprint, seen.fingerprint, mine)


def check_unprotected(sitting: Sitting, seen: Seen) -> None:
    """Raise `CannotEdit` when the tab is protected: a row might be inserted but not filled."""
    protection = sitting.read(
        f"{named('worksheets', seen.tab_id)}/protection?$select=protected",
        doing="see whether the tab is protected",
    )
    if protection.get("protected"):
        raise CannotEdit(
            f"The tab “{seen.tab}” of “{seen.file}” is protected. Unprotect it in Excel (Review, "
            "Unprotect Sheet). Nothing was written."
        )


def lost(before: Sequence[ListedRow], after: Sequence[ListedRow]) -> list[ListedRow]:
    """The rows that are not in `after` as often as they were in `before`."""
    missing = Counter(map(_key, before)) - Counter(map(_key, after))
    return [row for row in before if missing[_key(row)] > 0]


def _key(row: ListedRow) -> tuple[object, ...]:
    """Everything about a row but where it stands."""
    return (
        row.name,
        row.phone,
        row.cancelled_on,
        row.collected_minor,
        row.months,
        row.reason,
        row.reference,
        tuple(sorted(row.raw.items())),
    )


def same_row(one: ListedRow, other: ListedRow) -> bool:
    """Whether two rows hold exactly the same, wherever they stand."""
    return _key(one) == _key(other)


def _value(entry: Entry | None, *, formatted: bool) -> str | int | float | None:
    return None if entry is None else entry.typed(formatted=formatted)


def _format(entry: Entry | None) -> str | None:
    return None if entry is None else entry.number_format
