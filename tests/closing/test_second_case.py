"""A client who asked before asks again: the earlier case's hold and the new one's are about the
same service, and never undo each other.
"""

from __future__ import annotations

import datetime as dt

import pytest

from billsby_sandbox.records import Subscription as PracticeSubscription
from canceldesk import clock, go_ahead
from canceldesk.billsby.errors import Busy
from canceldesk.cases.models import Case, Decision, Finding, State, Wish
from canceldesk.cases.services import withdraw
from canceldesk.closing import services as closing
from canceldesk.closing.advance import advance
from canceldesk.closing.models import Hold
from canceldesk.configuration import services as configuration
from tests.closing.conftest import Desk, due_now

pytestmark = pytest.mark.django_db


def held_and_retained(desk: Desk, subscription: PracticeSubscription) -> Case:
    case = desk.file(subscription)
    desk.advance(case)
    assert Hold.objects.get(scope__case=case).state == Hold.State.HELD
    desk.decide(case, Decision.RETAINED)
    return desk.settle(case)


def asked_for_good_and_taken_back(desk: Desk, subscription: PracticeSubscription) -> Case:
    """A later request to cancel, held and waiting for a write-off when it comes to nothing."""
    desk.invoice(subscription, 5000)
    case = desk.file(subscription, wish=Wish.CANCEL)
    desk.advance(case)
    desk.decide(case, Decision.CANCEL)
    desk.settle(case)
    closing.take_back(case, by=desk.manager, why="rather stays paused")
    withdraw(case, by=desk.manager, because="changed_mind")
    return case


def withdrawn_within_a_day_of_the_charge(desk: Desk, subscription: PracticeSubscription) -> Case:
    """A case that was held and whose date is still to be given back."""
    desk.later(days=8)
    case = desk.file(subscription)
    desk.advance(case)
    desk.later(days=1, hours=5)
    withdraw(case, by=desk.agent, because="not_a_cancellation")
    return case


def look_after(desk: Desk, *cases: Case, hours: float, every: float = 0.5) -> None:
    for _ in range(int(hours / every)):
        desk.later(hours=every)
        for case in cases:
            case.refresh_from_db()
            if due_now(case):
                desk.advance(case)


def charged_since(desk: Desk, case: Case) -> list[str]:
    return [one.number for one in desk.company.invoices() if one.created_at > case.received_at]


def test_the_watch_over_a_client_who_stayed_leaves_the_next_cases_hold_alone(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8, hours=4)
    stayed = held_and_retained(desk, subscription)
    desk.later(hours=5)
    again = desk.file(subscription)
    desk.advance(again)
    writes = len(desk.writes("renewaldate"))

    look_after(desk, stayed, again, hours=72)

    assert desk.company.subscription(subscription.uid).status == "Paused"
    assert not charged_since(desk, again)
    assert len(desk.writes("renewaldate")) == writes


def test_where_pausing_stops_the_client_who_stayed_once_stays_stopped(desk: Desk) -> None:
    configuration.change("STOP_BY", "pause")
    _, subscription = desk.client()
    desk.later(days=8)
    stayed = held_and_retained(desk, subscription)
    desk.later(hours=3)
    again = desk.decided(subscription)
    desk.settle(again)
    assert again.state == "closed"

    look_after(desk, stayed, again, hours=72)

    assert desk.company.subscription(subscription.uid).status == "Paused"
    assert not charged_since(desk, again)
    assert not Finding.objects.exists()


def test_a_pass_that_gives_a_hold_back_late_is_fenced_off_by_the_next_cases_hold(
    desk: Desk,
) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    first = desk.file(subscription)
    desk.advance(first)
    withdraw(first, by=desk.agent, because="not_a_cancellation")
    honest = desk.billsby.subscription

    def held_again_meanwhile(subscription_id: str):
        desk.billsby.subscription = honest  # type: ignore[method-assign]
        found = honest(subscription_id)
        desk.settle(desk.decided(subscription))
        return found

    desk.billsby.subscription = held_again_meanwhile  # type: ignore[method-assign]
    assert advance(first.pk, owner="late") is False
    assert desk.company.subscription(subscription.uid).status == "Paused"
    assert first.log.filter(verb="hold.returned").count() == 0


