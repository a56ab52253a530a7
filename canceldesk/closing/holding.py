"""Holds: pausing a subscription through the API so that nothing is charged meanwhile.

Billsby's only published way is the renewal-date call with the pause flag (billsby.md 1.4). A
hold is reversible: what it replaces is written down before it is placed (`giving_back` gives it
back), and it never brings a charge nearer. Whether `pauseSubscription: false` lifts a pause is
undocumented, so both ways must work: what counts is the date, because the date is what charges.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

from canceldesk import clock
from canceldesk.billsby import BillsbyError, Subscription, SubscriptionStatus
from canceldesk.billsby.errors import Blocked, Refused
from canceldesk.cases.lease import OvertakenError
from canceldesk.cases.log import Verb
from canceldesk.cases.models import CaseSubscription, WaitsFor
from canceldesk.closing import trouble
from canceldesk.closing.holds import (
    ONE_DAY,
    SHORTER_DAYS,
    SOON,
    came_with,
    change,
    day_shown,
    evidence_of,
    hold_of,
    is_standing,
    is_under_way,
    know,
    protects,
    runs_out,
    supersede_earlier,
)
from canceldesk.closing.models import Hold, moment_of
from canceldesk.closing.results import Done, NotNeeded, Result, Waits
from canceldesk.closing.shown import date, time
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration

# A refused hold is no emergency while the charge is further away than this.
FAR = dt.timedelta(days=35)


def ensure(work: Work, scope: CaseSubscription) -> Result:
    """See to it that the subscription is held, and renewed in time; say when Billsby refuses."""
    subscription = work.subscription(scope)
    hold = hold_of(scope)
    name = str(scope.subscription)
    if subscription.status.is_stopped:
        no_longer_needed(work, scope)
        return _was_held(work, hold, name, subscription)
    if subscription.status is SubscriptionStatus.UNKNOWN and not came_with(hold, subscription):
        return _unknown_status(name, subscription)
    if hold is None or not is_standing(hold):
        return _place(work, scope, Verb.HOLD_PLACED)
    if hold.state in {Hold.State.RELEASING, Hold.State.RELEASED}:
        return _lift_for_a_click(work, scope, hold, subscription)
    must_renew = not protects(subscription, hold) or runs_out(work.today, hold)
    if must_renew or _must_pause_again(subscription, hold):
        return _place(work, scope, Verb.HOLD_RENEWED)
    return _held(work, hold, name)


def no_longer_needed(work: Work, scope: CaseSubscription) -> None:
    """The subscription is stopped: the hold has done its work. The log tells now of one whose
    arrival nobody has noted, if Billsby still shows its date.
    """
    hold = hold_of(scope)
    if hold is None or hold.state in {Hold.State.OVER, Hold.State.RETURNED}:
        return
    subscription = work.subscription(scope)
    arrived = day_shown(subscription, hold)
    if arrived is not None and is_under_way(hold, subscription):
        _placed(work, hold, arrived, Verb.HOLD_PLACED, subscription)
    know(work, hold, state=Hold.State.OVER, read_at=clock.now())


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


def _must_pause_again(subscription: Subscription, hold: Hold) -> bool:
    """Whether the pause itself is to be the stop and somebody has lifted it, leaving the far date.
    An account that never showed it paused is not asked again and again.
    """
    return (
        configuration.text("STOP_BY") == "pause"
        and subscription.status is not SubscriptionStatus.PAUSED
        and subscription.status_raw != hold.evidence.get("billsby_status")
    )


def _held(work: Work, hold: Hold, name: str) -> Done:
    original = date(hold.original_next_billing_at, work.zone)
    return Done(
        f"{name} is held until {date(hold.ends_at, work.zone)}; the next charge was {original}.",
        {"until": hold.until.isoformat(), **hold.evidence},
    )


def _place(work: Work, scope: CaseSubscription, verb: Verb) -> Result:
    before = work.subscription(scope)
    placing = _Placing(work, scope, before)
    refusal: BillsbyError | None = None
    for until in _dates_to_try(work, before):
        try:
            with work.sending(partial(placing.leaves, until)):
                work.billsby.set_renewal_date(before.billsby_id, until, pause=True)
        except (Refused, Blocked) as problem:
            refusal = problem
            continue
        finally:
            work.forget()
        return _read_back(work, scope, placing.hold, until, verb, before)
    return _refused(work, scope, refusal)


def _dates_to_try(work: Work, before: Subscription) -> list[dt.date]:
    """Dates to hold until, the wanted one first. None is before the charge that stands."""
    wanted = work.today + dt.timedelta(days=configuration.whole("HOLD_DAYS"))
    at = before.next_billing_at
    standing = at.date() if at else work.today
    if standing >= wanted:
        return [standing]
    shorter = [work.today + dt.timedelta(days=days) for days in SHORTER_DAYS]
    return [wanted, *(day for day in shorter if standing < day < wanted)]


class _Placing:
    """One placing of a hold, whichever date Billsby takes for it. What it replaces is written down
    with the first call that leaves: afterwards it cannot be read. What a hold that was never placed
    wrote down is taken afresh: the charge may have come since.
    """

    def __init__(self, work: Work, scope: CaseSubscription, before: Subscription) -> None:
        self._work, self._scope, self._before = work, scope, before
        hold = hold_of(scope)
        stays = hold is not None and (is_standing(hold) or is_under_way(hold, before))
        self._hold = hold if stays else None

    @property
    def hold(self) -> Hold:
        """The hold, once a call has left."""
        assert self._hold is not None  # noqa: S101 - `leaves` has come before
        return self._hold

    def leaves(self, until: dt.date) -> None:
        """Note that the hold is asked for until this day; call it inside the fence."""
        is_news = self._hold is None or self._hold.tried_until != until
        if self._hold is None:
            self._hold = self._scope.hold = self._afresh(until)
        elif not change(self._hold, tried_until=until, tried_at=clock.now()):
            raise OvertakenError("Somebody asked for the hold to be lifted meanwhile.")
        if is_news:
            name, day = str(self._scope.subscription), date(moment_of(until), self._work.zone)
            self._work.log(Verb.HOLD_INTENDED, subscription=name, until=day)

    def _afresh(self, until: dt.date) -> Hold:
        hold, before = hold_of(self._scope) or Hold(scope=self._scope), self._before
        hold.original_status = before.status.value
        hold.original_next_billing_at = before.next_billing_at
        earlier = supersede_earlier(self._scope, before)
        if earlier is not None:
            hold.original_status = earlier.original_status
            hold.original_next_billing_at = earlier.original_next_billing_at
        hold.state, hold.until = Hold.State.INTENDED, _dates_to_try(self._work, before)[0]
        hold.tried_until, hold.tried_at = until, clock.now()
        hold.placed_at = hold.release_until = None
        hold.save()
        return hold


def _read_back(
    work: Work,
    scope: CaseSubscription,
    hold: Hold,
    until: dt.date,
    verb: Verb,
    before: Subscription,
) -> Result:
    after = work.subscription(scope)
    name = str(scope.subscription)
    at = after.next_billing_at
    if not after.status.is_stopped and (at is None or at.date() < until - ONE_DAY):
        is_restored = verb is Verb.HOLD_RESTORED and protects(after, hold)
        if at is None or not (is_restored or _is_held_for_less(before, after)):
            return _does_not_show(work, name, until, at)
        until = at.date()
    work.has_just_held = True
    _placed(work, hold, until, verb, after)
    return _held(work, hold, name)


def _is_held_for_less(before: Subscription, after: Subscription) -> bool:
    """Whether Billsby took the hold but not its whole length. That it refuses a date too far away
    is no more documented than that it takes a nearer one instead (billsby.md 10).
    """
    was, is_now = before.next_billing_at, after.next_billing_at
    return (
        after.status is SubscriptionStatus.PAUSED
        and is_now is not None
        and (was is None or is_now.date() > was.date() + ONE_DAY)
    )


def _does_not_show(work: Work, name: str, until: dt.date, at: dt.datetime | None) -> Waits:
    return does_not_show(
        work,
        f"The desk asked Billsby to hold {name} until {date(moment_of(until), work.zone)}, but "
        f"Billsby still shows {date(at, work.zone)}. It asks again by itself.",
        again=SOON,
    )


def does_not_show(work: Work, sentence: str, *, again: dt.timedelta) -> Waits:
    """A date that Billsby took and does not show, told in `sentence`. A person is asked to set it
    when that has gone on for long enough.
    """
    is_stuck = work.case.failures >= trouble.PATIENCE
    what_to_do = " If it stays so, open the subscription in Billsby and use Change bill date."
    return Waits(
        WaitsFor.OUTSIDE,
        sentence + what_to_do if is_stuck else sentence,
        again=again,
        attention=is_stuck,
        is_unknown=True,
        is_failure=True,
    )


def _placed(work: Work, hold: Hold, until: dt.date, verb: Verb, after: Subscription) -> None:
    """Know that the hold stands, and tell of it."""
    now = clock.now()
    know(
        work,
        hold,
        state=Hold.State.HELD,
        until=until,
        tried_until=None,
        read_at=now,
        placed_at=hold.placed_at or now,
        release_until=None,
        evidence=evidence_of(after),
    )
    work.notes.along(
        partial(
            work.log,
            verb,
            subscription=str(hold.scope.subscription),
            until=date(hold.ends_at, work.zone),
            original=date(hold.original_next_billing_at, work.zone),
            **hold.evidence,
        )
    )


def _refused(work: Work, scope: CaseSubscription, refusal: BillsbyError | None) -> Waits:
    name = str(scope.subscription)
    why = {"subscription": name, "why": str(refusal)}
    if not work.case.log.filter(verb=Verb.HOLD_FAILED, data=why).exists():
        with work.fenced():
            work.log(Verb.HOLD_FAILED, **why)
    at = work.subscription(scope).next_billing_at
    is_far = at is not None and at - clock.now() > FAR
    if is_far and configuration.text("STOP_BY") != "pause":
        return Waits(
            WaitsFor.TIME,
            f"Billsby refused to hold {name}, but its next charge is only on "
            f"{date(at, work.zone)}. The desk tries again: {refusal}",
            again=ONE_DAY,
        )
    return Waits(
        WaitsFor.PERSON,
        f"Billsby refused to hold {name}: {refusal} Until it is stopped it may be charged on "
        f"{date(at, work.zone)}: in Billsby, open the subscription and use Change bill date.",
        again=dt.timedelta(minutes=30),
        attention=True,
    )


def _lift_for_a_click(
    work: Work, scope: CaseSubscription, hold: Hold, subscription: Subscription
) -> Result:
    is_over = hold.release_until is None or clock.now() >= hold.release_until
    if hold.state == Hold.State.RELEASING and not is_over:
        return _release(work, scope, hold)
    if is_over or not protects(subscription, hold):
        return _place(work, scope, Verb.HOLD_RESTORED)
    return _lifted(work, hold, subscription, str(scope.subscription))


def _release(work: Work, scope: CaseSubscription, hold: Hold) -> Result:
    """Lift the pause but keep the far date, so that Suspended can be chosen and still nothing
    is charged. Where Billsby refuses, the hold stays and the person is told the other way.
    """
    name = str(scope.subscription)
    try:
        work.billsby.set_renewal_date(scope.subscription.billsby_id, hold.until, pause=False)
    except (Refused, Blocked) as problem:
        return _not_lifted(work, hold, name, problem)
    finally:
        work.forget()
    after = work.subscription(scope)
    if not protects(after, hold):
        return _place(work, scope, Verb.HOLD_RESTORED)
    with work.fenced():
        change(hold, state=Hold.State.RELEASED, evidence=evidence_of(after))
        work.log(Verb.HOLD_RELEASED, subscription=name, **evidence_of(after))
    return _lifted(work, hold, after, name)


def _not_lifted(work: Work, hold: Hold, name: str, problem: BillsbyError) -> Waits:
    with work.fenced():
        change(hold, state=Hold.State.HELD, release_until=None)
        work.log(Verb.HOLD_NOT_RELEASED, subscription=name, why=str(problem))
    return Waits(
        WaitsFor.PERSON,
        f"Billsby refused to lift the pause of {name}: {problem} In Billsby use Change bill "
        "date, leave the date, choose Active under Status until new bill, then Update status.",
        again=dt.timedelta(minutes=2),
    )


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
