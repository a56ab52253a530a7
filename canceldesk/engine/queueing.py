"""Putting work into the queue, from any process."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING

import structlog
from dbos import error as dbos_error

from canceldesk.cases import waking
from canceldesk.engine.place import VERSION, client

if TYPE_CHECKING:
    from dbos import EnqueueOptions

logger = structlog.get_logger(__name__)

PASSES, CHORES = "passes", "chores"
ONE_PASS, REFRESH, COMPARE = "one_pass", "refresh_clients", "compare_book"
UNFINISHED = ["ENQUEUED", "PENDING"]
LAST = 1  # in DBOS the smaller number goes first, and what has none before all that have

# Shorter than a lease: a case cannot be queued again before the engine has let go of its pass, and
# nobody is to wait for that once the lease has run out.
PASS_LIMIT = dt.timedelta(seconds=45)
CHORE_LIMIT = dt.timedelta(hours=1)


def enqueue(case_id: int, *, after_the_woken: bool = False) -> bool:
    """Have a worker make a pass over the case soon. False when such a one is queued already.

    `after_the_woken` lets those go first that somebody woke, however late they come: what the clock
    brings can wait, somebody who has just decided cannot, because their client may be charged.

    Raises whatever the engine's database raises.
    """
    case = f"case-{case_id}"
    # A key of its own: who is woken while a pass of the clock waits gets one before all such.
    key = f"{case}-by-the-clock" if after_the_woken else case
    name = f"{case}-{secrets.token_hex(8)}"
    return _put(PASSES, ONE_PASS, key, name, PASS_LIMIT, case_id, is_last=after_the_woken)


def enqueue_refresh() -> bool:
    """Have a worker bring the copy of Billsby up to date; never twice at the same time."""
    return _put(CHORES, REFRESH, REFRESH, f"{REFRESH}-{secrets.token_hex(8)}", CHORE_LIMIT)


def enqueue_comparison(now: dt.datetime) -> bool:
    """Have a worker compare the whole list with Billsby, unless that was tried in this hour."""
    return _put(CHORES, COMPARE, COMPARE, f"{COMPARE}-{now:%Y-%m-%d-%H}", CHORE_LIMIT)


def _put(
    queue: str,
    workflow: str,
    key: str,
    name: str,
    limit: dt.timedelta,
    *args: int,
    is_last: bool = False,
) -> bool:
    """`key` is what is queued at most once at a time, `name` what happens once at all."""
    options: EnqueueOptions = {
        "queue_name": queue,
        "workflow_name": workflow,
        "workflow_id": name,
        "workflow_id_reuse_policy": "reject",
        "deduplication_id": key,
        "app_version": VERSION,
        "workflow_timeout": limit.total_seconds(),
    }
    if is_last:
        options["priority"] = LAST
    try:
        client().enqueue(options, *args)
    except (dbos_error.DBOSQueueDeduplicatedError, dbos_error.DBOSWorkflowIDInUseError):
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


def check() -> int:
    """How many passes and chores are queued or under way.

    Raises what the engine's database raises when it cannot be reached or is not set up.
    """
    return len(client().list_workflows(status=UNFINISHED, load_input=False, load_output=False))
