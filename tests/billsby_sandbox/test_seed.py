from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from billsby_sandbox import seed
from billsby_sandbox.company import Company
from billsby_sandbox.words import BLOCKING

from .conftest import NOON


@pytest.fixture(scope="module")
def filled():
    company = Company.open(":memory:", api_key="k", clock=lambda: NOON)
    seed.fill(company)
    yield company
    company.close()


def owed(company, uid):
    return sorted((one.status.value, one.amount) for one in company.books.blocking_invoices(uid))


def test_it_is_a_company_of_believable_size(filled):
    assert len(filled.customers()) >= 64
    assert Counter(one.status.value for one in filled.subscriptions()) == {
        "Active": 52,
        "Suspended": 8,
        "Cancelled": 4,
        "InTrial": 4,
        "Paused": 2,
    }
    assert sum(len(filled.subscriptions(one.uid)) == 2 for one in filled.customers()) == 6


def test_money_is_owed_in_every_way(filled):
    invoices = filled.invoices()
    debtors = {one.customer_uid for one in invoices if one.status == "Unpaid"}
    count = Counter(one.status.value for one in invoices)
    assert len(debtors) == 8
    assert (count["Pending"], count["ToBeWrittenOff"], count["PaidOffline"]) == (4, 2, 4)
    assert count["Paid"] > 500
    assert sum(one.refunded > 0 for one in invoices) == 4


def test_the_named_clients_have_their_stories(filled):
    assert owed(filled, seed.MARA) == []
    assert owed(filled, seed.OWEN) == [("Unpaid", 4900)]
    assert owed(filled, seed.RUTH) == [("Pending", 9900), ("Unpaid", 9900)]
    assert owed(filled, seed.DALE) == [("Unpaid", 14900)] * 3
    assert len(filled.subscriptions(seed.IVY)) == 2
    names = {filled.customer(uid).full_name for uid in (seed.JORDAN_A, seed.JORDAN_B)}
    assert names == {"Jordan Reyes"}
    soon = filled.subscription(seed.SUBSCRIPTION_OF[seed.SOON])
    assert soon.next_billing_at < NOON + dt.timedelta(days=2)


@pytest.mark.parametrize("uid", [seed.MARA, seed.SOON, *seed.CLEAN])
def test_clean_clients_have_one_active_subscription_and_owe_nothing(filled, uid):
    (subscription,) = filled.subscriptions(uid)
    assert (subscription.status, subscription.uid) == ("Active", seed.SUBSCRIPTION_OF[uid])
    assert owed(filled, uid) == []


def test_the_coming_bills_are_spread_over_four_weeks(filled):
    days = [
        (one.next_billing_at - NOON).total_seconds() / 86400
        for one in filled.subscriptions()
        if one.status in ("Active", "InTrial", "Paused")
    ]
    assert min(days) > 0
    assert 25 < max(days) < 28
    assert sum(day < 3 for day in days) >= 4


def test_nobody_could_be_called_or_written_to(filled):
    for customer in filled.customers():
        digits = "".join(filter(str.isdigit, customer.phone_number or ""))
        assert digits[-7:-2] == "55501"
        assert customer.email.endswith("@example.com")


def test_phones_and_dial_codes_come_in_many_forms(filled):
    assert {one.dial_code for one in filled.customers()} == {"1", "+1", None}
    assert any(one.phone_number.startswith("(") for one in filled.customers())
    emails = [one.email for one in filled.customers()]
    assert len(set(emails)) == len(emails)


def test_the_same_number_gives_the_same_company_and_another_number_another(filled):
    told = {}
    for number in (seed.DEFAULT_SEED, 8):
        company = Company.open(":memory:", api_key="k", clock=lambda: NOON)
        seed.fill(company, number)
        told[number] = [(one.uid, one.full_name, one.created_at) for one in company.customers()]
        company.close()
    assert told[seed.DEFAULT_SEED] == [
        (one.uid, one.full_name, one.created_at) for one in filled.customers()
    ]
    assert told[8] != told[seed.DEFAULT_SEED]


def test_nobody_is_told_of_the_past(filled):
    assert filled.webhooks() == []


@pytest.mark.parametrize(
    "present",
    [
        dt.datetime(2026, 1, 31, 23, 59, tzinfo=dt.UTC),
        dt.datetime(2026, 3, 22, 8, 0, tzinfo=dt.UTC),
        dt.datetime(2028, 2, 29, 0, 0, tzinfo=dt.UTC),
    ],
)
def test_the_stories_hold_on_any_day_of_the_calendar(present):
    company = Company.open(":memory:", api_key="k", clock=lambda: present)
    seed.fill(company)
    assert owed(company, seed.OWEN) == [("Unpaid", 4900)]
    assert owed(company, seed.DALE) == [("Unpaid", 14900)] * 3
    assert all(owed(company, uid) == [] for uid in (seed.MARA, seed.SOON, *seed.CLEAN))
    blocked = [one for one in company.invoices() if one.status in BLOCKING]
    assert len(blocked) == 16
    company.close()
