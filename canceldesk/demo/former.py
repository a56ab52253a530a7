"""The rows of the sample workbook: Billsby's stopped clients, and invented ones of older days."""

from __future__ import annotations

import datetime as dt
import random

from canceldesk.billsby import Billsby, SubscriptionSummary
from canceldesk.workbook.protocol import NewRow

ROWS = 40
REASONS = (
    "Too expensive",
    "Money is short right now",
    "Not seeing results",
    "Not using it",
    "Unhappy with the service",
    "Switching to someone else",
    "Goal reached",
    "Moving or personal reasons",
)
_FIRST_NAMES = ("Adele", "Boris", "Carmen", "Dexter", "Elodie", "Fergus", "Greta", "Hamish")
_LAST_NAMES = ("Ashworth", "Brandt", "Corrigan", "Delacroix", "Eastman", "Fairweather")
_MONTHLY = (7900, 9900, 14900, 19900)


def rows(billsby: Billsby, today: dt.date) -> list[NewRow]:
    """Forty rows, the newest first, the same for the same Billsby and day.

    Raises BillsbyError.
    """
    rng = random.Random(40)  # noqa: S311 - no secret, the same each time
    stopped = [one for one in billsby.subscriptions() if one.status.is_stopped]
    found = [_stopped(billsby, one, today, rng) for one in stopped]
    names = [(first, last) for first in _FIRST_NAMES for last in _LAST_NAMES]
    for first, last in rng.sample(names, ROWS - len(found)):
        found.append(_invented(f"{first} {last}", today, rng))
    return sorted(found, key=lambda row: row.cancelled_on, reverse=True)


def _stopped(
    billsby: Billsby, summary: SubscriptionSummary, today: dt.date, rng: random.Random
) -> NewRow:
    client = billsby.customer(summary.customer_id)
    started_on = summary.created_on.date() if summary.created_on else today
    cancelled_on = max(today - dt.timedelta(days=rng.randint(14, 220)), started_on)
    return NewRow(
        name=client.name,
        phone=client.phone,
        cancelled_on=cancelled_on,
        collected_minor=client.total_paid_minor or 0,
        currency=client.currency or "USD",
        months=(cancelled_on - started_on).days // 30,
        reason=rng.choice(REASONS),
    )


def _invented(name: str, today: dt.date, rng: random.Random) -> NewRow:
    months = rng.randint(1, 28)
    return NewRow(
        name=name,
        phone=f"+1 {rng.randint(201, 989)} 555 01{rng.randint(0, 99):02d}",
        cancelled_on=today - dt.timedelta(days=rng.randint(20, 700)),
        collected_minor=months * rng.choice(_MONTHLY),
        currency="USD",
        months=months,
        reason=rng.choice(REASONS),
    )
