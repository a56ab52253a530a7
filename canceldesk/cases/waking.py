"""Saying that a case should be looked at. The row in the database is what counts; the signal
only makes the engine look sooner than its next sweep would.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F, QuerySet
from django.dispatch import Signal

from canceldesk import clock
from canceldesk.cases import lease as leases
from canceldesk.cases.models import OPEN_STATES, Case

case_woken = Signal()


def wake(case_id: int) -> None:
    """Make a pass over the case due now; the engine hears of it when this is committed."""
    Case.objects.filter(pk=case_id).update(
        next_pass_at=clock.now(), wake_count=F("wake_count") + 1, version=F("version") + 1
    )
    # Robust: what is stored stays stored, and said to be so, even if the engine cannot be told.
    transaction.on_commit(lambda: case_woken.send(sender=Case, case_id=case_id), robust=True)


def hurry(now: dt.datetime) -> int:
    """Make every open case that waits for a later time due now; gives how many did."""
    waiting = Case.objects.filter(state__in=OPEN_STATES, next_pass_at__gt=now)
    return waiting.update(next_pass_at=now)


def due(now: dt.datetime) -> QuerySet[Case]:
    """Cases whose pass is due and that nobody is working on, the longest due first."""
    return Case.objects.filter(leases.free(now), next_pass_at__lte=now).order_by(
        "next_pass_at", "pk"
    )
