"""Takes a decision back after its row was written and decides it anew a day later, again and
again, each time killed at another point. Run by test_kill.py; see kill_story.py.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from typing import Any

from tests.closing.kill_story import (  # its import sets Django up
    START,
    WORK,
    Killer,
    keep_as_template,
    kill_everywhere,
    lay_out,
    passes,
    world,
)

from canceldesk import clock  # isort: skip
from canceldesk.accounts.models import User  # isort: skip
from canceldesk.cases.models import Case, Decision  # isort: skip
from canceldesk.closing import services as closing  # isort: skip
from canceldesk.closing.advance import advance  # isort: skip
from canceldesk.closing.models import Intent  # isort: skip
from canceldesk.retention import services as retention  # isort: skip
from canceldesk.workbook.workbooklist import WorkbookList  # isort: skip

NEXT_DAY = START + dt.timedelta(days=1)


def story(killer: Killer, *, waits: bool) -> dict[str, Any]:
    """Until the new row stands, for as long as the process lives; test_kill.py has the rest."""
    with clock.frozen(NEXT_DAY), world(killer):
        _decide_anew(waits=waits)
        _passes_until("closing", Intent.State.CONFIRMED)
    return {"points": killer.passed}


def _decide_anew(*, waits: bool) -> None:
    """What the manager still has to do."""
    manager = User.objects.get(role="manager")
    if not _said("case.taken_back"):
        closing.take_back(Case.objects.get(), by=manager, why="They called again")
    if waits:
        _passes_until("retention", Intent.State.REMOVED)
    if Case.objects.get().state == "retention":
        retention.decide(Case.objects.get(), by=manager, decision=Decision.SUSPEND)


def _passes_until(state: str, row: str) -> None:
    """Passes for as long as the case is in this state and its row not yet where it should be."""
    for _ in range(4):
        case = Case.objects.get()
        if case.state != state or case.intents.filter(kind="row", state=row).exists():
            return
        advance(case.pk, owner=f"process {os.getpid()}")
        clock.advance(dt.timedelta(seconds=61))


def finished(*, waits: bool) -> dict[str, Any]:
    """What a fresh process makes of it, an hour later."""
    with clock.frozen(NEXT_DAY + dt.timedelta(hours=1)), world() as company:
        _decide_anew(waits=waits)
        passes(company, Decision.SUSPEND)
    rows = WorkbookList(WORK / "list.xlsx").read().rows
    return {
        "state": Case.objects.get().state,
        "rows": [str(row.cancelled_on) for row in rows if row.name == "Nora Field"],
        "others": sum(row.name.startswith("Former") for row in rows),
        "on_top": rows[0].name == "Nora Field",
        "taken_back": _said("case.taken_back"),
        "taken_out": _said("row.removed", "row.removal_adopted"),
        "written": _said("row.written", "row.found"),
        "log_closed": _said("case.closed"),
    }


def _said(*verbs: str) -> int:
    return Case.objects.get().log.filter(verb__in=verbs).count()


def main() -> None:
    waits = sys.argv[2] == "when_out"
    lay_out(Decision.SUSPEND, owed=())
    with clock.frozen(START), world():
        advance(Case.objects.get().pk, owner="worker")
        assert _said("row.written") == 1
    keep_as_template()
    kill_everywhere(lambda killer: story(killer, waits=waits), lambda: finished(waits=waits))


if __name__ == "__main__":
    main()
