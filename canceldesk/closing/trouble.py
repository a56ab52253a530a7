"""What goes wrong outside, or in the desk itself, as a wait with a sentence."""

from __future__ import annotations

import datetime as dt
import hashlib
import traceback
from collections.abc import Callable

import structlog
from django.db import OperationalError

from canceldesk.billsby.errors import BillsbyError, Busy, Nonsense, Unreachable
from canceldesk.cases.lease import LostLeaseError
from canceldesk.cases.models import Case, CaseSubscription, WaitsFor
from canceldesk.closing.results import Result, Waits, all_of
from canceldesk.closing.turns import QUEUED
from canceldesk.closing.work import Work
from canceldesk.workbook.errors import ListError, ReadBackDiffers

logger = structlog.get_logger(__name__)

FIRST_RETRY = dt.timedelta(seconds=5)
LONGEST_RETRY = dt.timedelta(minutes=5)
# Passes in a row that fail before a person is told: a hiccup is nobody's business.
PATIENCE = 3


def each(work: Work, what: Callable[[Work, CaseSubscription], Result]) -> Result:
    """Do something for every subscription in scope. Trouble with one keeps no other from it."""
    return all_of([caught(lambda s=s: what(work, s), work.case) for s in work.scope])  # type: ignore[misc]


def caught(what: Callable[[], Result], case: Case) -> Result:
    """Run something that reaches outside, and turn what goes wrong there into a wait."""
    try:
        return what()
    except BillsbyError as problem:
        return _billsby_trouble(problem, case)
    except ListError as problem:
        return _list_trouble(problem, case)
    except LostLeaseError:
        raise
    except OperationalError as problem:
        return database_trouble(problem, case)
    except Exception:
        return unforeseen(case)


def unforeseen(case: Case) -> Waits:
    """A defect of the desk's own: told in the process log, with a reference for the page.

    The same defect has the same reference, so that trying again is no news.
    """
    reference = hashlib.sha256(traceback.format_exc().encode()).hexdigest()[:8]
    logger.exception("pass_failed", case=case.number, reference=reference)
    return Waits(
        WaitsFor.PERSON,
        "The desk came upon something it was not made for and stopped before doing harm. "
        f"Give an admin this reference: {reference}. It tries again by itself.",
        again=retry_in(case.failures),
        attention=True,
        is_failure=True,
    )


def retry_in(failures: int) -> dt.timedelta:
    """How long until the next try after so many failed passes in a row."""
    doublings: int = 2 ** min(failures, 10)
    return min(FIRST_RETRY * doublings, LONGEST_RETRY)


def _billsby_trouble(problem: BillsbyError, case: Case) -> Waits:
    again = retry_in(case.failures)
    if isinstance(problem, Busy) and problem.retry_after:
        again = max(again, dt.timedelta(seconds=problem.retry_after))
    passing = isinstance(problem, Busy | Unreachable)
    return Waits(
        WaitsFor.OUTSIDE if passing else WaitsFor.PERSON,
        f"{problem} The desk tries again by itself.",
        again=again,
        attention=not passing or case.failures >= PATIENCE,
        is_unknown=bool(getattr(problem, "maybe_done", False)) or isinstance(problem, Nonsense),
        is_failure=True,
    )


def database_trouble(problem: OperationalError, case: Case) -> Waits:
    """The desk's own database, as a wait: other workers use it, too, and it may be restarted."""
    logger.warning("database_busy", case=case.number, problem=str(problem))
    return Waits(
        WaitsFor.OUTSIDE,
        "The desk's own database was busy or away. The desk tries again by itself.",
        again=retry_in(case.failures),
        attention=case.failures >= PATIENCE,
        is_failure=True,
    )


def _list_trouble(problem: ListError, case: Case) -> Waits:
    return Waits(
        WaitsFor.OUTSIDE if problem.passing else WaitsFor.PERSON,
        f"{problem.sentence} The desk tries again by itself.",
        again=min(retry_in(case.failures), dt.timedelta(seconds=60)),
        attention=not problem.passing or case.failures >= PATIENCE,
        is_unknown=isinstance(problem, ReadBackDiffers),
        is_failure=True,
        evidence=QUEUED if problem.passing else {},
    )
