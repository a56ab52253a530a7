"""Billing on the movable clock: renewals, payments, dunning, and pauses and trials that end.

Whatever is due is done in the order of time and at its own moment, however far the clock jumped,
so a jump of a month leaves the same books as a month of minutes.
"""

from __future__ import annotations

import datetime as dt

from billsby_sandbox import times
from billsby_sandbox.books import Books
from billsby_sandbox.records import CreditNote, Customer, Cycle, Invoice, PaymentLog, Subscription
from billsby_sandbox.words import (
    BILLED,
    Actor,
    CreditNoteStatus,
    InvoiceKind,
    InvoiceStatus,
    SubscriptionStatus,
)

_BILLED_MARKS = ", ".join("?" * len(BILLED))


def run(books: Books, until: dt.datetime) -> int:
    """Do everything that is due up to a moment; how many things that was."""
    done = 0
    while _do_next(books, until):
        done += 1
    return done


def _do_next(books: Books, until: dt.datetime) -> bool:
    subscription = next(iter(_due_subscriptions(books, until)), None)
    invoice = next(
        iter(books.store.where(Invoice, "due_at <= ?", until, tail="ORDER BY due_at, id LIMIT 1")),
        None,
    )
    note = next(
        iter(
            books.store.where(CreditNote, "due_at <= ?", until, tail="ORDER BY due_at, id LIMIT 1")
        ),
        None,
    )
    moments = [
        subscription.next_billing_at if subscription else None,
        invoice.due_at if invoice else None,
        note.due_at if note else None,
    ]
    first = min((moment for moment in moments if moment), default=None)
    if first is None:
        return False
    if subscription and subscription.next_billing_at == first:
        renew(books, subscription, first)
    elif invoice and invoice.due_at == first:
        _work_on(books, invoice, first)
    elif note:
        pay_out(books, Actor.BILLING, note, first)
    return True


def _due_subscriptions(books: Books, until: dt.datetime) -> list[Subscription]:
    return books.store.where(
        Subscription,
        f"next_billing_at <= ? AND status IN ({_BILLED_MARKS})",
        until,
        *BILLED,
        tail="ORDER BY next_billing_at, id LIMIT 1",
    )


def renew(
    books: Books, subscription: Subscription, at: dt.datetime, who: Actor = Actor.BILLING
) -> Invoice:
    """Issue the invoice of the period that starts at a moment and set the next billing date.

    A trial or a pause ends with it (billsby.md 1.2), and a plan change kept for the renewal is
    made.
    """
    cycle = books.cycle(subscription.cycle_id_next or subscription.cycle_id)
    end = times.period_end(at, cycle.frequency, cycle.unit, subscription.anchor_day)
    books.amend(
        who,
        "subscription renewed",
        subscription,
        at,
        status=SubscriptionStatus.ACTIVE,
        next_billing_at=end,
        cycle_id=cycle.id,
        cycle_id_next=None,
    )
    if subscription.status is not SubscriptionStatus.ACTIVE:
        books.log_event(
            subscription.uid,
            "SubscriptionStatusChanged",
            at,
            previous=subscription.status,
            current=SubscriptionStatus.ACTIVE,
        )
    books.log_event(subscription.uid, "SubscriptionRenewed", at, nextBillingDate=end)
    return issue_renewal(books, subscription, cycle, at, end, who=who)


def issue_renewal(
    books: Books,
    subscription: Subscription,
    cycle: Cycle,
    start: dt.datetime,
    end: dt.datetime,
    *,
    who: Actor,
    credit: int = 0,
) -> Invoice:
    """Issue the Pending invoice for one period, less a credit in hundredths."""
    return issue(
        books,
        who,
        books.owner(subscription),
        start,
        kind=InvoiceKind.RENEWAL,
        amount=max(0, cycle.amount * subscription.units - credit),
        currency=cycle.currency,
        description=cycle.plan_name,
        subscription=subscription,
        period_end=end,
    )


def issue(
    books: Books,
    who: Actor,
    customer: Customer,
    at: dt.datetime,
    *,
    kind: InvoiceKind,
    amount: int,
    currency: str,
    description: str,
    subscription: Subscription | None = None,
    period_end: dt.datetime | None = None,
) -> Invoice:
    """Issue a Pending invoice, charged in the next five-minute batch."""
    invoice = books.store.add(
        Invoice,
        number=books.next_number(customer),
        customer_uid=customer.uid,
        subscription_uid=subscription.uid if subscription else None,
        kind=kind,
        status=InvoiceStatus.PENDING,
        amount=amount,
        original_amount=amount,
        refunded=0,
        currency=currency,
        description=description,
        created_at=at,
        period_start_at=at if subscription else None,
        period_end_at=period_end,
        attempts=0,
        due_at=times.next_batch(at),
    )
    books.note(who, "invoice issued", invoice.number, at, after=invoice)
    books.announce(who, "Created", invoice, at)
    return invoice


