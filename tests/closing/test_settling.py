"""What people have agreed about and no check will see put right is settled by a manager."""

from __future__ import annotations

from canceldesk.cases import findings
from canceldesk.cases.models import Case, Decision, Finding, State
from canceldesk.closing.models import Watch
from tests.closing.conftest import Desk
from tests.closing.test_watch import closed_case
from tests.closing.test_watch_charges import charge, watched_to_the_end


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
