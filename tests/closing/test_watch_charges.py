"""A charge after the client asked to stop is found in every state, and goes when given back."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from billsby_sandbox import changes
from billsby_sandbox.records import Invoice
from billsby_sandbox.words import Actor
from canceldesk import clock
from canceldesk.cases import services as cases
from canceldesk.cases.lease import give_back, take
from canceldesk.cases.models import Case, Decision, Finding, State
from canceldesk.closing import services
from canceldesk.closing.charges import check_charges
from canceldesk.closing.models import Facts, Hold, Watch
from canceldesk.closing.notes import Notes
from canceldesk.closing.services import Seen
from canceldesk.closing.work import Work
from tests.closing.conftest import Desk
from tests.closing.test_watch import closed_case, kinds, uid

DAY = dt.timedelta(days=1)


def charge(desk: Desk, case: Case, amount: int = 9900, status: str = "Paid") -> Invoice:
    """An invoice of the case's subscription, issued now."""
    return desk.company.add_invoice(
        case.client.billsby_id, amount, status, subscription_uid=uid(case)
    )


def look(desk: Desk, case: Case) -> None:
    """What a pass of any state does about charges."""
    lease = take(case.pk, "worker")
    assert lease is not None
    case.refresh_from_db()
    check_charges(Work(case, lease, Notes(case), desk.billsby, desk.the_list))
    give_back(lease)


def refund(desk: Desk, invoice: Invoice, amount: int) -> None:
    with desk.company.transaction() as books:
        changes.refund(books, Actor.PANEL, invoice.customer_uid, invoice.number, amount)


def watched_to_the_end(desk: Desk, case: Case) -> Watch:
    for _ in range(160):
        if case.next_pass_at is None:
            break
        desk.later(seconds=(case.next_pass_at - clock.now()).total_seconds())
        desk.advance(case)
    return Watch.objects.get(case=case)


