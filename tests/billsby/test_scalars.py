"""Times, money, IDs and texts are read as Billsby writes them, and refused where a guess costs."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.billsby.scalars import (
    read_amount,
    read_count,
    read_id,
    read_mapping,
    read_minor,
    read_optional_id,
    read_text,
    read_time,
)

moments = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1))  # noqa: DTZ001
zones = st.integers(min_value=-14 * 60, max_value=14 * 60).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2019-08-29T09:40:27.590Z", datetime(2019, 8, 29, 9, 40, 27, 590000, UTC)),
        ("2020-12-21T15:59:19.095789", datetime(2020, 12, 21, 15, 59, 19, 95789, UTC)),
        ("2020-12-21T15:59:19.0957891", datetime(2020, 12, 21, 15, 59, 19, 95789, UTC)),
        ("2020-12-21T15:59:19.0957891Z", datetime(2020, 12, 21, 15, 59, 19, 95789, UTC)),
        ("2020-12-21T15:59:19", datetime(2020, 12, 21, 15, 59, 19, 0, UTC)),
        ("2020-12-21T15:59:19+02:00", datetime(2020, 12, 21, 13, 59, 19, 0, UTC)),
        ("2020-12-21T15:59:19-0530", datetime(2020, 12, 21, 21, 29, 19, 0, UTC)),
        ("2020-04-29 10:16:25.474000+00:00", datetime(2020, 4, 29, 10, 16, 25, 474000, UTC)),
        ("2021-01-01", datetime(2021, 1, 1, tzinfo=UTC)),
        ("  2021-01-01T00:00:00z ", datetime(2021, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_with_and_without_zone_and_fraction(raw, expected):
    assert read_time(raw) == expected


@given(moment=moments, digits=st.integers(min_value=3, max_value=7), zoned=st.booleans())
def test_three_to_seven_digits_of_a_second_are_read_and_no_zone_means_utc(moment, digits, zoned):
    fraction = f"{moment.microsecond:06d}0"[:digits]
    raw = f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction}" + ("Z" if zoned else "")
    exact = moment.replace(microsecond=int(fraction[:6].ljust(6, "0")), tzinfo=UTC)
    assert read_time(raw) == exact


@given(moment=moments, zone=zones)
def test_any_zone_becomes_the_same_moment_in_utc(moment, zone):
    there = moment.replace(tzinfo=zone)
    read = read_time(there.isoformat())
    assert read == there
    assert read is not None
    assert read.tzinfo is UTC


@given(day=st.dates(min_value=date(1971, 1, 1), max_value=date(2200, 1, 1)))
def test_a_day_alone_is_its_midnight_in_utc(day):
    assert read_time(day.isoformat()) == datetime(day.year, day.month, day.day, tzinfo=UTC)


@pytest.mark.parametrize("absent", [None, ""])
def test_no_time_is_no_time(absent):
    assert read_time(absent) is None


@pytest.mark.parametrize(
    "raw",
    [
        "soon",
        "2021-13-01",
        "2021-02-30T00:00:00",
        "2021-01-01T25:00:00",
        "2021-01-01T00:00",
        "20210101",
        "2021-W01-1",
        "01/02/2021",
        "2021-01-01T00:00:00+99:00",
        "0001-01-01T00:00:00+10:00",
        "\u0662\u0660\u0662\u0661-01-01",
        1609459200,
        True,
        [],
        {"date": "2021-01-01"},
    ],
)
def test_what_is_no_time_is_refused(raw):
    with pytest.raises(ValueError, match="not a date"):
        read_time(raw)


@given(raw=st.text())
def test_no_text_breaks_the_reading_of_a_time(raw):
    try:
        read = read_time(raw)
    except ValueError:
        return
    assert read is None or read.tzinfo is UTC


@given(minor=st.integers(min_value=-(10**12), max_value=10**12))
def test_money_is_the_same_as_integer_and_as_text(minor):
    assert read_minor(minor) == minor
    assert read_minor(str(minor)) == minor
    assert read_minor(f" {minor} ") == minor


@given(minor=st.integers(min_value=0, max_value=10**9), digits=st.integers(1, 4))
def test_an_amount_with_a_decimal_point_is_refused_and_not_guessed(minor, digits):
    with pytest.raises(ValueError, match="minor units"):
        read_minor(f"{minor}.{'0' * digits}")
    with pytest.raises(ValueError, match="minor units"):
        read_minor(float(minor))


@pytest.mark.parametrize(
    "raw", ["$10", "10,00", "1 000", "1e3", "0x10", "ten", "-", "1" * 16, "\u0664\u0664"]
)
def test_what_is_no_plain_number_is_no_amount(raw):
    with pytest.raises(ValueError, match="minor units"):
        read_minor(raw)


@pytest.mark.parametrize("raw", [True, False, [], {}, [440]])
def test_other_json_values_are_no_amount(raw):
    with pytest.raises(ValueError, match="not an amount"):
        read_minor(raw)


def test_a_missing_amount_is_none_where_it_may_be_missing_and_refused_where_not():
    assert read_minor(None) is None
    assert read_minor("") is None
    for absent in (None, ""):
        with pytest.raises(ValueError, match="missing"):
            read_amount(absent)
    assert read_amount(0) == 0


@pytest.mark.parametrize("wrong", [True, "many", 1.5, []])
def test_what_is_no_whole_number_is_no_count(wrong):
    with pytest.raises(ValueError, match="whole number"):
        read_count(wrong)


def test_a_count_is_read_from_integer_and_text():
    assert read_count(82) == 82
    assert read_count("82") == 82
    assert read_count(None) is None
    assert read_count("") is None


def test_a_text_loses_the_space_around_it_and_a_number_becomes_text():
    assert read_text("  Mary ") == "Mary"
    assert read_text(None) == ""
    assert read_text(1) == "1"


@pytest.mark.parametrize("wrong", [True, [], {}, 1.5])
def test_what_is_no_text_is_refused(wrong):
    with pytest.raises(ValueError, match="not a text"):
        read_text(wrong)


def test_an_id_is_a_text_without_the_space_around_it():
    assert read_id(" GAFD660 ") == "GAFD660"


@pytest.mark.parametrize("wrong", [None, "", "  ", 10, True, []])
def test_one_of_billsbys_internal_numbers_is_no_id(wrong):
    with pytest.raises(ValueError, match="missing"):
        read_id(wrong)


def test_an_optional_id_may_be_absent_but_not_odd():
    assert read_optional_id(None) is None
    assert read_optional_id("") is None
    assert read_optional_id("X1") == "X1"
    with pytest.raises(ValueError, match="missing"):
        read_optional_id(12)


def test_the_data_of_an_event_is_kept_whatever_it_is():
    assert read_mapping({"a": 1}) == {"a": 1}
    assert read_mapping('{"a": 1}') == {"a": 1}
    assert read_mapping(None) == {}
    assert read_mapping("") == {}
    assert read_mapping("{}") == {}
    assert read_mapping("moved") == {"value": "moved"}
    assert read_mapping([1, 2]) == {"value": [1, 2]}


@pytest.mark.parametrize("strange", ["\x00", "\ud800"])
def test_what_no_database_can_store_is_left_out_of_texts_and_ids(strange):
    assert read_text(f" Anna{strange} ") == "Anna"
    assert read_id(f"CUS{strange}1") == "CUS1"
    with pytest.raises(ValueError, match="missing"):
        read_id(strange)
