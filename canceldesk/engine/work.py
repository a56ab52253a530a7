"""What workers do: passes over cases, and the chores between them."""

from __future__ import annotations

import threading

import structlog
from dbos import DBOS
from django.db import close_old_connections

from canceldesk import clock, outside
from canceldesk.billsby import BillsbyError
from canceldesk.cases import waking
from canceldesk.checks.services import CannotCompareError, compare_book
from canceldesk.clients import refreshing
from canceldesk.closing.advance import advance
from canceldesk.engine import signs
from canceldesk.engine.processes import executor_id
from canceldesk.engine.queueing import COMPARE, ONE_PASS, REFRESH
from canceldesk.outside import NotSetUpError
from canceldesk.workbook.errors import ListError

logger = structlog.get_logger(__name__)


class Places:
    """How many passes this process makes at the same time. The engine hands out more than that, so
    that the next one is here already when a place becomes free: it looks only every now and then.
    """

    def __init__(self) -> None:
        self.one = threading.Semaphore()
        self.are_closed = False

    def open(self, count: int) -> None:
        """From now on make passes over `count` cases at the same time."""
        self.one = threading.Semaphore(count)
        self.are_closed = False

    def close(self) -> None:
        """Begin no more passes: who still waits for a place is left to other workers."""
        self.are_closed = True


places = Places()

# How often a pass is repeated at once for a case that was woken while it ran.
PASSES_IN_A_ROW = 3


def make_passes(case_id: int, *, owner: str) -> int:
    """Make a pass over a case, and another while somebody woke it meanwhile; gives how many.

    Nothing is raised: what a pass could not deal with is in the log and the case stays due.
    """
    made = 0
    try:
        while made < PASSES_IN_A_ROW and advance(case_id, owner=owner):
            made += 1
            if not waking.due(clock.now()).filter(pk=case_id).exists():
                break
    except Exception:
        logger.exception("pass_broke", case_id=case_id)
    return made


def run_due(limit: int = 100, *, owner: str = "") -> int:
    """Make the passes that are due, in this process and without DBOS; gives how many were made.

    `limit` bounds how many cases are taken up.
    """
    owner = owner or executor_id()
    due = waking.due(clock.now()).values_list("pk", flat=True)[:limit]
    return sum(make_passes(case_id, owner=owner) for case_id in list(due))


@DBOS.workflow(name=ONE_PASS)
def _one_pass(case_id: int) -> None:
    with places.one:
        try:
            if not places.are_closed:
                make_passes(case_id, owner=DBOS.executor_id)
        finally:
            close_old_connections()


@DBOS.workflow(name=REFRESH)
def _refresh_clients() -> None:
    try:
        with signs.giving(str(DBOS.workflow_id)):
            run = refreshing.refresh_all(outside.billsby())
        logger.info("clients_refreshed", clients=run.clients, problem=run.problem)
    except NotSetUpError:
        pass
    except Exception:
        logger.exception("refresh_broke")
    finally:
        close_old_connections()


class NotComparedError(Exception):
    """The book could not be compared; the text says why."""


@DBOS.workflow(name=COMPARE)
def _compare_book() -> None:
    """Ends in an error when it could not be done, so that it is tried again in an hour."""
    try:
        with signs.giving(str(DBOS.workflow_id)):
            report = compare_book(outside.billsby(), outside.the_list())
        logger.info("book_compared", rows=report.rows, wrong=report.wrong)
    except (BillsbyError, ListError, CannotCompareError, NotSetUpError) as problem:
        logger.warning("book_not_compared", problem=str(problem))
        raise NotComparedError(str(problem)) from None
    except Exception as problem:
        logger.exception("comparison_broke")
        raise NotComparedError("The comparison broke; the log says how.") from problem
    finally:
        close_old_connections()
