"""Clients who are paused for a case that the desk has forgotten: nobody would ever start or stop
them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress

from canceldesk.billsby import Billsby, NotFound, SubscriptionStatus
from canceldesk.cases.models import OPEN_STATES, CaseSubscription, Finding, State
from canceldesk.checks.book import Book, Wrong
from canceldesk.clients.models import Subscription
from canceldesk.closing import forgotten, holds
from canceldesk.closing.shown import date
from canceldesk.configuration import services as configuration


def find(book: Book, billsby: Billsby) -> Iterator[Wrong]:
    """One for each paused service without a case whose next charge is as far away as a hold of a
    forgotten day put it. Who is on the list is found as still billing. Raises BillsbyError.
    """
    days = forgotten.days()
    listed = {book.client_of(row) for row in book.view.rows}
    for service in _paused_for_nobody() if days else ():
        if service.client_id in listed:
            continue
        with suppress(NotFound):
            now = billsby.subscription(service.billsby_id)
            at = now.next_billing_at
            if now.status is SubscriptionStatus.PAUSED and at and _is_a_holds(at.date(), days):
                yield _wrong(service, at)


def _paused_for_nobody() -> Iterator[Subscription]:
    in_a_case = CaseSubscription.objects.filter(
        case__state__in=[*OPEN_STATES, State.CLOSED]
    ).values("subscription")
    paused = Subscription.objects.filter(
        status=SubscriptionStatus.PAUSED.value, client__gone_at=None
    )
    yield from paused.exclude(pk__in=in_a_case).select_related("client")


def _is_a_holds(until: dt.date, days: list[forgotten.Days]) -> bool:
    lengths = [configuration.whole("HOLD_DAYS"), *holds.SHORTER_DAYS]
    return any(
        first - holds.ONE_DAY <= until - dt.timedelta(days=length) <= last + holds.ONE_DAY
        for first, last in days
        for length in lengths
    )


def _wrong(service: Subscription, at: dt.datetime) -> Wrong:
    return Wrong(
        Finding.Kind.NOT_LISTED,
        service.billsby_id,
        f"{service.client} is not on the list, but {service} is paused in Billsby until "
        f"{date(at, configuration.zone())}, as the desk itself would hold it, and no case says "
        "why: the desk was put back to a backup from before. If they asked to stop, file their "
        "request again; else use Change bill date in Billsby.",
        client=service.client,
    )
