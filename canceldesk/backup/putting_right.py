"""What a restored database needs before anybody may see it."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import transaction
from django.db.models import F, Q

from canceldesk import clock, outside
from canceldesk.backup import deciding_again, numbers, unknowns
from canceldesk.backup.deciding_again import ToDecide
from canceldesk.backup.manifest import Manifest
from canceldesk.backup.unknowns import Adopted
from canceldesk.cases import log
from canceldesk.cases.log import Verb
from canceldesk.cases.models import OPEN_STATES, Case
from canceldesk.closing.models import Watch
from canceldesk.outside import NotSetUpError
from canceldesk.workbook.errors import ListError

# No worker that slept through the restore may find its old token good again (`cases.lease`).
_TOKENS_AHEAD = 1_000_000


@dataclass(frozen=True)
class PutRight:
    """What was found and done; `list_problem` is why the list could not be read."""

    next_number: int
    woken: int
    adopted: Adopted
    to_decide: ToDecide
    list_problem: str


def put_right(told: Manifest, *, restore: str, numbers_given: int) -> PutRight:
    """Migrate the database that was restored, and make it true again as far as it can be.

    `restore` is what this restore is called, `numbers_given` the highest case number that the
    replaced database gave out.
    """
    call_command("migrate", verbosity=0, interactive=False)
    with transaction.atomic():
        on_list, list_problem = _highest_on_the_list()
        known = [numbers_given, on_list, told.counted.highest_case]
        following = numbers.go_on_after(known, made_at=told.made_at)
        # Somebody who was signed out, or switched off, since then must not be in again.
        Session.objects.all().delete()
        unknowns.leave_telling_to_people()
        adopted = unknowns.adopt_holds(told.made_at)
        to_decide = deciding_again.ask_again()
        woken = _wake()
        log.record(
            Verb.DESK_RESTORED,
            restore=restore,
            made_at=f"{told.made_at:%Y-%m-%d %H:%M} UTC",
            since=told.made_at.isoformat(),
            made_by=told.made_by,
            next_number=f"C-{following:05d}",
        )
    return PutRight(following, woken, adopted, to_decide, list_problem)


def _highest_on_the_list() -> tuple[int, str]:
    try:
        return numbers.highest_on(outside.the_list().read()), ""
    except (NotSetUpError, ListError) as problem:
        return 0, str(problem)


def _wake() -> int:
    """Make every open case and every watch due now, free of whoever was at it, and new to pages
    that are still open somewhere.
    """
    watched = Watch.objects.filter(result=Watch.Result.WATCHING)
    waiting = Q(state__in=OPEN_STATES) | Q(next_pass_at__isnull=False)
    Case.objects.update(
        lease_owner="",
        lease_until=None,
        lease_token=F("lease_token") + _TOKENS_AHEAD,
        version=F("version") + _TOKENS_AHEAD,
        failures=0,
    )
    return Case.objects.filter(waiting | Q(pk__in=watched.values("case"))).update(
        next_pass_at=clock.now(), wake_count=F("wake_count") + 1
    )
