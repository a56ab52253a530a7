"""Sees everything the desk does outside and everything it writes down, and says what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from canceldesk import clock
from canceldesk.cases.models import OPEN_STATES, Case, LogEntry
from canceldesk.closing.models import Facts
from canceldesk.workbook.protocol import ListedRow, NewRow
from tests.model.judging.billsby import OfBillsby
from tests.model.judging.list import OfTheList
from tests.model.judging.log import OfTheLog
from tests.model.judging.wrong import Verdict, wrong_unless

if TYPE_CHECKING:
    from tests.model.workers import Worker
    from tests.model.world import World


class Judge:
    """Everything in here raises Verdict with a sentence when a promise is broken."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.of_billsby = OfBillsby(world)
        self.of_the_list = OfTheList(world)
        self.of_the_log = OfTheLog(world)
        self._could_close: dict[int, tuple[bool, bool]] = {}

    # what the world tells

    def write_arrives(self, request: httpx.Request, *, is_late: bool) -> None:
        self.of_billsby.write_arrives(request, is_late=is_late)

    def read_was_answered(self, request: httpx.Request) -> None:
        self.of_billsby.read_was_answered(request)

    def write_was_done(self, *, is_late: bool) -> None:
        self.of_billsby.look_at_history(is_late=is_late)

    def look_at_history(self) -> None:
        self.of_billsby.look_at_history()

    def row_added(self, row: NewRow) -> None:
        self.of_the_list.added(row)

    def row_removed(self, row: ListedRow) -> None:
        self.of_the_list.removed(row)

    def noted(self, what: LogEntry | Facts) -> None:
        """The desk has added something to its tables."""
        if isinstance(what, Facts):
            self.of_the_list.facts_taken(what)
            return
        self.of_the_log.noted(what)
        if what.verb == "case.decided" and what.case is not None:
            self.of_the_list.decided(what.case, what.at)
            self.of_billsby.decided(what.case)
        if what.verb == "case.taken_back" and what.case is not None:
            self.of_billsby.approvals_are_void(what.case)
        if what.verb in {"row.removed", "row.removal_adopted"} and what.case is not None:
            self.of_the_list.taken_out(what.case)
        if what.verb == "case.closed" and what.case is not None:
            self._closed(Case.objects.get(pk=what.case.pk))

    def somebody_sleeps(self) -> None:
        """Remember what was true when each sleeper fell asleep: it may have read it before."""
        for sleeper in self._world.sleepers:
            case = Case.objects.get(pk=sleeper.case_id)
            self._could_close[case.pk] = (self._is_listed(case), self._is_stopped(case))

    def pass_ended(self, worker: Worker) -> None:
        """A worker is done with its pass, or dead."""
        self.look_at_history()
        if worker.made_a_pass:
            case = Case.objects.get(pk=worker.case_id)
            self._waits_for_something(case, has_slept=worker.has_slept)

    # what must be true

    def _closed(self, case: Case) -> None:
        was = (False, False)
        worker = self._world.running
        if worker is not None and worker.has_slept:
            # The two halves cannot be read in one moment: each was right when it was read.
            was = self._could_close.get(case.pk, was)
        if worker is not None and worker.was_misled:
            was = (was[0], True)  # read back it was, and Billsby said so; the watch finds it
        wrong_unless(
            was[0] or self._is_listed(case),
            f"{case.number} was closed, but the list does not hold exactly one right row for it.",
        )
        wrong_unless(
            was[1] or self._is_stopped(case),
            f"{case.number} was closed, but its service still runs or still asks for money.",
        )
        self.of_billsby.closed(case)

    def _is_listed(self, case: Case) -> bool:
        return self.of_the_list.has_one_right_row(case)

    def _is_stopped(self, case: Case) -> bool:
        return self.of_billsby.is_stopped(case)

    def always(self) -> None:
        """What holds whatever has just happened."""
        self.look_at_history()
        self.of_the_list.always()
        forgotten = Case.objects.filter(state__in=OPEN_STATES, next_pass_at=None).first()
        if forgotten is not None:
            raise Verdict(
                f"Nobody will ever look at {forgotten.number} again, and it is {forgotten.state}."
            )

    def _waits_for_something(self, case: Case, *, has_slept: bool) -> None:
        # A case that was woken while the pass ran is due at once and waits for nothing yet. One
        # that a person changed while the worker slept after its last word is another's to explain.
        waits = case.next_pass_at is not None and case.next_pass_at > clock.now()
        must_say = waits or (case.is_open and not has_slept)
        wrong_unless(
            bool(case.waits_sentence.strip()) or not must_say,
            f"{case.number} is {case.state} and waits, but nothing says for what.",
        )

    def approved(self, case: Case, amounts: dict[str, int], role: str) -> None:
        """Somebody has approved write-offs, at these amounts."""
        self.of_billsby.approved(case, amounts, role)

    def evidence(self) -> dict[str, Any]:
        """What a reader of a failed story wants to see last."""
        return {case.number: (case.state, case.waits_sentence) for case in self._world.cases()}
