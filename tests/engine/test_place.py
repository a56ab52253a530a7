from __future__ import annotations

import logging
import sqlite3
import time
from typing import Any

import pytest

from canceldesk.engine import place


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 45, 0)])
def test_every_sqlite_knows_fractions_of_seconds_where_it_must(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int]
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    connection = place._Connection(":memory:")

    (found,) = connection.execute("SELECT unixepoch()").fetchone()
    connection.close()

    assert abs(found - time.time()) < 5


def test_an_old_sqlite_is_taught_to_count_below_the_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    monkeypatch.setattr(time, "time", lambda: 1795474559.25)
    connection = place._Connection(":memory:")

    (whole, fine) = connection.execute("SELECT unixepoch(), unixepoch('subsec')").fetchone()
    connection.close()

    assert (whole, fine) == (1795474559, 1795474559.25)


def test_the_engine_lives_in_the_data_folder_unless_a_database_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CANCELDESK_DATABASE_URL", raising=False)
    assert place.place() == {"system_database_engine": place._sqlite()}

    monkeypatch.setenv("CANCELDESK_DATABASE_URL", "postgresql://desk@db.example.com/desk")

    assert place.place() == {"system_database_url": "postgresql://desk@db.example.com/desk"}


def test_a_connection_keeps_few_statements_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Told(place._Connection):
        def __init__(self, *args: Any, cached_statements: int, **kwargs: Any) -> None:
            asked.append(cached_statements)
            super().__init__(*args, cached_statements=cached_statements, **kwargs)

    monkeypatch.setattr(place, "_Connection", Told)

    place._sqlite().connect().close()

    assert asked == [place.CACHED_STATEMENTS]


def test_the_engine_keeps_quiet_and_has_no_console_of_its_own() -> None:
    place.quieten()

    log = logging.getLogger("dbos")
    assert not log.isEnabledFor(logging.INFO)
    assert log.isEnabledFor(logging.WARNING)
    assert log.propagate


def test_migrating_twice_changes_nothing() -> None:
    place.migrate()

    assert place.client().list_workflows() == []
