"""How long the cases of a killed worker lie before somebody has them again, in real seconds.

The clock of a run is put on now and then, which lets leases run out sooner; deaths on the desk's
own machine are seen without that.
"""

from __future__ import annotations

import statistics
import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue

from tests.chaos import deskdata
from tests.chaos.interfaces import Stage

LOOK_EVERY = 0.25


class Takeovers:
    """Watches the leases of the dead until `end`; `seconds` is what it has seen."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._dead: SimpleQueue[tuple[int, float]] = SimpleQueue()
        self._lying: dict[tuple[int, int], float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="takeovers", daemon=True)
        self.seconds: list[float] = []

    def begin(self) -> None:
        """Start watching."""
        self._thread.start()

    def died(self, pid: int) -> None:
        """A worker was killed just now."""
        self._dead.put((pid, time.monotonic()))

    def end(self) -> str:
        """Stop watching; gives what was seen, in words."""
        self._over.set()
        self._thread.join()
        if not self.seconds:
            return "no case was being worked on"
        middle, longest = statistics.median(self.seconds), max(self.seconds)
        lying = f", {len(self._lying)} not seen to the end" if self._lying else ""
        return f"{len(self.seconds)}, median {middle:.1f} s, at most {longest:.1f} s{lying}"

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            with suppress(deskdata.Unreachable):
                self._look()

    def _look(self) -> None:
        if not self._lying and self._dead.empty():
            return
        leased = deskdata.rows(
            self._stage,
            "SELECT id, lease_token, lease_owner FROM cases_case WHERE lease_until IS NOT NULL",
        )
        now, held = time.monotonic(), {(int(case), int(token)) for case, token, _ in leased}
        for one in [one for one in self._lying if one not in held]:
            self.seconds.append(now - self._lying.pop(one))
        with suppress(Empty):
            while True:
                pid, at = self._dead.get_nowait()
                for case, token, owner in leased:
                    if f"-{pid}-" in str(owner):
                        self._lying[int(case), int(token)] = at
