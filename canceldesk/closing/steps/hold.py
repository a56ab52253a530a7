"""Hold: nothing is charged while people work."""

from __future__ import annotations

from canceldesk.closing import holding
from canceldesk.closing.results import Done, NotNeeded, Result, Waits
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration


def run(work: Work) -> Result:
    """Hold every subscription in scope, unless the company holds nothing."""
    if not configuration.yes("HOLD_FIRST") and configuration.text("STOP_BY") != "pause":
        return NotNeeded("Holding billing first is switched off in Settings → Policy.")
    return all_of([holding.ensure(work, scope) for scope in work.scope])


def all_of(results: list[Result]) -> Result:
    """Several subscriptions' results as one: the first that waits, else everything done."""
    waiting = next((result for result in results if isinstance(result, Waits)), None)
    if waiting is not None:
        return waiting
    sentence = " ".join(result.sentence for result in results)
    evidence = {"parts": [dict(result.evidence) for result in results]}
    if all(isinstance(result, NotNeeded) for result in results):
        return NotNeeded(sentence, evidence)
    return Done(sentence, evidence)
