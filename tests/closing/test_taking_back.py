"""A decision taken back after the row was written: the row leaves the list, read back, whatever
happens in between.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from canceldesk import clock
from canceldesk.cases.authority import NotAllowedError
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, Decision, Finding, State
from canceldesk.cases.services import CaseError, MovedOnError, withdraw
from canceldesk.closing import listing, services
from canceldesk.closing.models import Facts, Intent, Step
from canceldesk.closing.services import Seen
from canceldesk.workbook.errors import InUse
from canceldesk.workbook.protocol import NewRow
from tests.closing.conftest import Desk, due_now


def listed_case(desk: Desk) -> Case:
    """A case whose row is on the list and whose service is not stopped yet."""
    _, subscription = desk.client()
    return desk.advance(desk.decided(subscription))


def take_back(desk: Desk, case: Case) -> None:
    services.take_back(case, by=desk.manager, why="They called again")


def uid(case: Case) -> str:
    return case.scope.get().subscription.billsby_id


def state_of_row(case: Case) -> str:
    return Intent.objects.get(case=case, kind=Intent.Kind.ROW).state


def said(case: Case) -> list[str]:
    verbs = case.log.filter(verb__startswith="row.").values_list("verb", flat=True)
    return list(verbs)


def another(row: NewRow, name: str = "Otto Other") -> NewRow:
    return dataclasses.replace(row, name=name, phone="(202) 555-0190")


def test_the_row_leaves_the_list_and_the_case_is_in_retention(desk: Desk) -> None:
    case = listed_case(desk)
    desk.the_list.put([another(listing.row_for(Facts.objects.get(case=case)))])
    take_back(desk, case)
    assert case.state == State.RETENTION
    assert due_now(case)
    assert len(desk.the_list.rows) == 2, "nobody but a pass touches the list"
    desk.advance(case)
    assert [row.name for row in desk.the_list.rows] == ["Otto Other"]
    assert state_of_row(case) == Intent.State.REMOVED
    assert said(case)[-2:] == [Verb.ROW_REMOVAL_INTENDED, Verb.ROW_REMOVED]
    assert not case.attention
    for _ in range(3):
        desk.later(hours=6)
        desk.advance(case)
    assert desk.the_list.removed == 1


def test_it_needs_a_reason_and_a_manager(desk: Desk) -> None:
    case = listed_case(desk)
    with pytest.raises(CaseError, match="Say why"):
        services.take_back(case, by=desk.manager, why=" ")
    with pytest.raises(NotAllowedError):
        services.take_back(case, by=desk.agent, why="x")
    assert case.state == State.CLOSING
    assert state_of_row(case) == Intent.State.CONFIRMED


def test_a_client_who_stays_is_off_the_list_and_charged_as_before(desk: Desk) -> None:
    _, subscription = desk.client()
    was = subscription.next_billing_at
    case = desk.advance(desk.decided(subscription))
    take_back(desk, case)
    desk.decide(case, Decision.RETAINED)
    desk.settle(case)
    assert case.state == State.RETAINED
    assert not desk.the_list.rows
    assert desk.company.subscription(subscription.uid).next_billing_at.date() == was.date()


def test_a_withdrawn_case_leaves_the_list_too(desk: Desk) -> None:
    case = listed_case(desk)
    take_back(desk, case)
    withdraw(case, by=desk.manager, because="not_a_cancellation")
    desk.settle(case)
    assert case.state == State.WITHDRAWN
    assert not desk.the_list.rows
    assert case.next_pass_at is None


# ------------------------------------------------------------------ what cannot be undone


def test_a_decision_stands_once_an_invoice_is_being_written_off(desk: Desk) -> None:
    _, subscription = desk.client()
    invoice = desk.invoice(subscription, 4900)
    case = desk.decided(subscription)
    services.approve_write_offs(case, by=desk.manager, seen=[Seen(invoice.number, 4900)])
    desk.company.add_fault("drop_after", "PUT", "*", times=20)
    desk.advance(case)
    with pytest.raises(CaseError, match=r"written off, or is being.*the decision stands"):
        take_back(desk, case)
    case.refresh_from_db()
    assert case.state == State.CLOSING
    assert state_of_row(case) == Intent.State.CONFIRMED


def test_who_approves_while_a_manager_takes_the_decision_back_has_approved_nothing(
    desk: Desk,
) -> None:
    _, subscription = desk.client()
    invoice = desk.invoice(subscription, 4900)
    case = desk.settle(desk.decided(subscription))
    same = Case.objects.get(pk=case.pk)
    desk.before_the_first("customer_invoices", lambda: take_back(desk, case))
    with pytest.raises(MovedOnError, match="nothing was approved"):
        services.approve_write_offs(same, by=desk.manager, seen=[Seen(invoice.number, 4900)])
    desk.settle(case)
    desk.decide(case, Decision.SUSPEND)
    desk.settle(case)
    assert desk.step(case, Step.Name.CLEAR).state == Step.State.WAITING
    assert not desk.writes("WrittenOff")


def test_a_write_off_that_billsby_refused_undoes_nothing(desk: Desk) -> None:
    _, subscription = desk.client()
    invoice = desk.invoice(subscription, 4900)
    case = desk.decided(subscription)
    services.approve_write_offs(case, by=desk.manager, seen=[Seen(invoice.number, 4900)])
    desk.company.add_fault("status", "*", "*WrittenOff*", status=400)
    desk.advance(case)
    assert Intent.objects.get(kind="write_off").state == Intent.State.REFUSED
    take_back(desk, case)
    assert case.state == State.RETENTION


def test_a_decision_stands_once_a_service_is_being_cancelled(desk: Desk) -> None:
    desk.company.add_fault("drop_after", "DELETE", "*")
    _, subscription = desk.client()
    case = desk.advance(desk.decided(subscription, decision=Decision.CANCEL))
    with pytest.raises(CaseError, match="cancelled, or is being"):
        take_back(desk, case)


def test_a_decision_stands_once_a_person_has_cancelled_the_service(desk: Desk) -> None:
    customer, first = desk.client()
    second = desk.company.add_subscription(customer.uid)
    case = desk.advance(desk.decided(first, second))
    desk.company.panel_cancel(first.uid, customer.uid)
    desk.advance(case)
    with pytest.raises(CaseError, match="is cancelled in Billsby, which cannot be undone"):
        take_back(desk, case)


def test_a_closed_case_is_not_taken_back(desk: Desk) -> None:
    case = listed_case(desk)
    desk.company.panel_suspend(uid(case))
    desk.advance(case)
    with pytest.raises(MovedOnError):
        take_back(desk, case)
    assert len(desk.the_list.rows) == 1


# ------------------------------------------------------------------ suspended already


def suspended_and_taken_back(desk: Desk) -> Case:
    """The workbook keeps the case from closing while a person suspends the service."""
    case = listed_case(desk)
    desk.the_list.trouble = InUse("Pat has it open.", by="Pat")
    desk.company.panel_suspend(uid(case))
    desk.advance(case)
    assert desk.step(case, Step.Name.STOP).state == Step.State.DONE
    desk.the_list.trouble = None
    take_back(desk, case)
    return desk.advance(case)


def test_a_suspended_service_is_said_to_need_a_person_to_start_it(desk: Desk) -> None:
    case = suspended_and_taken_back(desk)
    assert not desk.the_list.rows
    assert "is Suspended in Billsby" in case.waits_sentence
    assert "a person must start it again there" in case.waits_sentence
    desk.decide(case, Decision.RETAINED)
    desk.advance(case)
    assert "is Suspended in Billsby although the client stays" in case.attention
    assert not Finding.objects.exists(), "nobody has left after being retained"
    desk.company.panel_activate(uid(case))
    desk.later(minutes=5)
    desk.advance(case)
    assert not case.attention
    assert "counts as saved" in case.waits_sentence


def test_a_service_that_nobody_starts_again_is_no_save_in_the_end(desk: Desk) -> None:
    case = suspended_and_taken_back(desk)
    desk.decide(case, Decision.RETAINED)
    desk.advance(case)
    clock.advance(dt.timedelta(days=31))
    desk.advance(case)
    assert Finding.objects.get().kind == Finding.Kind.SAVE_LOST
    assert not case.attention


def test_a_withdrawn_case_does_not_leave_a_suspended_service_behind(desk: Desk) -> None:
    case = suspended_and_taken_back(desk)
    withdraw(case, by=desk.manager, because="not_a_cancellation")
    desk.advance(case)
    assert "although the client stays" in case.attention
    desk.company.panel_activate(uid(case))
    desk.later(minutes=5)
    desk.advance(case)
    assert not case.attention
    assert case.next_pass_at is None


def test_a_suspended_service_decided_again_closes_with_the_new_row(desk: Desk) -> None:
    case = suspended_and_taken_back(desk)
    desk.later(days=1)
    desk.decide(case, Decision.SUSPEND)
    desk.advance(case)
    assert case.state == State.CLOSED
    assert [row.cancelled_on for row in desk.the_list.rows] == [clock.now().date()]


# ------------------------------------------------------------------ decided again


@pytest.mark.parametrize("days", [0, 1])
@pytest.mark.parametrize("has_reference", [False, True])
def test_decided_again_before_the_row_was_out_there_is_one_right_row(
    desk: Desk, days: int, has_reference: bool
) -> None:
    desk.the_list.has_reference = has_reference
    case = listed_case(desk)
    take_back(desk, case)
    desk.later(days=days)
    desk.decide(case, Decision.SUSPEND)
    desk.advance(case)
    assert len(desk.the_list.rows) == 1
    assert not listing.differences(
        desk.the_list.rows[0], listing.row_for(Facts.objects.get(case=case))
    )
    assert (desk.the_list.written, desk.the_list.removed) == (2, 1)
    desk.company.panel_suspend(uid(case))
    desk.advance(case)
    assert case.state == State.CLOSED


def test_decided_again_with_the_workbook_open_the_old_row_leaves_before_the_new_comes(
    desk: Desk,
) -> None:
    case = listed_case(desk)
    take_back(desk, case)
    desk.later(days=1)
    desk.decide(case, Decision.SUSPEND)
    desk.the_list.trouble = InUse("Pat has it open.", by="Pat")
    desk.advance(case)
    assert "Pat has it open." in desk.step(case, Step.Name.DOCUMENT).sentence
    assert desk.step(case, Step.Name.STOP).evidence["click"], "Billsby does not wait for the list"
    desk.the_list.trouble = None
    desk.later(minutes=1)
    desk.advance(case)
    assert [row.cancelled_on for row in desk.the_list.rows] == [clock.now().date()]


def test_taken_back_again_and_again_leaves_nothing_behind(desk: Desk) -> None:
    case = listed_case(desk)
    for _ in range(3):
        take_back(desk, case)
        desk.decide(case, Decision.SUSPEND)
        desk.advance(case)
    assert len(desk.the_list.rows) == 1
    take_back(desk, case)
    desk.advance(case)
    assert not desk.the_list.rows
