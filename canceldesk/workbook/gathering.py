"""Writers that wait for the same workbook are served together, in one saving.

A workbook that somebody has open makes the desk's rows queue up; and a saving costs the same for
one row as for ten. So the first writer whose turn comes writes for all that are waiting then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Generic, TypeVar

Wanted = TypeVar("Wanted")
Given = TypeVar("Given")


@dataclass(eq=False)
class Ticket(Generic[Wanted, Given]):
    """One writer's wish and, once it was served, what came of it."""

    wanted: Wanted
    given: Given | None = None
    trouble: Exception | None = None

    @property
    def served(self) -> bool:
        """Whether anything came of it."""
        return self.given is not None or self.trouble is not None

    def result(self) -> Given:
        """What was given; raises the trouble there was."""
        if self.trouble is not None:
            raise self.trouble
        if self.given is None:
            raise RuntimeError("a ticket was not served")
        return self.given


@dataclass
class Gathering(Generic[Wanted, Given]):
    """The writers of this process that wait for one place, in the order they came."""

    _waiting: list[Ticket[Wanted, Given]] = field(default_factory=list)
    _changing: Lock = field(default_factory=Lock)
    _serving: Lock = field(default_factory=Lock)
    _taken: list[Ticket[Wanted, Given]] = field(default_factory=list)

    def served(self, wanted: Wanted, serve: Callable[[Gathering[Wanted, Given]], None]) -> Given:
        """Have `wanted` served: by whoever is serving, else by `serve`, which calls `those_waiting`
        when nothing keeps it from writing any more and serves every ticket it gets.

        What `serve` raises is the trouble of all it took, and of all that waited as long as it did.
        """
        ticket: Ticket[Wanted, Given] = Ticket(wanted)
        with self._changing:
            self._waiting.append(ticket)
        with self._serving:
            if not ticket.served:
                self._serve(serve)
        return ticket.result()

    def those_waiting(self) -> list[Ticket[Wanted, Given]]:
        """All that wait now; later ones wait for the next serving."""
        with self._changing:
            self._taken, self._waiting = self._waiting, []
        return list(self._taken)

    def _serve(self, serve: Callable[[Gathering[Wanted, Given]], None]) -> None:
        with self._changing:
            first_ones = list(self._waiting)
        try:
            serve(self)
        except Exception as error:
            self._fail(first_ones, error)
        except BaseException:
            self._fail(first_ones, RuntimeError("the writer that served this one was stopped"))
            raise
        finally:
            self._taken = []

    def _fail(self, tickets: list[Ticket[Wanted, Given]], trouble: Exception) -> None:
        with self._changing:
            self._waiting = [other for other in self._waiting if other not in tickets]
        for ticket in (*tickets, *self._taken):
            if not ticket.served:
                ticket.trouble = trouble


class Gatherings(Generic[Wanted, Given]):
    """The gathering for each place; one that nobody waits at is forgotten."""

    def __init__(self) -> None:
        self._changing: Final = Lock()
        self._known: dict[object, tuple[Gathering[Wanted, Given], int]] = {}

    @contextmanager
    def at(self, place: object) -> Iterator[Gathering[Wanted, Given]]:
        """Take part in the gathering for `place`."""
        with self._changing:
            gathering, people = self._known.get(place, (Gathering(), 0))
            self._known[place] = (gathering, people + 1)
        try:
            yield gathering
        finally:
            with self._changing:
                _, people = self._known[place]
                if people == 1:
                    del self._known[place]
                else:
                    self._known[place] = (gathering, people - 1)
