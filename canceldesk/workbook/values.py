"""Dates, money and months between Python and a workbook's cells."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from typing import Final

_FIRST_PLAUSIBLE: Final = dt.date(1950, 1, 1)
_LAST_PLAUSIBLE: Final = dt.date(2150, 1, 1)
_EPOCH_1900: Final = dt.date(1899, 12, 30)
_EPOCH_1904: Final = dt.date(1904, 1, 1)
_FEBRUARY_29_1900: Final = 60
"""The serial Excel gives to a day that never was; below it, serials are one lower."""

_THOUSANDTHS: Final = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""ISO 4217 currencies of which people write three decimals."""

_MONTHS: Final = {
    name.casefold(): number
    for names in (calendar.month_name, calendar.month_abbr, (*calendar.month_abbr[:9], "sept"))
    for number, name in enumerate(names)
    if name
}
_ISO_DATE: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[t\s].*)?$")
_NUMERIC_DATE: Final = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?:\s.*)?$")
_NAMED_MONTH_FIRST: Final = re.compile(
    r"([^\W\d]+)\.?[\s-]*(\d{1,2})(?:st|nd|rd|th)?[\s,-]+(\d{4}|\d{2})$"
)
_NAMED_DAY_FIRST: Final = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[\s.-]*(?:of\s+)?([^\W\d]+)\.?[\s,-]*(\d{4}|\d{2})$"
)
_WEEKDAY: Final = re.compile(
    r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?[\s,.]+"
)
_AMOUNT: Final = re.compile(r"\d[\d.,' ]*")
_GROUP: Final = 3
_ONES: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS: Final = (
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip
_TEN: Final = 10
_TWENTY: Final = 20
_HUNDRED: Final = 100


def in_words(number: int) -> str:
    """A number up to ninety-nine in words; a higher one in digits."""
    if number < _TWENTY:
        return _ONES[number]
    if number >= _HUNDRED:
        return str(number)
    tens, ones = divmod(number, _TEN)
    return _TENS[tens - 2] + (f"-{_ONES[ones]}" if ones else "")


_WORDS: Final = {in_words(number): number for number in range(_HUNDRED)}
_SPELT_COUNT: Final = (
    rf"(?:{'|'.join(_TENS)})(?:[\s-]?(?:{'|'.join(_ONES[1:_TEN])}))?|{'|'.join(_ONES[::-1])}"
)
COUNT: Final = rf"(?:\d+(?:\.\d+)?|{_SPELT_COUNT})"
"""How people write a count, in digits or in words (a regular expression for small letters)."""
_YEARS_AND_MONTHS: Final = re.compile(
    rf"^(?:(?P<years>{COUNT})\s*(?:year\(s\)|years?|yrs?|y)(?![a-z])\.?)?\s*(?:and\b|,|&|\+)?\s*"
    rf"(?:(?P<months>{COUNT})\s*(?:month\(s\)|months?|mos?|mths?|m))?\.?$"
)
_MONTHS_IN_YEAR: Final = 12


def amount(minor: int) -> Decimal:
    """Minor units as the amount a person writes: 123450 is 1234.50.

    They are hundredths in every currency, also in one without a minor unit, because Billsby's
    amounts always are.
    """
    return Decimal(minor).scaleb(-2)


def minor(value: str) -> int | None:
    """The number in a cell as minor units (hundredths); None when it is no number."""
    try:
        return int(Decimal(value).scaleb(2).to_integral_value())
    except (InvalidOperation, ValueError, OverflowError):
        return None


def minor_from_text(shown: str, currency: str) -> int | None:
    """Minor units (hundredths) from text such as `$1,234.50`, `1.234,50 €` or `(12.00)`; None if
    unclear, which `1,234` is where `currency` (ISO 4217) has thousandths.
    """
    found = _AMOUNT.findall(shown)
    if len(found) != 1:
        return None
    may_be_thousandths = currency.upper() in _THOUSANDTHS
    decimal = _decimal_text(re.sub(r"[' ]", "", found[0]).rstrip(".,"), may_be_thousandths)
    if decimal is None:
        return None
    before = shown[: shown.index(found[0])]
    negative = "-" in before or "\N{MINUS SIGN}" in before or "(" in before
    result = minor(decimal)
    return -result if negative and result is not None else result


def _decimal_text(written: str, may_be_thousandths: bool) -> str | None:
    """A number with `.` for its decimals; None where a separator could be either kind."""
    separators = [character for character in written if character in ".,"]
    if not separators:
        return written
    last = separators[-1]
    whole, _, rest = written.rpartition(last)
    if len(set(separators)) > 1:
        other = "," if last == "." else "."
        plain = whole.replace(other, "")
        return f"{plain}.{rest}" if plain.isdigit() else None
    if len(separators) > 1:
        return written.replace(last, "") if len(rest) == _GROUP else None
    if len(rest) == _GROUP:
        return whole + rest if last == "," and not may_be_thousandths else None
    return f"{whole}.{rest}"


def serial(day: dt.date, *, date1904: bool) -> int:
    """The number a workbook stores for a date (ECMA-376 part 1, 18.17.4.1)."""
    if date1904:
        return (day - _EPOCH_1904).days
    days = (day - _EPOCH_1900).days
    return days if days > _FEBRUARY_29_1900 else days - 1


def date_from_serial(value: str, *, date1904: bool) -> dt.date | None:
    """The date of a stored number; None when it is no number or no plausible date."""
    try:
        days = int(Decimal(value))
        day = (_EPOCH_1904 if date1904 else _EPOCH_1900) + dt.timedelta(days=days)
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return day if _FIRST_PLAUSIBLE <= day < _LAST_PLAUSIBLE else None


def date_from_text(shown: str) -> dt.date | None:
    """The date a person wrote as text; None when it could be two dates (`03/04/2026`) or none."""
    written = _WEEKDAY.sub("", " ".join(shown.casefold().split()))
    if match := _ISO_DATE.match(written):
        return _date(match[1], int(match[2]), match[3])
    if match := _NUMERIC_DATE.match(written):
        return _unambiguous(int(match[1]), int(match[2]), match[3])
    if (match := _NAMED_MONTH_FIRST.match(written)) and match[1] in _MONTHS:
        return _date(match[3], _MONTHS[match[1]], match[2])
    if (match := _NAMED_DAY_FIRST.match(written)) and match[2] in _MONTHS:
        return _date(match[3], _MONTHS[match[2]], match[1])
    return None


def _unambiguous(one: int, other: int, year: str) -> dt.date | None:
    readings = {_date(year, one, str(other)), _date(year, other, str(one))} - {None}
    return readings.pop() if len(readings) == 1 else None


def _date(year: str, month: int, day: str) -> dt.date | None:
    try:
        return dt.date(int(year) + (2000 if len(year) == 2 else 0), month, int(day))  # noqa: PLR2004
    except ValueError:
        return None


def months_from_text(shown: str) -> int | None:
    """Months from `12`, `12 months`, `twelve`, `1 year 2 months`; None if unclear."""
    written = " ".join(shown.casefold().split())
    alone = _count(written)
    if alone is not None:
        return alone
    match = _YEARS_AND_MONTHS.match(written)
    if match is None or not (match["years"] or match["months"]):
        return None
    years, months = _count(match["years"] or "0"), _count(match["months"] or "0")
    if years is None or months is None:
        return None
    return years * _MONTHS_IN_YEAR + months


def _count(word: str) -> int | None:
    try:
        number = Decimal(word)
    except InvalidOperation:
        return _WORDS.get(re.sub(r"[\s-]+", "-", word))
    return int(number) if number.is_finite() and number == int(number) >= 0 else None
