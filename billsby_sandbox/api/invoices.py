"""Calls about invoices, refunds and credit notes."""

from __future__ import annotations

from flask import Blueprint, Response, request

from billsby_sandbox import changes
from billsby_sandbox.api import bodies, paging, rendering
from billsby_sandbox.api.rendering import Json
from billsby_sandbox.api.routes import as_text, route
from billsby_sandbox.books import Books
from billsby_sandbox.errors import NotFound
from billsby_sandbox.records import CreditNote, Invoice, PaymentLog
from billsby_sandbox.store import Value
from billsby_sandbox.words import Actor, CreditNoteStatus, InvoiceStatus

blueprint = Blueprint("invoices", __name__)

_INVOICE_FLAGS = {
    "isPending": InvoiceStatus.PENDING,
    "isPaid": InvoiceStatus.PAID,
    "isUnpaid": InvoiceStatus.UNPAID,
    "isPaidOffline": InvoiceStatus.PAID_OFFLINE,
    "isWrittenOff": InvoiceStatus.WRITTEN_OFF,
}
_CREDIT_NOTE_FLAGS = {
    "isPending": CreditNoteStatus.PENDING,
    "isPaid": CreditNoteStatus.PAID,
    "isFailed": CreditNoteStatus.FAILED,
}
_COLUMNS = {
    "createdOn": "created_at",
    "amount": "amount",
    "status": "status",
    "invoiceNumber": "number",
    "invoiceId": "id",
    "customerUniqueId": "customer_uid",
}
_OWNER = "SELECT first_name || ' ' || last_name FROM customer WHERE uid = customer_uid"


@route(blueprint, "GET", "/<domain>/companies/invoices")
def list_invoices(books: Books) -> Json:
    """The company's invoices. Several status flags let through any of theirs; there is no flag
    for To be written off.
    """
    conditions = _status_conditions(
        [status for name, status in _INVOICE_FLAGS.items() if paging.flag(name)]
    )
    return paging.envelope(
        books,
        Invoice,
        lambda one: rendering.invoice_in_list(books, one),
        conditions + _query_conditions(books),
        _COLUMNS,
    )


def _status_conditions(
    statuses: list[InvoiceStatus] | list[CreditNoteStatus],
) -> list[tuple[str, Value]]:
    if not statuses:
        return []
    return [("instr(?, ' ' || status || ' ') > 0", f" {' '.join(statuses)} ")]


def _query_conditions(books: Books) -> list[tuple[str, Value]]:
    query = request.args.get("query", "").strip()
    where = books.quirk("invoice_query_matches")
    if not query or where == "nothing":
        return []
    text = "number" if where == "number" else f"number || ' ' || ({_OWNER})"
    return [(f"instr(folded({text}), folded(?)) > 0", query)]


@route(blueprint, "GET", "/invoices/<number>")
def invoice_details(books: Books, number: str) -> Json:
    """One invoice. The only documented call without the company domain."""
    return rendering.invoice_in_detail(books, books.invoice(number))


@route(blueprint, "PUT", "/<domain>/invoices/<number>/WrittenOff")
def write_off(books: Books, number: str) -> str:
    """Write an invoice off."""
    changes.write_off(books, Actor.API, number)
    return "success"


@route(blueprint, "PUT", "/<domain>/invoices/<number>/PaidOffline")
def paid_offline(books: Books, number: str) -> str:
    """Mark an invoice as paid offline."""
    changes.mark_paid_offline(books, Actor.API, number)
    return "success"


@route(blueprint, "PUT", "/<domain>/invoices/<number>/Payment")
def reattempt_payment(books: Books, number: str) -> str:
    """Try to charge an invoice again; success means that it was tried."""
    changes.reattempt(books, Actor.API, number)
    return "success"


@route(blueprint, "POST", "/<domain>/customers/<uid>/invoices")
def charge_once(books: Books, uid: str) -> Response:
    """A one-time charge; answered with the plain text `true`."""
    body = bodies.sent(bodies.OneTimeCharge)
    changes.charge_once(
        books,
        Actor.API,
        uid,
        amount=body.amount,
        currency=body.currency_code,
        description=body.description,
    )
    return as_text("true")


@route(blueprint, "POST", "/<domain>/customers/<uid>/refunds")
def refund(books: Books, uid: str) -> Response:
    """Refund an invoice; answered with JSON that calls itself plain text."""
    body = bodies.sent(bodies.Refund)
    changes.refund(books, Actor.API, uid, body.invoice_number, body.amount)
    return as_text(body.model_dump_json(by_alias=True))


@route(blueprint, "GET", "/<domain>/customers/<uid>/invoices/<number>/paymentlogs")
def payment_logs(books: Books, uid: str, number: str) -> list[Json]:
    """The attempts to charge one of the customer's invoices."""
    if books.invoice(number).customer_uid != books.customer(uid).uid:
        raise NotFound("Invoice not found")
    lines = books.store.where(PaymentLog, "invoice_number = ?", number)
    return [rendering.payment_log(line) for line in lines]


@route(blueprint, "GET", "/<domain>/companies/creditnotes")
def list_credit_notes(books: Books) -> Json:
    """The company's credit notes."""
    conditions = _status_conditions(
        [status for name, status in _CREDIT_NOTE_FLAGS.items() if paging.flag(name)]
    )
    return paging.envelope(
        books,
        CreditNote,
        lambda one: rendering.credit_note_in_list(books, one),
        conditions + _query_conditions(books),
        _COLUMNS,
    )


@route(blueprint, "PUT", "/<domain>/creditNotes/<number>/Payment")
def pay_credit_note(books: Books, number: str) -> str:
    """Try to pay a credit note again."""
    changes.pay_credit_note(books, Actor.API, number)
    return "success"
