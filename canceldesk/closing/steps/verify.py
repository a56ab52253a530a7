"""Verify: both halves read afresh, in one pass, and nothing taken from memory.

This is the only place that finds a closing complete, and no service or page can do it instead.
"""

from __future__ import annotations

import datetime as dt

from canceldesk import clock
from canceldesk.cases.log import Verb
from canceldesk.cases.models import WaitsFor
from canceldesk.closing import invoices, listing
from canceldesk.closing.invoices import Belongs
from canceldesk.closing.models import Step
from canceldesk.closing.results import Done, Result, Waits
from canceldesk.closing.steps.stop import is_stopped
from canceldesk.closing.work import Work

AGAIN = dt.timedelta(seconds=10)


def run(work: Work) -> Result:
    """Read the list and Billsby again and compare both with what the decision wants."""
    work.forget()
    row = listing.row_for(work.facts)
    view = work.the_list.read()
    found = listing.mine(view, work.case, row)
    if len(found) != 1 or listing.differences(found[0], row):
        return _not_yet("The list does not show exactly one right row for this case.")
    statuses = {}
    for scope in work.scope:
        subscription = work.subscription(scope)
        if not is_stopped(work, scope, subscription):
            return _not_yet(f"{scope.subscription} is {subscription.status_raw} in Billsby.")
        statuses[subscription.billsby_id] = subscription.status_raw
    if any(block.belongs is Belongs.IN_SCOPE for block in invoices.blocking(work)):
        return _not_yet("An invoice of the stopped service still asks for money.")
    evidence = {
        "row_number": found[0].row_number,
        "tab": view.tab,
        "fingerprint": view.fingerprint,
        "statuses": statuses,
        "read_at": clock.now().isoformat(),
    }
    before = work.notes.of(Step.Name.VERIFY)
    if before is None or before.state != Step.State.DONE:
        work.notes.along(lambda: work.log(Verb.VERIFIED, **evidence))
    return Done(
        f"Row {found[0].row_number} of the list and Billsby "
        f"({', '.join(sorted(set(statuses.values())))}) agree.",
        evidence,
    )


def _not_yet(why: str) -> Waits:
    return Waits(WaitsFor.OUTSIDE, f"{why} The desk looks again.", again=AGAIN)
