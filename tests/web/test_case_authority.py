"""Who may do what on a case's page, and what they are told when they may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.test import Client as Browser

from canceldesk.accounts.models import User
from canceldesk.cases.models import Case, LogEntry, Message, State
from canceldesk.retention.models import Attempt
from tests.factories import make_case

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

NOTE = {"direction": "in", "channel": "call", "body": "Please stop it"}
ATTEMPT = {
    "form_token": "token-1",
    "channel": "call",
    "offer": "discount",
    "answer": "refused",
    "note": "20 % for three months",
}


@pytest.fixture
def agents_browser(client_of: Callable[[User], Browser], agent: User) -> Browser:
    return client_of(agent)


def _post(browser: Browser, case: Case, action: str, **given: object) -> Response:
    return browser.post(f"/cases/{case.pk}/{action}/", given)


def _state(case: Case) -> str:
    case.refresh_from_db()
    return case.state


@pytest.mark.parametrize(
    ("state", "action", "given", "who"),
    [
        (State.NEW, "attempt", ATTEMPT, "may not make a retention attempt"),
        (State.NEW, "decide", {"decision": "retained"}, "may not decide a case"),
        (State.NEW, "decide", {"decision": "suspend"}, "may not decide a case"),
        (State.NEW, "decide", {"decision": "cancel", "typed_id": "CUS"}, "may not decide a case"),
        (State.NEW, "withdraw", {"because": "changed_mind"}, "changed their mind"),
        (State.NEW, "withdraw", {"because": "duplicate"}, "filed twice"),
        (State.RETENTION, "withdraw", {"because": "not_a_cancellation"}, "in retention"),
        (State.CLOSING, "take-back", {"why": "so"}, "may not take a decision back"),
        (State.CLOSING, "rewrite", {}, "may not have a row written again"),
        (State.CLOSED, "take-off-list", {"why": "so"}, "may not take the row of a closed case"),
    ],
)
def test_an_agent_is_refused_with_who_can(
    agents_browser: Browser, state: State, action: str, given: dict[str, str], who: str
) -> None:
    case = make_case(state)
    before = Case.objects.values().get(pk=case.pk)
    response = _post(agents_browser, case, action, **given)
    page = response.content.decode()
    assert response.status_code == 403
    assert who in page
    assert "Ask a manager or an admin." in page
    assert Case.objects.values().get(pk=case.pk) == before
    assert not Attempt.objects.exists()
    assert not LogEntry.objects.exists()


def test_htmx_gets_the_refusal_in_a_header(agents_browser: Browser) -> None:
    case = make_case()
    response = agents_browser.post(
        f"/cases/{case.pk}/decide/", {"decision": "suspend"}, headers={"HX-Request": "true"}
    )
    assert response.status_code == 403
    assert "Ask%20a%20manager" in response.headers["X-Desk-Problem"]


def test_somebody_switched_off_can_do_nothing(agents_browser: Browser, agent: User) -> None:
    case = make_case()
    agent.is_active = False
    agent.save()
    assert _post(agents_browser, case, "note", **NOTE)["Location"].startswith("/account/login/")
    assert not Message.objects.exists()


def test_a_post_from_elsewhere_is_refused(manager: User) -> None:
    case = make_case()
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(manager, "allauth.account.auth_backends.AuthenticationBackend")
    assert _post(browser, case, "decide", decision="suspend").status_code == 403
    assert _state(case) == State.NEW
