"""Giving a hold back: a client who stays is charged again on the date that the hold replaced.

Only what still shows the hold is touched. A date that is neither the hold's nor the original was
chosen by a person, or by Billsby's own billing: it stays.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

from dateutil.relativedelta import relativedelta

from canceldesk import clock
from canceldesk.billsby import Subscription, SubscriptionStatus
from canceldesk.billsby.errors import Refused
from canceldesk.cases import waking
from canceldesk.cases.lease import OvertakenError
from canceldesk.cases.log import Verb
from canceldesk.cases.models import CaseSubscription, WaitsFor
from canceldesk.closing import holding, holds, trouble
from canceldesk.closing.models import Hold
from canceldesk.closing.results import Done, NotNeeded, Result, Waits
from canceldesk.closing.shown import date
from canceldesk.closing.work import Work


def give_back(work: Work, scope: CaseSubscription) -> Result:
    """Give a client who stays the renewal date back, and read it back.

    It can be asked again: a hold that turns up late, from a worker that slept, is given back too.
    """
    hold = holds.hold_of(scope)
    name = str(scope.subscription)
    if hold is None or hold.state == Hold.State.OVER:
        return NotNeeded(f"{name} is not held.")
    subscription = work.subscription(scope)
    if subscription.status.is_stopped:
        holding.no_longer_needed(work, scope)
        return NotNeeded(f"{name} is {subscription.status_raw} in Billsby.")
    if not holds.shows(subscription, hold) or _shows_what_was_given(subscription, hold):
        is_early = hold.may_still_arrive
        return _may_still_arrive(name) if is_early else _returned(work, hold, subscription)
    if hold.original_next_billing_at is None:
        return _nothing_to_give(name)
    wanted = _asked_for(work, hold, subscription, hold.original_next_billing_at)
    subscription = work.subscription(scope)
    if not holds.is_charged_on(subscription, wanted):
        return _not_yet(work, subscription, wanted, name)
    return _returned(work, hold, subscription)


def _shows_what_was_given(subscription: Subscription, hold: Hold) -> bool:
    """Whether the date Billsby shows comes of the one that was given back, though it is the hold's
    day, too: nothing has changed since, or the charge has come and Billsby's own next one is as far
    away as the hold was, as on a yearly plan. A hold that turns up late keeps the charge from
    coming, and shows as a hold does.
    """
    given = hold.evidence.get("billsby_next_billing")
    if hold.state != Hold.State.RETURNED or given is None:
        return False
    at = dt.datetime.fromisoformat(given)
    has_come = at <= clock.now() and subscription.status is SubscriptionStatus.ACTIVE
    return has_come or holds.is_charged_on(subscription, at.date())


def _asked_for(
    work: Work, hold: Hold, subscription: Subscription, original: dt.datetime
) -> dt.date:
    """Ask Billsby for the date to give back; the date that was not refused. Where that is tomorrow
    already and Billsby refuses it, Billsby's clock has begun that day: then it is the day after.
    Raises BillsbyError.
    """
    wanted = next_date(original, clock.now())
    try:
        _ask_for(work, hold, subscription, wanted)
    except Refused:
        if wanted > clock.now().astimezone(dt.UTC).date() + holds.ONE_DAY:
            raise
        wanted += holds.ONE_DAY
        _ask_for(work, hold, subscription, wanted)
    return wanted


def _ask_for(work: Work, hold: Hold, subscription: Subscription, wanted: dt.date) -> None:
    was_paused = hold.original_status == SubscriptionStatus.PAUSED
    try:
        with work.sending(partial(_assure_it_stands, hold)):
            work.billsby.set_renewal_date(subscription.billsby_id, wanted, pause=was_paused)
    finally:
        work.forget()


def _assure_it_stands(hold: Hold) -> None:
    """Another case may have taken the hold over: its date is that case's then."""
    if not holds.change(hold, state=hold.state):
        raise OvertakenError("Another case holds the service now.")


def _may_still_arrive(name: str) -> Waits:
    return Waits(
        WaitsFor.TIME,
        f"{name} was being held when the case ended. The desk waits a minute, reads Billsby again "
        "and gives the date back if the hold has come.",
        again=holds.SOON,
        is_unknown=True,
    )


def next_date(original: dt.datetime, now: dt.datetime) -> dt.date:
    """The date (UTC, as Billsby keeps it) to give back: the one that was replaced, or the same
    day in the first month still ahead. A period that passed while the client was held is not
    charged afterwards, and the date is never today, because today has begun.
    """
    today = now.astimezone(dt.UTC).date()
    first = original.astimezone(dt.UTC).date()
    if original > now:
        return max(first, today + holds.ONE_DAY)
    wanted, months = first, 0
    while wanted <= today:
        months += 1
        wanted = first + relativedelta(months=months)
    return wanted


def _nothing_to_give(name: str) -> Waits:
    return Waits(
        WaitsFor.PERSON,
        f"{name} had no next charge date before it was held. Set its bill date in Billsby; the "
        "desk sees it.",
        again=dt.timedelta(minutes=5),
        attention=True,
    )


def _not_yet(work: Work, subscription: Subscription, wanted: dt.date, name: str) -> Waits:
    return holding.does_not_show(
        work,
        f"The desk gave {name} its next charge date {date(wanted, work.zone)} back, but Billsby "
        f"shows {date(subscription.next_billing_at, work.zone)}. It tries again.",
        again=max(holds.SOON, trouble.retry_in(work.case.failures)),
    )


def _returned(work: Work, hold: Hold, subscription: Subscription) -> Done:
    """The hold does not show: it was given back, somebody else chose another date, or it never
    came.
    """
    name, on = str(hold.scope.subscription), date(subscription.next_billing_at, work.zone)
    was_sent = hold.placed_at is not None or hold.tried_until is not None
    if hold.state != Hold.State.RETURNED:
        evidence = holds.evidence_of(subscription)
        state = Hold.State.RETURNED if was_sent else Hold.State.OVER
        with work.fenced():
            # They have seen the hold's far date and might look again only in hours. Before the hold
            # is touched: who holds the same service touches the two in that order.
            waking.wake_others_about(work.case)
            if not holds.change(hold, state=state, read_at=clock.now(), evidence=evidence):
                raise OvertakenError("Another case holds the service now.")
            if was_sent:
                work.log(Verb.HOLD_RETURNED, subscription=name, on=on, **evidence)
    still = (
        " Billsby shows it as Paused and turns it Active by itself on that date."
        if subscription.status is SubscriptionStatus.PAUSED
        else ""
    )
    return Done(f"{name} is charged next on {on}.{still}")
