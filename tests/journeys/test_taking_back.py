"""A manager who changes their mind: the row leaves the workbook, comes anew, leaves once more."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from billsby_sandbox import seed
from tests.journeys import people
from tests.journeys.stack import Desk

ARTHUR = "Arthur Kingsley"


def test_a_row_leaves_the_list_when_a_decision_is_taken_back_or_was_a_mistake(desk: Desk) -> None:
    manager = desk.page("manager")
    people.file_request(manager, "arthur")
    people.decide(manager, "Suspend")
    people.expect_step(manager, "On the list", "Done")
    assert len(people.rows_of(desk, ARTHUR)) == 1

    _say_why(manager, "Take the decision back", "They called again")
    people.expect_state(manager, "Retention")
    expect(people.part(manager, "The row is off the list")).to_be_visible(timeout=people.SOON)
    assert not people.rows_of(desk, ARTHUR)

    people.decide(manager, "Suspend")
    people.expect_step(manager, "On the list", "Done")
    people.suspend_in_panel(desk, seed.SUBSCRIPTION_OF[seed.CLEAN[7]])
    people.expect_state(manager, "Closed")
    assert len(people.rows_of(desk, ARTHUR)) == 1

    manager.get_by_text("Take the row off the list …").click()
    _say_why(manager, "Was this a mistake?", "Another Arthur", "Take the row off the list")
    off = people.part(manager, "The row is off the list")
    expect(off).to_be_visible(timeout=people.SOON)
    people.expect_state(manager, "Closed")
    assert not people.rows_of(desk, ARTHUR)

    off.get_by_role("button", name="Put the row back").click()
    expect(people.part(manager, "Was this a mistake?")).to_be_visible(timeout=people.SOON)
    assert len(people.rows_of(desk, ARTHUR)) == 1


def _say_why(page: Page, title: str, why: str, button: str = "") -> None:
    panel = people.part(page, title)
    panel.get_by_label("Why").fill(why)
    panel.get_by_role("button", name=button or title).click()
