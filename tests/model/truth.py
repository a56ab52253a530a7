"""What is true, worked out from Billsby's own books, the list's lines and the desk's tables,
without any of the desk's own functions.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

from billsby_sandbox.company import Company
from billsby_sandbox.records import CreditNote, HistoryEntry, Invoice
from canceldesk.cases.models import Case
from canceldesk.closing.models import Facts, Intent
from canceldesk.workbook.protocol import ListedRow, NewRow

ZONE = ZoneInfo("America/New_York")
ASKS_FOR_MONEY = {"Pending", "Unpaid", "ToBeWrittenOff"}
HAS_ENDED = {"Suspended", "Cancelled"}
A_DAY = dt.timedelta(days=1)

Values = tuple[str, str, str, int | None, int | None, str]
"""Name, phone, date, total, months and reason: what a reader of the list can tell rows by."""


def values(row: ListedRow | NewRow | Facts) -> Values:
    """What a reader sees of a row."""
    day = row.cancelled_on.isoformat() if row.cancelled_on else ""
    return (_told(row.name), row.phone, day, row.collected_minor, row.months, _told(row.reason))


def wanted(intent: Intent) -> Values:
    """What a reader would see of the row an intent is about."""
    kept = intent.request
    return (
        _told(kept["name"]),
        kept["phone"],
        kept["cancelled_on"],
        kept["collected_minor"],
        kept["months"],
        _told(kept["reason"]),
    )


def _told(text: str) -> str:
    return " ".join(text.split()).casefold()


def scope(case: Case) -> list[str]:
    """The Billsby IDs of what a case is to stop."""
    return sorted(case.scope.values_list("subscription__billsby_id", flat=True))


def facts_now(company: Company, case: Case, decided_on: dt.date, months_counted: str) -> Values:
    """The row a case should get, from Billsby's books as they are."""
    customer = company.customer(case.client.billsby_id)
    invoices = company.invoices(customer.uid)
    notes = company.books.store.where(CreditNote, "customer_uid = ?", customer.uid)
    collected = [i for i in invoices if i.status in {"Paid", "PaidOffline"}]
    total = sum(i.amount for i in collected) - sum(n.amount for n in notes if n.status != "Failed")
    stops = scope(case)
    started = min(company.subscription(uid).created_at for uid in stops)
    renewals = Counter(i.subscription_uid for i in collected if i.refunded < i.amount)
    paid = max(renewals[uid] for uid in stops)
    words = " ".join(case.reason_words.split())
    phone = customer.phone_number or ""
    return (
        _told(customer.full_name),
        f"({phone[:3]}) {phone[3:6]}-{phone[6:]}",
        decided_on.isoformat(),
        total,
        _months(started.astimezone(ZONE).date(), decided_on, paid, months_counted),
        _told(f"{case.reason.label}: {words}" if words else case.reason.label),
    )


def _months(start: dt.date, end: dt.date, paid: int, counted: str) -> int:
    if counted == "paid":
        return paid
    passed = (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)
    return passed + 1 if counted == "started" else passed


def is_stopped(company: Company, case: Case, uid: str, *, is_pausing_enough: bool) -> bool:
    """Whether a subscription is where the case's decision wants it."""
    subscription = company.subscription(uid)
    if case.decision == "cancel":
        return subscription.status == "Cancelled"
    if subscription.status in HAS_ENDED:
        return True
    is_far = subscription.next_billing_at > company.now() + A_DAY
    return is_pausing_enough and subscription.status == "Paused" and is_far


def collectable(company: Company, case: Case) -> list[Invoice]:
    """The invoices that ask for money for what a case stops: those that name it, and, of a
    client who keeps nothing else, those that name nothing.
    """
    mine = scope(case)
    stays = [
        s
        for s in company.subscriptions(case.client.billsby_id)
        if s.uid not in mine and s.status not in HAS_ENDED
    ]
    return [
        invoice
        for invoice in company.invoices(case.client.billsby_id)
        if invoice.status in ASKS_FOR_MONEY
        and (invoice.subscription_uid in mine or (invoice.subscription_uid is None and not stays))
    ]


def before(entry: HistoryEntry) -> dict[str, Any]:
    """The record as it was before an entry of Billsby's history."""
    return json.loads(entry.before) if entry.before else {}


def after(entry: HistoryEntry) -> dict[str, Any]:
    """The record as an entry of Billsby's history left it."""
    return json.loads(entry.after) if entry.after else {}


def billed_next(record: dict[str, Any]) -> dt.datetime:
    """A subscription's next charge, of a record in the history."""
    return dt.datetime.fromisoformat(record["next_billing_at"])
