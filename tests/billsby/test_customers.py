"""Customers and subscriptions: read tolerantly, refused when about somebody else."""

import dataclasses
import json
from datetime import UTC, datetime

import httpx
import pytest

from canceldesk.billsby import Billsby, Nonsense, SubscriptionStatus

from .helpers import (
    Script,
    answering,
    client,
    customer_details,
    customer_row,
    envelope,
    says,
    subscription_details,
)


def only_customer(**changes):
    return next(answering(envelope([customer_row(**changes)])).customers())


def customers_subscription(**changes):
    row = {
        "subscriptionId": "Y7MX4G314L",
        "productId": 1,
        "productName": "First product",
        "planId": 2,
        "planName": "First plan",
        "status": "Active",
        "currency": "usd",
        "revenue": "1446",
        "nextBilling": "2021-05-29T10:46:39.498Z",
        "createdOn": "2020-04-29T10:46:39.498Z",
        "units": 1,
    } | changes
    return {name: value for name, value in row.items() if value != "absent"}


def summary(**changes):
    row = {
        "subscriptionId": 10,
        "subscriptionUniqueID": "GAFD660",
        "customerId": 10,
        "customerUniqueId": "VKQRJFLZNV",
        "customerEmail": "maryf@example.com",
        "customerFullname": "Mary",
        "planId": "82",
        "planName": "Premium",
        "productId": "44",
        "productName": "Plus",
        "createdOn": "2019-08-29T09:40:27.590Z",
        "status": "Active",
        "isInFreeTrial": False,
    } | changes
    return {name: value for name, value in row.items() if value != "absent"}


def test_the_client_is_a_billsby():
    billsby: Billsby = answering({})
    assert not hasattr(billsby, "payment_details_request")


def test_a_row_of_the_customer_list_becomes_a_customer():
    customer = only_customer()
    assert customer.billsby_id == "6ZY37ULDEF"
    assert customer.name == "Mary Quinn"
    assert customer.email == "mary.quinn@example.com"
    assert customer.phone == "+1 2025550123"
    assert customer.status == "active"
    assert customer.created_on == datetime(2020, 4, 29, 10, 8, 39, 320000, UTC)


@pytest.mark.parametrize(
    ("number", "code", "phone"),
    [
        (None, None, ""),
        ("2025550123", None, "2025550123"),
        (None, "+1", ""),
        ("2025550123", 1, "+1 2025550123"),
        (2025550123, "1", "+1 2025550123"),
        ("07700 555 012", "+44", "+44 07700 555 012"),
        ("+1 202 555 0123", "+1", "+1 202 555 0123"),
        ("2025550123", "001", "001 2025550123"),
    ],
)
def test_the_phone_is_shown_with_its_dial_code_as_billsby_keeps_it(number, code, phone):
    assert only_customer(phoneNumber=number, phoneNumberDialCode=code).phone == phone


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [("Mary", "Quinn", "Mary Quinn"), (None, "Quinn", "Quinn"), (" Mary ", None, "Mary")],
)
def test_a_name_has_no_stray_spaces(first, last, name):
    assert only_customer(firstName=first, lastName=last).name == name


def test_the_search_goes_to_billsby_as_it_is():
    script = Script(httpx.Response(200, json=envelope([])))
    assert list(client(script).customers(search="Quinn & Söhne?page=7")) == []
    assert script.asked[0].url.params["search"] == "Quinn & Söhne?page=7"
    assert script.asked[0].url.params["page"] == "1"


def test_a_customers_details_carry_the_total_in_minor_units():
    customer = answering(customer_details()).customer("6ZY37ULDEF")
    assert (customer.total_paid_minor, customer.currency) == (440, "USD")
    assert (customer.additional_email, customer.card_status) == ("mary@example.com", "active")
    assert customer.phone == "+1 2025550123"


@pytest.mark.parametrize("total", [None, "", "absent"])
def test_a_total_that_is_not_given_is_none(total):
    reply = customer_details(totalAmountPaid=total)
    if total == "absent":
        del reply["totalAmountPaid"]
    assert answering(reply).customer("6ZY37ULDEF").total_paid_minor is None


