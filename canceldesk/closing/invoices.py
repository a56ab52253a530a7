"""Which invoices block a stop, whose they are, and who has approved writing them off.

Billsby blocks per customer (billsby.md 2.3), but an invoice of a subscription that stays is the
client's debt for a service they keep: it is never written off by a case about another one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q, QuerySet

from canceldesk import clock
from canceldesk.billsby import Invoice, InvoiceStatus
from canceldesk.cases.models import Case
from canceldesk.closing.models import SETTLES_IN, Intent, WriteOffApproval
from canceldesk.closing.work import Work


class Belongs(StrEnum):
    """Whose a blocking invoice is."""

    IN_SCOPE = "in_scope"
    STAYS = "stays"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Blocking:
    """An invoice that asks for money, as Billsby shows it now."""

    invoice: Invoice
    belongs: Belongs
    subscription_ids: tuple[str, ...]


def blocking(work: Work) -> list[Blocking]:
    """The client's invoices that still ask for money, with whose they are."""
    mine = {scope.subscription.billsby_id for scope in work.scope}
    staying = {subscription.billsby_id for subscription in work.staying()}
    found = []
    for invoice in work.invoices():
        if not invoice.status.blocks:
            continue
        ids = work.named_by(invoice)
        found.append(Blocking(invoice, belongs(ids, mine, staying), ids))
    return found


def belongs(ids: Iterable[str], mine: set[str], staying: set[str]) -> Belongs:
    """Whose an invoice is: `ids` are the subscriptions it names, `mine` those being stopped,
    `staying` the client's other live ones.

    Only a person knows where it names both kinds, or a service that neither stops now nor stays,
    or (a one-time charge) none while the client keeps another service.
    """
    named = set(ids)
    if not named:
        return Belongs.UNCLEAR if staying else Belongs.IN_SCOPE
    if named <= mine:
        return Belongs.IN_SCOPE
    if named & staying and not named & mine:
        return Belongs.STAYS
    return Belongs.UNCLEAR


def approval_for(case: Case, invoice: Invoice) -> WriteOffApproval | None:
    """The approval that covers the invoice as it is now. A higher amount needs a new one; so does
    an invoice that was read back as written off since, in whatever case, and asks for money again.
    """
    newest = (
        WriteOffApproval.objects.filter(
            case=case, invoice_number=invoice.number, amount_minor__gte=invoice.amount_minor
        )
        .order_by("-id")
        .first()
    )
    if newest is None or _write_offs(case, invoice).filter(_done_since(newest.at)).exists():
        return None
    return newest


def may_not_show_yet(case: Case, invoice: Invoice) -> Intent | None:
    """A write-off of the invoice, in whatever case, that is so fresh that Billsby may still show it
    as open: sent, or read back, while answers may come from before it. It must not be repeated.
    """
    since = clock.now() - SETTLES_IN
    fresh = Q(state=Intent.State.SENT, sent_at__gt=since) | _done_since(since)
    return _write_offs(case, invoice).filter(fresh).select_related("case").first()


def take_turns(case: Case, invoice: Invoice) -> None:
    """Wait, in a transaction, for every other case that is just noting that it writes the invoice
    off, and let others wait: by the approvals, without which none of them comes so far.
    """
    approvals = WriteOffApproval.objects.filter(
        case__client=case.client_id, invoice_number=invoice.number
    )
    list(approvals.select_for_update(of=("self",), no_key=True).order_by("pk"))


def _write_offs(case: Case, invoice: Invoice) -> QuerySet[Intent]:
    return Intent.objects.filter(
        case__client=case.client_id, kind=Intent.Kind.WRITE_OFF, target=invoice.number
    )


def _done_since(moment: dt.datetime) -> Q:
    return Q(state=Intent.State.CONFIRMED, confirmed_at__gte=moment)


def needs_approval(case: Case, found: list[Blocking]) -> list[Blocking]:
    """Invoices somebody has to approve before the stop can go on. One whose owner is unclear is
    offered for approval but not waited for: it may be for a service that stays.
    """
    return [
        block
        for block in found
        if block.belongs is Belongs.IN_SCOPE
        and block.invoice.status is not InvoiceStatus.UNKNOWN
        and approval_for(case, block.invoice) is None
    ]


def approved_so_far(case: Case) -> int:
    """Total approved in this case, in minor units: each invoice once, at its highest."""
    highest: dict[str, int] = {}
    for approval in WriteOffApproval.objects.filter(case=case):
        number = approval.invoice_number
        highest[number] = max(highest.get(number, 0), approval.amount_minor)
    return sum(highest.values())
