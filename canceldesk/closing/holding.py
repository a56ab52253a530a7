"""Holds: pausing a subscription through the API so that nothing is charged meanwhile.

Billsby's only published way is the renewal-date call with the pause flag (billsby.md 1.4). A
hold is reversible: what it replaced is written down before it is placed, and given back when
the client stays. Whether `pauseSubscription: false` lifts a pause is undocumented, so both ways
must work: what counts is the date, because the date is what charges.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from dateutil.relativedelta import relativedelta

from canceldesk import clock
from canceldesk.billsby import BillsbyError, Subscription, SubscriptionStatus
from canceldesk.billsby.errors import Blocked, Refused
from canceldesk.cases.log import Verb
from canceldesk.cases.models import CaseSubscription, WaitsFor
from canceldesk.closing.models import Hold
from canceldesk.closing.results import Done, NotNeeded, Result, Waits
from canceldesk.closing.shown import date, time
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration

# Billsby's longest renewal date is undocumented; when the wanted one is refused, these are tried.
SHORTER_DAYS = (90, 35)
SOON = dt.timedelta(seconds=10)


def hold_of(scope: CaseSubscription) -> Hold | None:
    """The hold on a subscription in scope, if one was ever intended."""
    return Hold.objects.filter(scope=scope).first()


def ensure(work: Work, scope: CaseSubscription) -> Result:
    """See to it that the subscription is held, and renewed in time."""
    subscription = work.subscription(scope)
    hold = hold_of(scope)
    name = str(scope.subscription)
    if subscription.status.is_stopped:
        _no_longer_needed(work, hold)
        return _was_held(work, hold, name, subscription)
    if subscription.status is SubscriptionStatus.UNKNOWN:
        return _unknown_status(name, subscription)
    if hold is None or hold.state in {Hold.State.INTENDED, Hold.State.RETURNED, Hold.State.OVER}:
        return _place(work, scope, hold, Verb.HOLD_PLACED)
    if hold.state in {Hold.State.RELEASING, Hold.State.RELEASED}:
        return _lift_for_a_click(work, scope, hold, subscription)
    if not _protects(subscription, hold) or _runs_out(work, hold):
        return _place(work, scope, hold, Verb.HOLD_RENEWED)
    return _held(work, hold, name)


def _no_longer_needed(work: Work, hold: Hold | None) -> None:
    if hold is not None and hold.state not in {Hold.State.OVER, Hold.State.RETURNED}:
        with work.fenced():
            hold.state, hold.read_at = Hold.State.OVER, clock.now()
            hold.save(update_fields=["state", "read_at"])


def _was_held(work: Work, hold: Hold | None, name: str, subscription: Subscription) -> Result:
    sentence = f"{name} is {subscription.status_raw} in Billsby and does not bill."
    if hold is None or hold.placed_at is None:
        return NotNeeded(sentence)
    held = f"Held on {date(hold.placed_at, work.zone)}, no longer needed:"
    return Done(f"{held} {sentence}", dict(hold.evidence))


def _unknown_status(name: str, subscription: Subscription) -> Waits:
    return Waits(
        WaitsFor.PERSON,
        f'Billsby says {name} is "{subscription.status_raw}", which the desk does not know, so '
        "it changes nothing. Look at the subscription in Billsby; the desk goes on by itself "
        "when it shows a known status.",
        again=dt.timedelta(minutes=1),
        attention=True,
        is_unknown=True,
    )


def _runs_out(work: Work, hold: Hold) -> bool:
    left = hold.until - work.today
    return left <= dt.timedelta(days=configuration.whole("HOLD_RENEW_DAYS"))


def _protects(subscription: Subscription, hold: Hold) -> bool:
    """Whether Billsby still has the held date. Time of day and zone of a renewal are
    undocumented (billsby.md 3), so a day either way is the same date.
    """
    at = subscription.next_billing_at
    return at is not None and at.date() >= hold.until - dt.timedelta(days=1)


def _held(work: Work, hold: Hold, name: str) -> Done:
    original = date(hold.original_next_billing_at, work.zone)
    return Done(
        f"{name} is held until {date(hold.ends_at, work.zone)}; the next charge was {original}.",
        {"until": hold.until.isoformat(), **hold.evidence},
    )


def _place(work: Work, scope: CaseSubscription, hold: Hold | None, verb: Verb) -> Result:
    before = work.subscription(scope)
    wanted = work.today + dt.timedelta(days=configuration.whole("HOLD_DAYS"))
    hold = _intend(work, scope, hold, before, wanted)
    refusal: BillsbyError | None = None
    for until in _dates_to_try(work, wanted):
        work.before_a_call()
        try:
            work.billsby.set_renewal_date(before.billsby_id, until, pause=True)
        except (Refused, Blocked) as problem:
            refusal = problem
            continue
        finally:
            work.forget()
        hold.until = until
        return _read_back(work, scope, hold, verb)
    return _refused(work, scope, refusal)


def _dates_to_try(work: Work, wanted: dt.date) -> list[dt.date]:
    shorter = [work.today + dt.timedelta(days=days) for days in SHORTER_DAYS]
    return [wanted, *(day for day in shorter if day < wanted)]


def _intend(
    work: Work,
    scope: CaseSubscription,
    hold: Hold | None,
    before: Subscription,
    wanted: dt.date,
) -> Hold:
    """Write down what the hold replaces before it is placed: afterwards it cannot be read."""
    if hold is not None and hold.state not in {Hold.State.RETURNED, Hold.State.OVER}:
        return hold
    with work.fenced():
        hold, _ = Hold.objects.update_or_create(
            scope=scope,
            defaults={
                "state": Hold.State.INTENDED,
                "original_status": before.status.value,
                "original_next_billing_at": before.next_billing_at,
                "until": wanted,
                "release_until": None,
            },
        )
    return hold


def _read_back(work: Work, scope: CaseSubscription, hold: Hold, verb: Verb) -> Result:
    after = work.subscription(scope)
    name = str(scope.subscription)
    if not _protects(after, hold) and not after.status.is_stopped:
        return Waits(
            WaitsFor.OUTSIDE,
            f"The desk asked Billsby to hold {name} until {date(hold.ends_at, work.zone)}, but "
            f"Billsby still shows {date(after.next_billing_at, work.zone)}. It asks again by "
            "itself.",
            again=SOON,
            is_unknown=True,
            is_failure=True,
        )
    with work.fenced():
        hold.state, hold.read_at, hold.release_until = Hold.State.HELD, clock.now(), None
        hold.placed_at = hold.placed_at or clock.now()
        hold.evidence = _evidence(after)
        hold.save()
        work.log(
            verb,
            subscription=name,
            until=date(hold.ends_at, work.zone),
            original=date(hold.original_next_billing_at, work.zone),
            **_evidence(after),
        )
    return _held(work, hold, name)


def _evidence(subscription: Subscription) -> dict[str, Any]:
    at = subscription.next_billing_at
    return {
        "billsby_status": subscription.status_raw,
        "billsby_next_billing": at.isoformat() if at else None,
        "read_at": clock.now().isoformat(),
    }


def _refused(work: Work, scope: CaseSubscription, refusal: BillsbyError | None) -> Waits:
    name = str(scope.subscription)
    with work.fenced():
        work.log(Verb.HOLD_FAILED, subscription=name, why=str(refusal))
    return Waits(
        WaitsFor.PERSON,
        f"Billsby refused to hold {name}: {refusal} Until it is stopped it may still be charged: "
        "in Billsby, open the subscription and use Change bill date.",
        again=dt.timedelta(minutes=5),
        attention=True,
    )


def _lift_for_a_click(
    work: Work, scope: CaseSubscription, hold: Hold, subscription: Subscription
) -> Result:
    if hold.state == Hold.State.RELEASING:
        return _release(work, scope, hold)
    is_over = hold.release_until is None or clock.now() >= hold.release_until
    if is_over or not _protects(subscription, hold):
        return _place(work, scope, hold, Verb.HOLD_RESTORED)
    return _lifted(work, hold, subscription, str(scope.subscription))


def _release(work: Work, scope: CaseSubscription, hold: Hold) -> Result:
    """Lift the pause but keep the far date, so that Suspended can be chosen and still nothing
    is charged.
    """
    work.before_a_call()
    try:
        work.billsby.set_renewal_date(scope.subscription.billsby_id, hold.until, pause=False)
    finally:
        work.forget()
    after = work.subscription(scope)
    if not _protects(after, hold):
        return _place(work, scope, hold, Verb.HOLD_RESTORED)
    with work.fenced():
        hold.state, hold.evidence = Hold.State.RELEASED, _evidence(after)
        hold.save(update_fields=["state", "evidence"])
        work.log(Verb.HOLD_RELEASED, subscription=str(scope.subscription), **_evidence(after))
    return _lifted(work, hold, after, str(scope.subscription))


def _lifted(work: Work, hold: Hold, subscription: Subscription, name: str) -> Done:
    assert hold.release_until is not None  # noqa: S101 - the database's own rule
    until = time(hold.release_until, work.zone)
    if subscription.status is SubscriptionStatus.PAUSED:
        return Done(
            f"Billsby still shows {name} as Paused. In Billsby use Change bill date, leave the "
            f"date, choose Active under Status until new bill, then Update status. Until {until} "
            "the desk leaves it so."
        )
    return Done(
        f"The pause of {name} is lifted until {until}; the next charge stays on "
        f"{date(hold.ends_at, work.zone)}."
    )


def give_back(work: Work, scope: CaseSubscription) -> Result:
    """Give a client who stays the renewal date that the hold replaced, and read it back."""
    hold = hold_of(scope)
    name = str(scope.subscription)
    if hold is None or hold.state in {Hold.State.RETURNED, Hold.State.OVER}:
        return NotNeeded(f"{name} is not held.")
    subscription = work.subscription(scope)
    if subscription.status.is_stopped:
        _no_longer_needed(work, hold)
        return NotNeeded(f"{name} is {subscription.status_raw} in Billsby.")
    if hold.original_next_billing_at is None:
        return Waits(
            WaitsFor.PERSON,
            f"{name} had no next charge date before it was held. Set its bill date in Billsby.",
            again=dt.timedelta(minutes=5),
            attention=True,
        )
    wanted = next_date(hold.original_next_billing_at.astimezone(dt.UTC).date(), work.today)
    if not _has_date(subscription, wanted) or hold.state == Hold.State.HELD:
        was_paused = hold.original_status == SubscriptionStatus.PAUSED
        work.before_a_call()
        try:
            work.billsby.set_renewal_date(subscription.billsby_id, wanted, pause=was_paused)
        finally:
            work.forget()
        subscription = work.subscription(scope)
    return _given_back(work, hold, subscription, wanted, name)


def next_date(original: dt.date, today: dt.date) -> dt.date:
    """The date to give back: the one that was replaced, or the same day in the first month
    still ahead. A period that passed while the client was held is not charged afterwards.
    """
    wanted, months = original, 0
    while wanted <= today:
        months += 1
        wanted = original + relativedelta(months=months)
    return wanted


def _has_date(subscription: Subscription, wanted: dt.date) -> bool:
    at = subscription.next_billing_at
    return at is not None and abs(at.date() - wanted) <= dt.timedelta(days=1)


def _given_back(
    work: Work, hold: Hold, subscription: Subscription, wanted: dt.date, name: str
) -> Result:
    if not _has_date(subscription, wanted):
        return Waits(
            WaitsFor.OUTSIDE,
            f"The desk gave {name} its next charge date {date(wanted, work.zone)} back, but "
            f"Billsby shows {date(subscription.next_billing_at, work.zone)}. It tries again.",
            again=SOON,
            is_unknown=True,
            is_failure=True,
        )
    with work.fenced():
        hold.state, hold.read_at = Hold.State.RETURNED, clock.now()
        hold.evidence = _evidence(subscription)
        hold.save(update_fields=["state", "read_at", "evidence"])
        work.log(
            Verb.HOLD_RETURNED,
            subscription=name,
            on=date(wanted, work.zone),
            **_evidence(subscription),
        )
    still = (
        " Billsby shows it as Paused and turns it Active by itself on that date."
        if subscription.status is SubscriptionStatus.PAUSED
        else ""
    )
    return Done(f"{name} is charged next on {date(wanted, work.zone)}, as before.{still}")
