"""Promises about the log: that it tells each case's story in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from canceldesk.cases.models import LogEntry
from tests.model.judging.wrong import wrong_unless

if TYPE_CHECKING:
    from tests.model.world import World

# What must stand in a case's log before an entry: any of the second, and since the third.
_BEFORE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "case.decided": (("case.filed",), ()),
    "case.taken_back": (("case.decided",), ("case.taken_back",)),
    "closing.facts": (("case.decided",), ("case.taken_back",)),
    "row.intended": (("closing.facts",), ("case.taken_back",)),
    "row.written": (("row.intended", "row.rewrite_asked"), ("row.removed", "row.removal_adopted")),
    "row.found": (("row.intended", "row.rewrite_asked"), ("row.removed", "row.removal_adopted")),
    "row.removed": (("row.removal_intended",), ("row.written", "row.found", "row.removed")),
    "write_off.intended": (("write_off.approved",), ("case.taken_back",)),
    "closing.verified": (("row.written", "row.found"), ("row.removed", "case.decided")),
    "case.closed": (("closing.verified",), ("case.decided",)),
    "watch.ended": (("case.closed", "case.decided"), ()),
}
_OF_ONE_INVOICE = {
    "write_off.done": ("write_off.intended",),
    "write_off.failed": ("write_off.intended",),
    "write_off.found": ("write_off.failed",),
}


class OfTheLog:
    """Judges every entry when it is made, by those made before it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def noted(self, entry: LogEntry) -> None:
        """An entry has been made."""
        if entry.case_id is None:
            return
        told = self._verbs(entry)
        wrong_unless(
            bool(told) or entry.verb == "case.filed",
            f"The log of case {entry.case_id} begins with {entry.verb}.",
        )
        needs, since = _BEFORE.get(entry.verb, ((), ()))
        newest_of_needs = _newest(told, needs)
        wrong_unless(
            not needs or newest_of_needs > _newest(told, since),
            f"The log says {entry.verb}, but since {' or '.join(since) or 'ever'} there is no "
            f"{' or '.join(needs)}: {told}",
        )
        self._of_one_invoice(entry)

    def _verbs(self, entry: LogEntry) -> list[str]:
        earlier = LogEntry.objects.filter(case=entry.case_id, pk__lt=entry.pk)
        return list(earlier.order_by("pk").values_list("verb", flat=True))

    def _of_one_invoice(self, entry: LogEntry) -> None:
        for verb in _OF_ONE_INVOICE.get(entry.verb, ()):
            there = LogEntry.objects.filter(
                case=entry.case_id, verb=verb, data__invoice=entry.data["invoice"]
            )
            wrong_unless(
                there.exists(),
                f"The log says {entry.verb} of {entry.data['invoice']} without {verb} before.",
            )


def _newest(told: list[str], verbs: tuple[str, ...]) -> int:
    return max((place for place, verb in enumerate(told) if verb in verbs), default=-1)
