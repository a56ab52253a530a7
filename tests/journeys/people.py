"""What the people of the stories do, in the words of the pages they see."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from canceldesk.workbook.protocol import ListedRow
from canceldesk.workbook.workbooklist import WorkbookList
from tests.journeys.stack import Desk

SOON = 30_000


def file_request(page: Page, search: str, *, reason: str = "1", words: str = "") -> str:
    """An agent on the phone: keyboard only. Gives the address of the case."""
    page.keyboard.press("n")
    box = page.get_by_role("combobox", name="Client")
    expect(box).to_be_focused()
    box.press_sequentially(search)
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Enter")
    form = page.locator("#request-form")
    expect(form).to_be_visible()
    page.keyboard.press(reason)
    if words:
        form.get_by_label("own words").fill(words)
    form.get_by_role("button", name="File the request").click()
    page.wait_for_url(re.compile(r"/cases/\d+/"))
    return page.url.split("#")[0]


def part(page: Page, title: str) -> Locator:
    """A part of the case page by its heading."""
    return page.get_by_role("region", name=title)


def attempt(page: Page, offer: str, answer: str) -> None:
    """A manager records an effort to keep the client."""
    retention = part(page, "Retention")
    retention.get_by_label("Offer").select_option(label=offer)
    retention.get_by_label("Answer").select_option(label=answer)
    retention.get_by_role("button", name="Save the attempt").click()
    expect(part(page, "Retention")).to_contain_text(answer)


def decide(page: Page, decision: str, *, typed_id: str = "") -> None:
    """A manager's word."""
    panel = part(page, "Decision")
    panel.get_by_role("radio", name=decision, exact=True).check()
    if typed_id:
        panel.get_by_label("Type the Billsby ID").fill(typed_id)
    panel.get_by_role("button", name="Decide").click()


def expect_state(page: Page, state: str, *, within: int = SOON) -> None:
    """The case shows this state, without a reload."""
    glance = page.get_by_role("region", name="At a glance")
    expect(glance.get_by_text(state, exact=True).first).to_be_visible(timeout=within)


def expect_step(page: Page, step: str, state: str, *, within: int = SOON) -> None:
    """A step of the closing track shows this state, without a reload."""
    heading = part(page, "Closing").get_by_role("heading", name=f"{step} {state}", exact=True)
    expect(heading).to_be_visible(timeout=within)


def approve_write_offs(page: Page) -> None:
    """Somebody approves what the page lists."""
    panel = part(page, "Write-offs to approve")
    expect(panel).to_be_visible(timeout=SOON)
    panel.get_by_role("button", name="Approve writing off").click()


def suspend_in_panel(desk: Desk, subscription: str) -> Page:
    """The exact clicks in Billsby's control panel; gives the page with what it answered."""
    panel = desk.visitor()
    panel.goto(desk.panel_url)
    panel.get_by_role("link", name="Subscriptions").first.click()
    panel.get_by_role("searchbox").fill(subscription)
    panel.get_by_role("button", name="Search").click()
    panel.get_by_role("link", name=f"View {subscription}").click()
    panel.get_by_role("link", name="Update status").click()
    panel.get_by_label("Status").select_option(label="Suspended")
    panel.get_by_role("button", name="Update status").click()
    panel.get_by_role("button", name="Confirm").click()
    return panel


def rows_of(desk: Desk, name: str) -> list[ListedRow]:
    """A client's lines on the list."""
    return [row for row in WorkbookList(desk.workbook).read().rows if row.name == name]


def status_at_billsby(desk: Desk, subscription: str) -> str:
    """What the API says of a subscription."""
    return str(desk.practice.get(f"subscriptions/{subscription}")["status"])


def writes(desk: Desk, part_of_path: str) -> list[str]:
    """Calls of the desk that changed something at Billsby."""
    return [
        f"{call['method']} {call['path']}"
        for call in desk.practice.calls()
        if call["method"] != "GET" and part_of_path in call["path"]
    ]
