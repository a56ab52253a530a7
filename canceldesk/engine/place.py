"""Where the engine keeps its queue: a file in the data folder, or the desk's PostgreSQL."""

from __future__ import annotations

import logging
import sqlite3
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSClient
from django.conf import settings

from canceldesk.configuration import reading

NAME = "canceldesk"
VERSION = "1"
SCHEMA = "canceldesk_engine"
# As many as the engine asks again and again. With Python's 128 each connection also kept what it
# deletes by names, a statement for each number of names: up to 3 MB, and growing.
CACHED_STATEMENTS = 32


class _Connection(sqlite3.Connection):
    """Knows `unixepoch('subsec')`, which DBOS uses from Python 3.12 on and SQLite itself only
    from 3.42 on; without it DBOS does not even launch.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - sqlite3's own
        super().__init__(*args, **kwargs)
        if sqlite3.sqlite_version_info < (3, 42):
            self.create_function("unixepoch", -1, _unixepoch)


def _unixepoch(*modifiers: str) -> float:
    now = time.time()
    return now if "subsec" in modifiers else int(now)


def sqlite_file() -> Path:
    """Where the queue is kept beside the desk's SQLite file."""
    return Path(settings.DATA) / "engine.sqlite3"


@lru_cache(maxsize=1)
def _sqlite() -> sa.Engine:
    engine = sa.create_engine(
        f"sqlite:///{sqlite_file()}",
        connect_args={"factory": _Connection, "cached_statements": CACHED_STATEMENTS},
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # As DBOS sets up the SQLite connections it makes itself, and quicker: losing the last
        # moments of the engine in a power cut loses nothing that the sweep does not find.
        connection.isolation_level = "IMMEDIATE"
        connection.execute("PRAGMA busy_timeout=30000")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def place() -> dict[str, Any]:
    """The engine's database, in the form `DBOSConfig` and `DBOSClient` both take it."""
    url = reading.text("DATABASE_URL")
    return {"system_database_url": url} if url else {"system_database_engine": _sqlite()}


@lru_cache(maxsize=1)
def client() -> DBOSClient:
    """The way to the queue. Raises what the database raises when it is not there."""
    quieten()
    return DBOSClient(
        **place(),
        dbos_system_schema=SCHEMA,
        application_name=NAME,
        retry_connection_errors=False,
        system_database_pool_size=2,
    )


def quieten() -> None:
    """Leave DBOS's words to the process's own log instead of a console handler of its own."""
    dbos_log = logging.getLogger("dbos")
    if not dbos_log.handlers:
        dbos_log.addHandler(logging.NullHandler())
    dbos_log.setLevel(logging.WARNING)


def migrate() -> None:
    """Create or update the engine's own tables; a worker's start does it, too."""
    quieten()
    url = reading.text("DATABASE_URL") or f"sqlite:///{sqlite_file()}"
    DBOS.migrate(url, schema=SCHEMA)
