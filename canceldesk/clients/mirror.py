"""Keeping the desk's copy of what was just read in Billsby.

On PostgreSQL two writers that lock the same rows in opposite orders end each other. So what goes
through several rows here goes through them in the order of their Billsby IDs or numbers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import TypeVar

from django.db import transaction
from django.db.models import CharField, Model, QuerySet

from canceldesk import clock
from canceldesk.billsby import CompanyInvoice, Customer, Invoice, SubscriptionSummary
from canceldesk.billsby import Subscription as BillsbySubscription
from canceldesk.clients import phones
from canceldesk.clients.models import Client, OpenInvoice, Subscription
from canceldesk.clients.search import search_text
from canceldesk.configuration import services as configuration

AT_ONCE = 500
"""Rows written by one statement."""

_CLIENT_FIELDS = [
    "first_name",
    "last_name",
    "email",
    "phone",
    "phone_e164",
    "phone_digits",
    "search_text",
    "since",
    "read_at",
    "gone_at",
]
_SUMMARY_FIELDS = ["client", "plan_name", "product_name", "status", "status_raw", "read_at"]
_DETAIL_FIELDS = [
    *_SUMMARY_FIELDS,
    "currency",
    "started_at",
    "next_billing_at",
    "next_billing_minor",
    "details_read_at",
]
_INVOICE_FIELDS = [
    "client",
    "amount_minor",
    "currency",
    "status",
    "status_raw",
    "issued_at",
    "read_at",
]

M = TypeVar("M", bound=Model)
T = TypeVar("T")


def keep_client(customer: Customer) -> Client:
    """Store a client as Billsby shows them."""
    keep_clients([customer])
    return Client.objects.get(billsby_id=customer.billsby_id)


def keep_clients(customers: Iterable[Customer]) -> int:
    """Store clients as Billsby shows them, each at most once; how many they were."""
    count = 0
    region = configuration.text("PHONE_REGION")
    for some in _in_batches(customers):
        Client.objects.bulk_create(
            [
                _fitted(_client(customer, region))
                for customer in sorted(some, key=attrgetter("billsby_id"))
            ],
            update_conflicts=True,
            unique_fields=["billsby_id"],
            update_fields=_CLIENT_FIELDS,
        )
        count += len(some)
    return count


def _client(customer: Customer, region: str) -> Client:
    return Client(
        billsby_id=customer.billsby_id,
        first_name=customer.first_name,
        last_name=customer.last_name,
        email=customer.email,
        phone=customer.phone,
        phone_e164=phones.e164(customer.phone, region),
        phone_digits=phones.digits(customer.phone),
        search_text=search_text(customer.name, customer.email, customer.billsby_id),
        since=customer.created_on,
        read_at=clock.now(),
        gone_at=None,
    )


def mark_gone(billsby_ids: Iterable[str]) -> None:
    """Say that these clients are no longer in Billsby."""
    for some in _in_batches(billsby_ids):
        with _locked(Client.objects.filter(billsby_id__in=some), "billsby_id") as gone:
            gone.update(gone_at=clock.now())


def keep_subscription(
    client: Client, found: BillsbySubscription, *, read_at: dt.datetime | None = None
) -> None:
    """Store a subscription's details, as read at a moment, or now."""
    keep_subscriptions(client, [found], read_at=read_at)


def keep_subscriptions(
    client: Client,
    several: Iterable[BillsbySubscription],
    *,
    read_at: dt.datetime | None = None,
) -> None:
    """Store the details of a client's subscriptions, as read at a moment, or now."""
    at = read_at or clock.now()
    once = {found.billsby_id: found for found in several}
    Subscription.objects.bulk_create(
        [_fitted(_subscription(client, once[billsby_id], at)) for billsby_id in sorted(once)],
        update_conflicts=True,
        unique_fields=["billsby_id"],
        update_fields=_DETAIL_FIELDS,
    )


def _subscription(client: Client, found: BillsbySubscription, at: dt.datetime) -> Subscription:
    return Subscription(
        billsby_id=found.billsby_id,
        client=client,
        plan_name=found.plan_name,
        product_name=found.product_name,
        status=found.status.value,
        status_raw=found.status_raw,
        currency=found.currency,
        started_at=found.started_at,
        next_billing_at=found.next_billing_at,
        next_billing_minor=found.next_billing_minor,
        read_at=at,
        details_read_at=at,
    )


