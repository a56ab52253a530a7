"""The retention queue."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases import services as cases
from canceldesk.cases.models import Case, Channel, State
from canceldesk.closing.models import Hold
from canceldesk.retention import services as retention
from canceldesk.retention.models import Attempt
from tests.factories import make_case, make_client, make_hold, make_subscription

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def browser(client_of: Callable[[User], Browser], manager: User) -> Browser:
    return client_of(manager)


def _page(browser: Browser) -> str:
    return browser.get("/retention/").content.decode()


def _in_days(days: int, last_name: str) -> Case:
    client = make_client("Ada", last_name)
    at = clock.now() + dt.timedelta(days=days)
    return make_case(client=client, subscriptions=[make_subscription(client, next_billing_at=at)])


def test_who_is_charged_next_comes_first() -> None:
    _in_days(9, "Later")
    _in_days(2, "Sooner")
    assert [case.client.last_name for case in retention.queue()] == ["Sooner", "Later"]


def test_the_page_keeps_that_order(browser: Browser) -> None:
    _in_days(9, "Later")
    _in_days(2, "Sooner")
    assert re.findall(r"Ada (\w+)</a>", _page(browser)) == ["Sooner", "Later"]


def test_a_line_says_what_a_manager_needs_before_the_call(browser: Browser, manager: User) -> None:
    case = make_case(reason_words="I moved abroad")
    page = _page(browser)
    assert "Nobody has spoken with them yet" in page
    retention.attempt(
        case,
        by=manager,
        channel=Channel.CALL,
        offer=Attempt.Offer.DISCOUNT,
        answer=Attempt.Answer.THINKING,
    )
    page = _page(browser)
    for words in (
        "Too expensive",
        "I moved abroad",
        "2 hours ago",
        "1 attempt; last: A discount or credit, thinking about it",
        "$99.00",
        "in 10 days",
        f"/cases/{case.pk}/",
    ):
        assert words in page


def test_a_held_client_is_marked_with_the_date_the_charge_was_due(browser: Browser) -> None:
    case = make_case(State.RETENTION)
    assert "Held" not in _page(browser)
    make_hold(case.scope.get(), Hold.State.HELD)
    page = _page(browser)
    assert "Held" in page
    assert "It was due" in page
    assert "30 Nov" in page


def test_what_needs_attention_is_said_in_the_line(browser: Browser) -> None:
    case = make_case()
    cases.set_attention(case, "Billsby refused to hold it.")
    assert "Billsby refused to hold it." in _page(browser)


def test_decided_cases_are_not_in_it(browser: Browser) -> None:
    for state in (State.CLOSING, State.CLOSED, State.RETAINED, State.WITHDRAWN):
        make_case(state)
    assert "Nobody waits for a decision" in _page(browser)


def test_agents_may_look_and_are_told_who_acts(
    client_of: Callable[[User], Browser], agent: User
) -> None:
    make_case()
    page = _page(client_of(agent))
    assert "An agent may not make a retention attempt. Ask a manager or an admin." in page
    assert "Nora Field" in page


def test_managers_are_told_no_such_thing(browser: Browser) -> None:
    make_case()
    assert "may not" not in _page(browser)


def test_the_clients_words_are_text(browser: Browser) -> None:
    make_case(reason_words="<script>alert(1)</script>")
    page = _page(browser)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_only_people_signed_in_see_it() -> None:
    for path in ("/retention/", "/retention/live/"):
        response = Browser().get(path)
        assert response.status_code == 302
        assert response["Location"].startswith("/account/login/")


def test_it_stays_quiet_until_something_changes(browser: Browser) -> None:
    case = make_case()
    found = re.search(r"/retention/live/\?version=(\w+)", _page(browser))
    assert found is not None
    asked = f"/retention/live/?version={found[1]}"
    assert browser.get(asked).status_code == 204
    cases.changed(case)
    fresh = browser.get(asked)
    assert fresh.status_code == 200
    assert 'id="queue"' in fresh.content.decode()
    assert "<html" not in fresh.content.decode()


def test_a_new_minute_moves_the_clocks(browser: Browser) -> None:
    make_case()
    found = re.search(r"/retention/live/\?version=(\w+)", _page(browser))
    assert found is not None
    clock.advance(dt.timedelta(minutes=1))
    assert browser.get(f"/retention/live/?version={found[1]}").status_code == 200


def test_a_long_queue_costs_no_more_queries(
    browser: Browser, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        make_hold(_in_days(number + 1, f"Field{number}").scope.get())
    with django_assert_max_num_queries(12):
        assert browser.get("/retention/").status_code == 200


def _many(count: int) -> None:
    for number in range(count):
        _in_days(number + 1, f"Field{number:03}")


def test_a_queue_too_long_for_one_page_goes_on_on_the_next(browser: Browser) -> None:
    _many(52)
    first = _page(browser)
    assert re.findall(r"Ada Field(\d+)</a>", first) == [f"{number:03}" for number in range(50)]
    assert "Page 1 of 2" in first
    second = browser.get("/retention/?page=2").content.decode()
    assert re.findall(r"Ada Field(\d+)</a>", second) == ["050", "051"]


def test_a_further_page_stays_that_page_when_it_changes(browser: Browser) -> None:
    _many(51)
    second = browser.get("/retention/?page=2").content.decode()
    found = re.search(r"/retention/live/(\?version=\w+&amp;page=2)", second)
    assert found
    cases.changed(Case.objects.get(client__last_name="Field050"))
    anew = browser.get(f"/retention/live/{found[1].replace('&amp;', '&')}").content.decode()
    assert re.findall(r"Ada Field(\d+)</a>", anew) == ["050"]
    assert 'href="?page=1"' in anew


def test_a_page_that_is_not_there_any_more_is_the_last_one(browser: Browser) -> None:
    _many(3)
    assert "Ada Field002" in browser.get("/retention/?page=2").content.decode()


def test_a_short_queue_has_no_pages(browser: Browser) -> None:
    _many(50)
    assert "Further pages" not in _page(browser)
