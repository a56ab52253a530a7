"""The row of a closed case that was a mistake is taken off the list: the case stays closed and
watched, and nothing else about it changes.
"""

from __future__ import annotations

import dataclasses

import pytest

from canceldesk import clock
from canceldesk.cases.authority import NotAllowedError
from canceldesk.cases.log import Verb
from canceldesk.cases.log import sentence as as_told
from canceldesk.cases.models import Case, Finding, State
from canceldesk.cases.services import CaseError
from canceldesk.closing import services
from canceldesk.closing.models import Facts, Intent, Watch
from canceldesk.workbook.errors import InUse
from tests.closing.conftest import Desk, due_now
from tests.closing.test_watch import closed_case, kinds, uid


def take_off(desk: Desk, case: Case) -> None:
    services.take_off_list(case, by=desk.manager, why="It was another Nora Field")


def state_of_row(case: Case) -> str:
    return Intent.objects.get(case=case, kind=Intent.Kind.ROW).state


def test_the_row_leaves_and_everything_else_stays(desk: Desk) -> None:
    case = closed_case(desk)
    calls = desk.writes()
    take_off(desk, case)
    assert due_now(case)
    assert len(desk.the_list.rows) == 1, "nobody but a pass touches the list"
    desk.advance(case)
    assert not desk.the_list.rows
    assert (case.state, case.decision) == (State.CLOSED, "suspend")
    assert Facts.objects.filter(case=case).exists()
    assert desk.writes() == calls, "Billsby is left as it is"
    assert desk.company.subscription(uid(case)).status == "Suspended"
    told = [as_told(entry) for entry in case.log.order_by("pk")]
    assert told[-3:] == [
        "asked for the row to be taken off the list: It was another Nora Field",
        "is about to take row 4 off the list",
        "took row 4 off the list and read the list back",
    ]
    assert case.log.get(verb=Verb.ROW_REMOVAL_ASKED).by == desk.manager


def test_the_watch_goes_on_and_does_not_miss_the_row(desk: Desk) -> None:
    case = closed_case(desk)
    take_off(desk, case)
    for _ in range(3):
        desk.later(hours=12)
        desk.advance(case)
    assert kinds(case) == set()
    assert "The desk watches" in case.waits_sentence
    desk.company.panel_activate(uid(case))
    desk.later(hours=12)
    desk.advance(case)
    assert Finding.Kind.SWITCHED_BACK_ON in kinds(case), "the list says nothing about Billsby"


def test_the_watch_of_such_a_case_comes_to_its_end(desk: Desk) -> None:
    case = closed_case(desk)
    take_off(desk, case)
    desk.advance(case)
    ends_at = Watch.objects.get(case=case).ends_at
    assert ends_at is not None
    clock.advance(ends_at - clock.now())
    desk.advance(case)
    assert Watch.objects.get(case=case).result == Watch.Result.CLEAN


def test_a_row_can_leave_when_the_watch_is_over(desk: Desk) -> None:
    case = closed_case(desk)
    Watch.objects.update(result=Watch.Result.CLEAN)
    take_off(desk, case)
    desk.the_list.trouble = InUse("Pat has it open.", by="Pat")
    desk.advance(case)
    assert "Pat has it open" in case.waits_sentence
    desk.the_list.trouble = None
    desk.later(minutes=1)
    desk.advance(case)
    assert not desk.the_list.rows
    assert state_of_row(case) == Intent.State.REMOVED
    assert case.next_pass_at is None


def test_it_needs_a_reason_and_a_manager(desk: Desk) -> None:
    case = closed_case(desk)
    with pytest.raises(NotAllowedError, match="Ask a manager or an admin"):
        services.take_off_list(case, by=desk.agent, why="x")
    with pytest.raises(CaseError, match="Say why"):
        services.take_off_list(case, by=desk.manager, why=" \n")
    assert state_of_row(case) == Intent.State.CONFIRMED
    services.take_off_list(case, by=desk.admin, why="Another client")
    assert state_of_row(case) == Intent.State.UNWANTED


def test_a_row_leaves_once(desk: Desk) -> None:
    case = closed_case(desk)
    take_off(desk, case)
    with pytest.raises(CaseError, match="is being taken off"):
        take_off(desk, case)
    desk.advance(case)
    with pytest.raises(CaseError, match="has been taken off"):
        take_off(desk, case)
    assert case.log.filter(verb=Verb.ROW_REMOVAL_ASKED).count() == 1


