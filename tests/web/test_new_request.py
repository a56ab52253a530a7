"""New request: find the client, see how things stand, file what they want."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases.models import Case, Reason, State
from canceldesk.clients.models import Client, Subscription
from canceldesk.web.forms.request import CompanyTimeField
from tests.closing.conftest import Desk
from tests.factories import make_case, make_client, make_invoice, make_subscription

HTMX = {"HX-Request": "true"}


@pytest.fixture
def browser(desk: Desk, client_of: Callable[[User], Browser]) -> Browser:
    return client_of(desk.agent)


@pytest.fixture
def nora(desk: Desk) -> Client:
    """A client of Billsby's with one running subscription."""
    customer, _ = desk.client()
    return desk.mirrored(customer.uid)


def text(response: Any) -> str:
    """What a page says, without its markup."""
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", response.content.decode())).split())


def panel(browser: Browser, client: Client) -> Any:
    return browser.get(f"/new/{client.pk}/", headers=HTMX)


def token(response: Any) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', response.content.decode())
    assert found
    return found[1]


def boxes(response: Any) -> dict[str, str]:
    """The check boxes by value, with what else their tags say."""
    tags = re.findall(
        r'<input [^>]*type="checkbox" name="subscriptions" value="(\d+)"([^>]*)>',
        response.content.decode(),
    )
    return dict(tags)


def said(client: Client, **more: Any) -> dict[str, Any]:
    return {
        "client": client.pk,
        "form_token": "token-1",
        "subscriptions": [one.pk for one in client.subscriptions.all()],
        "reason": Reason.objects.get(key="no_results").pk,
        "wish": "suspend",
        "channel": "call",
        **more,
    }


def test_the_page_starts_in_the_search(browser: Browser) -> None:
    page = browser.get("/new/").content.decode()
    search = re.search(r"<input[^>]*role=\"combobox\"[^>]*>", page, re.S)
    assert search
    assert "autofocus" in search[0]
    assert 'aria-controls="client-results"' in search[0]
    assert '<label class="form-label" for="client-search">Client</label>' in page


@pytest.mark.parametrize("path", ["/new/", "/new/search/", "/new/1/"])
def test_nobody_files_without_signing_in(desk: Desk, client: Browser, path: str) -> None:
    assert client.get(path).status_code == 302


def test_no_script_or_style_stands_in_the_page(browser: Browser, nora: Client) -> None:
    for response in (browser.get("/new/"), panel(browser, nora)):
        page = response.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)


def test_results_tell_two_clients_of_one_name_apart(browser: Browser) -> None:
    gold = make_client("Anna", "Berg", phone="+1 202 555 0143", email="a1@example.com")
    blue = make_client("Anna", "Berg", phone="+1 312 555 0199", email="a2@example.com")
    make_subscription(gold, plan_name="Gold plan")
    make_subscription(blue, Subscription.Status.SUSPENDED, plan_name="Blue plan")
    response = browser.get("/new/search/", {"q": "anna"})
    options = response.content.decode().split('role="option"')[1:]
    assert len(options) == 2
    told = [html.unescape(option) for option in options]
    for here, parts in zip(
        sorted(told, key=lambda option: "a2@" in option),
        [
            ("(202) 555-0143", "a1@example.com", "Gold plan", "$99.00", "in 10 days"),
            ("(312) 555-0199", "a2@example.com", "Blue plan", "Stopped"),
        ],
        strict=True,
    ):
        assert all(part in here for part in parts), here
    assert "2 found." in text(response)


def test_what_a_closed_case_has_stopped_is_offered_only_to_be_cancelled_for_good(
    browser: Browser, desk: Desk, nora: Client
) -> None:
    stopped = nora.subscriptions.first()
    assert stopped is not None
    case = make_case(State.CLOSED, client=nora, subscriptions=[stopped])
    told = f"already stopped by {case.number}: only to be cancelled for good"
    assert told not in text(panel(browser, nora))
    desk.company.panel_suspend(stopped.billsby_id)
    assert told in text(panel(browser, nora))
    desk.company.set_down()
    shown = text(panel(browser, nora))
    assert told not in shown
    assert f"stopped by {case.number} as far as the desk knows" in shown


