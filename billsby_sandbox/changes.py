"""What can be asked of the company from outside, by API or by panel, and when it is refused.

Each function takes who asks and works at the company's present. Refused is raised before anything
is changed.
"""

from __future__ import annotations

import datetime as dt

from billsby_sandbox import billing, times
from billsby_sandbox.books import Books
from billsby_sandbox.errors import Refused
from billsby_sandbox.records import CreditNote, Customer, Invoice, Subscription
from billsby_sandbox.words import (
    BLOCKING,
    COLLECTABLE,
    Actor,
    CreditNoteStatus,
    InvoiceKind,
    InvoiceStatus,
    SubscriptionStatus,
)

PLAN_CHANGE_NOW = 1
PLAN_CHANGE_ON_RENEWAL = 2

BLOCKED_WORDS = (
    "A customer's subscription cannot be {done} whilst they have any 'pending' invoices. "
    "This includes invoices with the following statuses: Pending / To be written off / Unpaid. "
    "Any invoices with the listed statuses must be written off before the subscription can be "
    "{done}."
)
"""The rule in Billsby's own words (billsby.md 2.3)."""


def write_off(books: Books, who: Actor, number: str) -> None:
    """Write an invoice off: its value becomes 0, its status written off.

    Refused for a paid invoice, and where the quirks refuse pending, scheduled or repeated ones.
    """
    invoice = books.invoice(number)
    status = invoice.status
    if status is InvoiceStatus.WRITTEN_OFF:
        if books.quirk("write_off_repeat") == "400":
            raise Refused("The invoice is already written off.")
        return
    if status not in BLOCKING:
        raise Refused("A paid invoice cannot be written off.")
    if status is InvoiceStatus.PENDING and not books.has_quirk("write_off_pending_allowed"):
        raise Refused("A pending invoice cannot be written off.")
    if status is InvoiceStatus.TO_BE_WRITTEN_OFF and not books.has_quirk(
        "write_off_scheduled_allowed"
    ):
        raise Refused("The invoice is already scheduled to be written off.")
    at = books.now()
    billing.write_off(books, who, invoice, at)
    billing.apply_outcome(books, invoice, books.quirk("write_off_triggers_dunning_outcome"), at)


def mark_paid_offline(books: Books, who: Actor, number: str) -> None:
    """Say that an invoice was paid outside Billsby; Refused when nothing is owed on it."""
    invoice = books.invoice(number)
    if invoice.status not in BLOCKING:
        raise Refused("The invoice is not waiting to be paid.")
    books.amend(
        who,
        "invoice paid offline",
        invoice,
        books.now(),
        status=InvoiceStatus.PAID_OFFLINE,
        due_at=None,
    )


def reattempt(books: Books, who: Actor, number: str) -> Invoice:
    """Try to charge an invoice again at once; Refused unless it is pending or unpaid."""
    invoice = books.invoice(number)
    if invoice.status not in COLLECTABLE:
        raise Refused("The invoice cannot be charged.")
    return billing.charge(books, who, invoice, books.now())


def refund(books: Books, who: Actor, customer_uid: str, number: str, amount: int) -> CreditNote:
    """Give back part or all of a paid invoice, in hundredths.

    Refused beyond what is refundable, and while a subscription of the customer is paused
    (billsby.md 1.4).
    """
    customer = books.customer(customer_uid)
    invoice = books.invoice(number)
    if invoice.customer_uid != customer.uid:
        raise Refused("The invoice belongs to another customer.")
    if any(one.status is SubscriptionStatus.PAUSED for one in books.subscriptions_of(customer.uid)):
        raise Refused("An invoice cannot be refunded while the subscription is paused.")
    if not 0 < amount <= invoice.refundable:
        raise Refused("The amount is more than can be refunded.")
    return _give_back(books, who, customer, invoice, amount)


