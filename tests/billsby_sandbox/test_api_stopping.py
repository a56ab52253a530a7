from __future__ import annotations

import datetime as dt

import pytest

from billsby_sandbox.errors import PanelRefused

from .conftest import NOON

FAR = "2030-01-01"
FAR_MOMENT = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)


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


# cancelling


def test_delete_cancels_at_once_and_for_good(company, api, subscription):
    reply = cancelled(api, subscription)
    assert (reply.status_code, reply.text) == (200, '"success"')
    after = company.subscription(subscription.uid)
    assert (after.status, after.cancelled_at) == ("Cancelled", NOON)
    company.advance(days=60)
    assert company.invoices() == []
    assert cancelled(api, subscription).status_code == 400
    assert renewal(api, subscription, newRenewalDate=FAR).status_code == 400


def test_delete_wants_the_right_customer(company, api, subscription):
    other = company.add_customer("Some", "Other")
    assert api.delete(f"/acme/subscriptions/{subscription.uid}").status_code == 400
    assert cancelled(api, subscription, other.uid).status_code == 400
    assert company.subscription(subscription.uid).status == "Active"


@pytest.mark.parametrize("status", ["Unpaid", "Pending", "ToBeWrittenOff"])
@pytest.mark.parametrize(
    ("quirk", "code", "after"),
    [
        ("400_empty", 400, "Active"),
        ("409_message", 409, "Active"),
        ("not_blocked", 200, "Cancelled"),
    ],
)
def test_how_delete_answers_while_invoices_block_is_a_quirk(
    company, api, subscription, *, status, quirk, code, after
):
    company.set_quirk("api_cancel_blocked", quirk)
    company.add_invoice(subscription.customer_uid, 100, status)
    reply = cancelled(api, subscription)
    assert reply.status_code == code
    assert company.subscription(subscription.uid).status == after
    if code == 409:
        assert "must be written off" in reply.json()["message"]


@pytest.mark.parametrize(("quirk", "refunded"), [("none", 0), ("prorated", 4950)])
def test_whether_delete_refunds_is_a_quirk(company, api, subscription, quirk, refunded):
    company.set_quirk("api_cancel_refund", quirk)
    company.add_invoice(
        subscription.customer_uid,
        9900,
        "Paid",
        subscription_uid=subscription.uid,
        created_at=NOON - dt.timedelta(days=15),
    )
    cancelled(api, subscription)
    assert company.invoices()[0].refunded == refunded


def test_a_cancelled_customer_gets_no_new_subscription(company, api, subscription):
    cancelled(api, subscription)
    path = f"/acme/customers/{subscription.customer_uid}/subscriptions"
    assert api.post(path, json={"cycleId": 1}).status_code == 400


# pausing


def test_a_pause_holds_until_its_date(company, api, subscription):
    reply = renewal(api, subscription, pauseSubscription=True, newRenewalDate=FAR)
    assert (reply.status_code, reply.json()) == (200, {})
    after = company.subscription(subscription.uid)
    assert (after.status, after.next_billing_at) == ("Paused", FAR_MOMENT)
    company.advance(days=365)
    assert company.invoices() == []


@pytest.mark.parametrize("text", ["2030-01-01T09:30:00.680Z", "2030-01-01T09:30:00"])
def test_the_new_date_may_be_a_whole_timestamp(company, api, subscription, text):
    renewal(api, subscription, newRenewalDate=text)
    assert company.subscription(subscription.uid).next_billing_at.hour == 9
    assert company.subscription(subscription.uid).status == "Active"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"newRenewalDate": "soon"},
        {"newRenewalDate": "2026-03-10"},
        {"pauseSubscription": "perhaps"},
    ],
)
def test_a_renewal_date_that_makes_no_sense_is_400(company, api, subscription, body):
    reply = renewal(api, subscription, **body)
    assert (reply.status_code, reply.json()) == (400, {})
    assert company.subscription(subscription.uid) == subscription


def test_a_pause_without_a_date_holds_until_the_next_renewal(company, api, subscription):
    renewal(api, subscription, pauseSubscription=True)
    after = company.subscription(subscription.uid)
    assert (after.status, after.next_billing_at) == ("Paused", subscription.next_billing_at)


@pytest.mark.parametrize(("quirk", "status"), [("yes", "Active"), ("no", "Paused")])
def test_whether_false_lifts_a_pause_is_a_quirk(company, api, subscription, quirk, status):
    company.set_quirk("pause_lifted_by_false", quirk)
    renewal(api, subscription, pauseSubscription=True, newRenewalDate=FAR)
    renewal(api, subscription, pauseSubscription=False, newRenewalDate="2026-04-01")
    after = company.subscription(subscription.uid)
    assert (after.status, after.next_billing_at.month) == (status, 4)


