"""What goes on the list: in which currency, and how many months."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from billsby_sandbox.records import Subscription
from canceldesk import clock
from canceldesk.billsby import CreditNote, CreditNoteStatus
from canceldesk.closing.models import Facts, Step
from canceldesk.closing.steps.facts import collected
from canceldesk.configuration import services as configuration
from tests.closing.conftest import Desk


def test_a_client_who_pays_in_another_currency_goes_on_the_list_with_what_they_paid(
    desk: Desk,
) -> None:
    customer, subscription = desk.client(months_ago=0)
    for _ in range(5):
        invoice = desk.company.add_invoice(
            customer.uid, 9900, "Paid", subscription_uid=subscription.uid, currency="GBP"
        )
    desk.billsby.refund(customer.uid, invoice.number, 900)
    case = desk.advance(desk.decided(subscription))
    facts = Facts.objects.get(case=case)
    assert (facts.collected_minor, facts.currency) == (5 * 9900 - 900, "GBP")
    assert facts.billsby_total_minor is None
    [row] = desk.the_list.rows
    assert row.collected_minor == 5 * 9900 - 900
    sentence = desk.step(case, Step.Name.FACTS).sentence
    assert sentence.startswith("£486.00 collected in ")
    assert "own total" not in sentence.replace("no total of its own", "")
    assert not case.attention


def test_what_was_paid_in_a_second_currency_is_left_out_and_said(desk: Desk) -> None:
    customer, subscription = desk.client(months_ago=2)
    desk.company.add_invoice(customer.uid, 2500, "Paid", currency="GBP")
    desk.company.add_invoice(customer.uid, 700, "Paid", currency="EUR")
    case = desk.advance(desk.decided(subscription))
    facts = Facts.objects.get(case=case)
    assert (facts.collected_minor, facts.currency) == (2 * 9900, "USD")
    assert len(facts.evidence["invoices_counted"]) == 2
    assert (
        "The client also paid €7.00 and £25.00, which is left out of the list, because different "
        "currencies cannot be added up."
    ) in desk.step(case, Step.Name.FACTS).sentence


def test_what_was_paid_in_another_currency_and_given_back_does_not_count(desk: Desk) -> None:
    customer, subscription = desk.client(months_ago=2)
    invoice = desk.company.add_invoice(customer.uid, 2500, "Paid", currency="GBP")
    desk.billsby.refund(customer.uid, invoice.number, 2500)
    case = desk.advance(desk.decided(subscription))
    assert Facts.objects.get(case=case).currency == "USD"
    assert "left out" not in desk.step(case, Step.Name.FACTS).sentence


def test_a_refund_that_failed_was_not_given_back() -> None:
    failed, under_way = (
        CreditNote(
            number="N",
            customer_id="C",
            amount_minor=amount,
            currency="GBP",
            status=status,
            status_raw=status,
        )
        for status, amount in [(CreditNoteStatus.FAILED, 500), (CreditNoteStatus.PENDING, 70)]
    )
    assert collected([], [failed, under_way]) == {"GBP": -70}


# ---------------------------------------------------------------- months, counted as paid renewals


@pytest.fixture
def counts_renewals(db: None) -> None:
    configuration.change("MONTHS_COUNTED", "paid")


def another_service(desk: Desk, of: Subscription, *, months: int) -> Subscription:
    """A second service of the client, which they have paid for that long."""
    began = clock.now() - dt.timedelta(days=30 * months + 2)
    other = desk.company.add_subscription(
        of.customer_uid,
        desk.company.add_plan("Silver", amount=5000),
        created_at=began,
        next_billing_at=clock.now() + dt.timedelta(days=12),
    )
    for month in range(months):
        desk.company.add_invoice(
            of.customer_uid,
            5000,
            "Paid",
            subscription_uid=other.uid,
            created_at=began + dt.timedelta(days=30 * month),
        )
    return other


def months_of(desk: Desk, *subscriptions: Subscription) -> int:
    case = desk.advance(desk.decided(*subscriptions))
    return Facts.objects.get(case=case).months


@pytest.mark.usefixtures("counts_renewals")
def test_what_was_paid_for_a_service_that_stays_or_once_is_no_renewal_of_this_one(
    desk: Desk,
) -> None:
    customer, gold = desk.client(months_ago=5)
    another_service(desk, gold, months=10)
    desk.company.add_invoice(customer.uid, 2500, "Paid")
    desk.invoice(gold, 0, "Paid")
    assert months_of(desk, gold) == 5


@pytest.mark.usefixtures("counts_renewals")
def test_of_several_services_the_one_that_was_paid_most_often_counts(desk: Desk) -> None:
    _, gold = desk.client(months_ago=5)
    silver = another_service(desk, gold, months=3)
    assert months_of(desk, gold, silver) == 5


@pytest.mark.usefixtures("counts_renewals")
def test_a_renewal_that_was_given_back_whole_does_not_count(desk: Desk) -> None:
    customer, gold = desk.client(months_ago=5)
    whole, part, *_ = desk.company.invoices(customer.uid)
    desk.billsby.refund(customer.uid, whole.number, 9900)
    desk.billsby.refund(customer.uid, part.number, 100)
    desk.invoice(gold, 9900, "PaidOffline")  # of which Billsby cannot refund anything
    assert months_of(desk, gold) == 5


@pytest.mark.usefixtures("counts_renewals")
def test_a_renewal_that_cannot_be_refunded_for_another_reason_counts(
    desk: Desk,
) -> None:
    _, gold = desk.client(months_ago=2)
    honest = desk.billsby.customer_invoices
    desk.billsby.customer_invoices = lambda customer_id: [  # type: ignore[method-assign]
        replace(invoice, refundable_minor=0) for invoice in honest(customer_id)
    ]
    assert months_of(desk, gold) == 2


@pytest.mark.usefixtures("counts_renewals")
def test_what_was_paid_in_a_currency_that_is_left_out_does_not_count(desk: Desk) -> None:
    customer, gold = desk.client(months_ago=3)
    desk.company.add_invoice(customer.uid, 9900, "Paid", subscription_uid=gold.uid, currency="GBP")
    assert months_of(desk, gold) == 3


def test_invoices_are_asked_what_they_are_for_only_where_renewals_are_counted(desk: Desk) -> None:
    _, gold = desk.client(months_ago=3)
    desk.advance(desk.decided(gold))
    assert not [c for c in desk.company.calls() if "/invoices/" in c.path]
