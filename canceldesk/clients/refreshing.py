"""Bringing the desk's copy of Billsby up to date: everything on a schedule, one client at once
when somebody looks.
"""

from __future__ import annotations

from django.db import transaction

from canceldesk import clock
from canceldesk.billsby import Billsby, BillsbyError
from canceldesk.clients import mirror
from canceldesk.clients.models import Client, OpenInvoice, Refresh, Subscription


def refresh_all(billsby: Billsby) -> Refresh:
    """Read every client and subscription. What went wrong is kept in the result, not raised;
    a client is only marked as gone after a complete reading.
    """
    run = Refresh.objects.create(started_at=clock.now())
    try:
        run.clients = _read_clients(billsby, run)
        _read_subscriptions(billsby)
        _read_open_invoices(billsby)
    except BillsbyError as problem:
        run.problem = str(problem)
    run.ended_at = clock.now()
    run.save()
    return run


def _read_clients(billsby: Billsby, run: Refresh) -> int:
    count = 0
    for customer in billsby.customers():
        mirror.keep_client(customer)
        count += 1
    Client.objects.filter(read_at__lt=run.started_at, gone_at=None).update(gone_at=clock.now())
    return count


def _read_subscriptions(billsby: Billsby) -> None:
    clients = {client.billsby_id: client for client in Client.objects.all()}
    for summary in billsby.subscriptions():
        client = clients.get(summary.customer_id)
        if client is not None:
            mirror.keep_summary(client, summary)


def _read_open_invoices(billsby: Billsby) -> None:
    """There is no filter for "to be written off" (billsby.md 3), so the whole list is read."""
    clients = {client.billsby_id: client for client in Client.objects.all()}
    started_at = clock.now()
    for invoice in billsby.company_invoices():
        client = clients.get(invoice.customer_id)
        if client is not None and invoice.status.blocks:
            mirror.keep_open_invoice(client, invoice)
    OpenInvoice.objects.filter(read_at__lt=started_at).delete()


def refresh_client(billsby: Billsby, client: Client) -> None:
    """Read one client's subscriptions and invoices now. Raises BillsbyError."""
    listed = billsby.customer_subscriptions(client.billsby_id)
    details = [billsby.subscription(found.billsby_id) for found in listed]
    invoices = billsby.customer_invoices(client.billsby_id)
    with transaction.atomic():
        for found in details:
            mirror.keep_subscription(client, found)
        mirror.keep_open_invoices(client, invoices)
        Client.objects.filter(pk=client.pk).update(read_at=clock.now())


def last_refresh() -> Refresh | None:
    """The newest complete refresh."""
    return Refresh.objects.filter(problem="").exclude(ended_at=None).first()


def subscriptions_of(client: Client) -> list[Subscription]:
    """What the copy has of a client's subscriptions, live ones first."""
    return sorted(client.subscriptions.all(), key=lambda s: (s.is_stopped, s.billsby_id))
