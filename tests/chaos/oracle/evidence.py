"""What a run left behind, read when it is asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.chaos.oracle.databases import Row
from tests.chaos.oracle.desk import LOG, Desk, Entry, entry_of
from tests.chaos.oracle.journal import Journal
from tests.chaos.oracle.practice import Billsby
from tests.chaos.oracle.sheet import Book
from tests.chaos.oracle.timing import Timing
from tests.chaos.oracle.violation import UnreadableError

DESK_FILE = Path("data") / "canceldesk.sqlite3"


# What was read stays with the one who read it: the folder may change meanwhile.
@dataclass(frozen=True, eq=False)
class Evidence:
    """The folder of a run. `database_url` says where the desk's PostgreSQL is, "" that its
    database is the SQLite file in the folder. `time_zone` and `agent_limit_minor` (hundredths)
    are what the desk was set to.
    """

    folder: Path
    database_url: str = ""
    time_zone: str = "UTC"
    agent_limit_minor: int = 10_000

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.time_zone)

    @cached_property
    def billsby(self) -> Billsby:
        """The practice Billsby's books."""
        return Billsby(self.folder / "billsby.sqlite3")

    @cached_property
    def desk(self) -> Desk:
        """The desk's database."""
        return Desk(self.folder / DESK_FILE, self.database_url)

    @cached_property
    def book(self) -> Book:
        """The workbook as it is now."""
        return Book(self.folder / "list.xlsx")

    @cached_property
    def book_at_start(self) -> Book:
        """The workbook before anything happened."""
        return Book(self.folder / "workbook-at-start.xlsx")

    @cached_property
    def journal(self) -> Journal:
        """What the driver did."""
        return Journal.read(self.folder / "journal.jsonl")

    @cached_property
    def timing(self) -> Timing:
        """When things really happened."""
        return Timing(self.journal, self.desk.log)

    @cached_property
    def log_copies(self) -> list[tuple[str, list[Entry]]]:
        """Copies of the log taken during the run, with their names."""
        paths = sorted(self.folder.glob("log-*.json"))
        return [(path.name, _copy(path)) for path in paths]


def copy_log(database: Path | str, path: Path) -> None:
    """Copy the log as it is now: `database` is an SQLite file or the URL of a PostgreSQL one.

    Raises UnreadableError while the database does not answer.
    """
    desk = Desk(database) if isinstance(database, Path) else Desk(Path(), database)
    rows: list[Row] = desk.rows(LOG)
    path.write_text(json.dumps(rows, default=str), encoding="utf-8")


def _copy(path: Path) -> list[Entry]:
    try:
        return [entry_of(row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, KeyError, TypeError) as problem:
        raise UnreadableError(f"{path.name} is no copy of the log: {problem!r}") from problem
