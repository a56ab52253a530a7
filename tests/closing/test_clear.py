"""Invoices that block: each written off once, and only with authority."""

from __future__ import annotations

import dataclasses

import pytest

from billsby_sandbox.words import Actor
from canceldesk.accounts.models import User
from canceldesk.cases.authority import NotAllowedError
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, Decision, Finding, LogEntry, State, WaitsFor
from canceldesk.cases.services import CaseError
from canceldesk.closing import invoices, services
from canceldesk.closing.invoices import Belongs
from canceldesk.closing.models import Facts, Intent, Step, WriteOffApproval
from canceldesk.closing.services import Seen
from tests.closing.conftest import Desk


def approve(case: Case, by: User) -> None:
    """Approve everything the page shows."""
    seen = [Seen(str(i["number"]), int(str(i["amount_minor"]))) for i in services.to_approve(case)]
    services.approve_write_offs(case, by=by, seen=seen)


def test_an_unpaid_invoice_waits_for_somebodys_approval(desk: Desk) -> None:
    _, subscription = desk.client()
    invoice = desk.invoice(subscription, 4900)
    case = desk.decided(subscription)
    desk.advance(case)
    assert case.waits_for == WaitsFor.PERSON
    assert "$49.00" in case.waits_sentence
    assert "Somebody must approve" in case.waits_sentence
    assert not desk.writes("WrittenOff")
    approve(case, desk.agent)
    desk.advance(case)
    assert desk.writes("WrittenOff") == [f"PUT /acme/invoices/{invoice.number}/WrittenOff"]
    assert desk.company.invoice(invoice.number).status == "WrittenOff"
    desk.company.panel_suspend(subscription.uid)
    desk.advance(case)
    assert case.state == State.CLOSED
    step = desk.step(case, Step.Name.CLEAR)
    assert step.evidence["written_off"][0]["amount_minor"] == 4900
    assert step.evidence["written_off"][0]["approved_by"] == desk.agent.pk


def test_unpaid_pending_and_scheduled_invoices_are_all_written_off(desk: Desk) -> None:
    customer, subscription = desk.client()
    for status in ("Unpaid", "Pending", "ToBeWrittenOff"):
        desk.invoice(subscription, 2000, status)
    case = desk.decided(subscription)
    desk.advance(case)
    approve(case, desk.manager)
    desk.settle(case, rounds=3)
    statuses = {i.status for i in desk.company.invoices(customer.uid) if i.original_amount == 2000}
    assert statuses == {"WrittenOff"}
    assert len(desk.writes("WrittenOff")) == 3