def _give_back(
    books: Books, who: Actor, customer: Customer, invoice: Invoice, amount: int
) -> CreditNote:
    at = books.now()
    books.amend(who, "invoice refunded", invoice, at, refunded=invoice.refunded + amount)
    note = books.store.add(
        CreditNote,
        number=books.next_number(customer),
        invoice_number=invoice.number,
        customer_uid=customer.uid,
        amount=amount,
        currency=invoice.currency,
        status=CreditNoteStatus.PENDING,
        created_at=at,
        due_at=times.next_batch(at),
    )
    books.note(who, "credit note issued", note.number, at, after=note)
    books.announce(who, "Created", note, at)
    return note


def pay_credit_note(books: Books, who: Actor, number: str) -> None:
    """Try to pay a credit note again; Refused when it is paid."""
    note = books.credit_note(number)
    if note.status is CreditNoteStatus.PAID:
        raise Refused("The credit note is already paid.")
    billing.pay_out(books, who, note, books.now())


def charge_once(
    books: Books, who: Actor, customer_uid: str, *, amount: int, currency: str, description: str
) -> Invoice:
    """Issue a one-time charge, or a credit when the amount (hundredths) is negative."""
    kind = InvoiceKind.ONE_TIME_CHARGE if amount >= 0 else InvoiceKind.ONE_TIME_CREDIT
    return billing.issue(
        books,
        who,
        books.customer(customer_uid),
        books.now(),
        kind=kind,
        amount=amount,
        currency=currency,
        description=description,
    )


def cancel(
    books: Books,
    who: Actor,
    subscription_uid: str,
    customer_uid: str,
    *,
    prorated_refund: bool,
    blocked: bool,
) -> Subscription:
    """End a subscription at once and for good.

    Refused when the customer id is not the subscription's, when it is already cancelled, and,
    with `blocked`, while the customer has pending, unpaid or to be written off invoices.
    """
    subscription = books.subscription(subscription_uid)
    if subscription.customer_uid != customer_uid:
        raise Refused("The Customer ID does not match.")
    if subscription.status is SubscriptionStatus.CANCELLED:
        raise Refused("The subscription is already cancelled.")
    if blocked and books.blocking_invoices(customer_uid):
        raise Refused(BLOCKED_WORDS.format(done="cancelled"))
    at = books.now()
    if prorated_refund:
        _refund_rest(books, who, subscription, at)
    return billing.set_status(books, who, subscription, SubscriptionStatus.CANCELLED, at)


def _refund_rest(books: Books, who: Actor, subscription: Subscription, at: dt.datetime) -> None:
    for invoice in books.store.where(
        Invoice,
        "subscription_uid = ? AND status = ? AND period_start_at <= ? AND period_end_at > ?",
        subscription.uid,
        InvoiceStatus.PAID,
        at,
        at,
    ):
        amount = min(invoice.refundable, unused(invoice, at))
        if amount > 0:
            _give_back(books, who, books.owner(invoice), invoice, amount)


def unused(invoice: Invoice, at: dt.datetime) -> int:
    """The part of a period's invoice, in hundredths, that lies after a moment."""
    if invoice.period_start_at is None or invoice.period_end_at is None:
        return 0
    whole = (invoice.period_end_at - invoice.period_start_at).total_seconds()
    left = (invoice.period_end_at - at).total_seconds()
    return int(invoice.amount * max(0.0, min(1.0, left / whole)))


