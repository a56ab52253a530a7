"""Hold: nothing is charged while people work."""

from __future__ import annotations

from canceldesk.closing import holding, holds, trouble
from canceldesk.closing.results import NotNeeded, Result
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration


def run(work: Work) -> Result:
    """Hold every subscription in scope. A company that holds nothing first still keeps up the
    holds that stand.
    """
    holds_first = configuration.yes("HOLD_FIRST") or configuration.text("STOP_BY") == "pause"
    stands = any(holds.is_standing(holds.hold_of(scope)) for scope in work.scope)
    if not holds_first and not stands:
        return NotNeeded("Holding billing first is switched off in Settings → Policy.")
    return trouble.each(work, holding.ensure)
