"""Subscriptions: the list with its search, the individual page, and what can be done there."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from billsby_sandbox import changes, times
from billsby_sandbox.api.routes import company
from billsby_sandbox.errors import NotFound
from billsby_sandbox.panel.pages import Page, clicked
from billsby_sandbox.records import EventLog, Subscription
from billsby_sandbox.words import LABELS, SubscriptionStatus

blueprint = Blueprint("subscriptions", __name__, url_prefix="/subscriptions")

_MATCHES = (
    "folded(uid) = folded(?1) OR customer_uid IN (SELECT uid FROM customer WHERE "
    "instr(folded(first_name || ' ' || last_name), folded(?1)) > 0 "
    "OR instr(folded(email), folded(?1)) > 0)"
)
REFUND_CHOICES = {
    "none": "Do not issue a refund",
    "prorated": "Issue a pro-rated refund",
}


@blueprint.get("/")
def every() -> str:
    """The list, searched by customer name, e-mail or subscription ID."""
    search = request.args.get("search", "").strip()
    page = Page(Subscription, _MATCHES, search) if search else Page(Subscription)
    books = company().books
    rows = [(one, books.owner(one), books.cycle(one.cycle_id)) for one in page.records]
    return render_template("panel/subscriptions.html", page=page, rows=rows, search=search)


@blueprint.get("/<uid>")
def view(uid: str) -> str:
    """The individual subscription with its event log."""
    shop, subscription = company(), _subscription(uid)
    return _page(
        "panel/subscription.html",
        subscription,
        log=reversed(shop.books.store.where(EventLog, "subscription_uid = ?", uid)),
    )


@blueprint.get("/<uid>/status")
def status(uid: str) -> str:
    """Choose another status."""
    subscription = _subscription(uid)
    offered = changes.statuses_offered(company().books, subscription)
    return _page("panel/update_status.html", subscription, offered=offered)


@blueprint.post("/<uid>/status")
def update_status(uid: str) -> str | Response:
    """Ask to confirm, then set the status."""
    subscription, shop = _subscription(uid), company()
    chosen = request.form.get("status", "")
    if chosen not in (SubscriptionStatus.ACTIVE, SubscriptionStatus.SUSPENDED):
        flash("Choose a status.", "refused")
        return redirect(url_for(".status", uid=uid))
    if "confirmed" not in request.form:
        return _page("panel/confirm_status.html", subscription, chosen=chosen)
    act = shop.panel_suspend if chosen == SubscriptionStatus.SUSPENDED else shop.panel_activate
    return clicked(
        lambda: act(uid),
        f"The status is now {LABELS[chosen]}.",
        to=url_for(".view", uid=uid),
        back=url_for(".status", uid=uid),
    )


@blueprint.get("/<uid>/cancel")
def cancellation(uid: str) -> str:
    """The side page that asks for the refund choice and the Customer ID."""
    return _page("panel/cancel.html", _subscription(uid), choices=REFUND_CHOICES)


@blueprint.post("/<uid>/cancel")
def cancel(uid: str) -> Response:
    """Cancel at once and for good."""
    typed = request.form.get("customer_id", "").strip()
    prorated = request.form.get("refund") == "prorated"
    _subscription(uid)
    return clicked(
        lambda: company().panel_cancel(uid, typed, prorated_refund=prorated),
        "The subscription is cancelled.",
        to=url_for(".view", uid=uid),
        back=url_for(".cancellation", uid=uid),
    )


@blueprint.get("/<uid>/bill-date")
def bill_date(uid: str) -> str:
    """Choose a new bill date and the status until then."""
    return _page("panel/bill_date.html", _subscription(uid))


@blueprint.post("/<uid>/bill-date")
def change_bill_date(uid: str) -> Response:
    """Move the bill date, and pause until then."""
    pause = request.form.get("until") == SubscriptionStatus.PAUSED
    _subscription(uid)
    try:
        date = times.parsed(request.form.get("date", ""))
    except ValueError:
        flash("Choose a new bill date.", "refused")
        return redirect(url_for(".bill_date", uid=uid))
    return clicked(
        lambda: company().panel_change_bill_date(uid, date, pause=pause),
        f"The next bill date is {date:%d %b %Y}.",
        to=url_for(".view", uid=uid),
        back=url_for(".bill_date", uid=uid),
    )


def _subscription(uid: str) -> Subscription:
    try:
        return company().subscription(uid)
    except NotFound:
        abort(404)


def _page(template: str, subscription: Subscription, **values: object) -> str:
    books = company().books
    return render_template(
        template,
        subscription=subscription,
        customer=books.owner(subscription),
        cycle=books.cycle(subscription.cycle_id),
        **values,
    )
