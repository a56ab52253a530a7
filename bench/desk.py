"""A desk to measure, with its practice Billsby, workbook, database and people. Not a benchmark
itself.

Django is set up once in a process, so a process measures on one database: `again` runs a
benchmark once more, for another.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from practice import DOMAIN, KEY, Person, Practice
from processes import Process, wait_until

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from tests.postgres import Cluster  # noqa: E402 - found by the line above

if TYPE_CHECKING:
    from django.db.models import Q

    from canceldesk.accounts.models import User
    from canceldesk.cases.models import Case, Decision

SQLITE, POSTGRESQL = "sqlite", "postgresql"
DATABASES = (SQLITE, POSTGRESQL)
CANCELDESK = Path(sys.executable).with_name("canceldesk")
_ELSEWHERE = """
import django
django.setup()
from canceldesk import cli
from canceldesk.engine import processes
processes._here = lambda: "elsewhere"
cli.main()
"""


def parser(about: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark of the desk has."""
    made = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--database", choices=DATABASES, help="only on this one")
    return made


def again(*arguments: str) -> None:
    """Run this very command again, with more arguments, in a process of its own."""
    sys.stdout.flush()
    done = subprocess.run([sys.executable, *sys.argv, *arguments], check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


@contextlib.contextmanager
def standing(database: str, *, clients: int, owing: int = 0, **settings: object) -> Iterator[Desk]:
    """A desk that knows its clients and compares its book no more today; nothing of it runs.

    `owing`: every so many-th client owes an invoice. `settings` are those of the desk, by name.
    """
    # Told to end, a benchmark takes along what it started.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit("Ended from outside."))
    with (
        tempfile.TemporaryDirectory(prefix="canceldesk-bench-") as name,
        contextlib.ExitStack() as at_end,
    ):
        folder = Path(name)
        url = ""
        if database == POSTGRESQL:
            cluster = Cluster(folder, durable=True)
            at_end.callback(cluster.close)
            cluster.start()
            cluster.create("desk")
            url = cluster.url("desk")
        practice = Practice(folder / "billsby", clients, owing)
        at_end.callback(practice.stop)
        desk = Desk(folder, practice, url, settings)
        at_end.callback(desk.stop)
        desk.set_up()
        yield desk


@dataclass
class Desk:
    """A desk below `folder`."""

    folder: Path
    practice: Practice
    database_url: str
    settings: dict[str, object]
    _running: list[Process] = field(default_factory=list)

    @property
    def workbook(self) -> Path:
        """The workbook that holds its list."""
        return self.folder / "clients.xlsx"

    @property
    def environment(self) -> dict[str, str]:
        """What its processes are told."""
        known = {n: v for n, v in os.environ.items() if not n.startswith("CANCELDESK_")}
        told = {
            "DATA": self.folder / "data",
            "DATABASE_URL": self.database_url,
            "BILLSBY_URL": self.practice.api,
            "BILLSBY_DOMAIN": DOMAIN,
            "BILLSBY_API_KEY": KEY,
            "BILLSBY_RATE": 1000,
            "SYNC_MINUTES": 1440,
            "WORKBOOK_PATH": self.workbook,
            **self.settings,
        }
        known["DJANGO_SETTINGS_MODULE"] = "canceldesk.settings"
        return known | {f"CANCELDESK_{name}": str(value) for name, value in told.items()}

    def set_up(self) -> None:
        """Make the database, the workbook and the people; read the clients; compare the book."""
        os.environ.update(self.environment)
        import django

        django.setup()
        from canceldesk import newlist, outside, processlog, serving
        from canceldesk.accounts.models import Role
        from canceldesk.clients.refreshing import refresh_all

        processlog.configure(logging.WARNING)
        serving.prepare()
        for role in Role:
            _add_user(role)
        newlist.create_list(by=user("admin"))
        if problem := refresh_all(outside.billsby()).problem:
            raise SystemExit(problem)
        self._compare_book()

    def _compare_book(self) -> None:
        """A worker does it once a day as soon as it can: not while something is measured."""
        from canceldesk.engine.place import client
        from canceldesk.engine.queueing import COMPARE

        worker = self.worker()
        wait_until(
            lambda: bool(client().list_workflows(workflow_id_prefix=COMPARE, status="SUCCESS")),
            f"the book has been compared; see {worker.log}",
        )
        worker.stop()

    def worker(self, name: str = "worker") -> Process:
        """Start a worker and wait until it takes work."""
        return self.start(name, CANCELDESK, "worker")

    def worker_elsewhere(self, name: str = "elsewhere") -> Process:
        """A worker that takes itself for one on another machine."""
        return self.start(name, sys.executable, "-c", _ELSEWHERE, "worker")

    def start(self, name: str, *command: str | Path) -> Process:
        """Start a process of the desk and wait until it says that it is ready."""
        log = self.folder / f"{name}-{len(self._running)}.log"
        process = Process(command, self.environment, log)
        self._running.append(process)
        process.until_said("ready")
        return process

    def stop(self) -> None:
        """End whatever of it still runs."""
        for process in self._running:
            process.stop()


def _add_user(role: str) -> None:
    from canceldesk.accounts.models import User

    User.objects.create_user(f"{role}@example.com", name=f"{role.title()} Example", role=role)


def user(role: str) -> User:
    """The desk's only user of a role."""
    from canceldesk.accounts.models import User

    return User.objects.get(role=role)


def file(person: Person) -> Case:
    """File a client's wish to stop, as an agent does."""
    from canceldesk.cases import services as cases
    from canceldesk.cases.models import Channel, Reason, Wish
    from canceldesk.clients.models import Client

    client = Client.objects.get(billsby_id=person.client)
    return cases.file_request(
        by=user("agent"),
        client=client,
        subscriptions=list(client.subscriptions.all()),
        wish=Wish.SUSPEND,
        channel=Channel.CALL,
        reason=Reason.objects.all()[0],
    )


def approve(case: Case, person: Person) -> None:
    """Approve writing off what a client owes, if anything, as a manager does."""
    from canceldesk.clients.models import OpenInvoice
    from canceldesk.closing.services import Seen, approve_write_offs

    if person.owes:
        owed = OpenInvoice.objects.get(number=person.owes)
        approve_write_offs(case, by=user("manager"), seen=[Seen(owed.number, owed.amount_minor)])


def decide(case: Case, person: Person, decision: str) -> None:
    """Decide a case, as a manager does."""
    from canceldesk.retention import services as retention

    retention.decide(case, by=user("manager"), decision=_decision(decision), typed_id=person.client)


def _decision(word: str) -> Decision:
    from canceldesk.cases.models import Decision

    return Decision(word)


def decided(people: Sequence[Person], decision: str) -> list[int]:
    """Cases that need nobody but the desk any more (to suspend: and Billsby's panel), and that no
    worker sees before they are let go.
    """
    made = []
    for person in people:
        case = file(person)
        approve(case, person)
        decide(case, person, decision)
        hold_back(case)
        made.append(case.pk)
    return made


def hold_back(case: Case) -> None:
    """Keep the workers from a case; nothing of this process tells the engine of it by itself."""
    from canceldesk.cases.models import Case

    Case.objects.filter(pk=case.pk).update(next_pass_at=None)


def let_go(cases: Sequence[int]) -> float:
    """Make cases due and put them into the queue, as waking them does; the moment it began."""
    from canceldesk import clock, engine
    from canceldesk.cases.models import Case

    began = time.monotonic()
    Case.objects.filter(pk__in=cases).update(next_pass_at=clock.now())
    for case in cases:
        engine.enqueue(case)
    return began


def under_way(case_ids: Collection[int], unfinished: Q) -> bool:
    """Whether a pass is being made over any of these cases, or one is `unfinished`."""
    from django.db.models import Q

    from canceldesk.cases.models import Case

    mine = Case.objects.filter(pk__in=case_ids)
    return mine.filter(unfinished | Q(lease_until__isnull=False)).exists()
