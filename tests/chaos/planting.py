"""A copy of a clean run in which tests plant what must never be."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.chaos.oracle import Evidence, Violation, judge

ZONE = "America/New_York"
COLUMNS = {"name": 1, "phone": 2, "date": 3, "total": 4, "months": 5, "reason": 6, "case": 7}

Row = dict[str, Any]


class Planted:
    """The folder of the run; `case` finds people by the client's last name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def violations(self) -> list[Violation]:
        """What the oracle finds."""
        return judge(Evidence(self.folder, time_zone=ZONE))

    # the databases

    def desk(self, query: str, *values: Any) -> list[Row]:
        """Ask or change the desk's database, the log's guard taken away."""
        return _run(self.folder / "data" / "canceldesk.sqlite3", query, values)

    def billsby(self, query: str, *values: Any) -> list[Row]:
        """Ask or change Billsby's books."""
        return _run(self.folder / "billsby.sqlite3", query, values)

    def twin(self, table: str, row: Row, **changes: Any) -> None:
        """Add a copy of a row of the desk's, under a key of its own unless one is given."""
        made = {name: value for name, value in row.items() if name != "id"} | changes
        names, marks = ", ".join(f'"{name}"' for name in made), ", ".join("?" * len(made))
        self.desk(f"INSERT INTO {table} ({names}) VALUES ({marks})", *made.values())  # noqa: S608

    def case(self, last_name: str) -> int:
        """The case of a client."""
        query = (
            "SELECT cases_case.id FROM cases_case JOIN clients_client c ON c.id = client_id "
            "WHERE c.last_name = ?"
        )
        return int(self.desk(query, last_name)[0]["id"])

    def number(self, last_name: str) -> str:
        """What people call the case of a client."""
        return f"C-{self.case(last_name):05d}"

    def subscription(self, last_name: str, place: int = 0) -> str:
        """A client's subscription, the oldest first."""
        query = (
            "SELECT s.uid FROM subscription s JOIN customer c ON c.uid = s.customer_uid "
            "WHERE c.last_name = ? ORDER BY s.id"
        )
        return str(self.billsby(query, last_name)[place]["uid"])

    def entry(self, last_name: str, verb: str) -> Row:
        """The last log entry of a case with a verb."""
        query = "SELECT * FROM cases_logentry WHERE case_id = ? AND verb = ? ORDER BY id DESC"
        return self.desk(query, self.case(last_name), verb)[0]

    def without_copies(self) -> None:
        """Leave no copies of the log that would tell of a change."""
        for path in self.folder.glob("log-*.json"):
            path.unlink()

    def event(self, what: str, subject: str) -> Row:
        """The last event of a kind in Billsby's history, its records read."""
        query = "SELECT * FROM history WHERE what = ? AND subject = ? ORDER BY id DESC"
        found = self.billsby(query, what, subject)[0]
        return found | {side: json.loads(found[side] or "{}") for side in ("before", "after")}

    def happen(self, what: str, who: str, before: Row, after: Row, *, at: str = "") -> None:
        """Add an event to the end of Billsby's history."""
        last = self.billsby("SELECT MAX(at) AS at FROM history")[0]["at"]
        self.billsby(
            'INSERT INTO history (at, who, what, subject, "before", "after") '
            "VALUES (?, ?, ?, ?, ?, ?)",
            at or last,
            who,
            what,
            after.get("number") or after["uid"],
            json.dumps(before) if before else "",
            json.dumps(after),
        )

    def record(self, table: str, key: str, value: str) -> Row:
        """A record of Billsby's as it is now."""
        return self.billsby(f"SELECT * FROM {table} WHERE {key} = ?", value)[0]  # noqa: S608

    # the workbook

    @contextmanager
    def workbook(self) -> Iterator[Workbook]:
        """The workbook, saved afterwards."""
        book = openpyxl.load_workbook(self.folder / "list.xlsx")
        yield book
        book.save(self.folder / "list.xlsx")

    @contextmanager
    def listed(self) -> Iterator[Worksheet]:
        """The tab with the list, saved afterwards."""
        with self.workbook() as book:
            yield book["Cancellations"]

    # the journal

    def note(self, who: str, what: str, **facts: Any) -> None:
        """One more line of the journal."""
        last = self._entries()[-1]["at"]
        entry = {"at": last, "who": who, "what": what, **facts}
        self._keep([*self._entries(), entry])

    def forget(self, is_forgotten: Callable[[Row], bool]) -> None:
        """Take lines out of the journal."""
        self._keep([entry for entry in self._entries() if not is_forgotten(entry)])

    def step_the_clock(self, at: str, seconds: float) -> None:
        """Have the run set the desk's clock at a moment of its own, in UTC without a zone."""
        step = {"at": at, "who": "mischief", "what": "clock", "offset_seconds": seconds}
        self._keep([*self._entries(), step])

    def _entries(self) -> list[Row]:
        text = (self.folder / "journal.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def _keep(self, entries: list[Row]) -> None:
        text = "".join(json.dumps(entry) + "\n" for entry in entries)
        (self.folder / "journal.jsonl").write_text(text, encoding="utf-8")


def row_of(sheet: Worksheet, name: str) -> int:
    """The row of the list with a client's name."""
    for row in range(1, sheet.max_row + 1):
        if sheet.cell(row, COLUMNS["name"]).value == name:
            return row
    raise LookupError(name)


def copied(sheet: Worksheet, row: int, to: int) -> None:
    """Put a copy of a row in at another place."""
    cells = [(cell.value, cell.number_format) for cell in sheet[row]]
    sheet.insert_rows(to)
    for column, (value, number_format) in enumerate(cells, start=1):
        made = sheet.cell(to, column, value)
        made.number_format = number_format


def _run(path: Path, query: str, values: tuple[Any, ...]) -> list[Row]:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.row_factory = sqlite3.Row
        for trigger in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            database.execute(f"DROP TRIGGER {trigger['name']}")
        return [dict(row) for row in database.execute(query, values)]
