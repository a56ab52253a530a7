"""Billsby's API over HTTP. The facts about each call are from the published API description."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Self

import httpx

from .bodies import read_json, says_success
from .calls import Caller, about_another
from .customer_rows import (
    CustomerDetailsRow,
    CustomerRow,
    CustomerSubscriptionRow,
    LogEventRow,
    SubscriptionRow,
    SubscriptionSummaryRow,
)
from .errors import Refused
from .exchange import Call, Exchange, checked_id, path_of
from .invoice_rows import (
    CompanyCreditNoteRow,
    CompanyInvoiceRow,
    CustomerCreditNoteRow,
    InvoiceDetailsRow,
    InvoiceRow,
    PaymentLogRow,
    RefundRow,
)
from .rows import read_row
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

BASE_URL = "https://public.billsby.com/api/v1/rest/core"
"""Where the published API description says the API is."""

BURST = 4
"""Calls that may go at once after a quiet time."""


class HttpBillsby:
    """One company's Billsby, spoken to over HTTP: the real :class:`~.protocol.Billsby`.

    base_url: where the API is. company_domain: the company's subdomain ("widgets" of
    widgets.billsby.com). api_key: a secret; it shows in no repr, log or error.
    rate_per_second: the desk's own limit for this client, all threads together. timeout: seconds
    to wait for one answer; with repeats a call lasts up to 40. transport, sleep, monotonic,
    now: put in place of the real ones by tests. What each call takes and gives is said in
    :class:`~.protocol.Billsby`.

    ``GET customers/{id}/paymentdetailsrequest`` is left out on purpose: it writes to the client.

    Raises ValueError for a key or an address that can't be one.
    """

    def __init__(
        self,
        *,
        base_url: str = BASE_URL,
        company_domain: str,
        api_key: str,
        rate_per_second: float = 4.0,
        timeout: float = 15.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._company = company_domain
        self._exchange = Exchange(
            base_url=base_url,
            api_key=api_key,
            rate_per_second=rate_per_second,
            burst=BURST,
            timeout=timeout,
            transport=transport,
            sleep=sleep,
            monotonic=monotonic,
            now=now,
        )
        self._call = Caller(self._exchange)

    def __repr__(self) -> str:
        return f"HttpBillsby({self._exchange.base_url!r}, {self._company!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    def customers(self, search: str | None = None) -> Iterator[Customer]:
        """Give all customers, or those whose name contains ``search``."""
        rows = self._call.pages(
            self._path("customers"),
            CustomerRow,
            "list the customers",
            key=lambda row: row.customer_unique_id,
            filters={"search": search},
        )
        return (row.value() for row in rows)

    def customer(self, customer_id: str) -> CustomerDetails:
        """Give one customer."""
        doing = f"show customer {customer_id}"
        row = self._call.one(self._path("customers", customer_id), CustomerDetailsRow, doing)
        if row.customer_unique_id != customer_id:
            raise about_another(doing)
        return row.value()

    def customer_subscriptions(self, customer_id: str) -> list[CustomerSubscription]:
        """Give one customer's subscriptions."""
        doing = f"list the subscriptions of customer {customer_id}"
        path = self._path("customers", customer_id, "subscriptions")
        rows = self._call.rows(path, CustomerSubscriptionRow, doing)
        if any(row.customer_unique_id not in (None, customer_id) for row in rows):
            raise about_another(doing)
        return [row.value() for row in rows]

    def customer_invoices(self, customer_id: str) -> list[Invoice]:
        """Give one customer's invoices."""
        doing = f"list the invoices of customer {customer_id}"
        rows = self._call.rows(self._path("customers", customer_id, "invoices"), InvoiceRow, doing)
        if any(row.customer_unique_id not in (None, customer_id) for row in rows):
            raise about_another(doing)
        return [row.value() for row in rows]

    def customer_credit_notes(self, customer_id: str) -> list[CreditNote]:
        """Give one customer's credit notes."""
        doing = f"list the credit notes of customer {customer_id}"
        path = self._path("customers", customer_id, "creditNotes")
        rows = self._call.rows(path, CustomerCreditNoteRow, doing)
        if any(row.customer_unique_id not in (None, customer_id) for row in rows):
            raise about_another(doing)
        return [row.value(customer_id) for row in rows]

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
        """Give the company's subscriptions."""
        rows = self._call.pages(
            self._path("subscriptions"),
            SubscriptionSummaryRow,
            "list the subscriptions",
            key=lambda row: row.subscription_unique_id,
            filters={
                "isActive": is_active,
                "isInFreeTrial": is_in_free_trial,
                "productName": product_name,
                "planName": plan_name,
                "orderBy": order_by,
                "orderByDescending": order_by_descending,
            },
        )
        return (row.value() for row in rows)

    def subscription(self, subscription_id: str) -> Subscription:
        """Give one subscription."""
        doing = f"show subscription {subscription_id}"
        row = self._call.one(self._path("subscriptions", subscription_id), SubscriptionRow, doing)
        if row.subscription_unique_id != subscription_id:
            raise about_another(doing)
        return row.value()

    def subscription_log(self, subscription_id: str) -> Iterator[LogEvent]:
        """Give what Billsby recorded about a subscription."""
        rows = self._call.pages(
            self._path("subscriptions", subscription_id, "logs"),
            LogEventRow,
            f"show the event log of subscription {subscription_id}",
            key=lambda row: row.subscription_event_log_id or row.model_dump_json(),
        )
        return (row.value() for row in rows)

    def invoice(self, number: str) -> InvoiceDetails:
        """Give an invoice's kind and subscriptions."""
        doing = f"show invoice {number}"
        # The one call whose path does not begin with the company's domain.
        row = self._call.one(path_of("invoices", number), InvoiceDetailsRow, doing)
        if row.invoice_number != number:
            raise about_another(doing)
        return row.value()

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
        """Give the company's invoices."""
        rows = self._call.pages(
            self._path("companies", "invoices"),
            CompanyInvoiceRow,
            "list the company's invoices",
            key=lambda row: row.invoice_number,
            filters={
                "query": query,
                "isPending": is_pending,
                "isPaid": is_paid,
                "isUnpaid": is_unpaid,
                "isPaidOffline": is_paid_offline,
                "isWrittenOff": is_written_off,
                "orderBy": order_by,
                "orderByDescending": order_by_descending,
            },
        )
        return (row.value() for row in rows)

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
        rows = self._call.pages(
            self._path("companies", "creditnotes"),
            CompanyCreditNoteRow,
            "list the company's credit notes",
            key=lambda row: row.credit_note_unique_id,
            filters={
                "query": query,
                "isPending": is_pending,
                "isPaid": is_paid,
                "isFailed": is_failed,
                "orderBy": order_by,
                "orderByDescending": order_by_descending,
            },
        )
        return (row.value() for row in rows)

    def payment_logs(self, customer_id: str, number: str) -> list[PaymentLog]:
        """Give the attempts to take the money of one invoice."""
        path = self._path("customers", customer_id, "invoices", number, "paymentlogs")
        rows = self._call.rows(path, PaymentLogRow, f"show the payments of invoice {number}")
        return [row.value() for row in rows]

    def set_renewal_date(self, subscription_id: str, on: date, *, pause: bool) -> None:
        """Move the next charge to ``on``, paused until then or not."""
        self._put(
            self._path("subscriptions", subscription_id, "renewaldate"),
            f"move the next charge of subscription {subscription_id}",
            {"pauseSubscription": pause, "newRenewalDate": on.isoformat()},
        )

    def write_off(self, invoice_number: str) -> None:
        """Mark an invoice as written off."""
        self._put(
            self._path("invoices", invoice_number, "WrittenOff"),
            f"write off invoice {invoice_number}",
        )

    def cancel_subscription(self, subscription_id: str, customer_id: str) -> None:
        """Cancel at once and for good."""
        self._call.write(
            Call(
                method="DELETE",
                path=self._path("subscriptions", subscription_id),
                doing=f"cancel subscription {subscription_id}",
                query={"customerUniqueId": checked_id(customer_id)},
            )
        )

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
        """Move a subscription to another plan and billing cycle."""
        body: dict[str, Any] = {
            "planId": plan_id,
            "cycleId": cycle_id,
            "customerUniqueId": checked_id(customer_id),
            "planChangeType": int(when),
            "issueRefund": issue_refund,
        }
        if units is not None:
            body["units"] = units
        if add_ons is not None:
            body["addOns"] = [
                {"addOnId": add_on, "quantity": quantity} for add_on, quantity in add_ons.items()
            ]
        if allowances is not None:
            body["allowances"] = list(allowances)
        path = self._path("subscriptions", subscription_id, "plan")
        self._put(path, f"change the plan of subscription {subscription_id}", body)

    def refund(self, customer_id: str, invoice_number: str, amount_minor: int) -> None:
        """Give back ``amount_minor`` of a paid invoice."""
        if amount_minor <= 0:
            raise Refused("A refund must be above zero. Nothing was sent; check the amount.")

        def confirms(body: bytes) -> bool:
            if says_success(body):
                return True
            row = read_row(RefundRow, read_json(body))
            return (row.invoice_number, row.amount) == (invoice_number, amount_minor)

        self._call.write(
            Call(
                method="POST",
                path=self._path("customers", customer_id, "refunds"),
                doing=f"refund invoice {invoice_number}",
                body={"invoiceNumber": checked_id(invoice_number), "amount": amount_minor},
            ),
            confirms=confirms,
        )

    def reattempt_payment(self, number: str) -> None:
        """Try again to take the money of an invoice."""
        self._put(
            self._path("invoices", number, "Payment"), f"take the money of invoice {number} again"
        )

    def mark_paid_offline(self, number: str) -> None:
        """Mark an invoice as paid outside Billsby."""
        self._put(
            self._path("invoices", number, "PaidOffline"), f"mark invoice {number} as paid offline"
        )

    def reattempt_credit_note(self, number: str) -> None:
        """Try again to pay out a credit note."""
        self._put(
            self._path("creditNotes", number, "Payment"), f"pay out credit note {number} again"
        )

    def _path(self, *segments: str) -> str:
        return path_of(self._company, *segments)

    def _put(self, path: str, doing: str, body: Mapping[str, Any] | None = None) -> None:
        self._call.write(Call(method="PUT", path=path, doing=doing, body=body))
