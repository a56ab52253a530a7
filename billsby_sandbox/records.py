"""The things Billsby keeps, one dataclass for each table of the store.

Amounts are whole hundredths of the currency unit. Fields that end in `_at` are aware UTC moments.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from billsby_sandbox.words import CreditNoteStatus, InvoiceKind, InvoiceStatus, SubscriptionStatus


@dataclass(frozen=True)
class Cycle:
    """One way a plan of a product is billed: every `frequency` weeks, months or years."""

    id: int
    plan_id: int
    plan_name: str
    product_id: int
    product_name: str
    amount: int
    currency: str
    frequency: int
    unit: str


@dataclass(frozen=True)
class Customer:
    """Who pays."""

    id: int
    uid: str
    first_name: str
    last_name: str
    email: str
    additional_email: str | None
    phone_number: str | None
    dial_code: str | None
    dial_country: str | None
    address: str
    card_good: bool
    card_last4: str
    created_at: dt.datetime
    last_number: int
    deleted_at: dt.datetime | None

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True)
class Subscription:
    """One customer on one cycle."""

    id: int
    uid: str
    customer_uid: str
    cycle_id: int
    cycle_id_next: int | None
    status: SubscriptionStatus
    units: int
    created_at: dt.datetime
    next_billing_at: dt.datetime
    anchor_day: int
    cancelled_at: dt.datetime | None


@dataclass(frozen=True)
class Invoice:
    """What a customer was asked to pay. A write-off zeroes `amount`; `original_amount` stays.

    `due_at` is the batch or the dunning step that next touches it, empty when nothing will.
    """

    id: int
    number: str
    customer_uid: str
    subscription_uid: str | None
    kind: InvoiceKind
    status: InvoiceStatus
    amount: int
    original_amount: int
    refunded: int
    currency: str
    description: str
    created_at: dt.datetime
    period_start_at: dt.datetime | None
    period_end_at: dt.datetime | None
    attempts: int
    due_at: dt.datetime | None

    @property
    def refundable(self) -> int:
        """What can still be given back."""
        return self.amount - self.refunded if self.status is InvoiceStatus.PAID else 0


@dataclass(frozen=True)
class PaymentLog:
    """One attempt to charge an invoice."""

    id: int
    invoice_number: str
    status: str
    reference: str
    created_at: dt.datetime


@dataclass(frozen=True)
class CreditNote:
    """Money given back on an invoice."""

    id: int
    number: str
    invoice_number: str
    customer_uid: str
    amount: int
    currency: str
    status: CreditNoteStatus
    created_at: dt.datetime
    due_at: dt.datetime | None


@dataclass(frozen=True)
class EventLog:
    """One line of a subscription's event log."""

    id: int
    subscription_uid: str
    type: str
    data: str
    created_at: dt.datetime


@dataclass(frozen=True)
class HistoryEntry:
    """One thing that happened: who did what to which thing, and its state before and after.

    `before` and `after` are JSON objects as text; empty text where there is no such state.
    """

    id: int
    at: dt.datetime
    who: str
    what: str
    subject: str
    before: str
    after: str


@dataclass(frozen=True)
class Call:
    """One call of the API as it arrived, and how it was answered (0: not answered)."""

    id: int
    at: dt.datetime
    method: str
    path: str
    query: str
    body: str
    answer: int
    fault: str


@dataclass(frozen=True)
class Webhook:
    """One webhook on its way. `state` is waiting, sent, lost (by quirk) or given_up."""

    id: int
    type: str
    body: str
    state: str
    attempts: int
    created_at: dt.datetime
    next_try_at: dt.datetime


@dataclass(frozen=True)
class Fault:
    """A rule that makes matching API calls go wrong.

    `skip` calls pass first; then `times` calls are hit (0: every one). `seen` and `hit` count.
    """

    id: int
    method: str
    path: str
    kind: str
    seconds: float
    status: int
    retry_after: str
    rubbish: str
    skip: int
    times: int
    seen: int
    hit: int
