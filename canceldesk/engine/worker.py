"""The process that takes work from the queue."""

from __future__ import annotations

from dbos import DBOS, DBOSConfig
from django.db import close_old_connections

from canceldesk.configuration import services as configuration
from canceldesk.engine.housekeeping import Housekeeping
from canceldesk.engine.place import NAME, SCHEMA, VERSION, executor_id, place, quieten
from canceldesk.engine.queueing import CHORES, PASSES

POLL_SECONDS = 0.2
CHORES_POLL_SECONDS = 2.0
DRAIN_SECONDS = 20


class Worker:
    """The executor of this process; there is at most one at a time."""

    def __init__(self) -> None:
        self.executor_id = executor_id()
        self._housekeeping = Housekeeping()

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
            polling_interval_sec=CHORES_POLL_SECONDS,
            on_conflict="always_update",
        )
        self._housekeeping.start()

    def stop(self) -> None:
        """Take no more work, and give what is under way up to 20 seconds to finish."""
        self._housekeeping.end()
        DBOS.destroy(workflow_completion_timeout_sec=DRAIN_SECONDS)
        close_old_connections()


def _launch(executor: str) -> None:
    quieten()
    config: DBOSConfig = {
        "name": NAME,
        "application_version": VERSION,
        "executor_id": executor,
        "dbos_system_schema": SCHEMA,
        "log_level": "WARNING",
        "enable_otlp": False,
        "sys_db_pool_size": 4 + configuration.whole("WORKERS"),
        **place(),  # type: ignore[typeddict-item]
    }
    DBOS(config=config)
    DBOS.launch()
