"""What the new file must be, and whether the file that was written is that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from canceldesk.workbook.errors import ReadBackDiffers
from canceldesk.workbook.protocol import ListedRow, NewRow, matches
from canceldesk.workbook.reading import FoundList


class Plan(ABC):
    """A change of the list: `found` is the list it was made from, changed but not yet saved."""

    def __init__(self, found: FoundList) -> None:
        self._found = found

    def check(self, written: FoundList) -> None:
        """Raise `ReadBackDiffers` unless the new file, not yet in place, is as planned.

        Every member must be, byte for byte, the one that was read or the one that was made; and
        the list must read as meant. That what was made is well-formed XML was told while it was
        read: `written` must be of a package that checks.
        """
        part = self._found.file.package.differs(written.file.package)
        if part:
            raise ReadBackDiffers(self.nothing_written(f"{part} is not what was to be written."))
        self._check_rows(written)

    @abstractmethod
    def _check_rows(self, written: FoundList) -> None:
        """Raise `ReadBackDiffers` unless the list reads as meant."""

    @abstractmethod
    def nothing_written(self, why: str) -> str:
        """The sentence for a check that failed."""


class Adding(Plan):
    """`news` put on top of the list one after the other.

    `row` is the place under the heading, `last_row` where the list must end afterwards.
    """

    def __init__(self, found: FoundList, news: Sequence[NewRow]) -> None:
        super().__init__(found)
        self.row = found.first_row
        self.last_row = found.last_row + len(news)
        self.news = news
        self.rows: tuple[ListedRow, ...] = ()
        """The new rows as `check` read them, in the order of `news`."""

    def _check_rows(self, written: FoundList) -> None:
        top = tuple(written.rows_at(self.row, len(self.news)))
        numbers = [listed.row_number for listed in top]
        right = len(top) == len(self.news) and all(map(matches, top, reversed(self.news)))
        if not right or numbers != list(range(self.row, self.row + len(self.news))):
            raise ReadBackDiffers(self.nothing_written("the new row reads differently."))
        if written.last_row != self.last_row:
            raise ReadBackDiffers(self.nothing_written("the list ends in another row than meant."))
        self.rows = top[::-1]

    def found_again(
        self, earlier: Sequence[ListedRow], listed: Sequence[ListedRow]
    ) -> list[ListedRow | None]:
        """Where each of the new rows is in a file that was saved again since, None for one that is
        gone; `earlier` are the rows there were before them.
        """
        return [self._found_again(place, earlier, listed) for place in range(len(self.news))]

    def _found_again(
        self, place: int, earlier: Sequence[ListedRow], listed: Sequence[ListedRow]
    ) -> ListedRow | None:
        new = self.news[place]
        alike = [one for one in listed if matches(one, new)]
        added = len(alike) - sum(matches(one, new) for one in earlier)
        above = sum(later == new for later in self.news[place + 1 :])
        return alike[above] if above < added else None

    def nothing_written(self, why: str) -> str:
        """The sentence for a check that failed."""
        names = ", ".join(new.name for new in self.news)
        return (
            f"The row for {names} was not added, because on checking the new file {why} "
            "The workbook is as it was; add this row by hand."
        )


class Removing(Plan):
    """The line `row` taken out of the list."""

    def __init__(self, found: FoundList, row: ListedRow) -> None:
        super().__init__(found)
        self.row = row
        self._others = tuple(
            replace(other, row_number=other.row_number - (other.row_number > row.row_number))
            for other in found.listed
            if other != row
        )

    def _check_rows(self, written: FoundList) -> None:
        if written.listed != self._others:
            raise ReadBackDiffers(self.nothing_written("other rows would be changed."))

    def nothing_written(self, why: str) -> str:
        """The sentence for a check that failed."""
        return (
            f"The row for {self.row.name} was not taken out, because on checking the new file "
            f"{why} The workbook is as it was; take this row out by hand."
        )
