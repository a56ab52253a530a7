"""Making passes happen: the one module that knows DBOS.

It holds no truth. What is due stands in `Case.next_pass_at`; the engine carries nothing but
case numbers, and everything it holds may be thrown away. Rules, with what they guard against:

* One fixed application version, because DBOS leaves workflows of another version lying.
* An executor id of its own for every process, because DBOS runs the work of "its" id again.
* Only `start` launches an executor. Pages and commands put work into the queue through a
  client.
* A sweep in every worker finds what is due and not yet queued, so that a lost signal, an
  unreachable engine or a dead machine delays a case but never strands it.
* Every pass has a time limit in the engine. When it is over, DBOS lets go of the pass, whoever
  had it, and the sweep can queue the case again; the lease decides who may work on it.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import secrets
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSClient, DBOSConfig
from dbos import error as dbos_error
from django.conf import settings
from django.db import close_old_connections

from canceldesk import clock, outside
from canceldesk.cases import waking
from canceldesk.clients import refreshing
from canceldesk.clients.models import Refresh
from canceldesk.closing.advance import advance
from canceldesk.configuration import reading
from canceldesk.configuration import services as configuration
from canceldesk.outside import NotSetUpError

if TYPE_CHECKING:
    from dbos import EnqueueOptions

logger = structlog.get_logger(__name__)

NAME = "canceldesk"
VERSION = "1"
SCHEMA = "canceldesk_engine"

PASSES, CHORES = "passes", "chores"
ONE_PASS, REFRESH = "one_pass", "refresh_clients"

POLL_SECONDS = 0.2
SWEEP_SECONDS = 2.0
TIDY_SECONDS = 60.0
# Shorter than a lease, so that the lease alone decides when a dead worker's case is taken over.
PASS_LIMIT = dt.timedelta(seconds=45)
CHORE_LIMIT = dt.timedelta(hours=1)
# How often a pass is repeated at once for a case that was woken while it ran.
PASSES_IN_A_ROW = 3
SWEPT_AT_ONCE = 200
KEPT_FINISHED = dt.timedelta(minutes=10)
TIDIED_AT_ONCE = 2000
FIRST_REFRESH_RETRY = dt.timedelta(minutes=1)
DRAIN_SECONDS = 20

_FINISHED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_UNFINISHED = ["ENQUEUED", "PENDING"]


# ------------------------------------------------------------------ where the engine lives


class _Connection(sqlite3.Connection):
    """Knows `unixepoch('subsec')`, which DBOS uses from Python 3.12 on and SQLite itself only
    from 3.42 on; without it DBOS does not even launch.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - sqlite3's own
        super().__init__(*args, **kwargs)
        if sqlite3.sqlite_version_info < (3, 42):
            self.create_function("unixepoch", -1, _unixepoch)


def _unixepoch(*modifiers: str) -> float:
    now = time.time()
    return now if "subsec" in modifiers else int(now)


def _file() -> Path:
    return Path(settings.DATA) / "engine.sqlite3"


@lru_cache(maxsize=1)
def _sqlite() -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{_file()}", connect_args={"factory": _Connection})

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # As DBOS sets up the SQLite connections it makes itself, and quicker: losing the last
        # moments of the engine in a power cut loses nothing that the sweep does not find.
        connection.isolation_level = "IMMEDIATE"
        connection.execute("PRAGMA busy_timeout=30000")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def _place() -> dict[str, Any]:
    url = reading.text("DATABASE_URL")
    return {"system_database_url": url} if url else {"system_database_engine": _sqlite()}


@lru_cache(maxsize=1)
def _client() -> DBOSClient:
    _quieten()
    return DBOSClient(
        **_place(),
        dbos_system_schema=SCHEMA,
        application_name=NAME,
        retry_connection_errors=False,
        system_database_pool_size=2,
    )


def _quieten() -> None:
    """Leave DBOS's words to the process's own log instead of a console handler of its own."""
    dbos_log = logging.getLogger("dbos")
    if not dbos_log.handlers:
        dbos_log.addHandler(logging.NullHandler())
    dbos_log.setLevel(logging.WARNING)


