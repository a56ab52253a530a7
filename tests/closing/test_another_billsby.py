"""For a while it is not the company's Billsby that answers: nothing is found, and nothing of that
means that a client has been deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from billsby_sandbox.company import Company
from canceldesk import clock, outside
from canceldesk.backup import deciding_again
from canceldesk.cases.models import Case, Decision, State
from canceldesk.closing.models import Hold, Step
from tests.closing.conftest import KEY, Desk
from tests.practice import billsby_of

Elsewhere = Callable[[Desk], AbstractContextManager[None]]


@contextmanager
def a_mistyped_domain(desk: Desk) -> Iterator[None]:
    with outside.using(billsby=billsby_of(desk.company, key=KEY, domain="acne")):
        yield


@contextmanager
def another_companys_key(desk: Desk) -> Iterator[None]:
    company = Company.open(":memory:", domain="other", api_key="other_key", clock=clock.now)
    company.add_customer("Sam", "Stranger")
    with outside.using(billsby=billsby_of(company, key="other_key", domain="other")):
        yield
    company.close()


@contextmanager
def a_gateway_without_routes(desk: Desk) -> Iterator[None]:
    desk.company.add_fault("status", "GET", "*", status=404)
    yield
    desk.company.clear_faults()


@pytest.fixture(
    params=[a_mistyped_domain, another_companys_key, a_gateway_without_routes],
    ids=lambda way: way.__name__,
)
def elsewhere(request: pytest.FixtureRequest) -> Elsewhere:
    way: Elsewhere = request.param
    return way


def seen_elsewhere(desk: Desk, case: Case, elsewhere: Elsewhere) -> Case:
    """A pass that reaches the wrong place; an hour later the desk asks the right one again."""
    with elsewhere(desk):
        desk.later(minutes=5)
        desk.advance(case)
    assert "nothing was believed or changed" in case.attention
    desk.later(hours=1)
    return case


@pytest.mark.parametrize("others", [0, 2])
def test_who_still_bills_is_not_taken_for_deleted(
    desk: Desk, elsewhere: Elsewhere, others: int
) -> None:
    for _ in range(others):
        desk.somebody_else()
    _, subscription = desk.client()
    case = desk.settle(desk.decided(subscription))
    seen_elsewhere(desk, case, elsewhere)
    assert case.state == State.CLOSING
    assert Hold.objects.get().state == Hold.State.HELD
    desk.settle(case)
    assert desk.step(case, Step.Name.STOP).state == Step.State.WAITING
    desk.company.panel_suspend(subscription.uid)
    desk.settle(case)
    assert case.state == State.CLOSED


def test_who_is_to_be_cancelled_is_cancelled_after_all(desk: Desk, elsewhere: Elsewhere) -> None:
    _, subscription = desk.client()
    desk.invoice(subscription, 15_000)
    case = desk.settle(desk.decided(subscription, decision=Decision.CANCEL))
    assert desk.step(case, Step.Name.CLEAR).state == Step.State.WAITING
    seen_elsewhere(desk, case, elsewhere)
    assert case.state == State.CLOSING
    desk.settle(case)
    assert desk.step(case, Step.Name.CLEAR).state == Step.State.WAITING, "nobody has approved"
    assert desk.company.subscription(subscription.uid).status != "Cancelled"


def test_who_is_held_for_an_undecided_case_and_stays_has_the_date_back(
    desk: Desk, elsewhere: Elsewhere
) -> None:
    _, subscription = desk.client()
    case = desk.file(subscription)
    desk.later(days=8)
    desk.advance(case)
    seen_elsewhere(desk, case, elsewhere)
    assert Hold.objects.get().state == Hold.State.HELD
    desk.decide(case, Decision.RETAINED)
    desk.settle(case)
    there = desk.company.subscription(subscription.uid)
    assert there.next_billing_at.date() == subscription.next_billing_at.date()
    assert not case.attention


def test_a_decision_to_cancel_is_not_taken_for_carried_out_when_the_desk_is_restored(
    desk: Desk, elsewhere: Elsewhere
) -> None:
    _, subscription = desk.client()
    desk.invoice(subscription, 15_000)
    case = desk.settle(desk.decided(subscription, decision=Decision.CANCEL))
    with elsewhere(desk):
        asked = deciding_again.ask_again()
    assert asked.cases == (case.number,)


def test_a_hiccup_of_a_single_call_is_not_taken_for_a_deleted_client(desk: Desk) -> None:
    desk.somebody_else()
    _, subscription = desk.client()
    case = desk.settle(desk.decided(subscription))
    desk.later(minutes=5)
    for of_theirs in (subscription.uid, case.client.billsby_id):
        desk.company.add_fault("status", "GET", f"*/{of_theirs}", status=404, times=1)
    desk.advance(case)
    assert case.state == State.CLOSING
    assert "found nothing" in case.attention
