"""A worker that goes on after its case was taken over writes nothing in the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from billsby_sandbox.words import Actor
from canceldesk import clock
from canceldesk.billsby import Subscription
from canceldesk.cases.lease import take
from canceldesk.cases.models import Case, Decision
from canceldesk.closing.advance import advance
from canceldesk.closing.models import Watch
from tests.closing.conftest import Desk
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
