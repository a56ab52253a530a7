"""Looking into the desk's database from outside, by SQL: SQLite or PostgreSQL."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.interfaces import Stage

BUSY_SECONDS = 30


class Unreachable(Exception):
    """The database does not answer just now."""


def rows(stage: Stage, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """What a query gives; `%s` stands for a value. Raises Unreachable."""
    try:
        if stage.database_url:
            with psycopg.connect(stage.database_url, connect_timeout=5) as connection:
                return connection.execute(query.encode(), values).fetchall()
        uri = f"file:{stage.desk_file}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as file:
            return file.execute(query.replace("%s", "?"), values).fetchall()
    except (psycopg.OperationalError, sqlite3.OperationalError) as problem:
        if "no such" in str(problem):
            raise
        raise Unreachable(str(problem)) from problem


def copy_log(stage: Stage, target: Path) -> None:
    """Keep the log as it is now, so that later changes of it can be seen. Raises Unreachable."""
    names = ("id", "at", "verb", "by_id", "case_id", "client_id", "data")
    found = rows(stage, f"SELECT {', '.join(names)} FROM cases_logentry ORDER BY id")  # noqa: S608
    kept = [dict(zip(names, row, strict=True)) for row in found]
    for entry in kept:
        if isinstance(entry["data"], str):
            entry["data"] = json.loads(entry["data"])
    target.write_text(json.dumps(kept, default=str), encoding="utf-8")
