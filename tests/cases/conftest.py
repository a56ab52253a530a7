"""Requests to file, signals to hear, and threads that get in each other's way."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections

from canceldesk.cases import services as cases
from canceldesk.cases import waking
from canceldesk.cases.models import Case, Channel, Reason, Wish
from canceldesk.clients.models import Client
from tests.factories import make_client, make_subscription


@pytest.fixture
def client_record(db: None) -> Client:
    """A client with one active subscription."""
    client = make_client()
    make_subscription(client)
    return client


def file(by: Any, client: Client, **fields: Any) -> Case:
    """File a request for all of a client's subscriptions, with whatever is said otherwise."""
    given: dict[str, Any] = {
        "subscriptions": list(client.subscriptions.all()),
        "wish": Wish.SUSPEND,
        "channel": Channel.CALL,
        "reason": Reason.objects.get(key="too_expensive"),
    }
    return cases.file_request(by=by, client=client, **{**given, **fields})


@pytest.fixture
def woken() -> Iterator[list[int]]:
    """The cases of which the engine hears, in order."""
    heard: list[int] = []

    def hear(*, case_id: int, **_signal: object) -> None:
        heard.append(case_id)

    waking.case_woken.connect(hear)
    yield heard
    waking.case_woken.disconnect(hear)


@pytest.fixture
def contended_database(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """A database for `at_once` and `elsewhere`, whose threads wait for each other as processes
    do. SQLite's in-memory one refuses instead of waiting, so theirs is a copy of it on disk;
    the test's own thread never looks into it.
    """
    if connection.vendor != "sqlite":
        yield
        return
    on_disk = tmp_path / "desk.sqlite3"
    connection.ensure_connection()
    with closing(sqlite3.connect(on_disk)) as copy:
        connection.connection.backup(copy)
    in_memory = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = str(on_disk)
    try:
        yield
    finally:
        connection.settings_dict["NAME"] = in_memory


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Run each action in a thread of its own, all starting together; gives what each returned
    or raised.
    """
    barrier = Barrier(len(actions))

    def run(action: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=10)
            return action()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as threads:
        futures = [threads.submit(run, action) for action in actions]
    return [_outcome(future) for future in futures]


def _outcome(future: Future[Any]) -> Any:
    return future.exception() or future.result()


def elsewhere(action: Callable[[], Any]) -> Any:
    """What one action gives in a thread of its own."""
    (outcome,) = at_once(action)
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
