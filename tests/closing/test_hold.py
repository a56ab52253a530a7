"""Holds: nothing is charged, whatever Billsby leaves undocumented."""

from __future__ import annotations

import datetime as dt

import pytest

from canceldesk import clock
from canceldesk.cases import lease as leases
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, Decision, LogEntry, State
from canceldesk.cases.services import CaseError, withdraw
from canceldesk.closing import giving_back, services
from canceldesk.closing.models import Facts, Hold, Step
from canceldesk.configuration import services as configuration
from canceldesk.workbook.errors import InUse
from tests.closing.conftest import Desk, due_now


def test_a_client_charged_soon_is_held_before_anybody_decides(desk: Desk) -> None:
    customer, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    desk.advance(case)
    assert case.state == State.NEW
    assert Hold.objects.get().state == Hold.State.HELD
    paid = len(desk.company.invoices(customer.uid))
    desk.later(days=20)
    assert len(desk.company.invoices(customer.uid)) == paid


def test_a_client_charged_later_is_left_alone_until_then(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.file(subscription)
    desk.advance(case)
    assert not desk.writes()
    assert case.next_charge_at == subscription.next_billing_at
    assert case.next_pass_at is not None
    desk.later(days=7, minutes=1)
    desk.advance(case)
    assert len(desk.writes("renewaldate")) == 1


def test_the_pass_before_a_charge_comes_in_time(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.file(subscription)
    desk.later(days=6, hours=23)
    desk.advance(case)
    assert case.next_pass_at is not None
    assert case.next_pass_at <= subscription.next_billing_at - dt.timedelta(days=3)


def test_holding_can_be_switched_off(desk: Desk) -> None:
    configuration.change("HOLD_FIRST", "no")
    _, subscription = desk.client()
    desk.later(days=9)
    case = desk.file(subscription)
    desk.advance(case)
    desk.decide(case, Decision.SUSPEND)
    desk.advance(case)
    assert not desk.writes()
    assert desk.step(case, Step.Name.HOLD).state == Step.State.NOT_NEEDED


@pytest.mark.parametrize("lifted", ["yes", "no"])
def test_a_retained_client_gets_the_charge_date_back(desk: Desk, lifted: str) -> None:
    desk.company.set_quirk("pause_lifted_by_false", lifted)
    customer, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    desk.advance(case)
    desk.decide(case, Decision.RETAINED)
    desk.settle(case)
    after = desk.company.subscription(subscription.uid)
    assert after.next_billing_at.date() == subscription.next_billing_at.date()
    assert Hold.objects.get().state == Hold.State.RETURNED
    paid = len(desk.company.invoices(customer.uid))
    desk.later(days=3)
    assert len(desk.company.invoices(customer.uid)) == paid + 1
    assert desk.company.subscription(subscription.uid).status == "Active"


def test_a_period_that_passed_while_held_is_not_charged_afterwards(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    desk.advance(case)
    desk.later(days=5)
    desk.decide(case, Decision.RETAINED)
    desk.settle(case)
    after = desk.company.subscription(subscription.uid).next_billing_at.date()
    original = subscription.next_billing_at
    assert after == giving_back.next_date(original, clock.now())
    assert after > clock.now().date()
    assert after.day == original.day


def test_a_withdrawn_case_gives_the_hold_back(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    desk.advance(case)
    withdraw(case, by=desk.agent, because="not_a_cancellation")
    desk.settle(case)
    assert Hold.objects.get().state == Hold.State.RETURNED
    assert case.next_pass_at is None


def test_a_service_paused_before_stays_paused_with_its_own_date(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.company.panel_change_bill_date(
        subscription.uid, clock.now() + dt.timedelta(days=2), pause=True
    )
    case = desk.file(subscription)
    desk.advance(case)
    withdraw(case, by=desk.agent, because="not_a_cancellation")
    desk.settle(case)
    after = desk.company.subscription(subscription.uid)
    assert after.status == "Paused"
    assert after.next_billing_at.date() == (clock.now() + dt.timedelta(days=2)).date()


def test_a_refused_date_is_tried_shorter(desk: Desk) -> None:
    desk.company.set_quirk("max_renewal_days", 100)
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    assert Hold.objects.get().until == clock.now().date() + dt.timedelta(days=90)
    assert case.state == State.CLOSING
    assert not case.attention


def test_a_hold_that_is_always_refused_is_said_and_the_rest_goes_on(desk: Desk) -> None:
    desk.company.add_fault("status", "PUT", "*/renewaldate", status=400)
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    assert "Change bill date" in case.attention
    assert len(desk.the_list.rows) == 1
    assert LogEntry.objects.filter(case=case, verb="hold.failed").exists()
    desk.company.panel_suspend(subscription.uid)
    desk.settle(case)
    assert case.state == State.CLOSED
    assert not case.attention


def test_a_lost_reply_to_a_hold_is_read_back_and_adopted(desk: Desk) -> None:
    desk.company.add_fault("drop_after", "PUT", "*/renewaldate", times=1)
    _, subscription = desk.client()
    before = subscription.next_billing_at
    case = desk.decided(subscription)
    desk.settle(case, rounds=3)
    hold = Hold.objects.get()
    assert hold.state == Hold.State.HELD
    assert hold.original_next_billing_at == before


def test_a_hold_somebody_undid_in_billsby_is_placed_again(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    soon = clock.now() + dt.timedelta(days=1)
    desk.company.panel_change_bill_date(subscription.uid, soon)
    desk.advance(case)
    hold = Hold.objects.get()
    assert desk.company.subscription(subscription.uid).next_billing_at.date() == hold.until
    assert hold.original_next_billing_at == subscription.next_billing_at


def test_an_unknown_status_is_shown_as_it_came_and_nothing_is_changed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    _say_status(desk, monkeypatch, "Dormant")
    desk.advance(case)
    assert '"Dormant"' in case.attention
    assert not desk.writes()


def _say_status(desk: Desk, monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
    import dataclasses

    from canceldesk.billsby import SubscriptionStatus

    honest = desk.billsby.subscription

    def subscription(subscription_id: str):
        return dataclasses.replace(
            honest(subscription_id), status=SubscriptionStatus.parse(raw), status_raw=raw
        )

    monkeypatch.setattr(desk.billsby, "subscription", subscription)


def _held_case(desk: Desk) -> Case:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    return desk.advance(case)


def test_one_click_lifts_the_pause_but_not_the_protection(desk: Desk) -> None:
    desk.company.set_quirk("suspend_offered_while_paused", "no")
    case = _held_case(desk)
    scope = case.scope.get()
    services.release_hold(case, by=desk.agent, scope=scope)
    desk.advance(case)
    there = desk.company.subscription(scope.subscription.billsby_id)
    assert there.status == "Active"
    assert there.next_billing_at.date() == Hold.objects.get().until
    desk.company.panel_suspend(there.uid)
    desk.advance(case)
    assert case.state == State.CLOSED


def test_a_lifted_pause_is_put_back_when_nobody_clicked(desk: Desk) -> None:
    case = _held_case(desk)
    scope = case.scope.get()
    services.release_hold(case, by=desk.agent, scope=scope)
    desk.advance(case)
    desk.later(minutes=16)
    desk.advance(case)
    assert desk.company.subscription(scope.subscription.billsby_id).status == "Paused"
    assert Hold.objects.get().state == Hold.State.HELD


def test_where_false_lifts_nothing_the_person_is_told_the_other_way(desk: Desk) -> None:
    desk.company.set_quirk("pause_lifted_by_false", "no")
    desk.company.set_quirk("suspend_offered_while_paused", "no")
    case = _held_case(desk)
    scope = case.scope.get()
    services.release_hold(case, by=desk.agent, scope=scope)
    desk.advance(case)
    assert "Status until new bill" in desk.step(case, Step.Name.HOLD).sentence
    uid = scope.subscription.billsby_id
    far = desk.company.subscription(uid).next_billing_at
    desk.company.panel_change_bill_date(uid, far, pause=False)
    desk.company.panel_suspend(uid)
    desk.advance(case)
    assert case.state == State.CLOSED


def test_nothing_can_be_released_where_nothing_is_held(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.file(subscription)
    with pytest.raises(CaseError, match="no hold"):
        services.release_hold(case, by=desk.agent, scope=case.scope.get())


# ------------------------------------------------------------------ many decided at once


def test_a_client_is_held_before_anything_else_is_done(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    verbs = list(LogEntry.objects.filter(case=case).values_list("verb", flat=True))
    assert verbs.index("hold.placed") < verbs.index("closing.facts")
    next_charge = Facts.objects.get(case=case).next_charge_at
    assert next_charge == Hold.objects.get(scope__case=case).original_next_billing_at


def decided_at_once(desk: Desk, count: int) -> list[Case]:
    return [desk.decided(desk.client(f"Client{number}")[1]) for number in range(count)]


def test_all_who_have_been_decided_are_held_before_one_is_brought_to_its_end(desk: Desk) -> None:
    cases = decided_at_once(desk, 4)

    for case in cases[:3]:
        desk.advance(case)
        assert "holds the others" in case.waits_sentence
    assert Hold.objects.filter(state=Hold.State.HELD).count() == 3
    assert not desk.the_list.rows

    desk.advance(cases[3])
    assert Hold.objects.filter(state=Hold.State.HELD).count() == 4
    assert len(desk.the_list.rows) == 1

    desk.later(seconds=1)
    for case in cases[:3]:
        assert due_now(case)
        desk.advance(case)
    assert len(desk.the_list.rows) == 4


def test_nobody_is_waited_for_who_is_not_to_be_held_or_not_due_or_being_worked_on(
    desk: Desk,
) -> None:
    later, at_work = decided_at_once(desk, 2)
    Case.objects.filter(pk=later.pk).update(next_pass_at=clock.now() + dt.timedelta(hours=1))
    assert leases.take(at_work.pk, "another worker") is not None
    desk.file(desk.client("Undecided")[1])
    case = desk.decided(desk.client()[1])
    desk.advance(case)
    assert len(desk.the_list.rows) == 1


def test_nobody_is_waited_for_who_has_had_a_pass_and_needs_no_hold(desk: Desk) -> None:
    _, subscription = desk.client("Suspended")
    desk.company.panel_suspend(subscription.uid)
    desk.the_list.trouble = InUse("Pat has the workbook open.", by="Pat")
    suspended = desk.decided(subscription)
    desk.advance(suspended)
    desk.the_list.trouble = None
    desk.later(minutes=1)
    assert due_now(suspended)
    assert not Hold.objects.exists()

    case = desk.decided(desk.client()[1])
    desk.advance(case)
    assert len(desk.the_list.rows) == 1


def test_the_log_names_the_same_day_before_and_after_holding(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    before, after = case.log.filter(verb__in=[Verb.HOLD_INTENDED, Verb.HOLD_PLACED])
    assert before.data["until"] == after.data["until"]
