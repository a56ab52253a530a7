"""Walking a list of Billsby's that comes in pages, to its real end.

Rows may move between pages while they are read, because the company goes on working: a row seen
twice is given once, and when the list shrank (so that a row may have slipped to a page already
read) it is walked again. A list that lies about its length is not taken for the whole.
"""

from collections.abc import Callable, Generator, Hashable, Iterator
from typing import Generic, TypeVar

from .bodies import Unreadable
from .rows import PageRow

PAGE_SIZE = 100
"""Rows; the most that Billsby gives on one page."""

MOST_PAGES = 2000
MOST_WALKS = 3

V = TypeVar("V")


class PagedList(Generic[V]):
    """A list to be walked once.

    page: gives the page of that number, counted from 1 (Billsby does not say; its own plugin
    begins so). read: makes a value of a row. key: what makes a row the same row.
    """

    def __init__(
        self,
        page: Callable[[int], PageRow],
        read: Callable[[object], V],
        key: Callable[[V], Hashable],
    ) -> None:
        self._page = page
        self._read = read
        self._key = key
        self._given: set[Hashable] = set()

    def walk(self) -> Iterator[V]:
        """Give every row once.

        Raises Unreadable, possibly after rows were given, when the list ends before its announced
        end, repeats a page, or does not end.
        """
        for _ in range(MOST_WALKS):
            shrank = yield from self._walk_once()
            if not shrank:
                return
        raise Unreadable("the list kept shrinking while it was read")

    def _walk_once(self) -> Generator[V, None, bool]:
        here: set[Hashable] = set()
        announced: list[int] = []
        for number in range(1, MOST_PAGES + 1):
            page = self._page(number)
            pages, rows = _lengths(page)
            announced.append(rows)
            values = [self._read(row) for row in page.results]
            fresh = [value for value in values if self._key(value) not in here]
            is_last = number >= pages
            if not is_last and not values:
                raise Unreadable("the list ended before its last page")
            if not is_last and not fresh:
                raise Unreadable("the list gave the same page again")
            for value in fresh:
                here.add(self._key(value))
                if self._key(value) not in self._given:
                    self._given.add(self._key(value))
                    yield value
            if is_last:
                _check_complete(len(here), announced)
                return announced[-1] < max(announced)
        raise Unreadable("the list has no end")


def _lengths(page: PageRow) -> tuple[int, int]:
    if page.page_count is None or page.row_count is None:
        raise Unreadable("the list does not say how long it is")
    if page.results and page.page_count < 1:
        raise Unreadable("the list says that it has no pages")
    return page.page_count, page.row_count


def _check_complete(count: int, announced: list[int]) -> None:
    # Rows may be added or removed between two pages, so only what was announced throughout is
    # sure to be there.
    if count < min(announced):
        raise Unreadable("the list ended before its last row")
