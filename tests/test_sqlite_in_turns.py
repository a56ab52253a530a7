"""Threads of one process take turns before they ask SQLite for its lock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.db.backends.sqlite3 import base as sqlite
from django.db.transaction import Atomic
from django.db.utils import ConnectionHandler
from pytest_django.plugin import DjangoDbBlocker

from canceldesk.sqlite_in_turns import base

PATIENCE = 30.0


@pytest.fixture
def connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> Iterator[ConnectionHandler]:
    """A file of the test's own; every thread gets a connection of its own to it."""
    options = {
        "transaction_mode": "IMMEDIATE",
        "timeout": PATIENCE,
        "init_command": "PRAGMA journal_mode=WAL;",
    }
    handler = ConnectionHandler(
        {
            "default": {
                "ENGINE": "canceldesk.sqlite_in_turns",
                "NAME": str(tmp_path / "turns.sqlite3"),
                "OPTIONS": options,
            }
        }
    )
    monkeypatch.setattr("django.db.transaction.connections", handler)
    with django_db_blocker.unblock():
        with handler["default"].cursor() as cursor:
            cursor.execute("CREATE TABLE counted (number INTEGER)")
            cursor.execute("INSERT INTO counted VALUES (0)")
        yield handler
        handler.close_all()
    assert not base._turn.locked()


def in_a_transaction() -> Atomic:
    return Atomic("default", savepoint=True, durable=False)


def counted(connection: Any) -> int:
    with connection.cursor() as cursor:
        return int(cursor.execute("SELECT number FROM counted").fetchone()[0])


def count_on(connections: ConnectionHandler) -> None:
    connection = connections["default"]
    try:
        with in_a_transaction():
            number = counted(connection)
            connection.cursor().execute("UPDATE counted SET number = %s", [number + 1])
    finally:
        connection.close()


def test_many_threads_write_and_none_is_lost_or_refused(connections: ConnectionHandler) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: count_on(connections), range(200)))
    assert counted(connections["default"]) == 200


def test_only_one_thread_asks_at_a_time(
    connections: ConnectionHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking, most, guard = [0], [0], threading.Lock()
    begin = sqlite.DatabaseWrapper._start_transaction_under_autocommit  # type: ignore[attr-defined]

    def counted_begin(self: Any) -> None:
        with guard:
            asking[0] += 1
            most[0] = max(most[0], asking[0])
        try:
            begin(self)
        finally:
            with guard:
                asking[0] -= 1

    monkeypatch.setattr(
        sqlite.DatabaseWrapper, "_start_transaction_under_autocommit", counted_begin
    )
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: count_on(connections), range(40)))
    assert most == [1]


def test_a_turn_ends_with_what_went_wrong_in_it(connections: ConnectionHandler) -> None:
    with pytest.raises(ValueError, match="on the way"), in_a_transaction():
        raise ValueError("on the way")
    assert not base._turn.locked()


def test_a_turn_ends_when_the_connection_is_closed_in_it(connections: ConnectionHandler) -> None:
    with in_a_transaction():
        connections["default"].close()
    assert not base._turn.locked()


def test_a_transaction_within_another_takes_no_turn_of_its_own(
    connections: ConnectionHandler,
) -> None:
    with in_a_transaction(), in_a_transaction():
        connections["default"].cursor().execute("UPDATE counted SET number = 7")
    assert counted(connections["default"]) == 7


def test_who_waits_too_long_is_told_as_by_sqlite_itself(connections: ConnectionHandler) -> None:
    connections["default"].settings_dict["OPTIONS"]["timeout"] = 0
    base._turn.acquire()
    try:
        with pytest.raises(OperationalError, match="database is locked"), in_a_transaction():
            pass
    finally:
        base._turn.release()


def test_a_turn_that_sqlite_refuses_is_given_on(connections: ConnectionHandler) -> None:
    other = connections["default"].copy()
    connections["default"].settings_dict["OPTIONS"]["timeout"] = 0
    connections["default"].close()
    other.cursor().execute("BEGIN IMMEDIATE")  # as another process does, without our turn
    try:
        with pytest.raises(OperationalError), in_a_transaction():
            pass
        assert not base._turn.locked()
    finally:
        other.cursor().execute("ROLLBACK")
        other.close()
