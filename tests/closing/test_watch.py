"""The watch goes on after the end."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from canceldesk import clock
from canceldesk.cases.models import Case, Decision, Finding, State
from canceldesk.closing.models import Watch
from canceldesk.closing.watching import LAST_DATE, billing_dates
from canceldesk.configuration import services as configuration
from canceldesk.workbook.errors import InUse
from tests.closing.conftest import Desk


def closed_case(desk: Desk) -> Case:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.company.panel_suspend(subscription.uid)
    desk.advance(case)
    assert case.state == State.CLOSED
    return case


def uid(case: Case) -> str:
    return case.scope.get().subscription.billsby_id


def kinds(case: Case) -> set[str]:
    return set(case.findings.filter(resolved_at=None).values_list("kind", flat=True))


def test_a_closed_case_is_watched_through_two_billing_dates(desk: Desk) -> None:
    case = closed_case(desk)
    watch = Watch.objects.get(case=case)
    first, second = (dt.datetime.fromisoformat(day) for day in watch.billing_dates)
    assert first == clock.now() + dt.timedelta(days=10)
    assert second.month == first.month + 1
    assert watch.ends_at is not None
    assert watch.ends_at > second
    assert case.next_pass_at is not None
    assert "watches until" in case.waits_sentence


def test_a_quiet_watch_ends_clean(desk: Desk) -> None:
    case = closed_case(desk)
    while case.next_pass_at is not None:
        desk.later(seconds=(case.next_pass_at - clock.now()).total_seconds())
        desk.advance(case)
    watch = Watch.objects.get(case=case)
    assert watch.result == Watch.Result.CLEAN
    assert watch.checks > 4
    assert watch.ends_at is not None
    assert clock.now() >= watch.ends_at
    desk.advance(case)
    assert case.next_pass_at is None


def test_the_longer_watch_is_a_setting(desk: Desk) -> None:
    configuration.change("WATCH_BILLING_DATES", "4")
    assert len(Watch.objects.get(case=closed_case(desk)).billing_dates) == 4


def test_a_service_switched_back_on_is_found_with_its_charge(desk: Desk) -> None:
    case = closed_case(desk)
    desk.later(minutes=1)
    desk.company.panel_activate(uid(case))
    desk.later(minutes=10)
    desk.advance(case)
    assert kinds(case) == {"switched_back_on", "charged_after_request"}
    [charge] = case.findings.filter(kind="charged_after_request")
    assert "Refund it" in charge.sentence
    desk.company.panel_suspend(uid(case))
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == {"charged_after_request"}


def test_an_invoice_that_asks_for_money_again_is_found_and_goes(desk: Desk) -> None:
    case = closed_case(desk)
    desk.later(hours=1)
    invoice = desk.company.add_invoice(case.client.billsby_id, 2000, subscription_uid=uid(case))
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == {"open_invoice"}
    desk.company.panel_write_off(invoice.number)
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == set()


def test_a_charge_for_a_service_that_stays_is_nobodys_trouble(desk: Desk) -> None:
    customer, leaving = desk.client()
    staying = desk.company.add_subscription(
        customer.uid, next_billing_at=clock.now() + dt.timedelta(days=2)
    )
    case = desk.decided(leaving)
    desk.advance(case)
    desk.company.panel_suspend(leaving.uid)
    desk.advance(case)
    desk.later(days=3)
    desk.advance(case)
    paid = [i for i in desk.company.invoices(customer.uid) if i.subscription_uid == staying.uid]
    assert paid
    assert kinds(case) == set()


def test_a_row_that_is_deleted_or_doubled_later_is_a_finding_not_a_rewrite(desk: Desk) -> None:
    case = closed_case(desk)
    [row] = desk.the_list.rows
    desk.the_list.rows.clear()
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == {"row_changed"}
    assert not desk.the_list.rows
    desk.the_list.rows = [row, row]
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == {"row_twice"}
    desk.the_list.rows = [row]
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == set()
    assert desk.the_list.written == 1


def test_a_workbook_that_cannot_be_read_proves_nothing(desk: Desk) -> None:
    case = closed_case(desk)
    desk.the_list.trouble = InUse("Pat has it open.", by="Pat")
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == set()


def test_what_was_found_makes_the_watch_end_wrong(desk: Desk) -> None:
    case = closed_case(desk)
    [row] = desk.the_list.rows
    desk.the_list.rows.clear()
    desk.advance(case)
    assert kinds(case) == {"row_changed"}
    desk.the_list.rows = [row]
    desk.later(days=60)
    desk.advance(case)
    assert kinds(case) == set()
    assert Watch.objects.get(case=case).result == Watch.Result.WRONG


def test_a_charge_between_request_and_closing_is_found(desk: Desk) -> None:
    configuration.change("HOLD_FIRST", "no")
    _, subscription = desk.client()
    case = desk.file(subscription)
    desk.later(days=11)
    desk.decide(case, Decision.SUSPEND)
    desk.advance(case)
    desk.company.panel_suspend(subscription.uid)
    desk.advance(case)
    assert case.state == State.CLOSED
    assert kinds(case) == {"charged_after_request"}


def test_a_save_counts_when_the_client_is_still_there_after_thirty_days(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.file(subscription)
    desk.decide(case, Decision.RETAINED)
    desk.advance(case)
    assert "counts as saved" in case.waits_sentence
    desk.later(days=15)
    desk.advance(case)
    assert Watch.objects.get(case=case).result == Watch.Result.WATCHING
    desk.later(days=15)
    desk.advance(case)
    assert Watch.objects.get(case=case).result == Watch.Result.CLEAN
    assert case.next_pass_at is None


def test_a_save_that_leaves_after_all_is_not_counted(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.file(subscription)
    desk.decide(case, Decision.RETAINED)
    desk.advance(case)
    desk.company.panel_suspend(subscription.uid)
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == {Finding.Kind.SAVE_LOST}
    assert Watch.objects.get(case=case).result == Watch.Result.WRONG


def test_billing_dates_are_those_still_ahead() -> None:
    first = dt.datetime(2026, 1, 31, tzinfo=dt.UTC)
    now = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    assert [day.date().isoformat() for day in billing_dates(first, now, 2)] == [
        "2026-03-31",
        "2026-04-30",
    ]


def test_billing_dates_end_where_the_calendar_does() -> None:
    now = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    november, never = (dt.datetime(9999, month, 30, tzinfo=dt.UTC) for month in (11, 12))
    assert billing_dates(november, now, 3) == [november, LAST_DATE]
    assert billing_dates(never, now, 2) == [LAST_DATE]


def test_a_client_who_was_never_to_be_charged_is_watched_all_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = dt.datetime(9999, 12, 31, 23, 59, tzinfo=dt.UTC)
    honest = desk.billsby.subscription
    monkeypatch.setattr(
        desk.billsby, "subscription", lambda uid: replace(honest(uid), next_billing_at=never)
    )
    case = closed_case(desk)
    assert "watches until 29 Dec 9999" in case.waits_sentence
    assert not case.attention
