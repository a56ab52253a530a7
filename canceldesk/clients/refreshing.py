"""Bringing the desk's copy of Billsby up to date: everything on a schedule, one client at once
when somebody looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import structlog
from django.db.models import QuerySet

from canceldesk import clock
from canceldesk.billsby import (
    Billsby,
    BillsbyError,
    CustomerDetails,
    Invoice,
    Nonsense,
    NotFound,
    Refused,
)
from canceldesk.billsby import Subscription as BillsbySubscription
from canceldesk.clients import mirror, witnesses
from canceldesk.clients.models import Client, OpenInvoice, Refresh, Subscription

MOST_LOOKED_UP = 20
NOT_STORED = (
    "What Billsby says of the clients could not be stored, because of a fault of the desk's own or "
    "of its database. The desk tries again by itself; if it stays so, look at the worker's log."
)

logger = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Reading:
    """What Billsby says of one client at one moment."""

    customer: CustomerDetails
    subscriptions: tuple[BillsbySubscription, ...]
    invoices: tuple[Invoice, ...]


def refresh_all(billsby: Billsby) -> Refresh:
    """Read every client and subscription. What went wrong is kept in the result, not raised;
    a client is only marked as gone after a complete reading.
    """
    run = Refresh.objects.create(started_at=clock.now())
    try:
        run.clients = _read_clients(billsby)
        clients = dict(Client.objects.values_list("billsby_id", "pk"))
        mirror.keep_summaries(billsby.subscriptions(), clients)
        _read_open_invoices(billsby, clients)
    except BillsbyError as problem:
        run.problem = str(problem)
    except Exception:
        logger.exception("refresh_broke")
        run.problem = NOT_STORED
    run.ended_at = clock.now()
    run.save()
    return run


def _read_clients(billsby: Billsby) -> int:
    """Told by who is listed and who is not, never by the clock: it may be set back meanwhile."""
    known = set(Client.objects.filter(gone_at=None).values_list("billsby_id", flat=True))
    listed: set[str] = set()
    ours = witnesses.of_this_company(billsby.customers(), known)
    count = mirror.keep_clients(_noted(one, one.billsby_id, listed) for one in ours)
    mirror.mark_gone(known - listed)
    return count


def _noted(thing: T, name: str, names: set[str]) -> T:
    names.add(name)
    return thing


def _read_open_invoices(billsby: Billsby, clients: dict[str, int]) -> None:
    """Ask for what is unpaid and pending; reading every invoice there ever was would take a
    large company's whole allowance of calls. There is no filter for "to be written off"
    (billsby.md 3), so an invoice that is no longer among them is looked up at its client before
    it is forgotten.
    """
    known = dict(OpenInvoice.objects.values_list("number", "client_id"))
    listed: set[str] = set()
    for found in (
        billsby.company_invoices(is_unpaid=True),
        billsby.company_invoices(is_pending=True),
    ):
        mirror.add_open_invoices((_noted(one, one.number, listed) for one in found), clients)
    missing = {client for number, client in known.items() if number not in listed}
    for pk in sorted(missing):
        client = Client.objects.get(pk=pk)
        try:
            mirror.keep_open_invoices(client, billsby.customer_invoices(client.billsby_id))
        except NotFound:
            mirror.keep_open_invoices(client, [])


def refresh_client(billsby: Billsby, client: Client) -> None:
    """Read one client now. Raises BillsbyError; then nothing has changed."""
    keep(client, read(billsby, client.billsby_id))


def read(billsby: Billsby, billsby_id: str) -> Reading:
    """Ask Billsby for everything about one client; touches no database. Raises BillsbyError,
    of which Nonsense when a subscription is said to belong to somebody else.
    """
    customer = billsby.customer(billsby_id)
    listed = billsby.customer_subscriptions(billsby_id)
    subscriptions = tuple(billsby.subscription(found.billsby_id) for found in listed)
    strange = next((one for one in subscriptions if one.customer_id != billsby_id), None)
    if strange is not None:
        raise Nonsense(
            f"Billsby lists {strange.billsby_id} under {billsby_id} but says it belongs to "
            f"{strange.customer_id}. Nothing was changed; check the client in Billsby."
        )
    return Reading(customer, subscriptions, tuple(billsby.customer_invoices(billsby_id)))


def keep(client: Client, reading: Reading) -> None:
    """Store what was read of one client; `client` itself is brought up to date too.

    Not in one transaction: whoever keeps the locks of one statement while asking for those of the
    next may wait for a refresh that waits for it.
    """
    mirror.keep_clients([reading.customer])
    mirror.keep_subscriptions(client, reading.subscriptions)
    mirror.keep_unlisted(client, [found.billsby_id for found in reading.subscriptions])
    mirror.keep_open_invoices(client, reading.invoices)
    client.refresh_from_db()


def look_up(billsby: Billsby, query: str) -> int:
    """Ask Billsby for somebody the copy does not know yet, by name or Billsby ID, and keep who
    is found; how many they were. Raises BillsbyError.
    """
    found = list(islice(billsby.customers(search=query), MOST_LOOKED_UP))
    if " " not in query.strip() and not found:
        try:
            found = [billsby.customer(query.strip())]
        except (NotFound, Refused):
            return 0
    return mirror.keep_clients(found)


def newest_refresh() -> Refresh | None:
    """The refresh that began last, whatever came of it."""
    return _newest_first().first()


def last_refresh() -> Refresh | None:
    """The newest complete refresh."""
    return _newest_first().filter(problem="").exclude(ended_at=None).first()


def _newest_first() -> QuerySet[Refresh]:
    # Not by when they began: one that was stamped by a clock ahead would be the newest for good.
    return Refresh.objects.order_by("-pk")


def subscriptions_of(client: Client) -> list[Subscription]:
    """What the copy has of a client's subscriptions, live ones first."""
    return sorted(client.subscriptions.all(), key=lambda s: (s.is_stopped, s.billsby_id))
