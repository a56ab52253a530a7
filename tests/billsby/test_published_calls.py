"""Every call the client can make is one that Billsby publishes, by name and by letter.

``published_calls.json`` is an extract (method, path, query, body) of the published API
description, version 1.3.5, with the stray spaces taken out of the path of one call.
"""

import inspect
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from canceldesk.billsby import BASE_URL, Billsby, HttpBillsby, PlanChange

from .helpers import (
    DOMAIN,
    KEY,
    Script,
    client,
    company_invoice_row,
    customer_details,
    envelope,
    invoice_row,
    sent,
    subscription_details,
)

PUBLISHED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "published_calls.json").read_text(encoding="utf-8")
)
CUSTOMER, SUBSCRIPTION, INVOICE = "6ZY37ULDEF", "Y7MX4G314L", "6ZY37ULDEF-3"
EMPTY_PAGE = envelope([])
FILTERS = {
    "query": "Quinn",
    "order_by": "CreatedOn",
    "order_by_descending": "CreatedOn",
    "is_pending": True,
    "is_paid": False,
}

# Method of the client: arguments, reply, HTTP method and path it must use.
CALLS: dict[str, tuple[tuple[Any, ...], dict[str, Any], object, str]] = {
    "customers": ((), {"search": "Quinn"}, EMPTY_PAGE, "GET /{companyDomain}/customers"),
    "customer": (
        (CUSTOMER,),
        {},
        customer_details(),
        "GET /{companyDomain}/customers/{customerUniqueId}",
    ),
    "customer_subscriptions": (
        (CUSTOMER,),
        {},
        [],
        "GET /{companyDomain}/customers/{customerUniqueId}/subscriptions",
    ),
    "customer_invoices": (
        (CUSTOMER,),
        {},
        [invoice_row()],
        "GET /{companyDomain}/customers/{customerUniqueId}/invoices",
    ),
    "customer_credit_notes": (
        (CUSTOMER,),
        {},
        [],
        "GET /{companyDomain}/customers/{customerUniqueId}/creditNotes",
    ),
    "subscriptions": (
        (),
        {
            "is_active": True,
            "is_in_free_trial": False,
            "product_name": "Plus",
            "plan_name": "Premium",
            "order_by": "CreatedOn",
            "order_by_descending": "CreatedOn",
        },
        EMPTY_PAGE,
        "GET /{companyDomain}/subscriptions",
    ),
    "subscription": (
        (SUBSCRIPTION,),
        {},
        subscription_details(),
        "GET /{companyDomain}/subscriptions/{subscriptionUniqueId}",
    ),
    "subscription_log": (
        (SUBSCRIPTION,),
        {},
        EMPTY_PAGE,
        "GET /{companyDomain}/subscriptions/{subscriptionUniqueId}/logs",
    ),
    "invoice": (
        (INVOICE,),
        {},
        {"invoiceNumber": INVOICE, "invoiceType": "renewal"},
        "GET /invoices/{invoiceNumber}",
    ),
    "company_invoices": (
        (),
        FILTERS | {"is_unpaid": True, "is_paid_offline": True, "is_written_off": True},
        envelope([company_invoice_row()]),
        "GET /{companyDomain}/companies/invoices",
    ),
    "company_credit_notes": (
        (),
        FILTERS | {"is_failed": True},
        EMPTY_PAGE,
        "GET /{companyDomain}/companies/creditnotes",
    ),
    "payment_logs": (
        (CUSTOMER, INVOICE),
        {},
        [],
        "GET /{companyDomain}/customers/{customerUniqueId}/invoices/{invoiceNumber}/paymentlogs",
    ),
    "set_renewal_date": (
        (SUBSCRIPTION, date(2030, 1, 1)),
        {"pause": True},
        {},
        "PUT /{companyDomain}/subscriptions/{subscriptionUniqueId}/renewaldate",
    ),
    "write_off": (
        (INVOICE,),
        {},
        "success",
        "PUT /{companyDomain}/invoices/{invoiceNumber}/WrittenOff",
    ),
    "cancel_subscription": (
        (SUBSCRIPTION, CUSTOMER),
        {},
        "success",
        "DELETE /{companyDomain}/subscriptions/{subscriptionUniqueId}",
    ),
    "change_plan": (
        (SUBSCRIPTION, CUSTOMER),
        {
            "plan_id": 10,
            "cycle_id": 11,
            "when": PlanChange.ON_RENEWAL,
            "units": 2,
            "add_ons": {1: 3},
            "allowances": [1, 22],
            "issue_refund": True,
        },
        "success",
        "PUT /{companyDomain}/subscriptions/{subscriptionUniqueId}/plan",
    ),
    "refund": (
        (CUSTOMER, INVOICE, 100),
        {},
        {"invoiceNumber": INVOICE, "amount": 100},
        "POST /{companyDomain}/customers/{customerUniqueId}/refunds",
    ),
    "reattempt_payment": (
        (INVOICE,),
        {},
        "success",
        "PUT /{companyDomain}/invoices/{invoiceNumber}/Payment",
    ),
    "mark_paid_offline": (
        (INVOICE,),
        {},
        "success",
        "PUT /{companyDomain}/invoices/{invoiceNumber}/PaidOffline",
    ),
    "reattempt_credit_note": (
        ("CN77",),
        {},
        "success",
        "PUT /{companyDomain}/creditNotes/{creditNoteNumber}/Payment",
    ),
}
JSON_TYPES = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
}


