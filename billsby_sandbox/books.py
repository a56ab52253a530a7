"""What every part of the practice company works with: the store, the clock, quirks and the record.

Every change of a record goes through here, so that nothing happens that the history does not show.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TypeVar

from billsby_sandbox import quirks, times, webhooks
from billsby_sandbox.errors import NotFound
from billsby_sandbox.records import (
    CreditNote,
    Customer,
    Cycle,
    EventLog,
    HistoryEntry,
    Invoice,
    Subscription,
    Webhook,
)
from billsby_sandbox.store import Store, Value
from billsby_sandbox.words import BLOCKING, Actor, SubscriptionStatus, spelled

Clock = Callable[[], dt.datetime]
Thing = Customer | Subscription | Invoice | CreditNote
AnyThing = TypeVar("AnyThing", Customer, Subscription, Invoice, CreditNote)

UID_LENGTH = 10
_LETTERS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def system_clock() -> dt.datetime:
    """The real time."""
    return dt.datetime.now(tz=dt.UTC)


class Books:
    """The company's books. Change them inside `store.transaction()` only."""

    def __init__(self, store: Store, domain: str, api_key: str, clock: Clock) -> None:
        self.store = store
        self.domain = domain
        self.api_key = api_key
        self._clock = clock
        self._past: dt.datetime | None = None

    # the clock

    def now(self) -> dt.datetime:
        """The company's present: the real time plus what the clock was moved forward."""
        return self._past or self._clock().astimezone(dt.UTC) + self.offset()

    def offset(self) -> dt.timedelta:
        """How far the clock was moved forward."""
        return dt.timedelta(seconds=float(self.store.setting("clock_offset") or 0))

    def move_clock(self, by: dt.timedelta) -> None:
        """Move the company's present forward; ValueError for a move backwards."""
        if by < dt.timedelta(0):
            raise ValueError("The clock only moves forward.")
        self.store.set_setting("clock_offset", str((self.offset() + by).total_seconds()))

    # quirks

    def quirk(self, name: str) -> str:
        """A quirk's value as text."""
        return self.store.setting(f"quirk:{name}") or quirks.REGISTRY[name].default

    def has_quirk(self, name: str) -> bool:
        """Whether a yes/no quirk is set to yes."""
        return self.quirk(name) == "yes"

    def quirk_number(self, name: str) -> int:
        """A number quirk's value."""
        return int(self.quirk(name))

    def spelled(self, status: StrEnum) -> str:
        """A state as this account's API and webhooks write it."""
        return spelled(
            status, self.quirk("status_spelling"), paused_shown=self.quirk("paused_shown")
        )

    # finding things

    def customer(self, uid: str) -> Customer:
        """The customer of that id who was not deleted; NotFound otherwise."""
        found = self.store.where(Customer, "uid = ? AND deleted_at IS NULL", uid)
        if not found:
            raise NotFound("Customer not found")
        return found[0]

    def owner(self, thing: Subscription | Invoice | CreditNote) -> Customer:
        """Whose it is, deleted or not."""
        return self.store.where(Customer, "uid = ?", thing.customer_uid)[0]

    def subscription(self, uid: str) -> Subscription:
        """The subscription of that id; NotFound otherwise."""
        found = self.store.where(Subscription, "uid = ?", uid)
        if not found:
            raise NotFound("Subscription not found")
        return found[0]

    def invoice(self, number: str) -> Invoice:
        """The invoice of that number; NotFound otherwise."""
        found = self.store.where(Invoice, "number = ?", number)
        if not found:
            raise NotFound("Invoice not found")
        return found[0]

    def credit_note(self, number: str) -> CreditNote:
        """The credit note of that number; NotFound otherwise."""
        found = self.store.where(CreditNote, "number = ?", number)
        if not found:
            raise NotFound("Credit note not found")
        return found[0]

    def cycle(self, id_: int) -> Cycle:
        """The cycle of that id; NotFound otherwise."""
        found = self.store.where(Cycle, "id = ?", id_)
        if not found:
            raise NotFound("Cycle not found")
        return found[0]

    def subscriptions_of(self, customer_uid: str) -> list[Subscription]:
        """A customer's subscriptions, oldest first."""
        return self.store.where(Subscription, "customer_uid = ?", customer_uid)

    def blocking_invoices(self, customer_uid: str) -> list[Invoice]:
        """The invoices that keep the customer's subscriptions from being cancelled."""
        marks = ", ".join("?" * len(BLOCKING))
        return self.store.where(
            Invoice, f"customer_uid = ? AND status IN ({marks})", customer_uid, *BLOCKING
        )

    def is_active(self, customer: Customer) -> bool:
        """Whether Billsby calls the customer Active: anything not cancelled, or nothing yet."""
        subscriptions = self.subscriptions_of(customer.uid)
        return not subscriptions or any(
            one.status is not SubscriptionStatus.CANCELLED for one in subscriptions
        )

    # changing and recording

    def unique_id(self, kind: str) -> str:
        """The next id of ten letters and digits; the same company gives the same ids in order."""
        count = int(self.store.setting("ids") or 0) + 1
        self.store.set_setting("ids", str(count))
        number = int.from_bytes(hashlib.sha256(f"{self.domain}/{kind}/{count}".encode()).digest())
        text = ""
        for _ in range(UID_LENGTH):
            number, rest = divmod(number, len(_LETTERS))
            text += _LETTERS[rest]
        return text

    def next_number(self, customer: Customer) -> str:
        """The customer's next invoice or credit note number."""
        last = self.store.number("SELECT last_number FROM customer WHERE id = ?", customer.id) + 1
        self.store.change(Customer, customer.id, last_number=last)
        return f"{customer.uid}-{last}"

    def note(
        self,
        who: Actor,
        what: str,
        subject: str,
        at: dt.datetime,
        *,
        before: object = None,
        after: object = None,
    ) -> None:
        """Add one line to the history."""
        self.store.add(
            HistoryEntry,
            at=at,
            who=who,
            what=what,
            subject=subject,
            before=as_json(before),
            after=as_json(after),
        )

    def log_event(self, subscription_uid: str, type_: str, at: dt.datetime, **data: Value) -> None:
        """Add one line to a subscription's own event log."""
        self.store.add(
            EventLog,
            subscription_uid=subscription_uid,
            type=type_,
            data=json.dumps(data, default=_plain),
            created_at=at,
        )

    def amend(
        self, who: Actor, what: str, thing: AnyThing, at: dt.datetime, **values: Value
    ) -> AnyThing:
        """Change one record, with its line in the history and its webhook."""
        changed = self.store.change(type(thing), thing.id, **values)
        self.note(who, what, _subject(changed), at, before=thing, after=changed)
        self.announce(who, "Updated", changed, at)
        return changed

    def announce(self, who: Actor, event: str, thing: Thing, at: dt.datetime) -> None:
        """Queue the webhook that tells of a change, where the quirks let it be sent.

        `event` is Created, Updated or Deleted.
        """
        silent = {Actor.API: "webhooks_for_api_changes", Actor.BILLING: "webhooks_for_billing"}
        if self._past or (who in silent and not self.has_quirk(silent[who])):
            return
        type_, body = webhooks.written(self, event, thing)
        for copy in range(1 + self.quirk_number("webhook_duplicates")):
            waiting = self.store.add(
                Webhook,
                type=type_,
                body=json.dumps(body),
                state="waiting",
                attempts=0,
                created_at=at,
                next_try_at=at,
            )
            if copy == 0 and webhooks.is_lost(waiting.id, self.quirk_number("webhook_loss")):
                self.store.change(Webhook, waiting.id, state="lost")
                return

    @contextmanager
    def laying_out(self, moment: dt.datetime) -> Iterator[None]:
        """Let a company's past happen: the clock stands at a moment and nobody is told."""
        before, self._past = self._past, moment
        try:
            yield
        finally:
            self._past = before


def _subject(thing: Thing) -> str:
    return thing.number if isinstance(thing, Invoice | CreditNote) else thing.uid


def as_json(thing: object) -> str:
    """A record (or a dict) as a JSON object; empty text for None."""
    if thing is None:
        return ""
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        thing = dataclasses.asdict(thing)
    return json.dumps(thing, default=_plain)


def _plain(value: object) -> str:
    assert isinstance(value, dt.datetime)  # noqa: S101 - records hold nothing else JSON lacks
    return times.kept(value)
