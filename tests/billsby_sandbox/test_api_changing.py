from __future__ import annotations

import datetime as dt

import pytest

from billsby_sandbox.errors import NotFound

from .conftest import NOON

FAR = "2030-01-01"


@pytest.fixture
def client(company):
    return company.add_customer("Anna", "Berg")


@pytest.fixture
def subscription(company, client):
    return company.add_subscription(client.uid)


def renewal(api, subscription, **body):
    return api.put(f"/acme/subscriptions/{subscription.uid}/renewaldate", json=body)


def cancelled(api, subscription, customer_uid=None):
    return api.delete(
        f"/acme/subscriptions/{subscription.uid}",
        params={"customerUniqueId": customer_uid or subscription.customer_uid},
    )


# write-off


@pytest.mark.parametrize("status", ["Unpaid", "Pending", "ToBeWrittenOff"])
def test_a_write_off_zeroes_the_amount_and_sets_the_status(company, api, client, status):
    number = company.add_invoice(client.uid, 4900, status).number
    reply = api.put(f"/acme/invoices/{number}/WrittenOff")
    assert (reply.status_code, reply.text) == (200, '"success"')
    invoice = company.invoice(number)
    assert (invoice.status, invoice.amount, invoice.original_amount) == ("WrittenOff", 0, 4900)
    company.advance(days=30)
    assert company.invoice(number).status == "WrittenOff"


@pytest.mark.parametrize("status", ["Paid", "PaidOffline"])
def test_a_paid_invoice_cannot_be_written_off(company, api, client, status):
    number = company.add_invoice(client.uid, 4900, status).number
    assert api.put(f"/acme/invoices/{number}/WrittenOff").status_code == 400
    assert company.invoice(number).amount == 4900


@pytest.mark.parametrize(
    ("quirk", "status"),
    [("write_off_pending_allowed", "Pending"), ("write_off_scheduled_allowed", "ToBeWrittenOff")],
)
def test_which_invoices_may_be_written_off_is_a_quirk(company, api, client, quirk, status):
    company.set_quirk(quirk, value=False)
    number = company.add_invoice(client.uid, 4900, status).number
    assert api.put(f"/acme/invoices/{number}/WrittenOff").status_code == 400
    assert company.invoice(number).status == status


@pytest.mark.parametrize(("quirk", "code"), [("success", 200), ("400", 400)])
def test_how_a_repeated_write_off_answers_is_a_quirk(company, api, client, quirk, code):
    company.set_quirk("write_off_repeat", quirk)
    number = company.add_invoice(client.uid).number
    api.put(f"/acme/invoices/{number}/WrittenOff")
    assert api.put(f"/acme/invoices/{number}/WrittenOff").status_code == code
    written = [one for one in company.history() if one.what == "invoice written off"]
    assert len(written) == 1


@pytest.mark.parametrize(
    ("quirk", "status"),
    [("none", "Active"), ("suspended", "Suspended"), ("cancelled", "Cancelled")],
)
def test_what_a_write_off_does_to_the_subscription_is_a_quirk(
    company, api, subscription, quirk, status
):
    company.set_quirk("write_off_triggers_dunning_outcome", quirk)
    number = company.add_invoice(
        subscription.customer_uid, subscription_uid=subscription.uid
    ).number
    api.put(f"/acme/invoices/{number}/WrittenOff")
    assert company.subscription(subscription.uid).status == status


def test_a_write_off_of_a_one_time_charge_leaves_subscriptions_alone(company, api, subscription):
    company.set_quirk("write_off_triggers_dunning_outcome", "cancelled")
    number = company.add_invoice(subscription.customer_uid).number
    api.put(f"/acme/invoices/{number}/WrittenOff")
    assert company.subscription(subscription.uid).status == "Active"


def test_an_invoice_paid_offline_is_not_charged_any_more(company, api, client):
    number = company.add_invoice(client.uid, 4900, "Pending").number
    assert api.put(f"/acme/invoices/{number}/PaidOffline").json() == "success"
    company.advance(days=1)
    assert company.invoice(number).status == "PaidOffline"
    reply = api.put(f"/acme/invoices/{number}/PaidOffline")
    assert (reply.status_code, reply.json()) == (400, {})


