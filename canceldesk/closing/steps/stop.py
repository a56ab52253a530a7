"""Stop: every subscription in scope brought to where the decision wants it.

Billsby publishes no call that sets Suspended (billsby.md 1.3), so a person clicks it in the
control panel and the desk proves it by reading. Cancelling is a call, and cannot be undone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import partial

from canceldesk import clock
from canceldesk.billsby import Subscription, SubscriptionStatus
from canceldesk.billsby.errors import Blocked, NotFound, Refused
from canceldesk.cases.log import Verb
from canceldesk.cases.models import CaseSubscription, Decision, Finding, State, WaitsFor
from canceldesk.closing import holds, trouble
from canceldesk.closing.models import Hold, Intent, Step
from canceldesk.closing.results import Done, Result, Waits
from canceldesk.closing.shown import date
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration


def run(work: Work) -> Result:
    """Stop every subscription in scope, or say what is still needed for it."""
    return trouble.each(work, _stop)


def is_stopped(work: Work, scope: CaseSubscription, subscription: Subscription) -> bool:
    """Whether this counts as stopped: Suspended or Cancelled as Billsby says, or, for a
    company that stops by pausing, held and far away; what was closed so stays so when the
    company changes its way.
    """
    if work.case.decision == Decision.CANCEL:
        return subscription.status is SubscriptionStatus.CANCELLED
    if subscription.status.is_stopped:
        return True
    if configuration.text("STOP_BY") != "pause" and work.case.state != State.CLOSED:
        return False
    hold = holds.hold_of(scope)
    return (
        hold is not None
        and hold.state == Hold.State.HELD
        and subscription.status is SubscriptionStatus.PAUSED
        and holds.protects(subscription, hold)
    )


def _stop(work: Work, scope: CaseSubscription) -> Result:
    subscription = work.subscription(scope)
    if is_stopped(work, scope, subscription):
        return _stopped(work, scope, subscription)
    if work.case.decision == Decision.CANCEL:
        return _cancel(work, scope, subscription)
    if configuration.text("STOP_BY") == "pause":
        return _not_paused(work, scope, subscription)
    return _ask_for_the_click(work, scope, subscription)


def _stopped(work: Work, scope: CaseSubscription, subscription: Subscription) -> Done:
    name = str(scope.subscription)
    _note_first_seen(work, name, subscription)
    instead = (
        work.case.decision == Decision.SUSPEND
        and subscription.status is SubscriptionStatus.CANCELLED
    )
    if instead:
        work.report(
            Finding.Kind.CANCELLED_INSTEAD,
            subscription.billsby_id,
            f"{name} was to be suspended, but Billsby says Cancelled. That cannot be undone in "
            "Billsby; tell a manager.",
        )
    return Done(
        f"{name} is {subscription.status_raw} in Billsby.",
        {
            "subscription": subscription.billsby_id,
            "status": subscription.status_raw,
            "read_at": clock.now().isoformat(),
        },
    )


def _note_first_seen(work: Work, name: str, subscription: Subscription) -> None:
    """Log the stop once, and confirm a cancellation whose answer never came."""
    seen = {"subscription": name, "status": subscription.status_raw}
    if work.case.log.filter(verb=Verb.STOP_SEEN, data=seen).exists():
        return
    intent = work.intent(Intent.Kind.CANCEL, subscription.billsby_id)
    if intent is not None:
        work.confirm(intent, {"status": subscription.status_raw})
    work.notes.along(partial(work.log, Verb.STOP_SEEN, **seen))


def _not_paused(work: Work, scope: CaseSubscription, subscription: Subscription) -> Waits:
    """The pause is to be the stop, and Billsby does not show it. Which word the API has for Paused
    is undocumented (billsby.md 1.1): where the hold stands, waiting brings no other.
    """
    hold = holds.hold_of(scope)
    if hold is None or not holds.is_standing(hold) or not holds.protects(subscription, hold):
        return Waits(
            WaitsFor.OUTSIDE,
            f"{scope.subscription} is not paused yet; the hold comes first.",
            again=dt.timedelta(seconds=10),
        )
    return replace(
        _ask_for_the_click(work, scope, subscription),
        sentence=f"{scope.subscription} is held until {date(hold.ends_at, work.zone)}, but Billsby "
        f"shows it as {subscription.status_raw} and not as Paused, so the desk does not take it "
        f"for stopped. Set it to Suspended in Billsby; the desk sees it by itself."
        f"{_if_refused(work)}",
        attention=True,
    )


def _ask_for_the_click(work: Work, scope: CaseSubscription, subscription: Subscription) -> Waits:
    seconds = configuration.whole("POLL_SECONDS")
    return Waits(
        WaitsFor.PERSON,
        f"Set {scope.subscription} to Suspended in Billsby; it is {subscription.status_raw} now. "
        f"The desk sees it by itself.{_if_refused(work)}",
        again=dt.timedelta(seconds=seconds),
        evidence={
            "click": True,
            "subscription": subscription.billsby_id,
            "status": subscription.status_raw,
        },
    )


def _if_refused(work: Work) -> str:
    """Billsby blocks per client (billsby.md 2.3), so what is owed for a service that stays may
    keep another one from being stopped.
    """
    cleared = work.notes.of(Step.Name.CLEAR)
    left = cleared.evidence.get("left", []) if cleared else []
    if not left:
        return ""
    numbers = ", ".join(invoice["number"] for invoice in left)
    return (
        f" If Billsby refuses, what is still owed keeps it: settle {numbers} with the client or "
        "in Billsby first."
    )


def _cancel(work: Work, scope: CaseSubscription, subscription: Subscription) -> Result:
    intent = work.intent_to(Intent.Kind.CANCEL, subscription.billsby_id)
    if intent.is_settling:
        return _not_seen_yet(scope, subscription)
    try:
        with work.sending(partial(_note_that_it_leaves, work, scope, intent)):
            work.billsby.cancel_subscription(subscription.billsby_id, work.client_id)
    except (Refused, Blocked, NotFound) as problem:
        return _refused(work, scope, intent, str(problem))
    finally:
        work.forget()
    after = work.subscription(scope)
    if after.status is not SubscriptionStatus.CANCELLED:
        return _not_seen_yet(scope, after)
    return _stopped(work, scope, after)


def _note_that_it_leaves(work: Work, scope: CaseSubscription, intent: Intent) -> None:
    if work.intent(Intent.Kind.CANCEL, intent.target) is None:
        intent.request = {"client": work.client_id}
        work.log(Verb.CANCEL_INTENDED, subscription=str(scope.subscription))
    work.mark_sent(intent)


def _not_seen_yet(scope: CaseSubscription, subscription: Subscription) -> Waits:
    return Waits(
        WaitsFor.OUTSIDE,
        f"The desk cancelled {scope.subscription}, but Billsby still shows "
        f"{subscription.status_raw}. It looks again by itself.",
        again=dt.timedelta(seconds=10),
        is_unknown=True,
    )


def _refused(work: Work, scope: CaseSubscription, intent: Intent, why: str) -> Waits:
    with work.fenced():
        intent.mark_refused(why)
        work.log(Verb.STOP_FAILED, subscription=str(scope.subscription), why=why)
    return Waits(
        WaitsFor.PERSON,
        f"Billsby refused to cancel {scope.subscription}: {why} Look for open invoices of this "
        "client in Billsby; the desk tries again by itself.",
        again=dt.timedelta(minutes=1),
        attention=True,
    )
