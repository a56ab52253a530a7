"""Chores that live give signs, and only those that have stopped giving them are let go of."""

from __future__ import annotations

import datetime as dt
import queue
import threading
from typing import Any

import pytest
import sqlalchemy.exc

from canceldesk import clock, outside
from canceldesk.clients.models import Refresh
from canceldesk.engine import housekeeping, place, queueing, signs
from canceldesk.engine.queueing import CHORES
from canceldesk.engine.signs import LOOKS, ChoreWatch
from tests.engine.conftest import queued, rewrite
from tests.fakes import FakeList

PATIENCE = 20


def queued_refresh() -> str:
    """The name of a refresh that waits for a worker."""
    assert queueing.enqueue_refresh() is True
    return queued(CHORES)[0].workflow_id


def taken_by_another_machine() -> None:
    """A worker of another machine takes everything that waits."""
    rewrite(status="PENDING", executor_id="another-machine")


def give_sign(chore: str, number: int) -> None:
    place.client().update_workflow_attributes(chore, {"signs": number})


def looks(watch: ChoreWatch, count: int) -> list[int]:
    return [watch.let_go_of_silent() for _ in range(count)]


# ------------------------------------------------------------------ giving them


class Given(queue.Queue[int]):
    """The signs of one chore as they are given; the first ones are lost while it `is_away`."""

    is_away = 0

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self._give = place.client().update_workflow_attributes
        monkeypatch.setattr(place.client(), "update_workflow_attributes", self._note)
        monkeypatch.setattr(signs, "SIGN_SECONDS", 0.01)

    def _note(self, chore: str, attributes: dict[str, Any]) -> None:
        if self.is_away:
            self.is_away -= 1
            raise sqlalchemy.exc.OperationalError("UPDATE", None, Exception("server closed"))
        self._give(chore, attributes)
        self.put(attributes["signs"])


def test_a_chore_gives_signs_of_life_until_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    chore, given = queued_refresh(), Given(monkeypatch)

    with signs.giving(chore):
        assert [given.get(timeout=PATIENCE) for _ in range(3)] == [0, 1, 2]

    assert not [one for one in threading.enumerate() if one.name == "signs"]
    last = 2
    while not given.empty():
        last = given.get()
    assert queued(CHORES)[0].attributes == {"signs": last}


def test_a_chore_that_breaks_gives_no_more_signs() -> None:
    with pytest.raises(RuntimeError), signs.giving(queued_refresh()):
        raise RuntimeError

    assert not [one for one in threading.enumerate() if one.name == "signs"]


def test_a_sign_that_could_not_be_given_is_followed_by_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chore, given = queued_refresh(), Given(monkeypatch)
    given.is_away = 2

    with signs.giving(chore):
        assert given.get(timeout=PATIENCE) == 2


# ------------------------------------------------------------------ missing them


def test_a_chore_of_a_machine_that_died_is_let_go_of_within_a_few_minutes() -> None:
    give_sign(queued_refresh(), 7)
    taken_by_another_machine()
    assert queueing.enqueue_refresh() is False

    assert looks(ChoreWatch(), LOOKS) == [0, 0, 0, 1]

    assert queueing.enqueue_refresh() is True
    assert LOOKS * housekeeping.TIDY_SECONDS + signs.SIGN_SECONDS < 300


def test_a_chore_that_gives_signs_is_never_let_go_of_however_long_it_takes() -> None:
    chore, watch = queued_refresh(), ChoreWatch()
    taken_by_another_machine()
    for number in range(3 * LOOKS):
        give_sign(chore, number)
        assert watch.let_go_of_silent() == 0


def test_a_sign_at_the_last_moment_is_soon_enough() -> None:
    chore, watch = queued_refresh(), ChoreWatch()
    taken_by_another_machine()
    for number in range(3):
        give_sign(chore, number)
        assert looks(watch, LOOKS - 1) == [0] * (LOOKS - 1)


def test_while_the_engine_is_away_nobody_is_thought_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise sqlalchemy.exc.OperationalError("SELECT", None, Exception("server closed"))

    chore, watch = queued_refresh(), ChoreWatch()
    give_sign(chore, 1)
    taken_by_another_machine()
    looks(watch, LOOKS - 2)
    with monkeypatch.context() as patch:
        patch.setattr(signs, "client", away)
        for _ in range(LOOKS):
            with pytest.raises(sqlalchemy.exc.OperationalError):
                watch.let_go_of_silent()

    assert watch.let_go_of_silent() == 0
    give_sign(chore, 2)
    assert watch.let_go_of_silent() == 0


def test_a_chore_of_an_older_version_which_gives_no_signs_is_left_to_its_time_limit() -> None:
    queued_refresh()
    taken_by_another_machine()

    assert looks(ChoreWatch(), 3 * LOOKS) == [0] * 3 * LOOKS


def test_what_waits_for_a_worker_is_left_alone() -> None:
    give_sign(queued_refresh(), 1)

    assert looks(ChoreWatch(), 2 * LOOKS) == [0] * 2 * LOOKS


def test_passes_are_left_to_their_own_limit() -> None:
    queueing.enqueue(7)
    give_sign(queued()[0].workflow_id, 1)
    taken_by_another_machine()

    assert looks(ChoreWatch(), 2 * LOOKS) == [0] * 2 * LOOKS


@pytest.mark.django_db
@pytest.mark.usefixtures("frozen_clock")
def test_what_was_let_go_of_is_asked_for_again_by_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outside, "billsby", object)
    monkeypatch.setattr(outside, "the_list", FakeList)
    now = clock.now()
    Refresh.objects.create(started_at=now, ended_at=now)
    assert housekeeping.compare_if_due() is True
    Refresh.objects.create(started_at=now)
    assert housekeeping.refresh_if_due() is True
    for one in queued(CHORES):
        give_sign(one.workflow_id, 1)
    taken_by_another_machine()

    assert looks(ChoreWatch(), LOOKS)[-1] == 2

    assert housekeeping.refresh_if_due() is True
    clock.advance(dt.timedelta(hours=1))
    assert housekeeping.compare_if_due() is True