def test_a_case_that_relied_on_a_far_date_is_looked_at_when_the_date_is_given_back(
    desk: Desk,
) -> None:
    _, subscription = desk.client()
    desk.later(days=8, hours=4)
    first = desk.file(subscription)
    desk.advance(first)
    desk.later(hours=23, minutes=58)
    withdraw(first, by=desk.agent, because="not_a_cancellation")
    again = desk.file(subscription)
    desk.advance(again)
    assert not due_now(again)

    desk.settle(first)
    look_after(desk, first, again, hours=12, every=0.25)

    assert Hold.objects.get(scope__case=again).state == Hold.State.HELD
    assert not charged_since(desk, again)


def test_a_date_given_back_long_after_its_go_ahead_is_noticed_by_the_case_it_hurts(
    desk: Desk,
) -> None:
    _, subscription = desk.client()
    first = withdrawn_within_a_day_of_the_charge(desk, subscription)
    again: list[Case] = []

    def asked_again() -> None:
        desk.later(minutes=2)
        again.append(desk.decided(subscription))
        desk.settle(again[0])
        desk.not_due_yet(again[0])

    desk.sleep_after_going_ahead(first, asked_again)
    assert desk.company.subscription(subscription.uid).status == "Active"

    again[0].refresh_from_db()
    assert due_now(again[0])
    look_after(desk, first, again[0], hours=36, every=0.25)
    assert not charged_since(desk, again[0])


def test_a_date_given_back_long_after_its_go_ahead_is_told_of_by_a_closed_case_it_starts_again(
    desk: Desk,
) -> None:
    configuration.change("STOP_BY", "pause")
    _, subscription = desk.client()
    first = withdrawn_within_a_day_of_the_charge(desk, subscription)
    again: list[Case] = []

    def asked_again_and_closed() -> None:
        desk.later(minutes=2)
        again.append(desk.settle(desk.decided(subscription)))
        assert again[0].state == State.CLOSED
        assert not due_now(again[0])

    desk.sleep_after_going_ahead(first, asked_again_and_closed)
    assert desk.company.subscription(subscription.uid).status == "Active"

    assert due_now(again[0])
    desk.advance(again[0])
    found = Finding.objects.get(case=again[0])
    assert found.kind == Finding.Kind.SWITCHED_BACK_ON
    assert not charged_since(desk, again[0])


def test_the_date_an_earlier_hold_replaced_is_known_even_when_the_first_call_comes_to_nothing(
    desk: Desk,
) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    first = desk.file(subscription)
    desk.advance(first)
    withdraw(first, by=desk.agent, because="not_a_cancellation")
    again = desk.decided(subscription)
    desk.later(days=3)
    honest = desk.billsby.set_renewal_date

    def busy(*_: object, **__: object) -> None:
        desk.billsby.set_renewal_date = honest  # type: ignore[method-assign]
        go_ahead.assure()
        raise Busy("Billsby is busy.")

    desk.billsby.set_renewal_date = busy  # type: ignore[method-assign]
    desk.advance(again)
    desk.settle(again)

    hold = Hold.objects.get(scope__case=again)
    assert hold.state == Hold.State.HELD
    assert hold.original_next_billing_at == subscription.next_billing_at
    assert hold.original_status == "active"


def test_a_client_stopped_by_pausing_stays_so_when_a_later_request_comes_to_nothing(
    desk: Desk,
) -> None:
    configuration.change("STOP_BY", "pause")
    _, subscription = desk.client()
    stopped = desk.settle(desk.decided(subscription))
    assert stopped.state == "closed"
    desk.later(days=30)
    for_good = asked_for_good_and_taken_back(desk, subscription)

    look_after(desk, stopped, for_good, hours=24 * 40, every=6)

    assert desk.company.subscription(subscription.uid).status == "Paused"
    assert not charged_since(desk, for_good)
    assert not Finding.objects.filter(kind=Finding.Kind.SWITCHED_BACK_ON).exists()


