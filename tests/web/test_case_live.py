"""A case's page keeps itself up to date; its log; what it costs."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases import log, services
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, State
from canceldesk.closing.models import Step
from tests.factories import (
    make_case,
    make_client,
    make_finding,
    make_hold,
    make_invoice,
    make_step,
    make_subscription,
    make_watch,
)
from tests.web.casepages import page_of, part_of, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def browser(client_of: Callable[[User], Browser], manager: User) -> Browser:
    return client_of(manager)


def test_the_log_is_told_newest_first_with_who_and_the_raw_answer(
    browser: Browser, agent: User
) -> None:
    case = make_case()
    log.record(Verb.CASE_RETRIED, by=agent, case=case)
    log.record(Verb.HOLD_FAILED, case=case, subscription="Gold", why="Billsby said no")
    part = part_of(page_of(browser, case), "log")
    words = words_of(part)
    assert words.index("The desk could not hold Gold: Billsby said no") < words.index(
        "Agent Example asked the desk to try again"
    )
    assert "&quot;why&quot;: &quot;Billsby said no&quot;" in part


def test_a_long_log_is_cut_until_asked_for(browser: Browser) -> None:
    case = make_case()
    for number in range(70):
        log.record(Verb.CASE_WITHDRAWN, case=case, why=f"number {number}.")
    page = page_of(browser, case)
    assert "number 69." in page
    assert "number 9." not in page
    assert "Show the whole log" in page
    whole = browser.get(f"/cases/{case.pk}/?log=all").content.decode()
    assert "number 0." in whole
    assert "Show the whole log" not in whole


def _asks_again(page: str) -> str:
    found = re.search(r'hx-get="(/cases/\d+/live/\?version=[^"]+)"', page)
    assert found is not None
    return found[1]


def test_the_page_asks_and_is_answered_only_when_something_changed(browser: Browser) -> None:
    case = make_case()
    address = _asks_again(page_of(browser, case))
    assert browser.get(address).status_code == 204
    services.set_attention(case, "Stuck.")
    fresh = browser.get(address)
    assert fresh.status_code == 200
    parts = fresh.content.decode()
    assert "Stuck." in parts
    assert 'id="head" hx-swap-oob="true"' in parts
    assert 'id="note-body"' not in parts
    assert browser.get(_asks_again(parts)).status_code == 204


@pytest.mark.parametrize(
    "change",
    [
        lambda case: log.record(Verb.CASE_RETRIED, case=case),
        lambda case: make_watch(case, checks=1),
        lambda case: clock.advance(dt.timedelta(minutes=1)),
    ],
)
def test_whatever_shows_makes_a_new_version(
    browser: Browser, change: Callable[[Case], object]
) -> None:
    case = make_case(State.CLOSED)
    address = _asks_again(page_of(browser, case))
    change(case)
    assert browser.get(address).status_code == 200


def test_parts_with_forms_say_what_they_show_so_that_typing_is_left_alone(
    browser: Browser,
) -> None:
    page = page_of(browser, make_case())
    for name in ("retain", "decide", "withdraw", "take-back", "take-off", "write-offs"):
        assert "data-shows=" in part_of(page, name).split(">")[0]


def test_a_case_that_is_not_there_is_not_found(browser: Browser) -> None:
    for path in ("/cases/999/", "/cases/999/live/"):
        assert browser.get(path).status_code == 404


def test_only_people_signed_in_see_it() -> None:
    case = make_case()
    for path in (f"/cases/{case.pk}/", f"/cases/{case.pk}/live/", f"/cases/{case.pk}/note/"):
        assert Browser().get(path)["Location"].startswith("/account/login/")


def test_a_full_case_costs_a_fixed_number_of_queries(
    browser: Browser, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = make_client()
    case = make_case(
        State.CLOSING, client=client, subscriptions=[make_subscription(client) for _ in range(4)]
    )
    for scope in case.scope.all():
        make_hold(scope)
    for _ in range(4):
        make_invoice(client)
        make_finding(case)
    make_step(case, Step.Name.STOP, Step.State.WAITING, click=True)
    with django_assert_max_num_queries(26):
        assert browser.get(f"/cases/{case.pk}/").status_code == 200
    address = _asks_again(page_of(browser, case))
    with django_assert_max_num_queries(6):
        assert browser.get(address).status_code == 204
