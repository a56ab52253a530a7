from __future__ import annotations

import datetime as dt

import pytest

from billsby_sandbox.company import Company
from billsby_sandbox.records import Customer

from .conftest import NOON


def test_a_second_opening_finds_everything_as_it_was(tmp_path):
    path = tmp_path / "company.sqlite3"
    first = Company.open(path, api_key="k", clock=lambda: NOON)
    customer = first.add_customer("Anna", "Berg")
    first.add_subscription(customer.uid)
    first.set_quirk("rate_limit", 5)
    first.add_fault("status", status=503)
    first.advance(days=45)
    told = [first.customers(), first.subscriptions(), first.invoices(), first.history()]
    first.close()
    second = Company.open(path, api_key="k", clock=lambda: NOON)
    assert [second.customers(), second.subscriptions(), second.invoices(), second.history()] == told
    assert second.quirks()["rate_limit"] == "5"
    assert second.faults()[0].status == 503
    assert second.now() == NOON + dt.timedelta(days=45)
    second.close()


def test_an_error_in_the_middle_undoes_everything(company):
    def half_done() -> None:
        with company.transaction():
            company.add_customer("Anna", "Berg")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()
    assert company.customers() == []
    assert company.history() == []


def test_ids_are_ten_letters_and_digits_and_the_same_for_the_same_company():
    def ids() -> list[str]:
        company = Company.open(":memory:", domain="acme", api_key="k")
        given = [company.add_customer("A", str(n)).uid for n in range(20)]
        company.close()
        return given

    first = ids()
    assert first == ids()
    assert len(set(first)) == 20
    assert all(len(uid) == 10 and uid.isalnum() and uid.upper() == uid for uid in first)


def test_starting_over_forgets_everything(company):
    company.add_customer()
    company.set_quirk("rate_limit", 5)
    company.advance(days=3)
    company.reset()
    assert (company.customers(), company.history(), company.now()) == ([], [], NOON)
    assert company.quirks()["rate_limit"] == "0"
    assert company.add_customer().id == 1


def test_the_real_clock_is_the_default():
    company = Company.open(":memory:", api_key="k")
    before = company.now()
    assert company.now() >= before > NOON.replace(year=2020)
    company.close()


def test_a_record_comes_back_as_it_was_given(company):
    customer = company.add_customer("Anna", "Berg", phone_number=None, card_good=False)
    (kept,) = company.books.store.where(Customer, "uid = ?", customer.uid)
    assert kept == customer
    assert kept.card_good is False
    assert kept.created_at == NOON