@pytest.mark.parametrize("total", ["440.00", "$440", "four hundred", {"amount": 440}])
def test_a_total_whose_unit_is_not_clear_is_none_and_hides_nothing_else(total):
    customer = answering(customer_details(totalAmountPaid=total)).customer("6ZY37ULDEF")
    assert customer.total_paid_minor is None
    assert customer.email


def test_a_reply_that_is_a_string_holding_json_is_read():
    text = json.dumps(json.dumps(customer_details()))
    assert says(text).customer("6ZY37ULDEF").name == "Mary Quinn"


def test_a_reply_about_another_customer_is_nonsense():
    with pytest.raises(Nonsense, match="another one") as caught:
        answering(customer_details("SOMEONE_ELSE")).customer("6ZY37ULDEF")
    assert caught.value.maybe_done is False


@pytest.mark.parametrize("missing", [None, "", "  ", 17])
def test_a_customer_without_an_id_is_nonsense(missing):
    with pytest.raises(Nonsense, match="customeruniqueid"):
        answering(customer_details() | {"customerUniqueId": missing}).customer("6ZY37ULDEF")
    with pytest.raises(Nonsense, match="customeruniqueid"):
        only_customer(customerUniqueId=missing)


def test_a_field_said_twice_with_two_values_is_nonsense():
    reply = customer_details() | {"CustomerUniqueID": "SOMEONE_ELSE"}
    with pytest.raises(Nonsense, match="customeruniqueid twice"):
        answering(reply).customer("6ZY37ULDEF")


def test_a_field_said_twice_with_one_value_or_none_is_fine():
    reply = customer_details() | {"CUSTOMERUNIQUEID": None, "EMAIL": "mary.quinn@example.com"}
    assert answering(reply).customer("6ZY37ULDEF").email == "mary.quinn@example.com"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"subscriptionId": 10, "subscriptionUniqueID": "Y7MX4G314L"},
        {"subscriptionId": 10, "subscriptionUniqueId": "Y7MX4G314L"},
        {"subscriptionId": "absent", "subscriptionUniqueId": "Y7MX4G314L"},
        {"subscriptionUniqueID": None},
        {"subscriptionId": "10", "subscriptionUniqueID": "Y7MX4G314L"},
    ],
)
def test_a_customers_subscription_is_found_under_all_its_names(fields):
    (subscription,) = answering([customers_subscription(**fields)]).customer_subscriptions("C1")
    assert subscription.billsby_id == "Y7MX4G314L"


@pytest.mark.parametrize("wrong", [10, None, "", "absent", True])
def test_an_internal_number_is_not_taken_for_a_subscriptions_id(wrong):
    with pytest.raises(Nonsense, match="missing"):
        answering([customers_subscription(subscriptionId=wrong)]).customer_subscriptions("C1")


def test_a_customers_subscription_carries_status_dates_and_currency():
    (subscription,) = answering([customers_subscription()]).customer_subscriptions("C1")
    assert subscription.status is SubscriptionStatus.ACTIVE
    assert subscription.next_billing_at == datetime(2021, 5, 29, 10, 46, 39, 498000, UTC)
    assert subscription.started_at == datetime(2020, 4, 29, 10, 46, 39, 498000, UTC)
    assert (subscription.currency, subscription.units) == ("USD", 1)
    assert (subscription.plan_name, subscription.product_name) == ("First plan", "First product")


def test_an_unknown_status_is_kept_as_it_came():
    row = customers_subscription(status="Frozen solid", nextBilling=None)
    (subscription,) = answering([row]).customer_subscriptions("C1")
    assert subscription.status is SubscriptionStatus.UNKNOWN
    assert subscription.status_raw == "Frozen solid"
    assert subscription.next_billing_at is None


def test_a_customer_without_subscriptions_has_none():
    assert answering([]).customer_subscriptions("C1") == []


def test_somebody_elses_subscription_in_the_list_is_nonsense():
    rows = [customers_subscription(customerUniqueId="C2")]
    with pytest.raises(Nonsense, match="another one"):
        answering(rows).customer_subscriptions("C1")
    assert len(answering(rows).customer_subscriptions("C2")) == 1


@pytest.mark.parametrize("reply", [{}, None, "success", {"results": []}, ["Y7MX4G314L"], [None]])
def test_what_is_no_list_of_subscriptions_is_nonsense(reply):
    with pytest.raises(Nonsense):
        answering(reply).customer_subscriptions("C1")


