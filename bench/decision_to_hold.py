"""How long the desk itself takes from a decision to the hold, when 100 cases are decided at once.

`python bench/decision_to_hold.py [--cases 100] [--concurrency 8] [--workers 1] [--database sqlite]`
prints two lines for each database and number of workers: one that works on 8 cases at once, or two
that work on 4 each (the setting's default). All cases are filed and looked at before; then they are
decided (suspend) by the services that the pages use, on 8 threads as the pages have, so fast as the
desk takes it. For each case the time runs from the moment its decision is stored (`decided_at`,
taken just before the commit) until the hold was read back from Billsby (`read_at` of the hold).

- Billsby answering at once: then all of that time is the desk's own: waiting for a free pass,
  queue, database, the steps before the hold, and the practice Billsby's own milliseconds.
- Billsby taking 50 ms a call: here the calls that the case's own pass makes until the hold is read
  back are told apart ("in calls", by the worker's log). What is left still holds the time in which
  the case waited for a free pass while other cases' passes waited for Billsby, so this line shows
  what a company sees, and the first line what is the desk's own.

How to read it: wanted is a 99th percentile of the desk's own time (first line) under 2 s. Cases
decided one after another do not wait for each other: their time is near the smallest printed.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from closing_speed import WORKERS, closed_or
from desk import DATABASES, Desk, again, decide, file, parser, standing
from practice import Person
from processes import DidNotHappenError, Process

if TYPE_CHECKING:
    from canceldesk.cases.models import Case

PAGES_THREADS = 8
CALL = re.compile(r"^(?P<at>\S+) .*billsby_call .* ms=(?P<ms>\d+) path=(?P<path>\S+)")


@dataclass(frozen=True)
class Held:
    """One case on its way from the decision to the hold, in seconds."""

    whole: float
    in_calls: float


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--cases", type=int, default=100)
    options.add_argument("--concurrency", type=int, default=8)
    options.add_argument("--workers", type=int, help="only with so many")
    options.add_argument("--delay", type=float, default=0.05, help="seconds for each call")
    chosen = options.parse_args()
    if chosen.database and chosen.workers:
        passes = chosen.concurrency // chosen.workers
        _measure(chosen.database, chosen.cases, chosen.delay, chosen.workers, passes)
        return
    for database, workers in itertools.product(
        [chosen.database] if chosen.database else DATABASES,
        [chosen.workers] if chosen.workers else WORKERS,
    ):
        again("--database", database, "--workers", str(workers))


def _measure(database: str, count: int, delay: float, workers: int, passes: int) -> None:
    with standing(database, clients=2 * count, WORKERS=passes) as desk:
        from canceldesk import engine

        started = [desk.worker(f"worker-{number}") for number in range(workers)]
        engine.listen()
        people = desk.practice.people
        for seconds, mine in ((0.0, people[:count]), (delay, people[count:])):
            held = _measured(desk, started, mine, seconds)
            took = f"Billsby taking {1000 * seconds:.0f} ms" if seconds else "Billsby at once"
            told = _told(held, apart=bool(seconds))
            print(f"{database:10} {workers} x {passes}, {took}: {told}", flush=True)


def _told(held: Sequence[Held], *, apart: bool) -> str:
    whole = [one.whole for one in held]
    said = f"decision to hold p50 {_at(50, whole):5.2f} s, p99 {_at(99, whole):5.2f} s"
    said += f", quickest {min(whole):5.2f} s"
    if apart:
        rest = [one.whole - one.in_calls for one in held]
        said += f"; in calls p50 {_at(50, [one.in_calls for one in held]):5.2f} s"
        said += f"; the rest p50 {_at(50, rest):5.2f} s, p99 {_at(99, rest):5.2f} s"
    return said


def _at(percentile: int, seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[percentile - 1]


def _measured(
    desk: Desk, workers: Sequence[Process], people: Sequence[Person], delay: float
) -> list[Held]:
    from django.db.models import Q

    from canceldesk.cases.models import State, WaitsFor

    cases = [file(person) for person in people]
    numbers = [case.pk for case in cases]
    closed_or(Q(waits_for=WaitsFor.NOTHING), numbers)
    desk.practice.take(delay)
    read = [worker.log.stat().st_size for worker in workers]
    with ThreadPoolExecutor(PAGES_THREADS) as pages:
        list(pages.map(_decide, cases, people))
    closed_or(Q(state=State.CLOSING, waits_for=WaitsFor.NOTHING), numbers)
    desk.practice.take(0)
    logs = [worker.log.read_text()[start:] for worker, start in zip(workers, read, strict=True)]
    return _held(people, _calls("\n".join(logs)))


def _decide(case: Case, person: Person) -> None:
    from django.db import close_old_connections

    try:
        decide(case, person, "suspend")
    finally:
        close_old_connections()


def _calls(log: str) -> list[tuple[set[str], dt.datetime, float]]:
    """What each call named, when it had its answer, and the seconds it took."""
    found = (CALL.match(line) for line in log.splitlines())
    return [
        (set(one["path"].split("/")), dt.datetime.fromisoformat(one["at"]), int(one["ms"]) / 1000)
        for one in found
        if one
    ]


def _held(
    people: Sequence[Person], calls: Sequence[tuple[set[str], dt.datetime, float]]
) -> list[Held]:
    from canceldesk.closing.models import Hold

    found = []
    for person in people:
        hold = Hold.objects.select_related("scope__case").get(
            scope__subscription__billsby_id=person.subscription
        )
        begun, ended = hold.scope.case.decided_at, hold.read_at
        if begun is None or ended is None:
            raise DidNotHappenError(f"{hold.scope.case.number} is not held.")
        mine = {person.client, person.subscription}
        spent = sum(took for named, at, took in calls if named & mine and begun < at <= ended)
        found.append(Held((ended - begun).total_seconds(), spent))
    return found


if __name__ == "__main__":
    main()
