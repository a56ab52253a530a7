"""A case's page over a practice Billsby: the pages and the services together."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.test import Client as Browser

from canceldesk import outside
from canceldesk.accounts.models import User
from canceldesk.billsby.errors import Unreachable
from canceldesk.cases.models import Case, State
from canceldesk.clients import mirror
from tests.closing.conftest import Desk

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response


@pytest.fixture
def as_manager(desk: Desk, client_of: Callable[[User], Browser]) -> Browser:
    return client_of(desk.manager)


@pytest.fixture
def as_agent(desk: Desk, client_of: Callable[[User], Browser]) -> Browser:
    return client_of(desk.agent)


def _page(browser: Browser, case: Case) -> str:
    return browser.get(f"/cases/{case.pk}/").content.decode()


def _ticked(page: str, part: str) -> list[str]:
    """The invoices a form of the page offers, as it would send them."""
    found = re.search(rf'<section[^>]* id="{part}".*?</section>', page, re.DOTALL)
    assert found is not None
    return re.findall(r'name="invoice" value="([^"]+)"', found[0])


def _states(page: str) -> dict[str, str]:
    return {
        step: state for state, step in re.findall(r'data-state="(\w+)" data-step="(\w+)"', page)
    }


def _post(browser: Browser, case: Case, action: str, **given: object) -> Response:
    return browser.post(f"/cases/{case.pk}/{action}/", given)


def test_from_the_decision_to_the_closed_case(desk: Desk, as_manager: Browser) -> None:
    _, subscription = desk.client()
    desk.invoice(subscription, 4900)
    case = desk.file(subscription)
    _post(as_manager, case, "decide", decision="suspend")
    assert set(_states(_page(as_manager, case)).values()) == {"todo"}

    desk.advance(case)
    page = _page(as_manager, case)
    assert _states(page)["document"] == "done"
    assert _states(page)["clear"] == "waiting"
    [offered] = _ticked(page, "write-offs")
    assert offered.startswith("4900:")

    assert _post(as_manager, case, "write-off", invoice=offered).status_code == 303
    desk.advance(case)
    page = _page(as_manager, case)
    assert _states(page)["clear"] == "done"
    assert "approved by Manager: read back" in " ".join(page.split())
    assert "Choose Suspended and confirm." in page

    desk.company.panel_suspend(subscription.uid)
    desk.advance(case)
    page = _page(as_manager, case)
    assert case.state == State.CLOSED
    assert set(_states(page).values()) == {"done", "not_needed"}
    assert "No charge expected" in page
    assert "You will not be charged for it again." in page


def test_an_invoice_that_owes_the_client_is_approved_like_any_other(
    desk: Desk, as_agent: Browser
) -> None:
    _, subscription = desk.client()
    invoice = desk.invoice(subscription, -500)
    case = desk.advance(desk.decided(subscription))
    [offered] = _ticked(_page(as_agent, case), "write-offs")
    assert offered == f"-500:{invoice.number}"
    assert _post(as_agent, case, "write-off", invoice=offered).status_code == 303
    desk.advance(case)
    assert desk.company.invoice(invoice.number).status == "WrittenOff"
    assert _states(_page(as_agent, case))["clear"] == "done"


def test_deciding_approves_the_write_offs_in_the_same_form(desk: Desk, as_manager: Browser) -> None:
    _, subscription = desk.client()
    desk.invoice(subscription, 25000)
    case = desk.file(subscription)
    mirror.keep_open_invoices(case.client, desk.billsby.customer_invoices(case.client.billsby_id))
    [offered] = _ticked(_page(as_manager, case), "decide")
    response = _post(as_manager, case, "decide", decision="suspend", invoice=offered)
    assert response.status_code == 303
    assert case.write_off_approvals.get().amount_minor == 25000
    desk.advance(case)
    assert _states(_page(as_manager, case))["clear"] == "done"


def test_an_agent_cannot_approve_above_the_limit_even_by_a_made_up_post(
    desk: Desk, as_agent: Browser
) -> None:
    _, subscription = desk.client()
    desk.invoice(subscription, 25000)
    case = desk.decided(subscription)
    desk.advance(case)
    page = _page(as_agent, case)
    assert _ticked(page, "write-offs") == []
    [number] = [invoice.number for invoice in case.client.open_invoices.all()]
    response = _post(as_agent, case, "write-off", invoice=f"25000:{number}")
    assert response.status_code == 403
    assert "the limit is $100.00" in response.content.decode()
    assert not case.write_off_approvals.exists()


def test_an_invoice_that_grew_is_not_approved_by_an_old_page(
    desk: Desk, as_manager: Browser
) -> None:
    _, subscription = desk.client()
    desk.invoice(subscription, 4900)
    case = desk.decided(subscription)
    desk.advance(case)
    [number] = [invoice.number for invoice in case.client.open_invoices.all()]
    response = _post(as_manager, case, "write-off", invoice=f"100:{number}")
    assert response.status_code == 422
    assert "has grown to $49.00" in response.content.decode()
    assert not case.write_off_approvals.exists()


def test_billsby_in_trouble_is_said_and_nothing_is_approved(
    desk: Desk, as_manager: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, subscription = desk.client()
    desk.invoice(subscription, 4900)
    case = desk.decided(subscription)
    desk.advance(case)
    [offered] = _ticked(_page(as_manager, case), "write-offs")

    def down(client_id: str) -> None:
        raise Unreachable("Billsby does not answer. Try again in a minute.")

    monkeypatch.setattr(outside.billsby(), "customer_invoices", down)
    response = _post(as_manager, case, "write-off", invoice=offered)
    assert response.status_code == 502
    assert "Billsby does not answer. Try again in a minute." in response.content.decode()
    assert not case.write_off_approvals.exists()


def test_the_row_that_was_removed_is_written_again_by_click(
    desk: Desk, as_manager: Browser
) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.the_list.rows.clear()
    desk.advance(case)
    assert "Write the row again</button>" in _page(as_manager, case)
    assert _post(as_manager, case, "rewrite").status_code == 303
    desk.advance(case)
    assert len(desk.the_list.rows) == 1
    assert "Write the row again" not in _page(as_manager, case)


def test_the_pause_is_lifted_for_the_click_and_said(desk: Desk, as_agent: Browser) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    scope = case.scope.get()
    assert _post(as_agent, case, "release", scope=scope.pk).status_code == 303
    assert "The desk lifts the pause now" in _page(as_agent, case)
    desk.advance(case)
    assert "The pause is lifted until" in _page(as_agent, case)


def test_a_retained_client_is_charged_as_before(desk: Desk, as_manager: Browser) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    assert _post(as_manager, case, "take-back", why="They stay").status_code == 303
    assert _post(as_manager, case, "decide", decision="retained").status_code == 303
    desk.advance(case)
    page = _page(as_manager, case)
    assert not desk.the_list.rows
    assert "Held until" not in page
    # Billsby keeps the day of a renewal, not its hour.
    assert re.search(r"in (9|10) days", page)
