"""Calls about subscriptions. None of them sets Suspended: Billsby has no such call."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, request

from billsby_sandbox import changes, intake, times
from billsby_sandbox.api import bodies, paging, rendering
from billsby_sandbox.api.rendering import Json
from billsby_sandbox.api.routes import SpokenRefusal, route
from billsby_sandbox.books import Books
from billsby_sandbox.errors import Refused
from billsby_sandbox.records import EventLog, Subscription
from billsby_sandbox.store import Value
from billsby_sandbox.words import Actor, SubscriptionStatus

blueprint = Blueprint("subscriptions", __name__)

_COLUMNS = {
    "createdOn": "created_at",
    "status": "status",
    "subscriptionId": "id",
    "subscriptionUniqueId": "uid",
    "customerUniqueId": "customer_uid",
}
_NAME_FILTERS = {
    "productName": "cycle_id IN (SELECT id FROM cycle WHERE folded(product_name) = folded(?))",
    "planName": "cycle_id IN (SELECT id FROM cycle WHERE folded(plan_name) = folded(?))",
}


@route(blueprint, "GET", "/<domain>/subscriptions")
def list_subscriptions(books: Books) -> Json:
    """The company's subscriptions."""
    return paging.envelope(
        books,
        Subscription,
        lambda one: rendering.subscription_in_list(books, one),
        _filters(books),
        _COLUMNS,
    )


def _filters(books: Books) -> list[tuple[str, Value]]:
    conditions: list[tuple[str, Value]] = []
    if paging.flag("isActive"):
        if books.quirk("is_active_means") == "active":
            conditions.append(("status = ?", SubscriptionStatus.ACTIVE))
        else:
            conditions.append(("status <> ?", SubscriptionStatus.CANCELLED))
    if paging.flag("isInFreeTrial"):
        conditions.append(("status = ?", SubscriptionStatus.IN_TRIAL))
    conditions += [
        (condition, name)
        for parameter, condition in _NAME_FILTERS.items()
        if (name := request.args.get(parameter))
    ]
    return conditions


@route(blueprint, "POST", "/<domain>/subscriptions")
def create_customer_and_subscription(books: Books) -> Json:
    """A new customer with a subscription, billed at once."""
    body = bodies.sent(bodies.NewCustomerAndSubscription)
    cycle = books.cycle(body.cycle_id)
    customer = intake.add_customer(
        books,
        Actor.API,
        first_name=body.first_name,
        last_name=body.last_name,
        email=body.email,
        phone_number=body.phone_number,
        dial_code=body.phone_number_dial_code,
        dial_country=body.phone_number_dial_country,
        address=body.address.model_dump(by_alias=True),
        card_good=True,
        created_at=books.now(),
    )
    subscription = intake.add_subscription(
        books, Actor.API, customer, cycle, created_at=books.now(), units=body.units
    )
    return {"customerUniqueId": customer.uid, "subscriptionUniqueId": subscription.uid}


@route(blueprint, "GET", "/<domain>/subscriptions/<uid>")
def subscription_details(books: Books, uid: str) -> Json:
    """One subscription."""
    return rendering.subscription_in_detail(books, books.subscription(uid))


@route(blueprint, "DELETE", "/<domain>/subscriptions/<uid>")
def cancel_subscription(books: Books, uid: str) -> str:
    """Cancel at once and for good; how blocking invoices are answered is a quirk."""
    customer_uid = request.args.get("customerUniqueId", "")
    if not customer_uid:
        raise Refused("customerUniqueId is required.")
    how = books.quirk("api_cancel_blocked")
    subscription = books.subscription(uid)
    if (
        how == "409_message"
        and customer_uid == subscription.customer_uid
        and books.blocking_invoices(customer_uid)
    ):
        raise SpokenRefusal(changes.BLOCKED_WORDS.format(done="cancelled"), code=409)
    changes.cancel(
        books,
        Actor.API,
        uid,
        customer_uid,
        prorated_refund=books.quirk("api_cancel_refund") == "prorated",
        blocked=how != "not_blocked",
    )
    return "success"


@route(blueprint, "GET", "/<domain>/subscriptions/<uid>/logs")
def event_logs(books: Books, uid: str) -> Json:
    """A subscription's event log."""
    subscription = books.subscription(uid)
    return paging.envelope(
        books,
        EventLog,
        lambda line: rendering.event(books, line),
        [("subscription_uid = ?", subscription.uid)],
        {"createdOn": "created_at"},
    )


@route(blueprint, "PUT", "/<domain>/subscriptions/<uid>/plan")
def change_plan(books: Books, uid: str) -> str:
    """Change plan, at once or with the next renewal."""
    body = bodies.sent(bodies.ChangedPlan)
    changes.change_plan(
        books,
        Actor.API,
        uid,
        customer_uid=body.customer_unique_id,
        plan_id=body.plan_id,
        cycle_id=body.cycle_id,
        change_type=body.plan_change_type,
        units=body.units,
        refund_rest=body.issue_refund,
    )
    return "success"


@route(blueprint, "PUT", "/<domain>/subscriptions/<uid>/renewaldate")
def change_renewal_date(books: Books, uid: str) -> Json:
    """Set the next renewal date, and pause until then."""
    body = bodies.sent(bodies.ChangedRenewal)
    if body.new_renewal_date is None and body.pause_subscription is None:
        raise Refused("newRenewalDate or pauseSubscription is required.")
    changes.move_renewal(
        books,
        Actor.API,
        uid,
        _moment(body.new_renewal_date),
        pause=bool(body.pause_subscription),
    )
    return {}


def _moment(text: str | None) -> dt.datetime | None:
    try:
        return times.parsed(text) if text else None
    except ValueError as error:
        raise Refused("newRenewalDate is not a date.") from error
