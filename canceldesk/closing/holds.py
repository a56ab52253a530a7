"""What is known of a hold, and what Billsby shows of it. `holding` places and lifts holds,
`giving_back` gives back what they replaced.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

from canceldesk import clock
from canceldesk.billsby import Subscription, SubscriptionStatus
from canceldesk.cases.models import CaseSubscription, State
from canceldesk.closing.models import Hold
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration

# Billsby's longest renewal date is undocumented; when the wanted one is refused, these are tried.
SHORTER_DAYS = (90, 35)
SOON = dt.timedelta(seconds=10)
ONE_DAY = dt.timedelta(days=1)
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


def is_under_way(hold: Hold, before: Subscription) -> bool:
    """Whether Billsby shows a hold that has been asked for, but not been noted as read back."""
    return (
        hold.state == Hold.State.INTENDED and hold.tried_until is not None and shows(before, hold)
    )


def earlier_hold(scope: CaseSubscription, before: Subscription) -> Hold | None:
    """A hold of an ended case on the same subscription that has not been given back yet."""
    return _standing_in_for(_others(scope), before)


def supersede_earlier(scope: CaseSubscription, before: Subscription) -> Hold | None:
    """End what ended cases still know of their holds on a subscription that is held for `scope`
    from now on: both would be held until the same day, and theirs must not be given back over its
    head. A closed case's hold stays: it is how the service was stopped. Gives the one that had not
    been given back yet. Call it inside the fence.
    """
    others = _others(scope)
    known = [one.pk for one in others if not (one.state == Hold.State.OVER or _is_the_stop(one))]
    if known:
        Hold.objects.filter(pk__in=known).update(state=Hold.State.OVER)
    return _standing_in_for(others, before)


def _others(scope: CaseSubscription) -> list[Hold]:
    """Holds of other cases on a subscription, the newest first."""
    others = Hold.objects.filter(scope__subscription=scope.subscription).exclude(scope=scope)
    return list(others.select_related("scope__case").order_by("-pk"))


def _is_the_stop(hold: Hold) -> bool:
    """Whether the hold may be how a closed case stopped the service: then it is never given back,
    and its far date is the one to give back to whoever is held after it.
    """
    return hold.scope.case.state == State.CLOSED


def _standing_in_for(others: list[Hold], before: Subscription) -> Hold | None:
    """The hold whose date Billsby shows in place of the one it replaced. One that is known to be
    over shows, too, when the call that was to take its place never came.
    """
    not_over = {*STANDING, Hold.State.INTENDED}
    is_paused = before.status is SubscriptionStatus.PAUSED
    shown = next(
        (one for one in others if (is_paused or one.state in not_over) and shows(before, one)),
        None,
    )
    return None if shown is None or _is_the_stop(shown) else shown


def runs_out(today: dt.date, hold: Hold) -> bool:
    """Whether it is time to renew. Where Billsby accepts only short holds, that is at half time,
    so that a hold is not renewed at every look.
    """
    left = hold.until - today
    length = hold.until - (hold.read_at.date() if hold.read_at else today)
    renew = dt.timedelta(days=configuration.whole("HOLD_RENEW_DAYS"))
    return left <= min(renew, length / 2)


def protects(subscription: Subscription, hold: Hold) -> bool:
    """Whether Billsby's next charge is as far away as the hold put it. Time of day and zone of a
    renewal are undocumented (billsby.md 3), so a day either way is the same date.
    """
    at = subscription.next_billing_at
    return at is not None and at.date() >= hold.until - ONE_DAY


def shows(subscription: Subscription, hold: Hold) -> bool:
    """Whether the date Billsby shows is the hold's own."""
    return day_shown(subscription, hold) is not None


def day_shown(subscription: Subscription, hold: Hold) -> dt.date | None:
    """The hold's own date if Billsby shows it: the one that was sent last and whose answer may have
    been lost, or the one read back.
    """
    own = [day for day in (hold.tried_until, hold.until) if day is not None]
    return next((day for day in own if is_charged_on(subscription, day)), None)


def came_with(hold: Hold | None, subscription: Subscription) -> bool:
    """Whether Billsby has called the subscription so since the hold was read back, and still shows
    the hold's date: then it is this account's word for paused, which is undocumented (billsby.md
    1.1), and letting the hold run out over it would charge the client.
    """
    return (
        hold is not None
        and is_standing(hold)
        and subscription.status_raw == hold.evidence.get("billsby_status")
        and shows(subscription, hold)
    )


def is_charged_on(subscription: Subscription, day: dt.date) -> bool:
    """Whether Billsby's next charge is on this day, with the same day's grace."""
    at = subscription.next_billing_at
    return at is not None and abs(at.date() - day) <= ONE_DAY


def evidence_of(subscription: Subscription) -> dict[str, Any]:
    """What Billsby said, and when."""
    at = subscription.next_billing_at
    return {
        "billsby_status": subscription.status_raw,
        "billsby_next_billing": at.isoformat() if at else None,
        "read_at": clock.now().isoformat(),
    }


def change(hold: Hold, **values: Any) -> bool:  # noqa: ANN401 - model fields
    """Change a hold unless a person has changed its state meanwhile (asked for a release)."""
    if not _store(hold, hold.state, values):
        return False
    for name, value in values.items():
        setattr(hold, name, value)
    return True


def know(work: Work, hold: Hold, **values: Any) -> None:  # noqa: ANN401 - model fields
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


def _store(hold: Hold, before: str, values: dict[str, Any]) -> bool:
    stored = Hold.objects.filter(pk=hold.pk, state=before).update(**values)
    if not stored:
        hold.refresh_from_db()
    return bool(stored)
