from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from canceldesk import engine
from canceldesk.cases import waking
from canceldesk.engine import queueing
from tests.engine.conftest import cases_queued, queued
from tests.factories import make_case

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
OnCommit = Callable[..., Any]


@pytest.fixture
def listening() -> Iterator[None]:
    engine.listen()
    yield
    waking.case_woken.disconnect(dispatch_uid="engine")


def test_a_case_waits_at_most_once_for_its_pass() -> None:
    assert engine.enqueue(7) is True
    assert engine.enqueue(7) is False
    assert engine.enqueue(8) is True

    assert cases_queued() == [7, 8]


def test_the_queue_carries_nothing_but_the_number_of_the_case() -> None:
    engine.enqueue(7)

    (one,) = queued()
    assert one.input is not None
    assert (one.input["args"], one.input["kwargs"]) == ((7,), {})


def test_every_pass_has_a_limit_below_the_length_of_a_lease() -> None:
    from canceldesk.cases import lease

    engine.enqueue(7)

    (one,) = queued()
    assert one.workflow_timeout_ms is not None
    assert one.workflow_timeout_ms < lease.LENGTH.total_seconds() * 1000


def test_a_refresh_waits_at_most_once() -> None:
    assert queueing.enqueue_refresh() is True
    assert queueing.enqueue_refresh() is False


def test_the_book_is_compared_at_most_once_an_hour() -> None:
    assert queueing.enqueue_comparison(NOON) is True
    assert queueing.enqueue_comparison(NOON + dt.timedelta(minutes=59)) is False


@pytest.mark.django_db
@pytest.mark.usefixtures("listening")
def test_a_woken_case_is_queued_once_that_is_committed(
    django_capture_on_commit_callbacks: OnCommit,
) -> None:
    case = make_case()

    with django_capture_on_commit_callbacks(execute=True):
        waking.wake(case.pk)
        assert cases_queued() == []

    assert cases_queued() == [case.pk]


@pytest.mark.django_db
@pytest.mark.usefixtures("listening")
def test_an_engine_out_of_reach_keeps_nobody_from_working(
    django_capture_on_commit_callbacks: OnCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_reach() -> None:
        raise OSError("no route to the engine")

    monkeypatch.setattr(queueing, "client", out_of_reach)
    case = make_case()

    with django_capture_on_commit_callbacks(execute=True):
        waking.wake(case.pk)

    case.refresh_from_db()
    assert case.next_pass_at is not None


@pytest.mark.django_db
def test_nothing_is_queued_by_a_process_that_does_not_listen(
    django_capture_on_commit_callbacks: OnCommit,
) -> None:
    case = make_case()

    with django_capture_on_commit_callbacks(execute=True):
        waking.wake(case.pk)

    assert cases_queued() == []


def test_a_check_counts_what_is_queued() -> None:
    engine.enqueue(7)
    queueing.enqueue_refresh()

    assert engine.check() == 2
