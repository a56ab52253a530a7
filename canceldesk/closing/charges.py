"""Charges that should not have come: the client had asked to stop."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from canceldesk.billsby import CreditNoteStatus, Invoice, InvoiceStatus
from canceldesk.cases import services as cases
from canceldesk.cases.models import Finding, State
from canceldesk.closing.shown import date, money
from canceldesk.closing.work import Work


def check_charges(work: Work) -> None:
    """Report what was charged after the client asked to stop, and resolve what was given back.

    For a case in any state, at any time. Reads the client's invoices once a pass, and of those
    alone that matter whose they are. Of a client who stays only charges before the decision
    count. Raises BillsbyError.
    """
    _keep_what_is_owed(work)
    for invoice in invoices_since_the_request(work):
        _check(work, invoice, _charged(work, invoice))
    for invoice in _owed_before(work):
        _check(work, invoice, _collected(work, invoice))


def _check(work: Work, invoice: Invoice, sentence: str) -> None:
    if not _is_charge(work, invoice):
        work.resolve(Finding.Kind.CHARGED_AFTER_REQUEST, invoice.number)
        return
    work.report(
        Finding.Kind.CHARGED_AFTER_REQUEST,
        invoice.number,
        sentence,
        amount_minor=invoice.amount_minor,
        currency=invoice.currency,
    )


def _charged(work: Work, invoice: Invoice) -> str:
    what_to_do = (
        "They stay: agree with them whether it is refunded."
        if work.case.state == State.RETAINED
        else "Refund it in Billsby and tell the client."
    )
    return (
        f"Invoice {invoice.number} of {money(invoice.amount_minor, invoice.currency)} was charged "
        f"on {date(invoice.issued_at, work.zone)}, after the client asked to stop. {what_to_do}"
    )


def _collected(work: Work, invoice: Invoice) -> str:
    what_to_do = (
        "They stay: agree with them whether it is refunded."
        if work.case.state == State.RETAINED
        else "Decide whether it is refunded in Billsby and tell the client."
    )
    return (
        f"Invoice {invoice.number} of {money(invoice.amount_minor, invoice.currency)} was owed "
        f"since {date(invoice.issued_at, work.zone)}, before the client asked to stop, and was "
        f"collected after they asked. {what_to_do}"
    )


def _is_charge(work: Work, invoice: Invoice) -> bool:
    """Whether an invoice has taken money, or is taking it, and has not given it back."""
    if invoice.amount_minor <= 0:
        return False
    if invoice.status is InvoiceStatus.PENDING:
        return True
    return invoice.status is InvoiceStatus.PAID and not _is_given_back(work, invoice)


def _is_given_back(work: Work, invoice: Invoice) -> bool:
    """Nothing refundable alone may mean that this kind of payment never is; so there must be
    credit notes as well. Those do not say for which invoice they are.
    """
    if invoice.refundable_minor != 0:
        return False
    given = sum(
        abs(note.amount_minor)
        for note in work.billsby.customer_credit_notes(work.client_id)
        if note.status is not CreditNoteStatus.FAILED
        and not (note.created_on and invoice.issued_at and note.created_on < invoice.issued_at)
    )
    return given >= invoice.amount_minor


def invoices_since_the_request(work: Work) -> Iterator[Invoice]:
    """Invoices issued after the client asked, for what this case was to stop."""
    case = work.case
    until = case.decided_at if case.state == State.RETAINED else None
    for invoice in work.invoices():
        at = invoice.issued_at
        if at is None or at <= case.received_at or (until is not None and at > until):
            continue
        if _is_of_this_case(work, invoice):
            yield invoice


def _keep_what_is_owed(work: Work) -> None:
    """Know from the first look on which invoices are open: once collected, they look like any other
    that was paid before the client asked. The facts keep it by themselves. What a client who stays
    still owes is theirs to pay.
    """
    case = work.case
    if work.facts_if_taken is not None:
        return
    still_open = [invoice.number for invoice in work.invoices() if invoice.status.blocks]
    owed = still_open if case.open_at_first is None else case.open_at_first
    if case.state == State.RETAINED:
        owed = [number for number in owed if number not in still_open]
    if owed != case.open_at_first:
        case.open_at_first = owed
        work.notes.along(partial(cases.keep_open_at_first, case))


def _owed_before(work: Work) -> Iterator[Invoice]:
    """Invoices that were open at the first look, or when the facts were taken, and have been
    collected since.
    """
    facts = work.facts_if_taken
    open_then = set(facts.evidence.get("open_invoices", [])) if facts else set()
    open_then.update(work.case.open_at_first or [])
    for invoice in work.invoices():
        at = invoice.issued_at
        if (
            invoice.number in open_then
            and invoice.status is InvoiceStatus.PAID
            and at is not None
            and at <= work.case.received_at
            and _is_of_this_case(work, invoice)
        ):
            yield invoice


def _is_of_this_case(work: Work, invoice: Invoice) -> bool:
    """An invoice that names other subscriptions alone is never this case's. A one-time charge
    names none: it is when the client keeps nothing else.
    """
    mine = {scope.subscription.billsby_id for scope in work.scope}
    named = set(work.named_by(invoice))
    return bool(mine & named) if named else not work.staying()