def test_an_open_case_and_a_pause_show_in_the_results(browser: Browser) -> None:
    client = make_client("Anna", "Berg")
    paused = make_subscription(client, Subscription.Status.PAUSED)
    make_case(client=client, subscriptions=[paused])
    told = text(browser.get("/new/search/", {"q": "anna"}))
    assert "Case open" in told
    assert "Paused" in told


def test_a_next_charge_that_went_by_is_not_shown_as_known(browser: Browser) -> None:
    past = clock.now() - dt.timedelta(days=2)
    make_subscription(make_client("Anna", "Berg"), next_billing_at=past)
    assert "$99.00" not in text(browser.get("/new/search/", {"q": "anna"}))


def test_when_many_fit_the_page_says_so(browser: Browser) -> None:
    for number in range(12):
        make_client("Anna", f"Berg{number}")
    told = text(browser.get("/new/search/", {"q": "anna"}))
    assert "The likeliest 8" in told


def test_an_empty_search_shows_nobody(browser: Browser) -> None:
    make_client("Anna", "Berg")
    assert 'role="option"' not in browser.get("/new/search/", {"q": " "}).content.decode()
    assert browser.get("/new/search/").status_code == 200


def test_what_is_typed_is_only_ever_text(browser: Browser) -> None:
    make_client("Anna", '<img src=x onerror="x">', email="anna@example.com")
    page = browser.get("/new/search/", {"q": "anna"}).content.decode()
    assert "<img" not in page
    page = browser.get("/new/search/", {"q": '"><b>nobody'}).content.decode()
    assert "<b>" not in page


def test_somebody_who_joined_a_minute_ago_is_asked_for_at_billsby(
    desk: Desk, browser: Browser
) -> None:
    desk.company.add_customer("Quentin", "New")
    response = browser.get("/new/search/", {"q": "quentin new"})
    assert "Ask Billsby" in text(response)
    response = browser.post("/new/look-up/", {"q": "Quentin New"}, headers=HTMX)
    assert 'data-name="Quentin New"' in response.content.decode()


def test_nobody_at_billsby_either(browser: Browser) -> None:
    told = text(browser.post("/new/look-up/", {"q": "Quentin New"}, headers=HTMX))
    assert "Billsby knows nobody" in told
    assert browser.post("/new/look-up/", {"q": " "}, headers=HTMX).status_code == 200


def test_asking_billsby_while_it_is_down_says_so(desk: Desk, browser: Browser) -> None:
    desk.company.set_down("503")
    told = text(browser.post("/new/look-up/", {"q": "Quentin"}, headers=HTMX))
    assert "Billsby" in told
    assert "knows nobody" not in told


def test_the_panel_shows_how_things_stand_in_billsby_now(
    desk: Desk, browser: Browser, nora: Client
) -> None:
    service = nora.subscriptions.get()
    desk.company.panel_change_bill_date(service.billsby_id, clock.now() + dt.timedelta(days=2))
    desk.company.add_invoice(nora.billsby_id, 4900, "Unpaid")
    response = panel(browser, nora)
    told = text(response)
    for part in ("Nora Field", "(202) 555-0143", "in 2 days", "$49.00", "Unpaid", "Active"):
        assert part in told
    assert response.headers["HX-Push-Url"] == f"/new/?client={nora.pk}"
    assert "cloud-off" not in response.content.decode()


def test_one_running_subscription_is_chosen_already(
    desk: Desk, browser: Browser, nora: Client
) -> None:
    desk.company.add_subscription(nora.billsby_id, status="Suspended")
    service = nora.subscriptions.get()
    shown = boxes(panel(browser, nora))
    assert "checked" in shown[str(service.pk)]
    assert sum("checked" in more for more in shown.values()) == 1


