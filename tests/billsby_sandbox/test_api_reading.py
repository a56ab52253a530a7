from __future__ import annotations

import datetime as dt

import pytest

from .conftest import NOON


def test_a_wrong_or_missing_key_is_401(api):
    assert api.get("/acme/customers?page=1&pageSize=1", headers={"ApiKey": "x"}).status_code == 401
    del api.headers["ApiKey"]
    assert api.get("/acme/customers?page=1&pageSize=1").status_code == 401


def test_the_header_is_understood_in_any_case(api):
    del api.headers["ApiKey"]
    api.headers["apikey"] = "acme_practice"
    assert api.get("/acme/customers?page=1&pageSize=1").status_code == 200


def test_another_company_domain_is_404(api):
    assert api.get("/other/customers?page=1&pageSize=1").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/acme/customers/NOBODY",
        "/acme/customers/NOBODY/subscriptions",
        "/acme/customers/NOBODY/invoices",
        "/acme/subscriptions/NOTHING",
        "/acme/subscriptions/NOTHING/logs?page=1&pageSize=10",
        "/invoices/NOTHING-1",
    ],
)
def test_what_is_not_there_is_404(api, path):
    reply = api.get(path)
    assert (reply.status_code, reply.json()) == (404, {})


@pytest.mark.parametrize(
    "query", ["", "page=1", "pageSize=10", "page=0&pageSize=10", "page=1&pageSize=101", "page=x"]
)
@pytest.mark.parametrize(
    "path", ["customers", "subscriptions", "companies/invoices", "companies/creditnotes"]
)
def test_every_list_wants_a_page_and_a_page_size_of_at_most_100(api, path, query):
    assert api.get(f"/acme/{path}?{query}").status_code == 400


def test_pages_together_hold_everybody_once(company, api):
    uids = [company.add_customer("Anna", f"Number {n}").uid for n in range(7)]
    pages = [api.get(f"/acme/customers?page={n}&pageSize=3").json() for n in (1, 2, 3, 4)]
    assert [page["currentPage"] for page in pages] == [1, 2, 3, 4]
    assert {(page["pageCount"], page["pageSize"], page["rowCount"]) for page in pages} == {
        (3, 3, 7)
    }
    assert [one["customerUniqueId"] for page in pages for one in page["results"]] == uids


def test_customers_are_found_by_part_of_their_name_in_any_case(company, api):
    company.add_customer("Édith", "Aldridge")
    company.add_customer("Bruno", "Barrow")
    found = api.get("/acme/customers", params={"page": 1, "pageSize": 9, "search": "éDITH a"})
    assert [one["lastName"] for one in found.json()["results"]] == ["Aldridge"]


@pytest.mark.parametrize(("quirk", "count"), [("no", 0), ("yes", 1)])
def test_whether_search_looks_at_emails_is_a_quirk(company, api, quirk, count):
    company.set_quirk("search_matches_email", quirk)
    company.add_customer("Anna", "Berg", email="somebody@example.com")
    found = api.get("/acme/customers?page=1&pageSize=9&search=somebody@example.com").json()
    assert found["rowCount"] == count


def test_a_percent_sign_in_a_search_is_just_a_character(company, api):
    company.add_customer("Anna", "Berg")
    assert api.get("/acme/customers?page=1&pageSize=9&search=%25").json()["rowCount"] == 0


def test_dates_have_a_zone_in_lists_and_none_in_details(company, api):
    at = dt.datetime(2025, 12, 21, 15, 59, 19, 95789, tzinfo=dt.UTC)
    customer = company.add_customer(created_at=at)
    subscription = company.add_subscription(customer.uid, created_at=at)
    listed = api.get("/acme/subscriptions?page=1&pageSize=9").json()["results"][0]
    detail = api.get(f"/acme/subscriptions/{subscription.uid}").json()
    assert listed["createdOn"] == "2025-12-21T15:59:19.095Z"
    assert detail["createdOn"] == "2025-12-21T15:59:19.095789"
    assert detail["nextBillingDate"] == "2026-04-09T12:01:00.000000"


