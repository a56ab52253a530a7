"""Whose row goes on the list first, when rows had to wait for a workbook that was in use.

The newest row is to be on top. Rows of one day go on in the order in which their passes come, and
those that come together are saved together (`workbook.gathering`); but a row of an earlier day
must not come to stand above one of a later day only because the desk looked there again later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from canceldesk import clock
from canceldesk.cases import waking
from canceldesk.cases.models import Case, State
from canceldesk.closing.models import Step
from canceldesk.workbook.protocol import NewRow

QUEUED: Final[Mapping[str, object]] = {"queued": True}
"""Evidence of a step that waits only because the list was in use."""

_OVERDUE: Final = dt.timedelta(minutes=2)
"""A case whose pass does not come for so long keeps no other waiting."""


def one_before(case: Case, row: NewRow) -> Case | None:
    """A case whose row of an earlier day still queues for the list; it is made due now."""
    now = clock.now()
    queued = Step.objects.filter(
        name=Step.Name.DOCUMENT,
        state=Step.State.WAITING,
        evidence__queued=True,
        case__state=State.CLOSING,
        case__facts__cancelled_on__lt=row.cancelled_on,
        case__next_pass_at__gt=now - _OVERDUE,
    )
    first = (
        queued.exclude(case=case)
        .select_related("case")
        .order_by("case__facts__cancelled_on", "case_id")
        .first()
    )
    if first is None:
        return None
    if first.case.next_pass_at is not None and first.case.next_pass_at > now:
        waking.wake(first.case_id)
    return first.case
