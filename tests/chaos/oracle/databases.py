"""Reading a database by SQL alone, whichever it is, and never writing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.chaos.oracle.violation import UnreadableError

Row = dict[str, Any]


def rows_of_file(path: Path, query: str) -> list[Row]:
    """What a query gives from an SQLite file. Raises UnreadableError."""
    if not path.is_file():
        raise UnreadableError(f"There is no database {path.name}.")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query)]
    except sqlite3.Error as problem:
        raise UnreadableError(f"{path.name} cannot be read: {problem}") from problem


def rows_at_url(url: str, query: str) -> list[Row]:
    """What a query gives from PostgreSQL. Raises UnreadableError."""
    import psycopg
    from psycopg.rows import dict_row

    try:
        with psycopg.connect(url, row_factory=dict_row) as database:
            database.read_only = True
            # The queries are constants of this package; psycopg's types want them literal.
            return database.execute(query.encode()).fetchall()
    except psycopg.Error as problem:
        raise UnreadableError(f"The desk's database cannot be read: {problem}") from problem