def test_the_same_id_has_a_different_name_in_every_place(company, api):
    customer = company.add_customer()
    subscription = company.add_subscription(customer.uid)
    listed = api.get("/acme/subscriptions?page=1&pageSize=9").json()["results"][0]
    of_customer = api.get(f"/acme/customers/{customer.uid}/subscriptions").json()[0]
    detail = api.get(f"/acme/subscriptions/{subscription.uid}").json()
    assert listed["subscriptionUniqueID"] == subscription.uid
    assert listed["subscriptionId"] == subscription.id
    assert of_customer["subscriptionId"] == subscription.uid
    assert detail["subscriptionUniqueId"] == subscription.uid
    company.set_quirk("subscription_id_spelling", "subscriptionUniqueId")
    listed = api.get("/acme/subscriptions?page=1&pageSize=9").json()["results"][0]
    assert listed["subscriptionUniqueId"] == subscription.uid


def test_money_is_an_integer_here_and_a_string_there(company, api):
    customer = company.add_customer(created_at=NOON - dt.timedelta(days=62))
    subscription = company.add_subscription(customer.uid)
    number = company.add_invoice(
        customer.uid, 9950, "Paid", subscription_uid=subscription.uid
    ).number
    company.add_invoice(customer.uid, 5000, "PaidOffline")
    line = api.get(f"/acme/customers/{customer.uid}/invoices").json()[1]
    assert (line["amount"], line["refundableAmount"]) == (9950, 9950)
    assert line["formattedAmount"] == "$99.50"
    assert api.get(f"/invoices/{number}").json()["amount"] == "9950"
    profile = api.get(f"/acme/customers/{customer.uid}").json()
    assert (profile["totalAmountPaid"], profile["averageAmountPerMonth"]) == ("14950", "7339")
    assert api.get(f"/acme/customers/{customer.uid}/subscriptions").json()[0]["revenue"] == "9950"
    assert api.get(f"/acme/subscriptions/{subscription.uid}").json()["totalRevenue"] == 9950


@pytest.mark.parametrize(
    ("quirk", "value", "total"),
    [
        ("paid_total_excludes_offline", "yes", "9900"),
        ("paid_total_unit", "major", "149.00"),
    ],
)
def test_what_the_paid_total_holds_is_a_quirk(company, api, quirk, value, total):
    customer = company.add_customer()
    company.add_invoice(customer.uid, 9900, "Paid")
    company.add_invoice(customer.uid, 5000, "PaidOffline")
    company.set_quirk(quirk, value)
    assert api.get(f"/acme/customers/{customer.uid}").json()["totalAmountPaid"] == total


@pytest.mark.parametrize(
    ("spelling", "invoice_status", "subscription_status"),
    [
        ("joined", "ToBeWrittenOff", "InTrial"),
        ("spaced", "To be Written off", "In trial"),
        ("lower", "tobewrittenoff", "intrial"),
    ],
)
def test_how_states_are_spelled_is_a_quirk(
    company, api, spelling, invoice_status, subscription_status
):
    company.set_quirk("status_spelling", spelling)
    customer = company.add_customer()
    subscription = company.add_subscription(customer.uid, status="InTrial")
    company.add_invoice(customer.uid, 100, "ToBeWrittenOff")
    line = api.get(f"/acme/customers/{customer.uid}/invoices").json()[0]
    assert line["status"] == invoice_status
    detail = api.get(f"/acme/subscriptions/{subscription.uid}").json()
    assert detail["status"] == subscription_status


@pytest.mark.parametrize(
    ("quirk", "spelling", "word"),
    [
        ("paused", "joined", "Paused"),
        ("active", "lower", "active"),
        ("on_hold", "joined", "OnHold"),
        ("on_hold", "spaced", "On hold"),
    ],
)
def test_what_a_paused_subscription_is_called_is_a_quirk(company, api, quirk, spelling, word):
    company.set_quirk("paused_shown", quirk)
    company.set_quirk("status_spelling", spelling)
    customer = company.add_customer()
    far = NOON + dt.timedelta(days=180)
    uid = company.add_subscription(customer.uid, status="Paused", next_billing_at=far).uid
    running = company.add_subscription(customer.uid).uid
    detail = api.get(f"/acme/subscriptions/{uid}").json()
    assert (detail["status"], detail["nextBillingDate"][:10]) == (word, f"{far:%Y-%m-%d}")
    assert api.get(f"/acme/customers/{customer.uid}/subscriptions").json()[0]["status"] == word
    listed = api.get("/acme/subscriptions?page=1&pageSize=9").json()["results"]
    assert listed[0]["status"] == word
    assert api.get(f"/acme/subscriptions/{running}").json()["status"].lower() == "active"
    assert company.subscription(uid).status == "Paused"


