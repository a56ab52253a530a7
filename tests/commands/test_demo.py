from __future__ import annotations

from pathlib import Path

import pytest

from canceldesk import serving
from canceldesk.demo.practice import CannotStartError
from canceldesk.demo.running import CannotRunError, Demo
from tests.commands.conftest import Say


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    codes: list[int] = []
    monkeypatch.setattr(serving, "leave", codes.append)
    return codes


def test_the_demo_runs_where_and_as_it_is_told(
    say: Say, tmp_path: Path, left: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[Demo] = []

    def run(demo: Demo) -> None:
        ran.append(demo)

    monkeypatch.setattr(Demo, "run", run)

    said = say("demo", "--data", str(tmp_path), "--port", "1", "--billsby-port", "2")

    assert said.exit_code == 0
    assert ran == [Demo(tmp_path, 1, 2)]
    assert left == [0]


def test_starting_over_removes_what_was(
    say: Say, left: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(Demo, "remove", lambda _: done.append("removed"))
    monkeypatch.setattr(Demo, "run", lambda _: done.append("ran"))

    say("demo", "--reset")

    assert done == ["removed", "ran"]


@pytest.mark.parametrize("problem", [CannotRunError("Port taken."), CannotStartError("No answer.")])
def test_a_demo_that_cannot_start_says_why(
    say: Say, left: list[int], monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def run(_demo: Demo) -> None:
        raise problem

    monkeypatch.setattr(Demo, "run", run)

    said = say("demo")

    assert said.exit_code == 2
    assert str(problem) in said.stderr
    assert left == []


def test_stopping_a_demo_that_is_still_starting_is_no_error(
    say: Say, left: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_demo: Demo) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Demo, "run", run)

    assert say("demo").exit_code == 0
