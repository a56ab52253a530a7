"""Invoices, credit notes and payments are read with their money exact."""

from datetime import UTC, datetime

import pytest

from canceldesk.billsby import CreditNoteStatus, InvoiceKind, InvoiceStatus, Nonsense

from .helpers import answering, company_invoice_row, envelope, invoice_row

DETAILS = {
    "invoiceId": "0",
    "customerUniqueId": "6ZY37ULDEF",
    "invoiceNumber": "6ZY37ULDEF-3",
    "amount": "10",
    "status": "active",
    "invoiceType": "renewal",
    "prorationAdjustment": "£0",
    "subscriptions": [
        {"subscriptionUniqueId": "Y4EDK80W71", "planName": "premium", "subscriptionItems": []}
    ],
}
CREDIT_NOTE = {
    "invoiceId": 0,
    "createdOn": "2020-04-30T11:21:42.155Z",
    "invoiceNumber": "6ZY37ULDEF-2",
    "amount": "2999",
    "currency": "usd",
    "status": "Paid",
}
COMPANY_CREDIT_NOTE = {
    "creditNoteId": 1,
    "creditNoteUniqueId": "CN77",
    "customerId": 56,
    "customerUniqueId": "6ZY37ULDEF",
    "createdOn": "2020-04-30T10:22:14.547Z",
    "amount": "2999",
    "status": "failed",
    "currency": "USD",
}


def only_invoice(**changes):
    (invoice,) = answering([invoice_row(**changes)]).customer_invoices("6ZY37ULDEF")
    return invoice


def test_a_customers_invoice_is_read():
    invoice = only_invoice()
    assert (invoice.number, invoice.amount_minor) == ("6ZY37ULDEF-3", 3010)
    assert (invoice.refundable_minor, invoice.currency) == (3010, "USD")
    assert (invoice.status, invoice.status_raw) == (InvoiceStatus.PAID, "Paid")
    assert invoice.issued_at == datetime(2020, 4, 30, 10, 47, 5, 886000, UTC)


@pytest.mark.parametrize("amount", [440, "440", " 440 "])
def test_an_amount_is_minor_units_as_number_and_as_text(amount):
    assert only_invoice(amount=amount).amount_minor == 440


def test_a_credit_is_below_zero():
    assert only_invoice(amount=-500).amount_minor == -500


@pytest.mark.parametrize("amount", ["14.46", 14.46, 10.0, "$10", None, "", True, "10,00"])
def test_an_amount_that_could_only_be_guessed_is_nonsense(amount):
    with pytest.raises(Nonsense, match="amount"):
        only_invoice(amount=amount)


def test_a_missing_refundable_amount_is_none():
    assert only_invoice(refundableAmount=None).refundable_minor is None


@pytest.mark.parametrize("raw", ["Frozen", "", None])
def test_an_unknown_invoice_status_blocks_and_is_kept_as_it_came(raw):
    invoice = only_invoice(status=raw)
    assert invoice.status is InvoiceStatus.UNKNOWN
    assert invoice.status.blocks
    assert invoice.status_raw == (raw or "")


@pytest.mark.parametrize("number", [None, "", 3])
def test_an_invoice_without_a_number_is_nonsense(number):
    with pytest.raises(Nonsense, match="invoicenumber"):
        only_invoice(invoiceNumber=number)


def test_somebody_elses_invoice_in_the_list_is_nonsense():
    with pytest.raises(Nonsense, match="another one"):
        only_invoice(customerUniqueId="SOMEONE_ELSE")
    assert only_invoice(customerUniqueId="6ZY37ULDEF").number == "6ZY37ULDEF-3"


def test_an_invoice_says_its_kind_and_subscriptions_and_never_a_status():
    invoice = answering(DETAILS).invoice("6ZY37ULDEF-3")
    assert invoice.kind is InvoiceKind.RENEWAL
    assert invoice.subscription_ids == ["Y4EDK80W71"]
    assert invoice.customer_id == "6ZY37ULDEF"
    assert not hasattr(invoice, "status")


