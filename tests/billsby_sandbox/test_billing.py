from __future__ import annotations

import datetime as dt

import pytest

from billsby_sandbox import times
from billsby_sandbox.company import Company
from billsby_sandbox.words import Actor

from .conftest import NOON

DAY = dt.timedelta(days=1)


def billed(company: Company, subscription_uid: str) -> list[dt.datetime]:
    return [
        invoice.period_start_at
        for invoice in company.invoices()
        if invoice.subscription_uid == subscription_uid and invoice.period_start_at
    ]


def subscribed(company: Company, **values):
    customer = company.add_customer()
    return company.add_subscription(customer.uid, **values)


def test_a_renewal_is_pending_until_the_next_five_minute_batch(company):
    subscription = subscribed(company, next_billing_at=NOON + DAY)
    company.advance(days=1)
    (invoice,) = company.invoices()
    assert invoice.status == "Pending"
    assert invoice.number == f"{subscription.customer_uid}-1"
    assert invoice.due_at == NOON + DAY + dt.timedelta(minutes=4)
    company.advance(dt.timedelta(minutes=4))
    assert company.invoice(invoice.number).status == "Paid"


def test_a_failing_card_leaves_the_invoice_unpaid_and_dunning_tries_three_times_more(company):
    subscription = subscribed(company, next_billing_at=NOON + DAY)
    company.set_card(subscription.customer_uid, good=False)
    company.advance(days=2)
    (invoice,) = company.invoices()
    assert (invoice.status, invoice.attempts) == ("Unpaid", 1)
    company.advance(days=20)
    (invoice,) = company.invoices()
    assert (invoice.status, invoice.attempts, invoice.due_at) == ("Unpaid", 4, None)


def test_a_card_that_works_again_pays_at_the_next_attempt(company):
    subscription = subscribed(company, next_billing_at=NOON + DAY)
    company.set_card(subscription.customer_uid, good=False)
    company.advance(days=2)
    company.set_card(subscription.customer_uid, good=True)
    company.advance(days=3)
    assert company.invoices()[0].status == "Paid"


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("active", "Active"), ("suspended", "Suspended"), ("cancelled", "Cancelled")],
)
def test_dunning_writes_off_after_a_delay_with_the_chosen_outcome(company, outcome, status):
    company.set_quirk("dunning_write_off", "after_delay")
    company.set_quirk("dunning_outcome", outcome)
    subscription = subscribed(company, next_billing_at=NOON + DAY)
    company.set_card(subscription.customer_uid, good=False)
    company.advance(days=1 + 9, hours=1)
    assert company.invoices()[0].status == "ToBeWrittenOff"
    assert company.subscription(subscription.uid).status == "Active"
    company.advance(days=2)
    invoice = company.invoices()[0]
    assert (invoice.status, invoice.amount, invoice.original_amount) == ("WrittenOff", 0, 9900)
    assert company.subscription(subscription.uid).status == status


def test_dunning_can_write_off_at_once_after_the_last_attempt(company):
    company.set_quirk("dunning_write_off", "immediately")
    company.set_quirk("dunning_max_attempts", 0)
    subscription = subscribed(company, next_billing_at=NOON + DAY)
    company.set_card(subscription.customer_uid, good=False)
    company.advance(days=1, hours=1)
    assert company.invoices()[0].status == "WrittenOff"
    assert company.subscription(subscription.uid).status == "Suspended"


def test_a_one_time_charge_never_enters_dunning(company):
    customer = company.add_customer(card_good=False)
    company.add_invoice(customer.uid, 4900, "Pending")
    company.advance(days=30)
    (invoice,) = company.invoices()
    assert (invoice.status, invoice.attempts, invoice.due_at) == ("Unpaid", 1, None)


def test_an_unpaid_one_time_charge_that_falls_due_is_left_alone(company):
    customer = company.add_customer()
    number = company.add_invoice(customer.uid, 4900, "Unpaid", due_at=NOON + DAY).number
    company.advance(days=2)
    invoice = company.invoice(number)
    assert (invoice.status, invoice.due_at) == ("Unpaid", None)


@pytest.mark.parametrize(("quirk", "attempts"), [("no", 1), ("yes", 2)])
def test_whether_dunning_goes_on_while_suspended_is_a_quirk(company, quirk, attempts):
    company.set_quirk("dunning_while_suspended", quirk)
    company.set_quirk("suspend_blocked_by_unpaid", value=False)
    subscription = subscribed(company, next_billing_at=NOON + DAY)
    company.set_card(subscription.customer_uid, good=False)
    company.advance(days=2)
    company.panel_suspend(subscription.uid)
    company.advance(days=3)
    assert company.invoices()[0].attempts == attempts


def test_dunning_stops_when_the_subscription_is_cancelled(company, api):
    company.set_quirk("api_cancel_blocked", "not_blocked")
    subscription = subscribed(company, next_billing_at=NOON + DAY)
    company.set_card(subscription.customer_uid, good=False)
    company.advance(days=2)
    api.delete(
        f"/acme/subscriptions/{subscription.uid}",
        params={"customerUniqueId": subscription.customer_uid},
    )
    company.advance(days=30)
    assert [invoice.attempts for invoice in company.invoices()] == [1]


def test_a_trial_ends_with_a_charge(company):
    subscription = subscribed(company, status="InTrial", next_billing_at=NOON + 7 * DAY)
    company.advance(days=6)
    assert company.invoices() == []
    company.advance(days=2)
    assert company.subscription(subscription.uid).status == "Active"
    assert company.invoices()[0].status == "Paid"


