"""Waking: a case becomes due in the database, and the engine hears of it once that is true."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction
from django.test import TestCase

from canceldesk import clock
from canceldesk.cases import lease as leases
from canceldesk.cases import waking
from canceldesk.cases.models import Case, State
from tests.factories import make_case, make_client, make_subscription

pytestmark = pytest.mark.usefixtures("frozen_clock", "db")


def due_at(*minutes_from_now: int | None) -> list[Case]:
    """Cases whose passes are due in so many minutes; None for never."""
    return [
        make_case(
            next_pass_at=None if minutes is None else clock.now() + dt.timedelta(minutes=minutes)
        )
        for minutes in minutes_from_now
    ]


def due() -> list[Case]:
    return list(waking.due(clock.now()))


def test_waking_makes_a_case_due_counts_it_and_shows_it() -> None:
    (case,) = due_at(60)
    waking.wake(case.pk)
    waking.wake(case.pk)
    case.refresh_from_db()
    assert (case.next_pass_at, case.wake_count, case.version) == (clock.now(), 2, 2)
    assert due() == [case]


def test_many_are_woken_without_a_word_to_the_engine(woken: list[int]) -> None:
    cases, (other,) = due_at(60, None), due_at(60)
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert waking.wake_all(Case.objects.exclude(pk=other.pk)) == 2
    assert woken == []
    assert sorted(case.pk for case in due()) == [case.pk for case in cases]
    assert {(case.wake_count, case.version) for case in due()} == {(1, 1)}


def test_waking_one_case_leaves_the_others_asleep() -> None:
    case, other = due_at(60, 60)
    waking.wake(case.pk)
    other.refresh_from_db()
    assert (other.wake_count, due()) == (0, [case])


@pytest.mark.parametrize("state", State)
def test_a_case_in_any_state_can_be_woken(state: State) -> None:
    case = make_case(state)
    waking.wake(case.pk)
    assert due() == [case]


def test_the_engine_hears_of_it_when_it_is_committed(woken: list[int]) -> None:
    (case,) = due_at(None)
    with TestCase.captureOnCommitCallbacks(execute=True):
        waking.wake(case.pk)
        assert woken == []
    assert woken == [case.pk]


def test_the_engine_hears_nothing_of_what_was_taken_back(woken: list[int]) -> None:
    (case,) = due_at(None)
    with TestCase.captureOnCommitCallbacks(execute=True), transaction.atomic():
        waking.wake(case.pk)
        transaction.set_rollback(True)
    assert woken == []
    assert due() == []


def test_each_woken_case_is_heard_by_its_own_number(woken: list[int]) -> None:
    made = due_at(None, None, None)
    with TestCase.captureOnCommitCallbacks(execute=True):
        for case in made:
            waking.wake(case.pk)
    assert woken == [case.pk for case in made]


def test_what_has_waited_longest_comes_first() -> None:
    late, latest, now, first_of_equals, second_of_equals = due_at(-5, -60, 0, -1, -1)
    assert due() == [latest, late, first_of_equals, second_of_equals, now]


def test_what_is_due_later_or_never_is_left_alone() -> None:
    due_at(1, None)
    assert due() == []


def test_what_somebody_works_on_is_left_alone_until_the_lease_runs_out() -> None:
    (case,) = due_at(-5)
    assert leases.take(case.pk, "one") is not None
    assert due() == []
    clock.advance(leases.LENGTH)
    assert due() == []
    clock.advance(dt.timedelta(microseconds=1))
    assert due() == [case]


def test_what_was_given_back_is_due_again() -> None:
    (case,) = due_at(-5)
    lease = leases.take(case.pk, "one")
    assert lease is not None
    leases.give_back(lease)
    assert due() == [case]


def test_whatever_is_due_can_be_taken_and_whatever_is_taken_is_not_due() -> None:
    made = due_at(-3, -2, -1)
    for case in made:
        assert case in due()
        assert leases.take(case.pk, "one") is not None
        assert case not in due()


def test_open_and_watched_cases_about_the_same_service_are_woken_and_no_others() -> None:
    client = make_client()
    shared, another = make_subscription(client), make_subscription(client)
    ended = make_case(State.WITHDRAWN, client=client, subscriptions=[shared])
    make_case(State.RETAINED, client=client, subscriptions=[shared])
    make_case(State.CLOSED, client=client, subscriptions=[shared])
    since = make_case(client=client, subscriptions=[shared])
    make_case(client=client, subscriptions=[another])
    Case.objects.update(next_pass_at=None)
    tomorrow = clock.now() + dt.timedelta(days=1)
    watched = make_case(State.CLOSED, client=client, subscriptions=[shared])
    make_case(State.CLOSED, client=client, subscriptions=[another])
    make_case(State.RETAINED, client=client, subscriptions=[shared])
    Case.objects.filter(pk__gte=watched.pk).update(next_pass_at=tomorrow)

    waking.wake_others_about(ended)

    assert due() == [since, watched]