@pytest.mark.parametrize("name", ["subscriptionUniqueID", "subscriptionUniqueId"])
def test_the_companys_subscriptions_are_read_in_both_spellings(name):
    row = summary(subscriptionUniqueID="absent") | {name: "GAFD660"}
    (found,) = answering(envelope([row])).subscriptions()
    assert (found.billsby_id, found.customer_id) == ("GAFD660", "VKQRJFLZNV")
    assert (found.customer_email, found.customer_name) == ("maryf@example.com", "Mary")
    assert (found.plan_name, found.product_name) == ("Premium", "Plus")
    assert found.status is SubscriptionStatus.ACTIVE
    assert found.created_on == datetime(2019, 8, 29, 9, 40, 27, 590000, UTC)


@pytest.mark.parametrize("field", ["subscriptionUniqueID", "customerUniqueId"])
def test_a_subscription_of_the_company_without_its_ids_is_nonsense(field):
    with pytest.raises(Nonsense, match=field.lower()):
        list(answering(envelope([summary(**{field: "absent"})])).subscriptions())


def test_a_subscription_in_full_is_read():
    subscription = answering(subscription_details()).subscription("Y7MX4G314L")
    assert subscription.customer_id == "6ZY37ULDEF"
    assert subscription.customer_name == "Mary Quinn"
    assert subscription.status is SubscriptionStatus.ACTIVE
    assert subscription.started_at == datetime(2020, 12, 21, 15, 59, 19, 95789, UTC)
    assert subscription.next_billing_at == datetime(2021, 1, 1, 15, 59, 19, 95789, UTC)
    assert subscription.next_billing_minor == 4000
    assert subscription.total_revenue_minor == 1446
    assert (subscription.plan_id, subscription.cycle_id, subscription.units) == (26, 28, 1)
    assert subscription.contract_minimum_term_end is None


def test_a_suspended_subscription_without_a_next_charge_is_read():
    reply = subscription_details(status="SUSPENDED", nextBillingDate=None, nextBillingAmount=None)
    subscription = answering(reply).subscription("Y7MX4G314L")
    assert subscription.status is SubscriptionStatus.SUSPENDED
    assert (subscription.next_billing_at, subscription.next_billing_minor) == (None, None)


def test_a_reply_about_another_subscription_is_nonsense():
    with pytest.raises(Nonsense, match="another one"):
        answering(subscription_details("OTHER")).subscription("Y7MX4G314L")


@pytest.mark.parametrize("field", ["subscriptionUniqueId", "customerUniqueId", "status"])
@pytest.mark.parametrize("value", [None, "", 7])
def test_a_subscription_without_id_customer_or_status_is_nonsense(field, value):
    with pytest.raises(Nonsense, match=field.lower()):
        answering(subscription_details(**{field: value})).subscription("Y7MX4G314L")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nextBillingDate", "soon"),
        ("nextBillingAmount", "$40"),
        ("nextBillingAmount", 40.5),
        ("createdOn", 5),
        ("planName", ["First"]),
        ("planId", "first"),
    ],
)
def test_a_field_that_is_not_what_billsby_documents_is_named(field, value):
    with pytest.raises(Nonsense, match=field.lower()) as caught:
        answering(subscription_details(**{field: value})).subscription("Y7MX4G314L")
    assert "show subscription Y7MX4G314L" in str(caught.value)


def test_the_event_log_is_walked_and_odd_data_is_kept():
    rows = [
        {"subscriptionEventLogId": 1, "type": "A", "createdOn": None, "eventData": {"x": 1}},
        {"subscriptionEventLogId": 2, "type": "B", "createdOn": "2020-01-01T00:00:00"},
        {"type": "C", "eventData": "text"},
        {"type": "D", "eventData": "text"},
    ]
    log = list(answering(envelope(rows)).subscription_log("Y7MX4G314L"))
    assert [(event.billsby_id, event.type) for event in log] == [
        ("1", "A"),
        ("2", "B"),
        ("", "C"),
        ("", "D"),
    ]
    assert log[0].data == {"x": 1}
    assert log[1].created_on == datetime(2020, 1, 1, tzinfo=UTC)
    assert log[2].data == {"value": "text"}


def test_values_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        only_customer().email = "else@example.com"
