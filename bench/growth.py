"""Whether the desk gets slower with every case it has ever closed: 100 to 100,000 closed cases.

`python bench/growth.py [--sizes 100 1000 10000 100000] [--of closed] [--database sqlite]` prints a
table for each database. A few cases are closed by real passes; then their rows in every table (13
log entries, 7 steps and so on for each case) are copied by SQL until there are as many cases; each
copy has a client, numbers and days of its own, and one in twenty is still watched. `--of open`
copies a case that waits for a manager's decision instead. Billsby answers at once and the list is
in memory with few rows: only the desk's own growth is measured.

Each line is something the desk does again and again: a pass of each kind over a case that was
filed just before, a worker's sweep and its other chores, a page (signed in as a manager). The
figures are the best of a dozen: milliseconds in all, of CPU in this process (Billsby's and
PostgreSQL's are other processes), in the database, and how many queries.

How to read it: the last columns are time and CPU with the most cases over those with the fewest;
wanted is 1.1 at most. Where it is more and the queries are as many, the database reads more rows
for the same question: its column tells. Ratios of what takes less than a few ms say little. The
last line is work that has nothing to do with the desk, done in between: where its ratio is not 1,
the machine's pace has changed meanwhile, and so have all others.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from math import inf
from typing import TYPE_CHECKING

from copying import STRIDE, Copier
from desk import DATABASES, Desk, again, decide, file, parser, standing, user
from practice import Person
from processes import DidNotHappenError

from tests.fakes import FakeList

if TYPE_CHECKING:
    from canceldesk.cases.models import Case

SIZES = [100, 1_000, 10_000, 100_000]
TIMES = 12
OWNER = "bench"


@dataclass
class Cost:
    """What one thing took, at its best: seconds, and queries."""

    whole: float = inf
    cpu: float = inf
    database: float = inf
    queries: int = 0

    def seen(self, whole: float, cpu: float, queries: Sequence[float]) -> None:
        self.whole = min(self.whole, whole)
        self.cpu = min(self.cpu, cpu)
        self.database = min(self.database, sum(queries))
        self.queries = len(queries)

    def __str__(self) -> str:
        spent = (1000 * seconds for seconds in (self.whole, self.cpu, self.database))
        return "".join(f"{ms:7.1f}" for ms in spent) + f"{self.queries:4}"


Costs = dict[str, Cost]


@dataclass
class Meter:
    """Runs things and keeps what they took."""

    costs: Costs = field(default_factory=dict)

    def measure(self, name: str, do: Callable[[], object]) -> None:
        """Do it once."""
        from django.db import connection

        queries: list[float] = []

        def timed(execute: Callable[..., object], *query: object) -> object:
            began = time.perf_counter()
            try:
                return execute(*query)
            finally:
                queries.append(time.perf_counter() - began)

        began, cpu = time.perf_counter(), time.process_time()
        with connection.execute_wrapper(timed):
            do()
        whole, cpu = time.perf_counter() - began, time.process_time() - cpu
        self.costs.setdefault(name, Cost()).seen(whole, cpu, queries)


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    options.add_argument("--of", choices=["closed", "open"], default="closed")
    chosen = options.parse_args()
    if chosen.database is None:
        for database in DATABASES:
            again("--database", database)
        return
    clients = TIMES * len(chosen.sizes) + 2
    with standing(chosen.database, clients=clients) as desk, _list_in_memory():
        people = list(desk.practice.people)
        copier = Copier(*_models(desk, people.pop(), people.pop(), chosen.of), rare_every=20)
        found: list[Costs] = []
        for size in chosen.sizes:
            copier.grow_to(size)
            with _list_in_memory():
                found.append(_measured(desk, people[:TIMES], copier.newest))
            del people[:TIMES]
        _print(chosen.database, chosen.sizes, found)


@contextmanager
def _list_in_memory() -> Iterator[None]:
    from canceldesk import outside

    with outside.using(the_list=FakeList()):
        yield


def _models(desk: Desk, one: Person, other: Person, of: str) -> tuple[Case, Case]:
    """Two cases to copy: the usual one, and one that the desk still watches."""
    from canceldesk.cases.models import Case
    from canceldesk.closing.models import Watch

    if of == "open":
        return _passed(file(one)), _passed(file(other))
    over, watched = _closed(desk, one), _closed(desk, other)
    Watch.objects.filter(case=over).update(result=Watch.Result.CLEAN)
    Case.objects.filter(pk=over.pk).update(next_pass_at=None)
    return over, watched


def _closed(desk: Desk, person: Person) -> Case:
    case = _passed(file(person))
    decide(case, person, "suspend")
    _passed(case)
    desk.practice.suspend(person.subscription)
    return _passed(case)


def _passed(case: Case) -> Case:
    from canceldesk.engine import make_passes

    make_passes(case.pk, owner=OWNER)
    case.refresh_from_db()
    return case


def _measured(desk: Desk, people: Sequence[Person], of_many: int) -> Costs:
    from canceldesk.cases.models import State

    meter = Meter()
    pages = _pages(of_many)
    for person in people:
        case = file(person)
        meter.measure("pass: new case", partial(_passed, case))
        decide(case, person, "suspend")
        meter.measure("pass: closing until the click", partial(_passed, case))
        meter.measure("pass: waiting for the click", partial(_passed, case))
        desk.practice.suspend(person.subscription)
        meter.measure("pass: closing after the click", partial(_passed, case))
        meter.measure("pass: watch of a closed case", partial(_passed, case))
        for name, do in {**_chores(), **pages, "the machine itself": _nothing_of_the_desk}.items():
            meter.measure(name, do)
        if case.state != State.CLOSED:
            raise DidNotHappenError(f"{case} is {case.state}: {case.waits_sentence}")
    return meter.costs


def _chores() -> dict[str, Callable[[], object]]:
    from canceldesk.engine import housekeeping

    return {
        "chore: sweep": housekeeping.sweep,
        "chore: take over": housekeeping.take_over,
        "chore: tidy": housekeeping.tidy,
        "chore: refresh if due": housekeeping.refresh_if_due,
        "chore: compare if due": housekeeping.compare_if_due,
    }


def _pages(of_many: int) -> dict[str, Callable[[], object]]:
    from django.test import Client

    from canceldesk.cases.models import Case

    browser = Client(SERVER_NAME="localhost")
    browser.force_login(user("manager"), "allauth.account.auth_backends.AuthenticationBackend")
    case = Case.objects.get(pk=of_many)

    def get(path: str) -> None:
        answer = browser.get(path)
        if answer.status_code != HTTPStatus.OK:
            raise DidNotHappenError(f"{path} answers {answer.status_code}.")

    paths = {
        "page: today": "/",
        "page: today, asked again": "/today/live/",
        "page: retention queue": "/retention/",
        "page: a case": f"/cases/{case.pk}/",
        "page: a client": f"/clients/{case.client_id}/",
        "page: search for a client": f"/new/search/?q=Client-{of_many // STRIDE}",
    }
    return {name: partial(get, path) for name, path in paths.items()}


def _nothing_of_the_desk() -> None:
    for number in range(1_000):
        json.loads(json.dumps({"number": number, "digits": str(number).split("0")}))


def _print(database: str, sizes: Sequence[int], found: Sequence[Costs]) -> None:
    print(f"\n{database}: ms, ms of CPU, ms in the database, queries; most over fewest")
    print(f"{'':29}" + "".join(f"{size:>25,}" for size in sizes) + "    time   CPU")
    for name, few in found[0].items():
        many = found[-1][name]
        shown = "".join(str(costs[name]) for costs in found)
        ratios = f"{many.whole / few.whole:8.2f}{many.cpu / few.cpu:6.2f}"
        print(f"{name:29}{shown}{ratios}", flush=True)


if __name__ == "__main__":
    main()
