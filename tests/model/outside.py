"""Billsby and the list as the desk reaches them, with points a worker comes by and an eye on
every write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import httpx

from canceldesk.workbook.protocol import ListedRow, ListView, NewRow, RowRemoved, RowWritten
from tests.fakes import FakeList

if TYPE_CHECKING:
    from tests.model.world import World

ON_ITS_WAY = "while this is on its way to Billsby:"


class WiredBillsby:
    """The desk's Billsby client, with points before and after each call."""

    def __init__(self, world: World, client: Any) -> None:
        self._world, self._client = world, client

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return self._between_points(name, found) if callable(found) else found

    def _between_points(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            self._world.point(f"before Billsby's {name}")
            try:
                return call(*args, **kwargs)
            finally:
                self._world.point(f"after Billsby's {name}")

        return called


class Wire(httpx.BaseTransport):
    """What lies between the desk and Billsby. A call may dawdle there, after the desk has asked
    for the last time whether it may go; the judge sees every write that arrives and every read
    that is answered.
    """

    def __init__(self, world: World, inner: httpx.BaseTransport) -> None:
        self._world, self._inner = world, inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            answer = self._inner.handle_request(request)
            self._world.judge.read_was_answered(request)
            return answer
        is_late = self._world.point(f"{ON_ITS_WAY} {request.method} {request.url.path}")
        is_late = is_late or (
            self._world.running is not None and self._world.running.has_just_woken
        )
        self._world.judge.write_arrives(request, is_late=is_late)
        try:
            return self._inner.handle_request(request)
        finally:
            self._world.judge.write_was_done(is_late=is_late)


@dataclass(frozen=True)
class Line(ListedRow):
    """A line of the list that knows who wrote it: a case's number, or "" for a person. The file
    does not hold that, and the desk cannot see it.
    """

    writer: str = field(default="", compare=False, repr=False)


def line_of(row: ListedRow, writer: str = "") -> Line:
    """A line with a row's values."""
    values = {one.name: getattr(row, one.name) for one in fields(ListedRow)}
    return Line(**values, writer=writer)


class TheList(FakeList):
    """The list in memory; `copies` are older states of the file that somebody kept."""

    def __init__(self, world: World, *, has_reference: bool) -> None:
        super().__init__(has_reference=has_reference)
        self._world = world
        self.is_locked = False
        self.copies: list[list[ListedRow]] = []

    def read(self) -> ListView:
        if self.is_locked:
            return super().read()
        self._world.point("before reading the list")
        view = super().read()
        self._world.point("after reading the list")
        return view

    def add(self, row: NewRow, **how: Any) -> RowWritten:
        self._world.point("before writing on the list")
        count = len(self.rows)
        try:
            with self._locked():
                return super().add(row, **how)
        finally:
            if len(self.rows) != count:
                self._world.judge.row_added(row)
            self._world.point("after writing on the list")

    def remove(self, row: ListedRow, **how: Any) -> RowRemoved:
        self._world.point("before taking a row out")
        count = len(self.rows)
        try:
            with self._locked():
                return super().remove(row, **how)
        finally:
            if len(self.rows) != count:
                self._world.judge.row_removed(row)
            self._world.point("after taking a row out")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Whoever writes holds the file's lock: nobody else comes between its reading and its
        writing, so nobody falls asleep there; but the power may go.
        """
        self.is_locked = True
        try:
            yield
        finally:
            self.is_locked = False

    def listed(self, row: NewRow) -> ListedRow:
        return line_of(super().listed(row), writer=row.reference)

    @property
    def lines(self) -> list[Line]:
        """The lines as they stand, with what the file does not tell."""
        return [row if isinstance(row, Line) else line_of(row) for row in self.rows]

    def keep_a_copy(self) -> None:
        """Somebody saves the file under another name."""
        self.copies.append(list(self.rows))

    def put_back(self, copy: int) -> None:
        """Somebody puts an older copy in the file's place."""
        self.rows = list(self.copies[copy % len(self.copies)])

    def edit(self, place: int, **values: Any) -> None:
        """Somebody changes cells of a line."""
        self.rows[place] = replace(self.rows[place], **values)