def test_a_person_in_the_panel_lifts_a_pause_whatever_the_quirk(company, api, subscription):
    company.set_quirk("pause_lifted_by_false", value=False)
    renewal(api, subscription, pauseSubscription=True, newRenewalDate=FAR)
    company.panel_change_bill_date(subscription.uid, NOON + dt.timedelta(days=9))
    assert company.subscription(subscription.uid).status == "Active"


def test_the_farthest_date_is_a_quirk(company, api, subscription):
    company.set_quirk("max_renewal_days", 365)
    assert renewal(api, subscription, newRenewalDate="2027-03-10").status_code == 200
    assert renewal(api, subscription, newRenewalDate="2027-03-12").status_code == 400


def test_where_a_date_too_far_away_is_shortened_the_farthest_one_is_taken(
    company, api, subscription
):
    company.set_quirk("max_renewal_days", 60)
    company.set_quirk("beyond_max_renewal", "shortened")
    assert renewal(api, subscription, pauseSubscription=True, newRenewalDate=FAR).status_code == 200
    after = company.subscription(subscription.uid)
    assert after.status == "Paused"
    assert after.next_billing_at - company.now() == dt.timedelta(days=60)


@pytest.mark.parametrize(
    ("quirk", "code", "status"),
    [
        ("status_kept", 200, "Suspended"),
        ("refused", 400, "Suspended"),
        ("obeyed", 200, "Paused"),
    ],
)
def test_what_a_renewal_date_does_to_a_suspended_subscription_is_a_quirk(
    company, api, subscription, *, quirk, code, status
):
    company.set_quirk("renewaldate_while_suspended", quirk)
    company.panel_suspend(subscription.uid)
    reply = renewal(api, subscription, pauseSubscription=True, newRenewalDate=FAR)
    assert reply.status_code == code
    assert company.subscription(subscription.uid).status == status


@pytest.mark.parametrize(("quirk", "code"), [("no", 200), ("yes", 400)])
def test_whether_unpaid_invoices_block_a_pause_is_a_quirk(company, api, subscription, quirk, code):
    company.set_quirk("pause_blocked_by_unpaid", quirk)
    company.add_invoice(subscription.customer_uid)
    assert renewal(api, subscription, pauseSubscription=True).status_code == code


# no call sets Suspended; the panel does


def test_no_call_of_the_api_sets_suspended(api, subscription):
    for method in ("PUT", "POST", "PATCH"):
        reply = api.request(
            method, f"/acme/subscriptions/{subscription.uid}", json={"status": "Suspended"}
        )
        assert reply.status_code == 405


@pytest.mark.parametrize("status", ["Unpaid", "Pending", "ToBeWrittenOff"])
def test_the_panel_refuses_to_suspend_while_invoices_stand(company, subscription, status):
    company.add_invoice(subscription.customer_uid, 100, status)
    with pytest.raises(PanelRefused, match="cannot be suspended whilst they have any 'pending'"):
        company.panel_suspend(subscription.uid)
    company.set_quirk("suspend_blocked_by_unpaid", value=False)
    assert company.panel_suspend(subscription.uid).status == "Suspended"


@pytest.mark.parametrize(
    ("quirk", "status"),
    [("suspend_offered", "Active"), ("suspend_offered_while_paused", "Paused")],
)
def test_where_suspended_is_offered_is_a_quirk(company, client, quirk, status):
    subscription = company.add_subscription(client.uid, status=status)
    company.set_quirk(quirk, value=False)
    with pytest.raises(PanelRefused, match="cannot be set to Suspended"):
        company.panel_suspend(subscription.uid)
    company.set_quirk(quirk, value=True)
    assert company.panel_suspend(subscription.uid).status == "Suspended"


def test_active_again_waits_until_nothing_is_unpaid(company, subscription):
    with pytest.raises(PanelRefused, match="cannot be set to Active"):
        company.panel_activate(subscription.uid)
    company.panel_suspend(subscription.uid)
    number = company.add_invoice(subscription.customer_uid).number
    with pytest.raises(PanelRefused, match="no unpaid invoices"):
        company.panel_activate(subscription.uid)
    company.panel_paid_offline(number)
    assert company.panel_activate(subscription.uid).status == "Active"


def test_the_panel_cancels_only_with_the_right_customer_id(company, subscription):
    with pytest.raises(PanelRefused, match="does not match"):
        company.panel_cancel(subscription.uid, "WRONG")
    after = company.panel_cancel(subscription.uid, subscription.customer_uid)
    assert after.status == "Cancelled"
