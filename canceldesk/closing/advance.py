"""`advance(case)`: one pass. Looks at Billsby and the list, does the next thing that is
missing, reads it back, and says what the case now waits for.

Level-triggered: it can be run at any moment, any number of times, by any worker. The case's own
tables are the only truth.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import suppress

import structlog
from django.db import OperationalError, transaction
from django.db.models import Case as If
from django.db.models import DateTimeField, F, Value, When

from canceldesk import clock, go_ahead, outside
from canceldesk.billsby import BillsbyError
from canceldesk.cases import lease as leases
from canceldesk.cases import services as cases
from canceldesk.cases import waking
from canceldesk.cases.lease import Lease, LostLeaseError
from canceldesk.cases.models import Case, State, WaitsFor
from canceldesk.closing import ending, undecided, watching
from canceldesk.closing.charges import check_charges
from canceldesk.closing.models import Step
from canceldesk.closing.notes import Notes
from canceldesk.closing.results import Result, Waits, all_of
from canceldesk.closing.steps import clear, confirm, document, facts, hold, stop, verify
from canceldesk.closing.trouble import caught, database_trouble, unforeseen
from canceldesk.closing.work import Work, as_read
from canceldesk.configuration import services as configuration
from canceldesk.configuration.reading import BadSettingError
from canceldesk.outside import NotSetUpError

logger = structlog.get_logger(__name__)

OTHERS_FIRST = dt.timedelta(seconds=1)

# The hold comes first: it protects the client, and what it replaces it keeps for the facts.
_STEPS: dict[Step.Name, Callable[[Work], Result]] = {
    Step.Name.HOLD: hold.run,
    Step.Name.FACTS: facts.run,
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
    lease = leases.take(case_id, owner, along=("facts", "watch"))
    if lease is None:
        return False
    case = lease.case
    woken, notes = case.wake_count, Notes(case)
    try:
        _settled(case, lease, notes, _safe_pass(case, lease, notes), woken)
    except LostLeaseError:
        logger.warning("lease_lost", case=case.number, owner=owner)
        leases.give_back(lease)
        if notes.has_gone_ahead:
            _have_it_looked_for(case)
        return False
    except BaseException:
        leases.give_back(lease)
        raise
    return True


def _have_it_looked_for(case: Case) -> None:
    """What leaves long after its go-ahead, from a worker that slept between, comes when nobody
    waits for it any more. Only that worker knows of it. A row on the list that came so late is not
    looked for: without the case's number it cannot be told from one that a person or another case
    wrote since; the comparison of the whole list names it.
    """
    with transaction.atomic():
        waking.wake(case.pk)
        waking.wake_others_about(case)


def _safe_pass(case: Case, lease: Lease, notes: Notes) -> list[Waits]:
    """A pass that always ends in something to write down, or in a lost lease."""
    try:
        with configuration.read_once():
            return _pass(case, lease, notes)
    except LostLeaseError:
        raise
    except OperationalError as problem:
        return [database_trouble(problem, case)]
    except Exception:
        return [unforeseen(case)]


def _pass(case: Case, lease: Lease, notes: Notes) -> list[Waits]:
    try:
        work = Work(case, lease, notes, outside.billsby(), outside.the_list())
    except (NotSetUpError, BadSettingError) as problem:
        return [_not_set_up(problem)]
    with go_ahead.asked_of(work.assure_mine):
        return _by_state(work)


def _by_state(work: Work) -> list[Waits]:
    case = work.case
    if case.state == State.CLOSING:
        return _close(work)
    if case.state == State.CLOSED:
        return _attempt(lambda: watching.after_closing(work), case)
    if case.state in {State.RETAINED, State.WITHDRAWN}:
        return _attempt(lambda: ending.staying(work), case)
    return _attempt(lambda: undecided.protect(work), case)


def _attempt(what: Callable[[], Result], case: Case) -> list[Waits]:
    result = caught(what, case)
    return [result] if isinstance(result, Waits) else []


def _close(work: Work) -> list[Waits]:
    reached: set[Step.Name] = set()
    waits: list[Waits] = []
    for name, run in _STEPS.items():
        if not reached.issuperset(_NEEDS[name]):
            work.notes.put(name, None)
            continue
        result = caught(lambda run=run: run(work), work.case)  # type: ignore[misc]
        work.notes.put(name, result)
        if isinstance(result, Waits):
            waits.append(result)
        else:
            reached.add(name)
        if name is Step.Name.HOLD and work.has_just_held and _others_are_not_held(work.case):
            return [_others_first()]
    if reached.issuperset(_STEPS):
        # Stopped in this very pass, the service needs no hold any more: say so under its tick.
        work.notes.put(Step.Name.HOLD, caught(lambda: hold.run(work), work.case))
        ending.close(work)
        return _attempt(lambda: watching.first_look(work), work.case)
    undecided.keep_next_charge(work)
    with suppress(BillsbyError):  # the steps have said what Billsby said
        check_charges(work)
    return waits


def _others_are_not_held(case: Case) -> bool:
    """Whether somebody who has been decided waits for their first pass, and nobody is at it: nobody
    is to be charged because another's closing is brought to its end first.
    """
    decided = waking.due(clock.now()).filter(state=State.CLOSING, waits_for=WaitsFor.NOTHING)
    return decided.filter(scope__hold=None).exclude(pk=case.pk).exists()


def _others_first() -> Waits:
    return Waits(
        WaitsFor.TIME,
        "Billing is held. The desk holds the others who have just been decided, then goes on here.",
        again=OTHERS_FIRST,
    )


def _not_set_up(problem: NotSetUpError | BadSettingError) -> Waits:
    return Waits(WaitsFor.PERSON, str(problem), again=dt.timedelta(seconds=30), attention=True)


def _settled(case: Case, lease: Lease, notes: Notes, waits: list[Waits], woken: int) -> None:
    """Settle; what cannot be stored would else be tried every two seconds and nobody be told."""
    try:
        _settle(case, lease, notes, waits, woken)
    except (LostLeaseError, OperationalError):
        raise
    except Exception:
        _settle(case, lease, Notes(case), [unforeseen(case)], woken)


def _settle(case: Case, lease: Lease, notes: Notes, waits: list[Waits], woken: int) -> None:
    """Write down what the case waits for and when it is looked at next, and give the lease back.
    Somebody who woke the case during the pass is not forgotten: then it is due again at once.

    Raises LostLeaseError, also when a person has changed the case since the pass last looked: what
    the pass came to is not true any more then.
    """
    combined = all_of(waits)
    first = combined if isinstance(combined, Waits) else None
    told = {
        "waits_for": first.what if first else WaitsFor.NOTHING,
        "waits_sentence": first.sentence if first else "",
    }
    is_told = (case.waits_for, case.waits_sentence) == tuple(told.values())
    planned = Value(clock.now() + first.again if first else None, DateTimeField(null=True))
    ending = {
        "failures": F("failures") + 1 if first and first.is_failure else 0,
        "next_pass_at": If(When(wake_count=woken, then=planned), default=F("next_pass_at")),
        **told,
    }
    shows = notes.are_new or not is_told
    with leases.fenced(lease, shows=shows, ending=ending, **as_read(case)), notes.written():
        attention = first.sentence if first and first.attention else ""
        if attention != case.attention:
            cases.set_attention(case, attention)
