"""What goes on the list: in which currency."""

from __future__ import annotations

from canceldesk.billsby import CreditNote, CreditNoteStatus
from canceldesk.closing.models import Facts, Step
from canceldesk.closing.steps.facts import collected
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
