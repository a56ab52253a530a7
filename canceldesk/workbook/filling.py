"""What the company wants in columns of its own: `Status=Cancelled; Entered by=Cancel Desk`."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from canceldesk.workbook.errors import CannotPlace
from canceldesk.workbook.headings import normalised
from canceldesk.workbook.reading import FoundList


def by_column(
    found: FoundList, fill: Mapping[str, str], calculated: Collection[int] = ()
) -> dict[int, str]:
    """The text for each column named by its heading in `fill`.

    Raises `CannotPlace` for a heading that the list has not or has twice, one of a column that the
    desk writes itself, and one of the `calculated` columns.
    """
    filled = {}
    for heading, words in fill.items():
        column = _column(found, heading)
        if column in calculated:
            raise CannotPlace(
                f"The column “{heading}” is filled by the table's formula, so nothing else can be "
                "put there. Take it out of the columns to be filled. Nothing was written."
            )
        filled[column] = words
    return filled


def _column(found: FoundList, heading: str) -> int:
    wanted = normalised(heading)
    own = [text for text in found.headings.texts.values() if normalised(text) == wanted]
    if own:
        raise CannotPlace(
            f"The column “{own[0]}” is filled by the desk itself. Take it out of the columns to be "
            "filled. Nothing was written."
        )
    others = found.headings.others
    columns = [column for column, text in others.items() if normalised(text) == wanted]
    if len(columns) == 1:
        return columns[0]
    there = ", ".join(f"“{' '.join(text.split())}”" for text in others.values()) or "none"
    what = "several columns" if columns else "no column"
    raise CannotPlace(
        f"{found.what} has {what} headed “{heading}”; beside the desk's own it has {there}. "
        "Correct the columns to be filled, or the heading. Nothing was written."
    )