def _work_on(books: Books, invoice: Invoice, at: dt.datetime) -> None:
    if invoice.status is InvoiceStatus.TO_BE_WRITTEN_OFF:
        _write_off_by_dunning(books, invoice, at)
    elif invoice.status is InvoiceStatus.UNPAID and not _dunning_goes_on(books, invoice):
        books.store.change(Invoice, invoice.id, due_at=None)
    else:
        charge(books, Actor.BILLING, invoice, at)


def _dunning_goes_on(books: Books, invoice: Invoice) -> bool:
    if invoice.subscription_uid is None:
        return False
    status = books.subscription(invoice.subscription_uid).status
    if status is SubscriptionStatus.SUSPENDED:
        return books.has_quirk("dunning_while_suspended")
    return status is not SubscriptionStatus.CANCELLED


def charge(books: Books, who: Actor, invoice: Invoice, at: dt.datetime) -> Invoice:
    """Try to take the money; Paid or, when the customer's card fails, Unpaid."""
    paid = books.owner(invoice).card_good or invoice.amount <= 0
    books.store.add(
        PaymentLog,
        invoice_number=invoice.number,
        status="Succeeded" if paid else "Declined",
        reference=f"practice-{invoice.number}-{invoice.attempts + 1}",
        created_at=at,
    )
    if paid:
        return books.amend(
            who,
            "invoice paid",
            invoice,
            at,
            status=InvoiceStatus.PAID,
            attempts=invoice.attempts + 1,
            due_at=None,
        )
    return _declined(books, who, invoice, at)


def _declined(books: Books, who: Actor, invoice: Invoice, at: dt.datetime) -> Invoice:
    attempts = invoice.attempts + 1
    status, due = InvoiceStatus.UNPAID, None
    # One-time charges do not enter dunning: they stay Unpaid (billsby.md section 6).
    if invoice.subscription_uid is not None:
        if attempts <= books.quirk_number("dunning_max_attempts"):
            due = at + dt.timedelta(hours=books.quirk_number("dunning_retry_hours"))
        elif books.quirk("dunning_write_off") != "by_hand":
            status, due = InvoiceStatus.TO_BE_WRITTEN_OFF, _write_off_moment(books, at)
    return books.amend(
        who, "payment declined", invoice, at, status=status, attempts=attempts, due_at=due
    )


def _write_off_moment(books: Books, at: dt.datetime) -> dt.datetime:
    if books.quirk("dunning_write_off") == "immediately":
        return at
    return at + dt.timedelta(hours=books.quirk_number("dunning_write_off_delay_hours"))


def _write_off_by_dunning(books: Books, invoice: Invoice, at: dt.datetime) -> None:
    write_off(books, Actor.BILLING, invoice, at)
    apply_outcome(books, invoice, books.quirk("dunning_outcome"), at)


def write_off(books: Books, who: Actor, invoice: Invoice, at: dt.datetime) -> Invoice:
    """Set the value to 0 and the status to written off (billsby.md 2.2)."""
    return books.amend(
        who,
        "invoice written off",
        invoice,
        at,
        status=InvoiceStatus.WRITTEN_OFF,
        amount=0,
        due_at=None,
    )


def apply_outcome(books: Books, invoice: Invoice, outcome: str, at: dt.datetime) -> None:
    """Bring the invoice's subscription to a write-off's outcome: suspended, cancelled or as is."""
    targets = {
        "suspended": SubscriptionStatus.SUSPENDED,
        "cancelled": SubscriptionStatus.CANCELLED,
    }
    if invoice.subscription_uid is None or outcome not in targets:
        return
    subscription = books.subscription(invoice.subscription_uid)
    if subscription.status not in (SubscriptionStatus.CANCELLED, targets[outcome]):
        set_status(books, Actor.BILLING, subscription, targets[outcome], at)


def set_status(
    books: Books,
    who: Actor,
    subscription: Subscription,
    status: SubscriptionStatus,
    at: dt.datetime,
    **values: dt.datetime,
) -> Subscription:
    """Give a subscription a status, with its line in the event log; dates may move with it."""
    cancelled = at if status is SubscriptionStatus.CANCELLED else subscription.cancelled_at
    changed = books.amend(
        who,
        f"subscription {status.value.lower()}",
        subscription,
        at,
        status=status,
        cancelled_at=cancelled,
        **values,
    )
    books.log_event(
        subscription.uid,
        "SubscriptionStatusChanged",
        at,
        previous=subscription.status,
        current=status,
        by=who,
    )
    return changed


def pay_out(books: Books, who: Actor, note: CreditNote, at: dt.datetime) -> None:
    """Pay a credit note to the customer's card; Paid, or Failed when the card is bad."""
    good = books.owner(note).card_good
    books.amend(
        who,
        "credit note paid" if good else "credit note failed",
        note,
        at,
        status=CreditNoteStatus.PAID if good else CreditNoteStatus.FAILED,
        due_at=None,
    )
