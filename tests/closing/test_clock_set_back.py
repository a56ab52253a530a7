"""A machine's clock is set back: nobody waits for a time that was written down by the wrong one."""

from __future__ import annotations

import datetime as dt

import pytest

from canceldesk import clock
from canceldesk.cases.models import Case, Decision
from canceldesk.closing import clock_set_back, services
from canceldesk.closing.models import Hold, Intent, Watch
from canceldesk.workbook.errors import InUse
from tests.closing.conftest import Desk, due_now

HOUR = dt.timedelta(hours=1)


def set_back(by: dt.timedelta = HOUR) -> None:
    clock.advance(-by)


def test_a_case_that_waited_for_the_click_is_looked_at_at_once(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.company.panel_suspend(subscription.uid)
    set_back()
    assert not due_now(case)

    assert clock_set_back.was_before()
    assert clock_set_back.put_right() == 1

    assert due_now(case)
    desk.advance(case)
    assert case.state == "closed"


def test_what_was_sent_is_not_waited_for_longer_than_it_may_take(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.company.add_fault("drop_before", "DELETE", "*", times=1)
    case = desk.decided(subscription, decision=Decision.CANCEL)
    desk.advance(case)
    set_back()
    clock_set_back.put_right()
    intent = Intent.objects.get(case=case, kind=Intent.Kind.CANCEL)
    assert intent.is_settling

    desk.settle(case)

    assert case.state == "closed"


def test_a_hold_that_was_sent_is_not_waited_for_longer_than_it_may_take(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.company.add_fault("drop_before", "PUT", "*", times=5)
    case = desk.decided(subscription)
    desk.advance(case)
    set_back()
    clock_set_back.put_right()
    assert Hold.objects.get().may_still_arrive

    desk.later(minutes=1)

    assert not Hold.objects.get().may_still_arrive


def test_a_lifted_pause_is_put_back_in_time(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    services.release_hold(case, by=desk.agent, scope=case.scope.get())
    desk.advance(case)
    until = Hold.objects.get().release_until
    assert until is not None
    set_back()

    clock_set_back.put_right()

    lifted = Hold.objects.get().release_until
    assert lifted is not None
    assert lifted - clock.now() == until - (clock.now() + HOUR)


def test_what_lies_in_the_past_stays_as_it_is(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    sent_at = Intent.objects.get(case=case).sent_at
    clock.advance(HOUR)
    set_back(dt.timedelta(minutes=1))

    clock_set_back.put_right()

    assert Intent.objects.get(case=case).sent_at == sent_at


def test_what_is_still_to_be_done_for_a_case_that_has_ended_is_done_at_once(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription, decision=Decision.CANCEL)
    desk.settle(case)
    desk.the_list.trouble = InUse("Pat has the workbook open.", by="Pat")
    services.take_off_list(case, by=desk.manager, why="a mistake")
    desk.advance(case)
    desk.the_list.trouble = None
    set_back()

    assert clock_set_back.put_right() == 1

    desk.advance(case)
    assert not desk.the_list.rows


def test_cases_that_have_ended_wait_for_their_watch_as_before(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription, decision=Decision.CANCEL)
    desk.settle(case)
    planned = Case.objects.get().next_pass_at
    desk.later(hours=2)
    set_back()

    assert clock_set_back.put_right() == 0

    assert Case.objects.get().next_pass_at == planned


@pytest.mark.parametrize("decision", [Decision.CANCEL, Decision.RETAINED])
def test_a_watch_planned_by_a_clock_far_ahead_is_not_waited_for(
    desk: Desk, decision: Decision
) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription, decision=decision)
    desk.settle(case)
    set_back(30 * 24 * HOUR)

    assert clock_set_back.put_right() == 1

    assert due_now(case)


@pytest.mark.parametrize("decision", [Decision.CANCEL, Decision.RETAINED])
def test_a_watch_that_a_clock_ahead_has_ended_goes_on_to_its_own_end(
    desk: Desk, decision: Decision
) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription, decision=decision)
    desk.settle(case)
    began = clock.now()
    clock.advance(365 * 24 * HOUR)
    desk.advance(case)
    assert Watch.objects.get().result == Watch.Result.CLEAN
    set_back(clock.now() - began)

    clock_set_back.put_right()

    assert due_now(case)
    desk.advance(case)
    watch = Watch.objects.get()
    assert (watch.result, watch.checked_at) == (Watch.Result.WATCHING, clock.now())
    assert watch.ends_at is not None
    clock.advance(watch.ends_at - clock.now())
    desk.advance(case)
    assert Watch.objects.get().result == Watch.Result.CLEAN


def test_a_watch_that_has_ended_in_its_own_time_stays_over(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription, decision=Decision.RETAINED)
    desk.settle(case)
    desk.later(days=31)
    desk.advance(case)
    assert Watch.objects.get().result == Watch.Result.CLEAN
    desk.later(hours=2)
    set_back()

    clock_set_back.put_right()

    assert Watch.objects.get().result == Watch.Result.CLEAN


@pytest.mark.parametrize(
    ("by", "is_noticed"), [(clock_set_back.TOLERATED, False), (dt.timedelta(seconds=31), True)]
)
def test_the_log_tells_that_the_clock_was_set_back_while_nothing_ran(
    desk: Desk, by: dt.timedelta, *, is_noticed: bool
) -> None:
    _, subscription = desk.client()
    desk.decided(subscription)
    set_back(by)
    assert clock_set_back.was_before() is is_noticed


def test_entries_that_came_since_do_not_hide_it(desk: Desk) -> None:
    _, first = desk.client()
    _, second = desk.client("Ada", "Later")
    desk.decided(first)
    set_back()
    desk.decided(second)
    assert clock_set_back.was_before()


def test_a_desk_without_a_log_was_never_set_back(desk: Desk) -> None:
    assert not clock_set_back.was_before()
