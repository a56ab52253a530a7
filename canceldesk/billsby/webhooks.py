"""Reading Billsby's webhooks: nine types, JSON in PascalCase, the raw secret in ``Secret``.

There is no signature and no timestamp, and nothing says that a webhook arrives at all, so a
webhook is a hint to read through the API again, never a fact to act on.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from .bodies import Unreadable, read_json
from .errors import WebhookForged, WebhookUnreadable
from .rows import WebhookRow, read_row

LARGEST_BODY = 100_000
"""Bytes. The documented messages are below 1000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookHint:
    """Where to look again.

    id: Billsby's uuid of the message, to recognise a second delivery. type: for example
    ``SubscriptionUpdated``. status_raw: the status of the subscription, invoice or credit note.
    """

    id: str
    type: str
    customer_id: str | None = None
    subscription_id: str | None = None
    invoice_number: str | None = None
    status_raw: str | None = None


def parse_webhook(headers: Mapping[str, str], body: bytes, secret: str) -> WebhookHint:
    """Check the secret and give what the message hints at.

    headers: names in any case (Billsby's own plugin lower-cases them). secret: the one set in
    the control panel; while it is empty no message is believed.

    Raises WebhookForged when the ``Secret`` header is not ``secret``, WebhookUnreadable when the
    message is not JSON or lacks its type or id.
    """
    if not _is_ours(headers, secret):
        raise WebhookForged("The webhook's Secret header is missing or wrong; it was ignored.")
    if len(body) > LARGEST_BODY:
        raise WebhookUnreadable(f"The webhook is longer than {LARGEST_BODY} bytes; it was ignored.")
    try:
        row = read_row(WebhookRow, read_json(body))
    except Unreadable as problem:
        raise WebhookUnreadable(f"The webhook can't be read ({problem}).") from None
    return WebhookHint(
        id=row.id,
        type=row.type,
        customer_id=row.customer_unique_id or customer_of_invoice(row.invoice_number),
        subscription_id=row.subscription_unique_id,
        invoice_number=row.invoice_number,
        status_raw=row.subscription_status or row.invoice_status or row.status or None,
    )


def customer_of_invoice(number: str | None) -> str | None:
    """Give the customer ID inside an invoice number, ``None`` when there is none.

    An invoice number is the customer ID, ``-`` and a counter (help page "Invoices and credit
    notes"); the invoice webhooks carry no other word of the customer.
    """
    customer_id, dash, counter = (number or "").rpartition("-")
    return customer_id if dash and counter.isdecimal() and customer_id else None


def _is_ours(headers: Mapping[str, str], secret: str) -> bool:
    given = next((value for name, value in headers.items() if name.lower() == "secret"), "")
    return bool(secret) and hmac.compare_digest(given.encode(), secret.encode())