def test_of_several_running_subscriptions_none_is_chosen(
    desk: Desk, browser: Browser, nora: Client
) -> None:
    desk.company.add_subscription(nora.billsby_id)
    shown = boxes(panel(browser, nora))
    assert len(shown) == 2
    assert not any("checked" in more for more in shown.values())


def test_what_is_cancelled_cannot_be_chosen(desk: Desk, browser: Browser, nora: Client) -> None:
    ended = desk.company.add_subscription(nora.billsby_id, status="Cancelled")
    shown = boxes(panel(browser, nora))
    pk = Subscription.objects.get(billsby_id=ended.uid).pk
    assert "disabled" in shown[str(pk)]
    assert sum("disabled" in more for more in shown.values()) == 1


def test_an_open_case_is_warned_of_and_the_other_subscription_can_be_chosen(
    desk: Desk, browser: Browser, nora: Client
) -> None:
    case = make_case(client=nora, subscriptions=[nora.subscriptions.get()])
    desk.company.add_subscription(nora.billsby_id)
    response = panel(browser, nora)
    assert f"There is an open case already: {case.number}" in text(response)
    assert f'href="/cases/{case.pk}/"' in response.content.decode()
    shown = boxes(response)
    assert "disabled" in shown[str(case.scope.get().subscription_id)]
    assert not any("checked" in more for more in shown.values())


def test_what_billsby_was_never_asked_is_not_said_to_be_nothing(
    desk: Desk, browser: Browser, nora: Client
) -> None:
    nora.subscriptions.update(details_read_at=None, next_billing_at=None)
    desk.company.set_down("503")
    said = text(panel(browser, nora))
    assert "Not read from Billsby yet" in said
    assert "No charge expected" not in said


def test_where_nothing_is_left_to_stop_there_is_no_form(browser: Browser, nora: Client) -> None:
    case = make_case(client=nora, subscriptions=[nora.subscriptions.get()])
    response = panel(browser, nora)
    assert "nothing left to stop" in text(response)
    assert case.number in text(response)
    assert "<form" not in response.content.decode()


def test_a_client_without_any_subscription_is_said_to_have_none(
    desk: Desk, browser: Browser
) -> None:
    customer = desk.company.add_customer("Quentin", "New")
    client = make_client(billsby_id=customer.uid)
    assert "knows no subscription" in text(panel(browser, client))


def test_while_billsby_is_down_the_copy_is_shown_with_its_age(
    desk: Desk, browser: Browser, nora: Client
) -> None:
    make_invoice(nora, 4900)
    desk.later(days=3)
    desk.company.set_down("503")
    told = text(panel(browser, nora))
    assert "the desk's copy from 2 Mar, 10:00 AM ( 3 days ago )" in told
    assert "You can file all the same" in told
    assert "$49.00" in told


def test_a_client_billsby_no_longer_lists_is_marked(browser: Browser, nora: Client) -> None:
    Client.objects.filter(pk=nora.pk).update(gone_at=clock.now())
    assert "form" in panel(browser, nora).content.decode()
    gone = make_client("Anna", "Berg", gone_at=clock.now())
    assert "no longer lists this client" in text(panel(browser, gone))


def test_a_direct_link_picks_the_client(browser: Browser, nora: Client) -> None:
    page = browser.get(f"/new/?client={nora.pk}").content.decode()
    assert f'hx-get="/new/{nora.pk}/" hx-trigger="load"' in page
    assert 'value="Nora Field"' in page
    response = browser.get(f"/new/{nora.pk}/")
    assert (response.status_code, response["Location"]) == (302, f"/new/?client={nora.pk}")


@pytest.mark.parametrize("given", ["99999", "nobody", "²", "-1"])
def test_a_link_to_nobody_is_not_found(browser: Browser, given: str) -> None:
    assert browser.get("/new/", {"client": given}).status_code == 404
    assert browser.post("/new/", {"client": given}).status_code == 404