def test_the_invoice_detail_shows_the_customers_status_and_the_subscription(company, api):
    customer = company.add_customer()
    subscription = company.add_subscription(customer.uid)
    invoice = company.add_invoice(customer.uid, 9900, subscription_uid=subscription.uid)
    detail = api.get(f"/invoices/{invoice.number}").json()
    assert (detail["status"], detail["invoiceType"]) == ("active", "renewal")
    assert detail["subscriptions"][0]["subscriptionUniqueId"] == subscription.uid
    company.set_quirk("invoice_detail_status", "invoice")
    assert api.get(f"/invoices/{invoice.number}").json()["status"] == "Unpaid"


def test_a_one_time_charge_names_no_subscription(company, api):
    number = company.add_invoice(company.add_customer().uid).number
    detail = api.get(f"/invoices/{number}").json()
    assert (detail["invoiceType"], detail["subscriptions"]) == ("oneTimeCharge", [])


def test_a_customer_is_inactive_only_when_everything_is_cancelled(company, api):
    customer = company.add_customer()
    assert api.get(f"/acme/customers/{customer.uid}").json()["status"] == "active"
    company.add_subscription(customer.uid, status="Suspended")
    assert api.get(f"/acme/customers/{customer.uid}").json()["status"] == "active"
    gone = company.add_customer("Gone", "Away")
    company.add_subscription(gone.uid, status="Cancelled")
    assert api.get(f"/acme/customers/{gone.uid}").json()["status"] == "inactive"


def test_a_dial_code_kept_with_a_plus_shows_only_one(company, api):
    customer = company.add_customer(dial_code="+1")
    detail = api.get(f"/acme/customers/{customer.uid}").json()
    assert detail["phoneNumberDialCode"] == "+1"


def test_phones_are_written_without_a_plus_in_the_list_and_with_one_in_the_detail(company, api):
    customer = company.add_customer(phone_number="(312) 555-0142")
    listed = api.get("/acme/customers?page=1&pageSize=9").json()["results"][0]
    detail = api.get(f"/acme/customers/{customer.uid}").json()
    assert (listed["phoneNumber"], listed["phoneNumberDialCode"]) == ("(312) 555-0142", "1")
    assert (detail["phoneNumber"], detail["phoneNumberDialCode"]) == ("(312) 555-0142", "+1")


def test_invoices_are_filtered_by_any_of_the_flags(company, api):
    customer = company.add_customer()
    for status in ("Paid", "Unpaid", "Pending", "PaidOffline", "WrittenOff", "ToBeWrittenOff"):
        company.add_invoice(customer.uid, 100, status)

    def found(query: str) -> list[str]:
        reply = api.get(f"/acme/companies/invoices?page=1&pageSize=9&{query}").json()
        return [one["status"] for one in reply["results"]]

    assert found("isUnpaid=true&isPending=true") == ["Unpaid", "Pending"]
    assert found("isPaid=true") == ["Paid"]
    assert found("isPaidOffline=true&isWrittenOff=true&isPaid=false") == [
        "PaidOffline",
        "WrittenOff",
    ]
    assert len(found("")) == 6


def test_a_flag_that_is_neither_true_nor_false_is_400(api):
    assert api.get("/acme/companies/invoices?page=1&pageSize=9&isPaid=maybe").status_code == 400


@pytest.mark.parametrize(
    ("quirk", "query", "count"),
    [
        ("number_and_name", "berg", 2),
        ("number", "berg", 0),
        ("number", "-2", 1),
        ("nothing", "zzz", 2),
    ],
)
def test_what_query_looks_at_is_a_quirk(company, api, quirk, query, count):
    company.set_quirk("invoice_query_matches", quirk)
    customer = company.add_customer("Anna", "Berg")
    for _ in range(2):
        company.add_invoice(customer.uid)
    reply = api.get(f"/acme/companies/invoices?page=1&pageSize=9&query={query}").json()
    assert reply["rowCount"] == count


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("orderBy=amount", [100, 200, 300]),
        ("orderBy=amount&orderByDescending=true", [300, 200, 100]),
        ("orderByDescending=amount", [300, 200, 100]),
        ("orderBy=nonsense", [200, 300, 100]),
    ],
)
def test_lists_are_ordered_by_either_reading_of_the_parameters(company, api, query, order):
    customer = company.add_customer()
    for amount in (200, 300, 100):
        company.add_invoice(customer.uid, amount)
    reply = api.get(f"/acme/companies/invoices?page=1&pageSize=9&{query}").json()
    assert [one["amount"] for one in reply["results"]] == order


