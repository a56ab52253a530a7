"""The desk's only source of "now", so that tests can move time instead of waiting for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

_offset = dt.timedelta(0)
_frozen: dt.datetime | None = None


def now() -> dt.datetime:
    """The present moment as an aware datetime in UTC."""
    if _frozen is not None:
        return _frozen
    return dt.datetime.now(tz=dt.UTC) + _offset


def today(zone: ZoneInfo) -> dt.date:
    """Today's date where the company is."""
    return now().astimezone(zone).date()


@contextmanager
def frozen(at: dt.datetime) -> Iterator[None]:
    """Hold the clock at one aware moment; `advance` still moves it."""
    global _frozen  # noqa: PLW0603 - one clock for the process is the point
    before = _frozen
    _frozen = at.astimezone(dt.UTC)
    try:
        yield
    finally:
        _frozen = before


def advance(by: dt.timedelta) -> None:
    """Move the clock forward (tests and rehearsals only)."""
    global _frozen, _offset  # noqa: PLW0603 - one clock for the process is the point
    if _frozen is not None:
        _frozen += by
    else:
        _offset += by
