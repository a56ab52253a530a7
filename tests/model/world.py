"""A case, the list and Billsby as one world that a model test moves: its clocks, its workers and
its judge.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.signals import post_save

from billsby_sandbox import faults
from billsby_sandbox.app import create_app
from billsby_sandbox.company import Company
from billsby_sandbox.transport import InProcessTransport
from canceldesk import clock, outside
from canceldesk.accounts.models import Role, User
from canceldesk.billsby.client import HttpBillsby
from canceldesk.cases import log, waking
from canceldesk.cases.models import Case, LogEntry
from canceldesk.closing import clock_set_back
from canceldesk.closing.models import Facts
from canceldesk.configuration import services as configuration
from tests.model.judge import Judge
from tests.model.outside import TheList, Wire, WiredBillsby
from tests.model.workers import Killed, Sleeper, Worker

START = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
SECRET = "hush"
# Between two examples the fake stopwatch jumps, so that no limit on calls reaches over.
A_LONG_TIME = 1000.0


class Stage:
    """What all worlds of one test run share because making it takes long."""

    def __init__(self) -> None:
        self.world: World | None = None
        self.time = START
        self.seconds = 0.0
        self.company = Company.open(
            ":memory:", domain="acme", api_key="acme_key", clock=lambda: self.time
        )
        app = create_app(self.company, sleep=self.sleep)
        self.client_for: Callable[[World], HttpBillsby] = lambda world: HttpBillsby(
            base_url="http://billsby.test/api/v1/rest/core",
            company_domain="acme",
            api_key="acme_key",
            rate_per_second=1_000_000,
            transport=Wire(world, InProcessTransport(app)),
            sleep=self.sleep,
            monotonic=self.monotonic,
            now=lambda: self.time,
        )
        self.users = {
            role: User.objects.create_user(f"{role.value}@example.com", name=role.label, role=role)
            for role in Role
        }
        configuration.change("BILLSBY_WEBHOOK_SECRET", SECRET)

    def sleep(self, seconds: float) -> None:
        """Nobody waits: the stopwatch jumps."""
        self.seconds += seconds

    def monotonic(self) -> float:
        """The stopwatch of the desk's client and of Billsby's own limit on calls."""
        return self.seconds


@contextmanager
def stage(patch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A stage on which one world after another can be put, each undone afterwards."""
    made = Stage()
    patch.setattr(faults, "time", made)
    patch.setattr(transaction.Atomic, "__exit__", _with_points(made))

    def noticed(instance: Any, created: bool, **_: Any) -> None:
        if created and made.world is not None:
            made.world.judge.noted(instance)

    add = log.add

    def add_and_notice(entries: Sequence[LogEntry]) -> None:
        add(entries)
        for entry in entries:
            noticed(entry, created=True)

    # Added together, entries send no signal.
    patch.setattr(log, "add", add_and_notice)
    for model in (LogEntry, Facts):
        post_save.connect(noticed, sender=model)
    with clock.frozen(START):
        yield made
    for model in (LogEntry, Facts):
        post_save.disconnect(noticed, sender=model)
    made.company.close()


def _with_points(made: Stage) -> Callable[..., None]:
    """Lets workers come by a point before and after every commit."""
    honest = transaction.Atomic.__exit__

    def leave(self: Any, kind: Any, problem: Any, trace: Any) -> None:
        world = made.world
        is_commit = (
            world is not None
            and world.running is not None
            and kind is None
            and len(connection.savepoint_ids) == world.depth + 1
        )
        # One without a savepoint cannot be undone alone here; it is one statement anyhow.
        if world is not None and is_commit and connection.savepoint_ids[-1] is not None:
            try:
                world.point("before a commit", is_in_transaction=True)
            except Killed as death:
                honest(self, Killed, death, None)
                raise
        honest(self, kind, problem, trace)
        if world is not None and is_commit:
            world.point("after a commit")

    return leave


