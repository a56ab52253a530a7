"""The interface through which every other room reaches Billsby.

:class:`canceldesk.billsby.client.HttpBillsby` is the real thing. Every method may raise the
errors of :mod:`canceldesk.billsby.errors`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol

from .errors import (
    BillsbyError,
    Blocked,
    Busy,
    Nonsense,
    NotAuthorised,
    NotFound,
    Refused,
    Unreachable,
)
from .statuses import CreditNoteStatus, InvoiceKind, InvoiceStatus, SubscriptionStatus
from .values import (
    CompanyInvoice,
    CreditNote,
    Customer,
    CustomerDetails,
    CustomerSubscription,
    Invoice,
    InvoiceDetails,
    LogEvent,
    PaymentLog,
    PlanChange,
    Subscription,
    SubscriptionSummary,
)

__all__ = [
    "Billsby",
    "BillsbyError",
    "Blocked",
    "Busy",
    "CompanyInvoice",
    "CreditNote",
    "CreditNoteStatus",
    "Customer",
    "CustomerDetails",
    "CustomerSubscription",
    "Invoice",
    "InvoiceDetails",
    "InvoiceKind",
    "InvoiceStatus",
    "LogEvent",
    "Nonsense",
    "NotAuthorised",
    "NotFound",
    "PaymentLog",
    "PlanChange",
    "Refused",
    "Subscription",
    "SubscriptionStatus",
    "SubscriptionSummary",
    "Unreachable",
]


class Billsby(Protocol):
    """One company's account at Billsby.

    Lists that come in pages are iterators: they ask for the next page when it is needed, give no
    row twice, and raise ``Nonsense`` when the list turns out not to be complete, so what was
    given before that is not to be taken for the whole.
    """

    def customers(self, search: str | None = None) -> Iterator[Customer]:
        """Give all customers, or those whose name contains ``search``.

        Whether the search also finds e-mail or phone is not documented: compare yourself.
        """
        ...

    def customer(self, customer_id: str) -> CustomerDetails:
        """Give one customer; ``Nonsense`` when the reply is about another."""
        ...

    def customer_subscriptions(self, customer_id: str) -> list[CustomerSubscription]:
        """Give one customer's subscriptions, ended ones included."""
        ...

    def customer_invoices(self, customer_id: str) -> list[Invoice]:
        """Give one customer's invoices, of all their subscriptions and one-time charges."""
        ...

    def customer_credit_notes(self, customer_id: str) -> list[CreditNote]:
        """Give one customer's credit notes."""
        ...

    def subscriptions(
        self,
        *,
        is_active: bool | None = None,
        is_in_free_trial: bool | None = None,
        product_name: str | None = None,
        plan_name: str | None = None,
        order_by: str | None = None,
        order_by_descending: str | None = None,
    ) -> Iterator[SubscriptionSummary]:
        """Give the company's subscriptions.

        There is no filter by status or customer, and whether ``is_active`` includes paused,
        suspended or in-trial ones is not documented.
        """
        ...

    def subscription(self, subscription_id: str) -> Subscription:
        """Give one subscription.

        ``Nonsense`` when the reply is about another, or lacks a customer ID or a status.
        """
        ...

    def subscription_log(self, subscription_id: str) -> Iterator[LogEvent]:
        """Give what Billsby recorded about a subscription, in Billsby's order."""
        ...

    def invoice(self, number: str) -> InvoiceDetails:
        """Give an invoice's kind and subscriptions, the only link from the one to the other."""
        ...

    def company_invoices(
        self,
        *,
        query: str | None = None,
        is_pending: bool | None = None,
        is_paid: bool | None = None,
        is_unpaid: bool | None = None,
        is_paid_offline: bool | None = None,
        is_written_off: bool | None = None,
        order_by: str | None = None,
        order_by_descending: str | None = None,
    ) -> Iterator[CompanyInvoice]:
        """Give the company's invoices. There is no filter for those to be written off."""
        ...

    def company_credit_notes(
        self,
        *,
        query: str | None = None,
        is_pending: bool | None = None,
        is_paid: bool | None = None,
        is_failed: bool | None = None,
        order_by: str | None = None,
        order_by_descending: str | None = None,
    ) -> Iterator[CreditNote]:
        """Give the company's credit notes."""
        ...

    def payment_logs(self, customer_id: str, number: str) -> list[PaymentLog]:
        """Give the attempts to take the money of one invoice."""
        ...

    def set_renewal_date(self, subscription_id: str, on: date, *, pause: bool) -> None:
        """Move the next charge to ``on``; with ``pause`` the subscription is Paused until then.

        On that date it bills and is Active again. Whether ``pause=False`` lifts a pause, and how
        far ahead ``on`` may be, is not documented: read back.
        """
        ...

    def write_off(self, invoice_number: str) -> None:
        """Mark an invoice as written off. Its amount becomes 0 and it can't be undone."""
        ...

    def cancel_subscription(self, subscription_id: str, customer_id: str) -> None:
        """Cancel at once and for good; ``customer_id`` must be the owner's, Billsby checks it."""
        ...

    def change_plan(
        self,
        subscription_id: str,
        customer_id: str,
        *,
        plan_id: int,
        cycle_id: int,
        when: PlanChange,
        units: int | None = None,
        add_ons: Mapping[int, int] | None = None,
        allowances: Sequence[int] | None = None,
        issue_refund: bool = False,
    ) -> None:
        """Move a subscription to another plan and billing cycle.

        add_ons: add-on ID to quantity. issue_refund: on an immediate change, credit the unused
        part of the old plan on the first invoice of the new one.
        """
        ...

    def refund(self, customer_id: str, invoice_number: str, amount_minor: int) -> None:
        """Give back ``amount_minor`` of a paid invoice. Not possible while paused."""
        ...

    def reattempt_payment(self, number: str) -> None:
        """Try again to take the money of an invoice."""
        ...

    def mark_paid_offline(self, number: str) -> None:
        """Mark an invoice as paid outside Billsby."""
        ...

    def reattempt_credit_note(self, number: str) -> None:
        """Try again to pay out a credit note."""
        ...
