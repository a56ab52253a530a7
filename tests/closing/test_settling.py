"""What people have agreed about and no check will see put right is settled by a manager."""

from __future__ import annotations

import datetime as dt

from canceldesk import clock
from canceldesk.cases import findings
from canceldesk.cases.models import Case, Decision, Finding, State
from canceldesk.closing.models import Watch
from canceldesk.configuration import services as configuration
from tests.closing.conftest import Desk
from tests.closing.test_watch import closed_case, uid
from tests.closing.test_watch_charges import charge, watched_to_the_end

DAY = dt.timedelta(days=1)


def settle(desk: Desk, case: Case) -> None:
    [finding] = findings.to_settle(case)
    findings.settle(case, by=desk.manager, finding=finding, why="They agreed.")


def standing() -> list[str]:
    return [finding.kind for finding in findings.standing()]


def test_a_charge_that_is_settled_does_not_come_back_but_the_next_does(desk: Desk) -> None:
    case = closed_case(desk)
    desk.later(hours=1)
    charge(desk, case)
    desk.advance(case)
    assert standing() == [Finding.Kind.CHARGED_AFTER_REQUEST]
    settle(desk, case)
    desk.advance(case)
    assert standing() == []
    assert "found wrong" not in case.waits_sentence
    desk.later(hours=1)
    second = charge(desk, case)
    desk.advance(case)
    assert [finding.key for finding in findings.standing()] == [second.number]
    assert "1 thing found wrong" in case.waits_sentence


def test_a_watch_ends_in_time_when_what_it_found_is_settled(desk: Desk) -> None:
    case = closed_case(desk)
    desk.later(hours=1)
    charge(desk, case)
    desk.advance(case)
    settle(desk, case)
    watch = watched_to_the_end(desk, case)
    assert watch.result == Watch.Result.WRONG
    assert case.next_pass_at is None


def test_a_save_that_was_lost_is_settled(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.advance(desk.file(subscription))
    desk.decide(case, Decision.RETAINED)
    desk.settle(case)
    desk.company.panel_suspend(subscription.uid)
    desk.later(days=1)
    desk.advance(case)
    assert standing() == [Finding.Kind.SAVE_LOST]
    settle(desk, case)
    desk.advance(case)
    assert (standing(), case.state) == ([], State.RETAINED)


def test_a_cancellation_that_was_to_be_a_suspension_is_settled_once_the_case_is_closed(
    desk: Desk,
) -> None:
    _, subscription = desk.client()
    case = desk.advance(desk.decided(subscription))
    desk.company.panel_cancel(subscription.uid, subscription.customer_uid)
    desk.settle(case)
    assert case.state == State.CLOSED
    assert standing() == [Finding.Kind.CANCELLED_INSTEAD]
    settle(desk, case)
    desk.advance(case)
    assert standing() == []


def settle_all(desk: Desk, case: Case) -> None:
    for finding in findings.to_settle(case):
        findings.settle(case, by=desk.manager, finding=finding, why="They have come back.")


def test_nothing_more_is_watched_of_a_client_who_has_come_back(desk: Desk) -> None:
    case = closed_case(desk)
    desk.later(hours=1)
    desk.company.panel_activate(uid(case))
    desk.advance(case)
    assert standing() == [Finding.Kind.CHARGED_AFTER_REQUEST, Finding.Kind.SWITCHED_BACK_ON]
    settle_all(desk, case)
    desk.advance(case)
    assert standing() == []
    assert Watch.objects.get(case=case).result == Watch.Result.WRONG
    assert case.next_pass_at is None


def test_a_pause_that_was_the_stop_is_watched_no_longer_when_the_client_has_come_back(
    desk: Desk,
) -> None:
    configuration.change("STOP_BY", "pause")
    _, subscription = desk.client()
    case = desk.settle(desk.decided(subscription))
    desk.later(hours=1)
    desk.billsby.set_renewal_date(subscription.uid, clock.now().date() + DAY, pause=False)
    desk.advance(case)
    settle_all(desk, case)
    desk.advance(case)
    assert Watch.objects.get(case=case).result == Watch.Result.WRONG


def test_who_has_come_back_to_one_of_two_services_is_watched_for_the_other(desk: Desk) -> None:
    customer, one = desk.client()
    other = desk.company.add_subscription(customer.uid, next_billing_at=clock.now() + 10 * DAY)
    case = desk.settle(desk.decided(one, other))
    desk.company.panel_suspend(one.uid)
    desk.company.panel_suspend(other.uid)
    desk.settle(case)
    desk.later(hours=1)
    desk.company.panel_activate(one.uid)
    desk.advance(case)
    settle_all(desk, case)
    desk.advance(case)
    assert standing() == []
    assert Watch.objects.get(case=case).result == Watch.Result.WATCHING
    assert case.next_pass_at is not None


def test_a_service_that_is_stopped_again_and_switched_on_again_is_found_again(desk: Desk) -> None:
    case = closed_case(desk)
    for _ in range(2):
        desk.later(hours=1)
        desk.company.panel_activate(uid(case))
        desk.advance(case)
        assert Finding.Kind.SWITCHED_BACK_ON in standing()
        [switched] = findings.to_settle(case).filter(kind=Finding.Kind.SWITCHED_BACK_ON)
        findings.settle(case, by=desk.manager, finding=switched, why="They have come back.")
        assert Finding.Kind.SWITCHED_BACK_ON not in standing()
        for invoice in desk.company.invoices(case.client.billsby_id):
            if invoice.status == "Pending":
                desk.company.panel_write_off(invoice.number)
        desk.company.panel_suspend(uid(case))
        desk.advance(case)
