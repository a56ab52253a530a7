"""What holds could do wrong: each of these once charged somebody, or could have."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from canceldesk import clock
from canceldesk.billsby import CustomerSubscription, SubscriptionStatus
from canceldesk.billsby.errors import NotFound
from canceldesk.cases.models import Case, Decision, LogEntry, State
from canceldesk.cases.services import withdraw
from canceldesk.closing import services, undecided
from canceldesk.closing.advance import advance
from canceldesk.closing.giving_back import next_date
from canceldesk.closing.models import Hold
from canceldesk.configuration import services as configuration
from tests.closing.conftest import Desk, due_now


def charges(desk: Desk, uid: str, since: int = 0) -> int:
    """How many invoices a subscription has had."""
    mine = [i for i in desk.company.invoices() if i.subscription_uid == uid]
    return len(mine) - since


def run_until_days(desk: Desk, case: Case, days: int) -> None:
    """Let the worker do what is due, looking twice a day."""
    for _ in range(days * 2):
        desk.later(hours=12)
        if due_now(case):
            desk.advance(case)


@pytest.mark.parametrize("stage", ["undecided", "closing", "retained"])
@pytest.mark.parametrize("trouble", ["unknown", "gone"])
def test_trouble_with_one_subscription_leaves_the_other_protected(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, stage: str, trouble: str
) -> None:
    customer, odd = desk.client()
    other = desk.company.add_subscription(
        customer.uid, next_billing_at=clock.now() + dt.timedelta(days=10)
    )
    original = other.next_billing_at
    desk.later(days=8)
    case = desk.file(odd, other)
    if stage == "retained":
        desk.advance(case)
        desk.decide(case, Decision.RETAINED)
    if stage == "closing":
        desk.decide(case, Decision.SUSPEND)
    honest = desk.billsby.subscription

    def subscription(subscription_id: str):
        if subscription_id != odd.uid:
            return honest(subscription_id)
        if trouble == "gone":
            raise NotFound("Billsby knows no such subscription.", status=404)
        found = honest(subscription_id)
        return dataclasses.replace(found, status=SubscriptionStatus.UNKNOWN, status_raw="Dormant")

    monkeypatch.setattr(desk.billsby, "subscription", subscription)
    before = charges(desk, other.uid)
    for _ in range(20):
        desk.advance(case)
        desk.later(hours=6)
    there = desk.company.subscription(other.uid)
    if stage == "retained":
        assert there.status == "Active"
        assert charges(desk, other.uid, before) == 1
        assert there.next_billing_at.date() > original.date()
    else:
        assert there.status == "Paused"
        assert charges(desk, other.uid, before) == 0
    assert case.waits_sentence


@pytest.mark.parametrize("placed", [False, True])
def test_an_outdated_original_date_is_never_given_back(desk: Desk, placed: bool) -> None:
    customer, _ = desk.client()
    yearly = desk.company.add_plan("Yearly", amount=120000, unit="Yearly")
    subscription = desk.company.add_subscription(
        customer.uid,
        yearly,
        created_at=clock.now() - dt.timedelta(days=360),
        next_billing_at=clock.now() + dt.timedelta(days=2),
    )
    case = desk.file(subscription)
    desk.company.add_fault("status", "PUT", "*/renewaldate", status=400)
    desk.advance(case)
    desk.later(days=4)
    desk.later(minutes=10)
    desk.company.clear_faults()
    if placed:
        desk.advance(case)
    renewed = desk.company.subscription(subscription.uid).next_billing_at
    withdraw(case, by=desk.agent, because="not_a_cancellation")
    desk.settle(case)
    desk.later(days=32)
    desk.later(minutes=10)
    assert charges(desk, subscription.uid) == 1
    after = desk.company.subscription(subscription.uid)
    assert after.next_billing_at.date() == renewed.date()
    assert after.status == "Active"


@pytest.mark.parametrize("most", ["0", "40"])
def test_a_hold_never_brings_a_charge_nearer(desk: Desk, most: str) -> None:
    desk.company.set_quirk("max_renewal_days", most)
    customer, _ = desk.client()
    far = clock.now() + dt.timedelta(days=335)
    subscription = desk.company.add_subscription(customer.uid, next_billing_at=far)
    case = desk.decided(subscription)
    desk.advance(case)
    assert desk.company.subscription(subscription.uid).next_billing_at.date() == far.date()
    assert not case.attention


def test_switching_holds_off_keeps_the_holds_that_stand(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    desk.advance(case)
    configuration.change("HOLD_FIRST", "no")
    before = charges(desk, subscription.uid)
    run_until_days(desk, case, 200)
    assert charges(desk, subscription.uid, before) == 0


def test_a_date_the_client_agreed_to_is_left_as_it_is(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    desk.advance(case)
    agreed = clock.now() + dt.timedelta(days=90)
    desk.company.panel_change_bill_date(subscription.uid, agreed, pause=True)
    desk.later(hours=7)
    desk.advance(case)
    assert desk.company.subscription(subscription.uid).next_billing_at.date() == agreed.date()
    desk.decide(case, Decision.RETAINED)
    desk.settle(case)
    there = desk.company.subscription(subscription.uid)
    assert there.next_billing_at.date() == agreed.date()
    assert Hold.objects.get().state == Hold.State.RETURNED


def test_an_undecided_client_brought_near_again_is_held_again(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    desk.advance(case)
    desk.company.panel_change_bill_date(subscription.uid, clock.now() + dt.timedelta(days=2))
    desk.later(hours=7)
    desk.advance(case)
    before = charges(desk, subscription.uid)
    desk.later(days=5)
    assert charges(desk, subscription.uid, before) == 0


def test_a_short_hold_is_not_renewed_at_every_look(desk: Desk) -> None:
    desk.company.set_quirk("max_renewal_days", "36")
    configuration.change("HOLD_RENEW_DAYS", "60")
    _, subscription = desk.client()
    case = desk.decided(subscription)
    for _ in range(10):
        desk.advance(case)
        desk.later(seconds=31)
    assert LogEntry.objects.filter(verb="hold.renewed").count() == 0
    before = charges(desk, subscription.uid)
    run_until_days(desk, case, 60)
    assert charges(desk, subscription.uid, before) == 0
    assert LogEntry.objects.filter(verb="hold.renewed").count() <= 5


def test_a_refused_release_leaves_the_hold_and_can_be_asked_again(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    scope = case.scope.get()
    services.release_hold(case, by=desk.agent, scope=scope)
    desk.company.add_fault("status", "PUT", "*/renewaldate", status=400)
    desk.advance(case)
    assert Hold.objects.get().state == Hold.State.HELD
    assert LogEntry.objects.filter(verb="hold.not_released").exists()
    assert "Status until new bill" in case.waits_sentence
    desk.company.clear_faults()
    services.release_hold(case, by=desk.agent, scope=scope)
    desk.advance(case)
    assert desk.company.subscription(subscription.uid).status == "Active"


def test_a_release_asked_for_while_the_hold_is_placed_is_not_forgotten(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.later(days=155)
    scope = case.scope.get()
    honest = desk.billsby.set_renewal_date

    def meanwhile(*args: object, **kwargs: object) -> None:
        desk.billsby.set_renewal_date = honest  # type: ignore[method-assign]
        honest(*args, **kwargs)  # type: ignore[arg-type]
        services.release_hold(case, by=desk.agent, scope=scope)

    desk.billsby.set_renewal_date = meanwhile  # type: ignore[method-assign]
    desk.advance(case)
    desk.advance(case)
    assert Hold.objects.get().state == Hold.State.RELEASED
    assert desk.company.subscription(subscription.uid).status == "Active"


def _killed_before_noting_the_hold(case: Case) -> None:
    """It is placed, and the pass ends before that is noted; its date is far away then."""

    def killed(_work: object) -> None:
        raise SystemExit

    with pytest.MonkeyPatch.context() as dying:
        dying.setattr(undecided, "check_charges", killed)
        with pytest.raises(SystemExit):
            advance(case.pk, owner="worker")
    assert Hold.objects.get().state == Hold.State.INTENDED


def test_a_hold_of_an_undecided_client_is_known_again_after_a_kill(desk: Desk) -> None:
    _, subscription = desk.client()
    original = subscription.next_billing_at
    desk.later(days=8)
    case = desk.file(subscription)
    _killed_before_noting_the_hold(case)
    desk.later(minutes=1)
    desk.advance(case)
    hold = Hold.objects.get()
    assert (hold.state, hold.original_next_billing_at) == (Hold.State.HELD, original)
    assert case.log.filter(verb="hold.placed").count() == 1
    desk.advance(case)
    assert desk.company.subscription(subscription.uid).next_billing_at.date() == hold.until


def test_a_hold_that_a_kill_left_unnoted_is_told_though_a_person_has_suspended_since(
    desk: Desk,
) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    _killed_before_noting_the_hold(case)
    desk.company.panel_suspend(subscription.uid)
    desk.later(minutes=1)
    desk.advance(case)
    desk.advance(case)
    intended, told = case.log.filter(verb__in=["hold.intended", "hold.placed"])
    assert Hold.objects.get().state == Hold.State.OVER
    assert told.data["until"] == intended.data["until"]
    assert told.data["billsby_status"] == "Suspended"


def test_a_hold_that_never_arrived_is_not_told_as_placed(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    desk.company.add_fault("drop_before", "PUT", "*/renewaldate", times=1)
    desk.advance(case)
    desk.company.panel_suspend(subscription.uid)
    desk.later(minutes=1)
    desk.advance(case)
    assert Hold.objects.get().state == Hold.State.OVER
    assert not case.log.filter(verb="hold.placed").exists()


def test_a_release_asked_for_before_a_renewed_hold_is_noted_keeps_its_new_date(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.later(days=155)
    honest = desk.billsby.customer_subscriptions

    def meanwhile(client_id: str) -> list[CustomerSubscription]:
        monkeypatch.setattr(desk.billsby, "customer_subscriptions", honest)
        services.release_hold(case, by=desk.agent, scope=case.scope.get())
        return honest(client_id)

    monkeypatch.setattr(desk.billsby, "customer_subscriptions", meanwhile)
    earlier = Hold.objects.get().until
    desk.advance(case)
    hold = Hold.objects.get()
    assert hold.state in {Hold.State.RELEASING, Hold.State.RELEASED}
    assert hold.until > earlier
    desk.advance(case)
    shown = desk.company.subscription(subscription.uid)
    assert (shown.status, shown.next_billing_at.date()) == ("Active", hold.until)


def test_a_hold_without_an_original_date_is_over_once_a_person_set_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    Hold.objects.update(original_next_billing_at=None)
    Case.objects.filter(pk=case.pk).update(state=State.RETAINED, decision=Decision.RETAINED)
    case.refresh_from_db()
    desk.advance(case)
    assert "Set its bill date" in case.attention
    desk.company.panel_change_bill_date(
        subscription.uid, clock.now() + dt.timedelta(days=9), pause=False
    )
    desk.later(minutes=5)
    desk.advance(case)
    assert not case.attention
    assert Hold.objects.get().state == Hold.State.RETURNED


def test_a_hold_that_lands_late_is_given_back_again(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    desk.advance(case)
    until = Hold.objects.get().until
    desk.decide(case, Decision.RETAINED)
    desk.settle(case)
    desk.billsby.set_renewal_date(subscription.uid, until, pause=True)
    desk.later(hours=12)
    desk.advance(case)
    there = desk.company.subscription(subscription.uid)
    assert there.next_billing_at.date() == subscription.next_billing_at.date()
    assert there.status == "Active"


def test_a_second_case_takes_the_first_ones_hold_over_with_its_original(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    first = desk.file(subscription)
    desk.advance(first)
    withdraw(first, by=desk.agent, because="not_a_cancellation")
    second = desk.file(subscription)
    desk.decide(second, Decision.SUSPEND)
    desk.advance(second)
    desk.advance(first)
    there = desk.company.subscription(subscription.uid)
    assert there.status == "Paused"
    hold = Hold.objects.get(scope__case=second)
    assert hold.original_next_billing_at == subscription.next_billing_at
    assert Hold.objects.get(scope__case=first).state == Hold.State.OVER
    assert second.facts.next_charge_at == subscription.next_billing_at


def test_a_hold_that_is_refused_again_and_again_is_logged_once(desk: Desk) -> None:
    desk.company.add_fault("status", "PUT", "*/renewaldate", status=400)
    _, subscription = desk.client()
    case = desk.decided(subscription)
    for _ in range(5):
        desk.advance(case)
        desk.later(minutes=31)
    assert LogEntry.objects.filter(verb="hold.failed").count() == 1
    assert "may be charged on" in case.attention


@pytest.mark.parametrize(
    ("original", "now", "given"),
    [
        ("2026-03-12T15:00", "2026-03-10T12:00", "2026-03-12"),
        ("2026-03-12T15:00", "2026-03-12T10:00", "2026-03-13"),
        ("2026-03-12T15:00", "2026-03-12T16:00", "2026-04-12"),
        ("2026-03-13T00:30", "2026-03-13T01:00", "2026-04-13"),
        ("2026-01-31T09:00", "2026-02-10T09:00", "2026-02-28"),
        ("2026-01-31T09:00", "2026-03-01T09:00", "2026-03-31"),
    ],
)
def test_the_date_given_back_is_ahead_and_as_near_the_original_as_can_be(
    original: str, now: str, given: str
) -> None:
    moments = [dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC) for text in (original, now)]
    assert next_date(moments[0], moments[1]).isoformat() == given


def test_a_worker_that_slept_is_fenced_off_from_the_hold(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    honest = desk.billsby.subscription

    def asleep(subscription_id: str):
        desk.billsby.subscription = honest  # type: ignore[method-assign]
        found = honest(subscription_id)
        withdraw(case, by=desk.agent, because="not_a_cancellation")
        desk.later(seconds=60)
        assert advance(case.pk, owner="another") is True
        return found

    desk.billsby.subscription = asleep  # type: ignore[method-assign]
    assert advance(case.pk, owner="sleeper") is False
    assert not desk.writes()


def test_a_service_stopped_meanwhile_has_no_date_to_be_given_back(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    desk.advance(case)
    desk.company.panel_suspend(subscription.uid)
    withdraw(case, by=desk.agent, because="not_a_cancellation")
    desk.settle(case)
    assert Hold.objects.get().state == Hold.State.OVER
    assert len(desk.writes("renewaldate")) == 1


def test_a_date_that_billsby_did_not_take_is_given_back_again(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    desk.advance(case)
    desk.decide(case, Decision.RETAINED)
    honest = desk.billsby.set_renewal_date
    desk.billsby.set_renewal_date = lambda *a, **k: None  # type: ignore[method-assign]
    desk.advance(case)
    assert "It tries again" in case.waits_sentence
    assert Hold.objects.get().state == Hold.State.HELD
    desk.billsby.set_renewal_date = honest  # type: ignore[method-assign]
    desk.later(seconds=10)
    desk.advance(case)
    assert Hold.objects.get().state == Hold.State.RETURNED
    there = desk.company.subscription(subscription.uid)
    assert there.next_billing_at.date() == subscription.next_billing_at.date()


@pytest.mark.parametrize(("days", "asked"), [(9, 2), (6, 1)])
def test_a_date_that_has_begun_by_billsbys_clock_is_given_back_a_day_later(
    desk: Desk, days: int, asked: int
) -> None:
    _, subscription = desk.client()
    desk.later(days=days)
    case = desk.file(subscription)
    desk.decide(case, Decision.SUSPEND)
    desk.advance(case)
    services.take_back(case, by=desk.manager, why="They stay")
    desk.decide(case, Decision.RETAINED)
    desk.company.add_fault("status", "PUT", "*/renewaldate", status=400, times=1)
    before = len(desk.writes("renewaldate"))
    desk.advance(case)
    assert len(desk.writes("renewaldate")) - before == asked
    desk.settle(case)
    there = desk.company.subscription(subscription.uid)
    late = dt.timedelta(days=asked - 1)
    assert there.next_billing_at.date() == subscription.next_billing_at.date() + late
