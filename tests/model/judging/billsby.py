"""Promises about Billsby: what the desk changes there, and what the client is charged."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import httpx

from billsby_sandbox.records import HistoryEntry
from canceldesk.cases.models import Case, LogEntry
from canceldesk.closing.models import Hold, Intent
from canceldesk.configuration import services as configuration
from tests.model import truth
from tests.model.judging.wrong import wrong_unless

if TYPE_CHECKING:
    from tests.model.workers import Worker
    from tests.model.world import World

# A hold that ran out is the desk's fault only if it could work all this time.
_TIME_TO_RENEW = dt.timedelta(days=45)


class OfBillsby:
    """Judges by Billsby's own history. It knows what people did because it is told: approvals,
    and when the desk was hindered from working.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen = 0
        self._approved: dict[tuple[int, str], int] = {}
        self._written_off: dict[str, int] = {}
        self._known_to: dict[str, int] = {}
        self._last_mover: dict[str, HistoryEntry] = {}
        self._hindered_at: list[dt.datetime] = []
        self._closed_by_pausing: set[int] = set()

    # what it is told

    def approved(self, case: Case, amounts: dict[str, int], role: str) -> None:
        """Somebody may have invoices written off up to these amounts."""
        for number, amount in amounts.items():
            key = (case.pk, number)
            self._approved[key] = max(amount, self._approved.get(key, 0))
        if role == "agent":
            total = sum(a for (pk, _), a in self._approved.items() if pk == case.pk)
            limit = configuration.whole("AGENT_WRITE_OFF_LIMIT")
            wrong_unless(
                total <= limit, f"An agent approved {total} in {case.number}; the limit is {limit}."
            )

    def approvals_are_void(self, case: Case) -> None:
        """A decision was taken back, and with it what was approved for it."""
        for key in [key for key in self._approved if key[0] == case.pk]:
            del self._approved[key]

    def hindered(self) -> None:
        """Something keeps the desk from working now: it is off, or Billsby is."""
        self._hindered_at.append(self._world.now)

    def _was_hindered(self, at: dt.datetime) -> bool:
        return any(at - _TIME_TO_RENEW <= moment <= at for moment in self._hindered_at)

    # what arrives

    def write_arrives(self, request: httpx.Request, *, is_late: bool) -> None:
        """A call that would change something has come to Billsby."""
        worker = self._world.running
        wrong_unless(worker is not None, f"{request.method} {request.url} was made in no pass.")
        assert worker is not None
        case = Case.objects.select_related("client").get(pk=worker.case_id)
        parts = request.url.path.split("/")
        if request.url.path.endswith("/renewaldate"):
            self._moves(case, parts[-2], json.loads(request.content), is_late=is_late)
        elif request.url.path.endswith("/WrittenOff"):
            self._writes_off(case, parts[-2])
            self._writes_off_once(worker, parts[-2])
        elif request.method == "DELETE":
            self._cancels(case, parts[-1], request.url.params["customerUniqueId"])
        else:
            wrong_unless(False, f"The desk has no business with {request.method} {request.url}.")

    def _in_scope(self, case: Case, uid: str) -> None:
        mine = truth.scope(case)
        wrong_unless(uid in mine, f"{case.number} is about {mine}, but the desk touched {uid}.")

    def _moves(self, case: Case, uid: str, body: dict[str, object], *, is_late: bool) -> None:
        self._in_scope(case, uid)
        if is_late or (self._world.running is not None and self._world.running.was_misled):
            return  # it was right when it left, or by what was said
        day = dt.date.fromisoformat(str(body["newRenewalDate"]))
        wrong_unless(
            day > self._world.now.date() - truth.A_DAY,
            f"The desk set the next charge of {uid} to {day}, which is past.",
        )
        standing = self._world.company.subscription(uid).next_billing_at.date()
        is_given_back = case.state in {"retained", "withdrawn"}
        wrong_unless(
            is_given_back or day >= standing - truth.A_DAY,
            f"The desk brought the next charge of {uid} nearer, from {standing} to {day}, "
            f"while {case.number} is {case.state}.",
        )

    def _writes_off(self, case: Case, number: str) -> None:
        invoice = self._world.company.invoice(number)
        approved = self._approved.get((case.pk, number), -1)
        wrong_unless(
            invoice.amount <= approved,
            f"The desk wrote off {number} of {invoice.amount} in {case.number}, but "
            f"{approved if approved >= 0 else 'nothing'} was approved.",
        )
        wrong_unless(
            Intent.objects.filter(case=case, kind="write_off", target=number).exists(),
            f"The desk wrote off {number} without writing down before that it would.",
        )
        owner = invoice.subscription_uid
        # What a service left owing that is stopped already may be approved along with this one.
        if owner and self._world.company.subscription(owner).status not in truth.HAS_ENDED:
            self._in_scope(case, owner)

    def _writes_off_once(self, worker: Worker, number: str) -> None:
        """Billsby's history does not tell of a repeat, so it is judged when it arrives. It is right
        for a worker that has read the invoice as open: before it fell asleep, or falsely, if
        the desk has not noted yet that it was read back as done.
        """
        done = self._written_off.get(number, 0)
        has_overslept = worker.has_slept and self._known_to.get(worker.name, 0) < done
        was_misled = worker.was_misled and not self._noted_as_done(number)
        wrong_unless(
            not done or was_misled or has_overslept,
            f"The desk wrote off {number} again, which it could know to be written off.",
        )

    def _noted_as_done(self, number: str) -> bool:
        """Whether the log has it since anybody's last word about the invoice."""
        verbs = ("write_off.done", "write_off.found")
        done = LogEntry.objects.filter(verb__in=verbs, data__invoice=number).last()
        if done is None:
            return False
        words = LogEntry.objects.filter(verb="write_off.approved", pk__gt=done.pk)
        return not any(number in str(word.data["invoices"]).split(", ") for word in words)

    def _cancels(self, case: Case, uid: str, customer: str) -> None:
        self._in_scope(case, uid)
        wrong_unless(
            case.decision == "cancel",
            f"The desk cancelled {uid}, but the decision about {case.number} is "
            f"{case.decision or 'still to come'}.",
        )
        wrong_unless(
            customer == case.client.billsby_id, f"The desk cancelled {uid} as one of {customer}'s."
        )
        wrong_unless(
            LogEntry.objects.filter(case=case, verb="cancel.intended").exists(),
            f"The desk cancelled {uid} without writing down before that it would.",
        )

    # what happened

    def read_was_answered(self, request: httpx.Request) -> None:
        """Whoever runs has heard of a client's invoices as they stand now."""
        if self._world.running is not None and request.url.path.endswith("/invoices"):
            self._known_to[self._world.running.name] = self._seen

    def look_at_history(self, *, is_late: bool = False) -> None:
        """Judge what has been added to Billsby's own history."""
        for entry in self._world.company.history(self._seen):
            self._seen = entry.id
            if entry.what == "subscription renewed" and entry.who == "billing":
                self._renewed(entry)
            if entry.who == "api" and entry.what == "invoice written off":
                self._written_off[entry.subject] = entry.id
            if entry.what.startswith("subscription ") or entry.what == "next billing date changed":
                self._last_mover[entry.subject] = entry
        if is_late:
            self.hindered()

    def _renewed(self, entry: HistoryEntry) -> None:
        """A client was charged. Was something to keep that from happening?"""
        mover = self._last_mover.get(entry.subject)
        hold = (
            Hold.objects.filter(
                scope__subscription__billsby_id=entry.subject,
                state__in=["held", "releasing", "released"],
            )
            .select_related("scope__case")
            .order_by("-pk")
            .first()
        )
        if hold is None or mover is None:
            return
        case = hold.scope.case
        if case.state in {"retained", "withdrawn"} or mover.who == "panel":
            return
        if self._billsby_refuses_holds(case) or self._was_hindered(entry.at):
            return
        wrong_unless(
            False,
            f"{entry.subject} was charged on {entry.at:%d %b} although {case.number} "
            f"({case.state}) held it until {hold.until}; last moved by {mover.who}: {mover.what}.",
        )

    def _billsby_refuses_holds(self, case: Case) -> bool:
        return LogEntry.objects.filter(case=case, verb="hold.failed").exists()

    def closed(self, case: Case) -> None:
        """What was closed by pausing stays so when the company stops another way from now on."""
        if configuration.text("STOP_BY") == "pause":
            self._closed_by_pausing.add(case.pk)

    def decided(self, case: Case) -> None:
        """A new decision is kept in the way the company stops now."""
        self._closed_by_pausing.discard(case.pk)

    def is_stopped(self, case: Case) -> bool:
        """Whether everything a case is to stop has stopped and asks for no money any more."""
        by_pausing = configuration.text("STOP_BY") == "pause" or case.pk in self._closed_by_pausing
        return all(
            truth.is_stopped(self._world.company, case, uid, is_pausing_enough=by_pausing)
            for uid in truth.scope(case)
        ) and not truth.collectable(self._world.company, case)
