"""Laying a plan's clients out at the practice Billsby, before it is started."""

from __future__ import annotations

import datetime as dt

from billsby_sandbox import billing, changes
from billsby_sandbox.company import Company
from billsby_sandbox.records import Cycle, Invoice, Subscription
from billsby_sandbox.words import Actor, InvoiceStatus, SubscriptionStatus
from tests.chaos.clientele import PLANS, PlannedClient, PlannedInvoice, PlannedSubscription
from tests.chaos.interfaces import SeededClient, SeededInvoice, SeededSubscription
from tests.chaos.plan import Plan

BANK_DEBIT_DAYS = 14
DUNNING_DAYS = 3
OWED = (InvoiceStatus.UNPAID, InvoiceStatus.PENDING, InvoiceStatus.TO_BE_WRITTEN_OFF)


def fill(company: Company, plan: Plan) -> list[SeededClient]:
    """Lay out every client of the plan, with their past, and set the plan's quirks.

    No webhook tells of it, and nothing of what is open is collected before the company's clock
    has moved by days.
    """
    for name, value in plan.quirks.items():
        company.set_quirk(name, value)
    with company.transaction(), company.books.laying_out(company.now()):
        cycles = {name: company.add_plan(name, amount=amount) for name, amount in PLANS.items()}
        return [_lay_out(company, client, cycles) for client in plan.clients]


def _lay_out(company: Company, client: PlannedClient, cycles: dict[str, Cycle]) -> SeededClient:
    now = company.now()
    oldest = max(service.days_old for service in client.subscriptions)
    company.add_customer(
        client.first_name,
        client.last_name,
        email=client.email,
        phone_number=client.phone,
        dial_code=client.dial_code,
        dial_country=client.dial_country,
        card_good=client.card_good,
        created_at=now - dt.timedelta(days=oldest),
        uid=client.id,
    )
    services = [_subscribe(company, client, one, cycles) for one in client.subscriptions]
    billed = sorted(client.invoices, key=lambda invoice: -invoice.days_ago)
    invoices = [_bill(company, client, invoice, services) for invoice in billed]
    return SeededClient(
        id=client.id,
        first_name=client.first_name,
        last_name=client.last_name,
        email=client.email,
        phone=client.phone or "",
        kind=client.kind,
        subscriptions=tuple(
            SeededSubscription(
                one.uid, planned.plan, planned.amount, one.next_billing_at.isoformat()
            )
            for one, planned in zip(services, client.subscriptions, strict=True)
        ),
        invoices=tuple(
            SeededInvoice(one.number, one.amount, one.status.value, one.subscription_uid or "")
            for one in invoices
            if one.status in OWED
        ),
    )


def _subscribe(
    company: Company, client: PlannedClient, planned: PlannedSubscription, cycles: dict[str, Cycle]
) -> Subscription:
    now = company.now()
    return company.add_subscription(
        client.id,
        cycles[planned.plan],
        status=SubscriptionStatus(planned.status),
        created_at=now - dt.timedelta(days=planned.days_old),
        next_billing_at=now + dt.timedelta(days=planned.next_in_days),
        uid=planned.id,
    )


def _bill(
    company: Company, client: PlannedClient, planned: PlannedInvoice, services: list[Subscription]
) -> Invoice:
    at = company.now() - dt.timedelta(days=planned.days_ago)
    made = company.add_invoice(
        client.id,
        planned.amount,
        planned.status,
        subscription_uid=None if planned.of is None else services[planned.of].uid,
        created_at=at,
        due_at=_due(company, planned),
    )
    if made.status is InvoiceStatus.PENDING:
        # A bank debit takes days to clear; any other would be paid in the next five minutes.
        due = company.now() + dt.timedelta(days=BANK_DEBIT_DAYS)
        made = company.books.store.change(Invoice, made.id, due_at=due)
    if planned.refunded:
        _give_back(company, made, planned.refunded, at + dt.timedelta(hours=3))
    return made


def _due(company: Company, planned: PlannedInvoice) -> dt.datetime | None:
    """Dunning goes on by itself with what is owed for a subscription."""
    if planned.of is None or planned.status not in {"Unpaid", "ToBeWrittenOff"}:
        return None
    return company.now() + dt.timedelta(days=DUNNING_DAYS)


def _give_back(company: Company, invoice: Invoice, amount: int, at: dt.datetime) -> None:
    with company.books.laying_out(at):
        note = changes.refund(
            company.books, Actor.PANEL, invoice.customer_uid, invoice.number, amount
        )
        billing.pay_out(company.books, Actor.BILLING, note, at)
