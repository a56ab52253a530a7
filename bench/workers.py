"""How much faster two and four workers close than one, on PostgreSQL.

`python bench/workers.py [--cases 80] [--delay 0.05] [--workers 1 2 4] [--passes 4]` prints one line
for each number of workers: processes `canceldesk worker`, each working on 4 cases at once (the
setting's default), on one PostgreSQL, one workbook and one practice Billsby that takes 50 ms for
every call. The cases are full cancellations, a write-off in every second; the workers have closed
some before. Every number of workers closes as many cases for each worker, so that all of them end
with an equally short time in which some have nothing left to do.

How to read it: "x one" is closings per second over those of one worker; wanted for four is 3.5.
"CPU used" tells how many of this machine's processors were at work, Billsby's and PostgreSQL's
share included: where it comes near the number there are, the machine is measured and not the desk.
"""

from __future__ import annotations

from closing_speed import closed_or
from desk import POSTGRESQL, Desk, decided, let_go, parser, standing
from practice import Person
from processes import DidNotHappenError, Process, cpu_of_machine, processors

OWING = 2
WARM_UP = 4


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--cases", type=int, default=80, help="for each worker")
    options.add_argument("--delay", type=float, default=0.05, help="seconds for each call")
    options.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    options.add_argument("--passes", type=int, default=4, help="at once in each worker")
    chosen = options.parse_args()
    database = chosen.database or POSTGRESQL
    clients = sum((chosen.cases + WARM_UP) * number for number in chosen.workers)
    with standing(database, clients=clients, owing=OWING, WORKERS=chosen.passes) as desk:
        people = list(desk.practice.people)
        one = 0.0
        for number in chosen.workers:
            workers = [desk.worker(f"worker-{index}") for index in range(number)]
            warm, mine = _taken(people, WARM_UP * number), _taken(people, chosen.cases * number)
            _close(desk, warm, 0)
            speed, used, cost = _measured(desk, workers, mine, chosen.delay)
            one = one or speed
            print(
                f"{number} {'worker ' if number == 1 else 'workers'}: {speed:5.1f} closings/s, "
                f"{speed / one:4.2f} x one; CPU {1000 * cost:4.0f} ms per closing in the workers, "
                f"CPU used {used:4.2f} of {processors()}",
                flush=True,
            )
            for worker in workers:
                worker.stop()


def _taken(people: list[Person], count: int) -> list[Person]:
    taken = people[:count]
    del people[:count]
    return taken


def _measured(
    desk: Desk, workers: list[Process], people: list[Person], delay: float
) -> tuple[float, float, float]:
    before = sum(worker.cpu() for worker in workers)
    seconds, used = _close(desk, people, delay)
    cost = sum(worker.cpu() for worker in workers) - before
    return len(people) / seconds, used, cost / len(people)


def _close(desk: Desk, people: list[Person], delay: float) -> tuple[float, float]:
    """Close the cases of these clients; the seconds, and how many processors were at work."""
    from django.db.models import Q

    from canceldesk.cases.models import Case, State

    cases = decided(people, "cancel")
    desk.practice.take(delay)
    before = cpu_of_machine()
    began = let_go(cases)
    seconds = closed_or(Q(state=State.CLOSING), cases) - began
    used = (cpu_of_machine() - before) / seconds
    desk.practice.take(0)
    if Case.objects.filter(pk__in=cases, state=State.CLOSED).count() != len(cases):
        raise DidNotHappenError("Not every case is closed.")
    return seconds, used


if __name__ == "__main__":
    main()
