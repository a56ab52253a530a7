"""Which ranges of a formula are taken row by row with each other.

`SUMIFS(D5:D9,B5:B9,...)` or `INDEX(D5:D9,MATCH(...,B5:B9,0))` go wrong as soon as one range is
taller than the other; `SUM(D5:D9)/COUNT(B5:B9)` does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from canceldesk.workbook.ooxml import references
from canceldesk.workbook.ooxml.references import Corner, Reference

_TOKEN: Final = re.compile(
    r"\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|(?P<open>[\w.\\]*\()|(?P<brace>\{[^}]*\})"
    r"|(?P<close>\))|(?P<next>,)|(?P<bracket>\[)"
)
_TAKEN_APART: Final = frozenset(
    (
        "AGGREGATE",
        "AND",
        "AVERAGE",
        "AVERAGEA",
        "CONCAT",
        "CONCATENATE",
        "COUNT",
        "COUNTA",
        "COUNTBLANK",
        "GEOMEAN",
        "HARMEAN",
        "MAX",
        "MAXA",
        "MEDIAN",
        "MIN",
        "MINA",
        "MODE",
        "MODE.MULT",
        "MODE.SNGL",
        "MULTINOMIAL",
        "OR",
        "PRODUCT",
        "SKEW",
        "STDEV",
        "STDEV.P",
        "STDEV.S",
        "STDEVA",
        "STDEVP",
        "STDEVPA",
        "SUBTOTAL",
        "SUM",
        "SUMSQ",
        "TEXTJOIN",
        "VAR",
        "VAR.P",
        "VAR.S",
        "VARA",
        "VARP",
        "VARPA",
        "VSTACK",
        "XOR",
    )
)
"""Functions that look at each of their ranges alone."""
_SUMMED_UP: Final = _TAKEN_APART | frozenset(
    (
        "AVERAGEIF",
        "AVERAGEIFS",
        "COLUMNS",
        "CORREL",
        "COUNTIF",
        "COUNTIFS",
        "COVAR",
        "COVARIANCE.P",
        "COVARIANCE.S",
        "FORECAST",
        "FORECAST.LINEAR",
        "HLOOKUP",
        "INTERCEPT",
        "LARGE",
        "LOOKUP",
        "MAXIFS",
        "MINIFS",
        "NPV",
        "PEARSON",
        "PERCENTILE",
        "PERCENTILE.EXC",
        "PERCENTILE.INC",
        "QUARTILE",
        "QUARTILE.EXC",
        "QUARTILE.INC",
        "RANK",
        "RANK.AVG",
        "RANK.EQ",
        "ROWS",
        "RSQ",
        "SLOPE",
        "SMALL",
        "STEYX",
        "SUMIF",
        "SUMIFS",
        "SUMPRODUCT",
        "SUMX2MY2",
        "SUMX2PY2",
        "SUMXMY2",
        "VLOOKUP",
        "XLOOKUP",
    )
) - {"VSTACK"}
"""Functions whose result no longer has the rows of their ranges."""
_BEFORE: Final = -1


@dataclass
class _Call:
    """One pair of parentheses around a place, the function's name and which argument it is in."""

    number: int
    function: str
    argument: int


def paired(formula: str, ranges: Sequence[Reference]) -> list[set[int]]:
    """The groups of `ranges`, as their places in the sequence, that must stay equally tall.

    Only ranges as tall as each other are in a group; what stands alone is in none. A range that
    begins before the formula stands for the cells that an array formula fills.
    """
    calls = _calls_around(formula, ranges)
    groups: list[set[int]] = []
    for later, one in enumerate(ranges):
        tied = {
            earlier
            for earlier, other in enumerate(ranges[:later])
            if one.height == other.height and _tied(calls[earlier], calls[later])
        }
        if not tied:
            continue
        joined = {later, *tied}
        apart = []
        for group in groups:
            if group & joined:
                joined |= group
            else:
                apart.append(group)
        groups = [*apart, joined]
    return groups


def growing(
    formula: str,
    found: Sequence[Reference],
    *,
    grows: Callable[[Reference], bool],
    could: Callable[[Reference], bool],
    block: int = 0,
) -> set[int]:
    """The places in the formula (`begin`) of the references that are to grow.

    A reference grows when `grows` says so, together with those it is taken row by row with; when
    one of these could not grow, none of them does. `block` is how many rows an array formula
    fills, which never grows.
    """
    wanted = {reference.begin for reference in found if grows(reference)}
    if not wanted or len(found) + bool(block) == 1:
        return wanted
    ranges = [reference for reference in found if reference.bottom is not None]
    if block:
        ends = Corner("", True, 1, True), Corner("", True, block, True)
        ranges.insert(0, Reference(_BEFORE, _BEFORE, None, "", *ends, elsewhere=True))
    for group in paired(formula, ranges):
        members = [ranges[place] for place in group]
        begins = {member.begin for member in members}
        if wanted & begins:
            wanted -= begins
            if all(could(member) for member in members):
                wanted |= begins
    return wanted


def _tied(one: Sequence[_Call], other: Sequence[_Call]) -> bool:
    common = 0
    while common < min(len(one), len(other)) and one[common].number == other[common].number:
        common += 1
    if any(call.function in _SUMMED_UP for call in (*one[common:], *other[common:])):
        return False
    if not common:
        return True
    last, same = one[common - 1], other[common - 1]
    return last.argument == same.argument or last.function not in _TAKEN_APART


def _calls_around(formula: str, ranges: Sequence[Reference]) -> list[list[_Call]]:
    stack: list[_Call] = []
    around: list[list[_Call]] = []
    position, opened = 0, 0
    waiting = list(ranges)
    while waiting:
        token = _TOKEN.search(formula, position)
        while waiting and (token is None or waiting[0].begin <= token.start()):
            around.append([_Call(call.number, call.function, call.argument) for call in stack])
            position = max(waiting.pop(0).end, position)
            token = _TOKEN.search(formula, position)
        if token is None:
            continue
        position = token.end()
        if token["open"]:
            opened += 1
            function = token["open"][:-1].upper().removeprefix("_XLFN.").removeprefix("_XLWS.")
            stack.append(_Call(opened, function, 0))
        elif token["close"] and stack:
            stack.pop()
        elif token["next"] and stack and stack[-1].function:
            stack[-1].argument += 1
        elif token["bracket"]:
            position = references.behind_brackets(formula, token.start())
    return around