def test_a_pause_ends_by_itself_with_a_charge(company):
    subscription = subscribed(company, next_billing_at=NOON + DAY)
    company.panel_change_bill_date(subscription.uid, NOON + 40 * DAY, pause=True)
    company.advance(days=39)
    assert company.subscription(subscription.uid).status == "Paused"
    assert company.invoices() == []
    company.advance(days=2)
    assert company.subscription(subscription.uid).status == "Active"
    assert billed(company, subscription.uid) == [NOON + 40 * DAY]


def test_suspended_bills_nothing_and_active_again_bills_at_once(company):
    subscription = subscribed(company, next_billing_at=NOON + DAY)
    company.panel_suspend(subscription.uid)
    company.advance(days=90)
    assert company.invoices() == []
    company.panel_activate(subscription.uid)
    company.advance(hours=1)
    (invoice,) = company.invoices()
    assert invoice.status == "Paid"
    assert company.subscription(subscription.uid).next_billing_at > company.now() + 27 * DAY


def test_a_month_at_once_leaves_the_same_books_as_a_month_of_hours(company):
    other = Company.open(":memory:", api_key="k", clock=lambda: NOON)
    for one in (company, other):
        subscription = subscribed(one, next_billing_at=NOON + DAY)
        one.set_card(subscription.customer_uid, good=False)
    company.advance(days=40)
    for _ in range(40):
        other.advance(days=1)
    told = [
        [(i.status, i.attempts, i.created_at, i.due_at) for i in one.invoices()]
        for one in (company, other)
    ]
    other.close()
    assert told[0] == told[1]
    assert len(told[0]) == 2


def test_a_client_who_joined_on_the_31st_keeps_the_31st(company):
    last_of_month = dt.datetime(2026, 3, 31, 9, 0, tzinfo=dt.UTC)
    subscription = subscribed(company, next_billing_at=last_of_month)
    company.advance(days=85)
    assert [(at.month, at.day) for at in billed(company, subscription.uid)] == [
        (3, 31),
        (4, 30),
        (5, 31),
    ]


@pytest.mark.parametrize(
    ("frequency", "unit", "days"), [(1, "Weekly", 7), (2, "Weekly", 14), (1, "Yearly", 365)]
)
def test_cycles_other_than_months_bill_at_their_own_pace(company, frequency, unit, days):
    plan = company.add_plan("Other", amount=2900, frequency=frequency, unit=unit)
    subscription = subscribed(company, cycle=plan, next_billing_at=NOON + DAY)
    company.advance(days=days + 2)
    first, second = billed(company, subscription.uid)
    assert second - first == dt.timedelta(days=days)


def test_a_quarterly_plan_bills_every_three_months(company):
    plan = company.add_plan("Circle", amount=24900, frequency=3)
    subscription = subscribed(company, cycle=plan, next_billing_at=NOON + DAY)
    company.advance(days=100)
    assert [at.month for at in billed(company, subscription.uid)] == [3, 6]


def test_a_cycle_of_an_unknown_unit_is_not_made(company):
    with pytest.raises(ValueError, match="Weekly, Monthly, Yearly"):
        company.add_plan(unit="Daily")


def test_the_clock_only_moves_forward(company):
    with pytest.raises(ValueError, match="forward"):
        company.advance(days=-1)
    assert company.now() == NOON


def test_everything_billing_did_stands_in_the_history_with_before_and_after(company):
    subscription = subscribed(company, next_billing_at=NOON + DAY)
    company.advance(days=1, hours=1)
    done = [(entry.what, entry.subject) for entry in company.history() if entry.who == "billing"]
    number = f"{subscription.customer_uid}-1"
    assert done == [
        ("subscription renewed", subscription.uid),
        ("invoice issued", number),
        ("invoice paid", number),
    ]
    paid = company.history()[-1]
    assert '"status": "Pending"' in paid.before
    assert '"status": "Paid"' in paid.after
    assert paid.at == NOON + DAY + dt.timedelta(minutes=4)


def test_a_refund_to_a_failing_card_fails_and_can_be_paid_later(company, api):
    customer = company.add_customer()
    invoice = company.add_invoice(customer.uid, 9900, "Paid")
    api.post(
        f"/acme/customers/{customer.uid}/refunds",
        json={"invoiceNumber": invoice.number, "amount": 4000},
    )
    company.set_card(customer.uid, good=False)
    company.advance(hours=1)
    (note,) = api.get(f"/acme/customers/{customer.uid}/creditNotes").json()
    assert (note["status"], note["amount"]) == ("Failed", "4000")
    company.set_card(customer.uid, good=True)
    assert api.put(f"/acme/creditNotes/{note['invoiceNumber']}/Payment").json() == "success"
    assert api.put(f"/acme/creditNotes/{note['invoiceNumber']}/Payment").status_code == 400


@pytest.mark.parametrize(
    ("at", "batch"),
    [("12:00:00", "12:05:00"), ("12:04:59", "12:05:00"), ("23:58:00", "00:00:00")],
)
def test_batches_run_every_five_minutes_on_the_clock(at, batch):
    moment = dt.datetime.fromisoformat(f"2026-03-10T{at}+00:00")
    assert times.next_batch(moment).strftime("%H:%M:%S") == batch


def test_who_moved_the_clock_is_the_one_who_practises(company):
    company.advance(days=1)
    assert company.history()[-1].who == Actor.PRACTICE
