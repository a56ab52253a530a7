"""The clicks in Billsby's control panel that a person is asked for."""

from __future__ import annotations

import datetime as dt

import pytest
from pytest_django import DjangoAssertNumQueries

from canceldesk import clock
from canceldesk.cases.models import Case, Decision, State
from canceldesk.clients.models import Subscription
from canceldesk.closing import panel
from canceldesk.closing.models import Hold, Step
from canceldesk.closing.panel import Clicks
from tests.factories import (
    make_case,
    make_click_step,
    make_client,
    make_hold,
    make_step,
    make_subscription,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


def _asked(hold: Hold.State | None = None, **of_hold: object) -> Case:
    case = make_case(State.CLOSING)
    make_click_step(case)
    if hold is not None:
        make_hold(case.scope.get(), hold, **of_hold)
    return case


def _only(case: Case) -> Clicks:
    [clicks] = panel.clicks_for(Case.objects.get(pk=case.pk))
    return clicks


def test_the_clicks_name_the_subscription_and_end_with_suspended() -> None:
    case = _asked()
    clicks = _only(case)
    billsby_id = case.scope.get().subscription.billsby_id
    assert clicks.instructions == (
        "In Billsby, open Subscriptions.",
        f"Search {billsby_id} and click View.",
        "In the menu at the top right choose Update status.",
        "Choose Suspended and confirm.",
    )
    assert clicks.subscription.billsby_id == billsby_id
    assert clicks.status == "Active"
    assert clicks.address == "https://app.billsby.com"


def test_the_address_of_the_control_panel_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANCELDESK_BILLSBY_PANEL_URL", "http://localhost:8080/panel")
    assert _only(_asked()).address == "http://localhost:8080/panel"


@pytest.mark.parametrize("state", [s for s in State if s not in {State.CLOSING, State.CLOSED}])
def test_no_clicks_without_a_closing(state: State) -> None:
    case = make_case(state)
    make_click_step(case)
    assert panel.clicks_for(case) == []


def test_no_clicks_in_a_closed_case() -> None:
    case = make_case(State.CLOSED)
    make_click_step(case)
    assert panel.clicks_for(case) == []


def test_no_clicks_for_a_full_cancel_which_the_desk_does_itself() -> None:
    case = make_case(State.CLOSING, decision=Decision.CANCEL)
    make_click_step(case)
    assert panel.clicks_for(case) == []


def test_no_clicks_before_the_invoices_are_cleared() -> None:
    assert panel.clicks_for(make_case(State.CLOSING)) == []
    case = make_case(State.CLOSING)
    make_step(case, Step.Name.STOP, Step.State.TODO)
    assert panel.clicks_for(case) == []


def test_what_is_stopped_already_is_not_asked_for_again() -> None:
    client = make_client()
    stopped = make_subscription(client, Subscription.Status.SUSPENDED)
    live = make_subscription(client, Subscription.Status.PAUSED, status_raw="")
    case = make_case(State.CLOSING, client=client, subscriptions=[stopped, live])
    make_step(case, Step.Name.STOP, Step.State.WAITING, click=True)
    clicks = _only(case)
    assert clicks.subscription == live
    assert clicks.status == "Paused"


def test_without_a_hold_there_is_nothing_to_release() -> None:
    clicks = _only(_asked())
    assert (clicks.can_release, clicks.is_releasing, clicks.released_until) == (False, False, None)


def test_a_hold_can_be_released_for_the_click() -> None:
    clicks = _only(_asked(Hold.State.HELD))
    assert (clicks.can_release, clicks.is_releasing, clicks.released_until) == (True, False, None)


def test_a_release_that_was_asked_for_is_said() -> None:
    until = clock.now() + dt.timedelta(minutes=15)
    clicks = _only(_asked(Hold.State.RELEASING, release_until=until))
    assert (clicks.can_release, clicks.is_releasing, clicks.released_until) == (False, True, None)


def test_a_lifted_pause_says_until_when() -> None:
    until = clock.now() + dt.timedelta(minutes=15)
    clicks = _only(_asked(Hold.State.RELEASED, release_until=until))
    assert (clicks.can_release, clicks.is_releasing, clicks.released_until) == (False, False, until)
    assert len(clicks.instructions) == 4


def test_where_the_pause_stays_the_person_lifts_it_first() -> None:
    until = clock.now() + dt.timedelta(minutes=15)
    case = _asked(Hold.State.RELEASED, release_until=until)
    Subscription.objects.update(status=Subscription.Status.PAUSED)
    first, *rest = _only(case).instructions
    assert "Change bill date" in first
    assert "until 10:15 AM" in first
    assert len(rest) == 4


def test_prefetched_cases_cost_nothing_more(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    _asked(Hold.State.HELD)
    [case] = Case.objects.prefetch_related("steps", "scope__subscription", "scope__hold")
    with django_assert_num_queries(1):  # the setting of the address
        assert len(panel.clicks_for(case)) == 1
