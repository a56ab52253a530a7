"""What keeps a worker going: sweeping, tidying, and the chores that come by the clock."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog
from django.db import close_old_connections, connection

from canceldesk import clock, outside
from canceldesk.cases import lease as leases
from canceldesk.cases import waking
from canceldesk.clients import refreshing
from canceldesk.closing import clock_set_back
from canceldesk.configuration import services as configuration
from canceldesk.engine.place import client
from canceldesk.engine.processes import is_dead
from canceldesk.engine.queueing import (
    COMPARE,
    ONE_PASS,
    PASS_LIMIT,
    PASSES,
    REFRESH,
    UNFINISHED,
    enqueue,
    enqueue_comparison,
    enqueue_refresh,
)
from canceldesk.engine.signs import ChoreWatch
from canceldesk.outside import NotSetUpError

if TYPE_CHECKING:
    from dbos import WorkflowStatus

logger = structlog.get_logger(__name__)

SWEEP_SECONDS = 2.0
TIDY_SECONDS = 60.0
ENDS_WITHIN = 20.0
SWEPT_AT_ONCE = 200
PASSES_KEPT = dt.timedelta(minutes=10)
# Whether the book has been compared today is read from the finished chores.
CHORES_KEPT = dt.timedelta(days=2)
TIDIED_AT_ONCE = 2000
# Each number of names makes a statement of its own, which SQLite keeps prepared for a while.
FORGOTTEN_TOGETHER = 100
FIRST_REFRESH_RETRY = dt.timedelta(minutes=1)

_FINISHED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


def sweep() -> int:
    """Queue every case that is due, that nobody works on, and that is not queued yet. One that was
    taken from the queue longer ago than a pass may last, and that nobody works on, died there.

    Gives how many were queued. Costs one query when nothing is due.
    """
    due = list(waking.due(clock.now()).values_list("pk", flat=True)[:SWEPT_AT_ONCE])
    if not due:
        return 0
    queued = _queued_passes()
    died = _of_the_dead([one for one in queued if _case_of(one) in due])
    if died:
        client().cancel_workflows(list(died))
    waiting = {_case_of(one) for one in queued if one.workflow_id not in died}
    found = [case_id for case_id in due if case_id not in waiting]
    return sum(enqueue(case_id, after_the_woken=True) for case_id in found)


def _queued_passes() -> list[WorkflowStatus]:
    """The passes that wait or are under way."""
    return client().list_workflows(
        status=UNFINISHED, queue_name=PASSES, load_input=False, load_output=False
    )


def _case_of(one: WorkflowStatus) -> int:
    """The number of the case that a pass is over."""
    return int(one.workflow_id.split("-")[1])


def _of_the_dead(passes: list[WorkflowStatus]) -> set[str]:
    """Of passes whose cases nobody works on, those that have been under way for longer than one may
    last. The engine would let go of them only at a time that the dead machine's clock has set; when
    they began it keeps by the database's clock.
    """
    begun = [one for one in passes if one.status == "PENDING" and one.dequeued_at]
    if not begun:
        return set()
    now = _database_time().timestamp() * 1000
    longest = PASS_LIMIT.total_seconds() * 1000
    return {one.workflow_id for one in begun if abs(now - (one.dequeued_at or now)) > longest}


def _database_time() -> dt.datetime:
    """The present by the clock of the engine's database; SQLite goes by this machine's."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            found = cursor.fetchone()
        if found and isinstance(found[0], dt.datetime):
            return found[0]
    return dt.datetime.now(tz=dt.UTC)


def refresh_is_due() -> bool:
    """Whether the copy of Billsby is empty or old; False while Billsby is not set up."""
    try:
        outside.billsby()
    except NotSetUpError:
        return False
    newest = refreshing.newest_refresh()
    if newest is None or newest.ended_at is None:
        return True
    now, every = clock.now(), dt.timedelta(minutes=configuration.whole("SYNC_MINUTES"))
    wait = min(every, FIRST_REFRESH_RETRY) if newest.problem else every
    # Far ahead, it was stamped by a clock that was wrong then. A little is how clocks may differ:
    # two machines must not refresh in turn without end.
    return newest.started_at <= now - wait or newest.started_at > now + every


def comparison_is_due(now: dt.datetime) -> bool:
    """Whether the whole book has not been compared yet today (UTC) and can be."""
    try:
        outside.billsby(), outside.the_list()
    except NotSetUpError:
        return False
    if refreshing.last_refresh() is None:
        return False
    of_today = client().list_workflows(
        status=[*UNFINISHED, "SUCCESS"],
        workflow_id_prefix=f"{COMPARE}-{now:%Y-%m-%d}",
        load_input=False,
        load_output=False,
    )
    return not of_today


def take_over() -> int:
    """Free the cases that died with a process of this machine, without waiting for their leases to
    run out; gives how many. Costs one query while nobody has died.
    """
    dead = {owner for owner in leases.owners() if is_dead(owner)}
    if not dead:
        return 0
    let_go_of(dead.__contains__)
    return leases.revoke(dead)


def let_go_of(whose: Callable[[str], bool]) -> int:
    """Have the engine forget the work of some executors, so that it can be queued again; gives how
    many passes and chores that was.
    """
    engine = client()
    left = engine.list_workflows(status="PENDING", load_input=False, load_output=False)
    theirs = [one.workflow_id for one in left if whose(one.executor_id or "")]
    if theirs:
        engine.cancel_workflows(theirs)
    return len(theirs)


