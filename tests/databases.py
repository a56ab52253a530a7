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
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

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
        server().drop(_kept(name))


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
    """Keep how a database of its own is now, for `bring_back`; nobody may be using it."""
    name = urlsplit(url).path[1:]
    server().drop(_kept(name))
    server().create(_kept(name), template=name)


def bring_back(url: str) -> None:
    """Have a database of its own be again as it was kept, whoever uses it."""
    name = urlsplit(url).path[1:]
    server().drop(name)
    server().create(name, template=_kept(name))


def _kept(name: str) -> str:
    return f"{name}_kept"


def is_in_room_without(path: Path) -> bool:
    """Whether a file of tests lies in one of the rooms that know no database."""
    return any(Path(__file__).parent / room in [path, *path.parents] for room in ROOMS_WITHOUT)


def uses_database(item: pytest.Item) -> bool:
    """Whether a test touches the desk's database. One that does not say so cannot: pytest-django
    refuses, and other processes are started only by tests with one of the markers.
    """
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(fixtures & _IN_PYTEST_DJANGO) or any(map(item.get_closest_marker, _MARKERS))
