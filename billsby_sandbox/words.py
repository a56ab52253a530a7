"""Billsby's words: the states of things, how the API spells them, and what a person reads."""

from __future__ import annotations

from enum import StrEnum


class SubscriptionStatus(StrEnum):
    """States of a subscription (billsby.md 1.1)."""

    ACTIVE = "Active"
    IN_TRIAL = "InTrial"
    PAUSED = "Paused"
    SUSPENDED = "Suspended"
    CANCELLED = "Cancelled"


class InvoiceStatus(StrEnum):
    """States of an invoice (billsby.md 2.1)."""

    PENDING = "Pending"
    PAID = "Paid"
    UNPAID = "Unpaid"
    PAID_OFFLINE = "PaidOffline"
    WRITTEN_OFF = "WrittenOff"
    TO_BE_WRITTEN_OFF = "ToBeWrittenOff"


class CreditNoteStatus(StrEnum):
    """States of a credit note (the filters of the company's credit note list)."""

    PENDING = "Pending"
    PAID = "Paid"
    FAILED = "Failed"


class InvoiceKind(StrEnum):
    """What an invoice is for (billsby.md 3, `invoiceType`)."""

    RENEWAL = "Renewal"
    ONE_TIME_CHARGE = "OneTimeCharge"
    ONE_TIME_CREDIT = "OneTimeCredit"


class Actor(StrEnum):
    """Who brought a change about."""

    API = "api"
    PANEL = "panel"
    BILLING = "billing"
    PRACTICE = "practice"


BLOCKING = (InvoiceStatus.PENDING, InvoiceStatus.UNPAID, InvoiceStatus.TO_BE_WRITTEN_OFF)
"""Invoices a customer may not have when a subscription is cancelled (billsby.md 2.3)."""

COLLECTABLE = (InvoiceStatus.PENDING, InvoiceStatus.UNPAID)
"""Invoices a charge can still be attempted on."""

BILLED = (SubscriptionStatus.ACTIVE, SubscriptionStatus.IN_TRIAL, SubscriptionStatus.PAUSED)
"""Subscriptions that are charged when their next billing date comes."""

LABELS: dict[str, str] = {
    "Active": "Active",
    "InTrial": "In trial",
    "Paused": "Paused",
    "Suspended": "Suspended",
    "Cancelled": "Cancelled",
    "Pending": "Pending",
    "Paid": "Paid",
    "Unpaid": "Unpaid",
    "PaidOffline": "Paid Offline",
    "WrittenOff": "Written off",
    "ToBeWrittenOff": "To be Written off",
    "Failed": "Failed",
    "OnHold": "On hold",
}
"""How the control panel shows each state; the last is a word of the API alone."""

PAUSED_SHOWN = {"paused": "Paused", "active": "Active", "on_hold": "OnHold"}
"""What the API may call a paused subscription: Paused is not among its own statuses (1.1)."""


def spelled(status: StrEnum, spelling: str, *, paused_shown: str = "paused") -> str:
    """A state as the API writes it: `joined`, `spaced` like the panel, or `lower`."""
    is_paused = status is SubscriptionStatus.PAUSED
    word = PAUSED_SHOWN[paused_shown] if is_paused else status.value
    if spelling == "spaced":
        return LABELS[word]
    return word.lower() if spelling == "lower" else word
