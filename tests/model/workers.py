"""Workers that make passes, and what can become of one at any point it comes by.

A point is: before and after every call to Billsby and every use of the list, and before and after
every commit. At one of them a worker may be killed, or fall asleep while others go on.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from django.db import connections

from canceldesk.closing.advance import advance

if TYPE_CHECKING:
    from tests.model.world import World

# Hypothesis draws how many points a worker passes before something becomes of it.
MOST_POINTS = 60


class Killed(BaseException):
    """The process ended here. No `except Exception` sees it, as none would see a SIGKILL."""


class Worker:
    """One worker making one pass, killed at its `dies_at`th point if it comes so far."""

    def __init__(self, world: World, case_id: int, name: str, *, dies_at: int = 0) -> None:
        self.world, self.case_id, self.name = world, case_id, name
        self.points_left = dies_at
        self.is_dead = False
        self.has_slept = False
        self.passed_since_asleep = 0
        self.stopped_at = ""
        self.made_a_pass = False
        self._stale_before = world.stale_answers()

    @property
    def was_misled(self) -> bool:
        """Whether Billsby has told it things that were no longer true."""
        return self.world.stale_answers() > self._stale_before

    def point(self, where: str, *, is_in_transaction: bool = False) -> bool:
        """The worker comes by a point; whether it slept there."""
        if self.points_left == 0:
            return False
        self.points_left -= 1
        if self.points_left == 0:
            self.stopped_at = where
            self.is_dead = True
            raise Killed
        return False

    @property
    def has_just_woken(self) -> bool:
        """Whether it has asked nothing since it slept, so that what it does now may be late."""
        return self.has_slept and self.passed_since_asleep <= 1

    def run(self) -> None:
        """Make the pass, in the caller's own thread."""
        before, self.world.running = self.world.running, self
        try:
            self.made_a_pass = advance(self.case_id, owner=self.name)
        except Killed:
            pass
        finally:
            self.world.running = before


class Sleeper(Worker):
    """A worker that falls asleep at a point and goes on when it is woken.

    It has a thread of its own, but the two threads take turns and share one connection, so that
    every run is the same.
    """

    def __init__(self, world: World, case_id: int, name: str, *, sleeps_at: int) -> None:
        super().__init__(world, case_id, name)
        self.points_left = sleeps_at
        self.is_asleep = False
        self.problem: BaseException | None = None
        self._my_turn = threading.Semaphore(0)
        self._their_turn = threading.Semaphore(0)
        self._connection = connections["default"]
        self._thread = threading.Thread(target=self._in_own_thread, daemon=True)

    def start(self) -> None:
        """Begin the pass; comes back when the worker sleeps or is done."""
        before, self.world.running = self.world.running, self
        self._connection.inc_thread_sharing()
        self._thread.start()
        self._wait(before)

    def wake(self, *, to_die: bool = False) -> None:
        """Let the pass go on to its end; `to_die` kills it in its sleep instead."""
        before, self.world.running = self.world.running, self
        self.is_asleep, self.is_dead = False, to_die
        self._my_turn.release()
        self._wait(before)

    def point(self, where: str, *, is_in_transaction: bool = False) -> bool:
        self.passed_since_asleep += self.has_slept
        # A sleeper inside a transaction would only make everybody else wait for the database.
        if self.points_left == 0 or is_in_transaction:
            return False
        self.points_left -= 1
        if self.points_left > 0:
            return False
        self.stopped_at, self.is_asleep, self.has_slept = where, True, True
        self._their_turn.release()
        self._my_turn.acquire()
        if self.is_dead:
            raise Killed
        return True

    def _wait(self, before: Worker | None) -> None:
        self._their_turn.acquire()
        self.world.running = before
        if not self.is_asleep:
            self._thread.join()
            self._connection.dec_thread_sharing()
        if self.problem is not None:
            raise self.problem

    def _in_own_thread(self) -> None:
        connections["default"] = self._connection
        try:
            self.made_a_pass = advance(self.case_id, owner=self.name)
        except Killed:
            pass
        except BaseException as problem:
            self.problem = problem
        finally:
            self._their_turn.release()
