"""A worker that goes on after its case was taken over writes nothing of what it has read. A hold
that it may have sent so late is looked for once more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from billsby_sandbox.words import Actor
from canceldesk import clock
from canceldesk.billsby import Subscription
from canceldesk.cases.lease import take
from canceldesk.cases.models import Case, Decision
from canceldesk.cases.services import withdraw
from canceldesk.closing.advance import advance
from canceldesk.closing.models import Watch
from tests.closing.conftest import Desk, due_now
from tests.closing.test_watch import closed_case, kinds, uid
from tests.closing.test_watch_charges import charge


def set_status(desk: Desk, case: Case, word: str) -> None:
    with desk.company.transaction() as books:
        there = books.subscription(uid(case))
        books.amend(Actor.PANEL, "test", there, books.now(), status=word)


def sleep_after(desk: Desk, reading: str, case: Case, meanwhile: Callable[[], object]) -> None:
    """Have a worker fall asleep over what Billsby has just answered, and another take over when
    `meanwhile` has happened.
    """
    honest = getattr(desk.billsby, reading)

    def asleep(*given: Any) -> Any:
        setattr(desk.billsby, reading, honest)
        answer = honest(*given)
        desk.later(minutes=1)
        meanwhile()
        Case.objects.filter(pk=case.pk).update(next_pass_at=clock.now())
        assert advance(case.pk, owner="another")
        return answer

    setattr(desk.billsby, reading, asleep)
    assert advance(case.pk, owner="sleeper") is False


def test_it_resolves_nothing_that_stands(desk: Desk) -> None:
    case = closed_case(desk)
    desk.later(hours=12)
    sleep_after(desk, "subscription", case, lambda: desk.company.panel_activate(uid(case)))
    assert "switched_back_on" in kinds(case)


def test_it_reports_nothing_that_was_put_right(desk: Desk) -> None:
    case = closed_case(desk)
    desk.later(minutes=1)
    set_status(desk, case, "Active")
    sleep_after(desk, "subscription", case, lambda: set_status(desk, case, "Suspended"))
    assert not kinds(case)


def test_it_reports_no_charge_and_no_open_invoice_that_are_none_any_more(desk: Desk) -> None:
    case = closed_case(desk)
    desk.later(minutes=1)
    invoices = [charge(desk, case), charge(desk, case, status="Unpaid")]

    def written_off() -> None:
        with desk.company.transaction() as books:
            for invoice in invoices:
                books.amend(Actor.PANEL, "test", invoice, books.now(), status="WrittenOff")

    sleep_after(desk, "customer_invoices", case, written_off)
    assert not kinds(case)


def test_it_does_not_say_that_a_client_was_cancelled_instead_who_was_not(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    set_status(desk, case, "Cancelled")
    sleep_after(desk, "subscription", case, lambda: set_status(desk, case, "Active"))
    assert not kinds(case)


def test_it_begins_no_watch_of_a_save(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription, decision=Decision.RETAINED)
    honest = desk.billsby.subscription

    def asleep(subscription_id: str) -> Subscription:
        answer = honest(subscription_id)
        desk.later(minutes=1)
        take(case.pk, "another")
        return answer

    desk.billsby.subscription = asleep  # type: ignore[method-assign]
    assert advance(case.pk, owner="sleeper") is False
    assert not Watch.objects.exists()


def taken_over_until_nothing_is_left_to_do(desk: Desk, case: Case) -> None:
    desk.later(minutes=1)
    for _ in range(12):
        if due_now(case):
            desk.advance(case)
        desk.later(seconds=10)
    assert not due_now(case)


def test_a_hold_that_it_sends_long_after_the_case_was_withdrawn_is_given_back(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    original = subscription.next_billing_at.date()

    def withdrawn() -> None:
        withdraw(case, by=desk.agent, because="not_a_cancellation")
        taken_over_until_nothing_is_left_to_do(desk, case)

    desk.sleep_after_going_ahead(case, withdrawn)
    assert desk.company.subscription(subscription.uid).status == "Paused"
    assert due_now(case)
    desk.settle(case)
    there = desk.company.subscription(subscription.uid)
    assert (there.status, there.next_billing_at.date()) == ("Active", original)
    assert case.next_pass_at is None, "nothing is left to do"


def test_who_has_sent_nothing_wakes_nobody(desk: Desk) -> None:
    case = closed_case(desk)
    case.refresh_from_db()
    sleep_after(desk, "subscription", case, lambda: None)
    assert Case.objects.get(pk=case.pk).wake_count == case.wake_count
    assert not due_now(case)
