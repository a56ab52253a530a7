"""Saying that a case should be looked at. The row in the database is what counts; the signal
only makes the engine look sooner than its next sweep would.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.dispatch import Signal

from canceldesk import clock
from canceldesk.cases import lease as leases
from canceldesk.cases.models import OPEN_STATES, Case, CaseSubscription, State, WaitsFor

case_woken = Signal()


def wake(case_id: int) -> None:
    """Make a pass over the case due now; the engine hears of it when this is committed."""
    wake_all(Case.objects.filter(pk=case_id))
    # Robust: what is stored stays stored, and said to be so, even if the engine cannot be told.
    transaction.on_commit(lambda: case_woken.send(sender=Case, case_id=case_id), robust=True)


def wake_others_about(case: Case) -> None:
    """Make passes over other cases due now that are about what this case is or was about: those
    that are open, and those that are watched after closing.
    """
    is_watched = Q(case__state=State.CLOSED, case__next_pass_at__isnull=False)
    shared = CaseSubscription.objects.filter(
        Q(is_open=True) | is_watched, subscription__in=case.scope.values("subscription")
    )
    for other in shared.exclude(case=case).values_list("case", flat=True).distinct():
        wake(other)


def wake_all(cases: QuerySet[Case]) -> int:
    """Make passes over many cases due now; gives how many. The engine finds them by its next sweep,
    after those whom somebody wakes one by one meanwhile.
    """
    return cases.order_by().update(
        next_pass_at=clock.now(), wake_count=F("wake_count") + 1, version=F("version") + 1
    )


def hurry(now: dt.datetime, *, watched_until: dt.datetime) -> int:
    """Make every case due now that is planned for later; gives how many. One that is merely watched
    only if it is planned for after `watched_until`.
    """
    is_merely_watched = Q(
        waits_for=WaitsFor.TIME, failures=0, next_pass_at__lte=watched_until
    ) & ~Q(state__in=OPEN_STATES)
    return Case.objects.filter(~is_merely_watched, next_pass_at__gt=now).update(next_pass_at=now)


def due(now: dt.datetime) -> QuerySet[Case]:
    """Cases whose pass is due and that nobody is working on, the longest due first."""
    return Case.objects.filter(leases.free(now), next_pass_at__lte=now).order_by(
        "next_pass_at", "pk"
    )
