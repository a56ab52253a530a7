"""Giving a date back, and after it: what Billsby makes of the date is Billsby's own, even if it
happens to be the day that the hold had been to.
"""

from __future__ import annotations

import datetime as dt

import pytest

from billsby_sandbox.records import Subscription as PracticeSubscription
from canceldesk import clock
from canceldesk.cases.models import Case, Decision
from canceldesk.closing import trouble
from canceldesk.closing.models import Hold
from canceldesk.configuration import services as configuration
from tests.closing.conftest import Desk


def a_service(desk: Desk, *, every: int, unit: str) -> PracticeSubscription:
    """A service that is charged tomorrow."""
    began = clock.now() - dt.timedelta(days=360)
    customer = desk.company.add_customer("Nora", "Field", created_at=began)
    return desk.company.add_subscription(
        customer.uid,
        desk.company.add_plan(amount=120_000, frequency=every, unit=unit),
        created_at=began,
        next_billing_at=clock.now() + dt.timedelta(days=1),
    )


def stayed(desk: Desk, subscription: PracticeSubscription) -> Case:
    """A client who was held and stays, and has their date back."""
    case = desk.file(subscription)
    desk.advance(case)
    assert desk.company.subscription(subscription.uid).status == "Paused"
    desk.later(hours=1)
    desk.decide(case, Decision.RETAINED)
    return desk.settle(case)


def watched(desk: Desk, case: Case, *, days: int) -> None:
    """Days of watching, and of looking whenever something has happened in Billsby."""
    for _ in range(days * 4):
        desk.later(hours=6)
        desk.advance(case)


@pytest.mark.parametrize(
    ("hold_days", "most_days", "every", "unit"),
    [("365", 0, 1, "Yearly"), ("180", 120, 3, "Monthly"), ("31", 0, 1, "Monthly")],
)
def test_a_client_who_stays_is_charged_once_a_period_though_the_hold_was_as_long(
    desk: Desk, hold_days: str, most_days: int, every: int, unit: str
) -> None:
    clock.advance(dt.datetime(2027, 1, 14, 15, tzinfo=dt.UTC) - clock.now())
    configuration.change("HOLD_DAYS", hold_days)
    if most_days:
        desk.company.set_quirk("max_renewal_days", most_days)
    subscription = a_service(desk, every=every, unit=unit)
    case = stayed(desk, subscription)
    hold = Hold.objects.get()
    writes = desk.writes("renewaldate")

    watched(desk, case, days=2)

    there = desk.company.subscription(subscription.uid)
    assert there.next_billing_at is not None
    assert abs((there.next_billing_at.date() - hold.until).days) <= 1
    assert desk.writes("renewaldate") == writes
    assert hold.state == Hold.State.RETURNED


def test_a_pause_that_was_agreed_with_who_stays_is_left_alone(desk: Desk) -> None:
    configuration.change("HOLD_DAYS", "30")
    configuration.change("HOLD_BEFORE_CHARGE_DAYS", "60")
    subscription = a_service(desk, every=1, unit="Monthly")
    far = clock.now() + dt.timedelta(days=40)
    desk.company.panel_change_bill_date(subscription.uid, far)
    case = stayed(desk, subscription)
    assert desk.company.subscription(subscription.uid).status == "Active"
    writes = desk.writes("renewaldate")

    watched(desk, case, days=1)
    desk.company.panel_change_bill_date(subscription.uid, far, pause=True)
    watched(desk, case, days=2)

    assert desk.company.subscription(subscription.uid).status == "Paused"
    assert desk.writes("renewaldate") == writes


def test_a_hold_that_comes_after_the_date_it_kept_from_coming_is_given_back(desk: Desk) -> None:
    subscription = a_service(desk, every=1, unit="Monthly")
    case = stayed(desk, subscription)
    hold = Hold.objects.get()
    desk.later(hours=22)
    desk.billsby.set_renewal_date(subscription.uid, hold.until, pause=True)
    desk.later(hours=3)

    watched(desk, case, days=1)

    there = desk.company.subscription(subscription.uid)
    assert there.status == "Active"
    assert there.next_billing_at is not None
    assert there.next_billing_at < clock.now() + dt.timedelta(days=31)


def test_a_hold_that_comes_late_where_no_next_charge_was_known_is_given_back(desk: Desk) -> None:
    subscription = a_service(desk, every=1, unit="Monthly")
    case = stayed(desk, subscription)
    hold = Hold.objects.get()
    Hold.objects.update(evidence={**hold.evidence, "billsby_next_billing": None})
    desk.billsby.set_renewal_date(subscription.uid, hold.until, pause=True)

    watched(desk, case, days=1)

    assert desk.company.subscription(subscription.uid).status == "Active"


def test_a_date_that_billsby_never_takes_is_told_to_a_person_who_can_set_it(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.advance(desk.file(subscription))
    desk.decide(case, Decision.RETAINED)
    honest = desk.billsby.set_renewal_date
    desk.billsby.set_renewal_date = lambda *a, **k: None  # type: ignore[method-assign]
    for _ in range(trouble.PATIENCE):
        desk.advance(case)
        assert not case.attention
    desk.advance(case)
    assert "use Change bill date" in case.attention
    desk.billsby.set_renewal_date = honest  # type: ignore[method-assign]
    original = subscription.next_billing_at.date()
    desk.billsby.set_renewal_date(subscription.uid, original, pause=False)
    desk.advance(case)
    assert not case.attention
    assert Hold.objects.get().state == Hold.State.RETURNED


def test_a_date_that_billsby_never_takes_is_not_sent_every_ten_seconds(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.advance(desk.file(subscription))
    desk.decide(case, Decision.RETAINED)
    desk.billsby.set_renewal_date = lambda *a, **k: None  # type: ignore[method-assign]
    for _ in range(8):
        desk.advance(case)
    assert case.next_pass_at is not None
    assert case.next_pass_at - clock.now() == trouble.LONGEST_RETRY
