"""One pass's view of one case: what it reads, and how it may write."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from canceldesk import clock, go_ahead
from canceldesk.billsby import (
    Billsby,
    CustomerSubscription,
    Invoice,
    Subscription,
    SubscriptionStatus,
)
from canceldesk.billsby.errors import Nonsense, NotFound
from canceldesk.cases import findings, log
from canceldesk.cases import lease as leases
from canceldesk.cases.lease import Lease, OvertakenError
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, CaseSubscription, Finding
from canceldesk.clients import mirror, witnesses
from canceldesk.clients.models import Client
from canceldesk.closing.models import Facts, Intent
from canceldesk.closing.notes import Notes
from canceldesk.configuration import services as configuration
from canceldesk.workbook.protocol import CancellationList

T = TypeVar("T")

# With the longest call that may follow (`billsby.exchange`), less than a lease lasts.
KEPT_FOR = dt.timedelta(seconds=5)


def is_gone(billsby: Billsby, client_id: str) -> bool:
    """Whether a client has been deleted in Billsby, which it only allows after cancelling
    (billsby.md 2.3): nothing of theirs bills any more. It is believed only of a Billsby that finds
    another client, and then still not this one. Raises BillsbyError.
    """
    if witnesses.knows(billsby, client_id):
        return False
    witnesses.check_another(billsby, client_id)
    return not witnesses.knows(billsby, client_id)


def as_read(case: Case) -> dict[str, Any]:
    """What a person changes by deciding, withdrawing or taking back, as this pass knows it."""
    return {"state": case.state, "decision": case.decision, "decided_at": case.decided_at}


@dataclass
class Work:
    """Everything a step needs. Reads of Billsby are remembered for the length of a pass and
    forgotten by every write, so that what a step sees is never older than its own pass.
    """

    case: Case
    lease: Lease
    notes: Notes
    _billsby: Billsby
    _the_list: CancellationList
    _read: dict[str, Any] = field(default_factory=dict)
    _mirrored: dict[str, object] = field(default_factory=dict)
    has_just_held: bool = False
    _kept_at: dt.datetime = field(default_factory=clock.now)

    @property
    def billsby(self) -> Billsby:
        """Billsby, for the next call. Raises LostLeaseError."""
        self._keep_mine()
        return self._billsby

    @property
    def the_list(self) -> CancellationList:
        """The list, for the next reading or writing. Raises LostLeaseError."""
        self._keep_mine()
        return self._the_list

    def _keep_mine(self) -> None:
        """Renew the lease while much is read and nothing written: else a client with many invoices,
        or a slow Billsby, would have the case taken over before the pass comes to anything, and
        whoever takes it over would come no further.
        """
        now = clock.now()
        if abs(now - self._kept_at) >= KEPT_FOR:
            leases.renew(self.lease, **as_read(self.case))
            self._kept_at = now

    @property
    def facts_if_taken(self) -> Facts | None:
        """The case's facts, if they had been taken when the pass began or were taken by it."""
        return getattr(self.case, "facts", None)

    @cached_property
    def facts(self) -> Facts:
        """The case's facts, which a step that needs them has seen taken.

        Raises OvertakenError when a person has taken the decision back since, and facts with it.
        """
        facts = self.facts_if_taken
        if facts is None:
            raise OvertakenError(f"{self.case.number} was taken back meanwhile.")
        return facts

    @cached_property
    def scope(self) -> list[CaseSubscription]:
        """The subscriptions this case is to stop."""
        return list(
            self.case.scope.select_related("subscription", "hold").order_by("subscription_id")
        )

    @cached_property
    def _intents(self) -> dict[tuple[str, str], Intent]:
        return {(one.kind, one.target): one for one in Intent.objects.filter(case=self.case)}

    def intents(self, kind: Intent.Kind) -> list[Intent]:
        """What the desk has intended in this case, of one kind, as the pass found it or made it.

        Only passes change them, but for the row's (`row_intent`).
        """
        return [intent for intent in self._intents.values() if intent.kind == kind]

    def intent(self, kind: Intent.Kind, target: str) -> Intent | None:
        """What the desk has intended to do to `target`, if anything."""
        return self._intents.get((kind, target))

    def intent_to(self, kind: Intent.Kind, target: str) -> Intent:
        """The same, or a new one, which is stored once it leaves (`mark_sent`)."""
        return self.intent(kind, target) or Intent(
            case=self.case, kind=kind, target=target, created_at=clock.now()
        )

    def mark_sent(self, intent: Intent) -> None:
        """Note that what was intended leaves now; call it inside `sending`."""
        intent.mark_sent()
        self.keep(intent)

    def confirm(self, intent: Intent, answer: dict[str, Any]) -> None:
        """Know what was intended as read back: `answer`. It is stored with the next writing."""
        intent.confirm(answer)
        self.notes.along(intent.keep_confirmed)

    @property
    def row_intent(self) -> Intent | None:
        """What the desk has intended about the case's row, if anything. What a person asks of the
        row meanwhile wakes the case: the next pass sees it.
        """
        return self.intent(Intent.Kind.ROW, Intent.ROW)

    def keep(self, intent: Intent) -> Intent:
        """Know an intent that this pass has stored."""
        self._intents[intent.kind, intent.target] = intent
        return intent

    @cached_property
    def found_before(self) -> set[tuple[str, str]]:
        """What has been found wrong about the client and still stands: kinds and keys. Another of
        the client's cases may have found what this one sees put right.
        """
        standing = Finding.objects.filter(client=self.case.client, resolved_at=None)
        return set(standing.values_list("kind", "key"))

    @cached_property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return configuration.zone()

    @property
    def today(self) -> dt.date:
        """Today where the company is."""
        return clock.today(self.zone)

    @property
    def client_id(self) -> str:
        """The client's Billsby ID."""
        return self.case.client.billsby_id

    def subscription(self, scope: CaseSubscription) -> Subscription:
        """The subscription as Billsby has it in this pass.

        Raises Nonsense when Billsby says it belongs to another client: stop before harm.
        """
        billsby_id = scope.subscription.billsby_id
        key = f"subscription {billsby_id}"
        if key not in self._read:
            found = self._read_subscription(scope)
            if found.customer_id != self.client_id:
                raise Nonsense(
                    f"Billsby says {billsby_id} belongs to {found.customer_id}, not to "
                    f"{self.client_id}. Nothing was changed; check the client in Billsby."
                )
            keep = partial(mirror.keep_subscription, self.case.client, found, read_at=clock.now())
            self._mirror(key, found, keep)
            self._read[key] = found
        return self._read[key]  # type: ignore[no-any-return]

    def _read_subscription(self, scope: CaseSubscription) -> Subscription:
        billsby_id = scope.subscription.billsby_id
        try:
            return self.billsby.subscription(billsby_id)
        except NotFound:
            if not self.is_gone:
                raise
        return Subscription(
            billsby_id=billsby_id,
            customer_id=self.client_id,
            status=SubscriptionStatus.CANCELLED,
            status_raw="deleted",
            plan_name=scope.subscription.plan_name,
        )

    @cached_property
    def is_gone(self) -> bool:
        """Whether the client has been deleted in Billsby. Asked only when something is missing."""
        return is_gone(self.billsby, self.client_id)

    def invoices(self) -> list[Invoice]:
        """The client's invoices as Billsby has them in this pass.

        Raises Nonsense when one is named after another client: stop before harm.
        """
        if "invoices" not in self._read:
            found = self._of_client(self.billsby.customer_invoices)
            self._check_whose(found)
            asking = [invoice for invoice in found if invoice.status.blocks]
            client = self.case.client
            keep = partial(mirror.keep_open_invoices, client, asking, read_at=clock.now())
            self._mirror("invoices", asking, keep)
            self._read["invoices"] = found
        return self._read["invoices"]  # type: ignore[no-any-return]

    def invoices_again(self) -> list[Invoice]:
        """The client's invoices, asked for once more."""
        self._read.pop("invoices", None)
        return self.invoices()

    def _check_whose(self, found: list[Invoice]) -> None:
        """The list of a client's invoices does not say whose they are; but a number begins with its
        client's ID (billsby.md 3), so one of a client whom the desk knows gives a mix-up away.
        """
        named = {invoice.number.rpartition("-")[0] for invoice in found} - {self.client_id}
        other = Client.objects.filter(billsby_id__in=named).first() if named else None
        if other is not None:
            raise Nonsense(
                f"Asked for the invoices of {self.client_id}, Billsby gave some of "
                f"{other.billsby_id}. Nothing was changed."
            )

    def named_by(self, invoice: Invoice) -> tuple[str, ...]:
        """The subscriptions an invoice names; asked once a pass, by however many steps."""
        key = f"invoice {invoice.number}"
        if key not in self._read:
            self._read[key] = tuple(self.billsby.invoice(invoice.number).subscription_ids)
        return self._read[key]  # type: ignore[no-any-return]

    def staying(self) -> list[CustomerSubscription]:
        """Live subscriptions of the client that are not in scope: they must not be touched."""
        if "subscriptions" not in self._read:
            self._read["subscriptions"] = self._of_client(self.billsby.customer_subscriptions)
        mine = {scope.subscription.billsby_id for scope in self.scope}
        return [
            subscription
            for subscription in self._read["subscriptions"]
            if subscription.billsby_id not in mine and not subscription.status.is_stopped
        ]

    def _of_client(self, read: Callable[[str], list[T]]) -> list[T]:
        """What a deleted client has is nothing."""
        try:
            return read(self.client_id)
        except NotFound:
            if not self.is_gone:
                raise
            return []

    def _mirror(self, key: str, found: object, keep: Callable[[], object]) -> None:
        """Keep what was read in the desk's copy, unless this pass has kept just that."""
        if self._mirrored.get(key) != found:
            self.notes.copy(key, keep)
            self._mirrored[key] = found

    def forget(self) -> None:
        """Read everything afresh from here on; a write must be followed by it."""
        self._read.clear()

    @contextmanager
    def fenced(self, *, with_copies: bool = True) -> Iterator[None]:
        """A transaction only the lease's holder can make, about the case as it was read. What
        waited for the next writing is written with it (`Notes`).
        """
        mine = leases.fenced(self.lease, shows=self.notes.are_new, **as_read(self.case))
        with mine, self.notes.written(with_copies=with_copies):
            yield

    def store(self) -> None:
        """Write down now what would go along with the next writing."""
        with self.fenced():
            pass

    def assure_mine(self) -> None:
        """Renew the lease, so that nothing is changed outside by a pass that has been taken over,
        or for a case that a person has decided otherwise meanwhile. Asked before every such change
        (`go_ahead`).

        Raises LostLeaseError.
        """
        leases.renew(self.lease, **as_read(self.case))
        self.notes.has_gone_ahead = True

    @contextmanager
    def sending(self, noting: Callable[[], object]) -> Iterator[None]:
        """Inside, what is sent asks for its go-ahead, and with that `noting` writes down that it
        leaves now. Copies wait: what is about to be changed is read again right after.
        """

        def note_that_it_leaves() -> None:
            with self.fenced(with_copies=False):
                noting()
            self.notes.has_gone_ahead = True

        with go_ahead.asked_of(note_that_it_leaves):
            yield

    def report(
        self,
        kind: Finding.Kind,
        key: str,
        sentence: str,
        **data: Any,  # noqa: ANN401 - whatever JSON can hold
    ) -> None:
        """Record that something is wrong, or still is."""
        with self.fenced():
            findings.report(kind, key, sentence, case=self.case, **data)

    def resolve(self, kind: Finding.Kind, key: str) -> None:
        """Say that a finding no longer stands, where there is one."""
        if (kind, key) in self.found_before:
            with self.fenced():
                findings.resolve(kind, key)

    def log(self, verb: Verb, **data: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Record what the desk did; call it inside `fenced`."""
        self.notes.log(log.entry(verb, case=self.case, **data))
