"""The process that takes work from the queue."""

from __future__ import annotations

import sqlalchemy.exc
import structlog
from dbos import DBOS, DBOSConfig
from django.db import connections
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from canceldesk.cases import lease as leases
from canceldesk.configuration import services as configuration
from canceldesk.engine.housekeeping import Housekeeping, let_go_of
from canceldesk.engine.place import NAME, SCHEMA, VERSION, place, quieten
from canceldesk.engine.processes import executor_id
from canceldesk.engine.queueing import CHORES, PASSES
from canceldesk.engine.work import places

logger = structlog.get_logger(__name__)

POLL_SECONDS = 0.2
CHORES_POLL_SECONDS = 2.0
DRAIN_SECONDS = 20
HANDED_OUT = 2  # times as many passes as there are places for
THREADS_BESIDE = 2  # for a chore, and for what the engine does when it starts
LAUNCH_RETRY_SECONDS = 2.0
LAUNCH_TRIES = 5


class Worker:
    """The executor of this process; there is at most one at a time."""

    def __init__(self) -> None:
        self.executor_id = executor_id()
        self._housekeeping = Housekeeping()

    def start(self) -> None:
        """Create the engine's tables if need be, and take work from the queue.

        Raises what the engine's database raises when it is still away after some tries.
        """
        for attempt in Retrying(
            retry=retry_if_exception_type(sqlalchemy.exc.OperationalError),
            wait=wait_fixed(LAUNCH_RETRY_SECONDS),
            stop=stop_after_attempt(LAUNCH_TRIES),
            reraise=True,
        ):
            with attempt:
                _launch(self.executor_id)
        places.open(configuration.whole("WORKERS"))
        DBOS.register_queue(
            PASSES,
            worker_concurrency=_handed_out(),
            polling_interval_sec=POLL_SECONDS,
            on_conflict="always_update",
        )
        DBOS.register_queue(
            CHORES,
            global_concurrency=1,
            polling_interval_sec=CHORES_POLL_SECONDS,
            on_conflict="always_update",
        )
        self._housekeeping.start()

    def stop(self) -> None:
        """Take no more work, give what is under way up to 20 seconds to finish, and hand back what
        has not finished by then: another worker can take it at once.
        """
        self._housekeeping.end()
        places.close()
        DBOS.destroy(workflow_completion_timeout_sec=DRAIN_SECONDS)
        try:
            handed_back = leases.revoke([self.executor_id])
            # A chore holds no lease, and would keep all others waiting.
            let_go = let_go_of(self.executor_id.__eq__)
            if handed_back or let_go:
                logger.warning("handed_back", cases=handed_back, passes_and_chores=let_go)
        except Exception:
            # Nothing is lost by it: the leases run out by themselves, and chores are missed.
            logger.warning("not_handed_back", exc_info=True)
        connections.close_all()


def _handed_out() -> int:
    """How many passes the engine hands out to this process at the same time."""
    return HANDED_OUT * configuration.whole("WORKERS")


def _launch(executor: str) -> None:
    quieten()
    config: DBOSConfig = {
        "name": NAME,
        "application_version": VERSION,
        "executor_id": executor,
        "dbos_system_schema": SCHEMA,
        "log_level": "WARNING",
        "enable_otlp": False,
        "sys_db_pool_size": 4 + _handed_out(),
        # A pass is over for the queue before its thread is free, so without a bound DBOS makes
        # more and more threads, each with a connection that keeps memory of its own.
        "max_executor_threads": THREADS_BESIDE + _handed_out(),
        **place(),  # type: ignore[typeddict-item]
    }
    DBOS(config=config)
    try:
        DBOS.launch()
    except Exception:
        DBOS.destroy()
        raise
