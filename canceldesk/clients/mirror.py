"""Keeping the desk's copy of what was just read in Billsby."""

from __future__ import annotations

from collections.abc import Iterable

from canceldesk import clock
from canceldesk.billsby import (
    CompanyInvoice,
    Customer,
    CustomerSubscription,
    Invoice,
    SubscriptionSummary,
)
from canceldesk.billsby import Subscription as BillsbySubscription
from canceldesk.clients import phones
from canceldesk.clients.models import Client, OpenInvoice, Subscription
from canceldesk.configuration import services as configuration


def keep_client(customer: Customer) -> Client:
    """Store a client as Billsby shows them."""
    name = f"{customer.first_name} {customer.last_name}"
    client, _ = Client.objects.update_or_create(
        billsby_id=customer.billsby_id,
        defaults={
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "email": customer.email,
            "phone": customer.phone,
            "phone_e164": phones.e164(customer.phone, configuration.text("PHONE_REGION")),
            "phone_digits": phones.digits(customer.phone),
            "search_text": " ".join(
                f"{name} {customer.email} {customer.billsby_id}".casefold().split()
            ),
            "since": customer.created_on,
            "read_at": clock.now(),
            "gone_at": None,
        },
    )
    return client


def keep_subscription(client: Client, found: BillsbySubscription) -> Subscription:
    """Store a subscription's details."""
    subscription, _ = Subscription.objects.update_or_create(
        billsby_id=found.billsby_id,
        defaults={
            "client": client,
            "plan_name": found.plan_name,
            "product_name": found.product_name,
            "status": found.status.value,
            "status_raw": found.status_raw,
            "currency": found.currency,
            "started_at": found.started_at,
            "next_billing_at": found.next_billing_at,
            "next_billing_minor": found.next_billing_minor,
            "read_at": clock.now(),
        },
    )
    return subscription


def keep_summary(client: Client, found: SubscriptionSummary | CustomerSubscription) -> Subscription:
    """Store what a list says of a subscription, leaving what only its details say."""
    values: dict[str, object] = {
        "client": client,
        "plan_name": found.plan_name,
        "product_name": found.product_name,
        "status": found.status.value,
        "status_raw": found.status_raw,
        "read_at": clock.now(),
    }
    if isinstance(found, CustomerSubscription):
        values |= {"next_billing_at": found.next_billing_at, "currency": found.currency}
        started_at = found.started_at
    else:
        started_at = found.created_on
    if started_at is not None:
        values["started_at"] = started_at
    subscription, _ = Subscription.objects.update_or_create(
        billsby_id=found.billsby_id, defaults=values
    )
    return subscription


def keep_open_invoices(client: Client, invoices: Iterable[Invoice]) -> None:
    """Store which of a client's invoices still ask for money; forget the others."""
    standing = [invoice for invoice in invoices if invoice.status.blocks]
    for invoice in standing:
        keep_open_invoice(client, invoice)
    numbers = [invoice.number for invoice in standing]
    OpenInvoice.objects.filter(client=client).exclude(number__in=numbers).delete()


def keep_open_invoice(client: Client, invoice: Invoice | CompanyInvoice) -> None:
    """Store one invoice that still asks for money."""
    OpenInvoice.objects.update_or_create(
        number=invoice.number,
        defaults={
            "client": client,
            "amount_minor": invoice.amount_minor,
            "currency": invoice.currency,
            "status": invoice.status.value,
            "status_raw": invoice.status_raw,
            "issued_at": invoice.issued_at,
            "read_at": clock.now(),
        },
    )
