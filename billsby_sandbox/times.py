"""Moments as Billsby writes them, and the steps of a billing cycle. All times are aware UTC."""

from __future__ import annotations

import datetime as dt

from dateutil.relativedelta import relativedelta

BATCH_MINUTES = 5
"""Invoices are charged in batches at :00, :05, :10 ... (billsby.md 2.1)."""


def kept(moment: dt.datetime) -> str:
    """The text a moment is stored as; it sorts in the order of time."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


def in_list(moment: dt.datetime) -> str:
    """As Billsby's lists write it: `2019-08-29T09:40:27.590Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def in_detail(moment: dt.datetime) -> str:
    """As Billsby's details and webhooks write it: microseconds and no zone."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")


def parsed(text: str) -> dt.datetime:
    """A moment from a date or an ISO 8601 timestamp; UTC where no zone is given.

    Raises ValueError for anything else.
    """
    moment = dt.datetime.fromisoformat(text)
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def next_batch(moment: dt.datetime) -> dt.datetime:
    """The first five-minute batch after a moment."""
    floor = moment.replace(
        minute=moment.minute - moment.minute % BATCH_MINUTES, second=0, microsecond=0
    )
    return floor + dt.timedelta(minutes=BATCH_MINUTES)


def period_end(start: dt.datetime, frequency: int, unit: str, anchor_day: int) -> dt.datetime:
    """When the billing period that starts at `start` ends and the next begins.

    `unit` is Weekly, Monthly or Yearly. `anchor_day` is the day of the month billing began on:
    a client who joined on the 31st is billed on 28 February and again on 31 March.
    """
    if unit == "Weekly":
        return start + dt.timedelta(weeks=frequency)
    months = frequency * (12 if unit == "Yearly" else 1)
    return start + relativedelta(months=months, day=anchor_day)
