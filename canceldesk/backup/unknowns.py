"""What was done outside between the backup and the restore, as far as it can be read or must be
left to people: holds at Billsby, e-mails to clients.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from canceldesk import clock, outside
from canceldesk.billsby import Billsby, BillsbyError, NotFound, SubscriptionStatus
from canceldesk.billsby import Subscription as BillsbySubscription
from canceldesk.cases import log
from canceldesk.cases.log import Verb
from canceldesk.cases.models import OPEN_STATES, Case, CaseSubscription
from canceldesk.closing import holds
from canceldesk.closing.models import Hold, Intent
from canceldesk.closing.shown import date
from canceldesk.closing.steps import confirm
from canceldesk.configuration import services as configuration
from canceldesk.outside import NotSetUpError

NOT_KNOWN_IF_TOLD: Final = (
    "The desk was put back to a backup while this case was open, so it is not known whether the "
    "client has been told already."
)


@dataclass(frozen=True)
class Adopted:
    """How many holds were taken over; `problem` is why not all could be looked for."""

    holds: int = 0
    problem: str = ""


def leave_telling_to_people() -> None:
    """An e-mail cannot be read back, so in cases that are open a person tells the client."""
    for case in Case.objects.filter(state__in=OPEN_STATES):
        intents = Intent.objects.filter(case=case, kind=Intent.Kind.CONFIRM)
        if intents.filter(state=Intent.State.CONFIRMED).exists():
            continue
        Intent.objects.update_or_create(
            case=case,
            kind=Intent.Kind.CONFIRM,
            target="email",
            # Refused, so that it does not pass for a client who has been told: a decision could
            # not be taken back then.
            defaults={
                "state": Intent.State.REFUSED,
                "request": {"tries": confirm.TRIES},
                "answer": {"why": NOT_KNOWN_IF_TOLD},
            },
            create_defaults={
                "state": Intent.State.REFUSED,
                "request": {"tries": confirm.TRIES},
                "answer": {"why": NOT_KNOWN_IF_TOLD},
                "created_at": clock.now(),
            },
        )


def adopt_holds(made_at: dt.datetime) -> Adopted:
    """Write down the holds that were placed or renewed after the backup for cases that were open in
    it.

    Else nobody would know the date they replaced: the copy of Billsby in the backup still does, but
    only until it is brought up to date.
    """
    scopes, adopted = list(_possibly_held_since()), 0
    if not scopes:
        return Adopted()
    try:
        billsby = outside.billsby()
        for scope in scopes:
            with suppress(NotFound):
                adopted += _adopt(billsby, scope, made_at)
    except (NotSetUpError, BillsbyError) as problem:
        return Adopted(adopted, str(problem))
    return Adopted(adopted)


def _possibly_held_since() -> Iterator[CaseSubscription]:
    """What is in an open case and had no hold, or one that it has become time to renew."""
    today = clock.now().date()
    scopes = CaseSubscription.objects.filter(is_open=True).select_related("case", "subscription")
    for scope in scopes:
        hold = holds.hold_of(scope)
        if hold is None or not holds.is_standing(hold) or holds.runs_out(today, hold):
            yield scope


def _adopt(billsby: Billsby, scope: CaseSubscription, made_at: dt.datetime) -> bool:
    before, now = scope.subscription, billsby.subscription(scope.subscription.billsby_id)
    if not _is_held_to_a_date_since(now, made_at):
        return False
    hold = holds.hold_of(scope)
    if hold is not None and holds.is_standing(hold):
        if holds.shows(now, hold):
            return False
        _keep(hold, now, Verb.HOLD_RENEWED)
        return True
    if before.status == SubscriptionStatus.PAUSED.value:
        return False
    hold = hold or Hold(scope=scope)
    hold.original_status = before.status
    hold.original_next_billing_at = before.next_billing_at
    holds.supersede_earlier(scope, now)
    _keep(hold, now, Verb.HOLD_PLACED)
    return True


def _keep(hold: Hold, now: BillsbySubscription, verb: Verb) -> None:
    assert now.next_billing_at is not None  # noqa: S101 - it was held to a date
    hold.state = Hold.State.HELD
    hold.until, hold.tried_until = now.next_billing_at.date(), None
    hold.placed_at = hold.read_at = clock.now()
    hold.release_until, hold.evidence = None, holds.evidence_of(now)
    hold.save()
    zone = configuration.zone()
    log.record(
        verb,
        case=hold.scope.case,
        subscription=str(hold.scope.subscription),
        until=date(hold.ends_at, zone),
        original=date(hold.original_next_billing_at, zone),
        found_after_restore=True,
        **hold.evidence,
    )


def _is_held_to_a_date_since(now: BillsbySubscription, made_at: dt.datetime) -> bool:
    """Whether Billsby shows a pause to a date that a hold of the desk's own, placed or renewed
    since then, would be to.
    """
    at = now.next_billing_at
    if now.status is not SubscriptionStatus.PAUSED or at is None:
        return False
    lengths = [configuration.whole("HOLD_DAYS"), *holds.SHORTER_DAYS]
    first, last = made_at.date() - holds.ONE_DAY, clock.now().date() + holds.ONE_DAY
    return any(first <= at.date() - dt.timedelta(days=days) <= last for days in lengths)
