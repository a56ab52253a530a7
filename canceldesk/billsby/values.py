"""What Billsby says, as frozen typed values.

Everywhere: money is an integer of minor currency units (``$10`` is 1000, "Company invoices" page
of the API reference); times are aware UTC; an absent text is ``""``; ``status_raw`` is the
spelling as Billsby sent it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from .statuses import CreditNoteStatus, InvoiceKind, InvoiceStatus, SubscriptionStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A row of the customer list.

    phone: dial code and number as Billsby keeps them, for display ("+1 5550100"); may be empty.
    status: ``active`` or ``inactive`` as sent. It can't tell suspended from active: read the
    subscriptions for that.
    """

    billsby_id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    status: str = ""
    created_on: datetime | None = None

    @property
    def name(self) -> str:
        """First and last name, without stray spaces."""
        return " ".join(f"{self.first_name} {self.last_name}".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDetails(Customer):
    """One customer, with Billsby's own total.

    total_paid_minor: what the client paid in all according to Billsby, ``None`` when not given.
    currency: the company's currency, which that total is in.
    """

    total_paid_minor: int | None = None
    currency: str = ""
    additional_email: str = ""
    card_status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSubscription:
    """A row of one customer's subscriptions."""

    billsby_id: str
    plan_name: str = ""
    product_name: str = ""
    status: SubscriptionStatus
    status_raw: str
    currency: str = ""
    next_billing_at: datetime | None = None
    started_at: datetime | None = None
    units: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionSummary:
    """A row of the company's subscriptions; the only list that carries the client's e-mail."""

    billsby_id: str
    customer_id: str
    customer_email: str = ""
    customer_name: str = ""
    plan_name: str = ""
    product_name: str = ""
    status: SubscriptionStatus
    status_raw: str
    created_on: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One subscription in full.

    started_at: its ``createdOn``. next_billing_at, next_billing_minor: the next charge, ``None``
    when Billsby names none. plan_id, cycle_id: what :meth:`Billsby.change_plan` takes.
    """

    billsby_id: str
    customer_id: str
    customer_name: str = ""
    customer_email: str = ""
    status: SubscriptionStatus
    status_raw: str
    plan_name: str = ""
    plan_id: int | None = None
    cycle_id: int | None = None
    product_name: str = ""
    currency: str = ""
    units: int | None = None
    started_at: datetime | None = None
    next_billing_at: datetime | None = None
    next_billing_minor: int | None = None
    contract_minimum_term_end: datetime | None = None
    total_revenue_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A row of one customer's invoices: the place to read an invoice's status.

    amount_minor: becomes 0 when the invoice is written off, so take it down before.
    """

    number: str
    amount_minor: int
    refundable_minor: int | None = None
    currency: str = ""
    status: InvoiceStatus
    status_raw: str
    issued_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDetails:
    """Why an invoice was issued and for which subscriptions.

    Its ``status`` field is documented as the *customer's* status ("active or inactive", page
    "Individual invoices"), so it is not offered here: read it from the customer's invoices.
    """

    number: str
    customer_id: str = ""
    kind: InvoiceKind
    subscription_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyInvoice:
    """A row of the company's invoices."""

    number: str
    customer_id: str
    customer_name: str = ""
    amount_minor: int
    currency: str = ""
    status: InvoiceStatus
    status_raw: str
    issued_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """Money given back, or to be given back.

    number: the customer's list calls it ``invoiceNumber``, the company's ``creditNoteUniqueId``;
    whether the two are the same number is not documented.
    """

    number: str
    customer_id: str
    amount_minor: int
    currency: str = ""
    status: CreditNoteStatus
    status_raw: str
    created_on: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """An entry of a subscription's event log. The names of the types are not documented."""

    billsby_id: str = ""
    type: str
    created_on: datetime | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentLog:
    """One attempt to take the money of an invoice."""

    billsby_id: str = ""
    created_on: datetime | None = None
    gateway: str = ""
    reference: str = ""
    payment_method: str = ""
    status_raw: str = ""


class PlanChange(IntEnum):
    """When a change of plan takes effect; the numbers are Billsby's ``planChangeType``."""

    IMMEDIATE = 1
    ON_RENEWAL = 2
