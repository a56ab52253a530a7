"""Times in words, in the company's zone (the zone `CompanyTimeMiddleware` made current)."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from canceldesk import clock

_MINUTE = 60
_HOUR = 3600
_FORTNIGHT = 14
_TWO_MONTHS = 61


def _local_day(at: dt.datetime | dt.date) -> dt.date:
    return timezone.localtime(at).date() if isinstance(at, dt.datetime) else at


def _today() -> dt.date:
    return timezone.localtime(clock.now()).date()


def day(at: dt.datetime | dt.date) -> str:
    """`3 Dec`, or `3 Dec 2025` when it is not this year."""
    on = _local_day(at)
    short = f"{on.day} {on:%b}"
    return short if on.year == _today().year else f"{short} {on.year}"


def moment(at: dt.datetime) -> str:
    """`3 Dec, 4:05 PM`."""
    return f"{day(at)}, {_clock_face(at)}"


def full(at: dt.datetime | dt.date) -> str:
    """Everything there is to say: `Thursday, 3 December 2026, 4:05 PM EST`."""
    on = _local_day(at)
    text = f"{on:%A}, {on.day} {on:%B} {on.year}"
    if isinstance(at, dt.datetime):
        text += f", {_clock_face(at)} {timezone.localtime(at):%Z}"
    return text


def _clock_face(at: dt.datetime) -> str:
    return f"{timezone.localtime(at):%I:%M %p}".lstrip("0")


def distance(at: dt.datetime | dt.date) -> str:
    """How far from now: minutes and hours within a day, then days, weeks and months."""
    days = (_local_day(at) - _today()).days
    if days == 0:
        return _within_today(at) if isinstance(at, dt.datetime) else "today"
    if abs(days) == 1:
        return "tomorrow" if days > 0 else "yesterday"
    return _directed(_span(abs(days)), is_ahead=days > 0)


def _within_today(at: dt.datetime) -> str:
    seconds = (at - clock.now()).total_seconds()
    size = abs(seconds)
    if size < _MINUTE:
        return "now"
    if size < _HOUR:
        return _directed(_count(int(size // _MINUTE), "minute"), is_ahead=seconds > 0)
    return _directed(_count(int(size // _HOUR), "hour"), is_ahead=seconds > 0)


def _span(days: int) -> str:
    if days < _FORTNIGHT:
        return _count(days, "day")
    if days < _TWO_MONTHS:
        return _count(days // 7, "week")
    return _count(days * 12 // 365, "month")


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _directed(span: str, *, is_ahead: bool) -> str:
    return f"in {span}" if is_ahead else f"{span} ago"
