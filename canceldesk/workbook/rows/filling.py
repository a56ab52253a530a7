"""What the company wants in columns of its own: `Status=Cancelled; Entered by=Cancel Desk`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol, TypeVar

from canceldesk.workbook.errors import CannotPlace
from canceldesk.workbook.headings import Headings, normalised
from canceldesk.workbook.protocol import ListView

_Place = TypeVar("_Place")


class Headed(Protocol):
    """A list, wherever it is kept: its headings, and its tab as sentences name it."""

    @property
    def headings(self) -> Headings:
        """Where the headings were found."""
        ...

    @property
    def what(self) -> str:
        """The tab."""
        ...


def by_column(
    found: Headed, fill: Mapping[str, str], calculated: Collection[int] = ()
) -> dict[int, str]:
    """The text for each column named by its heading in `fill`.

    Raises `CannotPlace` for a heading that the list has not or has twice, one of a column that the
    desk writes itself, and one of the `calculated` columns.
    """
    filled = {}
    for heading, words in fill.items():
        column = _place(found.headings.texts, found.headings.others, heading, found.what)
        if column in calculated:
            raise CannotPlace(
                f"The column “{heading}” is filled by the table's formula, so nothing else can be "
                "put there. Take it out of the columns to be filled. Nothing was written."
            )
        filled[column] = words
    return filled


def letters(view: ListView, fill: Mapping[str, str]) -> list[str]:
    """The letters of the columns named in `fill`; raises `CannotPlace` as `by_column` does."""
    what = f"The tab “{view.tab}” of “{view.path.name}”"
    return [_place(view.headings, view.others, heading, what) for heading in fill]


def _place(own: Mapping[str, str], others: Mapping[_Place, str], heading: str, what: str) -> _Place:
    wanted = normalised(heading)
    known = [text for text in own.values() if normalised(text) == wanted]
    if known:
        raise CannotPlace(
            f"The column “{known[0]}” is filled by the desk itself. Take it out of the columns to "
            "be filled. Nothing was written."
        )
    places = [place for place, text in others.items() if normalised(text) == wanted]
    if len(places) == 1:
        return places[0]
    there = ", ".join(f"“{' '.join(text.split())}”" for text in others.values()) or "none"
    found = "several columns" if places else "no column"
    raise CannotPlace(
        f"{what} has {found} headed “{heading}”; beside the desk's own it has {there}. Correct the "
        "columns to be filled, or the heading. Nothing was written."
    )