@pytest.mark.parametrize(
    ("quirk", "expected"),
    [("active", {"Active"}), ("not_cancelled", {"Active", "InTrial", "Paused", "Suspended"})],
)
def test_what_is_active_lets_through_is_a_quirk(company, api, quirk, expected):
    company.set_quirk("is_active_means", quirk)
    for status in ("Active", "InTrial", "Paused", "Suspended", "Cancelled"):
        company.add_subscription(company.add_customer().uid, status=status)
    reply = api.get("/acme/subscriptions?page=1&pageSize=9&isActive=true").json()
    assert {one["status"] for one in reply["results"]} == expected


def test_subscriptions_are_filtered_by_trial_plan_and_product(company, api):
    basic, plus = company.add_plan("Basic"), company.add_plan("Plus", product="Other")
    for plan, status in ((basic, "Active"), (plus, "Active"), (plus, "InTrial")):
        company.add_subscription(company.add_customer().uid, plan, status=status)

    def count(query: str) -> int:
        return int(api.get(f"/acme/subscriptions?page=1&pageSize=9&{query}").json()["rowCount"])

    assert count("isInFreeTrial=true") == 1
    assert count("planName=plus") == 2
    assert count("productName=Other&isInFreeTrial=true") == 1
    assert count("planName=Nothing") == 0


@pytest.mark.parametrize(("quirk", "shown"), [("shown", True), ("empty", False)])
def test_whether_a_suspended_subscription_shows_a_next_date_is_a_quirk(company, api, quirk, shown):
    company.set_quirk("suspended_next_billing", quirk)
    customer = company.add_customer()
    subscription = company.add_subscription(customer.uid, status="Suspended")
    detail = api.get(f"/acme/subscriptions/{subscription.uid}").json()
    assert (detail["nextBillingDate"] is not None) is shown
    line = api.get(f"/acme/customers/{customer.uid}/subscriptions").json()[0]
    assert (line["nextBilling"] is not None) is shown


@pytest.mark.parametrize(
    ("quirk", "name"),
    [("joined", "SubscriptionStatusChanged"), ("words", "Subscription status changed")],
)
def test_the_event_log_tells_of_a_suspension(company, api, quirk, name):
    company.set_quirk("event_log_types", quirk)
    subscription = company.add_subscription(company.add_customer().uid)
    company.panel_suspend(subscription.uid)
    reply = api.get(f"/acme/subscriptions/{subscription.uid}/logs?page=1&pageSize=9").json()
    last = reply["results"][-1]
    assert (last["type"], last["eventData"]["current"]) == (name, "Suspended")


def test_payment_logs_show_each_attempt(company, api):
    customer = company.add_customer(card_good=False)
    number = company.add_invoice(customer.uid, 100, "Pending").number
    company.advance(hours=1)
    company.set_card(customer.uid, good=True)
    company.panel_reattempt(number)
    logs = api.get(f"/acme/customers/{customer.uid}/invoices/{number}/paymentlogs").json()
    assert [line["status"] for line in logs] == ["Declined", "Succeeded"]
    other = company.add_customer("Some", "Other")
    path = f"/acme/customers/{other.uid}/invoices/{number}/paymentlogs"
    assert api.get(path).status_code == 404


@pytest.mark.parametrize(
    ("shape", "kind", "text"),
    [
        ("empty", "application/json", "{}"),
        ("message", "application/json", '{"message": "Customer not found"}'),
        ("html", "text/html", "<html><body><h1>Customer not found</h1></body></html>"),
    ],
)
def test_the_shape_of_an_error_body_is_a_quirk(company, api, shape, kind, text):
    company.set_quirk("error_body", shape)
    reply = api.get("/acme/customers/NOBODY")
    assert (reply.status_code, reply.text) == (404, text)
    assert reply.headers["Content-Type"].startswith(kind)