class World:
    """One example's world. `close` undoes it."""

    def __init__(self, made: Stage, *, has_reference: bool = False) -> None:
        self.stage = made
        self.company = made.company
        self.company.reset()
        made.time, made.world = START, self
        made.seconds += A_LONG_TIME
        self.agent, self.manager, self.admin = (
            made.users[role] for role in (Role.AGENT, Role.MANAGER, Role.ADMIN)
        )
        self.running: Worker | None = None
        self.sleepers: list[Sleeper] = []
        self.workers_made = 0
        self._was_set_back = False
        self._undo = transaction.atomic()
        self._undo.__enter__()
        self.depth = len(connection.savepoint_ids)
        connection.execute_wrappers.append(self._the_dead_are_silent)
        self._clock = clock.frozen(START)
        self._clock.__enter__()
        self.the_list = TheList(self, has_reference=has_reference)
        self.judge = Judge(self)
        self.billsby: Any = WiredBillsby(self, made.client_for(self))
        self._outside = outside.using(billsby=self.billsby, the_list=self.the_list)
        self._outside.__enter__()

    def close(self) -> None:
        """Undo everything."""
        for sleeper in self.sleepers:
            if sleeper.is_asleep:
                sleeper.wake(to_die=True)
        self._outside.__exit__(None, None, None)
        self._clock.__exit__(None, None, None)
        connection.execute_wrappers.remove(self._the_dead_are_silent)
        self.stage.world = None
        transaction.set_rollback(True)
        self._undo.__exit__(None, None, None)

    def _the_dead_are_silent(self, execute: Any, sql: str, *rest: Any) -> Any:
        """What a killed process would still do on its way out, it does not do."""
        is_dead = self.running is not None and self.running.is_dead
        if is_dead and not sql.startswith(("SAVEPOINT", "ROLLBACK TO", "RELEASE")):
            raise Killed
        return execute(sql, *rest)

    def point(self, where: str, *, is_in_transaction: bool = False) -> bool:
        """Whoever runs now comes by a point; whether it slept there."""
        if self.running is None:
            return False
        inside = is_in_transaction or len(connection.savepoint_ids) > self.depth
        inside = inside or self.the_list.is_locked
        return self.running.point(where, is_in_transaction=inside)

    # time

    @property
    def now(self) -> dt.datetime:
        """The true time, Billsby's. The desk's clock may be off."""
        return self.stage.time

    def let_pass(self, span: dt.timedelta) -> None:
        """Time passes for everybody, and Billsby bills what is due."""
        self.stage.time += span
        self.stage.seconds += span.total_seconds()
        clock.advance(span)
        self.company.tick()
        self.judge.look_at_history()

    def step_clock(self, by: dt.timedelta) -> None:
        """The desk's own clock is set forward or back; the next worker to look round sees it."""
        clock.advance(by)
        self._was_set_back = self._was_set_back or -by > clock_set_back.TOLERATED

    @property
    def clock_is_off_by(self) -> dt.timedelta:
        """How far the desk's clock is ahead of the truth."""
        return clock.now() - self.now

    def stale_answers(self) -> int:
        """How often Billsby has answered with what was no longer true."""
        return self.company.books.store.number("SELECT count(*) FROM call WHERE fault = 'stale'")

    # passes

    def cases(self) -> list[Case]:
        """Every case, oldest first."""
        return list(Case.objects.select_related("client").order_by("pk"))

    def due(self) -> list[Case]:
        """The cases whose pass is due."""
        return list(waking.due(clock.now()))

    def worker_name(self) -> str:
        """Another worker's name."""
        self.workers_made += 1
        return f"Worker {self.workers_made}"

    def make_pass(self, case: Case, *, dies_at: int = 0) -> Worker:
        """Another worker makes a pass over a case."""
        worker = Worker(self, case.pk, self.worker_name(), dies_at=dies_at)
        worker.run()
        self.judge.pass_ended(worker)
        return worker

    def begin_pass(self, case: Case, *, sleeps_at: int) -> Sleeper:
        """Another worker begins a pass and may fall asleep in it."""
        sleeper = Sleeper(self, case.pk, self.worker_name(), sleeps_at=sleeps_at)
        sleeper.start()
        if sleeper.is_asleep:
            self.sleepers.append(sleeper)
            self.judge.somebody_sleeps()
        else:
            self.judge.pass_ended(sleeper)
        return sleeper

    def end_sleep(self, sleeper: Sleeper, *, to_die: bool = False) -> None:
        """A sleeper goes on, or is killed in its sleep."""
        self.sleepers.remove(sleeper)
        sleeper.wake(to_die=to_die)
        self.judge.pass_ended(sleeper)

    def make_due_passes(self) -> int:
        """One pass over each case that is due; how many."""
        if self._was_set_back:
            clock_set_back.put_right()
            self._was_set_back = False
        due = self.due()
        for case in due:
            self.make_pass(case)
        return len(due)
