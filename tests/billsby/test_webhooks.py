"""A webhook with the right secret is a hint; anything else is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.billsby import (
    WebhookForged,
    WebhookHint,
    WebhookUnreadable,
    customer_of_invoice,
    parse_webhook,
    webhooks,
)

SECRET = "a-long-random-word"
ID = "7f0c1d1e-2b0c-4b7e-9a53-0a5e4d1f2c3b"
CUSTOMER = {
    "CustomerUniqueId": "QV4WNSL7E6",
    "Email": "mary@example.com",
    "LastName": "Quinn",
    "FirstName": "Mary",
    "SubscriptionIds": ["6WJYRQ9V3G"],
}
SUBSCRIPTION = {
    "SubscriptionUniqueId": "M6JYJRPV4Q",
    "CustomerUniqueId": "QV4WNSL7E6",
    "SubscriptionStatus": "Suspended",
    "BillsbyProductId": 50,
    "Units": 1,
    "NextBillingDate": "2020-06-22T10:17:42.018276",
}
INVOICE = {
    "InvoiceNumber": "5VL9JC0NE0-3",
    "InvoiceAmount": 1289,
    "CurrencyCode": "GBP",
    "InvoiceStatus": "Pending",
    "Url": "https://app.billsby.com/invoice/5VL9JC0NE0-3",
}
CREDIT_NOTE = {
    "InvoiceNumber": "5VL9JC0NE0-2",
    "CustomerId": 56,
    "CurrencyCode": "USD",
    "Amount": 2999,
    "Status": "Paid",
}
ABOUT_CUSTOMER = {"customer_id": "QV4WNSL7E6"}
ABOUT_SUBSCRIPTION = {
    "customer_id": "QV4WNSL7E6",
    "subscription_id": "M6JYJRPV4Q",
    "status_raw": "Suspended",
}
ABOUT_INVOICE = {
    "customer_id": "5VL9JC0NE0",
    "invoice_number": "5VL9JC0NE0-3",
    "status_raw": "Pending",
}
ABOUT_CREDIT_NOTE = {
    "customer_id": "5VL9JC0NE0",
    "invoice_number": "5VL9JC0NE0-2",
    "status_raw": "Paid",
}


def parse(message, headers=None, secret=SECRET):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return parse_webhook({"Secret": SECRET} if headers is None else headers, body, secret)


@pytest.mark.parametrize(
    ("kind", "fields", "hint"),
    [
        ("CustomerCreated", CUSTOMER, ABOUT_CUSTOMER),
        ("CustomerUpdated", CUSTOMER, ABOUT_CUSTOMER),
        ("CustomerDeleted", CUSTOMER, ABOUT_CUSTOMER),
        ("SubscriptionCreated", SUBSCRIPTION, ABOUT_SUBSCRIPTION),
        ("SubscriptionUpdated", SUBSCRIPTION, ABOUT_SUBSCRIPTION),
        ("InvoiceCreated", INVOICE, ABOUT_INVOICE),
        ("InvoiceUpdated", INVOICE, ABOUT_INVOICE),
        ("CreditNoteCreated", CREDIT_NOTE | {"CustomerUniqueId": "5VL9JC0NE0"}, ABOUT_CREDIT_NOTE),
        ("CreditNoteUpdated", CREDIT_NOTE, ABOUT_CREDIT_NOTE),
    ],
)
def test_each_of_the_nine_types_says_where_to_look(kind, fields, hint):
    assert parse(fields | {"Type": kind, "Id": ID}) == WebhookHint(id=ID, type=kind, **hint)


def test_a_type_that_is_new_is_still_a_hint():
    assert parse({"Type": "SubscriptionMoved", "Id": ID}) == WebhookHint(
        id=ID, type="SubscriptionMoved"
    )


@pytest.mark.parametrize("name", ["Secret", "secret", "SECRET", "sEcReT"])
def test_the_secrets_header_is_found_in_any_case(name):
    assert parse({"Type": "X", "Id": ID}, {"Host": "desk.example.com", name: SECRET}).id == ID


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Secret": ""},
        {"Secret": "wrong"},
        {"Secret": SECRET.upper()},
        {"Secret": SECRET + " "},
        {"Secret": "ä" + SECRET},
        {"X-Secret": SECRET},
        {"Authorization": SECRET},
    ],
)
def test_a_missing_or_wrong_secret_is_a_forgery_whatever_the_body(headers):
    for message in ({"Type": "X", "Id": ID}, b"rubbish", b""):
        with pytest.raises(WebhookForged) as caught:
            parse(message, headers)
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize("headers", [{}, {"Secret": ""}, {"Secret": "anything"}])
def test_while_no_secret_is_set_nothing_is_believed(headers):
    with pytest.raises(WebhookForged):
        parse({"Type": "X", "Id": ID}, headers, secret="")


@given(given_secret=st.text())
def test_no_other_word_passes_for_the_secret(given_secret):
    if given_secret == SECRET:
        return
    with pytest.raises(WebhookForged):
        parse({"Type": "X", "Id": ID}, {"Secret": given_secret})


@given(body=st.binary())
def test_no_body_breaks_the_reading(body):
    with pytest.raises(WebhookUnreadable, match="can't be read"):
        parse(body)


@pytest.mark.parametrize(
    "message",
    [
        {},
        [],
        None,
        "SubscriptionUpdated",
        {"Type": "X"},
        {"Id": ID},
        {"Type": "", "Id": ID},
        {"Type": "X", "Id": 5},
        {"Type": ["X"], "Id": ID},
        {"Type": "X", "Id": ID, "CustomerUniqueId": 56},
        {"Type": "X", "Id": ID, "InvoiceNumber": {"a": 1}},
    ],
)
def test_a_message_without_type_or_id_or_with_odd_ids_is_unreadable(message):
    with pytest.raises(WebhookUnreadable):
        parse(message)


def test_a_message_that_is_far_too_long_is_not_read():
    body = json.dumps({"Type": "X", "Id": ID, "Filler": "x" * webhooks.LARGEST_BODY}).encode()
    with pytest.raises(WebhookUnreadable, match="longer"):
        parse(body)


def test_an_unreadable_message_is_not_quoted_back():
    with pytest.raises(WebhookUnreadable) as caught:
        parse({"Type": "X", "Id": ID, "CustomerUniqueId": 56, "Email": "mary@example.com"})
    assert "mary" not in str(caught.value)


@given(customer=st.from_regex(r"[A-Z0-9]{1,12}", fullmatch=True), counter=st.integers(0, 10**6))
def test_the_customer_stands_before_the_dash_of_an_invoice_number(customer, counter):
    assert customer_of_invoice(f"{customer}-{counter}") == customer


@pytest.mark.parametrize("number", [None, "", "5VL9JC0NE0", "-3", "5VL9JC0NE0-", "5VL9-x", "-"])
def test_a_number_that_holds_no_customer_gives_none(number):
    assert customer_of_invoice(number) is None
