"""Billsby answers about somebody else, or as things were: nothing of it comes on the list."""

from __future__ import annotations

import pytest

from billsby_sandbox.records import Subscription as PracticeSubscription
from canceldesk.cases.models import Case, LogEntry
from canceldesk.closing.models import Facts, Step
from tests.closing.conftest import Desk

ANOTHERS = 495_00
OWN = 891_00


def two_clients(desk: Desk) -> PracticeSubscription:
    """The second of two clients, who has paid for nine months; the first has for five."""
    first, _ = desk.client("Ada", "First", months_ago=5)
    desk.mirrored(first.uid)
    _, second = desk.client("Bea", "Second", months_ago=9)
    return second


def collected(case: Case) -> int:
    return Facts.objects.get(case=case).collected_minor


@pytest.mark.parametrize("times", [1, 3])
def test_anothers_invoices_are_not_taken_for_the_clients(desk: Desk, times: int) -> None:
    case = desk.decided(two_clients(desk))
    path = "*/customers/*/invoices"
    desk.company.add_fault("rubbish", "GET", path, rubbish="wrong_customer", times=times)

    desk.advance(case)
    assert not Facts.objects.filter(case=case).exists()
    assert "Billsby gave some of" in case.waits_sentence

    desk.settle(case)
    assert collected(case) == OWN
    assert desk.the_list.rows[0].collected_minor == OWN


def test_a_client_nobody_knows_gives_no_mix_up_away_but_the_total_does(desk: Desk) -> None:
    desk.client("Ada", "First", months_ago=5)
    _, second = desk.client("Bea", "Second", months_ago=9)
    case = desk.decided(second)
    path = "*/customers/*/invoices"
    desk.company.add_fault("rubbish", "GET", path, rubbish="wrong_customer", times=1)

    desk.settle(case)

    assert collected(case) == OWN


def test_a_reading_that_is_out_of_date_is_not_counted(desk: Desk) -> None:
    customer, subscription = desk.client(months_ago=5)
    case = desk.decided(subscription)
    desk.billsby.customer_invoices(customer.uid)
    desk.company.add_invoice(customer.uid, 9900, "Paid", subscription_uid=subscription.uid)
    desk.company.add_fault("stale", "GET", "*/customers/*/invoices", times=1)

    desk.advance(case)
    assert desk.step(case, Step.Name.FACTS).state == Step.State.WAITING
    assert "reads it again" in desk.step(case, Step.Name.FACTS).sentence

    desk.settle(case)
    assert collected(case) == ANOTHERS + 9900


def test_an_account_whose_total_leaves_something_out_is_counted_all_the_same(desk: Desk) -> None:
    desk.company.set_quirk("paid_total_excludes_offline", "yes")
    customer, subscription = desk.client(months_ago=5)
    desk.company.add_invoice(customer.uid, 9900, "PaidOffline", subscription_uid=subscription.uid)
    case = desk.decided(subscription)
    desk.advance(case)
    assert desk.step(case, Step.Name.FACTS).state == Step.State.DONE


def test_the_log_says_of_a_hold_before_it_is_sent(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.company.add_fault("drop_after", "PUT", "*/renewaldate", times=1)
    case = desk.decided(subscription)
    desk.advance(case)
    desk.company.panel_suspend(subscription.uid)
    desk.settle(case)
    verbs = list(LogEntry.objects.filter(case=case).values_list("verb", flat=True))
    assert [verb for verb in verbs if verb.startswith("hold.")] == ["hold.intended", "hold.placed"]


def test_the_log_says_of_a_hold_each_time_that_it_is_sent(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.company.add_fault("drop_before", "PUT", "*/renewaldate", times=1)
    case = desk.decided(subscription)
    desk.settle(case, rounds=3)
    verbs = list(LogEntry.objects.filter(case=case).values_list("verb", flat=True))
    assert verbs.index("hold.intended") < verbs.index("hold.placed")
    assert verbs.count("hold.intended") == len(desk.writes("renewaldate")) == 2
    assert verbs.count("hold.placed") == 1
