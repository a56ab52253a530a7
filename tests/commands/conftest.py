"""The command line against a desk in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from canceldesk import engine, processlog
from canceldesk.cli import app
from tests.closing.conftest import Desk, desk

__all__ = ["Desk", "desk"]

Say = Callable[..., Result]


@pytest.fixture(autouse=True)
def _leave_this_process_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command sets up its own process and its log; here that is the test run's."""
    monkeypatch.setattr(processlog, "configure", lambda *_given, **_named: None)
    monkeypatch.setattr(engine, "listen", lambda: None)
    with capture_logs():
        yield


@pytest.fixture
def say() -> Say:
    """Give a command: `say("case", "list")`. Wide, so that no sentence is broken."""

    def run(*arguments: str) -> Result:
        return CliRunner(env={"COLUMNS": "300", "NO_COLOR": "1"}).invoke(app, list(arguments))

    return run


def answer(result: Result) -> Any:
    """What a command said with --json."""
    return json.loads(result.stdout)
