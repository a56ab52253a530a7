"""Dates, money and months as people and programs write them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.workbook import text, values

MARCH_5 = dt.date(2026, 3, 5)


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-05",
        "2026/3/5",
        "2026.03.05",
        "2026-03-05T10:30:00",
        "2026-03-05 00:00:00",
        "Mar 5, 2026",
        "March 5 2026",
        "mar. 5th, 2026",
        "MARCH 5, 26",
        "5 March 2026",
        "5-Mar-26",
        "5th of March, 2026",
        "05 mar 2026",
        "Thursday, March 5, 2026",
        "Thu 5 Mar 2026",
        "  5   March 2026 ",
    ],
)
def test_a_date_written_in_words_is_understood(written):
    assert values.date_from_text(written) == MARCH_5


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("23/11/2026", dt.date(2026, 11, 23)),
        ("11/23/2026", dt.date(2026, 11, 23)),
        ("11-23-26", dt.date(2026, 11, 23)),
        ("23.11.2026 09:00", dt.date(2026, 11, 23)),
        ("05/05/2026", dt.date(2026, 5, 5)),
        ("03/04/2026", None),
        ("31/31/2026", None),
        ("2026-02-30", None),
        ("Foo 5, 2026", None),
        ("5 Foo 2026", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_date_in_numbers_is_understood_only_where_it_can_be_one_day(written, date):
    assert values.date_from_text(written) == date


@pytest.mark.parametrize(
    ("day", "date1904", "serial"),
    [
        (dt.date(1900, 1, 1), False, 1),
        (dt.date(1900, 2, 28), False, 59),
        (dt.date(1900, 3, 1), False, 61),
        (dt.date(2026, 11, 23), False, 46349),
        (dt.date(1904, 1, 2), True, 1),
        (dt.date(2026, 11, 23), True, 46349 - 1462),
    ],
)
def test_a_dates_serial_is_excels(day, date1904, serial):
    assert values.serial(day, date1904=date1904) == serial


@given(st.dates(dt.date(1950, 1, 1), dt.date(2149, 12, 31)), st.booleans())
def test_a_date_comes_back_from_its_serial(day, date1904):
    written = str(values.serial(day, date1904=date1904))
    assert values.date_from_serial(written, date1904=date1904) == day
    assert values.date_from_serial(written + ".75", date1904=date1904) == day


@given(st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)))
def test_a_date_comes_back_from_the_ways_it_is_written(day):
    for written in (day.isoformat(), f"{day:%d %B %Y}", f"{day:%b %d, %Y}", f"{day:%d-%b-%y}"):
        assert values.date_from_text(written) == day
    slashes = values.date_from_text(f"{day:%d/%m/%Y}")
    assert slashes == (None if day.day <= 12 and day.day != day.month else day)


@pytest.mark.parametrize("written", ["12", "99999999999", "x", "NaN", "1e400", "-5"])
def test_a_number_that_is_no_plausible_date_is_none(written):
    assert values.date_from_serial(written, date1904=False) is None


@pytest.mark.parametrize(
    ("written", "minor"),
    [
        ("$1,234.50", 123450),
        ("1.234,50 €", 123450),
        ("USD 1234.5", 123450),
        ("1 234,50", 123450),
        ("1'234.50", 123450),
        ("1,234", 123400),
        ("1,234,567", 123456700),
        ("1.234.567,8", 123456780),
        ("1234", 123400),
        ("1234.", 123400),
        ("0,5", 50),
        ("(12.00)", -1200),
        ("-$3.10", -310),
        ("1.234", None),
        ("1,23,4", None),
        ("1,2.3,4", None),
        ("12 to 15 or 20.", None),
        ("3 x 20", None),
        ("none", None),
        ("", None),
    ],
)
def test_money_written_as_text_is_understood_or_left_alone(written, minor):
    assert values.minor_from_text(written, "USD") == minor


def test_minor_units_are_hundredths_in_every_currency():
    assert values.minor_from_text("¥1,234", "JPY") == 123400
    assert values.minor_from_text("KD 12.5", "KWD") == 1250
    assert values.minor("1234.5") == 123450
    assert values.amount(500000) == Decimal("5000.00")
    assert values.minor("x") is None


@pytest.mark.parametrize("currency", ["KWD", "kwd", "TND"])
def test_a_comma_may_stand_before_thousandths_where_a_currency_has_them(currency):
    assert values.minor_from_text("1,234", currency) is None
    assert values.minor_from_text("1,234.50", currency) == 123450


@given(st.integers(-(10**12), 10**12))
def test_money_survives_the_cell(minor):
    stored = f"{values.amount(minor):f}"
    assert values.minor(stored) == minor
    assert values.minor(repr(float(stored))) == minor


@pytest.mark.parametrize(
    ("written", "months"),
    [
        ("12", 12),
        ("12.0", 12),
        ("12 months", 12),
        ("12mo", 12),
        ("1 month", 1),
        ("twelve", 12),
        ("Twelve Months", 12),
        ("1 year", 12),
        ("1 year 2 months", 14),
        ("2 yrs and 3 mos.", 27),
        ("0", 0),
        ("12.5", None),
        ("-1", None),
        ("some months", None),
        ("many years", None),
        ("about a year", None),
        ("nan", None),
        ("", None),
    ],
)
def test_months_are_understood_in_numbers_and_words(written, months):
    assert values.months_from_text(written) == months


@given(st.text())
def test_text_survives_being_stored(words):
    stored = text.storable(words)
    assert text.unescaped(text.escaped(stored)) == stored
    assert text.storable(stored) == stored


@pytest.mark.parametrize("words", ["_x000D_", "a_x0041_b", "__x0041__", "_x005F_x0041_", "_X0041_"])
def test_text_that_looks_escaped_is_kept_as_it_is(words):
    assert text.unescaped(text.escaped(words)) == words


def test_text_a_cell_cannot_hold_is_made_storable():
    assert text.storable("a\x00b\x07c\r\nd\re\uffff\ud800") == "abc\nd\ne"
    assert len(text.storable("x" * 40_000)) == text.LONGEST_CELL_TEXT
    emoji = text.storable("x" + "😀" * 20_000)
    assert len(emoji.encode("utf-16-le")) // 2 <= text.LONGEST_CELL_TEXT
    assert set(emoji) == {"x", "😀"}


def test_escaped_characters_are_read():
    assert text.unescaped("a_x000D_b_x0009_") == "a\rb\t"
    assert text.unescaped("_xD83D__xDE00_") == "😀"
    assert text.normalised("  a \n b\u00a0c ") == "a b c"
