"""The main story: a client is suspended, and both halves are read back."""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.test.utils import CaptureQueriesContext

from canceldesk.cases.models import Decision, State, WaitsFor
from canceldesk.closing import services
from canceldesk.closing.models import Hold, Intent, Step
from tests.closing.conftest import Desk


def test_a_clean_client_is_held_listed_and_closed_after_the_click(desk: Desk) -> None:
    _, subscription = desk.client(months_ago=5)
    case = desk.decided(subscription)

    desk.advance(case)
    assert case.state == State.CLOSING
    assert case.waits_for == WaitsFor.PERSON
    assert "Suspended" in case.waits_sentence
    assert not case.attention
    assert desk.company.subscription(subscription.uid).status == "Paused"
    [row] = desk.the_list.rows
    assert (row.name, row.phone) == ("Nora Field", "(202) 555-0143")
    assert (row.cancelled_on, row.months) == (dt.date(2026, 3, 2), 5)
    assert (row.collected_minor, row.reason) == (5 * 9900, "Too expensive")

    desk.company.panel_suspend(subscription.uid)
    desk.advance(case)
    assert case.state == State.CLOSED
    assert case.ended_at is not None
    assert len(desk.the_list.rows) == 1
    states = dict(Step.objects.filter(case=case).values_list("name", "state"))
    assert states == {
        "facts": "done",
        "hold": "done",
        "document": "done",
        "clear": "not_needed",
        "stop": "done",
        "verify": "done",
        "confirm": "not_needed",
    }


def test_passes_can_be_repeated_without_effect(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    for _ in range(4):
        desk.advance(case)
    assert len(desk.the_list.rows) == 1
    assert desk.the_list.written == 1
    assert Hold.objects.count() == 1
    assert len(desk.writes("renewaldate")) == 1


def test_the_hold_keeps_the_date_it_replaced(desk: Desk) -> None:
    _, subscription = desk.client()
    before = subscription.next_billing_at
    case = desk.decided(subscription)
    desk.advance(case)
    hold = Hold.objects.get(scope__case=case)
    assert hold.original_next_billing_at == before
    assert hold.state == Hold.State.HELD
    assert hold.until == dt.date(2026, 3, 2) + dt.timedelta(days=180)


def test_nothing_is_charged_while_the_click_is_awaited(desk: Desk) -> None:
    customer, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    paid = len(desk.company.invoices(customer.uid))
    desk.later(days=45)
    desk.advance(case)
    assert len(desk.company.invoices(customer.uid)) == paid
    assert case.state == State.CLOSING


def test_a_hold_is_renewed_before_it_runs_out(desk: Desk) -> None:
    customer, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    paid = len(desk.company.invoices(customer.uid))
    for _ in range(10):
        desk.later(days=29)
        desk.advance(case)
    assert len(desk.company.invoices(customer.uid)) == paid
    assert Hold.objects.get().until > (desk.company.now() + dt.timedelta(days=30)).date()


def test_two_subscriptions_are_both_stopped_before_the_case_closes(desk: Desk) -> None:
    customer, first = desk.client()
    second = desk.company.add_subscription(customer.uid)
    case = desk.decided(first, second)
    desk.advance(case)
    desk.company.panel_suspend(first.uid)
    desk.advance(case)
    assert case.state == State.CLOSING
    assert second.uid in case.waits_sentence
    desk.company.panel_suspend(second.uid)
    desk.advance(case)
    assert case.state == State.CLOSED
    assert len(desk.the_list.rows) == 1


def test_a_subscription_that_stays_is_not_touched(desk: Desk) -> None:
    customer, leaving = desk.client()
    staying = desk.company.add_subscription(customer.uid)
    before = desk.company.subscription(staying.uid)
    case = desk.decided(leaving)
    desk.advance(case)
    desk.company.panel_suspend(leaving.uid)
    desk.advance(case)
    assert case.state == State.CLOSED
    assert desk.company.subscription(staying.uid) == before


def test_a_full_cancel_is_done_by_the_desk_and_read_back(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription, decision=Decision.CANCEL)
    desk.advance(case)
    assert case.state == State.CLOSED
    assert desk.company.subscription(subscription.uid).status == "Cancelled"
    assert Intent.objects.get(kind="cancel").state == Intent.State.CONFIRMED


def test_the_words_of_the_client_follow_the_reason(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.file(subscription, words="=lost my\n job")
    desk.decide(case, Decision.SUSPEND)
    desk.advance(case)
    assert desk.the_list.rows[0].reason == "Too expensive: =lost my job"


def test_the_case_is_locked_before_its_hold_as_a_pass_does(desk: Desk) -> None:
    """In another order a page and a pass could wait for each other for good."""
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    with CaptureQueriesContext(connection) as asked:
        services.release_hold(case, by=desk.agent, scope=case.scope.get())
    written = [
        query["sql"].split()[1] for query in asked.captured_queries if "UPDATE" in query["sql"]
    ]
    assert written[:2] == ['"cases_case"', '"closing_hold"']
