"""The clock: real unless it is held, and movable either way."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk import clock

NEW_YORK = ZoneInfo("America/New_York")
NOON = dt.datetime(2026, 3, 8, 12, 0, tzinfo=dt.UTC)
SOON = dt.timedelta(seconds=5)


@pytest.fixture
def _moved_back() -> Iterator[None]:
    before = clock._offset
    yield
    clock._offset = before


def test_now_is_the_present_in_utc() -> None:
    assert clock.now().tzinfo is dt.UTC
    assert abs(clock.now() - dt.datetime.now(tz=dt.UTC)) < SOON


@pytest.mark.usefixtures("_moved_back")
def test_a_running_clock_can_be_moved_ahead_and_goes_on() -> None:
    clock.advance(dt.timedelta(days=30))
    clock.advance(dt.timedelta(days=1))
    ahead = clock.now() - dt.datetime.now(tz=dt.UTC)
    assert abs(ahead - dt.timedelta(days=31)) < SOON


def test_a_held_clock_stands_still_until_it_is_moved() -> None:
    with clock.frozen(NOON):
        assert clock.now() == clock.now() == NOON
        clock.advance(dt.timedelta(hours=2))
        assert clock.now() == NOON + dt.timedelta(hours=2)


def test_a_clock_let_go_tells_the_real_time_again() -> None:
    with clock.frozen(NOON):
        clock.advance(dt.timedelta(days=900))
    assert abs(clock.now() - dt.datetime.now(tz=dt.UTC)) < SOON


def test_a_clock_is_let_go_even_when_something_breaks() -> None:
    with pytest.raises(RuntimeError), clock.frozen(NOON):
        raise RuntimeError
    assert clock.now() != NOON


def test_holding_within_holding_goes_back_to_the_outer_moment() -> None:
    later = NOON + dt.timedelta(days=1)
    with clock.frozen(NOON):
        with clock.frozen(later):
            assert clock.now() == later
        assert clock.now() == NOON


def test_a_moment_given_in_another_zone_is_told_in_utc() -> None:
    with clock.frozen(dt.datetime(2026, 3, 8, 8, 0, tzinfo=NEW_YORK)):
        assert clock.now() == NOON
        assert clock.now().tzinfo is dt.UTC


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (dt.datetime(2026, 3, 2, 4, 59, 59, tzinfo=dt.UTC), dt.date(2026, 3, 1)),
        (dt.datetime(2026, 3, 2, 5, 0, tzinfo=dt.UTC), dt.date(2026, 3, 2)),
        # the night the clocks go forward: midnight is still five hours behind
        (dt.datetime(2026, 3, 8, 4, 59, 59, tzinfo=dt.UTC), dt.date(2026, 3, 7)),
        (dt.datetime(2026, 3, 9, 3, 59, 59, tzinfo=dt.UTC), dt.date(2026, 3, 8)),
        (dt.datetime(2026, 3, 9, 4, 0, tzinfo=dt.UTC), dt.date(2026, 3, 9)),
    ],
)
def test_today_is_the_date_where_the_company_is(moment: dt.datetime, day: dt.date) -> None:
    with clock.frozen(moment):
        assert clock.today(NEW_YORK) == day


@given(st.lists(st.timedeltas(min_value=dt.timedelta(0), max_value=dt.timedelta(days=400))))
def test_moves_of_a_held_clock_add_up(steps: list[dt.timedelta]) -> None:
    with clock.frozen(NOON):
        for step in steps:
            clock.advance(step)
        assert clock.now() - NOON == sum(steps, dt.timedelta(0))