def executor_id() -> str:
    """A name for this process that no other has or had: host, process number, chance."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(2)}"


# ------------------------------------------------------------------ putting work in


def enqueue(case_id: int) -> bool:
    """Have a worker make a pass over the case soon. False when one is queued already.

    Raises whatever the engine's database raises.
    """
    return _put(PASSES, ONE_PASS, f"case-{case_id}", PASS_LIMIT, case_id)


def enqueue_refresh() -> bool:
    """Have a worker bring the copy of Billsby up to date; never twice at the same time."""
    return _put(CHORES, REFRESH, REFRESH, CHORE_LIMIT)


def _put(queue: str, workflow: str, key: str, limit: dt.timedelta, *args: int) -> bool:
    options: EnqueueOptions = {
        "queue_name": queue,
        "workflow_name": workflow,
        "workflow_id": f"{key}-{secrets.token_hex(8)}",
        "deduplication_id": key,
        "app_version": VERSION,
        "workflow_timeout": limit.total_seconds(),
    }
    try:
        _client().enqueue(options, *args)
    except dbos_error.DBOSQueueDeduplicatedError:
        return False
    return True


def listen() -> None:
    """From now on, put a case into the queue when it is woken in this process."""
    waking.case_woken.connect(_on_woken, dispatch_uid="engine")


def _on_woken(*, case_id: int, **_signal: object) -> None:
    try:
        enqueue(case_id)
    except Exception:
        # The case is due in the database; a worker's sweep finds it there.
        logger.warning("engine_unreachable", case_id=case_id, exc_info=True)


# ------------------------------------------------------------------ the work itself


def make_passes(case_id: int, *, owner: str) -> int:
    """Make a pass over a case, and another while somebody woke it meanwhile; gives how many.

    Nothing is raised: what a pass could not deal with is in the log and the case stays due.
    """
    made = 0
    try:
        while made < PASSES_IN_A_ROW and _pass(case_id, owner):
            made += 1
            if not waking.due(clock.now()).filter(pk=case_id).exists():
                break
    except Exception:
        logger.exception("pass_broke", case_id=case_id)
    return made


def _pass(case_id: int, owner: str) -> bool:
    with configuration.read_once():
        return advance(case_id, owner=owner)


def run_due(limit: int = 100, *, owner: str = "") -> int:
    """Make the passes that are due, in this process and without DBOS; gives how many were made.

    `limit` bounds how many cases are taken up.
    """
    owner = owner or executor_id()
    due = waking.due(clock.now()).values_list("pk", flat=True)[:limit]
    return sum(make_passes(case_id, owner=owner) for case_id in list(due))


@DBOS.workflow(name=ONE_PASS)
def _one_pass(case_id: int) -> None:
    try:
        make_passes(case_id, owner=DBOS.executor_id)
    finally:
        close_old_connections()


@DBOS.workflow(name=REFRESH)
def _refresh_clients() -> None:
    try:
        run = refreshing.refresh_all(outside.billsby())
        logger.info("clients_refreshed", clients=run.clients, problem=run.problem)
    except NotSetUpError:
        pass
    except Exception:
        logger.exception("refresh_broke")
    finally:
        close_old_connections()


# ------------------------------------------------------------------ what keeps it going


def sweep() -> int:
    """Queue every case that is due, that nobody works on, and that is not queued yet.

    Gives how many were queued. Costs one query when nothing is due.
    """
    due = list(waking.due(clock.now()).values_list("pk", flat=True)[:SWEPT_AT_ONCE])
    if not due:
        return 0
    waiting = _queued_cases()
    return sum(enqueue(case_id) for case_id in due if case_id not in waiting)


def _queued_cases() -> set[int]:
    queued = _client().list_workflows(
        status=_UNFINISHED, queue_name=PASSES, load_input=False, load_output=False
    )
    return {int(workflow.workflow_id.split("-")[1]) for workflow in queued}


def refresh_is_due() -> bool:
    """Whether the copy of Billsby is empty or old; False while Billsby is not set up."""
    try:
        outside.billsby()
    except NotSetUpError:
        return False
    newest = Refresh.objects.first()
    if newest is None or newest.ended_at is None:
        return True
    wait = dt.timedelta(minutes=configuration.whole("SYNC_MINUTES"))
    if newest.problem:
        wait = min(wait, FIRST_REFRESH_RETRY)
    return newest.started_at + wait <= clock.now()


def tidy() -> int:
    """Forget what is finished and let go of what dead processes of this machine left behind;
    gives how many were forgotten.
    """
    client = _client()
    left = client.list_workflows(status="PENDING", load_input=False, load_output=False)
    dead = [one.workflow_id for one in left if _is_dead(one.executor_id or "")]
    if dead:
        client.cancel_workflows(dead)
    before = (dt.datetime.now(tz=dt.UTC) - KEPT_FINISHED).isoformat()
    finished = client.list_workflows(
        status=_FINISHED,
        completed_before=before,
        limit=TIDIED_AT_ONCE,
        load_input=False,
        load_output=False,
    )
    if finished:
        client.delete_workflows([one.workflow_id for one in finished])
    return len(finished)


def _is_dead(executor: str) -> bool:
    host, _, rest = executor.rpartition("-")[0].rpartition("-")
    if host != socket.gethostname()[:40] or not rest.isdigit():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


class _Housekeeping(threading.Thread):
    """Sweeps, tidies and refreshes for as long as the worker runs. What goes wrong is told once
    and tried again: a database that is away for a while must not end it.
    """

    def __init__(self) -> None:
        super().__init__(name="housekeeping", daemon=True)
        self._over = threading.Event()
        self._failing: set[str] = set()

    def run(self) -> None:
        """Do every chore at its own pace until `end`."""
        chores: list[tuple[float, Callable[[], object]]] = [
            (TIDY_SECONDS, tidy),
            (SWEEP_SECONDS, sweep),
            (SWEEP_SECONDS * 2, self._refresh),
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
        """Stop, and wait until it has."""
        self._over.set()
        self.join(timeout=DRAIN_SECONDS)

    def _refresh(self) -> None:
        if refresh_is_due():
            enqueue_refresh()

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


# ------------------------------------------------------------------ starting and stopping


class Worker:
    """The executor of this process; there is at most one at a time."""

    def __init__(self) -> None:
        self.executor_id = executor_id()
        self._housekeeping = _Housekeeping()

    def start(self) -> None:
        """Create the engine's tables if need be, and take work from the queue."""
        _launch(self.executor_id)
        DBOS.register_queue(
            PASSES,
            worker_concurrency=configuration.whole("WORKERS"),
            polling_interval_sec=POLL_SECONDS,
            on_conflict="always_update",
        )
        DBOS.register_queue(
            CHORES,
            global_concurrency=1,
            polling_interval_sec=SWEEP_SECONDS,
            on_conflict="always_update",
        )
        self._housekeeping.start()

    def stop(self) -> None:
        """Take no more work, and give what is under way up to 20 seconds to finish."""
        self._housekeeping.end()
        DBOS.destroy(workflow_completion_timeout_sec=DRAIN_SECONDS)
        close_old_connections()


def _launch(executor: str) -> None:
    _quieten()
    config: DBOSConfig = {
        "name": NAME,
        "application_version": VERSION,
        "executor_id": executor,
        "dbos_system_schema": SCHEMA,
        "log_level": "WARNING",
        "enable_otlp": False,
        "sys_db_pool_size": 4 + configuration.whole("WORKERS"),
        **_place(),  # type: ignore[typeddict-item]
    }
    DBOS(config=config)
    DBOS.launch()


def migrate() -> None:
    """Create or update the engine's own tables; a worker's start does it, too."""
    _quieten()
    url = reading.text("DATABASE_URL") or f"sqlite:///{_file()}"
    DBOS.migrate(url, schema=SCHEMA)


def check() -> int:
    """How many passes and chores are queued or under way.

    Raises what the engine's database raises when it cannot be reached or is not set up.
    """
    return len(_client().list_workflows(status=_UNFINISHED, load_input=False, load_output=False))
