"""Protecting a client whose case nobody has decided yet: the next charge must not come while
the request waits in a queue.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import replace
from functools import partial

from canceldesk import clock
from canceldesk.billsby import BillsbyError, Subscription, SubscriptionStatus
from canceldesk.cases import services as cases
from canceldesk.cases.models import CaseSubscription, WaitsFor, Wish
from canceldesk.closing import holding, holds, taking_out, trouble
from canceldesk.closing.charges import check_charges
from canceldesk.closing.models import Hold
from canceldesk.closing.results import Result, Waits, all_of
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration

LOOK_AGAIN = dt.timedelta(hours=6)


def protect(work: Work) -> Result:
    """Hold what would be charged within HOLD_BEFORE_CHARGE_DAYS; else come back before that.
    The row of a decision that was taken back leaves the list.
    """
    row = trouble.caught(lambda: taking_out.run(work), work.case)
    result = trouble.each(work, _protect)
    keep_next_charge(work)
    with suppress(BillsbyError):  # looked at again in the next pass
        check_charges(work)
    return all_of([row, result])


def _protect(work: Work, scope: CaseSubscription) -> Result:
    subscription = work.subscription(scope)
    if subscription.status.is_stopped:
        holding.no_longer_needed(work, scope)
        return _stopped_already(work, scope, subscription)
    hold = holds.hold_of(scope)
    stands = hold is not None and (
        holds.is_standing(hold) or holds.is_under_way(hold, subscription)
    )
    holds_first = configuration.yes("HOLD_FIRST")
    before = dt.timedelta(days=configuration.whole("HOLD_BEFORE_CHARGE_DAYS"))
    charge_at = subscription.next_billing_at
    left = charge_at - before - clock.now() if charge_at else dt.timedelta(0)
    is_near = left <= dt.timedelta(0)
    is_due = hold is not None and stands and _wants_a_look(work, subscription, hold)
    if is_due or (is_near and (holds_first or stands)):
        held = holding.ensure(work, scope)
        return held if isinstance(held, Waits) else _decision_awaited(LOOK_AGAIN)
    return _decision_awaited(min(LOOK_AGAIN, left) if holds_first and not is_near else LOOK_AGAIN)


def _stopped_already(work: Work, scope: CaseSubscription, subscription: Subscription) -> Waits:
    awaited = _decision_awaited(LOOK_AGAIN)
    if subscription.status is not SubscriptionStatus.SUSPENDED:
        return awaited
    return replace(
        awaited,
        sentence=f"{awaited.sentence} {scope.subscription} is {subscription.status_raw} in "
        "Billsby: if the client stays, a person must start it again there."
        f"{_on_the_list_before(work, scope)}",
    )


def _on_the_list_before(work: Work, scope: CaseSubscription) -> str:
    """What is to be known where an earlier case has stopped it, which filing could not tell while
    Billsby did not answer. Only a person knows whether it ran again in between.
    """
    earlier = cases.closed_about([scope.subscription_id]).get(scope.subscription_id)
    if earlier is None or work.case.wish == Wish.CANCEL:
        return ""
    return (
        f" {earlier.number} stopped it before and put the client on the list. If it has been "
        "suspended ever since, withdraw this case and say so: deciding to suspend it again would "
        "only list the client twice."
    )


def _wants_a_look(work: Work, subscription: Subscription, hold: Hold) -> bool:
    """Whether a standing hold has something to be done. A far date that a person set in Billsby
    meanwhile, as an offer, is theirs and is left alone.
    """
    is_ours = holds.shows(subscription, hold)
    return hold.state != Hold.State.HELD or (is_ours and holds.runs_out(work.today, hold))


def _decision_awaited(again: dt.timedelta) -> Waits:
    return Waits(WaitsFor.PERSON, "A manager speaks with the client and decides.", again=again)


def keep_next_charge(work: Work) -> None:
    """Bring the case's clock to the next charge up to date from what this pass has read."""
    charges = []
    for scope in work.scope:
        with suppress(BillsbyError):  # who read it first has already said what Billsby said
            found = work.subscription(scope)
            if found.next_billing_at is not None and not found.status.is_stopped:
                charges.append((found.next_billing_at, found.next_billing_minor, found.currency))
    nothing = (None, None, work.case.currency)
    charge = min(charges, key=lambda one: one[0], default=nothing)
    case = work.case
    if (case.next_charge_at, case.next_charge_minor, case.currency) == charge:
        return
    case.next_charge_at, case.next_charge_minor, case.currency = charge
    work.notes.along(partial(cases.keep_next_charge, case))
