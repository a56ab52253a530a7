"""Which named points must be hit by a kill, and which one a newborn process is to die at."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator

from tests.chaos.points import Trigger


def _both(*names: str) -> Iterator[str]:
    for name in names:
        yield f"before {name}"
        yield f"after {name}"


MUST_BE_HIT: dict[str, tuple[str, ...]] = {
    "worker": tuple(
        _both(
            "launching",
            "starting the worker",
            "sweeping",
            "taking over",
            "tidying",
            "queueing",
            "passes over a case",
            "taking a lease",
            "renewing a lease",
            "giving a lease back",
            "settling a pass",
            "billsby.subscription",
            "billsby.customer_invoices",
            "billsby.set_renewal_date",
            "billsby.write_off",
            "billsby.cancel_subscription",
            "list.read",
            "list.add",
            "list.remove",
            "saving the workbook",
            "preparing the new workbook",
            "forcing the new workbook to the disk",
            "exchanging the workbooks",
            "settling the exchange",
            "keeping the backup",
            "forcing the folder to the disk",
            "reading the workbook back",
            "commit of closing.facts",
            "commit of hold.intended",
            "commit of hold.placed",
            "commit of hold.returned",
            "commit of row.intended",
            "commit of row.written",
            "commit of row.removal_intended",
            "commit of row.removed",
            "commit of write_off.intended",
            "commit of write_off.done",
            "commit of cancel.intended",
            "commit of stop.seen",
            "commit of closing.verified",
            "commit of case.closed",
        )
    ),
    "web": tuple(
        _both(
            "commit of case.filed",
            "commit of case.attempt",
            "commit of case.decided",
            "commit of case.taken_back",
            "commit of case.withdrawn",
            "commit of write_off.approved",
            "commit of webhook.received",
            "queueing",
        )
    ),
    "billsby": (
        "practice: before a change",
        "practice: after a change",
        *_both("noting that a webhook was sent", "billing", "suspending in the panel"),
    ),
}
"""By kind of process. The run fails when one of these was never hit."""

AIMED_AT: dict[str, tuple[str, ...]] = {
    "worker": tuple(
        _both(
            "refreshing the copy",
            "comparing the book",
            "billsby.customer",
            "billsby.customer_subscriptions",
            "billsby.invoice",
            "commit of case.attention",
            "commit of case.attention_over",
            "commit of hold.renewed",
            "commit of hold.released",
            "commit of hold.restored",
            "commit of hold.not_released",
            "commit of hold.failed",
            "commit of row.found",
            "commit of row.removal_adopted",
            "commit of write_off.failed",
            "commit of write_off.found",
            "commit of stop.failed",
            "commit of watch.ended",
        )
    ),
    "web": (
        *_both(
            "commit of row.rewrite_asked",
            "commit of row.removal_asked",
            "commit of hold.release_asked",
        ),
        "before the answer to new",
        "before the answer to cases/#/decide",
        "before the answer to hooks/billsby",
    ),
    "billsby": (),
}
"""What comes by too seldom, or too much by chance, to be demanded: hit where it does."""

SELDOM = frozenset(_both("giving a lease back"))
"""Of what must be hit: it comes by only when a pass is overtaken, a few times in a whole run. So
every newborn waits for it until it is hit."""
ALL_AT_ONCE = 0.6
"""How many of the newborn wait for any point that is still to be hit, and for nothing else: what
comes by seldom is met only by one that lives long enough."""
FEW = 30
"""With so few left, the others wait for them, too."""
FALL_ASLEEP = 0.2
"""How many of the other workers are stopped at their point for longer than a lease instead."""
LATEST = {"worker": 40, "web": 15, "billsby": 60}


class Coverage:
    """What has been hit so far; draws what comes next from `rng`. Any thread may use it."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._lock = threading.Lock()
        self.hit: dict[str, Counter[str]] = {kind: Counter() for kind in MUST_BE_HIT}

    def arm(self, kind: str) -> dict[str, Trigger]:
        """Where a newborn process of this kind is to die: at any point that is still to be hit, or
        at one drawn point or another, as soon as few are left at whichever comes first.
        """
        with self._lock:
            missing = {name: Trigger() for name in self._missing(kind)}
            if missing and self._rng.random() < ALL_AT_ONCE:
                return missing
            name = self._rng.choice(MUST_BE_HIT[kind] + AIMED_AT[kind])
            asleep = kind == "worker" and self._rng.random() < FALL_ASLEEP
            drawn = Trigger(self._rng.randint(1, LATEST[kind]), "stop" if asleep else "kill")
            few = len(missing) <= FEW
            return {name: drawn} | {at: do for at, do in missing.items() if few or at in SELDOM}

    def arm_for_missing(self, kind: str) -> dict[str, Trigger]:
        """Triggers at what is still to be hit, and nothing else."""
        with self._lock:
            return {name: Trigger() for name in self._missing(kind)}

    def note(self, kind: str, point: str) -> None:
        """A process died at a point."""
        with self._lock:
            self.hit[kind][point] += 1

    def missing(self) -> list[str]:
        """What must still be hit, as `kind: point`."""
        with self._lock:
            return [f"{kind}: {name}" for kind in MUST_BE_HIT for name in self._missing(kind)]

    def _missing(self, kind: str) -> list[str]:
        return [name for name in MUST_BE_HIT[kind] if not self.hit[kind][name]]
