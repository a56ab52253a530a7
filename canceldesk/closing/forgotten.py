"""Days of which the desk has forgotten what it did: it was put back to a backup from before them
(`backup.restoring`). What it wrote and held then is still on the list and in Billsby.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from canceldesk.cases.log import Verb
from canceldesk.cases.models import NUMBER, Case, LogEntry
from canceldesk.configuration import services as configuration

Days = tuple[dt.date, dt.date]


def days() -> list[Days]:
    """From which day to which, where the company is: one pair for each restore."""
    zone = configuration.zone()
    # Of no case and no client, so that the log's indexes leave only few entries to look at.
    restores = LogEntry.objects.filter(verb=Verb.DESK_RESTORED, case=None, client=None)
    return [
        (
            dt.datetime.fromisoformat(data["since"]).astimezone(zone).date(),
            at.astimezone(zone).date(),
        )
        for at, data in restores.values_list("at", "data")
    ]


def is_among(day: dt.date | None, forgotten: Sequence[Days]) -> bool:
    """Whether a day is one of them."""
    return day is not None and any(first <= day <= last for first, last in forgotten)


def is_number_of_nobody(reference: str) -> bool:
    """Whether this is a case number that no case has."""
    match = NUMBER.fullmatch(reference)
    return match is not None and not Case.objects.filter(pk=int(match[1])).exists()
