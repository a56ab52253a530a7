"""The frame around every page: navigation, notices, headers, live fragments, errors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import Client, RequestFactory
from django.urls import include, path
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from canceldesk.accounts.models import User
from canceldesk.cases.authority import Act, require
from canceldesk.configuration import services as configuration
from canceldesk.web import context
from canceldesk.web.live import live_fragment
from canceldesk.web.requests import signed_in
from canceldesk.web.views import errors

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def _zone(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(timezone.get_current_timezone()))


def _says(request: HttpRequest) -> HttpResponse:
    messages.success(request, "Row written.")
    messages.error(request, "Not <everything>.")
    response = HttpResponse("done")
    if "trigger" in request.GET:
        response["HX-Trigger"] = '{"case:changed": true}'
    if "leave" in request.GET:
        response["HX-Redirect"] = "/"
    return response


@login_required
def _members(request: HttpRequest) -> HttpResponse:
    return HttpResponse(signed_in(request).name)


@login_required
def _managers(request: HttpRequest) -> HttpResponse:
    require(signed_in(request), Act.DECIDE)
    return HttpResponse("decided")


def _forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def _broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a secret detail")


def _away(request: HttpRequest) -> HttpResponse:
    raise OperationalError("server at 10.0.0.1 closed the connection")


def _keeps(request: HttpRequest) -> HttpResponse:
    request.session["kept"] = True
    return HttpResponse("kept")


def _interrupted(request: HttpRequest) -> HttpResponse:
    raise SessionInterrupted("the session could not be stored")


def _onward(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/members/")


def _fragment(request: HttpRequest) -> HttpResponse:
    return live_fragment(request, "partials/attention.html", {"sentence": "Look."}, 7)


urlpatterns = [
    path("zone/", _zone),
    path("says/", _says),
    path("members/", _members),
    path("managers/", _managers),
    path("forbidden/", _forbidden),
    path("broken/", _broken),
    path("away/", _away),
    path("keeps/", _keeps),
    path("interrupted/", _interrupted),
    path("onward/", _onward),
    path("fragment/", _fragment),
    path("", include("canceldesk.web.urls")),
]
handler400 = "canceldesk.web.views.errors.bad_request"
handler403 = "canceldesk.web.views.errors.forbidden"
handler404 = "canceldesk.web.views.errors.not_found"
handler500 = "canceldesk.web.views.errors.fault"

HTMX = {"HX-Request": "true"}


@pytest.fixture
def page(client_of: Callable[[User], Client], admin: User) -> str:
    return client_of(admin).get("/settings/company/").content.decode()


def test_times_are_the_companys(client: Client) -> None:
    configuration.change("TIME_ZONE", "Europe/Berlin")
    assert client.get("/zone/").content == b"Europe/Berlin"


def test_a_request_reads_the_settings_once(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        client.get("/account/login/")


def test_the_policy_allows_nothing_but_what_the_desk_serves(client: Client) -> None:
    policy = client.get("/account/login/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_no_page_needs_more_than_the_policy_allows(page: str) -> None:
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"\s(style|on\w+)=", page)
    assert "<style" not in page
    assert not re.search(r'(src|href)="(https?:)?//', page)


def test_htmx_neither_evaluates_nor_styles_nor_calls_elsewhere(page: str) -> None:
    found = re.search(r"name=\"htmx-config\" content='([^']+)'", page)
    assert found is not None
    config = json.loads(found[1])
    assert config["allowEval"] is False
    assert config["includeIndicatorStyles"] is False
    assert config["selfRequestsOnly"] is True
    assert config["allowScriptTags"] is False


def test_the_keyboard_reaches_the_content_first(page: str) -> None:
    body = page.split("<body")[1]
    first_link = re.search(r"<a [^>]*>", body)
    assert first_link is not None
    assert 'href="#main"' in first_link[0]
    assert 'id="main"' in body
    assert page.count("<h1>") == 1


def test_ids_are_unique_on_a_page(page: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_menu_knows_who_is_signed_in_and_signs_out_by_post(page: str) -> None:
    assert "Admin Example" in page
    assert '<form method="post" action="/account/logout/">' in page
    assert 'href="/account/2fa/"' in page
    assert 'href="/account/password/change/"' in page


def test_where_one_is_is_marked_once_in_each_navigation(page: str) -> None:
    assert len(re.findall(r'href="/settings/" aria-current="page"', page)) == 2


@pytest.mark.parametrize(
    ("role", "has_settings"), [("agent", False), ("manager", False), ("admin", True)]
)
def test_settings_are_offered_to_admins_only(
    role: str,
    has_settings: bool,
    client_of: Callable[[User], Client],
    request: pytest.FixtureRequest,
) -> None:
    page = client_of(request.getfixturevalue(role)).get("/account/2fa/").content.decode()
    assert ('href="/settings/"' in page) is has_settings


def test_retention_is_offered_to_those_who_may_retain(agent: User, manager: User) -> None:
    retention = next(one for one in context.DESTINATIONS if one.url_name == "retention-queue")
    assert retention.act is Act.RETAIN


def test_a_page_that_is_not_there_yet_is_not_offered(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = context.Destination("nowhere-yet", "Nowhere", "home")
    monkeypatch.setattr(context, "DESTINATIONS", (*context.DESTINATIONS, missing))
    request = RequestFactory().get("/")
    request.user = admin
    labels = [item.label for item in context.desk(request)["navigation"]]  # type: ignore[attr-defined]
    assert "Today" in labels
    assert "Nowhere" not in labels


def test_today_is_where_one_is_only_on_today(admin: User) -> None:
    request = RequestFactory().get("/settings/users/")
    request.user = admin
    here = [item.label for item in context.desk(request)["navigation"] if item.is_here]  # type: ignore[attr-defined]
    assert here == ["Settings"]


def test_a_stranger_sees_the_companys_name_and_no_navigation() -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    assert context.desk(request) == {"company_name": "Our company"}


def test_what_was_said_is_shown_on_the_next_page_calm_or_pressing(
    client_of: Callable[[User], Client], admin: User
) -> None:
    browser = client_of(admin)
    browser.get("/says/")
    page = browser.get("/settings/company/").content.decode()
    toasts = page.split('id="toasts"')[1].split("<template")[0]
    assert "Row written." in toasts
    assert "Not &lt;everything&gt;." not in toasts
    assert re.search(r'role="alert"[^>]*>\s*<svg.*?Not &lt;everything&gt;\.', page, re.DOTALL)
    assert "Row written." not in browser.get("/settings/company/").content.decode()


def test_a_fragments_post_brings_what_was_said_with_it(client: Client) -> None:
    response = client.post("/says/?trigger", headers=HTMX)
    trigger = json.loads(response["HX-Trigger"])
    assert trigger["case:changed"] is True
    assert [message["text"] for message in trigger["desk:messages"]] == [
        "Row written.",
        "Not <everything>.",
    ]
    assert [message["level"] for message in trigger["desk:messages"]] == ["success", "error"]


def test_a_fragment_with_nothing_to_say_says_nothing(
    client_of: Callable[[User], Client], agent: User
) -> None:
    assert "HX-Trigger" not in client_of(agent).post("/members/", headers=HTMX)


@pytest.mark.parametrize("leaving", ["get", "redirect"])
def test_messages_wait_for_the_page_they_are_meant_for(
    leaving: str, client_of: Callable[[User], Client], admin: User
) -> None:
    browser = client_of(admin)
    if leaving == "get":
        response = browser.get("/says/", headers=HTMX)
    else:
        response = browser.post("/says/?leave", headers=HTMX)
    assert "HX-Trigger" not in response
    assert "Row written." in browser.get("/settings/company/").content.decode()


def test_a_fragment_of_somebody_signed_out_is_not_the_sign_in_page(client: Client) -> None:
    response = client.get("/members/", headers=HTMX)
    assert (response.status_code, response.content) == (401, b"")
    assert client.get("/members/").status_code == 302
    assert client.get("/onward/", headers=HTMX).status_code == 302


def test_a_refusal_says_who_can_do_it_instead(
    client_of: Callable[[User], Client], agent: User, manager: User
) -> None:
    response = client_of(agent).get("/managers/")
    assert response.status_code == 403
    assert "may not decide a case. Ask a manager or an admin." in response.content.decode()
    assert client_of(manager).get("/managers/").content == b"decided"


def test_a_fragments_refusal_travels_in_a_header(
    client_of: Callable[[User], Client], agent: User
) -> None:
    response = client_of(agent).post("/managers/", headers=HTMX)
    assert response.status_code == 403
    assert unquote(response["X-Desk-Problem"]).endswith("Ask a manager or an admin.")
    assert response["X-Desk-Problem"].isascii()


def test_a_page_nobody_may_see_says_so(client: Client) -> None:
    response = client.get("/forbidden/")
    assert response.status_code == 403
    assert errors.NOT_ALLOWED in response.content.decode()


def test_what_is_not_there_is_said_to_be_not_there(client: Client) -> None:
    response = client.get("/no-such-page/")
    assert response.status_code == 404
    assert errors.NOT_FOUND in response.content.decode()
    assert 'href="/"' in response.content.decode()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_fault_is_admitted_without_its_details(headers: dict[str, str]) -> None:
    browser = Client(raise_request_exception=False)
    response = browser.get("/broken/", headers=headers)
    assert response.status_code == 500
    said = response.headers.get("X-Desk-Problem", "") or response.content.decode()
    assert unquote(errors.FAULT) in unquote(said)
    assert "secret detail" not in said


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    ("method", "sentence"),
    [("get", errors.DATABASE_AWAY), ("post", errors.DATABASE_AWAY_AFTER_SENDING)],
)
def test_a_database_that_is_away_is_no_fault_and_nothing_is_said_to_be_kept_or_lost(
    headers: dict[str, str], method: str, sentence: str
) -> None:
    browser = Client(raise_request_exception=False)
    response = getattr(browser, method)("/away/", headers=headers)
    assert response.status_code == 503
    said = unquote(response.headers.get("X-Desk-Problem", "") or response.content.decode())
    assert sentence in said
    assert "not saved" not in said
    assert "10.0.0.1" not in said


def test_a_fault_while_something_was_sent_does_not_say_that_it_is_lost_or_kept() -> None:
    response = Client(raise_request_exception=False).post("/broken/")
    assert response.status_code == 500
    assert errors.FAULT_AFTER_SENDING in response.content.decode()


def test_what_was_saved_before_the_database_went_is_not_said_to_be_unsaved(
    client: Client, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(agent, "allauth.account.auth_backends.AuthenticationBackend")

    def gone(_session: SessionStore, must_create: bool = False) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(SessionStore, "save", gone)
    client.raise_request_exception = False
    response = client.post("/keeps/")
    assert response.status_code == 503
    assert errors.DATABASE_AWAY_AFTER_SENDING in response.content.decode()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_was_cut_off_at_the_very_end_is_to_be_looked_at_before_it_is_repeated(
    client: Client, headers: dict[str, str]
) -> None:
    response = client.post("/interrupted/", headers=headers)
    assert response.status_code == 503
    said = unquote(response.headers.get("X-Desk-Problem", "") or response.content.decode())
    assert errors.INTERRUPTED in said


def test_what_is_not_understood_has_a_page_of_the_desks_own() -> None:
    response = Client().get("/", headers={"Host": "somewhere.else.example"})
    assert response.status_code == 400
    assert errors.NOT_UNDERSTOOD in response.content.decode()


def test_the_fault_page_asks_the_database_nothing(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(0):
        response = errors.fault(RequestFactory().get("/"))
    assert errors.FAULT in response.content.decode()


def test_a_fragment_that_is_still_right_costs_nothing(client: Client) -> None:
    assert client.get("/fragment/?version=7").status_code == 204


@pytest.mark.parametrize("query", ["", "?version=6", "?version="])
def test_a_fragment_that_is_no_longer_right_comes_anew(client: Client, query: str) -> None:
    response = client.get(f"/fragment/{query}")
    assert response.status_code == 200
    assert "Look." in response.content.decode()
    assert response.context["version"] == "7"
