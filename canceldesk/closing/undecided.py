"""Protecting a client whose case nobody has decided yet: the next charge must not come while
the request waits in a queue.
"""

from __future__ import annotations

import datetime as dt

from canceldesk import clock
from canceldesk.cases import services as cases
from canceldesk.cases.models import Case, WaitsFor
from canceldesk.closing import holding
from canceldesk.closing.results import Result, Waits
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration

LOOK_AGAIN = dt.timedelta(hours=6)


def protect(work: Work) -> Result:
    """Hold what would be charged within HOLD_BEFORE_CHARGE_DAYS; else come back before that."""
    keep_next_charge(work)
    if not configuration.yes("HOLD_FIRST"):
        return _decision_awaited(LOOK_AGAIN)
    before = dt.timedelta(days=configuration.whole("HOLD_BEFORE_CHARGE_DAYS"))
    again = LOOK_AGAIN
    for scope in work.scope:
        subscription = work.subscription(scope)
        charge_at = subscription.next_billing_at
        is_held = holding.hold_of(scope) is not None
        if subscription.status.is_stopped or (charge_at is None and not is_held):
            continue
        if is_held or charge_at is None or charge_at - before <= clock.now():
            result = holding.ensure(work, scope)
            if isinstance(result, Waits):
                return result
        else:
            again = min(again, charge_at - before - clock.now())
    keep_next_charge(work)
    return _decision_awaited(again)


def _decision_awaited(again: dt.timedelta) -> Waits:
    return Waits(WaitsFor.PERSON, "A manager speaks with the client and decides.", again=again)


def keep_next_charge(work: Work) -> None:
    """Bring the case's clock to the next charge up to date from what this pass has read."""
    charges = []
    for scope in work.scope:
        found = work.subscription(scope)
        if found.next_billing_at is not None and not found.status.is_stopped:
            charges.append((found.next_billing_at, found.next_billing_minor, found.currency))
    nothing = (None, None, work.case.currency)
    charge = min(charges, key=lambda one: one[0], default=nothing)
    case = work.case
    if (case.next_charge_at, case.next_charge_minor, case.currency) == charge:
        return
    case.next_charge_at, case.next_charge_minor, case.currency = charge
    with work.fenced():
        Case.objects.filter(pk=case.pk).update(
            next_charge_at=case.next_charge_at,
            next_charge_minor=case.next_charge_minor,
            currency=case.currency,
        )
        cases.changed(case)
