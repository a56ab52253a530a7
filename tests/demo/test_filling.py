from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from pathlib import Path

import pytest

from billsby_sandbox import seed
from canceldesk import clock, engine
from canceldesk.accounts.models import User
from canceldesk.cases.models import Case, Finding, State
from canceldesk.clients.refreshing import refresh_all
from canceldesk.demo import filling
from canceldesk.demo.filling import DidNotHappenError, Filling
from canceldesk.demo.practice import Practice
from tests.demo.conftest import Town


@pytest.fixture
def a_worker_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the filling waits, time passes and a worker makes the passes that are due."""

    def work(_seconds: float) -> None:
        clock.advance(dt.timedelta(seconds=30))
        engine.run_due(owner="worker")

    monkeypatch.setattr(time, "sleep", work)


@pytest.fixture
def story(
    town: Town, agent: User, manager: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Filling:
    """The filling, with clicks that go to the company in memory."""
    refresh_all(town.billsby)
    monkeypatch.setattr(Practice, "suspend", lambda _, uid: town.company.panel_suspend(uid))
    return Filling(agent, manager, Practice(tmp_path, 1, "key", "secret"))


@pytest.mark.usefixtures("a_worker_runs")
def test_there_is_a_case_in_every_state(story: Filling) -> None:
    story.fill()

    assert Counter(Case.objects.values_list("state", flat=True)) == {
        State.NEW: 2,
        State.RETENTION: 2,
        State.CLOSING: 2,
        State.CLOSED: 2,
        State.RETAINED: 1,
        State.WITHDRAWN: 1,
    }


@pytest.mark.usefixtures("a_worker_runs")
def test_nothing_is_wrong_in_a_fresh_demo(story: Filling) -> None:
    story.fill()

    assert not Finding.objects.exists()


@pytest.mark.usefixtures("a_worker_runs")
def test_the_clients_of_the_first_steps_are_left_free(story: Filling) -> None:
    story.fill()

    taken = set(Case.objects.values_list("client__billsby_id", flat=True))
    assert not taken & {seed.MARA, seed.OWEN, seed.RUTH, seed.IVY, seed.JORDAN_A, seed.JORDAN_B}


def test_a_worker_that_does_nothing_is_noticed(
    story: Filling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "PASSES_TAKE", 0.0)

    with pytest.raises(DidNotHappenError, match="still waits"):
        story.fill()
