"""A client whom somebody cancels and deletes in Billsby before a manager has decided: nobody can
say what was collected any more, so a person ends the case.
"""

from __future__ import annotations

import pytest

from canceldesk.cases.models import Case, Decision, State, WaitsFor
from canceldesk.cases.services import withdraw
from canceldesk.closing import services
from canceldesk.closing.models import Facts, Hold, Step
from tests.closing.conftest import Desk
from tests.closing.test_ends import deleted


def deleted_and_decided(
    desk: Desk, decision: Decision = Decision.SUSPEND, *, is_held: bool = False
) -> Case:
    """A case whose client was deleted in Billsby, and that a manager has decided afterwards."""
    _, subscription = desk.client()
    if is_held:
        desk.later(days=8)
    case = desk.advance(desk.file(subscription))
    assert Hold.objects.filter(scope__case=case).exists() is is_held
    deleted(desk, case)
    desk.later(hours=6)
    desk.advance(case)
    desk.decide(case, decision)
    return desk.settle(case)


@pytest.mark.parametrize("decision", [Decision.SUSPEND, Decision.CANCEL])
def test_it_is_said_what_happened_and_what_to_do(desk: Desk, decision: Decision) -> None:
    case = deleted_and_decided(desk, decision)
    assert case.state == State.CLOSING
    assert case.waits_for == WaitsFor.PERSON
    assert case.attention == desk.step(case, Step.Name.FACTS).sentence
    assert "does not know this client any more" in case.attention
    assert "by hand" in case.attention
    assert "withdraw the case" in case.attention
    assert not Facts.objects.exists(), "no amount is made up"
    assert not desk.the_list.rows


@pytest.mark.parametrize("is_held", [False, True])
@pytest.mark.parametrize("decision", [Decision.SUSPEND, Decision.CANCEL])
def test_the_decision_is_taken_back_and_the_case_withdrawn(
    desk: Desk, decision: Decision, is_held: bool
) -> None:
    case = deleted_and_decided(desk, decision, is_held=is_held)
    assert not services.why_decision_stands(case)
    services.take_back(case, by=desk.manager, why="They were deleted in Billsby")
    desk.settle(case)
    assert case.state == State.RETENTION
    assert not case.attention
    withdraw(case, by=desk.manager, because="not_a_cancellation", words="Deleted in Billsby")
    desk.settle(case)
    assert case.state == State.WITHDRAWN
    assert case.next_pass_at is None
    assert not case.attention


def test_a_client_who_is_known_again_is_listed_after_all(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.somebody_else()
    case = desk.advance(desk.file(subscription))
    for of_theirs in (case.client.billsby_id, subscription.uid):
        desk.company.add_fault("status", "GET", f"*/{of_theirs}*", status=404)
    desk.decide(case, Decision.SUSPEND)
    desk.advance(case)
    assert "does not know this client any more" in case.attention
    desk.company.clear_faults()
    desk.later(minutes=6)
    desk.advance(case)
    assert not case.attention
    assert len(desk.the_list.rows) == 1
