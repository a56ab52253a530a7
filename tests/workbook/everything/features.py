"""The table of features, each with its check; importing the checks fills it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.workbook.everything.layout import Shape
from tests.workbook.everything.looking import Book


@dataclass(frozen=True)
class Pair:
    """The same workbook before and after the insertion."""

    shape: Shape
    before: Book
    after: Book

    @property
    def tab(self) -> str:
        """The list's tab."""
        return self.shape.tab

    @property
    def quoted(self) -> str:
        """The list's tab as formulas write it."""
        return self.shape.quoted


Check = Callable[[Pair], None]


@dataclass(frozen=True)
class Feature:
    """One line of the table; `check` raises `AssertionError` when the feature was harmed."""

    name: str
    check: Check
    shapes: tuple[Shape, ...]


FEATURES: Final[list[Feature]] = []


def feature(name: str, *shapes: Shape) -> Callable[[Check], Check]:
    """Enter a check into the table, for these shapes or for all."""

    def enter(check: Check) -> Check:
        assert name not in {known.name for known in FEATURES}, f"{name} is there twice"
        FEATURES.append(Feature(name, check, shapes or tuple(Shape)))
        return check

    return enter


def holds(feature: Feature, pair: Pair) -> bool:
    """Whether a feature survived; anything that cannot even be found did not."""
    try:
        feature.check(pair)
    except (AssertionError, LookupError, StopIteration, ValueError, AttributeError):
        return False
    return True
