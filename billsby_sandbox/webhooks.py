"""The nine webhooks (billsby.md section 4), their outbox, and the one who sends them.

Retries, order and loss are undocumented: some are quirks; the number of tries is fixed here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import httpx

from billsby_sandbox import times
from billsby_sandbox.records import CreditNote, Customer, Invoice, Subscription, Webhook

if TYPE_CHECKING:
    from billsby_sandbox.books import Books, Thing

MAX_ATTEMPTS = 4
RETRY_MINUTES = 1
SEND_SECONDS = 5.0
_OK = range(200, 300)


class Sender(Protocol):
    """Posts one webhook. Gives the HTTP status, or 0 when nobody answered."""

    def __call__(self, url: str, headers: Mapping[str, str], body: str) -> int:
        """Post `body`, JSON text, to `url`."""
        ...


@lru_cache(maxsize=1)
def _client() -> httpx.Client:
    # Making one costs more than sending: it reads every certificate of the machine.
    return httpx.Client(timeout=SEND_SECONDS, trust_env=False)


def post(url: str, headers: Mapping[str, str], body: str) -> int:
    """Post a webhook over the network; 0 when nobody answered."""
    try:
        reply = _client().post(
            url, headers={**headers, "Content-Type": "application/json"}, content=body
        )
    except (httpx.HTTPError, httpx.InvalidURL):
        return 0
    return reply.status_code


def written(books: Books, event: str, thing: Thing) -> tuple[str, dict[str, object]]:
    """The type and the JSON body of the webhook for a change, with Billsby's field names."""
    if isinstance(thing, Customer):
        kind, fields = "Customer", _customer(books, thing)
    elif isinstance(thing, Subscription):
        kind, fields = "Subscription", _subscription(books, event, thing)
    elif isinstance(thing, Invoice):
        kind, fields = "Invoice", _invoice(books, thing)
    else:
        kind, fields = "CreditNote", _credit_note(books, event, thing)
    type_ = f"{kind}{event}"
    return type_, {**fields, "Type": type_, "Id": str(uuid.uuid4())}


def _customer(books: Books, customer: Customer) -> dict[str, object]:
    return {
        "CustomerUniqueId": customer.uid,
        "Email": customer.email,
        "LastName": customer.last_name,
        "FirstName": customer.first_name,
        "SubscriptionIds": [one.uid for one in books.subscriptions_of(customer.uid)],
    }


def _subscription(books: Books, event: str, subscription: Subscription) -> dict[str, object]:
    cycle = books.cycle(subscription.cycle_id)
    fields: dict[str, object] = {
        "SubscriptionUniqueId": subscription.uid,
        "CustomerUniqueId": subscription.customer_uid,
        "SubscriptionStatus": books.spelled(subscription.status),
        "BillsbyProductId": cycle.product_id,
        "BillsbyPlanId": cycle.plan_id,
        "BillsbyCycleId": cycle.id,
        "Units": subscription.units,
    }
    if event == "Updated":
        fields["NextBillingDate"] = times.in_detail(subscription.next_billing_at)
    return fields


def _invoice(books: Books, invoice: Invoice) -> dict[str, object]:
    return {
        "InvoiceNumber": invoice.number,
        "InvoiceAmount": invoice.amount,
        "CurrencyCode": invoice.currency,
        "InvoiceStatus": books.spelled(invoice.status),
        "Url": f"https://app.billsby.com/invoice/{invoice.number}",
    }


def _credit_note(books: Books, event: str, note: CreditNote) -> dict[str, object]:
    fields: dict[str, object] = {
        "InvoiceNumber": note.number,
        "CustomerId": books.owner(note).id,
        "CurrencyCode": note.currency,
        "Amount": note.amount,
        "Status": books.spelled(note.status),
        "Url": f"https://app.billsby.com/invoice/{note.number}",
    }
    if event == "Created":
        fields["CustomerUniqueId"] = note.customer_uid
    return fields


def is_lost(webhook_id: int, percent: int) -> bool:
    """Whether the loss quirk swallows this webhook; the same webhook always fares the same."""
    return hashlib.sha256(str(webhook_id).encode()).digest()[0] * 100 < percent * 256


def deliver_due(books: Books, url: str, secret: str, sender: Sender) -> int:
    """Send what waits and is due; the number of webhooks that arrived.

    A webhook that is not answered with 2xx is tried again after a growing pause, then given up.
    The store is not locked while a webhook is on its way.
    """
    direction = "DESC" if books.quirk("webhook_order") == "newest_first" else "ASC"
    due = books.store.where(
        Webhook,
        "state = 'waiting' AND next_try_at <= ?",
        books.now(),
        tail=f"ORDER BY id {direction}",
    )
    arrived = 0
    for webhook in due:
        answer = sender(url, {"Secret": secret}, webhook.body)
        _settle(books, webhook, arrived=answer in _OK)
        arrived += answer in _OK
    return arrived


def _settle(books: Books, webhook: Webhook, *, arrived: bool) -> None:
    attempts = webhook.attempts + 1
    if arrived:
        books.store.change(Webhook, webhook.id, state="sent", attempts=attempts)
    elif attempts >= MAX_ATTEMPTS:
        books.store.change(Webhook, webhook.id, state="given_up", attempts=attempts)
    else:
        pause = dt.timedelta(minutes=RETRY_MINUTES * 2 ** (attempts - 1))
        books.store.change(Webhook, webhook.id, attempts=attempts, next_try_at=books.now() + pause)


def as_dict(webhook: Webhook) -> dict[str, object]:
    """A webhook for the practice calls."""
    return {
        "id": webhook.id,
        "type": webhook.type,
        "state": webhook.state,
        "attempts": webhook.attempts,
        "body": json.loads(webhook.body),
    }
