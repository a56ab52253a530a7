from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection

from canceldesk import outside, serving
from canceldesk.clients import refreshing
from canceldesk.clients.models import Refresh
from tests.commands.conftest import Desk, Say, answer


class Serving:
    """Stands for the real serving: notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.prepared = 0
        self.left: list[int] = []

    def serve(self, **how: Any) -> None:
        self.asked.append(how)

    def prepare(self) -> None:
        self.prepared += 1


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Serving:
    stand_in = Serving()
    monkeypatch.setattr(serving, "serve", stand_in.serve)
    monkeypatch.setattr(serving, "prepare", stand_in.prepare)
    monkeypatch.setattr(serving, "leave", stand_in.left.append)
    return stand_in


@pytest.mark.parametrize(
    ("command", "pages", "worker"),
    [("serve", True, True), ("web", True, False), ("worker", False, True)],
)
def test_pages_and_worker_run_together_or_apart(
    say: Say, served: Serving, command: str, *, pages: bool, worker: bool
) -> None:
    assert say(command).exit_code == 0

    assert served.asked == [{"with_pages": pages, "with_worker": worker, "listen": ""}]
    assert (served.prepared, served.left) == (1, [0])


def test_an_address_that_is_taken_ends_the_command_with_a_sentence(
    say: Say, served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(**_how: object) -> None:
        raise serving.CannotListenError("The pages cannot be served on 127.0.0.1:1.")

    monkeypatch.setattr(serving, "serve", taken)

    said = say("serve", "--listen", "127.0.0.1:1")

    assert said.exit_code == 2
    assert "cannot be served" in said.stderr
    assert served.left == []


def test_migrating_is_done_and_said(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[bool] = []
    monkeypatch.setattr(serving, "migrate", lambda: done.append(True))

    said = say("migrate")

    assert done == [True]
    assert "up to date" in said.stdout


def test_the_clients_are_refreshed(desk: Desk, say: Say) -> None:
    desk.client()

    assert answer(say("refresh", "--json")) == {"done": True, "clients": 1}
    assert "1 clients read from Billsby." in say("refresh").stdout


@pytest.mark.django_db
def test_a_refresh_that_failed_says_why(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "billsby", object)
    monkeypatch.setattr(refreshing, "refresh_all", lambda _: Refresh(problem="No answer."))

    said = say("refresh")

    assert said.exit_code == 2
    assert "No answer." in said.stderr


@pytest.mark.django_db
def test_a_desk_without_billsby_says_what_to_fill_in(say: Say) -> None:
    said = say("refresh")

    assert said.exit_code == 2
    assert "Settings → Billsby" in said.stderr


@pytest.mark.django_db
def test_a_database_that_is_not_set_up_is_said_to(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", list)

    said = say("case", "list", "--json")

    assert said.exit_code == 2
    assert "canceldesk migrate" in answer(said)["sentence"]


@pytest.mark.django_db
def test_a_database_out_of_reach_is_said_to(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> list[str]:
        raise DatabaseError("connection refused")

    monkeypatch.setattr(connection.introspection, "table_names", away)

    said = say("case", "list")

    assert said.exit_code == 2
    assert "The database cannot be used: connection refused" in said.stderr
