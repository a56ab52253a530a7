"""Invoices and credit notes as Billsby's JSON has them, and the values made of them."""

from .rows import Row
from .scalars import Amount, Id, Minor, OptionalId, Text, Time
from .statuses import CreditNoteStatus, InvoiceKind, InvoiceStatus
from .values import CompanyInvoice, CreditNote, Invoice, InvoiceDetails, PaymentLog


class InvoiceRow(Row):
    """A row of GET customers/{id}/invoices."""

    invoice_number: Id
    customer_unique_id: OptionalId = None
    amount: Amount
    refundable_amount: Minor = None
    currency: Text = ""
    status: Text = ""
    created_on: Time = None

    def value(self) -> Invoice:
        """Give the invoice."""
        return Invoice(
            number=self.invoice_number,
            amount_minor=self.amount,
            refundable_minor=self.refundable_amount,
            currency=self.currency.upper(),
            status=InvoiceStatus.parse(self.status),
            status_raw=self.status,
            issued_at=self.created_on,
        )


class InvoiceDetailsSubscriptionRow(Row):
    """One of the subscriptions an invoice is for."""

    subscription_unique_id: Id


class InvoiceDetailsRow(Row):
    """The reply of GET invoices/{number}; its ``status`` is left aside, see InvoiceDetails."""

    invoice_number: Id
    customer_unique_id: OptionalId = None
    invoice_type: Text = ""
    subscriptions: list[InvoiceDetailsSubscriptionRow] | None = None

    def value(self) -> InvoiceDetails:
        """Give the invoice."""
        return InvoiceDetails(
            number=self.invoice_number,
            customer_id=self.customer_unique_id or "",
            kind=InvoiceKind.parse(self.invoice_type),
            subscription_ids=[row.subscription_unique_id for row in self.subscriptions or []],
        )


class CompanyInvoiceRow(Row):
    """A row of GET companies/invoices."""

    invoice_number: Id
    customer_unique_id: Id
    customer_full_name: Text = ""
    amount: Amount
    currency: Text = ""
    status: Text = ""
    created_on: Time = None

    def value(self) -> CompanyInvoice:
        """Give the invoice."""
        return CompanyInvoice(
            number=self.invoice_number,
            customer_id=self.customer_unique_id,
            customer_name=self.customer_full_name,
            amount_minor=self.amount,
            currency=self.currency.upper(),
            status=InvoiceStatus.parse(self.status),
            status_raw=self.status,
            issued_at=self.created_on,
        )


class CustomerCreditNoteRow(Row):
    """A row of GET customers/{id}/creditNotes, which numbers it ``invoiceNumber``."""

    invoice_number: Id
    customer_unique_id: OptionalId = None
    amount: Amount
    currency: Text = ""
    status: Text = ""
    created_on: Time = None

    def value(self, customer_id: str) -> CreditNote:
        """Give the credit note of the customer who was asked for."""
        return CreditNote(
            number=self.invoice_number,
            customer_id=customer_id,
            amount_minor=self.amount,
            currency=self.currency.upper(),
            status=CreditNoteStatus.parse(self.status),
            status_raw=self.status,
            created_on=self.created_on,
        )


class CompanyCreditNoteRow(Row):
    """A row of GET companies/creditnotes, which numbers it ``creditNoteUniqueId``."""

    credit_note_unique_id: Id
    customer_unique_id: Id
    amount: Amount
    currency: Text = ""
    status: Text = ""
    created_on: Time = None

    def value(self) -> CreditNote:
        """Give the credit note."""
        return CreditNote(
            number=self.credit_note_unique_id,
            customer_id=self.customer_unique_id,
            amount_minor=self.amount,
            currency=self.currency.upper(),
            status=CreditNoteStatus.parse(self.status),
            status_raw=self.status,
            created_on=self.created_on,
        )


class PaymentLogRow(Row):
    """A row of GET customers/{id}/invoices/{number}/paymentlogs."""

    payment_log_id: Text = ""
    created_on: Time = None
    gateway_name: Text = ""
    reference: Text = ""
    payment_method: Text = ""
    status: Text = ""

    def value(self) -> PaymentLog:
        """Give the attempt."""
        return PaymentLog(
            billsby_id=self.payment_log_id,
            created_on=self.created_on,
            gateway=self.gateway_name,
            reference=self.reference,
            payment_method=self.payment_method,
            status_raw=self.status,
        )


class RefundRow(Row):
    """The reply of POST customers/{id}/refunds."""

    invoice_number: Id
    amount: Amount
