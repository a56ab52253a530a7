"""Holds: pausing a subscription through the API so that nothing is charged meanwhile.

Billsby's only published way is the renewal-date call with the pause flag (billsby.md 1.4). A
hold is reversible: what it replaces is written down before it is placed (`giving_back` gives it
back), and it never brings a charge nearer. Whether `pauseSubscription: false` lifts a pause is
undocumented, so both ways must work: what counts is the date, because the date is what charges.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

from canceldesk import clock
from canceldesk.billsby import BillsbyError, Subscription, SubscriptionStatus
from canceldesk.billsby.errors import Blocked, Refused
from canceldesk.cases.lease import OvertakenError
from canceldesk.cases.log import Verb
from canceldesk.cases.models import CaseSubscription, WaitsFor
from canceldesk.closing.models import Hold, moment_of
from canceldesk.closing.results import Done, NotNeeded, Result, Waits
from canceldesk.closing.shown import date, time
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration

# Billsby's longest renewal date is undocumented; when the wanted one is refused, these are tried.
SHORTER_DAYS = (90, 35)
SOON = dt.timedelta(seconds=10)
ONE_DAY = dt.timedelta(days=1)
# A refused hold is no emergency while the charge is further away than this.
FAR = dt.timedelta(days=35)

# What Billsby shows of a hold, whatever people have asked for.
_READ = ("until", "tried_until", "read_at", "evidence")
STANDING = (Hold.State.HELD, Hold.State.RELEASING, Hold.State.RELEASED)


def hold_of(scope: CaseSubscription) -> Hold | None:
    """The hold on a subscription in scope, if one was ever intended; asked of the database once for
    each `scope`. What a person changes in it meanwhile `change` finds.
    """
    return getattr(scope, "hold", None)


def is_standing(hold: Hold | None) -> bool:
    """Whether a hold protects the client now and must be kept up, whatever the settings say."""
    return hold is not None and hold.state in STANDING


def ensure(work: Work, scope: CaseSubscription) -> Result:
    """See to it that the subscription is held, and renewed in time; say when Billsby refuses."""
    subscription = work.subscription(scope)
    hold = hold_of(scope)
    name = str(scope.subscription)
    if subscription.status.is_stopped:
        no_longer_needed(work, hold)
        return _was_held(work, hold, name, subscription)
    if subscription.status is SubscriptionStatus.UNKNOWN:
        return _unknown_status(name, subscription)
    if hold is None or not is_standing(hold):
        return _place(work, scope, Verb.HOLD_PLACED)
    if hold.state in {Hold.State.RELEASING, Hold.State.RELEASED}:
        return _lift_for_a_click(work, scope, hold, subscription)
    must_renew = not protects(subscription, hold) or runs_out(work, hold)
    if must_renew or _must_pause_again(subscription, hold):
        return _place(work, scope, Verb.HOLD_RENEWED)
    return _held(work, hold, name)


def no_longer_needed(work: Work, hold: Hold | None) -> None:
    """The subscription is stopped: the hold has done its work."""
    if hold is not None and hold.state not in {Hold.State.OVER, Hold.State.RETURNED}:
        _know(work, hold, state=Hold.State.OVER, read_at=clock.now())


def change(hold: Hold, **values: Any) -> bool:  # noqa: ANN401 - model fields
    """Change a hold unless a person has changed its state meanwhile (asked for a release)."""
    if not _store(hold, hold.state, values):
        return False
    for name, value in values.items():
        setattr(hold, name, value)
    return True


def _store(hold: Hold, before: str, values: dict[str, Any]) -> bool:
    stored = Hold.objects.filter(pk=hold.pk, state=before).update(**values)
    if not stored:
        hold.refresh_from_db()
    return bool(stored)


def _know(work: Work, hold: Hold, **values: Any) -> None:  # noqa: ANN401 - model fields
    """Know of a hold what has just been read back; it is stored with the next writing, as `change`
    does. What a person has asked for until then stands.
    """
    before = hold.state
    for name, value in values.items():
        setattr(hold, name, value)
    work.notes.along(partial(_keep, hold, before, values))


def _keep(hold: Hold, before: str, values: dict[str, Any]) -> None:
    if not _store(hold, before, values) and hold.state == Hold.State.RELEASING:
        change(hold, **{name: value for name, value in values.items() if name in _READ})


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


def runs_out(work: Work, hold: Hold) -> bool:
    """Whether it is time to renew. Where Billsby accepts only short holds, that is at half time,
    so that a hold is not renewed at every look.
    """
    left = hold.until - work.today
    length = hold.until - (hold.read_at.date() if hold.read_at else work.today)
    renew = dt.timedelta(days=configuration.whole("HOLD_RENEW_DAYS"))
    return left <= min(renew, length / 2)


def protects(subscription: Subscription, hold: Hold) -> bool:
    """Whether Billsby's next charge is as far away as the hold put it. Time of day and zone of a
    renewal are undocumented (billsby.md 3), so a day either way is the same date.
    """
    at = subscription.next_billing_at
    return at is not None and at.date() >= hold.until - ONE_DAY


def _must_pause_again(subscription: Subscription, hold: Hold) -> bool:
    """Whether the pause itself is to be the stop and somebody has lifted it, leaving the far date.
    An account that never showed it paused is not asked again and again.
    """
    return (
        configuration.text("STOP_BY") == "pause"
        and subscription.status is not SubscriptionStatus.PAUSED
        and subscription.status_raw != hold.evidence.get("billsby_status")
    )


def is_charged_on(subscription: Subscription, day: dt.date) -> bool:
    """Whether Billsby's next charge is on this day, with the same day's grace."""
    at = subscription.next_billing_at
    return at is not None and abs(at.date() - day) <= ONE_DAY


def shows(subscription: Subscription, hold: Hold) -> bool:
    """Whether the date Billsby shows is the hold's own: the one read back, or one that was sent
    and whose answer may have been lost.
    """
    own = [day for day in (hold.until, hold.tried_until) if day is not None]
    return any(is_charged_on(subscription, day) for day in own)


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
        return _read_back(work, scope, placing.hold, until, verb)
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
        earlier = earlier_hold(self._scope, before)
        if earlier is not None:
            hold.original_status = earlier.original_status
            hold.original_next_billing_at = earlier.original_next_billing_at
            change(earlier, state=Hold.State.OVER)
        hold.state, hold.until = Hold.State.INTENDED, _dates_to_try(self._work, before)[0]
        hold.tried_until, hold.tried_at = until, clock.now()
        hold.placed_at = hold.release_until = None
        hold.save()
        return hold


def is_under_way(hold: Hold, before: Subscription) -> bool:
    """Whether Billsby shows a hold that has been asked for, but not been noted as read back."""
    return (
        hold.state == Hold.State.INTENDED and hold.tried_until is not None and shows(before, hold)
    )


def earlier_hold(scope: CaseSubscription, before: Subscription) -> Hold | None:
    """A hold of an ended case on the same subscription that has not been given back yet."""
    others = Hold.objects.filter(
        scope__subscription=scope.subscription, state__in=[*STANDING, Hold.State.INTENDED]
    ).exclude(scope=scope)
    return next((hold for hold in others if shows(before, hold)), None)


def _read_back(
    work: Work, scope: CaseSubscription, hold: Hold, until: dt.date, verb: Verb
) -> Result:
    after = work.subscription(scope)
    name = str(scope.subscription)
    at = after.next_billing_at
    if not after.status.is_stopped and (at is None or at.date() < until - ONE_DAY):
        return Waits(
            WaitsFor.OUTSIDE,
            f"The desk asked Billsby to hold {name} until {date(moment_of(until), work.zone)}, but "
            f"Billsby still shows {date(at, work.zone)}. It asks again by itself.",
            again=SOON,
            is_unknown=True,
            is_failure=True,
        )
    now = clock.now()
    _know(
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
    work.has_just_held = True
    work.notes.along(
        partial(
            work.log,
            verb,
            subscription=name,
            until=date(hold.ends_at, work.zone),
            original=date(hold.original_next_billing_at, work.zone),
            **hold.evidence,
        )
    )
    return _held(work, hold, name)


def evidence_of(subscription: Subscription) -> dict[str, Any]:
    """What Billsby said, and when."""
    at = subscription.next_billing_at
    return {
        "billsby_status": subscription.status_raw,
        "billsby_next_billing": at.isoformat() if at else None,
        "read_at": clock.now().isoformat(),
    }


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
