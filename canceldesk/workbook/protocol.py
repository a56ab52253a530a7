"""The words in which the rest of the desk speaks with the list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from canceldesk.workbook import text

REQUIRED_FIELDS: Final = ("name", "phone", "cancelled_on", "collected", "months", "reason")
FIELDS: Final = (*REQUIRED_FIELDS, "reference")


@dataclass(frozen=True)
class NewRow:
    """One client to be put on top of the list.

    `collected_minor` is in minor units of `currency` (ISO 4217), `cancelled_on` a date in the
    company's time zone, `reference` is written only where the list has a column for it.
    """

    name: str
    phone: str
    cancelled_on: dt.date
    collected_minor: int
    currency: str
    months: int
    reason: str
    reference: str = ""


@dataclass(frozen=True)
class ListedRow:
    """One line of the list as it stands in the sheet; `row_number` counts from 1.

    A value that could not be understood is None and its shown text is in `raw` under its field.
    """

    row_number: int
    name: str
    phone: str
    cancelled_on: dt.date | None
    collected_minor: int | None
    months: int | None
    reason: str
    reference: str = ""
    raw: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ListView:
    """The whole list, newest (top) row first.

    `headings` and `columns` go from field (see `FIELDS`) to the heading's text and to the column's
    letters, `others` from the letters of the columns between and beside them to their headings.
    `fingerprint` is the same only for the very same file (its SHA-256) or, in the cloud, for a tab
    that holds the very same. `path` of a workbook in the cloud is its name there.
    `settles_late` says that what was sent to the workbook may still be carried out when who sent it
    is gone, so that nothing may be sent again at once.
    """

    path: Path
    tab: str
    heading_row: int
    headings: Mapping[str, str]
    columns: Mapping[str, str]
    rows: tuple[ListedRow, ...]
    fingerprint: str
    others: Mapping[str, str] = field(default_factory=dict)
    settles_late: bool = False


@dataclass(frozen=True)
class RowWritten:
    """Proof of one row added: where, and the row as it was read back from the saved file."""

    row_number: int
    fingerprint_before: str
    fingerprint_after: str
    row: ListedRow


@dataclass(frozen=True)
class RowRemoved:
    """Proof of one row taken out: the row as it stood, and where."""

    row_number: int
    fingerprint_before: str
    fingerprint_after: str
    row: ListedRow


Unless = Callable[[ListView], bool]
"""Whether a list as it is now keeps a row from being added: it is there already, for example."""


class CancellationList(Protocol):
    """A place where cancelled clients are listed."""

    def read(self) -> ListView:
        """The list as it is now; raises `CannotRead` or `CannotPlace`."""
        ...

    def add(
        self,
        row: NewRow,
        *,
        expected_fingerprint: str | None = None,
        unless: Unless | None = None,
    ) -> RowWritten:
        """Put `row` directly under the heading, save, read back and compare.

        With `expected_fingerprint` the row is added only to exactly that file, else
        `ChangedMeanwhile`; with `unless`, too, also to another, unless that says so of the list as
        it is then, when nobody else of the desk can write. Raises any `ListError`; unless it is
        `ReadBackDiffers`, nothing was written.
        """
        ...

    def remove(
        self, row: ListedRow, *, expected_fingerprint: str | None = None, if_alone: bool = False
    ) -> RowRemoved:
        """Take out the line `row` as `read` gave it, save, read back and compare.

        It is taken out where it was read, or, if lines were put above it meanwhile, where it now
        stands; `ChangedMeanwhile` when no line, or more than one other than at its place, has
        exactly its values, or, with `expected_fingerprint`, when the file is another. Whatever else
        stands in the line goes with it; with `if_alone` it is not taken out, but `SomethingBeside`
        raised, when that is anything the desk itself does not put there. Raises any `ListError`;
        unless it is `ReadBackDiffers`, nothing was written.
        """
        ...


def matches(listed: ListedRow, row: NewRow) -> bool:
    """Whether `listed` holds the values of `row`, as a workbook stores them.

    Texts are compared after cleaning and without regard to spacing. The reference decides only
    where the list has one.
    """
    return (
        text.normalised(listed.name) == text.normalised(row.name)
        and text.normalised(listed.phone) == text.normalised(row.phone)
        and listed.cancelled_on == row.cancelled_on
        and listed.collected_minor == row.collected_minor
        and listed.months == row.months
        and text.normalised(listed.reason) == text.normalised(row.reason)
        and (
            not listed.reference
            or text.normalised(listed.reference) == text.normalised(row.reference)
        )
    )
