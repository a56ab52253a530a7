"""Recognising the cancellation tab and the headings of its list."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from typing import Final

from canceldesk.workbook.errors import CannotPlace
from canceldesk.workbook.ooxml.references import column_letters
from canceldesk.workbook.protocol import FIELDS, REQUIRED_FIELDS
from canceldesk.workbook.synonyms import SYNONYMS

ROWS_SEARCHED: Final = 50
_LONGEST_HEADING: Final = 200
_MOST_KNOWN: Final = 1 << 15
"""Spellings kept, so that the widest rows are not spelt for each field anew."""

_PLAIN_WORDS: Final = {
    "name": "name",
    "phone": "phone number",
    "cancelled_on": "date of cancellation",
    "collected": "total amount collected",
    "months": "number of months in the program",
    "reason": "reason for cancellation",
    "reference": "reference",
}
_PARENTHESES: Final = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_CURRENCY_AT_END: Final = re.compile(r"\s(?:usd|eur|gbp|cad|aud|in usd|in eur)$")
_EXACT_TABS: Final = frozenset(("cancellation", "cancellations", "cancelation", "cancelations"))
_CANCEL_WORD: Final = re.compile(r"\bcancel")
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_ARTICLE: Final = re.compile(r"\b(?:the|our|their|a) ")
_NUMBERING: Final = re.compile(r"^[0-9]+ | [0-9]+$")


@dataclass(frozen=True)
class Headings:
    """Where the headings were found: their last row, and column and text by field.

    `left` and `right` are the outermost columns of the block of headings around them; `others` are
    the texts of that block's other columns, by column.
    """

    row: int
    columns: Mapping[str, int]
    texts: Mapping[str, str]
    left: int
    right: int
    others: Mapping[int, str] = dataclasses.field(default_factory=dict)


def normalised(heading: str) -> str:
    """A heading as it is compared: no case, no punctuation, single spaces, `#` as *number*."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", heading))
    words = re.sub(r"[\W_]+", " ", plain.casefold().replace("#", " number "))
    return " ".join(words.split())


def choose_tab(tabs: Sequence[str], wanted: str | None, file: str) -> str:
    """The tab that holds the list: the wanted one, else the one named for cancellation."""
    listed = _enumerated(tabs)
    if wanted is not None:
        for alike in (_as_it_is, _folded):
            for tab in tabs:
                if alike(tab) == alike(wanted):
                    return tab
        raise CannotPlace(
            f"There is no tab “{wanted}” in “{file}”; its tabs are {listed}. "
            "Rename the tab or change the setting. Nothing was written."
        )
    exact = [tab for tab in tabs if normalised(tab) in _EXACT_TABS]
    about = exact or [tab for tab in tabs if _CANCEL_WORD.search(normalised(tab))]
    if len(about) == 1:
        return about[0]
    if about:
        raise CannotPlace(
            f"Several tabs of “{file}” could be the cancellation list: {_enumerated(about)}. "
            "Say which one it is, in the settings or with --tab. Nothing was written."
        )
    raise CannotPlace(
        f"No tab of “{file}” is named for cancellation; its tabs are {listed}. "
        "Say which one holds the list, in the settings or with --tab. Nothing was written."
    )


def _as_it_is(tab: str) -> str:
    return tab


