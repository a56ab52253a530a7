"""Customers: the list with its search, and the profile with subscriptions and invoices."""

from __future__ import annotations

import json

from flask import Blueprint, abort, render_template, request

from billsby_sandbox.api.rendering import paid_total
from billsby_sandbox.api.routes import company
from billsby_sandbox.errors import NotFound
from billsby_sandbox.panel.pages import Page
from billsby_sandbox.records import Customer, Invoice

blueprint = Blueprint("customers", __name__, url_prefix="/customers")

_MATCHES = (
    "deleted_at IS NULL AND (uid = ?1 OR instr(folded(email), folded(?1)) > 0 "
    "OR instr(folded(first_name || ' ' || last_name), folded(?1)) > 0)"
)


@blueprint.get("/")
def every() -> str:
    """The list, searched by name, e-mail or Customer ID."""
    search = request.args.get("search", "").strip()
    page = Page(Customer, _MATCHES, search)
    books = company().books
    rows = [(one, books.is_active(one)) for one in page.records]
    return render_template("panel/customers.html", page=page, rows=rows, search=search)


@blueprint.get("/<uid>")
def view(uid: str) -> str:
    """The profile; `?tab=invoices` shows the Invoices tab."""
    books = company().books
    try:
        customer = books.customer(uid)
    except NotFound:
        abort(404)
    invoices = books.store.where(
        Invoice, "customer_uid = ?", uid, tail="ORDER BY created_at DESC, id DESC"
    )
    return render_template(
        "panel/customer.html",
        customer=customer,
        address=json.loads(customer.address),
        active=books.is_active(customer),
        paid=paid_total(books, uid),
        tab=request.args.get("tab", "subscriptions"),
        subscriptions=[(one, books.cycle(one.cycle_id)) for one in books.subscriptions_of(uid)],
        invoices=invoices,
    )
