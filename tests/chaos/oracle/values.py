"""Moments, JSON and texts as databases, Billsby and workbooks write them."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

_NOT_PRINTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LONGEST_CELL = 32767

LONG_AGO = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)


def moment(value: Any) -> dt.datetime | None:
    """An aware UTC moment of a datetime or an ISO text; without a zone it is UTC already."""
    if value in {None, ""}:
        return None
    found = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    return found.replace(tzinfo=found.tzinfo or dt.UTC).astimezone(dt.UTC)


def certain(value: Any) -> dt.datetime:
    """As `moment`, for columns that are never empty."""
    found = moment(value)
    if found is None:
        raise ValueError("A moment is missing.")
    return found


def parsed(value: Any) -> Any:
    """What JSON text says; what is parsed already stays as it is."""
    if not isinstance(value, str):
        return value
    return json.loads(value) if value else {}


def plain(text: Any) -> str:
    """A text without regard to spacing, as a cell can hold it."""
    cleaned = _NOT_PRINTED.sub("", str(text if text is not None else ""))
    return " ".join(cleaned[:_LONGEST_CELL].split())


def digits(text: Any) -> str:
    """Only the digits of a text."""
    return re.sub(r"\D", "", str(text if text is not None else ""))


def money(minor: int) -> str:
    """An amount as people read it."""
    return f"{minor / 100:.2f}"


def day_after(start: dt.date, months: int) -> dt.date:
    """The same day some months later, or the last one of a month that is too short for it."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    for day in range(start.day, start.day - 4, -1):
        try:
            return dt.date(year, month + 1, day)
        except ValueError:
            continue
    raise ValueError(f"{months} months after {start} there is no day.")


def whole_months(start: dt.date, end: dt.date) -> int:
    """How many whole months lie between two days; 0 when the end comes first."""
    months = 0
    while day_after(start, months + 1) <= end:
        months += 1
    return months