def test_a_reattempt_answers_success_even_when_the_card_fails(company, api):
    client = company.add_customer(card_good=False)
    number = company.add_invoice(client.uid).number
    assert api.put(f"/acme/invoices/{number}/Payment").json() == "success"
    assert company.invoice(number).status == "Unpaid"
    company.set_card(client.uid, good=True)
    api.put(f"/acme/invoices/{number}/Payment")
    assert company.invoice(number).status == "Paid"
    assert api.put(f"/acme/invoices/{number}/Payment").status_code == 400


# refunds, charges, plans, customers


def test_a_refund_lowers_what_was_paid_and_makes_a_credit_note(company, api, client):
    number = company.add_invoice(client.uid, 9900, "Paid").number
    path = f"/acme/customers/{client.uid}/refunds"
    reply = api.post(path, json={"invoiceNumber": number, "amount": 900})
    assert (reply.status_code, reply.headers["Content-Type"].split(";")[0]) == (200, "text/plain")
    assert api.get(f"/acme/customers/{client.uid}").json()["totalAmountPaid"] == "9000"
    company.advance(hours=1)
    (note,) = api.get("/acme/companies/creditnotes?page=1&pageSize=9&isPaid=true").json()["results"]
    assert (note["amount"], note["creditNoteUniqueId"]) == ("900", f"{client.uid}-2")
    assert api.get(f"/acme/customers/{client.uid}/invoices").json()[0]["refundableAmount"] == 9000
    assert api.post(path, json={"invoiceNumber": number, "amount": 9001}).status_code == 400
    assert api.post(path, json={"invoiceNumber": number, "amount": 0}).status_code == 400


def test_a_credit_note_that_is_not_there_is_404(api):
    assert api.put("/acme/creditNotes/NOTHING-1/Payment").status_code == 404


def test_nothing_is_refunded_while_paused_or_to_somebody_else(company, api, subscription):
    number = company.add_invoice(subscription.customer_uid, 9900, "Paid").number
    other = company.add_customer("Some", "Other")
    body = {"invoiceNumber": number, "amount": 100}
    assert api.post(f"/acme/customers/{other.uid}/refunds", json=body).status_code == 400
    renewal(api, subscription, pauseSubscription=True, newRenewalDate=FAR)
    path = f"/acme/customers/{subscription.customer_uid}/refunds"
    assert api.post(path, json=body).status_code == 400


def test_a_one_time_charge_is_taken_with_the_next_batch(company, api, client):
    path = f"/acme/customers/{client.uid}/invoices"
    body = {"amount": 2500, "currencyCode": "USD", "description": "Letter"}
    assert api.post(path, json=body).text == "true"
    assert api.post(path, json={**body, "amount": -500}).text == "true"
    company.advance(hours=1)
    assert [(one.kind, one.status, one.amount) for one in company.invoices()] == [
        ("OneTimeCharge", "Paid", 2500),
        ("OneTimeCredit", "Paid", -500),
    ]
    assert api.post(path, json={"amount": 1}).status_code == 400


def plan_change(api, subscription, cycle, **values):
    body = {
        "customerUniqueId": subscription.customer_uid,
        "planId": cycle.plan_id,
        "cycleId": cycle.id,
        **values,
    }
    return api.put(f"/acme/subscriptions/{subscription.uid}/plan", json=body)


def test_a_plan_change_on_renewal_waits_for_it(company, api, subscription):
    cheap = company.add_plan("Cheap", amount=4900)
    assert plan_change(api, subscription, cheap, planChangeType=2).json() == "success"
    detail = api.get(f"/acme/subscriptions/{subscription.uid}").json()
    assert (detail["cycleIdNext"], detail["nextBillingAmount"]) == (cheap.id, 4900)
    assert company.invoices() == []
    company.advance(days=31)
    assert company.invoices()[0].amount == 4900
    assert company.subscription(subscription.uid).cycle_id_next is None


@pytest.mark.parametrize(("refund", "amount"), [(False, 4900), (True, 4900 - 3300)])
def test_an_immediate_plan_change_bills_a_new_period(company, api, subscription, refund, amount):
    company.add_invoice(
        subscription.customer_uid,
        9900,
        "Paid",
        subscription_uid=subscription.uid,
        created_at=NOON - dt.timedelta(days=20),
    )
    cheap = company.add_plan("Cheap", amount=4900)
    plan_change(api, subscription, cheap, issueRefund=refund)
    invoice = company.invoices()[-1]
    assert (invoice.amount, invoice.status) == (amount, "Pending")
    assert company.subscription(subscription.uid).next_billing_at == invoice.period_end_at


