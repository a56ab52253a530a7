"""Which invoices block a stop, whose they are, and who has approved writing them off.

Billsby blocks per customer (billsby.md 2.3), but an invoice of a subscription that stays is the
client's debt for a service they keep: it is never written off by a case about another one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from django.db.models import QuerySet

from canceldesk import clock
from canceldesk.billsby import Invoice, InvoiceStatus
from canceldesk.cases.models import Case
from canceldesk.closing.models import Intent, WriteOffApproval
from canceldesk.closing.work import Work


class Belongs(StrEnum):
    """Whose a blocking invoice is."""

    IN_SCOPE = "in_scope"
    STAYS = "stays"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Blocking:
    """An invoice that asks for money, as Billsby showed it when it was read."""

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


def still_blocking(work: Work, found: list[Blocking]) -> list[Blocking]:
    """Those that still ask for money, each as the pass has read it last: every write-off is read
    back, and others change invoices meanwhile. Whose they are stays as it was found; what has come
    since is found by the next pass.
    """
    asking = {invoice.number: invoice for invoice in work.invoices() if invoice.status.blocks}
    return [
        replace(block, invoice=asking[block.invoice.number])
        for block in found
        if block.invoice.number in asking
    ]


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
    """The approval that covers the invoice as it is now: for a higher amount, or once the invoice
    was read back as written off, it takes a new one.
    """
    return _approvals(case, invoice).filter(case=case, used_at=None).last()


def is_in_force(approval: WriteOffApproval, case: Case, invoice: Invoice) -> bool:
    """Whether an approval still counts. In a transaction this waits for every other case of the
    client that is just noting what it does about the invoice, and lets others wait: by approvals,
    without which no case comes so far.
    """
    covering = _approvals(case, invoice).select_for_update(of=("self",), no_key=True)
    return any(one.pk == approval.pk and one.used_at is None for one in covering.order_by("pk"))


def approved_still(case: Case) -> set[str]:
    """The invoices of the case's client for which an approval counts, given in whatever case."""
    return set(_unused(case).values_list("invoice_number", flat=True))


def use_up(case: Case, number: str) -> None:
    """Let no approval count any more that anybody has given for an invoice of the case's client,
    which was read back as written off.
    """
    words = _unused(case).filter(invoice_number=number)
    # In the order in which everybody locks them.
    locked = words.select_for_update(of=("self",), no_key=True).order_by("pk")
    WriteOffApproval.objects.filter(pk__in=[word.pk for word in locked]).update(used_at=clock.now())


def _unused(case: Case) -> QuerySet[WriteOffApproval]:
    return WriteOffApproval.objects.filter(case__client=case.client_id, used_at=None)


def _approvals(case: Case, invoice: Invoice) -> QuerySet[WriteOffApproval]:
    return WriteOffApproval.objects.filter(
        case__client=case.client_id,
        invoice_number=invoice.number,
        amount_minor__gte=invoice.amount_minor,
    )


def just_written_off_by(case: Case, number: str) -> Case | None:
    """Another case of the client that has written an invoice off so short ago that Billsby may
    still show it as open.
    """
    others = Intent.objects.filter(
        case__client=case.client_id, kind=Intent.Kind.WRITE_OFF, target=number
    ).exclude(case=case)
    fresh = (other for other in others.select_related("case") if other.may_not_show_yet)
    return next((other.case for other in fresh), None)


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


def approved_with(case: Case, asked: Iterable[Invoice]) -> int:
    """Total approved in this case, in minor units, if what is asked for were approved as well: each
    invoice once, at its highest. One that owes the client counts like one that is owed: taken off
    the others it would make room below the agents' limit.
    """
    highest = {invoice.number: abs(invoice.amount_minor) for invoice in asked}
    for approval in WriteOffApproval.objects.filter(case=case):
        number = approval.invoice_number
        highest[number] = max(highest.get(number, 0), abs(approval.amount_minor))
    return sum(highest.values())
