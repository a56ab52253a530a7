"""One pass per case at a time: a lease taken by conditional UPDATE, with a fencing token.

Whoever holds the lease writes only inside `fenced`, which fails when somebody else has taken
the case over meanwhile: a process that slept through its lease changes nothing when it wakes.
The token, not the time, is what keeps a pass from writing; so machines whose clocks differ, and a
clock that is set back or ahead, cost a lease a pass at worst. What a pass writes down by a wrong
clock, such as days and dates of charges, no lease can help.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q

from canceldesk import clock
from canceldesk.cases.models import Case

LENGTH = dt.timedelta(seconds=50)
# No lease ends later than this after now, unless the clock was set back since it was taken.
_LATEST_END = 2 * LENGTH


# What a case holds that nobody works on.
GIVEN_BACK: Final[dict[str, Any]] = {"lease_until": None, "lease_owner": ""}
_HELD: Final = ("pk", "lease_token", "lease_until")


class LostLeaseError(Exception):
    """Another worker has taken the case over; nothing more may be written."""


class OvertakenError(LostLeaseError):
    """A person decided, withdrew or took back while the pass was under way: the pass ends here
    and the next one, already due, starts from what is true now.
    """


@dataclass(frozen=True)
class Lease:
    """The right to work on one case, until it runs out or is given back."""

    case_id: int
    token: int
    case: Case = field(compare=False, repr=False)
    """The case, as it was when the lease was taken."""


def free(now: dt.datetime) -> Q:
    """Cases that nobody works on: never leased, given back, or run out."""
    in_force = Q(lease_until__gte=now, lease_until__lte=now + _LATEST_END)
    return Q(lease_until=None) | ~in_force


def take(case_id: int, owner: str, *, along: Collection[str] = ()) -> Lease | None:
    """The lease on a case, or None while somebody else holds it. `along` names what else of the
    case is to be read with it: each would else be a question of its own.
    """
    now = clock.now()
    with transaction.atomic():
        taken = Case.objects.filter(free(now), pk=case_id).update(
            lease_owner=owner, lease_until=now + LENGTH, lease_token=F("lease_token") + 1
        )
        if not taken:
            return None
        case = Case.objects.select_related("client", "reason", *along).get(pk=case_id)
    return Lease(case_id, case.lease_token, case)


@contextmanager
def fenced(
    lease: Lease,
    *,
    shows: bool = False,
    ending: Mapping[str, Any] | None = None,
    **unchanged: Any,  # noqa: ANN401 - as for `renew`
) -> Iterator[None]:
    """A transaction that only the lease's holder can make. It renews the lease or, when it is the
    last one, gives it back and leaves the case's fields as in `ending`.

    Raises what `renew` raises, and writes nothing then.
    """
    with transaction.atomic():
        if ending is None:
            renew(lease, shows=shows, **unchanged)
        else:
            _write(lease, {**ending, **GIVEN_BACK}, shows=shows, unchanged=unchanged)
        yield


def renew(
    lease: Lease,
    *,
    shows: bool = False,
    **unchanged: Any,  # noqa: ANN401 - fields of the case
) -> None:
    """Push the lease's end ahead, if the case is still as in `unchanged`. `shows` says that pages
    will look different for what is written with it.

    Raises LostLeaseError when the case has been taken over, or the lease given back, and
    OvertakenError when the case is otherwise now.
    """
    _write(lease, {"lease_until": clock.now() + LENGTH}, shows=shows, unchanged=unchanged)


def _write(
    lease: Lease, values: Mapping[str, Any], *, shows: bool, unchanged: Mapping[str, Any]
) -> None:
    mine = {"pk": lease.case_id, "lease_token": lease.token, "lease_until__isnull": False}
    seen: dict[str, Any] = {"version": F("version") + 1} if shows else {}
    if Case.objects.filter(**mine, **unchanged).update(**values, **seen):
        return
    if unchanged and Case.objects.filter(**mine).exists():
        raise OvertakenError(f"Case {lease.case_id} has been changed by a person meanwhile.")
    raise LostLeaseError(f"Case {lease.case_id} is being worked on elsewhere.")


def give_back(lease: Lease) -> None:
    """End the lease at once, if it is still ours."""
    Case.objects.filter(pk=lease.case_id, lease_token=lease.token).update(**GIVEN_BACK)


def revoke(owners: Iterable[str]) -> int:
    """End the leases of workers that are gone or about to be, and fence them off; gives how many.

    A pass of theirs that still runs somewhere can write nothing more.
    """
    return Case.objects.filter(lease_until__isnull=False, lease_owner__in=list(owners)).update(
        **GIVEN_BACK, lease_token=F("lease_token") + 1
    )


def owners() -> set[str]:
    """The workers that hold a lease, run out or not."""
    leased = Case.objects.filter(lease_until__isnull=False).order_by()  # else SQLite reads them all
    return set(leased.values_list("lease_owner", flat=True))


def held() -> dict[int, tuple[int, dt.datetime]]:
    """The leases there are, run out or not: each case's token and end, of which the end changes
    whenever the holder writes.
    """
    leased = Case.objects.filter(lease_until__isnull=False).order_by()  # as for `owners`
    return {pk: (token, until) for pk, token, until in leased.values_list(*_HELD) if until}


def end_unrenewed(case_id: int, token: int, until: dt.datetime) -> bool:
    """End a lease that is still exactly so, and fence off who holds it; whether it was."""
    still_so = Case.objects.filter(pk=case_id, lease_token=token, lease_until=until)
    return bool(still_so.update(**GIVEN_BACK, lease_token=F("lease_token") + 1))
