"""Calls about customers."""

from __future__ import annotations

import json

from flask import Blueprint, request

from billsby_sandbox import changes, intake
from billsby_sandbox.api import bodies, paging, rendering
from billsby_sandbox.api.rendering import Json
from billsby_sandbox.api.routes import route
from billsby_sandbox.books import Books
from billsby_sandbox.records import CreditNote, Customer, Invoice
from billsby_sandbox.store import Value
from billsby_sandbox.words import Actor, SubscriptionStatus

blueprint = Blueprint("customers", __name__)

_COLUMNS = {
    "createdOn": "created_at",
    "firstName": "first_name",
    "lastName": "last_name",
    "email": "email",
    "customerUniqueId": "uid",
}


@route(blueprint, "GET", "/<domain>/customers")
def list_customers(books: Books) -> Json:
    """The customers, filtered by part of a name (and by e-mail, where the quirk says so)."""
    conditions: list[tuple[str, Value]] = [("? AND deleted_at IS NULL", 1)]
    search = request.args.get("search", "").strip()
    if search:
        names = "first_name || ' ' || last_name"
        if books.has_quirk("search_matches_email"):
            names += " || ' ' || email"
        conditions.append((f"instr(folded({names}), folded(?)) > 0", search))
    return paging.envelope(
        books,
        Customer,
        lambda one: rendering.customer_in_list(books, one),
        conditions,
        _COLUMNS,
    )


@route(blueprint, "POST", "/<domain>/customers")
def create_customer(books: Books) -> Json:
    """A customer without a subscription."""
    body = bodies.sent(bodies.NewCustomer)
    address = body.model_dump(
        by_alias=True,
        include={"address_line1", "address_line2", "city", "state", "country", "post_code"},
    )
    customer = intake.add_customer(
        books,
        Actor.API,
        first_name=body.first_name,
        last_name=body.last_name,
        email=body.email,
        phone_number=None,
        dial_code=None,
        dial_country=None,
        address=address,
        card_good=True,
        created_at=books.now(),
    )
    return {"customerUniqueId": customer.uid}


@route(blueprint, "GET", "/<domain>/customers/<uid>")
def customer_details(books: Books, uid: str) -> Json:
    """One customer."""
    return rendering.customer_in_detail(books, books.customer(uid))


@route(blueprint, "PUT", "/<domain>/customers/<uid>")
def update_customer(books: Books, uid: str) -> Json:
    """Change a customer's name, e-mail, address or phone."""
    body = bodies.sent(bodies.ChangedCustomer)
    changed = intake.update_customer(
        books,
        Actor.API,
        uid,
        first_name=body.first_name,
        last_name=body.last_name,
        email=body.email,
        address=json.dumps(body.billing_address.model_dump(by_alias=True)),
        phone_number=body.phone_number,
        dial_code=(body.phone_number_dial_code or "").lstrip("+") or None,
        dial_country=body.phone_number_dial_country,
    )
    return rendering.customer_after_update(changed)


@route(blueprint, "DELETE", "/<domain>/customers/<uid>")
def delete_customer(books: Books, uid: str) -> str:
    """Delete a customer whose subscriptions are all cancelled."""
    changes.delete_customer(books, Actor.API, uid)
    return "Success"


@route(blueprint, "GET", "/<domain>/customers/<uid>/subscriptions")
def customer_subscriptions(books: Books, uid: str) -> list[Json]:
    """A customer's subscriptions, not paged."""
    customer = books.customer(uid)
    return [
        rendering.subscription_of_customer(books, one)
        for one in books.subscriptions_of(customer.uid)
    ]


@route(blueprint, "POST", "/<domain>/customers/<uid>/subscriptions")
def add_subscription(books: Books, uid: str) -> Json:
    """A further subscription for a customer, billed at once."""
    body = bodies.sent(bodies.NewSubscription)
    subscription = intake.add_subscription(
        books,
        Actor.API,
        books.customer(uid),
        books.cycle(body.cycle_id),
        created_at=books.now(),
        status=SubscriptionStatus.ACTIVE,
        units=body.units,
    )
    return {"customerUniqueId": uid, "subscriptionUniqueId": subscription.uid}


@route(blueprint, "GET", "/<domain>/customers/<uid>/paymentdetailsrequest")
def request_payment_details(books: Books, uid: str) -> str:
    """Ask the customer for a new card; a GET that e-mails somebody (billsby.md section 6)."""
    customer = books.customer(uid)
    books.note(Actor.API, "payment details requested", customer.uid, books.now())
    return "Success"


@route(blueprint, "GET", "/<domain>/customers/<uid>/invoices")
def customer_invoices(books: Books, uid: str) -> list[Json]:
    """A customer's invoices, newest first, not paged."""
    customer = books.customer(uid)
    invoices = books.store.where(
        Invoice, "customer_uid = ?", customer.uid, tail="ORDER BY created_at DESC, id DESC"
    )
    return [rendering.invoice_of_customer(books, one) for one in invoices]


@route(blueprint, "GET", "/<domain>/customers/<uid>/creditNotes")
def customer_credit_notes(books: Books, uid: str) -> list[Json]:
    """A customer's credit notes, not paged."""
    customer = books.customer(uid)
    notes = books.store.where(CreditNote, "customer_uid = ?", customer.uid)
    return [rendering.credit_note_of_customer(books, one) for one in notes]
