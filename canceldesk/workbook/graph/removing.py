"""Taking one row out of a workbook in the cloud, and proving that only it went."""

from __future__ import annotations

from canceldesk.workbook.errors import ChangedMeanwhile, ReadBackDiffers
from canceldesk.workbook.graph import cells, seeing, telling
from canceldesk.workbook.graph.adding import PASSING, check_unprotected, lost, same_row
from canceldesk.workbook.graph.problems import OutcomeUnknown
from canceldesk.workbook.graph.seeing import Seen, Table, Wanted
from canceldesk.workbook.graph.sitting import Sitting, named
from canceldesk.workbook.protocol import ListedRow, RowRemoved
from canceldesk.workbook.rows import beside
from canceldesk.workbook.rows.beside import Alike, Written


class Removing:
    """The removing of `row` in one session, from `first`, the list as it was seen before.

    With `if_alone` it stays when anything stands beside it that the desk does not put there. A
    deletion of unknown outcome is never made again: it goes by place, and in that
    place there would be another client's row by then.
    """

    def __init__(
        self, sitting: Sitting, wanted: Wanted, row: ListedRow, first: Seen, *, if_alone: bool
    ) -> None:
        self._sitting = sitting
        self._wanted = wanted
        self._row = row
        self._first = first
        self._if_alone = if_alone
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
                if self._if_alone:
                    self._check_alone(seen, target.row_number)
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

    def _check_alone(self, seen: Seen, number: int) -> None:
        line = seen.line(number)
        columns = _deleted_columns(seen, number)
        written = [
            Written(column, cells.shown(line, column, date1904=seen.date1904), formula[1:])
            for column in columns
            if (formula := line.formula(column)) or not cells.is_vacant(line, [column])
        ]
        alike = {cell.column: _alike(seen, number, cell.column) for cell in written if cell.formula}
        stands = beside.cells(seen.headings, number, written, self._wanted.fill, alike)
        beside.refuse(number, seen.file, stands)

    def _delete(self, seen: Seen, number: int) -> None:
        doing = "delete the row"
        table = _table_of(seen, number)
        if table is not None:
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


def _table_of(seen: Seen, number: int) -> Table | None:
    """The table whose row is deleted; without one the whole line of the tab is."""
    return seen.table if seen.table is not None and number >= seen.table.top else None


def _deleted_columns(seen: Seen, number: int) -> range:
    table = _table_of(seen, number)
    if table is None:
        return range(1, len(seen.line(number).values) + 1)
    return range(table.left, table.right + 1)


def _alike(seen: Seen, number: int, column: int) -> list[Alike]:
    """The nearest formulas above and below. In a table that has none, only the table itself can
    tell whether the formula is the column's, and Graph does not: it is taken for that.
    """
    formulas = {row: seen.line(row).formula(column)[1:] for row in range(1, len(seen.lines) + 1)}
    others = [row for row, formula in formulas.items() if formula and row != number]
    if not others and _table_of(seen, number) is not None:
        return [Alike(number, formulas[number])]
    nearest = [max((row for row in others if row < number), default=0)]
    nearest.append(min((row for row in others if row > number), default=0))
    return [Alike(row, formulas[row]) for row in nearest if row]
