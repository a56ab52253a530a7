"""Which database the tests run on: SQLite, or PostgreSQL when the environment asks for it.

CANCELDESK_TEST_DATABASE=postgresql starts a private PostgreSQL for the run. TEST_PG_DSN names a
server to use instead; the workers of a run and the processes that tests start find the private
one by it, too.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.postgres import Cluster, Server

WANTED = "CANCELDESK_TEST_DATABASE"
DSN = "TEST_PG_DSN"
URL = "CANCELDESK_DATABASE_URL"
# Not even read on PostgreSQL, which saves seconds; the run on SQLite sees to it that it is so.
ROOMS_WITHOUT = ("billsby", "billsby_sandbox", "workbook")

_IN_PYTEST_DJANGO = {"db", "transactional_db", "django_db_setup", "live_server"}
# These reach a database through processes of their own.
_MARKERS = ("django_db", "database", "journey", "chaos")


def on_postgresql() -> bool:
    """Whether this run is on PostgreSQL. Raises ValueError when the environment names neither."""
    wanted = os.environ.get(WANTED, "")
    if wanted not in {"", "sqlite", "postgresql"}:
        raise ValueError(f"{WANTED} is {wanted!r}; it takes sqlite or postgresql.")
    return wanted == "postgresql" or (not wanted and bool(os.environ.get(DSN)))


@lru_cache(maxsize=1)
def server() -> Server:
    """The PostgreSQL of this run; the first who asks starts it, and it ends with that process."""
    address = os.environ.get(DSN)
    if address:
        return Server(address)
    cluster = Cluster(Path(os.environ["CANCELDESK_DATA"]))
    cluster.start()
    os.environ[DSN] = cluster.url("postgres")
    return cluster


def worker_database() -> str:
    """The name of the database that this worker of the run has to itself."""
    return f"canceldesk_test_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"


@contextmanager
def database_of_its_own(template: str = "") -> Iterator[str]:
    """An empty database, or a copy of another, for processes that a test starts, as
    CANCELDESK_DATABASE_URL; empty when the run is on SQLite, whose database is a file in the data
    folder.
    """
    if not on_postgresql():
        yield ""
        return
    name = f"canceldesk_own_{uuid4().hex[:12]}"
    server().create(name, template)
    try:
        yield server().url(name)
    finally:
        server().drop(name)


@contextmanager
def migrated_database(data: Path) -> Iterator[str]:
    """As `database_of_its_own`, but as `canceldesk migrate` leaves it, for a desk whose data folder
    is `data`. It is made once a worker and copied, for a third of a second instead of three.
    """
    data.mkdir(parents=True, exist_ok=True)
    made = _migrated()
    for file in made.glob("*.sqlite3*"):
        shutil.copy2(file, data)
    with database_of_its_own(made.name if on_postgresql() else "") as url:
        yield url


@lru_cache(maxsize=1)
def _migrated() -> Path:
    """A data folder for SQLite's files; its name is that of the database on PostgreSQL."""
    folder = Path(os.environ["CANCELDESK_DATA"]) / f"{worker_database()}_migrated"
    url = ""
    if on_postgresql():
        server().drop(folder.name)
        server().create(folder.name)
        atexit.register(server().drop, folder.name)
        url = server().url(folder.name)
    subprocess.run(
        [sys.executable, "-m", "canceldesk", "migrate"],
        env=os.environ | {"CANCELDESK_DATA": str(folder), URL: url},
        check=True,
    )
    return folder


def keep(url: str) -> None:
    """Keep the rows that a database of its own has now, for `bring_back`; in place of any kept
    before.
    """
    with psycopg.connect(url) as connection:
        connection.execute("DROP SCHEMA IF EXISTS kept CASCADE")
        connection.execute("CREATE SCHEMA kept")
        for table in _tables(connection):
            connection.execute(_about("CREATE TABLE {1} AS TABLE {0}", table))
        connection.execute(
            "CREATE TABLE kept.counted_to AS SELECT sequencename, last_value FROM pg_sequences"
            " WHERE schemaname = 'public'"
        )


def bring_back(url: str) -> None:
    """Have a database of its own hold the rows that were kept, whoever uses it. A tenth of the time
    of making the database anew.
    """
    with psycopg.connect(url) as connection:
        # What a killed process left under way must not be committed afterwards.
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        # Without the log's guard, and without asking which row refers to which.
        connection.execute("SET LOCAL session_replication_role = replica")
        for what in ("DELETE FROM {0}", "INSERT INTO {0} TABLE {1}"):
            for table in _tables(connection):
                connection.execute(_about(what, table))
        connection.execute(
            "SELECT setval(format('public.%I', sequencename)::regclass, coalesce(last_value, 1),"
            " last_value IS NOT NULL) FROM kept.counted_to"
        )


def _tables(connection: psycopg.Connection) -> list[str]:
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return [name for (name,) in found]


def _about(what: LiteralString, table: str) -> sql.Composed:
    """A statement about a table and the copy that is kept of it."""
    both = (sql.Identifier(schema, table) for schema in ("public", "kept"))
    return sql.SQL(what).format(*both)


def is_in_room_without(path: Path) -> bool:
    """Whether a file of tests lies in one of the rooms that know no database."""
    return any(Path(__file__).parent / room in [path, *path.parents] for room in ROOMS_WITHOUT)


def uses_database(item: pytest.Item) -> bool:
    """Whether a test touches the desk's database. One that does not say so cannot: pytest-django
    refuses, and other processes are started only by tests with one of the markers.
    """
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(fixtures & _IN_PYTEST_DJANGO) or any(map(item.get_closest_marker, _MARKERS))