def test_an_immediate_plan_change_while_suspended_bills_nothing(company, api, subscription):
    company.panel_suspend(subscription.uid)
    cheap = company.add_plan("Cheap", amount=4900)
    assert plan_change(api, subscription, cheap).status_code == 200
    assert company.invoices() == []
    assert company.subscription(subscription.uid).cycle_id == cheap.id


@pytest.mark.parametrize(
    "wrong", [{"planId": 99}, {"planChangeType": 3}, {"customerUniqueId": "X"}, {"cycleId": 77}]
)
def test_a_plan_change_with_ids_that_do_not_fit_is_refused(company, api, subscription, wrong):
    cheap = company.add_plan("Cheap", amount=4900)
    assert plan_change(api, subscription, cheap, **wrong).status_code in (400, 404)
    assert company.subscription(subscription.uid) == subscription


def test_a_cancelled_subscription_keeps_its_plan(company, api, subscription):
    cancelled(api, subscription)
    cheap = company.add_plan("Cheap", amount=4900)
    assert plan_change(api, subscription, cheap).status_code == 400


NEW = {
    "firstName": "Mary",
    "lastName": "Quinn",
    "email": "mary.quinn@example.com",
    "addressLine1": "1 Example Street",
    "city": "Springfield",
    "state": "IL",
    "country": "USA",
    "postCode": "62701",
}


def test_a_customer_is_created_changed_and_deleted(company, api):
    uid = api.post("/acme/customers", json=NEW).json()["customerUniqueId"]
    assert len(uid) == 10
    body = {
        "firstName": "Mary",
        "lastName": "Rose",
        "email": "mary.rose@example.com",
        "phoneNumber": 3125550142,
        "phoneNumberDialCode": "+1",
        "billingAddress": {"city": "Riverton"},
    }
    changed = api.put(f"/acme/customers/{uid}", json=body).json()
    assert (changed["lastName"], changed["phoneNumber"]) == ("Rose", "3125550142")
    assert company.customer(uid).dial_code == "1"
    assert api.get(f"/acme/customers/{uid}/paymentdetailsrequest").json() == "Success"
    subscription = company.add_subscription(uid)
    assert api.delete(f"/acme/customers/{uid}").status_code == 400
    cancelled(api, subscription)
    assert api.delete(f"/acme/customers/{uid}").json() == "Success"
    with pytest.raises(NotFound):
        company.customer(uid)


def test_a_body_with_something_missing_is_400(api):
    assert api.post("/acme/customers", json={"firstName": "Mary"}).status_code == 400
    assert api.post("/acme/customers", content=b"not json").status_code == 400


def test_a_customer_and_a_subscription_are_created_in_one_call_and_billed(company, api):
    cycle = company.add_plan("Plus", amount=1000)
    reply = api.post(
        "/acme/subscriptions",
        json={
            "firstName": "Mary",
            "lastName": "Quinn",
            "email": "mary@example.com",
            "cycleId": cycle.id,
            "Units": 2,
            "address": {"city": "Springfield"},
            "cardDetails": {"last4Digits": "4242"},
        },
    ).json()
    (invoice,) = company.invoices(reply["customerUniqueId"])
    assert (invoice.amount, invoice.subscription_uid) == (2000, reply["subscriptionUniqueId"])
    second = api.post(
        f"/acme/customers/{reply['customerUniqueId']}/subscriptions", json={"cycleId": cycle.id}
    ).json()
    assert len(company.subscriptions(reply["customerUniqueId"])) == 2
    assert second["subscriptionUniqueId"] != reply["subscriptionUniqueId"]


def test_a_refused_call_changes_nothing_at_all(company, api, subscription):
    before = [company.subscriptions(), company.invoices(), len(company.history())]
    cancelled(api, subscription, "WRONG")
    renewal(api, subscription, newRenewalDate="1999-01-01")
    assert [company.subscriptions(), company.invoices(), len(company.history())] == before
