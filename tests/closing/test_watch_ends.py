"""When a watch may end, and how a hold that is the stop is kept up meanwhile."""

from __future__ import annotations

import datetime as dt

import pytest

from billsby_sandbox import changes
from billsby_sandbox.words import Actor
from canceldesk import clock
from canceldesk.billsby.errors import NotFound
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, Decision, Finding, LogEntry, State
from canceldesk.closing.models import Hold, Watch
from canceldesk.configuration import services as configuration
from canceldesk.workbook.errors import InUse
from tests.closing.conftest import Desk
from tests.closing.test_watch import closed_case, kinds, uid


@pytest.fixture
def paused(desk: Desk) -> Case:
    """A closed case of a company that stops by pausing."""
    configuration.change("STOP_BY", "pause")
    _, subscription = desk.client()
    case = desk.settle(desk.decided(subscription))
    assert case.state == State.CLOSED
    return case


def delete(desk: Desk, case: Case) -> None:
    desk.somebody_else()
    with desk.company.transaction() as books:
        changes.delete_customer(books, Actor.PANEL, case.client.billsby_id)


def to_the_end(watch: Watch) -> None:
    assert watch.ends_at is not None
    clock.advance(watch.ends_at - clock.now())


def test_a_watch_does_not_end_on_a_look_that_could_not_read_the_list(desk: Desk) -> None:
    case = closed_case(desk)
    to_the_end(Watch.objects.get(case=case))
    desk.the_list.trouble = InUse("Pat has it open.", by="Pat")
    desk.advance(case)
    assert Watch.objects.get(case=case).result == Watch.Result.WATCHING
    assert case.next_pass_at is not None
    assert not case.attention
    desk.the_list.trouble = None
    desk.later(hours=1)
    desk.advance(case)
    assert Watch.objects.get(case=case).result == Watch.Result.CLEAN


def test_a_watch_does_not_end_on_a_look_that_billsby_did_not_answer(desk: Desk) -> None:
    case = closed_case(desk)
    to_the_end(Watch.objects.get(case=case))
    desk.company.add_fault("status", "GET", "*/invoices", status=500)
    desk.advance(case)
    assert Watch.objects.get(case=case).result == Watch.Result.WATCHING
    desk.company.clear_faults()
    desk.later(minutes=10)
    desk.advance(case)
    assert Watch.objects.get(case=case).result == Watch.Result.CLEAN


def test_a_client_deleted_after_closing_is_watched_to_the_date_and_it_is_said(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.settle(desk.decided(subscription, decision=Decision.CANCEL))
    assert case.state == State.CLOSED
    delete(desk, case)
    desk.later(hours=12)
    desk.advance(case)
    assert not case.attention
    assert "deleted in Billsby" in case.waits_sentence
    to_the_end(Watch.objects.get(case=case))
    desk.advance(case)
    assert Watch.objects.get(case=case).result == Watch.Result.CLEAN
    assert LogEntry.objects.get(case=case, verb=Verb.WATCH_ENDED).data["is_gone"] is True


def test_what_stands_of_a_deleted_client_does_not_keep_the_watch_for_ever(desk: Desk) -> None:
    case = closed_case(desk)
    desk.later(hours=1)
    desk.company.add_invoice(case.client.billsby_id, 9900, "Paid", subscription_uid=uid(case))
    desk.later(hours=12)
    desk.advance(case)
    desk.company.panel_cancel(uid(case), case.client.billsby_id)
    delete(desk, case)
    to_the_end(Watch.objects.get(case=case))
    desk.advance(case)
    assert Watch.objects.get(case=case).result == Watch.Result.WRONG


def test_a_missing_subscription_of_a_client_who_is_there_is_no_good_end(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = closed_case(desk)
    to_the_end(Watch.objects.get(case=case))

    def missing(billsby_id: str) -> None:
        raise NotFound(f"Billsby has no subscription {billsby_id}.", status=404)

    monkeypatch.setattr(desk.billsby, "subscription", missing)
    desk.advance(case)
    assert "no subscription" in case.attention
    assert Watch.objects.get(case=case).result == Watch.Result.WATCHING


def test_a_paused_client_who_was_deleted_needs_no_watch(desk: Desk, paused: Case) -> None:
    desk.company.panel_cancel(uid(paused), paused.client.billsby_id)
    delete(desk, paused)
    desk.later(hours=12)
    desk.advance(paused)
    assert Watch.objects.get(case=paused).result == Watch.Result.CLEAN
    assert paused.next_pass_at is None


def test_a_refused_renewal_is_told_long_before_the_hold_runs_out(desk: Desk, paused: Case) -> None:
    hold = Hold.objects.get()
    desk.company.add_fault("status", "PUT", "*/renewaldate", status=400)
    clock.advance(hold.ends_at - dt.timedelta(days=29) - clock.now())
    desk.advance(paused)
    assert "refused to hold" in paused.attention
    desk.company.clear_faults()
    desk.later(hours=12)
    desk.advance(paused)
    assert not paused.attention
    assert Hold.objects.get().until > hold.until


def test_a_hold_that_is_the_stop_is_renewed_when_the_company_has_changed_its_way(
    desk: Desk, paused: Case
) -> None:
    hold = Hold.objects.get()
    configuration.change("STOP_BY", "suspend")
    clock.advance(hold.ends_at - dt.timedelta(days=20) - clock.now())
    desk.advance(paused)
    assert Hold.objects.get().until > hold.until
    assert not kinds(paused)


def test_a_hold_far_from_its_end_is_left_alone(desk: Desk, paused: Case) -> None:
    before = desk.writes("renewaldate")
    desk.later(days=60)
    desk.advance(paused)
    assert desk.writes("renewaldate") == before


def test_a_client_who_came_back_is_reported_and_not_paused_again(desk: Desk, paused: Case) -> None:
    desk.later(days=30)
    back = clock.now() + dt.timedelta(days=5)
    desk.company.panel_change_bill_date(uid(paused), back)
    before = desk.writes("renewaldate")
    for _ in range(4):
        desk.later(hours=12)
        desk.advance(paused)
    assert desk.writes("renewaldate") == before
    assert desk.company.subscription(uid(paused)).next_billing_at == back
    assert kinds(paused) == {Finding.Kind.SWITCHED_BACK_ON}
    assert "unless the client has come back" in paused.findings.get().sentence
