"""How a case ends: closed when both halves were read back, or with the client staying."""

from __future__ import annotations

from canceldesk.cases import services as cases
from canceldesk.cases.log import Verb
from canceldesk.cases.models import State
from canceldesk.closing import giving_back, trouble, undecided, watching
from canceldesk.closing.results import NotNeeded, Result, Waits
from canceldesk.closing.work import Work


def close(work: Work) -> None:
    """Close the case. Called by the pass alone, right after verify found both halves right."""
    undecided.keep_next_charge(work)
    with work.fenced():
        cases.move(work.case, State.CLOSED, only_from=[State.CLOSING])
        work.log(Verb.CASE_CLOSED)
        watching.start(work)


def staying(work: Work) -> Result:
    """Give every hold of a retained or withdrawn case back, then watch a retained client."""
    given = trouble.each(work, giving_back.give_back)
    if isinstance(given, Waits):
        return given
    undecided.keep_next_charge(work)
    if work.case.state == State.RETAINED:
        return watching.after_a_save(work)
    return NotNeeded("The case was withdrawn; nothing is left to do.")
