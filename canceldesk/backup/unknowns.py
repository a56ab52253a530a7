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
from canceldesk.clients.models import Subscription
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
    """Write down the holds that were placed after the backup for cases that were open in it.

    Else nobody would know the date they replaced: the copy of Billsby in the backup still does, but
    only until it is brought up to date.
    """
    scopes, holds = list(_without_a_hold()), 0
    if not scopes:
        return Adopted()
    try:
        billsby = outside.billsby()
        for scope in scopes:
            with suppress(NotFound):
                holds += _adopt(billsby, scope, made_at)
    except (NotSetUpError, BillsbyError) as problem:
        return Adopted(holds, str(problem))
    return Adopted(holds)


def _without_a_hold() -> Iterator[CaseSubscription]:
    scopes = CaseSubscription.objects.filter(is_open=True).select_related("case", "subscription")
    for scope in scopes:
        if not holds.is_standing(holds.hold_of(scope)):
            yield scope


def _adopt(billsby: Billsby, scope: CaseSubscription, made_at: dt.datetime) -> bool:
    before, now = scope.subscription, billsby.subscription(scope.subscription.billsby_id)
    at = now.next_billing_at
    if at is None or not _is_held_since(before, now, made_at):
        return False
    hold, _ = Hold.objects.update_or_create(
        scope=scope,
        defaults={
            "state": Hold.State.HELD,
            "original_status": before.status,
            "original_next_billing_at": before.next_billing_at,
            "until": at.date(),
            "tried_until": None,
            "placed_at": clock.now(),
            "read_at": clock.now(),
            "release_until": None,
            "evidence": holds.evidence_of(now),
        },
    )
    holds.supersede_earlier(scope, now)
    zone = configuration.zone()
    log.record(
        Verb.HOLD_PLACED,
        case=scope.case,
        subscription=str(before),
        until=date(hold.ends_at, zone),
        original=date(before.next_billing_at, zone),
        found_after_restore=True,
        **hold.evidence,
    )
    return True


def _is_held_since(before: Subscription, now: BillsbySubscription, made_at: dt.datetime) -> bool:
    """Whether Billsby shows a pause that was not there before, to a date that a hold of the desk's
    own, placed since then, would be to.
    """
    at = now.next_billing_at
    was_paused = before.status == SubscriptionStatus.PAUSED.value
    if now.status is not SubscriptionStatus.PAUSED or was_paused or at is None:
        return False
    lengths = [configuration.whole("HOLD_DAYS"), *holds.SHORTER_DAYS]
    first, last = made_at.date() - holds.ONE_DAY, clock.now().date() + holds.ONE_DAY
    return any(first <= at.date() - dt.timedelta(days=days) <= last for days in lengths)
