"""After the mischief: everything works again, days pass in which nobody does anything, then people
do what they owe, and every case comes to its end or waits on a person with a sentence.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos import deskdata
from tests.chaos.interfaces import Stage

ENDED = ("closed", "retained", "withdrawn")
LOOK_EVERY = 0.25
QUIET_ROUNDS = 8
"""Rounds without any change after which nothing more is to be expected."""
FARTHEST = 7200.0
"""Seconds ahead that are still skipped by putting the clock on: more than it was ever put back.
Watches lie days ahead.
"""
NEVER = float("inf")
STUCK_AFTER = 4.0
"""Real seconds of work without a change after which leases of the dead are let run out."""
LEASE = 55.0
LOOKED_AT_WITHIN = 240.0
"""Real seconds in which a busy machine gets round to every case."""
NIGHTS_OFF = 4
HOURS_OF_A_NIGHT_OFF = 47
"""Less than the three days before a charge from which on the desk holds an undecided client."""


@dataclass(frozen=True)
class Look:
    """The desk at one moment: unfinished cases as (number, state, waits for, sentence), seconds
    until the next pass that is due within reach (0: now; None: none), and where every case
    stands, which changes when one goes on.

    A case that waits on a person and is only read again, with a newer moment in its evidence, has
    a newer version and yet has not gone on.
    """

    unfinished: list[tuple[str, str, str, str]]
    next_in: float | None
    stands: frozenset[tuple[object, ...]]


def look(stage: Stage, offset: float) -> Look:
    """Ask the desk's database. Raises deskdata.Unreachable."""
    found = deskdata.rows(
        stage,
        "SELECT id, state, waits_for, waits_sentence, version, next_pass_at FROM cases_case",
    )
    now = _now(offset)
    ahead = [(_moment(row[5]) - now).total_seconds() if row[5] else NEVER for row in found]
    within = [max(0.0, seconds) for seconds in ahead if seconds <= FARTHEST]
    left = _held(stage) | _rows_under_way(stage)
    unfinished = [
        (f"C-{row[0]:05d}", str(row[1]), str(row[2]), str(row[3]))
        for row, seconds in zip(found, ahead, strict=True)
        if row[1] not in ENDED
        or row[0] in left
        or (row[2] in {"outside", "time"} and seconds <= FARTHEST)
    ]
    stands = frozenset((*row[:4], None if row[2] == "person" else row[4]) for row in found)
    return Look(unfinished, min(within, default=None), stands)


def _held(stage: Stage) -> set[int]:
    """Cases whose client stays and whose holds have not been given back."""
    found = deskdata.rows(
        stage,
        "SELECT DISTINCT c.id FROM closing_hold h"
        " JOIN cases_casesubscription s ON s.id = h.scope_id JOIN cases_case c ON c.id = s.case_id"
        " WHERE c.state IN ('retained', 'withdrawn')"
        " AND h.state IN ('intended', 'held', 'releasing', 'released')",
    )
    return {row[0] for row in found}


def _rows_under_way(stage: Stage) -> set[int]:
    """Cases whose row is still to be written or to leave the list."""
    found = deskdata.rows(
        stage,
        "SELECT case_id FROM closing_intent"
        " WHERE kind = 'row' AND state IN ('intended', 'unwanted', 'leaving')",
    )
    return {row[0] for row in found}


def _now(offset: float) -> dt.datetime:
    """What the desk's clock shows."""
    return dt.datetime.now(tz=dt.UTC) + dt.timedelta(seconds=offset)


def _moment(value: object) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    told = dt.datetime.fromisoformat(str(value))
    return told if told.tzinfo else told.replace(tzinfo=dt.UTC)


def take_days_off(
    stage: Stage,
    *,
    offset: Callable[[], float],
    step: Callable[[float], None],
    night: Callable[[int], None],
    patience: float,
) -> int:
    """Let days pass for Billsby and the desk while every case that is not over waits on somebody
    who does nothing; gives how many services are held then beyond the date on which they would
    have been charged. What nothing holds is charged on the way.
    """
    for nights_left in range(NIGHTS_OFF, -1, -1):
        began = _now(offset())
        keep_peace(stage, _nobody, offset=offset, step=step, patience=patience)
        _let_all_be_looked_at(stage, began)
        if nights_left:
            night(HOURS_OF_A_NIGHT_OFF)
    return _held_beyond_their_date(stage, offset())


def _let_all_be_looked_at(stage: Stage, since: dt.datetime) -> None:
    """Wait until every case that is not over has had a pass since a moment, as it would have had
    before the next night: a machine with much else to do takes longer than anybody's patience.
    """
    until = time.monotonic() + LOOKED_AT_WITHIN
    while time.monotonic() < until:
        with contextlib.suppress(deskdata.Unreachable):
            if not _not_looked_at(stage, since):
                return
        time.sleep(LOOK_EVERY)
    raise RuntimeError("The desk did not come round to all its cases: the machine is too busy.")


def _not_looked_at(stage: Stage, since: dt.datetime) -> int:
    found = deskdata.rows(stage, "SELECT state, next_pass_at FROM cases_case")
    return sum(
        state not in ENDED and at is not None and _moment(at) <= since for state, at in found
    )


def _nobody() -> int:
    return 0


def _held_beyond_their_date(stage: Stage, offset: float) -> int:
    found = deskdata.rows(
        stage, "SELECT original_next_billing_at FROM closing_hold WHERE state = 'held'"
    )
    now = _now(offset)
    return sum(at is not None and _moment(at) < now for (at,) in found)


def keep_peace(
    stage: Stage,
    settle: Callable[[], int],
    *,
    offset: Callable[[], float],
    step: Callable[[float], None],
    patience: float,
) -> Look:
    """Let everything come to its end, until nothing has changed for `patience` real seconds;
    gives the last look. `settle` is a round of what people owe, and gives how much they did.

    The clock is put on only to where something is due, so that nobody's lease runs out while it
    is being worked on; leases of the dead are let run out when nothing moves.
    """
    last, quiet, moved_at, stepped_at = Look([], None, frozenset()), 0, time.monotonic(), 0.0
    while time.monotonic() - moved_at < patience:
        done = settle()
        try:
            seen = look(stage, offset())
        except deskdata.Unreachable:
            time.sleep(LOOK_EVERY)
            continue
        if done or seen.stands != last.stands:
            quiet, moved_at = 0, time.monotonic()
        stage.journal.write(
            "runner",
            "looked",
            unfinished=len(seen.unfinished),
            next_in=seen.next_in,
            moved=len(seen.stands ^ last.stands),
            people_did=done,
        )
        last = seen
        if not seen.unfinished and not done:
            return seen
        if seen.next_in is None or seen.next_in > 0:
            quiet += 1
            if quiet >= QUIET_ROUNDS and all(
                waits == "person" for _, _, waits, _ in seen.unfinished
            ):
                return seen
            step((seen.next_in or 0.0) + 1)
        elif time.monotonic() - max(moved_at, stepped_at) > STUCK_AFTER:
            stepped_at = time.monotonic()
            step(LEASE)
        time.sleep(LOOK_EVERY)
    return last
