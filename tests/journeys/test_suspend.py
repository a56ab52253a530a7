"""The whole procedure as the company wrote it."""

from __future__ import annotations

import shutil

import openpyxl
from playwright.sync_api import expect

from billsby_sandbox import seed
from tests.journeys import people
from tests.journeys.stack import Desk


def test_a_client_is_suspended_and_the_case_closes_by_itself(desk: Desk) -> None:
    before = desk.folder / "before.xlsx"
    shutil.copy(desk.workbook, before)
    agent = desk.page("agent")
    address = people.file_request(agent, "mara", words="=I cannot afford it")
    people.expect_state(agent, "New")
    expect(agent.get_by_role("region", name="At a glance")).to_contain_text("$99.00")

    manager = desk.page("manager")
    manager.get_by_role("link", name="Retention").first.click()
    manager.get_by_role("link", name="Mara Lindqvist").first.click()
    people.attempt(manager, "A pause", "Refused")
    people.expect_state(manager, "Retention")
    people.decide(manager, "Suspend")
    people.expect_step(manager, "On the list", "Done")
    people.expect_step(manager, "Service stopped", "Waiting")
    [row] = people.rows_of(desk, "Mara Lindqvist")
    assert row.reason.endswith("=I cannot afford it")

    subscription = seed.SUBSCRIPTION_OF[seed.MARA]
    expect(people.part(manager, "Set it to Suspended in Billsby")).to_contain_text(subscription)
    people.suspend_in_panel(desk, subscription)
    people.expect_state(manager, "Closed")
    people.expect_step(manager, "Both halves read back", "Done")
    assert people.status_at_billsby(desk, subscription) == "Suspended"

    agent.goto(address)
    people.expect_state(agent, "Closed")
    agent.goto(f"{desk.url}/list/")
    expect(agent.get_by_role("row", name="Mara Lindqvist")).to_contain_text("Closed")
    _only_one_row_was_added(desk, before)


def _only_one_row_was_added(desk: Desk, before: object) -> None:
    """An independent reader sees the new row on top, formatted like the next, and the rest."""
    old = openpyxl.load_workbook(before)["cancellation"]  # type: ignore[arg-type]
    new = openpyxl.load_workbook(desk.workbook)["cancellation"]
    heading = next(row[0].row for row in new.iter_rows() if row[0].value == "Name")
    top, below = new[heading + 1], new[heading + 2]
    assert top[0].value == "Mara Lindqvist"
    assert [cell.number_format for cell in top] == [cell.number_format for cell in below]
    reasons = [cell for cell in top if str(cell.value).endswith("=I cannot afford it")]
    assert [cell.data_type for cell in reasons] == ["s"]
    moved = [[c.value for c in row] for row in new.iter_rows(min_row=heading + 2)]
    assert moved == [[c.value for c in row] for row in old.iter_rows(min_row=heading + 1)]


def test_unpaid_and_pending_invoices_are_cleared_before_the_click(desk: Desk) -> None:
    manager = desk.page("manager")
    people.file_request(manager, "ruth okafor")
    people.decide(manager, "Suspend")
    expect(people.part(manager, "Write-offs to approve")).to_be_visible(timeout=people.SOON)
    subscription = seed.SUBSCRIPTION_OF[seed.RUTH]
    refused = people.suspend_in_panel(desk, subscription)
    expect(refused.locator("body")).to_contain_text("cannot be suspended")
    people.approve_write_offs(manager)
    people.expect_step(manager, "Invoices cleared", "Done")
    invoices = desk.practice.get(f"customers/{seed.RUTH}/invoices")
    assert {i["status"] for i in invoices} <= {"Paid", "WrittenOff", "PaidOffline"}
    people.suspend_in_panel(desk, subscription)
    people.expect_state(manager, "Closed")
    assert len(people.writes(desk, "WrittenOff")) == len(set(people.writes(desk, "WrittenOff")))


def test_of_two_subscriptions_one_stays(desk: Desk) -> None:
    leaving = seed.SUBSCRIPTION_OF[seed.IVY]
    [staying] = [
        s["subscriptionId"]
        for s in desk.practice.get(f"customers/{seed.IVY}/subscriptions")
        if s["subscriptionId"] != leaving
    ]
    before = desk.practice.get(f"subscriptions/{staying}")
    manager = desk.page("manager")
    manager.keyboard.press("n")
    manager.get_by_role("combobox", name="Client").press_sequentially("ivy")
    manager.get_by_role("option").first.click()
    form = manager.locator("#request-form")
    form.get_by_role("checkbox").filter(visible=True).first.wait_for()
    form.get_by_role("checkbox", name=leaving).check()
    form.get_by_role("radio", name="Too expensive").check()
    form.get_by_role("button", name="File the request").click()
    people.decide(manager, "Suspend")
    people.expect_step(manager, "Service stopped", "Waiting")
    people.suspend_in_panel(desk, leaving)
    people.expect_state(manager, "Closed")
    after = desk.practice.get(f"subscriptions/{staying}")
    assert (after["status"], after["nextBillingDate"]) == ("Active", before["nextBillingDate"])
