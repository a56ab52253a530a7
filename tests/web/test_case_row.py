"""Taking a row off the list again, through the pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from canceldesk.accounts.models import User
from canceldesk.cases.models import Case, State
from canceldesk.workbook.errors import InUse
from tests.closing.conftest import Desk
from tests.web.casepages import is_shown, page_of, part_of, words_of


@pytest.fixture
def as_manager(desk: Desk, client_of: Callable[[User], Browser]) -> Browser:
    return client_of(desk.manager)


@pytest.fixture
def as_agent(desk: Desk, client_of: Callable[[User], Browser]) -> Browser:
    return client_of(desk.agent)


def listed(desk: Desk) -> Case:
    _, subscription = desk.client()
    return desk.advance(desk.decided(subscription))


def closed(desk: Desk) -> Case:
    case = listed(desk)
    desk.company.panel_suspend(case.scope.get().subscription.billsby_id)
    return desk.advance(case)


def post(browser: Browser, case: Case, action: str, **given: str) -> int:
    return browser.post(f"/cases/{case.pk}/{action}/", given).status_code


def part(browser: Browser, case: Case, name: str) -> str:
    return words_of(part_of(page_of(browser, case), name))


def test_a_decision_is_taken_back_and_the_row_is_seen_to_leave(
    desk: Desk, as_manager: Browser
) -> None:
    case = listed(desk)
    assert not is_shown(page_of(as_manager, case), "row")
    assert "takes its row off the list again" in part(as_manager, case, "take-back")
    assert post(as_manager, case, "take-back", why="They called again") == 303
    page = page_of(as_manager, case)
    assert "The decision is taken back. The desk takes the row off the list." in page
    assert "The row is being taken off the list" in part(as_manager, case, "row")
    assert is_shown(page, "decide")
    desk.advance(case)
    told = part(as_manager, case, "row")
    assert "The row is off the list" in told
    assert "Taken out, and the list read back on 2 Mar" in told
    assert "Put the row back" not in told, "the case is decided anew instead"
    assert "took row 4 off the list and read the list back" in part(as_manager, case, "log")


def test_what_the_row_waits_for_stands_on_top_with_a_retry(desk: Desk, as_manager: Browser) -> None:
    case = listed(desk)
    post(as_manager, case, "take-back", why="They called again")
    desk.the_list.trouble = InUse("Pat has the workbook open.", by="Pat")
    desk.advance(case)
    head = part(as_manager, case, "head")
    assert "Pat has the workbook open." in head
    assert "Try again now" in head
    leaving = as_manager.get("/list/state/").content.decode()
    assert "Being taken off the list" in leaving
    assert case.number in leaving
    desk.the_list.trouble = None
    assert post(as_manager, case, "retry") == 303
    desk.advance(case)
    assert "Try again now" not in part(as_manager, case, "head")
    assert "Being taken off the list" not in as_manager.get("/list/state/").content.decode()


def test_taking_back_says_that_a_person_must_start_a_suspended_service(
    desk: Desk, as_manager: Browser
) -> None:
    case = listed(desk)
    assert "start it again" not in part(as_manager, case, "take-back")
    desk.the_list.trouble = InUse("Pat has the workbook open.", by="Pat")
    desk.company.panel_suspend(case.scope.get().subscription.billsby_id)
    desk.advance(case)
    assert "is Suspended in Billsby. The desk cannot start it again" in part(
        as_manager, case, "take-back"
    )
    desk.the_list.trouble = None
    post(as_manager, case, "take-back", why="They called again")
    desk.advance(case)
    assert "a person must start it again there" in part(as_manager, case, "head")


def test_the_evidence_says_that_the_old_row_leaves_first(desk: Desk, as_manager: Browser) -> None:
    case = listed(desk)
    post(as_manager, case, "take-back", why="They called again")
    post(as_manager, case, "decide", decision="suspend")
    desk.the_list.trouble = InUse("Pat has the workbook open.", by="Pat")
    desk.advance(case)
    track = part(as_manager, case, "track")
    assert "Now To be taken out" in track
    desk.the_list.trouble = None
    desk.later(minutes=1)
    desk.advance(case)
    assert "To be taken out" not in part(as_manager, case, "track")
    assert not is_shown(page_of(as_manager, case), "row")


def test_the_row_of_a_closed_case_is_taken_off_with_a_reason_and_put_back(
    desk: Desk, as_manager: Browser
) -> None:
    case = closed(desk)
    asked = part(as_manager, case, "take-off")
    assert "The case stays closed and watched, and Billsby is left as it is" in asked
    assert post(as_manager, case, "take-off-list", why=" ") == 422
    assert post(as_manager, case, "take-off-list", why="Another Nora Field") == 303
    assert "The row is being taken off the list" in part(as_manager, case, "row")
    assert not is_shown(page_of(as_manager, case), "take-off")
    assert post(as_manager, case, "take-off-list", why="Again") == 422
    desk.advance(case)
    assert case.state == State.CLOSED
    assert not desk.the_list.rows
    assert "The row is off the list" in part(as_manager, case, "row")
    assert "Was on the list" in part(as_manager, case, "facts")
    assert "Taken off the list, read back" in part(as_manager, case, "track")
    assert "taken off the list: Another Nora Field" in part(as_manager, case, "log")
    assert post(as_manager, case, "rewrite") == 303
    assert "The row is being put back" in part(as_manager, case, "row")
    desk.advance(case)
    assert len(desk.the_list.rows) == 1
    assert not is_shown(page_of(as_manager, case), "row")
    assert is_shown(page_of(as_manager, case), "take-off")


def test_a_reason_that_is_missing_leaves_the_form_open(desk: Desk, as_manager: Browser) -> None:
    case = closed(desk)
    page = as_manager.post(f"/cases/{case.pk}/take-off-list/", {"why": ""}).content.decode()
    assert '<details id="take-off-why" open>' in page
    assert '<details id="take-off-why">' in page_of(as_manager, case)


def test_an_agent_sees_where_the_row_is_and_who_can_ask(
    desk: Desk, as_agent: Browser, as_manager: Browser
) -> None:
    case = closed(desk)
    refused = part_of(page_of(as_agent, case), "take-off")
    assert "<form" not in refused
    assert "An agent may not take the row of a closed case off the list." in refused
    post(as_manager, case, "take-off-list", why="Another Nora Field")
    desk.advance(case)
    off = part_of(page_of(as_agent, case), "row")
    assert "The row is off the list" in off
    assert "<form" not in off
    assert "An agent may not have a row written again." in off


def test_what_cannot_be_undone_is_not_offered(desk: Desk, as_manager: Browser) -> None:
    case = listed(desk)
    assert is_shown(page_of(as_manager, case), "take-back")
    desk.company.panel_cancel(case.scope.get().subscription.billsby_id, case.client.billsby_id)
    desk.the_list.trouble = InUse("Pat has the workbook open.", by="Pat")
    desk.advance(case)
    assert case.state == State.CLOSING
    assert not is_shown(page_of(as_manager, case), "take-back")
    assert post(as_manager, case, "take-back", why="They called again") == 422
