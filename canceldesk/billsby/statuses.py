"""The states of subscriptions, invoices and credit notes, however Billsby spells them.

Billsby types every status as a free string and spells it in more than one way, and some API
strings ("Paused", "WrittenOff") are documented nowhere. So spellings are compared without case,
spaces, hyphens and underscores, and what is still not recognised becomes ``UNKNOWN``, with the
raw text kept beside it, never a guess.
"""

from enum import StrEnum
from typing import Self


def _plain(spelling: str) -> str:
    return "".join(c for c in spelling.casefold() if c not in "-_" and not c.isspace())


class _Spelled(StrEnum):
    """A status that can be read from any of Billsby's spellings. Each kind has an ``unknown``."""

    @classmethod
    def parse(cls, raw: str | None) -> Self:
        """Give the status that ``raw`` spells; anything not recognised gives ``UNKNOWN``."""
        plain = _plain(raw or "")
        return next((status for status in cls if _plain(status) == plain), cls("unknown"))


class SubscriptionStatus(_Spelled):
    """What a subscription is doing. A pause ends by itself, with a charge; Suspended stays."""

    ACTIVE = "active"
    IN_TRIAL = "in_trial"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_stopped(self) -> bool:
        """Whether it never bills again by itself: suspended or cancelled, and nothing else."""
        return self in {SubscriptionStatus.SUSPENDED, SubscriptionStatus.CANCELLED}


class InvoiceStatus(_Spelled):
    """Whether an invoice is settled or still collectable."""

    PAID = "paid"
    PAID_OFFLINE = "paid_offline"
    PENDING = "pending"
    UNPAID = "unpaid"
    TO_BE_WRITTEN_OFF = "to_be_written_off"
    WRITTEN_OFF = "written_off"
    UNKNOWN = "unknown"

    @property
    def blocks(self) -> bool:
        """Whether it stands in the way of a stop: pending, unpaid, to be written off, unknown.

        Billsby names the first three ("cannot be cancelled whilst they have any 'pending'
        invoices", help page on subscriptions); an unknown one blocks because it might be one.
        """
        return self in _BLOCKING


_BLOCKING = frozenset(
    {
        InvoiceStatus.PENDING,
        InvoiceStatus.UNPAID,
        InvoiceStatus.TO_BE_WRITTEN_OFF,
        InvoiceStatus.UNKNOWN,
    }
)


class CreditNoteStatus(_Spelled):
    """Whether a credit note's money went back to the client."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    UNKNOWN = "unknown"


class InvoiceKind(_Spelled):
    """Why an invoice was issued (Billsby: Renewal, OneTimeCharge, Refund, OneTimeCredit)."""

    RENEWAL = "renewal"
    ONE_TIME_CHARGE = "one_time_charge"
    REFUND = "refund"
    ONE_TIME_CREDIT = "one_time_credit"
    UNKNOWN = "unknown"
