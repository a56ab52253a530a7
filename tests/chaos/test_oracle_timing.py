"""When an entry of the log was really made, with a clock that was stepped."""

from __future__ import annotations

import datetime as dt

from tests.chaos.oracle.desk import Entry
from tests.chaos.oracle.journal import Deed, Journal
from tests.chaos.oracle.timing import Timing

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


def after(seconds: float) -> dt.datetime:
    return NOON + dt.timedelta(seconds=seconds)


def stepped(*steps: tuple[float, float]) -> Journal:
    """A run that at some moments set the desk's clock so many seconds ahead."""
    return Journal(
        [Deed(after(at), "mischief", "clock", {"offset_seconds": by}) for at, by in steps]
    )


def entry(number: int, shown: float) -> Entry:
    return Entry(number, after(shown), "closing.facts", None, 1)


def test_a_clock_that_went_right_shows_every_moment_once() -> None:
    only = entry(1, 30)
    timing = Timing(stepped(), [only])
    assert timing.real(only) == timing.latest(only) == after(30)


def test_a_clock_that_was_set_back_shows_a_time_twice() -> None:
    """Set back by 40 seconds at 100, it shows 90 at 90 and once more at 130."""
    once, again = entry(1, 20), entry(2, 90)
    timing = Timing(stepped((100, -40)), [once, again])
    assert timing.real(again) == after(90)
    assert timing.latest(again) == after(130)
    assert timing.latest(once) == after(20)


def test_what_came_before_in_the_log_tells_that_it_was_the_second_time() -> None:
    """The entry before was made at 180; nobody waits longer than a minute to write one."""
    before, last = entry(1, 140), entry(2, 90)
    timing = Timing(stepped((100, -40)), [before, last])
    assert timing.real(last) == timing.latest(last) == after(130)
    assert not timing.impossible


def test_a_time_that_the_clock_never_showed_is_impossible() -> None:
    never = entry(1, 150)
    timing = Timing(stepped((100, 3600)), [never])
    assert timing.impossible == [never]
    assert timing.real(never) == timing.latest(never)