def move_renewal(
    books: Books, who: Actor, subscription_uid: str, date: dt.datetime | None, *, pause: bool
) -> Subscription:
    """Set the next billing date, and pause until then or (by quirk) lift a pause.

    Refused for a date that is not in the future or, by quirk, beyond the account's limit, for a
    cancelled subscription, and where the quirks refuse suspended ones or a pause over unpaid
    invoices.
    """
    subscription = books.subscription(subscription_uid)
    at = books.now()
    _check_renewal(books, subscription, date, at)
    date = _within_the_limit(books, date, at)
    if (
        pause
        and books.has_quirk("pause_blocked_by_unpaid")
        and books.blocking_invoices(subscription.customer_uid)
    ):
        raise Refused(BLOCKED_WORDS.format(done="paused"))
    status = _status_after_move(books, who, subscription, pause=pause)
    moved = date or subscription.next_billing_at
    anchor = moved.day if date else subscription.anchor_day
    books.log_event(
        subscription.uid,
        "NextBillingDateChanged",
        at,
        previous=subscription.next_billing_at,
        current=moved,
    )
    if status is subscription.status:
        return books.amend(
            who,
            "next billing date changed",
            subscription,
            at,
            next_billing_at=moved,
            anchor_day=anchor,
        )
    kept = books.store.change(Subscription, subscription.id, anchor_day=anchor)
    return billing.set_status(books, who, kept, status, at, next_billing_at=moved)


def _check_renewal(
    books: Books, subscription: Subscription, date: dt.datetime | None, at: dt.datetime
) -> None:
    if subscription.status is SubscriptionStatus.CANCELLED:
        raise Refused("The subscription is cancelled.")
    if (
        subscription.status is SubscriptionStatus.SUSPENDED
        and books.quirk("renewaldate_while_suspended") == "refused"
    ):
        raise Refused("The subscription is suspended.")
    if (date or subscription.next_billing_at) <= at:
        raise Refused("The new renewal date must be in the future.")


def _within_the_limit(
    books: Books, date: dt.datetime | None, at: dt.datetime
) -> dt.datetime | None:
    limit = books.quirk_number("max_renewal_days")
    if not limit or date is None or date <= at + dt.timedelta(days=limit):
        return date
    if books.quirk("beyond_max_renewal") == "refused":
        raise Refused(f"The new renewal date is more than {limit} days away.")
    return at + dt.timedelta(days=limit)


def _status_after_move(
    books: Books, who: Actor, subscription: Subscription, *, pause: bool
) -> SubscriptionStatus:
    """The quirk is about the API's flag; in the panel a person names the status."""
    status = subscription.status
    if status is SubscriptionStatus.SUSPENDED:
        obeyed = books.quirk("renewaldate_while_suspended") == "obeyed"
        return SubscriptionStatus.PAUSED if obeyed and pause else status
    if pause:
        return SubscriptionStatus.PAUSED
    is_lifted = who is Actor.PANEL or books.has_quirk("pause_lifted_by_false")
    if status is SubscriptionStatus.PAUSED and is_lifted:
        return SubscriptionStatus.ACTIVE
    return status


def change_plan(
    books: Books,
    who: Actor,
    subscription_uid: str,
    *,
    customer_uid: str,
    plan_id: int,
    cycle_id: int,
    change_type: int = PLAN_CHANGE_NOW,
    units: int | None = None,
    refund_rest: bool = False,
) -> Subscription:
    """Put a subscription on another cycle, at once (1) or with the next renewal (2).

    At once, an active subscription is billed for a new period, less the unused part of the
    current one when that is asked for. Refused when ids do not fit together or it is cancelled.
    """
    subscription = books.subscription(subscription_uid)
    cycle = books.cycle(cycle_id)
    if subscription.customer_uid != customer_uid:
        raise Refused("The Customer ID does not match.")
    if cycle.plan_id != plan_id:
        raise Refused("The cycle is not one of the plan's.")
    if subscription.status is SubscriptionStatus.CANCELLED:
        raise Refused("The subscription is cancelled.")
    if change_type not in (PLAN_CHANGE_NOW, PLAN_CHANGE_ON_RENEWAL):
        raise Refused("planChangeType must be 1 or 2.")
    at = books.now()
    books.log_event(subscription.uid, "PlanChanged", at, cycleId=cycle.id, type=change_type)
    if change_type == PLAN_CHANGE_ON_RENEWAL:
        return books.amend(who, "plan change at renewal", subscription, at, cycle_id_next=cycle.id)
    changed = books.amend(
        who,
        "plan changed",
        subscription,
        at,
        cycle_id=cycle.id,
        cycle_id_next=None,
        units=units or subscription.units,
    )
    if changed.status is not SubscriptionStatus.ACTIVE:
        return changed
    credit = _unused_credit(books, changed, at) if refund_rest else 0
    end = times.period_end(at, cycle.frequency, cycle.unit, at.day)
    billed = books.amend(
        who, "next billing date changed", changed, at, next_billing_at=end, anchor_day=at.day
    )
    billing.issue_renewal(books, billed, cycle, at, end, who=who, credit=credit)
    return billed