def test_the_amounts_are_known_after_they_were_zeroed(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.invoice(subscription, 4900)
    case = desk.decided(subscription)
    desk.advance(case)
    approve(case, desk.agent)
    desk.advance(case)
    assert Facts.objects.get().owed_minor == 4900
    assert Intent.objects.get(kind="write_off").request["amount_minor"] == 4900


def test_above_the_limit_an_agent_is_refused_and_a_manager_is_not(desk: Desk) -> None:
    _, subscription = desk.client()
    for _ in range(3):
        desk.invoice(subscription, 14900)
    case = desk.decided(subscription)
    desk.advance(case)
    assert "A manager must" in case.waits_sentence
    with pytest.raises(NotAllowedError, match="limit is \\$100.00"):
        approve(case, desk.agent)
    assert not WriteOffApproval.objects.exists()
    approve(case, desk.manager)
    desk.advance(case)
    assert len(desk.writes("WrittenOff")) == 3


def test_the_limit_cannot_be_split(desk: Desk) -> None:
    _, subscription = desk.client()
    first, second = desk.invoice(subscription, 6000), desk.invoice(subscription, 6000)
    case = desk.decided(subscription)
    desk.advance(case)
    services.approve_write_offs(case, by=desk.agent, seen=[Seen(first.number, 6000)])
    with pytest.raises(NotAllowedError):
        services.approve_write_offs(case, by=desk.agent, seen=[Seen(second.number, 6000)])


def test_what_is_owed_to_the_client_makes_no_room_below_the_limit(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.invoice(subscription, -50000)
    desk.invoice(subscription, 55000)
    case = desk.advance(desk.decided(subscription))
    assert "A manager must" in case.waits_sentence
    with pytest.raises(NotAllowedError, match=r"would come to \$1,050\.00"):
        approve(case, desk.agent)
    approve(case, desk.manager)
    desk.advance(case)
    assert len(desk.writes("WrittenOff")) == 2


def test_approving_the_same_invoice_again_does_not_use_the_limit_up(desk: Desk) -> None:
    _, subscription = desk.client()
    first = desk.invoice(subscription, 9000)
    case = desk.decided(subscription)
    for _ in range(2):
        services.approve_write_offs(case, by=desk.agent, seen=[Seen(first.number, 9000)])
    desk.advance(case)
    assert len(desk.writes("WrittenOff")) == 1


def test_an_invoice_that_grew_is_not_approved_unseen(desk: Desk) -> None:
    _, subscription = desk.client()
    invoice = desk.invoice(subscription, 5000)
    case = desk.decided(subscription)
    with pytest.raises(CaseError, match="has grown to \\$50.00"):
        services.approve_write_offs(case, by=desk.manager, seen=[Seen(invoice.number, 4000)])


@pytest.mark.parametrize("number", ["NOBODY-1", None])
def test_only_an_open_invoice_of_this_client_can_be_approved(
    desk: Desk, number: str | None
) -> None:
    customer, subscription = desk.client()
    case = desk.decided(subscription)
    paid = number or desk.company.invoices(customer.uid)[0].number
    with pytest.raises(CaseError, match="no invoice|cannot be written off"):
        services.approve_write_offs(case, by=desk.manager, seen=[Seen(paid, 9900)])


def test_nothing_is_approved_in_an_ended_case_or_for_nothing(desk: Desk) -> None:
    _, subscription = desk.client()
    invoice = desk.invoice(subscription, 5000)
    case = desk.file(subscription)
    with pytest.raises(CaseError, match="at least one"):
        services.approve_write_offs(case, by=desk.manager, seen=[])
    desk.decide(case, Decision.RETAINED)
    with pytest.raises(CaseError, match="has ended"):
        services.approve_write_offs(case, by=desk.manager, seen=[Seen(invoice.number, 5000)])


def test_a_lost_answer_is_not_written_off_twice(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.invoice(subscription, 4900)
    case = desk.decided(subscription)
    desk.advance(case)
    approve(case, desk.agent)
    desk.company.add_fault("drop_after", "PUT", "*/WrittenOff", times=1)
    desk.settle(case, rounds=4)
    assert len(desk.writes("WrittenOff")) == 1
    assert Intent.objects.get(kind="write_off").state == Intent.State.CONFIRMED


def test_a_call_lost_on_its_way_is_repeated_only_after_it_settled(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.invoice(subscription, 4900)
    case = desk.decided(subscription)
    desk.advance(case)
    approve(case, desk.agent)
    desk.company.add_fault("drop_before", "PUT", "*/WrittenOff", times=1)
    desk.advance(case)
    desk.later(seconds=20)
    desk.advance(case)
    assert len(desk.writes("WrittenOff")) == 1
    assert desk.step(case, Step.Name.CLEAR).state == Step.State.UNKNOWN
    desk.later(seconds=60)
    desk.advance(case)
    assert len(desk.writes("WrittenOff")) == 2
    assert len(desk.history("invoice written off")) == 1


def test_a_pending_invoice_that_cannot_be_written_off_waits_for_the_batch(desk: Desk) -> None:
    desk.company.set_quirk("write_off_pending_allowed", "no")
    customer, subscription = desk.client()
    desk.company.set_card(customer.uid, good=False)
    desk.invoice(subscription, 4900, "Pending")
    case = desk.decided(subscription)
    desk.advance(case)
    approve(case, desk.agent)
    desk.advance(case)
    assert "pending" in case.waits_sentence
    assert not case.attention
    desk.later(minutes=10)
    desk.settle(case, rounds=3)
    assert len(desk.history("invoice written off")) == 1


def test_a_refused_write_off_says_what_to_do_in_billsby(desk: Desk) -> None:
    desk.company.add_fault("status", "PUT", "*/WrittenOff", status=400)
    _, subscription = desk.client()
    invoice = desk.invoice(subscription, 4900)
    case = desk.decided(subscription)
    desk.advance(case)
    approve(case, desk.agent)
    desk.advance(case)
    assert "Invoices & credit notes" in case.attention
    desk.company.panel_write_off(invoice.number)
    desk.advance(case)
    assert not case.attention
    assert Intent.objects.get(kind="write_off").state == Intent.State.CONFIRMED


def test_an_invoice_of_a_service_that_stays_is_never_written_off(desk: Desk) -> None:
    customer, leaving = desk.client()
    staying = desk.company.add_subscription(customer.uid)
    owed = desk.invoice(staying, 3000)
    case = desk.decided(leaving)
    desk.advance(case)
    assert desk.step(case, Step.Name.CLEAR).state == Step.State.NOT_NEEDED
    assert not services.to_approve(case)
    with pytest.raises(CaseError, match="stays"):
        services.approve_write_offs(case, by=desk.manager, seen=[Seen(owed.number, 3000)])
    assert desk.company.invoice(owed.number).status == "Unpaid"


def test_a_one_time_charge_beside_a_service_that_stays_is_left_for_a_person(desk: Desk) -> None:
    customer, leaving = desk.client()
    desk.company.add_subscription(customer.uid)
    charge = desk.company.add_invoice(customer.uid, 2500)
    case = desk.decided(leaving)
    desk.advance(case)
    assert desk.company.invoice(charge.number).status == "Unpaid"
    assert charge.number in case.waits_sentence
    [offered] = desk.step(case, Step.Name.CLEAR).evidence["may_approve"]
    assert offered["number"] == charge.number
    services.approve_write_offs(case, by=desk.agent, seen=[Seen(charge.number, 2500)])
    desk.advance(case)
    assert desk.company.invoice(charge.number).status == "WrittenOff"


@pytest.mark.parametrize(("outcome", "closes"), [("suspended", True), ("cancelled", True)])
def test_what_the_dunning_setting_does_to_the_subscription_is_seen(
    desk: Desk, outcome: str, closes: bool
) -> None:
    desk.company.set_quirk("write_off_triggers_dunning_outcome", outcome)
    _, subscription = desk.client()
    desk.invoice(subscription, 4900)
    case = desk.decided(subscription)
    desk.advance(case)
    approve(case, desk.agent)
    desk.settle(case, rounds=3)
    assert (case.state == State.CLOSED) is closes
    after = Intent.objects.get(kind="write_off").answer["subscriptions_after"]
    assert after[subscription.uid].casefold() == outcome
    told = Finding.objects.filter(kind="cancelled_instead").exists()
    assert told is (outcome == "cancelled")


@pytest.mark.parametrize("spelling", ["joined", "spaced", "lower"])
def test_spellings_make_no_difference(desk: Desk, spelling: str) -> None:
    desk.company.set_quirk("status_spelling", spelling)
    _, subscription = desk.client()
    desk.invoice(subscription, 4900)
    case = desk.decided(subscription)
    desk.advance(case)
    approve(case, desk.agent)
    desk.advance(case)
    desk.company.panel_suspend(subscription.uid)
    desk.advance(case)
    assert case.state == State.CLOSED


def test_what_is_recorded_is_what_is_really_written_off(desk: Desk) -> None:
    _, subscription = desk.client()
    invoice = desk.invoice(subscription, 5000)
    case = desk.decided(subscription)
    desk.advance(case)
    approve(case, desk.agent)
    desk.company.add_fault("status", "PUT", "*/WrittenOff", status=400, times=1)
    desk.advance(case)
    with desk.company.transaction() as books:
        books.amend(Actor.PANEL, "grew", books.invoice(invoice.number), books.now(), amount=25000)
    desk.later(minutes=2)
    desk.advance(case)
    approve(case, desk.manager)
    desk.advance(case)
    request = Intent.objects.get(kind="write_off").request
    assert request["amount_minor"] == 25000
    assert request["approved_by"] == desk.manager.pk
    assert "$250.00 written off" in desk.step(case, Step.Name.CLEAR).sentence
    intended = LogEntry.objects.filter(case=case, verb=Verb.WRITE_OFF_INTENDED).order_by("id")
    assert [entry.data["amount"] for entry in intended] == ["$50.00", "$250.00"]


@pytest.mark.parametrize(
    ("named", "staying", "belongs"),
    [
        (["A"], {"B"}, Belongs.IN_SCOPE),
        (["A"], set(), Belongs.IN_SCOPE),
        (["A", "C"], {"B"}, Belongs.IN_SCOPE),
        (["A", "B"], {"B"}, Belongs.UNCLEAR),
        (["A", "B"], set(), Belongs.UNCLEAR),
        (["B"], {"B"}, Belongs.STAYS),
        (["B"], set(), Belongs.UNCLEAR),
        ([], {"B"}, Belongs.UNCLEAR),
        ([], set(), Belongs.IN_SCOPE),
    ],
)
def test_whose_an_invoice_is(named: list[str], staying: set[str], belongs: Belongs) -> None:
    assert invoices.belongs(named, {"A", "C"}, staying) is belongs


def test_an_invoice_for_two_services_is_not_written_off_with_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, leaving = desk.client()
    staying = desk.company.add_subscription(customer.uid)
    both = desk.invoice(leaving, 9900)
    read = desk.billsby.invoice
    monkeypatch.setattr(
        desk.billsby,
        "invoice",
        lambda number: dataclasses.replace(
            read(number), subscription_ids=[leaving.uid, staying.uid]
        ),
    )
    case = desk.decided(leaving)
    desk.advance(case)
    assert not services.to_approve(case)
    [offered] = desk.step(case, Step.Name.CLEAR).evidence["may_approve"]
    assert offered["number"] == both.number
    assert desk.company.invoice(both.number).status == "Unpaid"


def test_what_is_owed_for_a_service_suspended_earlier_is_offered_not_waited_for(
    desk: Desk,
) -> None:
    customer, leaving = desk.client()
    earlier = desk.company.add_subscription(customer.uid)
    desk.company.panel_suspend(earlier.uid)
    owed = desk.invoice(earlier, 3000)
    case = desk.decided(leaving)
    desk.advance(case)
    assert not services.to_approve(case)
    [offered] = desk.step(case, Step.Name.CLEAR).evidence["may_approve"]
    assert offered["number"] == owed.number
    services.approve_write_offs(case, by=desk.agent, seen=[Seen(owed.number, 3000)])
    desk.advance(case)
    assert desk.company.invoice(owed.number).status == "WrittenOff"