def test_a_case_that_is_still_closing_is_taken_back_instead(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.advance(desk.decided(subscription))
    with pytest.raises(CaseError, match="still closing. Take its decision back"):
        take_off(desk, case)
    services.take_back(case, by=desk.manager, why="x")
    with pytest.raises(CaseError, match=f"has no row of {case.number} on the list"):
        take_off(desk, case)


def test_a_row_that_a_person_changed_is_left_to_a_person(desk: Desk) -> None:
    case = closed_case(desk)
    written = desk.the_list.rows[0]
    desk.the_list.rows[0] = dataclasses.replace(written, collected_minor=1)
    take_off(desk, case)
    desk.advance(case)
    assert "its total is not what the desk wrote" in case.attention
    assert len(desk.the_list.rows) == 1
    desk.the_list.rows.clear()
    desk.later(minutes=1)
    desk.advance(case)
    assert not case.attention
    assert kinds(case) == set()


def test_a_row_into_which_a_person_wrote_is_left_to_a_person(desk: Desk) -> None:
    case = closed_case(desk)
    desk.the_list.beside["Nora Field"] = "called back"
    take_off(desk, case)
    desk.advance(case)
    assert "“Notes” (H4) holds “called back”. Move that" in case.attention
    assert len(desk.the_list.rows) == 1
    desk.the_list.rows.clear()
    desk.later(minutes=1)
    desk.advance(case)
    assert not case.attention
    assert state_of_row(case) == Intent.State.REMOVED


def test_a_row_that_waits_for_a_person_keeps_no_equal_row_from_being_written(desk: Desk) -> None:
    case = closed_case(desk)
    desk.the_list.beside["Nora Field"] = "called back"
    take_off(desk, case)
    desk.advance(case)
    assert case.attention
    equal = closed_case(desk)
    assert equal.state == State.CLOSED
    assert len(desk.the_list.rows) == 2


def test_a_row_that_comes_back_is_found_and_not_taken_out_silently(desk: Desk) -> None:
    case = closed_case(desk)
    old_copy = list(desk.the_list.rows)
    take_off(desk, case)
    desk.advance(case)
    desk.the_list.rows = old_copy
    desk.later(hours=12)
    desk.advance(case)
    assert "taken off the list, but it is there again" in case.findings.get().sentence
    assert desk.the_list.removed == 1
    desk.the_list.rows.clear()
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == set()


def test_a_row_taken_off_by_mistake_is_put_back(desk: Desk) -> None:
    case = closed_case(desk)
    row = desk.the_list.rows[0]
    take_off(desk, case)
    with pytest.raises(CaseError, match="not missing"):
        services.rewrite_row(case, by=desk.manager)
    desk.advance(case)
    with pytest.raises(NotAllowedError):
        services.rewrite_row(case, by=desk.agent)
    services.rewrite_row(case, by=desk.manager)
    desk.advance(case)
    assert desk.the_list.rows == [row]
    assert state_of_row(case) == Intent.State.CONFIRMED
    assert case.state == State.CLOSED
    desk.the_list.rows.clear()
    desk.later(hours=12)
    desk.advance(case)
    assert kinds(case) == {Finding.Kind.ROW_CHANGED}, "watched as any other row again"


def test_a_row_that_is_there_again_is_adopted_when_it_is_put_back(desk: Desk) -> None:
    case = closed_case(desk)
    old_copy = list(desk.the_list.rows)
    take_off(desk, case)
    desk.advance(case)
    desk.the_list.rows = old_copy
    services.rewrite_row(case, by=desk.manager)
    desk.advance(case)
    assert desk.the_list.written == 1
    assert len(desk.the_list.rows) == 1
    assert kinds(case) == set()


def test_a_crash_between_taking_off_and_noting_is_adopted(desk: Desk) -> None:
    case = closed_case(desk)
    take_off(desk, case)
    desk.the_list.after_write = RuntimeError("power cut")
    desk.advance(case)
    desk.later(minutes=1)
    desk.advance(case)
    assert state_of_row(case) == Intent.State.REMOVED
    assert desk.the_list.removed == 1
    assert not case.attention


def test_a_new_case_of_the_client_has_a_row_of_its_own(desk: Desk) -> None:
    case = closed_case(desk)
    take_off(desk, case)
    desk.advance(case)
    desk.company.panel_activate(uid(case))
    later = desk.decided(desk.company.subscription(uid(case)))
    desk.advance(later)
    assert len(desk.the_list.rows) == 1
    desk.later(hours=12)
    desk.advance(case)
    assert Finding.Kind.ROW_CHANGED not in kinds(case), "it is the other case's row"