def test_nor_does_a_request_that_was_withdrawn_before_undo_that_stop(desk: Desk) -> None:
    configuration.change("STOP_BY", "pause")
    _, subscription = desk.client()
    desk.later(days=8)
    by_mistake = desk.file(subscription)
    desk.advance(by_mistake)
    withdraw(by_mistake, by=desk.agent, because="not_a_cancellation")
    stopped = desk.settle(desk.decided(subscription))
    assert stopped.state == "closed"
    desk.later(days=30)
    for_good = asked_for_good_and_taken_back(desk, subscription)

    look_after(desk, by_mistake, stopped, for_good, hours=24 * 40, every=6)

    assert desk.company.subscription(subscription.uid).status == "Paused"
    assert not charged_since(desk, for_good)


def test_who_is_paused_and_was_stopped_once_is_not_turned_away(desk: Desk) -> None:
    configuration.change("STOP_BY", "pause")
    _, subscription = desk.client()
    assert desk.settle(desk.decided(subscription)).state == "closed"
    desk.later(days=30)
    soon = clock.now() + dt.timedelta(days=5)
    desk.company.panel_change_bill_date(subscription.uid, soon, pause=True)

    again = desk.settle(desk.decided(subscription))

    assert again.state == "closed"
    look_after(desk, again, hours=24 * 7, every=6)
    assert not charged_since(desk, again)


def test_a_hold_that_billsby_takes_for_less_time_is_held_that_long(desk: Desk) -> None:
    desk.company.set_quirk("max_renewal_days", 60)
    desk.company.set_quirk("beyond_max_renewal", "shortened")
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    desk.advance(case)
    hold = Hold.objects.get()

    assert hold.state == Hold.State.HELD
    assert hold.until == clock.now().date() + dt.timedelta(days=60)
    assert hold.original_next_billing_at == subscription.next_billing_at
    look_after(desk, case, hours=48)
    assert len(desk.writes("renewaldate")) == 1
    desk.decide(case, Decision.RETAINED)
    desk.settle(case)
    assert desk.company.subscription(subscription.uid).status == "Active"


def test_a_shortened_hold_that_was_lifted_for_a_click_is_put_back(desk: Desk) -> None:
    desk.company.set_quirk("max_renewal_days", 60)
    desk.company.set_quirk("beyond_max_renewal", "shortened")
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.settle(case)
    closing.release_hold(case, by=desk.agent, scope=case.scope.get())
    desk.advance(case)
    assert Hold.objects.get().state == Hold.State.RELEASED

    look_after(desk, case, hours=2, every=0.1)

    assert Hold.objects.get().state == Hold.State.HELD
    assert len(desk.writes("renewaldate")) == 3


def test_a_hold_that_never_shows_is_a_persons_business_after_some_tries(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    honest, as_it_is = desk.billsby.set_renewal_date, subscription.next_billing_at.date()
    monkeypatch.setattr(
        desk.billsby, "set_renewal_date", lambda uid, *_, **__: honest(uid, as_it_is, pause=False)
    )
    case = desk.file(subscription)
    desk.advance(case)
    assert not case.attention
    desk.settle(case)
    assert "use Change bill date" in case.attention


@pytest.mark.parametrize(
    ("wish", "is_warned"), [(Wish.SUSPEND, True), (Wish.UNSURE, True), (Wish.CANCEL, False)]
)
def test_a_case_about_what_an_earlier_one_has_suspended_says_that_they_are_listed_already(
    desk: Desk, wish: Wish, is_warned: bool
) -> None:
    _, subscription = desk.client()
    earlier = desk.decided(subscription)
    desk.advance(earlier)
    desk.company.panel_suspend(subscription.uid)
    desk.advance(earlier)
    again = desk.file(subscription, wish=wish)  # from a copy, while Billsby did not answer
    desk.advance(again)
    assert "a person must start it again there." in again.waits_sentence
    told = f"{earlier.number} stopped it before and put the client on the list."
    assert (told in again.waits_sentence) is is_warned
    assert len(desk.the_list.rows) == 1
