"""Closings per second against the practice Billsby, beside a bare script: the floor.

`python bench/closing_speed.py [--cases 120] [--delay 0.05] [--concurrency 8] [--workers 1]
[--database sqlite] [--decision cancel]` prints one line for each database, decision and number of
workers.

- desk: one `canceldesk worker` that works on 8 cases at once, or two that work on 4 each (the
  setting's default); they have closed 8 before. The time is from putting the cases into the queue
  until the last pass is over: queue, database, every write synced to the disk, the row on a real
  workbook, both halves read back, and the first look of the watch.
- floor: a script that makes the same calls to Billsby, for each case in the same order, with the
  same bodies, 8 cases at once, over connections that stay open, and forgets the answers. It keeps
  nothing, writes no list, checks nothing. The calls are those that Billsby recorded of the desk's
  own run.

`cancel`: full cancellation, a write-off in every second case; needs nobody. `suspend`: the desk
closes until only the click is missing, then all clicks are made (not measured), the cases are put
into the queue again, as Billsby's webhooks do, and closed; both times are added up, for the floor,
too.

How to read it: "x floor" is the desk's time over the floor's; wanted is 1.25 at most. Calls and
CPU seconds per closing depend less on how busy the machine is: of the workers, and of the pages'
part (filing, approving, deciding). The floor's CPU is what the same calls cost by httpx alone.
Where all processors are busy, or other programs run, the ratio tells of the machine.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from desk import DATABASES, Desk, again, decided, let_go, parser, standing, under_way
from practice import KEY, Call, Person, Practice
from processes import DidNotHappenError, cpu_of_machine, processors, wait_until

if TYPE_CHECKING:
    from django.db.models import Q

DECISIONS = ("cancel", "suspend")
WORKERS = (1, 2)
OWING = 2
WITHIN = 300.0


@dataclass
class Figures:
    """What closing some cases took, and the calls that it made, client by client, in parts."""

    seconds: float = 0.0
    cpu: float = 0.0
    pages_cpu: float = 0.0
    used: float = 0.0
    """CPU of everything on the machine meanwhile."""
    parts: list[list[list[Call]]] = field(default_factory=list)

    @property
    def calls(self) -> int:
        return sum(len(calls) for part in self.parts for calls in part)


@dataclass(frozen=True)
class Plan:
    """What is closed, and how."""

    decision: str
    cases: int
    delay: float
    concurrency: int
    workers: int


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--cases", type=int, default=120)
    options.add_argument("--delay", type=float, default=0.05, help="seconds for each call")
    options.add_argument("--concurrency", type=int, default=8)
    options.add_argument("--decision", choices=DECISIONS, help="only this one")
    options.add_argument("--workers", type=int, help="only with so many")
    chosen = options.parse_args()
    if chosen.database and chosen.decision and chosen.workers:
        plan = Plan(chosen.decision, chosen.cases, chosen.delay, chosen.concurrency, chosen.workers)
        _measure(chosen.database, plan)
        return
    for database, decision, workers in itertools.product(
        [chosen.database] if chosen.database else DATABASES,
        [chosen.decision] if chosen.decision else DECISIONS,
        [chosen.workers] if chosen.workers else WORKERS,
    ):
        again("--database", database, "--decision", decision, "--workers", str(workers))


def _measure(database: str, plan: Plan) -> None:
    clients = plan.cases + plan.concurrency
    passes = plan.concurrency // plan.workers
    with standing(database, clients=clients, owing=OWING, WORKERS=passes) as desk:
        desks = by_the_desk(desk, plan)
        desk.practice.stop()
        floor = by_the_floor(desk.folder / "floor", plan, desks.parts)
    count, ms_each = plan.cases, 1000 / plan.cases
    print(
        f"{database:10} {plan.decision:7} {plan.workers} x {passes}: desk {desks.seconds:6.2f} s, "
        f"floor {floor.seconds:6.2f} s, {desks.seconds / floor.seconds:5.2f} x floor; per closing "
        f"{desks.calls / count:4.1f} calls, CPU {desks.cpu * ms_each:3.0f} ms workers, "
        f"{desks.pages_cpu * ms_each:2.0f} ms pages, {floor.cpu * ms_each:2.0f} ms floor; "
        f"{count / desks.seconds:4.1f} closings/s, "
        f"{desks.used / desks.seconds:3.1f} of {processors()} processors busy",
        flush=True,
    )


def by_the_desk(desk: Desk, plan: Plan) -> Figures:
    """Close the cases with workers that have closed some before."""
    from django.db.models import Q

    from canceldesk.cases.models import State, WaitsFor

    people = desk.practice.people[: plan.cases]
    figures = Figures()
    workers = [desk.worker() for _ in range(plan.workers)]
    _warm_up(desk.practice.people[plan.cases :])
    before = time.process_time()
    cases = decided(people, plan.decision)
    figures.pages_cpu = time.process_time() - before
    open_ = Q(state=State.CLOSING)
    asked = open_ & Q(waits_for=WaitsFor.NOTHING)
    before = sum(worker.cpu() for worker in workers)
    for unfinished in [asked, open_] if plan.decision == "suspend" else [open_]:
        if figures.parts:
            _click(desk.practice, people)
        desk.practice.take(plan.delay)
        mark = desk.practice.mark()
        used = cpu_of_machine()
        began = let_go(cases)
        ended = closed_or(unfinished, cases)
        figures.seconds += ended - began
        figures.used += cpu_of_machine() - used
        figures.parts.append(_parts(desk.practice, mark))
        desk.practice.take(0)
    figures.cpu = sum(worker.cpu() for worker in workers) - before
    for worker in workers:
        worker.stop()
    _check(len(desk.practice.people))
    return figures


def _warm_up(people: Sequence[Person]) -> None:
    """Close some cases that count for nothing: modules get loaded, connections made."""
    from django.db.models import Q

    from canceldesk.cases.models import State

    cases = decided(people, "cancel")
    let_go(cases)
    closed_or(Q(state=State.CLOSING), cases)


def closed_or(unfinished: Q, cases: Sequence[int]) -> float:
    """Wait until no case is `unfinished` and no pass is made; the moment that was seen."""
    return wait_until(lambda: not under_way(cases, unfinished), "the passes end", within=WITHIN)


def _parts(practice: Practice, mark: int) -> list[list[Call]]:
    return list(practice.by_client(practice.calls(since=mark)).values())


def _click(practice: Practice, people: Sequence[Person]) -> None:
    for person in people:
        practice.suspend(person.subscription)


def _check(clients: int) -> None:
    """A desk that closes quickly but not rightly has no figures."""
    from canceldesk import outside
    from canceldesk.cases.models import Case, State

    closed = Case.objects.filter(state=State.CLOSED).count()
    rows = len(outside.the_list().read().rows)
    if (closed, rows) != (clients, clients):
        raise DidNotHappenError(f"Of {clients} cases {closed} are closed; {rows} rows.")


def by_the_floor(folder: Path, plan: Plan, parts: Sequence[Sequence[Sequence[Call]]]) -> Figures:
    """Make the same calls at a Billsby with the same clients."""
    practice = Practice(folder, plan.cases + plan.concurrency, OWING)
    figures = Figures()
    with httpx.Client(headers={"ApiKey": KEY}, trust_env=False) as http:
        for number, part in enumerate(parts):
            if number:
                practice.take(0)
                _click(practice, practice.people)
            practice.take(plan.delay)
            before = time.process_time()
            figures.seconds += _at_once(plan.concurrency, _sender(http, practice.api), part)
            figures.cpu += time.process_time() - before
    practice.stop()
    return figures


def _sender(http: httpx.Client, api: str) -> Callable[[Sequence[Call]], None]:
    def send(calls: Sequence[Call]) -> None:
        for call in calls:
            headers = {"Content-Type": "application/json"} if call.body else {}
            url = f"{api}{call.path}?{call.query}"
            http.request(
                call.method, url, content=call.body or None, headers=headers
            ).raise_for_status()

    return send


def _at_once(
    many: int, do: Callable[[Sequence[Call]], None], work: Sequence[Sequence[Call]]
) -> float:
    waiting: queue.SimpleQueue[Sequence[Call]] = queue.SimpleQueue()
    for one in work:
        waiting.put(one)

    def go_on() -> None:
        while True:
            try:
                one = waiting.get_nowait()
            except queue.Empty:
                return
            do(one)

    threads = [threading.Thread(target=go_on) for _ in range(many)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - started


if __name__ == "__main__":
    main()
