"""Writing a value the way the list's rows write it.

Months may stand on a list as words, and then the new row's do too. Dates and amounts are always
written as real ones, so that the list can be sorted and summed; where the rows have them as text,
the number format found here makes them look the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from canceldesk.workbook import values

_MONTHS_IN_YEAR: Final = 12
_COUNT: Final = values.COUNT
_SPAN: Final = re.compile(
    rf"(?:(?P<years>{_COUNT})(?P<years_gap>\s*)(?P<years_unit>year\(s\)|years?|yrs?|y)"
    r"(?![a-z])(?P<years_dot>\.?))?"
    r"(?P<joiner>\s*(?:and\b|,|&|\+)?\s*)"
    rf"(?:(?P<months>{_COUNT})(?P<months_gap>\s*)"
    r"(?P<months_unit>month\(s\)|months?|mths?|mos?|m)(?P<months_dot>\.?))?",
    re.IGNORECASE,
)
_ABBREVIATED: Final = {"year": "month", "yr": "mo", "y": "m"}

_ISO: Final = re.compile(r"\d{4}(?P<sep>[-/.])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})")
_NUMERIC: Final = re.compile(
    r"(?P<one>\d{1,2})(?P<sep>[-/.])(?P<other>\d{1,2})(?P=sep)(?P<year>\d{4}|\d{2})"
)
_WEEKDAY: Final = r"(?:(?P<weekday>[A-Za-z]{3,9})(?P<after_weekday>,?\s+))?"
_YEAR: Final = r"(?P<year>\d{4}|\d{2})"
_ORDINAL: Final = r"(?:st|nd|rd|th)?"
_MONTH_FIRST: Final = re.compile(
    rf"{_WEEKDAY}(?P<name>[A-Za-z]+)(?P<one>\.?[\s-]+)(?P<day>\d{{1,2}}){_ORDINAL}"
    rf"(?P<other>,?[\s-]+){_YEAR}"
)
_DAY_FIRST: Final = re.compile(
    rf"{_WEEKDAY}(?P<day>\d{{1,2}}){_ORDINAL}(?P<one>[\s.-]+)(?P<name>[A-Za-z]+)"
    rf"(?P<other>[.,]?[\s-]+){_YEAR}"
)
_SHORT_MONTH: Final = 4
_LAST_MONTH: Final = 12

_AMOUNT: Final = re.compile(r"(?P<before>[^\d]*?)-?(?P<number>\d[\d.,' ]*?)(?P<after>[^\d]*)")
_UNGROUPED: Final = re.compile(r"\d{4}")


def months_like(examples: Sequence[str], months: int) -> str:
    """`months` as the examples, the topmost first, write them: `12 months`, `1 yr 2 mo`, `twelve`.

    Empty where they show no way that is understood, or write nothing but digits.
    """
    spans = [found for text in examples if (found := _Span.of(text)) is not None]
    written = _spanned(spans, months) if spans else _counted(examples, months)
    return written if values.months_from_text(written) == months else ""


def _counted(examples: Sequence[str], months: int) -> str:
    """The bare number word of `twelve`; digits alone are a number written as text."""
    for text in examples:
        if values.months_from_text(text) is not None:
            return "" if text.strip()[:1].isdecimal() else _count_like(text.strip(), months)
    return ""


class _Span:
    """One example such as `1 year 2 months`, taken apart."""

    def __init__(self, match: re.Match[str]) -> None:
        self.match = match
        self.years, self.months = match["years"] is not None, match["months"] is not None

    @classmethod
    def of(cls, text: str) -> _Span | None:
        match = _SPAN.fullmatch(text.strip())
        return None if match is None or not (match["years"] or match["months"]) else cls(match)

    @property
    def whole(self) -> int:
        return values.months_from_text(self.match[0]) or 0

    def written(self, kind: str, count: int) -> str:
        """`count` with this example's unit for `years` or `months`."""
        match = self.match
        number, unit = _count_like(match[kind], count), _unit(match[f"{kind}_unit"], count)
        return f"{number}{match[f'{kind}_gap']}{unit}{match[f'{kind}_dot']}"

    def months_as_its_years(self, count: int) -> str:
        """`count` months with the unit that goes with this example's unit for years."""
        unit = self.match["years_unit"].casefold().rstrip("s").removesuffix("(s)")
        word = _ABBREVIATED[unit] + ("s" if unit == "year" and count != 1 else "")
        return f"{_count_like(self.match['years'], count)}{self.match['years_gap']}{word}"


