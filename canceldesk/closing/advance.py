"""`advance(case)`: one pass. Looks at Billsby and the list, does the next thing that is
missing, reads it back, and says what the case now waits for.

Level-triggered: it can be run at any moment, any number of times, by any worker. The case's own
tables are the only truth.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import traceback
from collections.abc import Callable
from contextlib import suppress

import structlog
from django.db.models import F

from canceldesk import clock, outside
from canceldesk.billsby.errors import BillsbyError, Busy, Nonsense, Unreachable
from canceldesk.cases import lease as leases
from canceldesk.cases import services as cases
from canceldesk.cases.lease import Lease, LostLeaseError
from canceldesk.cases.models import Case, State, WaitsFor
from canceldesk.closing import ending, undecided, watching
from canceldesk.closing.models import Step
from canceldesk.closing.results import Done, NotNeeded, Result, Waits
from canceldesk.closing.steps import clear, confirm, document, facts, hold, stop, verify
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration
from canceldesk.configuration.reading import BadSettingError
from canceldesk.outside import NotSetUpError
from canceldesk.workbook.errors import ChangedMeanwhile, InUse, ListError, ReadBackDiffers

logger = structlog.get_logger(__name__)

FIRST_RETRY = dt.timedelta(seconds=5)
LONGEST_RETRY = dt.timedelta(minutes=5)
# Passes in a row that fail before a person is told: a hiccup is nobody's business.
PATIENCE = 3

_STEPS: dict[Step.Name, Callable[[Work], Result]] = {
    Step.Name.FACTS: facts.run,
    Step.Name.HOLD: hold.run,
    Step.Name.DOCUMENT: document.run,
    Step.Name.CLEAR: clear.run,
    Step.Name.STOP: stop.run,
    Step.Name.VERIFY: verify.run,
    Step.Name.CONFIRM: confirm.run,
}

# What must be reached before a step is tried. The two halves do not wait for each other: a
# workbook that is open on somebody's screen must not keep a client being charged.
_NEEDS: dict[Step.Name, tuple[Step.Name, ...]] = {
    Step.Name.FACTS: (),
    Step.Name.HOLD: (),
    Step.Name.DOCUMENT: (Step.Name.FACTS,),
    Step.Name.CLEAR: (Step.Name.FACTS,),
    Step.Name.STOP: (Step.Name.CLEAR,),
    Step.Name.VERIFY: (Step.Name.DOCUMENT, Step.Name.CLEAR, Step.Name.STOP),
    Step.Name.CONFIRM: (Step.Name.VERIFY,),
}


def advance(case_id: int, *, owner: str) -> bool:
    """Make one pass over a case. `owner` names the worker, for people who read the lease.

    False when somebody else is at it, or took it over meanwhile; nothing is raised for what
    goes wrong outside: that becomes the case's waiting sentence.
    """
    lease = leases.take(case_id, owner)
    if lease is None:
        return False
    case = Case.objects.select_related("client", "reason").get(pk=case_id)
    woken = case.wake_count
    try:
        _settle(case, lease, _safe_pass(case, lease), woken)
    except LostLeaseError:
        logger.warning("lease_lost", case=case.number, owner=owner)
        return False
    finally:
        leases.give_back(lease)
    return True


def _safe_pass(case: Case, lease: Lease) -> list[Waits]:
    """A pass that always ends in something to write down, or in a lost lease."""
    try:
        with configuration.read_once():
            return _pass(case, lease)
    except LostLeaseError:
        raise
    except Exception:
        return [_unforeseen(case)]


def _pass(case: Case, lease: Lease) -> list[Waits]:
    try:
        work = Work(case, lease, outside.billsby(), outside.the_list())
    except (NotSetUpError, BadSettingError) as problem:
        return [_not_set_up(problem)]
    if case.state == State.CLOSING:
        return _close(work)
    if case.state == State.CLOSED:
        return _attempt(lambda: watching.after_closing(work), case)
    if case.state in {State.RETAINED, State.WITHDRAWN}:
        return _attempt(lambda: ending.staying(work), case)
    return _attempt(lambda: undecided.protect(work), case)


def _attempt(what: Callable[[], Result], case: Case) -> list[Waits]:
    result = _caught(what, case)
    return [result] if isinstance(result, Waits) else []


def _close(work: Work) -> list[Waits]:
    reached: set[Step.Name] = set()
    waits: list[Waits] = []
    for name, run in _STEPS.items():
        if not reached.issuperset(_NEEDS[name]):
            _note(work, name, None)
            continue
        result = _caught(lambda run=run: run(work), work.case)  # type: ignore[misc]
        _note(work, name, result)
        if isinstance(result, Waits):
            waits.append(result)
        else:
            reached.add(name)
    if reached.issuperset(_STEPS):
        ending.close(work)
        return _attempt(lambda: watching.after_closing(work), work.case)
    with suppress(BillsbyError):  # the steps have already said what Billsby said
        undecided.keep_next_charge(work)
    return waits


def _note(work: Work, name: Step.Name, result: Result | None) -> None:
    """Keep what a step came to, for the page; changes only what differs."""
    state, sentence, evidence = _as_step(result)
    step = Step.objects.filter(case=work.case, name=name).first()
    if step and (step.state, step.sentence, step.evidence) == (state, sentence, evidence):
        return
    with work.fenced():
        if step and (step.state, step.sentence) == (state, sentence):
            Step.objects.filter(pk=step.pk).update(evidence=evidence)
            return
        Step.objects.update_or_create(
            case=work.case,
            name=name,
            defaults={
                "state": state,
                "sentence": sentence,
                "evidence": evidence,
                "changed_at": clock.now(),
            },
        )
        cases.changed(work.case)


def _as_step(result: Result | None) -> tuple[Step.State, str, dict[str, object]]:
    match result:
        case Done():
            return Step.State.DONE, result.sentence, dict(result.evidence)
        case NotNeeded():
            return Step.State.NOT_NEEDED, result.sentence, dict(result.evidence)
        case Waits():
            state = Step.State.UNKNOWN if result.is_unknown else Step.State.WAITING
            return state, result.sentence, dict(result.evidence)
        case _:
            return Step.State.TODO, "", {}


def _caught(what: Callable[[], Result], case: Case) -> Result:
    """Run something that reaches outside, and turn what goes wrong there into a wait."""
    try:
        return what()
    except BillsbyError as problem:
        return _billsby_trouble(problem, case)
    except ListError as problem:
        return _list_trouble(problem, case)
    except LostLeaseError:
        raise
    except Exception:
        return _unforeseen(case)


def _unforeseen(case: Case) -> Waits:
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


def _list_trouble(problem: ListError, case: Case) -> Waits:
    passing = isinstance(problem, InUse | ChangedMeanwhile)
    return Waits(
        WaitsFor.OUTSIDE if passing else WaitsFor.PERSON,
        f"{problem.sentence} The desk tries again by itself.",
        again=min(retry_in(case.failures), dt.timedelta(seconds=60)),
        attention=not passing or case.failures >= PATIENCE,
        is_unknown=isinstance(problem, ReadBackDiffers),
        is_failure=True,
    )


def _not_set_up(problem: NotSetUpError | BadSettingError) -> Waits:
    return Waits(WaitsFor.PERSON, str(problem), again=dt.timedelta(seconds=30), attention=True)


def _settle(case: Case, lease: Lease, waits: list[Waits], woken: int) -> None:
    """Write down what the case waits for and when it is looked at next. Somebody who woke the
    case during the pass is not forgotten: then it is due again at once.
    """
    first = next((w for w in waits if w.attention), waits[0] if waits else None)
    again = min((w.again for w in waits), default=None)
    failed = any(w.is_failure for w in waits)
    with leases.fenced(lease):
        mine = Case.objects.filter(pk=case.pk)
        told = {
            "waits_for": first.what if first else WaitsFor.NOTHING,
            "waits_sentence": first.sentence if first else "",
        }
        mine.exclude(**told).update(version=F("version") + 1, **told)
        mine.update(failures=F("failures") + 1 if failed else 0)
        cases.set_attention(case, first.sentence if first and first.attention else "")
        planned = clock.now() + again if again is not None else None
        mine.filter(wake_count=woken).update(next_pass_at=planned)
