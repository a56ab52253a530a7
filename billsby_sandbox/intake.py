"""How customers, plans and subscriptions come into the books."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping

from billsby_sandbox import billing
from billsby_sandbox.books import Books
from billsby_sandbox.errors import Refused
from billsby_sandbox.records import Customer, Cycle, Subscription
from billsby_sandbox.words import Actor, SubscriptionStatus

UNITS = ("Weekly", "Monthly", "Yearly")
GOOD_CARD = "4242"
BAD_CARD = "0341"


def add_cycle(
    books: Books,
    *,
    plan_name: str,
    amount: int,
    frequency: int = 1,
    unit: str = "Monthly",
    product_name: str,
    currency: str,
) -> Cycle:
    """A way to be billed: `amount` hundredths every `frequency` units (Weekly, Monthly, Yearly).

    Cycles of one plan name share a plan id, plans of one product name a product id.
    """
    if unit not in UNITS:
        raise ValueError(f"A cycle is one of {', '.join(UNITS)}, not {unit}.")
    cycles = books.store.where(Cycle)
    plan = next((one.plan_id for one in cycles if one.plan_name == plan_name), None)
    product = next((one.product_id for one in cycles if one.product_name == product_name), None)
    return books.store.add(
        Cycle,
        plan_id=plan or 1 + max((one.plan_id for one in cycles), default=10),
        plan_name=plan_name,
        product_id=product or 1 + max((one.product_id for one in cycles), default=0),
        product_name=product_name,
        amount=amount,
        currency=currency,
        frequency=frequency,
        unit=unit,
    )


def add_customer(
    books: Books,
    who: Actor,
    *,
    first_name: str,
    last_name: str,
    email: str,
    phone_number: str | None,
    dial_code: str | None,
    dial_country: str | None,
    address: Mapping[str, str | None],
    card_good: bool,
    created_at: dt.datetime,
    uid: str | None = None,
) -> Customer:
    """A new customer with no subscription yet. `address` has Billsby's field names."""
    customer = books.store.add(
        Customer,
        uid=uid or books.unique_id("customer"),
        first_name=first_name,
        last_name=last_name,
        email=email,
        additional_email=None,
        phone_number=phone_number,
        dial_code=dial_code,
        dial_country=dial_country,
        address=json.dumps(dict(address)),
        card_good=card_good,
        card_last4=GOOD_CARD if card_good else BAD_CARD,
        created_at=created_at,
        last_number=0,
        deleted_at=None,
    )
    books.note(who, "customer created", customer.uid, created_at, after=customer)
    books.announce(who, "Created", customer, created_at)
    return customer


def update_customer(books: Books, who: Actor, uid: str, **values: str | None) -> Customer:
    """Change a customer's own fields, named as in `Customer`; `address` is JSON text."""
    return books.amend(who, "customer updated", books.customer(uid), books.now(), **values)


def add_subscription(
    books: Books,
    who: Actor,
    customer: Customer,
    cycle: Cycle,
    *,
    created_at: dt.datetime,
    status: SubscriptionStatus = SubscriptionStatus.ACTIVE,
    next_billing_at: dt.datetime | None = None,
    units: int = 1,
    uid: str | None = None,
    anchor_day: int | None = None,
) -> Subscription:
    """Put a customer on a cycle.

    Without a next billing date the first period is billed at `created_at`; with one, nothing is
    billed before it. `anchor_day` is the day of the month to keep to where months are shorter.
    Refused when all the customer's subscriptions were cancelled: Billsby wants
    a new customer then (billsby.md 1.2).
    """
    if not books.is_active(customer):
        raise Refused("The customer was cancelled; create a new customer.")
    first = next_billing_at or created_at
    subscription = books.store.add(
        Subscription,
        uid=uid or books.unique_id("subscription"),
        customer_uid=customer.uid,
        cycle_id=cycle.id,
        cycle_id_next=None,
        status=status,
        units=units,
        created_at=created_at,
        next_billing_at=first,
        anchor_day=anchor_day or first.day,
        cancelled_at=created_at if status is SubscriptionStatus.CANCELLED else None,
    )
    books.note(who, "subscription created", subscription.uid, created_at, after=subscription)
    books.log_event(subscription.uid, "SubscriptionCreated", created_at, status=status)
    books.announce(who, "Created", subscription, created_at)
    if next_billing_at is None and status is SubscriptionStatus.ACTIVE:
        billing.renew(books, subscription, created_at, who)
    return books.subscription(subscription.uid)