def test_a_charge_in_an_open_case_is_found_at_once(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.file(subscription)
    look(desk, case)
    assert not kinds(case)
    desk.later(hours=1)
    invoice = charge(desk, case)
    look(desk, case)
    [finding] = case.findings.all()
    assert finding.kind == Finding.Kind.CHARGED_AFTER_REQUEST
    assert finding.key == invoice.number
    assert "Refund it" in finding.sentence


@pytest.mark.parametrize(("after_decision", "found"), [(False, True), (True, False)])
def test_of_a_client_who_stays_only_charges_before_the_decision_are_found(
    desk: Desk, after_decision: bool, found: bool
) -> None:
    _, subscription = desk.client()
    case = desk.file(subscription)
    desk.later(hours=1)
    if not after_decision:
        charge(desk, case)
    desk.later(hours=1)
    desk.decide(case, Decision.RETAINED)
    desk.later(hours=1)
    if after_decision:
        charge(desk, case)
    desk.advance(case)
    assert case.state == State.RETAINED
    assert bool(kinds(case)) is found
    assert all("agree with them" in finding.sentence for finding in case.findings.all())


def test_a_refunded_charge_is_settled_and_a_part_of_it_is_not(desk: Desk) -> None:
    case = closed_case(desk)
    desk.later(hours=1)
    invoice = charge(desk, case)
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == {"charged_after_request"}
    refund(desk, invoice, 5000)
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == {"charged_after_request"}
    refund(desk, invoice, 4900)
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == set()


def test_a_payment_that_cannot_be_refunded_is_still_a_charge(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = closed_case(desk)
    desk.later(hours=1)
    charge(desk, case)
    read = desk.billsby.customer_invoices
    monkeypatch.setattr(
        desk.billsby,
        "customer_invoices",
        lambda uid: [replace(invoice, refundable_minor=0) for invoice in read(uid)],
    )
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == {"charged_after_request"}


def test_a_pending_charge_that_was_written_off_took_nothing(desk: Desk) -> None:
    case = closed_case(desk)
    desk.later(hours=1)
    invoice = charge(desk, case, status="Pending")
    look(desk, case)
    assert kinds(case) == {"charged_after_request"}
    desk.company.panel_write_off(invoice.number)
    look(desk, case)
    assert kinds(case) == set()


def test_an_invoice_of_nothing_is_no_charge(desk: Desk) -> None:
    case = closed_case(desk)
    desk.later(hours=1)
    charge(desk, case, amount=0)
    look(desk, case)
    assert kinds(case) == set()


def test_the_watch_goes_on_until_what_it_found_is_put_right(desk: Desk) -> None:
    case = closed_case(desk)
    desk.later(hours=1)
    invoice = charge(desk, case)
    watch = Watch.objects.get(case=case)
    assert watch.ends_at is not None
    clock.advance(watch.ends_at + DAY - clock.now())
    desk.advance(case)
    watch.refresh_from_db()
    assert watch.result == Watch.Result.WATCHING
    assert "1 thing found wrong" in case.waits_sentence
    assert "nothing is wrong any more" in case.waits_sentence
    assert case.next_pass_at is not None
    assert case.next_pass_at <= clock.now() + DAY
    refund(desk, invoice, 9900)
    watch = watched_to_the_end(desk, case)
    assert watch.result == Watch.Result.WRONG
    assert kinds(case) == set()


def test_what_the_watch_cannot_see_settled_does_not_keep_it_going(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.company.panel_cancel(subscription.uid, subscription.customer_uid)
    desk.advance(case)
    assert case.state == State.CLOSED
    assert kinds(case) == {"cancelled_instead"}
    assert watched_to_the_end(desk, case).result == Watch.Result.WRONG


def test_a_later_charge_of_another_service_is_not_the_first_cases(desk: Desk) -> None:
    customer, leaving = desk.client()
    other = desk.company.add_subscription(
        customer.uid, next_billing_at=clock.now() + dt.timedelta(days=20)
    )
    case = desk.decided(leaving)
    desk.advance(case)
    desk.company.panel_suspend(leaving.uid)
    desk.advance(case)
    assert case.state == State.CLOSED
    desk.later(hours=1)
    desk.company.add_invoice(customer.uid, 9900, "Paid", subscription_uid=other.uid)
    desk.company.panel_suspend(other.uid)
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == set()


@pytest.mark.parametrize(("stays", "found"), [(True, set()), (False, {"charged_after_request"})])
def test_a_one_time_charge_is_the_cases_when_nothing_stays(
    desk: Desk, stays: bool, found: set[str]
) -> None:
    case = closed_case(desk)
    if stays:
        desk.company.add_subscription(case.client.billsby_id)
    desk.later(hours=1)
    desk.company.add_invoice(case.client.billsby_id, 2500, "Paid")
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == found


def test_what_was_owed_before_and_collected_after_the_request_is_found(desk: Desk) -> None:
    _, subscription = desk.client()
    owed = desk.invoice(subscription, 9900)
    case = desk.decided(subscription)
    desk.advance(case)
    assert Facts.objects.get(case=case).evidence["open_invoices"] == [owed.number]
    look(desk, case)
    assert not kinds(case)
    desk.later(hours=5)
    desk.company.panel_reattempt(owed.number)
    desk.later(minutes=6)
    assert desk.company.invoice(owed.number).status == "Paid"
    desk.company.panel_suspend(subscription.uid)
    desk.settle(case)
    assert case.state == State.CLOSED
    [finding] = case.findings.all()
    assert finding.kind == Finding.Kind.CHARGED_AFTER_REQUEST
    assert "before the client asked to stop" in finding.sentence
    refund(desk, owed, 9900)
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == set()


def collected(desk: Desk, owed: Invoice) -> None:
    """Billsby collects what is owed; of what was refused once, when somebody has it try again."""
    desk.later(hours=1)
    if desk.company.invoice(owed.number).status == "Unpaid":
        desk.company.panel_reattempt(owed.number)
    desk.later(minutes=10)
    assert desk.company.invoice(owed.number).status == "Paid"


@pytest.mark.parametrize("is_held", [True, False])
@pytest.mark.parametrize("status", ["Unpaid", "Pending"])
def test_what_was_owed_and_collected_while_nobody_had_decided_is_found(
    desk: Desk, status: str, is_held: bool
) -> None:
    _, subscription = desk.client()
    if is_held:
        desk.later(days=8)
    owed = desk.invoice(subscription, 9900, status)
    case = desk.advance(desk.file(subscription))
    assert Hold.objects.filter(scope__case=case).exists() is is_held
    assert not kinds(case)
    collected(desk, owed)
    desk.advance(case)
    assert kinds(case) == {"charged_after_request"}
    desk.decide(case, Decision.SUSPEND)
    desk.settle(case)
    desk.company.panel_suspend(subscription.uid)
    desk.settle(case)
    assert case.state == State.CLOSED
    [finding] = case.findings.all()
    assert "before the client asked to stop" in finding.sentence
    refund(desk, owed, 9900)
    assert watched_to_the_end(desk, case).result == Watch.Result.WRONG
    assert kinds(case) == set()


def test_what_was_collected_right_before_the_decision_is_found_after_it(desk: Desk) -> None:
    _, subscription = desk.client()
    owed = desk.invoice(subscription, 9900)
    case = desk.advance(desk.file(subscription))
    collected(desk, owed)
    desk.decide(case, Decision.SUSPEND)
    desk.settle(case)
    assert Facts.objects.get(case=case).evidence["open_invoices"] == []
    assert kinds(case) == {"charged_after_request"}


@pytest.mark.parametrize(("before_decision", "found"), [(True, True), (False, False)])
def test_of_a_client_who_stays_only_what_was_collected_before_the_decision_is_found(
    desk: Desk, before_decision: bool, found: bool
) -> None:
    _, subscription = desk.client()
    owed = desk.invoice(subscription, 9900)
    case = desk.advance(desk.file(subscription))
    if before_decision:
        collected(desk, owed)
    desk.decide(case, Decision.RETAINED)
    desk.advance(case)
    if not before_decision:
        collected(desk, owed)
    desk.later(hours=12)
    desk.advance(case)
    assert case.state == State.RETAINED
    assert bool(kinds(case)) is found
    assert all("They stay" in finding.sentence for finding in case.findings.all())


def test_what_was_owed_is_still_known_when_the_decision_is_taken_back(desk: Desk) -> None:
    _, subscription = desk.client()
    owed = desk.invoice(subscription, 9900)
    case = desk.advance(desk.decided(subscription))
    services.take_back(case, by=desk.manager, why="They called again")
    collected(desk, owed)
    desk.advance(case)
    assert kinds(case) == {"charged_after_request"}


def test_an_old_case_of_which_nobody_knows_what_was_owed_is_looked_at_from_now_on(
    desk: Desk,
) -> None:
    _, subscription = desk.client()
    before, after = desk.invoice(subscription, 9900), desk.invoice(subscription, 4900)
    case = desk.advance(desk.file(subscription))
    Case.objects.update(open_at_first=None)
    collected(desk, before)
    desk.advance(case)
    assert not kinds(case)
    collected(desk, after)
    desk.advance(case)
    [finding] = case.findings.all()
    assert finding.key == after.number


def test_what_was_open_at_first_is_stored_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    _, subscription = desk.client()
    owed = desk.invoice(subscription, 9900)
    case = desk.advance(desk.file(subscription))
    monkeypatch.delattr(cases, "keep_open_at_first")
    collected(desk, owed)
    desk.advance(case)
    assert case.open_at_first == [owed.number]


def test_what_was_owed_and_written_off_was_not_collected(desk: Desk) -> None:
    _, subscription = desk.client()
    owed = desk.invoice(subscription, 5000)
    case = desk.decided(subscription)
    desk.advance(case)
    services.approve_write_offs(case, by=desk.agent, seen=[Seen(owed.number, 5000)])
    desk.advance(case)
    desk.company.panel_suspend(subscription.uid)
    desk.settle(case)
    assert case.state == State.CLOSED
    assert not case.findings.exists()


def test_a_charge_that_came_although_the_hold_was_refused_is_found_while_the_case_is_open(
    desk: Desk,
) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    desk.company.add_fault("status", "PUT", "*/renewaldate", status=400)
    case = desk.file(subscription)
    desk.advance(case)
    desk.later(days=3)
    desk.later(minutes=10)
    desk.advance(case)
    assert case.findings.filter(kind="charged_after_request", resolved_at=None).exists()
    desk.decide(case, Decision.SUSPEND)
    desk.advance(case)
    assert case.state == State.CLOSING
    assert case.findings.filter(kind="charged_after_request", resolved_at=None).count() == 1
