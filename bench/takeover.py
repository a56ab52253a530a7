"""How long cases lie after `kill -9` of the worker that was at them.

`python bench/takeover.py [--kills 3] [--cases 4] [--database sqlite]` prints a line for each
database and for where the other worker is: on the same machine, where it can see that the process
is no more, and on another machine (a worker that takes itself for one there), where only the lease
tells, by running out. Two workers run; cases are decided, and when a random number of calls to
Billsby has been made, the worker that has more of the cases is killed. For each case that it was
at, the time runs from the kill until the case is closed by the other worker, with the row on the
list and both halves read back. A new worker then takes the dead one's place.

How to read it: wanted is 60 s at most, each time. What the other worker still has to do of the
closing is in it: up to some 20 calls of 50 ms, and its own cases first.
"""

from __future__ import annotations

import datetime as dt
import random
import statistics
from collections import Counter
from collections.abc import Callable, Sequence

from closing_speed import closed_or
from desk import DATABASES, Desk, again, decided, let_go, parser, standing
from practice import Person
from processes import Process, wait_until

DELAY = 0.05
CALLS_EACH = 14  # of some 16 that a closing makes


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--kills", type=int, default=3, help="for each place")
    options.add_argument("--cases", type=int, default=4, help="at once")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    if chosen.database is None:
        for database in DATABASES:
            again("--database", database)
        return
    chance = random.Random(chosen.seed)
    with standing(chosen.database, clients=2 * chosen.kills * chosen.cases) as desk:
        people = list(desk.practice.people)
        desk.practice.take(DELAY)
        for place, other in (
            ("the same machine", desk.worker),
            ("another machine", desk.worker_elsewhere),
        ):
            makers: list[Callable[[], Process]] = [desk.worker, other]
            workers = [make() for make in makers]
            lay: list[float] = []
            for _ in range(chosen.kills):
                mine = [people.pop() for _ in range(chosen.cases)]
                victim, found = _killed(desk, workers, mine, chance)
                lay += found
                workers[victim] = makers[victim]()
            print(
                f"{chosen.database:10} other worker on {place}: {len(lay)} cases after "
                f"{chosen.kills} kills lay {statistics.median(lay):5.1f} s (median), "
                f"{max(lay):5.1f} s at most",
                flush=True,
            )
            for worker in workers:
                worker.stop()


def _killed(
    desk: Desk, workers: Sequence[Process], people: Sequence[Person], chance: random.Random
) -> tuple[int, list[float]]:
    """Kill the worker that has more of the cases; which one, and how long each case of its lay."""
    from django.db.models import Q

    from canceldesk import clock
    from canceldesk.cases.models import State

    cases = decided(people, "cancel")
    calls = chance.randint(1, CALLS_EACH * len(people) // 2)
    mark = desk.practice.mark()
    let_go(cases)
    wait_until(lambda: len(desk.practice.calls(mark)) >= calls, f"{calls} calls were made")
    busiest = Counter(_leased(cases).values()).most_common(1)[0][0]
    victim = next(n for n, worker in enumerate(workers) if worker.pid == busiest)
    workers[victim].kill()
    killed_at = clock.now()
    theirs = [case for case, pid in _leased(cases).items() if pid == busiest]
    closed_or(Q(state=State.CLOSING), cases)
    return victim, [(_closed_at(case) - killed_at).total_seconds() for case in theirs]


def _leased(cases: Sequence[int]) -> dict[int, int]:
    """Which process is at each case."""
    from canceldesk.cases.models import Case

    leased = Case.objects.filter(pk__in=cases, lease_until__isnull=False)
    owners = leased.values_list("pk", "lease_owner")
    # The name of an owner ends in the number of its process and a mark.
    return {case: int(owner.split("-")[-2]) for case, owner in owners}


def _closed_at(case: int) -> dt.datetime:
    from canceldesk.cases.log import Verb
    from canceldesk.cases.models import LogEntry

    return LogEntry.objects.get(case=case, verb=Verb.CASE_CLOSED).at


if __name__ == "__main__":
    main()
