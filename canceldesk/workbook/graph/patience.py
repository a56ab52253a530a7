"""How long one piece of work may wait for Microsoft, in all."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from canceldesk.workbook.graph.problems import Problem, Throttled

SECONDS: Final = 35.0
"""Less than the lease a pass holds on its case: it is not taken over while its process lives."""

_FIRST_WAIT: Final = 1.0
_LONGEST_WAIT: Final = 10.0


class Patience:
    """A budget of seconds; `now` is a clock that only grows, `sleep` waits by it."""

    def __init__(
        self,
        seconds: float = SECONDS,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._deadline = now() + seconds
        self._now = now
        self._sleep = sleep
        self._next = _FIRST_WAIT

    @property
    def left(self) -> float:
        """Seconds left."""
        return self._deadline - self._now()

    def wait_after(self, problem: Problem) -> bool:
        """Wait before trying again: as long as asked, else longer each time. False, at once,
        when that would be too long.
        """
        asked = problem.wait if isinstance(problem, Throttled) else None
        seconds = self._next if asked is None else asked
        if seconds > self.left:
            return False
        self._next = min(self._next * 2, _LONGEST_WAIT)
        self._sleep(seconds)
        return True
