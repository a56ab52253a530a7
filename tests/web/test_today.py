"""Today: what waits for the person who looks."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from canceldesk import clock
from canceldesk.accounts.models import Role, User
from canceldesk.cases import findings, services
from canceldesk.cases.models import Case, Finding, State, WaitsFor, Wish
from canceldesk.web.views.today import MOST, todays
from tests.databases import on_postgresql
from tests.factories import (
    make_case,
    make_click_step,
    make_client,
    make_finding,
    make_hold,
    make_invoice,
    make_subscription,
    make_user,
    make_write_off_step,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def browser(client_of: Callable[[User], Browser], manager: User) -> Browser:
    return client_of(manager)


def _page(browser: Browser) -> str:
    return browser.get("/").content.decode()


def _stuck(why: str = "The workbook is open on somebody's screen.") -> Case:
    case = make_case(State.CLOSING)
    services.set_attention(case, why)
    return case


def _awaiting_a_click() -> Case:
    case = make_case(State.CLOSING)
    make_click_step(case)
    return case


def _awaiting_approval(*, manager_needed: bool = False) -> Case:
    case = make_case(State.CLOSING)
    make_write_off_step(case, make_invoice(case.client), manager_needed=manager_needed)
    return case


def _parts(user: User) -> dict[str, list[Case]]:
    return {part.key: [one.case for one in part.waiting] for part in todays(user).parts}


def test_an_empty_day_says_so_and_offers_a_new_request(browser: Browser) -> None:
    page = _page(browser)
    assert "Nothing waits for you" in page
    assert "<section" not in page


def test_a_manager_sees_every_kind_in_its_order() -> None:
    stuck, click, approval, undecided = (
        _stuck(),
        _awaiting_a_click(),
        _awaiting_approval(manager_needed=True),
        make_case(),
    )
    assert _parts(make_user(Role.MANAGER)) == {
        "attention": [stuck],
        "clicks": [click],
        "write-offs": [approval],
        "undecided": [undecided],
    }
    assert list(_parts(make_user(Role.ADMIN))) == [
        "attention",
        "clicks",
        "write-offs",
        "undecided",
    ]


def test_an_agent_sees_only_what_an_agent_can_do() -> None:
    small = _awaiting_approval()
    large = _awaiting_approval(manager_needed=True)
    Case.objects.filter(pk=large.pk).update(waits_for=WaitsFor.PERSON)
    make_case()
    click = _awaiting_a_click()
    assert _parts(make_user()) == {"clicks": [click], "write-offs": [small]}


@pytest.mark.parametrize("waits_for", [WaitsFor.OUTSIDE, WaitsFor.TIME, WaitsFor.NOTHING])
def test_a_closing_that_waits_for_nobody_is_not_lost_sight_of(waits_for: WaitsFor) -> None:
    case = make_case(state=State.CLOSING, decision="suspend")
    Case.objects.filter(pk=case.pk).update(waits_for=waits_for, waits_sentence="Billsby is away.")
    [part] = todays(make_user()).parts
    assert (part.key, part.waiting[0].sentence) == ("desk", "Billsby is away.")


@pytest.mark.parametrize("make", [_stuck, _awaiting_a_click, _awaiting_approval, make_case])
def test_who_is_charged_next_comes_first_in_every_part(make: Callable[[], Case]) -> None:
    never, later, sooner = make(), make(), make()
    for case, days in ((later, 9), (sooner, 2)):
        Case.objects.filter(pk=case.pk).update(next_charge_at=clock.now() + dt.timedelta(days=days))
    Case.objects.filter(pk=never.pk).update(next_charge_at=None)
    [found] = _parts(make_user(Role.MANAGER)).values()
    assert found == [sooner, later, never]


def test_a_stuck_case_is_listed_once_with_its_sentence(browser: Browser) -> None:
    case = _awaiting_a_click()
    services.set_attention(case, "Billsby refused to hold it. Use Change bill date.")
    page = _page(browser)
    assert page.count(f'href="/cases/{case.pk}/"') == 1
    assert "Billsby refused to hold it. Use Change bill date." in page
    assert "Since" in page


def test_a_closed_case_that_is_stuck_shows_too(browser: Browser) -> None:
    services.set_attention(make_case(State.CLOSED), "Billsby does not know the key.")
    assert "Billsby does not know the key." in _page(browser)


def test_the_click_is_right_there(browser: Browser) -> None:
    case = _awaiting_a_click()
    billsby_id = case.scope.get().subscription.billsby_id
    page = _page(browser)
    assert 'href="https://app.billsby.com"' in page
    assert f'data-copy="{billsby_id}"' in page
    assert "Update status → Suspended → confirm" in page


def test_a_click_that_was_made_is_not_asked_for(browser: Browser) -> None:
    case = _awaiting_a_click()
    subscription = case.scope.get().subscription
    subscription.status = "suspended"
    subscription.save()
    assert "Nothing waits for you" in _page(browser)


@pytest.mark.parametrize(
    ("wish", "state", "sentence"),
    [
        (Wish.SUSPEND, State.NEW, "Wants to suspend (Too expensive). Nobody has spoken"),
        (Wish.CANCEL, State.RETENTION, "Wants to cancel (Too expensive). In retention"),
        (Wish.UNSURE, State.NEW, "Is not sure yet (Too expensive). Nobody has spoken"),
    ],
)
def test_an_undecided_case_says_what_to_do(
    browser: Browser, wish: Wish, state: State, sentence: str
) -> None:
    make_case(state, wish=wish)
    assert sentence in _page(browser)


def test_findings_stand_until_resolved(browser: Browser) -> None:
    case = make_case(State.CLOSED)
    found = make_finding(case)
    page = _page(browser)
    assert found.sentence in page
    assert f'href="/cases/{case.pk}/"' in page
    findings.resolve(Finding.Kind.SWITCHED_BACK_ON, found.key)
    assert found.sentence not in _page(browser)


def test_what_takes_a_clients_money_stands_before_what_was_found_earlier_or_is_newer() -> None:
    lost = [make_finding(kind=Finding.Kind.SAVE_LOST) for _ in range(MOST + 1)]
    earlier = make_finding(kind=Finding.Kind.CHARGED_AFTER_REQUEST)
    clock.advance(dt.timedelta(hours=1))
    charged = make_finding(kind=Finding.Kind.CHARGED_AFTER_REQUEST)
    newest = make_finding(kind=Finding.Kind.SAVE_LOST)
    today = todays(make_user())
    shown = [one.finding for one in today.findings]
    assert shown[:4] == [charged, earlier, newest, lost[-1]]
    assert (len(shown), today.found, today.more_found) == (MOST, MOST + 4, 4)


def test_what_does_not_fit_on_today_is_counted_and_stands_on_pages_of_its_own(
    browser: Browser,
) -> None:
    for _ in range(MOST):
        make_finding(kind=Finding.Kind.SAVE_LOST)
    assert "more found wrong" not in _page(browser)
    clock.advance(dt.timedelta(hours=1))
    case = make_case(State.CLOSED)
    make_finding(case, kind=Finding.Kind.ROW_CHANGED, sentence="Row moved.")
    page = _page(browser)
    assert '<a href="/today/found/" id="more-found">1 more found wrong</a>' in page
    assert f'<span class="case-count">{MOST + 1}</span>' in page
    first, second = (browser.get(f"/today/found/?page={n}").content.decode() for n in (1, 2))
    assert "Row moved." in first
    assert f'href="/cases/{case.pk}/"' in first
    assert "Page 2 of 2" in second
    assert (first.count("<li>"), second.count("<li>")) == (first.count("<h3>"), 1)


def test_nothing_found_wrong_is_said_to_be_nothing(browser: Browser) -> None:
    assert "Nothing is found wrong now." in browser.get("/today/found/").content.decode()


def test_a_finding_without_a_case_names_the_client(browser: Browser) -> None:
    make_finding(client=make_client("Ivo", "Stone"))
    make_finding(sentence="A row without a name.")
    page = _page(browser)
    assert "Ivo Stone" in page
    assert "A row without a name." in page


def test_names_and_sentences_are_text(browser: Browser) -> None:
    client = make_client("<script>alert(1)</script>", "Field")
    case = make_case(client=client, subscriptions=[make_subscription(client)])
    services.set_attention(case, "<img src=x onerror=alert(2)>")
    page = _page(browser)
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_only_people_signed_in_see_it() -> None:
    for path in ("/", "/today/live/", "/today/found/"):
        assert Browser().get(path)["Location"].startswith("/account/login/")


def _asks_again(browser: Browser) -> str:
    found = re.search(r"/today/live/\?version=\w+", _page(browser))
    assert found is not None
    return found[0]


def test_it_stays_quiet_until_something_changes(browser: Browser) -> None:
    case = make_case()
    address = _asks_again(browser)
    assert browser.get(address).status_code == 204
    services.changed(case)
    fresh = browser.get(address)
    assert fresh.status_code == 200
    assert fresh.content.decode().lstrip().startswith('<div id="today"')


@pytest.mark.parametrize("change", [make_case, make_finding, _stuck])
def test_what_is_new_shows_by_itself(browser: Browser, change: Callable[[], object]) -> None:
    address = _asks_again(browser)
    change()
    assert browser.get(address).status_code == 200


def test_a_new_minute_moves_the_clocks(browser: Browser) -> None:
    address = _asks_again(browser)
    clock.advance(dt.timedelta(minutes=1))
    assert browser.get(address).status_code == 200


def test_a_busy_day_costs_no_more_queries(
    browser: Browser, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(6):
        _stuck()
        make_hold(_awaiting_a_click().scope.get())
        _awaiting_approval()
        make_case()
        make_finding(make_case(State.CLOSED))
    with django_assert_max_num_queries(19):
        assert browser.get("/").status_code == 200
    address = _asks_again(browser)
    with django_assert_max_num_queries(6):
        assert browser.get(address).status_code == 204


@pytest.mark.skipif(on_postgresql(), reason="PostgreSQL plans by how many rows there are")
def test_asking_again_does_not_go_through_every_case_there_ever_was(browser: Browser) -> None:
    address = _asks_again(browser)
    plans: list[str] = []

    def explained(
        execute: Callable[..., object], sql: str, params: object, *more: object
    ) -> object:
        with connection.cursor() as cursor:
            plan = cursor.cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params or ())
            plans.extend(step for *_, step in plan)
        return execute(sql, params, *more)

    with connection.execute_wrapper(explained):
        assert browser.get(address).status_code == 204
    assert any("SEARCH cases_case" in step for step in plans)
    in_order_of_coming = {"SCAN cases_case", "SCAN cases_finding"}
    assert not in_order_of_coming.intersection(plans)