def test_filing_leads_to_the_case(desk: Desk, browser: Browser, nora: Client) -> None:
    response = browser.post("/new/", said(nora, note="Called twice", reason_words="Too slow"))
    case = Case.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/cases/{case.pk}/")
    assert (case.client, case.state, case.filed_by) == (nora, State.NEW, desk.agent)
    assert (case.received_at, case.reason_words) == (clock.now(), "Too slow")
    assert f"Filed as {case.number}." in text(browser.get(response["Location"]))


def test_every_reason_offered_has_its_number(browser: Browser, nora: Client) -> None:
    Reason.objects.create(key="tenth", label="The tenth", position=10)
    Reason.objects.filter(key="service").update(is_offered=False)
    Reason.objects.create(key="last", label="The last", position=11)
    page = panel(browser, nora).content.decode()
    assert re.findall(r'data-digit="(\d)"', page) == [str(n) for n in range(1, 10)]
    assert "The last" in page
    assert "Unhappy with the service" not in page


def test_the_same_form_twice_gives_the_same_case(browser: Browser, nora: Client) -> None:
    form = said(nora, form_token=token(panel(browser, nora)))
    first = browser.post("/new/", form)
    second = browser.post("/new/", form)
    assert first["Location"] == second["Location"]
    assert Case.objects.count() == 1
    assert "was already filed as" in text(browser.get(second["Location"]))


@pytest.mark.parametrize("ended", [State.WITHDRAWN, State.RETAINED, State.CLOSED])
def test_a_form_posted_again_after_its_case_has_ended_is_filed_only_when_somebody_says_so(
    browser: Browser, nora: Client, ended: State
) -> None:
    services = [nora.subscriptions.get()]
    before = make_case(ended, client=nora, subscriptions=services, form_token="token-1")

    response = browser.post("/new/", said(nora, note="She called again"))

    assert response.status_code == 422
    assert f"filed as {before.number} before, which has ended: {ended.label}." in text(response)
    assert "Nothing new is filed yet." in text(response)
    assert f"Open {before.number}" in text(response)
    assert "She called again" in response.content.decode()
    assert Case.objects.get() == before

    response = browser.post("/new/", said(nora, form_token=token(response)))

    new = Case.objects.exclude(pk=before.pk).get()
    assert (response.status_code, response["Location"]) == (302, f"/cases/{new.pk}/")
    assert new.state == State.NEW


def test_every_panel_has_its_own_token(browser: Browser, nora: Client) -> None:
    assert token(panel(browser, nora)) != token(panel(browser, nora))


def test_filing_twice_by_two_people_names_the_open_case_and_keeps_what_was_typed(
    browser: Browser, nora: Client
) -> None:
    case = make_case(client=nora, subscriptions=[nora.subscriptions.get()])
    response = browser.post("/new/", said(nora, note="She was upset"))
    assert response.status_code == 422
    assert f"already has an open case, {case.number}" in text(response)
    assert f"Open {case.number}" in text(response)
    assert "She was upset" in response.content.decode()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"subscriptions": []}, "Choose what should stop."),
        ({"subscriptions": ["999999"]}, "belongs to another client"),
        ({"reason": ""}, "Choose a reason."),
        ({"reason": "999999"}, "no longer offered"),
        ({"wish": ""}, "Choose what the client wants."),
        ({"channel": ""}, "Choose how the client asked."),
        ({"received_at": "yesterday"}, "Write a date and a time"),
        ({"received_at": "2026-03-02T10:01"}, "This is in the future."),
        ({"received_at": "0202-03-02T10:01"}, "more than a year ago"),
        ({"received_at": "9999-12-31T23:00"}, "Write a date and a time"),
        ({"note": "x" * 4001}, "Shorten this"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    browser: Browser, nora: Client, wrong: dict[str, Any], sentence: str
) -> None:
    other = make_subscription(make_client("Anna", "Berg"))
    if wrong == {"subscriptions": ["999999"]}:
        wrong = {"subscriptions": [other.pk]}
    form = said(nora, reason_words="Her own words", wish="cancel", channel="text") | wrong
    response = browser.post("/new/", form)
    assert response.status_code == 422
    assert sentence in text(response)
    page = response.content.decode()
    assert "Her own words" in page
    assert token(response) == "token-1"
    for field, kept in {"wish": "cancel", "channel": "text"}.items():
        assert (f'name="{field}" value="{kept}" checked' in page) == (field not in wrong)
    assert not Case.objects.exists()