def keep_summaries(summaries: Iterable[SubscriptionSummary], clients: dict[str, int]) -> None:
    """Store what the company's list says of subscriptions, leaving what only their details say.

    `clients` goes from Billsby ID to primary key; subscriptions of others are left out.
    """
    for some in _in_batches(one for one in summaries if one.customer_id in clients):
        dated = [one for one in some if one.created_on is not None]
        undated = [one for one in some if one.created_on is None]
        _keep_summaries(dated, clients, [*_SUMMARY_FIELDS, "started_at"])
        _keep_summaries(undated, clients, _SUMMARY_FIELDS)


def _keep_summaries(
    summaries: Collection[SubscriptionSummary], clients: dict[str, int], fields: list[str]
) -> None:
    Subscription.objects.bulk_create(
        [
            _fitted(
                Subscription(
                    billsby_id=found.billsby_id,
                    client_id=clients[found.customer_id],
                    plan_name=found.plan_name,
                    product_name=found.product_name,
                    status=found.status.value,
                    status_raw=found.status_raw,
                    started_at=found.created_on,
                    read_at=clock.now(),
                )
            )
            for found in sorted(summaries, key=attrgetter("billsby_id"))
        ],
        update_conflicts=True,
        unique_fields=["billsby_id"],
        update_fields=fields,
    )


def keep_unlisted(client: Client, listed: Iterable[str]) -> None:
    """Say of the client's subscriptions that Billsby lists no longer that nothing is known."""
    others = client.subscriptions.exclude(billsby_id__in=list(listed))
    with _locked(others, "billsby_id") as unlisted:
        unlisted.update(
            status=Subscription.Status.UNKNOWN,
            status_raw="No longer listed",
            next_billing_at=None,
            next_billing_minor=None,
            read_at=clock.now(),
            details_read_at=clock.now(),
        )


def keep_open_invoices(
    client: Client, invoices: Iterable[Invoice], *, read_at: dt.datetime | None = None
) -> None:
    """Store which of a client's invoices still ask for money, as read at a moment, or now; forget
    the others.
    """
    at = read_at or clock.now()
    standing = {invoice.number: invoice for invoice in invoices if invoice.status.blocks}
    kept = OpenInvoice.objects.filter(client=client)
    if not standing and not kept.exists():  # a transaction would lock SQLite's whole database
        return
    with _locked(kept, "number") as locked:
        _upsert_invoices([_open_invoice(client.pk, one, at) for one in standing.values()])
        locked.exclude(number__in=standing).delete()


def add_open_invoices(invoices: Iterable[CompanyInvoice], clients: dict[str, int]) -> None:
    """Store the company's invoices that still ask for money; forgets none.

    `clients` goes from Billsby ID to primary key; invoices of others are left out.
    """
    standing = (one for one in invoices if one.status.blocks and one.customer_id in clients)
    for some in _in_batches(standing):
        at = clock.now()
        _upsert_invoices([_open_invoice(clients[one.customer_id], one, at) for one in some])


def _open_invoice(
    client_pk: int, invoice: Invoice | CompanyInvoice, at: dt.datetime
) -> OpenInvoice:
    return _fitted(
        OpenInvoice(
            number=invoice.number,
            client_id=client_pk,
            amount_minor=invoice.amount_minor,
            currency=invoice.currency,
            status=invoice.status.value,
            status_raw=invoice.status_raw,
            issued_at=invoice.issued_at,
            read_at=at,
        )
    )


def _upsert_invoices(invoices: list[OpenInvoice]) -> None:
    OpenInvoice.objects.bulk_create(
        sorted(invoices, key=attrgetter("number")),
        update_conflicts=True,
        unique_fields=["number"],
        update_fields=_INVOICE_FIELDS,
    )


@contextmanager
def _locked(rows: QuerySet[M], order: str) -> Iterator[QuerySet[M]]:
    """The rows, locked one after the other in that order, until the block ends."""
    with transaction.atomic(savepoint=False):
        found = rows.order_by(order).select_for_update().values_list("pk", flat=True)
        yield rows.model._default_manager.filter(pk__in=list(found))


def _fitted(row: M) -> M:
    """Shorten what is longer than its column: PostgreSQL would refuse everybody in the statement
    for it. Half an ID would be somebody else's, so an ID is left as it is.
    """
    for name, longest in _lengths(type(row)):
        value = getattr(row, name)
        if len(value) > longest:
            setattr(row, name, value[:longest])
    return row


@lru_cache
def _lengths(model: type[Model]) -> list[tuple[str, int]]:
    return [
        (field.attname, field.max_length)
        for field in model._meta.concrete_fields
        if isinstance(field, CharField) and field.max_length and not field.unique
    ]


def _in_batches(things: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(things)
    while some := list(islice(rest, AT_ONCE)):
        yield some