def published(call):
    method, path = call.split(" ")
    return next(c for c in PUBLISHED["calls"] if (c["method"], c["path"]) == (method, path))


def made(name):
    """Make the call and give the one request it sent."""
    arguments, options, reply, _ = CALLS[name]
    script = Script(httpx.Response(200, json=reply))
    result = getattr(client(script), name)(*arguments, **options)
    if result is not None and not isinstance(result, list) and hasattr(result, "__next__"):
        list(result)
    (request,) = script.asked
    return request


def public_methods(kind):
    return {
        name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")
    }


def test_no_call_of_the_interface_or_the_client_is_left_unchecked():
    assert public_methods(Billsby) == set(CALLS)
    assert public_methods(HttpBillsby) == set(CALLS) | {"close"}


@pytest.mark.parametrize("name", CALLS)
def test_the_client_takes_what_the_interface_says(name):
    assert inspect.signature(getattr(HttpBillsby, name)) == inspect.signature(
        getattr(Billsby, name)
    )


@pytest.mark.parametrize("name", CALLS)
def test_method_and_path_are_published(name):
    request = made(name)
    call = published(CALLS[name][3])
    values = {
        "companyDomain": DOMAIN,
        "customerUniqueId": CUSTOMER,
        "subscriptionUniqueId": SUBSCRIPTION,
        "invoiceNumber": INVOICE,
        "creditNoteNumber": "CN77",
    }
    path = re.sub(r"\{(\w+)\}", lambda match: values[match[1]], call["path"])
    assert (request.method, request.url.path) == (
        call["method"],
        httpx.URL(PUBLISHED["server"]).path + path,
    )


@pytest.mark.parametrize("name", CALLS)
def test_the_query_has_all_required_names_and_no_unpublished_one(name):
    names = set(made(name).url.params)
    query = published(CALLS[name][3])["query"]
    assert {key for key, rule in query.items() if rule["required"]} <= names <= set(query)


@pytest.mark.parametrize("name", CALLS)
def test_the_queries_values_are_of_the_published_types(name):
    query = published(CALLS[name][3])["query"]
    for key, value in made(name).url.params.items():
        if query[key]["type"] == "boolean" or key == "isUnpaid":
            assert value in ("true", "false")
        if query[key]["type"] == "integer":
            assert value.isdecimal()


@pytest.mark.parametrize("name", CALLS)
def test_the_body_has_all_required_names_and_no_unpublished_one(name):
    body = sent(made(name))
    rules = published(CALLS[name][3])["body"]
    assert (body is None) == (not rules)
    for key, value in (body or {}).items():
        assert type(value) is JSON_TYPES[rules[key]["type"]], key
    assert {key for key, rule in rules.items() if rule["required"]} <= set(body or {})


def test_every_published_filter_of_the_lists_can_be_used():
    for name in ("customers", "subscriptions", "company_invoices", "company_credit_notes"):
        assert set(made(name).url.params) == set(published(CALLS[name][3])["query"]), name


def test_address_and_key_header_are_the_published_ones():
    assert PUBLISHED["server"] == BASE_URL
    assert made("customer").headers[PUBLISHED["key_header"]] == KEY


def test_the_call_that_writes_to_the_client_is_never_made():
    paths = {call for *_, call in CALLS.values()}
    assert any("paymentdetailsrequest" in call["path"] for call in PUBLISHED["calls"])
    assert not any("paymentdetailsrequest" in path for path in paths)
    assert not any("delete" in name for name in public_methods(HttpBillsby))