def test_a_refusal_of_the_desk_is_said_above_the_form(
    desk: Desk, browser: Browser, nora: Client
) -> None:
    desk.company.panel_cancel(nora.subscriptions.get().billsby_id, nora.billsby_id)
    desk.later(minutes=5)
    response = browser.post("/new/", said(nora, note="Kept"))
    assert response.status_code == 422
    assert "already cancelled in Billsby. Leave it out." in text(response)
    assert "Kept" in response.content.decode()


def test_yesterdays_voicemail_counts_from_yesterday_in_the_companys_zone(
    browser: Browser, nora: Client
) -> None:
    browser.post("/new/", said(nora, received_at="2026-03-01T18:30"))
    assert Case.objects.get().received_at == dt.datetime(2026, 3, 1, 23, 30, tzinfo=dt.UTC)


def test_while_billsby_is_down_the_case_is_stored_and_the_page_says_so(
    desk: Desk, browser: Browser, nora: Client
) -> None:
    desk.later(days=1)
    desk.company.set_down("503")
    response = browser.post("/new/", said(nora))
    case = Case.objects.get()
    told = text(browser.get(response["Location"]))
    assert f"{case.number} is stored." in told
    assert "from the desk's copy" in told


def test_a_double_click_while_billsby_is_down_is_one_case(
    desk: Desk, browser: Browser, nora: Client
) -> None:
    desk.later(days=1)
    desk.company.set_down("refuse")
    assert (
        browser.post("/new/", said(nora))["Location"]
        == browser.post("/new/", said(nora))["Location"]
    )
    assert Case.objects.count() == 1


@pytest.mark.parametrize("token_sent", ["", "x" * 65])
def test_a_form_without_its_token_is_refused(
    browser: Browser, nora: Client, token_sent: str
) -> None:
    assert browser.post("/new/", said(nora, form_token=token_sent)).status_code == 422


NEW_YORK = ZoneInfo("America/New_York")
FIRST = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - what a browser sends has no zone
LAST = dt.datetime(2100, 1, 1)  # noqa: DTZ001


@given(st.datetimes(min_value=FIRST, max_value=LAST))
def test_any_time_a_browser_sends_is_the_moment_meant(local: dt.datetime) -> None:
    sent = local.replace(second=0, microsecond=0, fold=0)
    with timezone.override(NEW_YORK):
        at = CompanyTimeField(required=False).clean(sent.isoformat(timespec="minutes"))
    assert at == sent.replace(tzinfo=NEW_YORK).astimezone(dt.UTC)


def test_of_an_hour_that_happens_twice_the_first_counts() -> None:
    with timezone.override(NEW_YORK):
        at = CompanyTimeField().clean("2026-11-01T01:30")
    assert at == dt.datetime(2026, 11, 1, 5, 30, tzinfo=dt.UTC)


@given(st.text(max_size=30))
def test_any_text_for_a_time_is_a_moment_or_refused_in_words(given_text: str) -> None:
    refusals: list[str] = []
    try:
        CompanyTimeField(required=False).clean(given_text)
    except forms.ValidationError as refused:
        refusals = refused.messages
    assert all(refusal.startswith("Write a date and a time") for refusal in refusals)
