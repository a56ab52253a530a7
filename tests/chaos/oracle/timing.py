"""When things really happened, whatever the desk's stepped clock wrote on them."""

from __future__ import annotations

import datetime as dt

from tests.chaos.oracle import values
from tests.chaos.oracle.desk import Entry
from tests.chaos.oracle.journal import Journal

# An entry is dated before it waits for a locked or restarting database.
DELAY = dt.timedelta(seconds=60)


class Timing:
    """Real times for the desk's log, as early as its order and the clock's steps allow."""

    def __init__(self, journal: Journal, log: list[Entry]) -> None:
        self._clock = journal.desk_clock
        self.slack = dt.timedelta(seconds=5) + journal.skew
        self.impossible: list[Entry] = []
        self._real: dict[int, dt.datetime] = {}
        self._latest: dict[int, dt.datetime] = {}
        self._place(log)

    def real(self, entry: Entry) -> dt.datetime:
        """When an entry was really made; in the case of several possible moments the first."""
        return self._real[entry.id]

    def latest(self, entry: Entry) -> dt.datetime:
        """The last of the moments at which an entry can have been made: a clock that is set back
        shows the same time twice.
        """
        return self._latest[entry.id]

    def _place(self, log: list[Entry]) -> None:
        """An entry fits where the clock showed its time, and not before the ones with lower ids."""
        reached = values.LONG_AGO
        for entry in log:
            earliest = reached - DELAY - self.slack
            fitting = [real for real in self._candidates(entry.at) if real >= earliest]
            if not fitting:
                self.impossible.append(entry)
            real = min(fitting, default=entry.at - self._clock[-1][1])
            self._real[entry.id] = real
            self._latest[entry.id] = max(fitting, default=real)
            if fitting:
                reached = max(reached, real)

    def _candidates(self, shown: dt.datetime) -> list[dt.datetime]:
        """The real moments at which the desk's clock can have shown a time."""
        found = []
        for place, (start, offset) in enumerate(self._clock):
            real = shown - offset
            last = place + 1 == len(self._clock)
            ends = None if last else self._clock[place + 1][0] + self.slack
            if start - self.slack <= real and (ends is None or real <= ends):
                found.append(real)
        return found
