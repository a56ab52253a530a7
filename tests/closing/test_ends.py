"""How cases end, and that nothing ends them early."""

from __future__ import annotations

import dataclasses

import httpx
import pytest

from billsby_sandbox.app import create_app
from billsby_sandbox.transport import InProcessTransport
from canceldesk import outside
from canceldesk.billsby import InvoiceStatus
from canceldesk.cases.models import Case, Decision, LogEntry, State
from canceldesk.cases.services import CaseError, withdraw
from canceldesk.clients.models import Client
from canceldesk.closing import services
from canceldesk.closing.advance import advance
from canceldesk.closing.models import Facts, Hold, Step
from canceldesk.configuration import services as configuration
from tests.closing.conftest import KEY, Desk, due_now


def test_only_one_half_done_is_never_closed(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.company.panel_suspend(subscription.uid)
    desk.the_list.rows.clear()
    for _ in range(3):
        desk.advance(case)
        desk.later(minutes=1)
    assert case.state == State.CLOSING


def test_a_half_that_was_done_and_undone_is_read_again_before_closing(desk: Desk) -> None:
    desk.company.set_quirk("suspend_blocked_by_unpaid", "no")
    customer, first = desk.client()
    second = desk.company.add_subscription(customer.uid)
    case = desk.decided(first, second)
    desk.advance(case)
    desk.company.panel_suspend(first.uid)
    desk.advance(case)
    desk.company.panel_activate(first.uid)
    desk.company.panel_suspend(second.uid)
    desk.advance(case)
    assert case.state == State.CLOSING


def test_an_invoice_that_appears_meanwhile_keeps_the_case_open(desk: Desk) -> None:
    desk.company.set_quirk("suspend_blocked_by_unpaid", "no")
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.company.panel_suspend(subscription.uid)
    desk.invoice(subscription, 4900)
    desk.advance(case)
    assert case.state == State.CLOSING
    assert desk.step(case, Step.Name.STOP).state == Step.State.TODO


def test_a_decision_can_be_taken_back_before_anything_was_written(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    services.take_back(case, by=desk.manager, why="Client called again")
    assert case.state == State.RETENTION
    assert case.decision == ""
    desk.advance(case)
    assert not desk.the_list.rows
    desk.decide(case, Decision.RETAINED)
    desk.settle(case)
    assert case.state == State.RETAINED


def test_taking_back_keeps_the_hold_and_its_original_date(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    desk.advance(case)
    desk.decide(case, Decision.SUSPEND)
    services.take_back(case, by=desk.manager, why="Client called again")
    desk.decide(case, Decision.SUSPEND)
    desk.advance(case)
    assert Facts.objects.get().next_charge_at == subscription.next_billing_at
    assert Hold.objects.get().original_next_billing_at == subscription.next_billing_at


def test_where_pausing_is_the_stop_the_hold_closes_the_case(desk: Desk) -> None:
    configuration.change("STOP_BY", "pause")
    customer, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    assert case.state == State.CLOSED
    assert desk.company.subscription(subscription.uid).status == "Paused"
    paid = len(desk.company.invoices(customer.uid))
    for _ in range(14):
        desk.later(days=29)
        desk.advance(case)
    assert len(desk.company.invoices(customer.uid)) == paid
    assert not case.findings.exists()


def test_a_cancel_blocked_by_an_invoice_says_so_and_converges(desk: Desk) -> None:
    desk.company.set_quirk("api_cancel_blocked", "409_message")
    customer, leaving = desk.client()
    staying = desk.company.add_subscription(customer.uid)
    owed = desk.invoice(staying, 3000)
    case = desk.decided(leaving, decision=Decision.CANCEL)
    desk.advance(case)
    assert "refused to cancel" in case.attention
    desk.company.panel_paid_offline(owed.number)
    desk.later(minutes=2)
    desk.advance(case)
    assert case.state == State.CLOSED
    assert desk.company.subscription(staying.uid).status == "Active"


def test_a_lost_answer_to_a_cancel_is_not_repeated(desk: Desk) -> None:
    desk.company.add_fault("drop_after", "DELETE", "*", times=1)
    _, subscription = desk.client()
    case = desk.decided(subscription, decision=Decision.CANCEL)
    desk.settle(case, rounds=3)
    assert case.state == State.CLOSED
    assert sum(call.startswith("DELETE") for call in desk.writes()) == 1


def test_a_cancel_lost_on_its_way_is_sent_again_once_it_settled(desk: Desk) -> None:
    desk.company.add_fault("drop_before", "DELETE", "*", times=1)
    _, subscription = desk.client()
    case = desk.decided(subscription, decision=Decision.CANCEL)
    desk.advance(case)
    desk.later(seconds=10)
    desk.advance(case)
    assert desk.step(case, Step.Name.STOP).state == Step.State.UNKNOWN
    desk.later(seconds=60)
    desk.advance(case)
    assert case.state == State.CLOSED


@pytest.mark.parametrize("counted", ["whole", "started", "paid"])
def test_months_are_counted_as_the_company_counts_them(desk: Desk, counted: str) -> None:
    configuration.change("MONTHS_COUNTED", counted)
    _, subscription = desk.client(months_ago=3)
    case = desk.decided(subscription)
    desk.advance(case)
    # Began 92 days before 2 March: 30 November to 2 March is three months and two days.
    assert Facts.objects.get(case=case).months == {"whole": 3, "started": 4, "paid": 3}[counted]


def test_refunds_are_taken_off_and_a_difference_is_shown(desk: Desk) -> None:
    desk.company.set_quirk("paid_total_excludes_offline", "yes")
    customer, subscription = desk.client(months_ago=2)
    desk.company.add_invoice(customer.uid, 9900, "PaidOffline", subscription_uid=subscription.uid)
    desk.billsby.refund(customer.uid, desk.company.invoices(customer.uid)[0].number, 900)
    case = desk.decided(subscription)
    desk.advance(case)
    facts = Facts.objects.get(case=case)
    assert facts.collected_minor == 3 * 9900 - 900
    assert "Billsby's own total says" in desk.step(case, Step.Name.FACTS).sentence


def test_somebody_elses_lease_is_respected(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    from canceldesk.cases import lease

    assert lease.take(case.pk, "another") is not None
    assert advance(case.pk, owner="worker") is False
    desk.later(seconds=51)
    assert advance(case.pk, owner="worker") is True


def test_a_pass_that_was_taken_over_changes_nothing(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    honest = desk.billsby.subscription

    def slow(subscription_id: str):
        desk.billsby.subscription = honest  # type: ignore[method-assign]
        desk.later(seconds=60)
        assert advance(case.pk, owner="another") is True
        return honest(subscription_id)

    desk.billsby.subscription = slow  # type: ignore[method-assign]
    assert advance(case.pk, owner="sleeper") is False
    assert len(desk.the_list.rows) == 1
    assert len(desk.writes("renewaldate")) == 1
    assert LogEntry.objects.filter(case=case, verb="closing.facts").count() == 1


def test_somebody_who_wakes_a_case_during_a_pass_is_not_forgotten(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    honest = desk.billsby.customer_invoices

    def woken(customer_id: str):
        from canceldesk.cases.waking import wake

        wake(case.pk)
        return honest(customer_id)

    desk.billsby.customer_invoices = woken  # type: ignore[method-assign]
    desk.advance(case)
    assert case.next_pass_at is not None
    assert case.next_pass_at <= desk.company.now()


def test_a_defect_of_the_desk_flags_the_case_and_spares_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    monkeypatch.setattr(desk.billsby, "customer_invoices", lambda customer_id: 1 / 0)
    desk.advance(case)
    assert "reference" in case.attention
    first = case.next_pass_at
    assert first is not None
    desk.advance(case)
    assert Case.objects.get(pk=case.pk).failures == 2


@pytest.mark.parametrize(
    ("status", "attention"), [(401, True), (404, True), (500, False), (429, False), (503, False)]
)
def test_billsbys_troubles_are_told_apart(desk: Desk, status: int, attention: bool) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.company.add_fault("status", "*", "*", status=status)
    desk.advance(case)
    assert bool(case.attention) is attention
    assert case.waits_sentence
    assert case.next_pass_at is not None
    desk.company.clear_faults()
    desk.settle(case, rounds=3)
    assert not case.attention
    assert len(desk.the_list.rows) == 1


def test_billsby_down_for_a_while_is_waited_out(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.company.set_down("refuse")
    for _ in range(6):
        desk.advance(case)
        assert case.next_pass_at is not None
        desk.later(minutes=5)
    assert case.attention
    desk.company.set_down("no")
    desk.advance(case)
    assert not case.attention
    desk.company.panel_suspend(subscription.uid)
    desk.advance(case)
    assert case.state == State.CLOSED


@pytest.mark.parametrize(
    ("name", "says"),
    [("WORKBOOK_PATH", "No workbook is set up"), ("BILLSBY_DOMAIN", "Billsby is not set up")],
)
def test_what_is_not_set_up_yet_is_said(desk: Desk, name: str, says: str) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    outside_world = outside._replaced
    configuration.change("BILLSBY_DOMAIN", "" if name == "BILLSBY_DOMAIN" else "acme")
    configuration.change("BILLSBY_API_KEY", "acme_key")
    try:
        outside._replaced = outside._Replaced()
        desk.advance(case)
    finally:
        outside._replaced = outside_world
    assert says in case.attention
    desk.later(seconds=30)
    desk.advance(case)
    assert not case.attention


def test_a_service_that_billsby_gives_to_somebody_else_is_not_touched(desk: Desk) -> None:
    _, subscription = desk.client()
    other, _ = desk.client("Otto", "Other")
    case = desk.decided(subscription)
    case.client.billsby_id, theirs = other.uid, case.client.billsby_id
    Client.objects.filter(billsby_id=other.uid).delete()
    case.client.save()
    desk.advance(case)
    assert theirs in case.attention
    assert not desk.writes()
    assert not desk.the_list.rows


def test_a_client_without_any_start_date_waits_for_a_person(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    honest = (desk.billsby.subscription, desk.billsby.customer)
    monkeypatch.setattr(
        desk.billsby, "subscription", lambda i: dataclasses.replace(honest[0](i), started_at=None)
    )
    desk.advance(case)
    assert Facts.objects.get(case=case).months == 5
    Facts.objects.all().delete()
    monkeypatch.setattr(
        desk.billsby, "customer", lambda i: dataclasses.replace(honest[1](i), created_on=None)
    )
    desk.advance(case)
    assert "no start date" in case.attention
    assert desk.step(case, Step.Name.DOCUMENT).state == Step.State.TODO


def test_an_invoice_in_an_unknown_status_blocks_and_is_shown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, subscription = desk.client()
    invoice = desk.invoice(subscription, 4900)
    case = desk.decided(subscription)
    honest = desk.billsby.customer_invoices

    def disputed(customer_id: str):
        return [
            dataclasses.replace(i, status=InvoiceStatus.UNKNOWN, status_raw="In dispute")
            if i.number == invoice.number
            else i
            for i in honest(customer_id)
        ]

    monkeypatch.setattr(desk.billsby, "customer_invoices", disputed)
    desk.advance(case)
    assert '"In dispute"' in case.attention
    with pytest.raises(CaseError, match="In dispute"):
        services.approve_write_offs(
            case, by=desk.manager, seen=[services.Seen(invoice.number, 4900)]
        )


def test_a_decision_taken_back_during_a_pass_stops_that_pass(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    honest = desk.billsby.subscription

    def meanwhile(subscription_id: str):
        desk.billsby.subscription = honest  # type: ignore[method-assign]
        services.take_back(case, by=desk.manager, why="Client called again")
        return honest(subscription_id)

    desk.billsby.subscription = meanwhile  # type: ignore[method-assign]
    assert advance(case.pk, owner="worker") is False
    case.refresh_from_db()
    assert case.state == State.RETENTION
    assert not desk.the_list.rows
    assert not desk.writes()
    assert due_now(case)


def test_a_case_withdrawn_while_it_is_being_held_gets_its_date_back(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    honest = desk.billsby.set_renewal_date

    def meanwhile(*args: object, **kwargs: object) -> None:
        desk.billsby.set_renewal_date = honest  # type: ignore[method-assign]
        honest(*args, **kwargs)  # type: ignore[arg-type]
        withdraw(case, by=desk.agent, because="not_a_cancellation")

    desk.billsby.set_renewal_date = meanwhile  # type: ignore[method-assign]
    assert advance(case.pk, owner="worker") is False
    desk.settle(case)
    after = desk.company.subscription(subscription.uid)
    assert after.next_billing_at.date() == subscription.next_billing_at.date()
    assert after.status == "Active"


def deleted(desk: Desk, case: Case) -> None:
    """Somebody cancels in the panel and then deletes the client, as Billsby offers."""
    desk.somebody_else()
    desk.company.panel_cancel(case.scope.get().subscription.billsby_id, case.client.billsby_id)
    url = f"http://billsby.test/api/v1/rest/core/acme/customers/{case.client.billsby_id}"
    transport = InProcessTransport(create_app(desk.company))
    with httpx.Client(transport=transport, headers={"ApiKey": KEY}) as practice:
        assert practice.delete(url).is_success


def test_a_client_deleted_in_billsby_after_the_row_was_written_closes(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    deleted(desk, case)
    desk.settle(case)
    assert case.state == State.CLOSED
    assert "Cancelled in Billsby" in desk.step(case, Step.Name.STOP).sentence


def test_a_client_of_whom_billsby_knows_nothing_any_more_closes(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.somebody_else()
    case = desk.decided(subscription)
    desk.advance(case)
    for of_theirs in (case.client.billsby_id, subscription.uid):
        desk.company.add_fault("status", "GET", f"*/{of_theirs}*", status=404)
    desk.settle(case)
    assert case.state == State.CLOSED
    assert "deleted in Billsby" in desk.step(case, Step.Name.STOP).sentence


def test_a_single_thing_that_is_missing_does_not_make_a_client_gone(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.company.add_fault("status", "GET", f"*/subscriptions/{subscription.uid}", status=404)
    desk.advance(case)
    assert case.state == State.CLOSING
    assert case.attention


def test_a_client_deleted_after_closing_leaves_a_watch_that_ends(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.company.panel_suspend(subscription.uid)
    desk.advance(case)
    deleted(desk, case)
    for _ in range(60):
        desk.later(days=1)
        desk.advance(case)
    assert case.watch.result == "clean"
    assert not case.attention
