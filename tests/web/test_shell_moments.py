"""Times in words."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from canceldesk import clock
from canceldesk.web import moments

NEW_YORK = ZoneInfo("America/New_York")
NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)


def _distance(**ahead: float) -> str:
    with clock.frozen(NOW), timezone.override(NEW_YORK):
        return moments.distance(NOW + dt.timedelta(**ahead))


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        ({"seconds": 59}, "now"),
        ({"seconds": -59}, "now"),
        ({"minutes": 1}, "in 1 minute"),
        ({"minutes": -59}, "59 minutes ago"),
        ({"hours": 3}, "in 3 hours"),
        ({"hours": -1}, "1 hour ago"),
        ({"days": 1}, "tomorrow"),
        ({"days": -1}, "yesterday"),
        ({"days": 2}, "in 2 days"),
        ({"days": 13}, "in 13 days"),
        ({"days": -14}, "2 weeks ago"),
        ({"days": 60}, "in 8 weeks"),
        ({"days": 61}, "in 2 months"),
        ({"days": -365}, "12 months ago"),
    ],
)
def test_a_distance_is_said_as_people_say_it(ahead: dict[str, float], words: str) -> None:
    assert _distance(**ahead) == words


def test_tomorrow_begins_at_midnight_where_the_company_is() -> None:
    midnight = dt.datetime(2026, 11, 21, 0, 0, tzinfo=NEW_YORK)
    with clock.frozen(NOW), timezone.override(NEW_YORK):
        assert moments.distance(midnight - dt.timedelta(seconds=1)) == "in 13 hours"
        assert moments.distance(midnight) == "tomorrow"


def test_a_date_has_no_hours() -> None:
    with clock.frozen(NOW), timezone.override(NEW_YORK):
        today = dt.date(2026, 11, 20)
        assert moments.distance(today) == "today"
        assert moments.distance(today + dt.timedelta(days=2)) == "in 2 days"
        assert moments.full(today) == "Friday, 20 November 2026"


def test_the_year_is_said_when_it_is_another() -> None:
    with clock.frozen(NOW), timezone.override(NEW_YORK):
        assert moments.day(dt.date(2026, 12, 3)) == "3 Dec"
        assert moments.day(dt.date(2027, 1, 3)) == "3 Jan 2027"


def test_a_moment_late_in_the_evening_belongs_to_the_companys_day() -> None:
    at = dt.datetime(2026, 12, 4, 2, 5, tzinfo=dt.UTC)
    with clock.frozen(NOW), timezone.override(NEW_YORK):
        assert moments.moment(at) == "3 Dec, 9:05 PM"
        assert moments.full(at) == "Thursday, 3 December 2026, 9:05 PM EST"


@given(st.timedeltas(dt.timedelta(days=-9000), dt.timedelta(days=9000)))
def test_every_distance_points_the_right_way(ahead_by: dt.timedelta) -> None:
    at = NOW + ahead_by
    with clock.frozen(NOW), timezone.override(NEW_YORK):
        words = moments.distance(at)
    ahead = words.startswith("in ") or words == "tomorrow"
    behind = words.endswith(" ago") or words == "yesterday"
    assert [ahead, behind, words == "now"].count(True) == 1
    if words != "now":
        assert ahead == (at > NOW)
