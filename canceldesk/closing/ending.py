"""How a case ends: closed when both halves were read back, or with the client staying."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from canceldesk import clock
from canceldesk.billsby import SubscriptionStatus
from canceldesk.cases import services as cases
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, CaseSubscription, State, WaitsFor
from canceldesk.closing import giving_back, taking_out, trouble, undecided, watching
from canceldesk.closing.models import Watch
from canceldesk.closing.results import NotNeeded, Result, Waits, all_of
from canceldesk.closing.work import Work

LOOK_AGAIN = dt.timedelta(minutes=5)


def close(work: Work) -> None:
    """Close the case. Called by the pass alone, right after verify found both halves right."""
    undecided.keep_next_charge(work)
    with _left_as_it_was_if_this_fails(work.case), work.fenced():
        cases.move(work.case, State.CLOSED, only_from=[State.CLOSING])
        work.log(Verb.CASE_CLOSED)
        watching.start(work)


@contextmanager
def _left_as_it_was_if_this_fails(case: Case) -> Iterator[None]:
    """What the database takes back is taken back in memory: else the pass would be fenced off from
    saying what went wrong (`work.as_read`), and would be made again for ever.
    """
    before = {field.attname: getattr(case, field.attname) for field in case._meta.concrete_fields}
    try:
        yield
    except BaseException:
        for name, value in before.items():
            setattr(case, name, value)
        raise


def staying(work: Work) -> Result:
    """Give every hold of a retained or withdrawn case back, take out the row of a decision that
    was taken back, then watch a retained client. List and Billsby do not wait for each other.
    """
    row = trouble.caught(lambda: taking_out.run(work), work.case)
    return all_of([row, trouble.caught(lambda: _as_before(work), work.case)])


def _as_before(work: Work) -> Result:
    given = trouble.each(work, giving_back.give_back)
    if isinstance(given, Waits):
        return given
    undecided.keep_next_charge(work)
    if (stopped := _stopped_by_mistake(work)) is not None:
        return stopped
    if work.case.state == State.RETAINED:
        return watching.after_a_save(work)
    return NotNeeded("The case was withdrawn; nothing is left to do.")


def _stopped_by_mistake(work: Work) -> Waits | None:
    """A service that a person suspended for a decision that was then taken back. Nobody but a
    person can start it again; thirty days after the end, whoever has not come back has left.
    """
    case = work.case
    is_long_ago = case.ended_at is None or clock.now() >= case.ended_at + watching.SAVE_COUNTS_AFTER
    if is_long_ago or Watch.objects.filter(case=case).exists():
        return None
    if not case.log.filter(verb=Verb.CASE_TAKEN_BACK).exists():
        return None
    suspended = [
        scope
        for scope in work.scope
        if work.subscription(scope).status is SubscriptionStatus.SUSPENDED
    ]
    return _start_it_again(suspended[0]) if suspended else None


def _start_it_again(scope: CaseSubscription) -> Waits:
    return Waits(
        WaitsFor.PERSON,
        f"{scope.subscription} is Suspended in Billsby although the client stays, and the desk "
        "cannot start it. In Billsby, open it, choose Update status, then Active; Billsby then "
        "bills at once. The desk sees it by itself.",
        again=LOOK_AGAIN,
        attention=True,
    )