def _spanned(spans: Sequence[_Span], months: int) -> str:
    with_years = next((span for span in spans if span.years), None)
    with_months = next((span for span in spans if span.months), None)
    both = next((span for span in spans if span.years and span.months), None)
    long = next((span for span in spans if span.whole >= _MONTHS_IN_YEAR), None)
    years, rest = divmod(months, _MONTHS_IN_YEAR)
    if with_years is None or not years or (long is not None and not long.years):
        if with_months is not None:
            return with_months.written("months", months)
        return "" if with_years is None else with_years.months_as_its_years(months)
    whole = with_years.written("years", years)
    if not rest:
        return whole
    joiner = both.match["joiner"] if both is not None else " "
    if with_months is None:
        return f"{whole}{joiner}{with_years.months_as_its_years(rest)}"
    return f"{whole}{joiner}{with_months.written('months', rest)}"


def _unit(example: str, count: int) -> str:
    """The example's unit in the number that goes with `count`; `yr` and `mo` may mean many."""
    stem = example.rstrip("sS")
    written_out = stem.casefold() in ("year", "month")
    if count == 1 or not (written_out or stem != example):
        return stem
    return stem + ("S" if stem.isupper() else "s")


def _count_like(example: str, count: int) -> str:
    if example[:1].isdecimal():
        return str(count)
    word = values.in_words(count)
    if example.isupper():
        return word.upper()
    return word.capitalize() if example[:1].isupper() else word


def date_code_like(examples: Sequence[str]) -> str:
    """The number format in which a date looks like the examples; empty where they tell none.

    Of dates in digits, some must tell the day from the month, as 23 does.
    """
    written = [" ".join(text.split()) for text in examples]
    for shape, code in (
        (_ISO, _iso_code),
        (_NUMERIC, _numeric_code),
        (_MONTH_FIRST, _named_code),
        (_DAY_FIRST, _named_code),
    ):
        matches = [match for text in written if (match := shape.fullmatch(text))]
        if matches and len(matches) == len(written):
            return code(matches)
    return ""


def _iso_code(matches: Sequence[re.Match[str]]) -> str:
    parts = [match["month"] for match in matches] + [match["day"] for match in matches]
    padded = _padded(parts)
    separator = _literal(matches[0]["sep"])
    return separator.join(("yyyy", "mm" if padded else "m", "dd" if padded else "d"))


def _numeric_code(matches: Sequence[re.Match[str]]) -> str:
    day_first = any(int(match["one"]) > _LAST_MONTH for match in matches)
    month_first = any(int(match["other"]) > _LAST_MONTH for match in matches)
    if day_first == month_first:
        return ""
    padded = _padded([match[part] for match in matches for part in ("one", "other")])
    day, month = ("dd", "mm") if padded else ("d", "m")
    parts = (day, month) if day_first else (month, day)
    year = "y" * len(matches[0]["year"])
    return _literal(matches[0]["sep"]).join((*parts, year))


def _named_code(matches: Sequence[re.Match[str]]) -> str:
    first = matches[0]
    if any(values.date_from_text(match[0]) is None for match in matches):
        return ""
    short = all(len(match["name"]) <= _SHORT_MONTH for match in matches)
    month = "mmm" if short else "mmmm"
    day = "dd" if _padded([match["day"] for match in matches]) else "d"
    parts = (month, day) if first.start("name") < first.start("day") else (day, month)
    year = "y" * len(first["year"])
    code = f"{parts[0]}{_literal(first['one'])}{parts[1]}{_literal(first['other'])}{year}"
    if first["weekday"] is None:
        return code
    weekday = "ddd" if len(first["weekday"]) <= _SHORT_MONTH else "dddd"
    return f"{weekday}{_literal(first['after_weekday'])}{code}"


def _padded(parts: Sequence[str]) -> bool:
    return any(part.startswith("0") for part in parts)


def _literal(separator: str) -> str:
    """A separator in a number format; a slash alone would become the reader's own separator."""
    return separator.replace("/", "\\/").replace(".", "\\.")


def money_code_like(examples: Sequence[str], currency: str) -> str:
    """The number format in which an amount looks like the examples; empty where they tell none."""
    matches = [
        match
        for text in examples
        if values.minor_from_text(text, currency) is not None
        and (match := _AMOUNT.fullmatch(text.strip().strip("()")))
    ]
    around = {(match["before"].replace("-", ""), match["after"]) for match in matches}
    if len(around) != 1 or len(matches) != len(examples):
        return ""
    grouped = not any(_UNGROUPED.match(match["number"]) for match in matches)
    before, after = around.pop()
    return f"{_quoted(before)}{'#,##0.00' if grouped else '0.00'}{_quoted(after)}"


def _quoted(words: str) -> str:
    kept = words.replace('"', "")
    return f'"{kept}"' if kept else ""