@pytest.mark.parametrize("subscriptions", [None, []])
def test_a_one_time_charge_belongs_to_no_subscription(subscriptions):
    reply = DETAILS | {"invoiceType": "OneTimeCharge", "subscriptions": subscriptions}
    invoice = answering(reply).invoice("6ZY37ULDEF-3")
    assert (invoice.kind, invoice.subscription_ids) == (InvoiceKind.ONE_TIME_CHARGE, [])


def test_details_of_another_invoice_are_nonsense():
    with pytest.raises(Nonsense, match="another one"):
        answering(DETAILS).invoice("6ZY37ULDEF-4")


@pytest.mark.parametrize(
    "changes",
    [
        {"invoiceNumber": None},
        {"subscriptions": [{"planName": "premium"}]},
        {"subscriptions": ["Y4EDK80W71"]},
        {"subscriptions": "Y4EDK80W71"},
    ],
)
def test_details_without_the_ids_they_are_asked_for_are_nonsense(changes):
    with pytest.raises(Nonsense):
        answering(DETAILS | changes).invoice("6ZY37ULDEF-3")


def test_the_companys_invoices_name_their_customer():
    rows = [
        company_invoice_row("6ZY37ULDEF-3"),
        company_invoice_row("6ZY37ULDEF-4", status="Unpaid"),
    ]
    first, second = answering(envelope(rows)).company_invoices(is_unpaid=True)
    assert (first.customer_id, first.customer_name) == ("6ZY37ULDEF", "Mary Quinn")
    assert (first.amount_minor, first.currency) == (3010, "USD")
    assert first.issued_at == datetime(2020, 4, 30, 10, 47, 5, 886000, UTC)
    assert (second.status, second.status_raw) == (InvoiceStatus.UNPAID, "Unpaid")


@pytest.mark.parametrize("field", ["invoiceNumber", "customerUniqueId", "amount"])
def test_an_invoice_of_the_company_without_number_customer_or_amount_is_nonsense(field):
    with pytest.raises(Nonsense, match=field.lower()):
        list(answering(envelope([company_invoice_row() | {field: None}])).company_invoices())


def test_a_customers_credit_note_is_read():
    (note,) = answering([CREDIT_NOTE]).customer_credit_notes("6ZY37ULDEF")
    assert (note.number, note.customer_id) == ("6ZY37ULDEF-2", "6ZY37ULDEF")
    assert (note.amount_minor, note.currency) == (2999, "USD")
    assert note.status is CreditNoteStatus.PAID
    assert note.created_on == datetime(2020, 4, 30, 11, 21, 42, 155000, UTC)


def test_somebody_elses_credit_note_in_the_list_is_nonsense():
    rows = [CREDIT_NOTE | {"customerUniqueId": "SOMEONE_ELSE"}]
    with pytest.raises(Nonsense, match="another one"):
        answering(rows).customer_credit_notes("6ZY37ULDEF")


def test_the_companys_credit_notes_are_read():
    (note,) = answering(envelope([COMPANY_CREDIT_NOTE])).company_credit_notes(is_failed=True)
    assert (note.number, note.customer_id, note.amount_minor) == ("CN77", "6ZY37ULDEF", 2999)
    assert (note.status, note.status_raw) == (CreditNoteStatus.FAILED, "failed")


@pytest.mark.parametrize("amount", ["29.99", None])
def test_a_credit_note_whose_amount_could_only_be_guessed_is_nonsense(amount):
    with pytest.raises(Nonsense, match="amount"):
        answering([CREDIT_NOTE | {"amount": amount}]).customer_credit_notes("6ZY37ULDEF")


def test_the_payments_of_an_invoice_are_read():
    row = {
        "paymentLogId": 5,
        "createdOn": "2020-04-29T14:02:11.138Z",
        "gatewayId": 1,
        "gatewayName": "Sandbox",
        "reference": "ref-1",
        "paymentMethod": "card",
        "status": "Declined",
    }
    (log,) = answering([row]).payment_logs("6ZY37ULDEF", "6ZY37ULDEF-3")
    assert (log.billsby_id, log.gateway, log.reference) == ("5", "Sandbox", "ref-1")
    assert (log.payment_method, log.status_raw) == ("card", "Declined")
    assert log.created_on == datetime(2020, 4, 29, 14, 2, 11, 138000, UTC)