def tidy() -> int:
    """Forget what is finished and let go of what dead processes of this machine left behind;
    gives how many were forgotten.
    """
    let_go_of(is_dead)
    finished = _finished([ONE_PASS], PASSES_KEPT) + _finished([REFRESH, COMPARE], CHORES_KEPT)
    for start in range(0, len(finished), FORGOTTEN_TOGETHER):
        client().delete_workflows(finished[start : start + FORGOTTEN_TOGETHER])
    return len(finished)


def _finished(names: list[str], kept: dt.timedelta) -> list[str]:
    # By the real clock, as the engine writes its times.
    found = client().list_workflows(
        status=_FINISHED,
        name=names,
        completed_before=(dt.datetime.now(tz=dt.UTC) - kept).isoformat(),
        limit=TIDIED_AT_ONCE,
        load_input=False,
        load_output=False,
    )
    return [one.workflow_id for one in found]


def refresh_if_due() -> bool:
    """Queue a refresh when it is time for one; gives whether it did."""
    return refresh_is_due() and enqueue_refresh()


def compare_if_due() -> bool:
    """Queue the day's comparison when it has not been made; gives whether it did."""
    now = clock.now()
    return comparison_is_due(now) and enqueue_comparison(now)


class LeaseWatch:
    """Ends leases that nobody has renewed for as long as a lease lasts, by the time that has passed
    here. A lease says when it ends by the clock of the machine that took it, and one that died may
    have been ahead.
    """

    def __init__(self) -> None:
        self._seen: dict[int, tuple[tuple[int, dt.datetime], float]] = {}

    def end_unrenewed(self) -> int:
        """Look at the leases, and end those that stood so long ago already; gives how many."""
        now = time.monotonic()
        before, self._seen = self._seen, {}
        for case_id, held in leases.held().items():
            known, since = before.get(case_id, (held, now))
            self._seen[case_id] = (held, since if known == held else now)
        longest = leases.LENGTH.total_seconds()
        left = [(id_, held) for id_, (held, since) in self._seen.items() if now - since > longest]
        return sum(leases.end_unrenewed(case_id, *held) for case_id, held in left)


class SteppingClock:
    """Tells when the clock was set back since it was last asked. One that was set ahead cannot be
    told from a machine that slept; what it makes of it is put right once it is set back, as far as
    it can be: what was decided, held or listed by it keeps its dates.
    """

    def __init__(self) -> None:
        self._ahead = self._of_monotonic()
        self._is_first = True
        self._seen = self._settled = 0

    def put_right_if_set_back(self) -> bool:
        """Put right what waits for a time that does not come so soon; whether that was needed."""
        ahead = self._of_monotonic()
        was_set_back = ahead < self._ahead - clock_set_back.TOLERATED
        if self._is_first:
            was_set_back = was_set_back or clock_set_back.was_before()
        if was_set_back:
            self._put_right()
        self._ahead, self._is_first = ahead, False
        return was_set_back

    def put_right_if_another_was(self) -> bool:
        """The same for the clock of another machine, which left entries from the future in the log
        and has stopped: none has come since this was last asked. To be asked once a minute.
        """
        newest = clock_set_back.newest_from_ahead()
        has_stopped, self._seen = newest == self._seen, newest
        if not has_stopped or newest <= self._settled:
            return False
        self._put_right()
        return True

    def _put_right(self) -> None:
        newest = clock_set_back.newest_from_ahead()
        clock_set_back.put_right()
        self._settled = newest

    def _of_monotonic(self) -> dt.timedelta:
        return clock.now() - dt.datetime.fromtimestamp(time.monotonic(), tz=dt.UTC)


class Housekeeping(threading.Thread):
    """Sweeps, tidies and refreshes for as long as the worker runs. What goes wrong is told once
    and tried again: a database that is away for a while must not end it.
    """

    def __init__(self) -> None:
        super().__init__(name="housekeeping", daemon=True)
        self._over = threading.Event()
        self._failing: set[str] = set()
        self._clock = SteppingClock()
        self._leases = LeaseWatch()
        self._chores = ChoreWatch()

    def run(self) -> None:
        """Do every chore at its own pace until `end`."""
        chores: list[tuple[float, Callable[[], object]]] = [
            (TIDY_SECONDS, tidy),
            (TIDY_SECONDS, self._chores.let_go_of_silent),
            (SWEEP_SECONDS, self._clock.put_right_if_set_back),
            (TIDY_SECONDS, self._clock.put_right_if_another_was),
            (SWEEP_SECONDS, take_over),
            (SWEEP_SECONDS, self._leases.end_unrenewed),
            (SWEEP_SECONDS, sweep),
            (SWEEP_SECONDS * 2, refresh_if_due),
            (TIDY_SECONDS, compare_if_due),
        ]
        next_at = dict.fromkeys(range(len(chores)), 0.0)
        while True:
            now = time.monotonic()
            for index, (every, chore) in enumerate(chores):
                if next_at[index] <= now:
                    next_at[index] = now + every
                    self._attempt(chore)
            close_old_connections()
            if self._over.wait(max(0.0, min(next_at.values()) - time.monotonic())):
                return

    def end(self) -> None:
        """Stop, and wait until it has; no error if it never began."""
        self._over.set()
        if self.is_alive():
            self.join(timeout=ENDS_WITHIN)

    def _attempt(self, chore: Callable[[], object]) -> None:
        name = chore.__name__
        try:
            chore()
        except Exception:
            if name not in self._failing:
                logger.exception("housekeeping_failed", chore=name)
            self._failing.add(name)
        else:
            self._failing.discard(name)
