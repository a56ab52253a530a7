"""Invoices & credit notes: the lists, one invoice, and what can be done with it."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request, url_for
from werkzeug.wrappers import Response

from billsby_sandbox import changes
from billsby_sandbox.api.routes import company
from billsby_sandbox.errors import NotFound
from billsby_sandbox.panel.pages import Page, clicked
from billsby_sandbox.records import CreditNote, Invoice, PaymentLog
from billsby_sandbox.words import BLOCKING, COLLECTABLE, LABELS, Actor, InvoiceStatus

blueprint = Blueprint("invoices", __name__, url_prefix="/invoices")

_HUNDREDTHS = 100


@blueprint.get("/")
def every() -> str:
    """The list of invoices, filtered by status."""
    chosen = request.args.get("status", "")
    page = Page(Invoice, "status = ?", chosen) if chosen else Page(Invoice)
    books = company().books
    rows = [(one, books.owner(one)) for one in page.records]
    return render_template(
        "panel/invoices.html",
        page=page,
        rows=rows,
        chosen=chosen,
        statuses=list(InvoiceStatus),
        blocking=BLOCKING,
    )


@blueprint.get("/credit-notes")
def credit_notes() -> str:
    """The list of credit notes."""
    page = Page(CreditNote)
    books = company().books
    rows = [(one, books.owner(one)) for one in page.records]
    return render_template("panel/credit_notes.html", page=page, rows=rows)


@blueprint.get("/<number>")
def view(number: str) -> str:
    """One invoice with its payment log."""
    books, invoice = company().books, _invoice(number)
    return render_template(
        "panel/invoice.html",
        invoice=invoice,
        customer=books.owner(invoice),
        payments=books.store.where(PaymentLog, "invoice_number = ?", number),
        blocking=BLOCKING,
        collectable=COLLECTABLE,
    )


@blueprint.get("/<number>/status")
def status(number: str) -> str:
    """Choose Written off or Paid Offline."""
    invoice = _invoice(number)
    return render_template(
        "panel/invoice_status.html", invoice=invoice, customer=company().books.owner(invoice)
    )


@blueprint.post("/<number>/status")
def update_status(number: str) -> Response:
    """Write the invoice off or mark it as paid offline."""
    _invoice(number)
    shop = company()
    written_off = request.form.get("status") == InvoiceStatus.WRITTEN_OFF
    act = shop.panel_write_off if written_off else shop.panel_paid_offline
    label = LABELS["WrittenOff" if written_off else "PaidOffline"]
    return clicked(
        lambda: act(number),
        f"Invoice {number} is now {label}.",
        to=url_for(".view", number=number),
        back=url_for(".status", number=number),
    )


@blueprint.post("/<number>/reattempt")
def reattempt(number: str) -> Response:
    """Try to charge it again."""
    _invoice(number)
    page = url_for(".view", number=number)
    return clicked(
        lambda: company().panel_reattempt(number),
        "The payment was attempted again.",
        to=page,
        back=page,
    )


@blueprint.post("/<number>/refund")
def refund(number: str) -> Response:
    """Give part or all of it back."""
    invoice, shop = _invoice(number), company()
    amount = _hundredths(request.form.get("amount", ""))

    def give_back() -> None:
        with shop.transaction() as books:
            changes.refund(books, Actor.PANEL, invoice.customer_uid, number, amount)

    page = url_for(".view", number=number)
    return clicked(give_back, "The refund is on its way.", to=page, back=page)


def _hundredths(text: str) -> int:
    """An amount as typed, in hundredths; 0, which is refused, for what is no amount."""
    try:
        return round(float(text) * _HUNDREDTHS)
    except (ValueError, OverflowError):
        return 0


def _invoice(number: str) -> Invoice:
    try:
        return company().invoice(number)
    except NotFound:
        abort(404)
