"""Amounts and dates in sentences."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

_SIGNS = {"USD": "$", "GBP": "£", "EUR": "€", "CAD": "CA$", "AUD": "A$"}


def money(minor: int, currency: str) -> str:
    """`4900, "USD"` as `$49.00`. Billsby's amounts are always hundredths (billsby.md 3)."""
    sign = _SIGNS.get(currency, f"{currency} " if currency else "")
    return f"{'-' if minor < 0 else ''}{sign}{abs(minor) // 100:,}.{abs(minor) % 100:02d}"


def date(at: dt.datetime | dt.date | None, zone: ZoneInfo) -> str:
    """A date as people say it: `3 Dec 2026`."""
    if at is None:
        return "no date"
    day = at.astimezone(zone).date() if isinstance(at, dt.datetime) else at
    return f"{day.day} {day:%b %Y}"


def time(at: dt.datetime, zone: ZoneInfo) -> str:
    """A time of day as people say it: `4:05 PM`."""
    return f"{at.astimezone(zone):%I:%M %p}".lstrip("0")
