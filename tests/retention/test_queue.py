"""The managers' queue: who is charged next comes first."""

from __future__ import annotations

import datetime as dt

import pytest
from pytest_django import DjangoAssertNumQueries

from canceldesk import clock
from canceldesk.cases.models import UNDECIDED_STATES, Case, State
from canceldesk.retention import services as retention
from tests.factories import make_case

pytestmark = pytest.mark.usefixtures("frozen_clock", "db")


def waiting(charged_in_days: float | None, asked_days_ago: float = 1) -> Case:
    now = clock.now()
    return make_case(
        next_charge_at=None
        if charged_in_days is None
        else now + dt.timedelta(days=charged_in_days),
        received_at=now - dt.timedelta(days=asked_days_ago),
    )


def test_who_is_charged_next_comes_first_and_who_is_not_charged_last() -> None:
    later, never, overdue, soon = waiting(9), waiting(None), waiting(-1), waiting(0.5)
    assert list(retention.queue()) == [overdue, soon, later, never]


def test_of_those_charged_together_who_asked_first_comes_first() -> None:
    second, first, third = waiting(3, 2), waiting(3, 5), waiting(3, 1)
    assert list(retention.queue()) == [first, second, third]


def test_of_those_never_charged_who_asked_first_comes_first() -> None:
    second, first = waiting(None, 2), waiting(None, 5)
    assert list(retention.queue()) == [first, second]


def test_of_equals_who_was_filed_first_comes_first() -> None:
    same = [waiting(3) for _ in range(4)]
    assert list(retention.queue()) == same


@pytest.mark.parametrize("state", State)
def test_only_what_nobody_has_decided_is_in_the_queue(state: State) -> None:
    make_case(state)
    assert retention.queue().exists() is (state in UNDECIDED_STATES)


def test_the_queue_costs_the_same_however_long_it_is(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(5):
        waiting(3)
    with django_assert_num_queries(2):
        for case in retention.queue():
            assert (case.client.name, case.reason.label) == ("Nora Field", "Too expensive")
            assert not list(case.attempts.all())
            assert case.filed_by.name