def _folded(tab: str) -> str:
    """A tab's name without regard to case, to spaces and to what only looks different."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", tab))
    return " ".join(plain.split()).casefold()


def find(
    rows: Iterable[tuple[int, Mapping[int, str]]],
    overrides: Mapping[str, str],
    *,
    tab: str,
    file: str,
) -> Headings:
    """The headings among the first rows of a tab, given from the top as their number and texts by
    column. No more rows are asked for than up to the one below the headings.

    Raises `CannotPlace` when a needed heading is missing or could be two columns.
    """
    best: tuple[int, _Matched] | None = None
    for number, texts, below in _with_the_row_below(rows):
        alone = _matched(texts, overrides)
        if alone.complete:
            return _headings(number, alone)
        joined = _matched(_two_lines(texts, below), overrides)
        if joined.complete and _told_by_both(alone, joined, below):
            return _headings(number + 1, joined)
        if best is None or alone.score > best[1].score:
            best = (number, alone)
    raise CannotPlace(_missing_sentence(best, tab, file))


def _with_the_row_below(
    rows: Iterable[tuple[int, Mapping[int, str]]],
) -> Iterator[tuple[int, Mapping[int, str], Mapping[int, str]]]:
    """Each row with the texts of the one directly below it; where none is, there are no texts."""
    end: tuple[int, Mapping[int, str]] = (0, {})
    for (number, texts), (next_number, next_texts) in pairwise(chain(rows, [end])):
        yield number, texts, next_texts if next_number == number + 1 else {}


@dataclass(frozen=True)
class _Matched:
    columns: Mapping[str, int]
    doubtful: Mapping[str, Sequence[int]]
    texts: Mapping[int, str]

    @property
    def complete(self) -> bool:
        return all(field in self.columns for field in REQUIRED_FIELDS) and not self.doubtful

    @property
    def score(self) -> int:
        return len(self.columns) + len(self.doubtful)


def _told_by_both(alone: _Matched, joined: _Matched, below: Mapping[int, str]) -> bool:
    """Whether two lines tell the columns, rather than the second hiding what was doubtful."""
    return all(joined.columns[field] in below for field in alone.doubtful)


def _two_lines(upper: Mapping[int, str], lower: Mapping[int, str]) -> Mapping[int, str]:
    """The texts of a row and the next joined column by column, for headings on two lines."""
    return {
        column: f"{upper.get(column, '')} {lower.get(column, '')}".strip()
        for column in {*upper, *lower}
    }


def _matched(texts: Mapping[int, str], overrides: Mapping[str, str]) -> _Matched:
    columns: dict[str, int] = {}
    doubtful: dict[str, Sequence[int]] = {}
    for field in FIELDS:
        candidates = _candidates(field, texts, overrides)
        if len(candidates) == 1:
            columns[field] = candidates[0]
        elif candidates and field in REQUIRED_FIELDS:
            doubtful[field] = candidates
    for field in list(doubtful):
        if (column := _with_the_others(doubtful[field], columns.values(), texts)) is not None:
            columns[field] = column
            del doubtful[field]
    taken = list(columns.values())
    for field in [field for field, column in columns.items() if taken.count(column) > 1]:
        doubtful[field] = [columns.pop(field)]
    return _Matched(columns, doubtful, texts)


def _with_the_others(
    candidates: Sequence[int], certain: Collection[int], texts: Mapping[int, str]
) -> int | None:
    """The one candidate that stands with all the certain columns in an unbroken run of headings;
    another `Name` further along the row heads something else.
    """
    if not certain:
        return None
    left, right = min(certain), max(certain)
    if not all(texts.get(column, "").strip() for column in range(left, right + 1)):
        return None
    while texts.get(left - 1, "").strip():
        left -= 1
    while texts.get(right + 1, "").strip():
        right += 1
    inside = [column for column in candidates if left <= column <= right]
    return inside[0] if len(inside) == 1 else None


def _candidates(field: str, texts: Mapping[int, str], overrides: Mapping[str, str]) -> list[int]:
    if field in overrides:
        wanted = normalised(overrides[field])
        return [column for column, text in texts.items() if normalised(text) == wanted]
    for spelt in (_spellings, _spellings_unnumbered):
        for group in SYNONYMS[field]:
            wanted_ones = frozenset(group)
            found = [c for c, text in texts.items() if not wanted_ones.isdisjoint(spelt(text))]
            if found:
                return found
    return []


@lru_cache(maxsize=_MOST_KNOWN)
def _spellings(text: str) -> frozenset[str]:
    if len(text) > _LONGEST_HEADING or text.strip("0123456789.,-/: ") == "":
        return frozenset()
    without = normalised(_PARENTHESES.sub(" ", text))
    plain = _CURRENCY_AT_END.sub("", without)
    return frozenset((normalised(text), without, plain, _ARTICLE.sub("", plain)))


@lru_cache(maxsize=_MOST_KNOWN)
def _spellings_unnumbered(text: str) -> frozenset[str]:
    """The spellings of `1. Name` and `Reason 2`, for where nothing is headed just so."""
    return frozenset(_NUMBERING.sub("", spelling) for spelling in _spellings(text))


def _headings(row: int, matched: _Matched) -> Headings:
    texts = matched.texts
    filled = {column for column, text in texts.items() if text.strip()}
    left, right = min(matched.columns.values()), max(matched.columns.values())
    while left - 1 in filled:
        left -= 1
    while right + 1 in filled:
        right += 1
    return Headings(
        row=row,
        columns=matched.columns,
        texts={field: texts[column].strip() for field, column in matched.columns.items()},
        left=left,
        right=right,
        others={
            column: texts[column].strip()
            for column in range(left, right + 1)
            if column in filled and column not in matched.columns.values()
        },
    )


def _missing_sentence(best: tuple[int, _Matched] | None, tab: str, file: str) -> str:
    if best is None or best[1].score < 2:  # noqa: PLR2004 - one word alike is no heading row
        return (
            f"No headings were found in the first {ROWS_SEARCHED} rows of the tab “{tab}” of "
            f"“{file}”. The list needs {_enumerated([_PLAIN_WORDS[f] for f in REQUIRED_FIELDS])}. "
            "Nothing was written."
        )
    number, matched = best
    found = [" ".join(text.split()) for _, text in sorted(matched.texts.items()) if text.strip()]
    missing = [
        _PLAIN_WORDS[field]
        for field in REQUIRED_FIELDS
        if field not in matched.columns and field not in matched.doubtful
    ]
    sentence = f"On the tab “{tab}” of “{file}” row {number} has the headings {_enumerated(found)}"
    if missing:
        sentence += f"; missing: {_enumerated(missing)}"
    for field, columns in matched.doubtful.items():
        could_be = ", ".join(
            f"“{' '.join(matched.texts[column].split())}” (column {column_letters(column)})"
            for column in columns
        )
        sentence += f"; {_PLAIN_WORDS[field]} could be {could_be}"
    where = "Name them in the settings, with --heading, or in the tab"
    return f"{sentence}. {where}. Nothing was written."


def _enumerated(names: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in names) or "none"
