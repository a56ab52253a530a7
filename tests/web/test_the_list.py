"""The list: what the workbook shows, whose each row is, and what is wrong with it."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client as Browser

from canceldesk import outside
from canceldesk.accounts.models import User
from canceldesk.cases.models import Finding, State
from canceldesk.clients import refreshing
from canceldesk.closing import listing
from canceldesk.closing.models import Step
from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.protocol import NewRow
from tests.closing.conftest import Desk
from tests.factories import make_case, make_client, make_facts, make_finding, make_step


@pytest.fixture
def browser(desk: Desk, client_of: Callable[[User], Browser]) -> Browser:
    return client_of(desk.manager)


def text(response: Any) -> str:
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", response.content.decode())).split())


def by_hand(name: str, **fields: Any) -> NewRow:
    return replace(
        NewRow(name, "3125550199", dt.date(2026, 2, 1), 29700, "USD", 3, "Moved away"), **fields
    )


def test_the_list_is_shown_with_each_rows_case(desk: Desk, browser: Browser) -> None:
    case = make_case(State.CLOSED, client=make_client("Nora", "Field"))
    desk.the_list.put([listing.row_for(make_facts(case)), by_hand("Anna Berg")])
    response = browser.get("/list/")
    told = text(response)
    for part in ("cancellation", "list.xlsx", "2 rows", "1 written by hand", "read 2 Mar"):
        assert part in told
    rows = response.content.decode().split('<tr><th scope="row">')[1:]
    assert f'href="/cases/{case.pk}/"' in rows[0]
    assert "Closed" in rows[0]
    assert "written by hand" in rows[1]
    assert "1 Feb" in rows[1]


def test_newest_rows_come_first_page_by_page(desk: Desk, browser: Browser) -> None:
    desk.the_list.put([by_hand(f"Client {number:03d}") for number in range(70)])
    first, second = (text(browser.get("/list/", {"page": page})) for page in "12")
    assert first.index("Client 000") < first.index("Client 049")
    assert "Client 050" not in first
    assert "Client 050" in second


@pytest.mark.parametrize("query", ["núñez", "312 555 0199", "0199", "moved", "C-0"])
def test_a_search_finds_by_name_phone_reason_and_case(
    desk: Desk, browser: Browser, query: str
) -> None:
    case = make_case(State.CLOSED, client=make_client("Anna", "Nunez"))
    facts = make_facts(case, phone="(312) 555-0199", reason="Moved away")
    desk.the_list.put([listing.row_for(facts), by_hand("Bert", phone="", reason="Other")])
    response = browser.get("/list/", {"q": query}, headers={"HX-Request": "true"})
    told = text(response)
    assert "Anna Nunez" in told
    assert "Bert" not in told
    assert "<html" not in response.content.decode()


def test_a_search_that_finds_nothing_and_an_empty_list_say_so(desk: Desk, browser: Browser) -> None:
    assert "The list is empty" in text(browser.get("/list/"))
    desk.the_list.put([by_hand("Anna Berg")])
    assert "No row fits" in text(browser.get("/list/", {"q": "zzz"}))


def test_what_cannot_be_understood_is_shown_as_it_stands_and_counted(
    desk: Desk, browser: Browser
) -> None:
    row = desk.the_list.listed(by_hand("Anna Berg"))
    raw = {"cancelled_on": "in May", "collected": "lots", "months": "a few"}
    desk.the_list.rows = [
        replace(row, cancelled_on=None, collected_minor=None, months=None, raw=raw),
        replace(row, cancelled_on=None, phone="", collected_minor=None, months=None),
        replace(row, name="", raw={"name": "#REF!"}),
    ]
    told = text(browser.get("/list/"))
    for part in ("“in May” is no date", "“lots” is no amount", "“a few” is no number", "#REF!"):
        assert part in told
    assert "3 with a value that cannot be understood" in told
    assert "no date" in told


def test_a_formula_typed_by_somebody_is_only_text(desk: Desk, browser: Browser) -> None:
    desk.the_list.put([by_hand("<script>alert(1)</script>", reason="=1+1")])
    assert "<script>alert" not in browser.get("/list/").content.decode()


def test_when_the_workbook_cannot_be_read_the_page_says_what_to_do_and_stays_useful(
    desk: Desk, browser: Browser
) -> None:
    waiting = make_case(State.CLOSING, waits_sentence="The workbook is open somewhere.")
    written = make_case(State.CLOSING, client=make_client("Anna", "Berg"))
    make_step(written, Step.Name.DOCUMENT)
    make_step(waiting, Step.Name.DOCUMENT, Step.State.WAITING)
    wrong = make_finding(kind=Finding.Kind.STILL_BILLING, sentence="Still billing. Stop it.")
    desk.the_list.trouble = CannotRead("list.xlsx is not there. Check Settings, Workbook.")
    response = browser.get("/list/")
    told = text(response)
    assert response.status_code == 200
    assert "list.xlsx is not there. Check Settings, Workbook." in told
    assert waiting.number in told
    assert "The workbook is open somewhere." in told
    assert written.number not in told
    assert wrong.sentence in told


def test_a_desk_without_a_workbook_says_where_to_set_one(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_list() -> None:
        raise outside.NotSetUpError("No workbook is set up yet.")

    monkeypatch.setattr(outside, "the_list", no_list)
    assert "No workbook is set up yet." in text(browser.get("/list/"))


def test_what_costs_a_client_money_stands_first_and_the_rest_is_folded(
    desk: Desk, browser: Browser
) -> None:
    client = make_client()
    for number in range(4):
        make_finding(kind=Finding.Kind.NOT_LISTED, sentence=f"Missing {number}.", client=client)
    make_finding(kind=Finding.Kind.STILL_BILLING, sentence="Still billing.")
    make_finding(kind=Finding.Kind.SAVE_LOST, sentence="Not of this page.")
    told = text(browser.get("/list/"))
    assert "5 things wrong" in told
    assert told.index("Still billing.") < told.index("Missing 3.") < told.index("Show 2 more")
    assert "Not of this page." not in told


def test_an_open_page_hears_of_what_changed_without_reading_the_workbook(
    desk: Desk, browser: Browser
) -> None:
    page = browser.get("/list/").content.decode()
    version = re.search(r'hx-get="/list/state/\?version=(\w+)"', page)
    assert version
    desk.the_list.trouble = CannotRead("The state must not need it.")
    asked = {"version": version[1]}
    assert browser.get("/list/state/", asked).status_code == 204
    waiting = make_case(State.CLOSING)
    response = browser.get("/list/state/", asked)
    assert waiting.number in text(response)
    assert response.headers["HX-Trigger"] == "list-changed"


def test_a_manager_checks_the_whole_book(desk: Desk, browser: Browser) -> None:
    customer, service = desk.client("Anna", "Berg")
    refreshing.refresh_all(desk.billsby)
    desk.the_list.put([by_hand("Anna Berg", phone=desk.mirrored(customer.uid).phone)])
    assert "Check the whole book now" in text(browser.get("/list/"))
    response = browser.post("/list/check/")
    assert response["Location"] == "/list/"
    told = text(browser.get("/list/"))
    assert "Compared the list with Billsby. Rows: 1. Wrong: 1." in told
    assert service.uid in told
    desk.company.panel_suspend(service.uid)
    refreshing.refresh_all(desk.billsby)
    browser.post("/list/check/")
    assert "Wrong: 0." in text(browser.get("/list/"))


def test_a_check_that_cannot_be_made_says_why(desk: Desk, browser: Browser) -> None:
    desk.company.set_down("503")
    browser.post("/list/check/")
    assert "The book could not be compared. Billsby" in text(browser.get("/list/"))


def test_an_agent_sees_the_list_without_the_managers_button(
    desk: Desk, client_of: Callable[[User], Browser]
) -> None:
    told = text(client_of(desk.agent).get("/list/"))
    assert "The list" in told
    assert "Check the whole book now" not in told


@pytest.mark.parametrize("path", ["/list/", "/list/check/"])
def test_nobody_sees_the_list_without_signing_in(desk: Desk, client: Browser, path: str) -> None:
    assert client.post(path).status_code in {302, 405}
    assert client.get(path).status_code in {302, 405}
