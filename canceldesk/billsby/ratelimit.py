"""The desk's own limit on calls to Billsby, which documents none and so may enforce any."""

import threading
from collections.abc import Callable


class TokenBucket:
    """Lets ``burst`` calls through at once and ``per_second`` a second after that.

    Thread-safe; callers are served in the order in which they came.
    """

    def __init__(
        self,
        *,
        per_second: float,
        burst: int,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
    ) -> None:
        if per_second <= 0 or burst < 1:
            raise ValueError("The rate must be above 0 and the burst at least 1.")
        self._per_second = per_second
        self._burst = burst
        self._sleep = sleep
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._tokens = float(burst)
        self._counted_at = monotonic()

    def take(self, at_most: float) -> float | None:
        """Wait for a turn.

        at_most: the longest wait in seconds. Gives ``None`` when the turn came, and when it would
        come later than that, without waiting and without taking it, the seconds until it would.
        """
        with self._lock:
            now = self._monotonic()
            refill = (now - self._counted_at) * self._per_second
            self._tokens = min(float(self._burst), self._tokens + refill)
            self._counted_at = now
            wait = max(0.0, (1 - self._tokens) / self._per_second)
            if wait > at_most:
                return wait
            # The turn is taken before the wait, so the count may stand below zero: that is the
            # queue.
            self._tokens -= 1
        if wait:
            self._sleep(wait)
        return None