def _unused_credit(books: Books, subscription: Subscription, at: dt.datetime) -> int:
    paid = books.store.where(
        Invoice,
        "subscription_uid = ? AND status = ? AND period_end_at > ?",
        subscription.uid,
        InvoiceStatus.PAID,
        at,
    )
    return sum(unused(invoice, at) for invoice in paid)


def statuses_offered(books: Books, subscription: Subscription) -> list[SubscriptionStatus]:
    """What 'Update status' in the panel lets a person choose."""
    status = subscription.status
    if status is SubscriptionStatus.SUSPENDED:
        return [SubscriptionStatus.ACTIVE]
    quirk = {
        SubscriptionStatus.ACTIVE: "suspend_offered",
        SubscriptionStatus.IN_TRIAL: "suspend_offered",
        SubscriptionStatus.PAUSED: "suspend_offered_while_paused",
    }.get(status)
    return [SubscriptionStatus.SUSPENDED] if quirk and books.has_quirk(quirk) else []


def suspend(books: Books, who: Actor, subscription_uid: str) -> Subscription:
    """Set a subscription to Suspended, as the panel's 'Update status' does.

    Refused when that is not offered, or while blocking invoices stand (both are quirks).
    """
    subscription = books.subscription(subscription_uid)
    if SubscriptionStatus.SUSPENDED not in statuses_offered(books, subscription):
        raise Refused("This subscription cannot be set to Suspended.")
    if books.has_quirk("suspend_blocked_by_unpaid") and books.blocking_invoices(
        subscription.customer_uid
    ):
        raise Refused(BLOCKED_WORDS.format(done="suspended"))
    return billing.set_status(books, who, subscription, SubscriptionStatus.SUSPENDED, books.now())


def reactivate(books: Books, who: Actor, subscription_uid: str) -> Subscription:
    """Set a suspended subscription to Active, which bills at once (billsby.md 1.1, 1.2).

    Refused unless it is suspended, and while the customer has unpaid invoices.
    """
    subscription = books.subscription(subscription_uid)
    if SubscriptionStatus.ACTIVE not in statuses_offered(books, subscription):
        raise Refused("This subscription cannot be set to Active.")
    if books.blocking_invoices(subscription.customer_uid):
        raise Refused("The subscription can be set to Active when there are no unpaid invoices.")
    at = books.now()
    anchored = books.store.change(Subscription, subscription.id, anchor_day=at.day)
    billing.renew(books, anchored, at, who)
    return books.subscription(subscription_uid)


def delete_customer(books: Books, who: Actor, customer_uid: str) -> None:
    """Delete a customer; Refused while a subscription is not cancelled (billsby.md 2.3)."""
    customer = books.customer(customer_uid)
    subscriptions = books.subscriptions_of(customer.uid)
    if any(one.status is not SubscriptionStatus.CANCELLED for one in subscriptions):
        raise Refused("The customer's subscriptions must be cancelled first.")
    at = books.now()
    deleted = books.store.change(Customer, customer.id, deleted_at=at)
    books.note(who, "customer deleted", customer.uid, at, before=customer, after=deleted)
    books.announce(who, "Deleted", deleted, at)
