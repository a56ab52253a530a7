"""When a client is charged next, as Billsby was last read."""

from __future__ import annotations

import datetime as dt

from canceldesk.cases.models import Case
from canceldesk.clients.models import Subscription

_NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)


def next_charge(case: Case) -> Subscription | None:
    """The subscription in scope that is charged first; None when nothing is charged any more.

    With `scope__subscription` prefetched it asks nothing. A case that has ended keeps the clock
    it ended with; the copy of its subscriptions goes on.
    """
    charged = [
        scope.subscription
        for scope in case.scope.all()
        if scope.subscription.is_live and scope.subscription.next_billing_at is not None
    ]
    return min(charged, key=lambda one: one.next_billing_at or _NEVER, default=None)
