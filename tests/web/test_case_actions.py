"""What people do on a case's page, and what they are told when it cannot be done."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.test import Client as Browser

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases.models import Case, Decision, Message, State
from canceldesk.closing.models import Facts, Hold, Intent, Step
from canceldesk.retention.models import Attempt
from tests.factories import (
    make_case,
    make_click_step,
    make_facts,
    make_hold,
    make_invoice,
    make_step,
    make_write_off_step,
)

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
def browser(client_of: Callable[[User], Browser], manager: User) -> Browser:
    return client_of(manager)


@pytest.fixture
def agents_browser(client_of: Callable[[User], Browser], agent: User) -> Browser:
    return client_of(agent)


def _post(browser: Browser, case: Case, action: str, **given: object) -> Response:
    return browser.post(f"/cases/{case.pk}/{action}/", given)


def _state(case: Case) -> str:
    case.refresh_from_db()
    return case.state


def _is_done(response: Response, case: Case, panel: str) -> bool:
    return (response.status_code, response.headers.get("Location")) == (
        303,
        f"/cases/{case.pk}/#{panel}",
    )


# Notes


def test_a_note_is_kept_and_the_page_comes_back(agents_browser: Browser, agent: User) -> None:
    case = make_case()
    assert _is_done(_post(agents_browser, case, "note", **NOTE), case, "talk")
    [message] = Message.objects.filter(case=case)
    assert (message.body, message.by, message.direction) == ("Please stop it", agent, "in")
    assert "Noted." in agents_browser.get(f"/cases/{case.pk}/").content.decode()


@pytest.mark.parametrize(
    "wrong", [{"body": ""}, {"body": "   "}, {"channel": "pigeon"}, {"direction": "up"}]
)
def test_a_wrong_note_is_not_kept_but_what_was_typed_is(
    browser: Browser, wrong: dict[str, str]
) -> None:
    case = make_case()
    response = _post(browser, case, "note", **{**NOTE, **wrong})
    assert response.status_code == 422
    assert not Message.objects.exists()
    if "body" not in wrong:
        assert "Please stop it</textarea>" in response.content.decode()


def test_a_note_that_is_sent_again_is_kept_once(agents_browser: Browser) -> None:
    case = make_case()
    page = agents_browser.get(f"/cases/{case.pk}/").content.decode()
    tokens = re.findall(r'name="form_token" value="(\w+)" id="note-form_token"', page)
    assert len(tokens) == 1
    for _ in range(2):
        given = {**NOTE, "form_token": tokens[0]}
        assert _is_done(_post(agents_browser, case, "note", **given), case, "talk")
    assert Message.objects.count() == 1


def test_a_note_can_be_added_to_an_ended_case(browser: Browser) -> None:
    case = make_case(State.CLOSED)
    assert _is_done(_post(browser, case, "note", **NOTE), case, "talk")


# Retention


def test_an_attempt_brings_a_new_case_into_retention(browser: Browser, manager: User) -> None:
    case = make_case()
    assert _is_done(_post(browser, case, "attempt", **ATTEMPT), case, "retain")
    [attempt] = Attempt.objects.filter(case=case)
    assert (attempt.offer, attempt.answer, attempt.by) == ("discount", "refused", manager)
    assert _state(case) == State.RETENTION


def test_a_double_click_makes_one_attempt(browser: Browser) -> None:
    case = make_case()
    for _ in range(2):
        assert _is_done(_post(browser, case, "attempt", **ATTEMPT), case, "retain")
    assert Attempt.objects.count() == 1


def test_every_page_offers_a_token_of_its_own(browser: Browser) -> None:
    case = make_case()
    tokens = {
        re.findall(
            r'name="form_token" value="(\w+)"', browser.get(f"/cases/{case.pk}/").content.decode()
        )[0]
        for _ in range(2)
    }
    assert len(tokens) == 2


def test_a_wrong_attempt_keeps_token_and_words(browser: Browser) -> None:
    case = make_case()
    response = _post(browser, case, "attempt", **{**ATTEMPT, "offer": ""})
    page = response.content.decode()
    assert response.status_code == 422
    assert 'value="token-1"' in page
    assert "20 % for three months</textarea>" in page
    assert "data-touched" in page
    assert not Attempt.objects.exists()


def test_an_attempt_that_comes_too_late_gives_the_words_back(browser: Browser) -> None:
    case = make_case(State.CLOSING)
    response = _post(browser, case, "attempt", **ATTEMPT)
    page = response.content.decode()
    assert response.status_code == 409
    assert f"{case.number} is already closing." in page
    assert "What you typed" in page
    assert "20 % for three months" in page
    assert not Attempt.objects.exists()


# Deciding


@pytest.mark.parametrize(
    ("decision", "state"), [("retained", State.RETAINED), ("suspend", State.CLOSING)]
)
def test_a_manager_decides(browser: Browser, manager: User, decision: str, state: State) -> None:
    case = make_case()
    assert _is_done(_post(browser, case, "decide", decision=decision), case, "decide")
    assert _state(case) == state
    assert (case.decision, case.decided_by) == (decision, manager)


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [("suspend", "The desk is at it."), ("retained", "Nothing is left to do.")],
)
def test_a_decided_case_no_longer_waits_for_a_decision(
    browser: Browser, decision: str, sentence: str
) -> None:
    case = make_case(waits_for="person", waits_sentence="A manager decides.")
    _post(browser, case, "decide", decision=decision)
    page = browser.get(f"/cases/{case.pk}/").content.decode()
    assert "A manager decides." not in page
    assert sentence in page


def test_a_full_cancel_needs_the_typed_id(browser: Browser) -> None:
    case = make_case()
    for typed in ("", "nonsense", case.client.billsby_id.lower()):
        response = _post(browser, case, "decide", decision="cancel", typed_id=typed)
        page = response.content.decode()
        assert response.status_code == 422
        assert "not this client" in page
        assert re.search(r'value="cancel" [^>]*checked', page)
        assert f'value="{typed}"' in page or not typed
        assert _state(case) == State.NEW
    typed = case.client.billsby_id
    assert _is_done(
        _post(browser, case, "decide", decision="cancel", typed_id=typed), case, "decide"
    )
    assert (_state(case), case.decision) == (State.CLOSING, Decision.CANCEL)


@pytest.mark.parametrize("decision", ["", "closed", "delete"])
def test_an_unknown_decision_is_none(browser: Browser, decision: str) -> None:
    case = make_case()
    assert _post(browser, case, "decide", decision=decision).status_code == 422
    assert _state(case) == State.NEW


def test_a_second_decision_comes_too_late(browser: Browser) -> None:
    case = make_case()
    _post(browser, case, "decide", decision="suspend")
    response = _post(browser, case, "decide", decision="retained")
    assert response.status_code == 409
    assert "is already closing" in response.content.decode()
    assert (_state(case), case.decision) == (State.CLOSING, Decision.SUSPEND)


@pytest.mark.parametrize(
    "given", ["INV-1", "x:INV-1", "-:INV-1", "--5:INV-1", "9900:", f"1:{'N' * 90}"]
)
def test_invoices_no_page_of_ours_sends_are_refused_before_deciding(
    browser: Browser, given: str
) -> None:
    case = make_case()
    response = _post(browser, case, "decide", decision="suspend", invoice=given)
    assert response.status_code == 422
    assert "choose the invoices anew" in response.content.decode()
    assert _state(case) == State.NEW


def test_a_page_from_before_a_colleagues_attempt_decides_nothing_and_then_shows_it(
    browser: Browser, client_of: Callable[[User], Browser], admin: User
) -> None:
    case = make_case()
    old = _attempts_seen(browser.get(f"/cases/{case.pk}/").content.decode())
    _post(client_of(admin), case, "attempt", **ATTEMPT | {"answer": "accepted"})
    response = _post(browser, case, "decide", decision="suspend", attempts=old)
    page = response.content.decode()
    assert response.status_code == 409
    assert "has recorded an attempt to keep" in page
    assert "20 % for three months" in page
    assert _state(case) == State.RETENTION
    now = _attempts_seen(page)
    assert (old, now) == ("0", "1")
    assert 'data-shows="True 1 "' in page  # so that open pages exchange the form, too
    assert _is_done(
        _post(browser, case, "decide", decision="suspend", attempts=now), case, "decide"
    )


def _attempts_seen(page: str) -> str:
    found = re.search(r'name="attempts" value="(\d+)"', page)
    assert found is not None
    return found[1]


def test_without_billsby_the_decision_stands_and_the_write_off_is_said_to_wait(
    browser: Browser,
) -> None:
    case = make_case()
    response = _post(browser, case, "decide", decision="suspend", invoice="9900:INV-1")
    assert _is_done(response, case, "decide")
    assert _state(case) == State.CLOSING
    page = browser.get(f"/cases/{case.pk}/").content.decode()
    assert "The decision stands, but the write-offs are not approved yet" in page
    assert "Billsby is not set up yet." in page
    assert not case.write_off_approvals.exists()


def test_a_retained_client_keeps_their_invoices(browser: Browser) -> None:
    case = make_case()
    _post(browser, case, "decide", decision="retained", invoice="9900:INV-1")
    page = browser.get(f"/cases/{case.pk}/").content.decode()
    assert "not approved" not in page
    assert not case.write_off_approvals.exists()


# Withdrawing


def test_a_case_is_withdrawn_with_its_reason(browser: Browser) -> None:
    case = make_case()
    make_case(client=case.client)
    response = _post(browser, case, "withdraw", because="duplicate", words="see C-1")
    assert _is_done(response, case, "withdraw")
    assert _state(case) == State.WITHDRAWN
    assert case.withdrawn_because == "It was filed twice (see C-1)"


def test_a_case_without_another_was_not_filed_twice(browser: Browser) -> None:
    case = make_case()
    response = _post(browser, case, "withdraw", because="duplicate")
    assert response.status_code == 422
    assert "has no other open case" in response.content.decode()
    assert _state(case) == State.NEW


@pytest.mark.parametrize("because", ["", "bored"])
def test_a_withdrawal_needs_one_of_the_reasons(browser: Browser, because: str) -> None:
    case = make_case()
    response = _post(browser, case, "withdraw", because=because, words="whatever")
    assert response.status_code == 422
    assert "Say why the case is withdrawn." in response.content.decode()
    assert 'value="whatever"' in response.content.decode()
    assert _state(case) == State.NEW


def test_a_decided_case_cannot_be_withdrawn(browser: Browser) -> None:
    case = make_case(State.CLOSING)
    assert _post(browser, case, "withdraw", because="duplicate").status_code == 409
    assert _state(case) == State.CLOSING


# The closing


def test_a_decision_is_taken_back_with_a_reason(browser: Browser) -> None:
    case = make_case(State.CLOSING)
    make_facts(case)
    make_step(case, Step.Name.FACTS)
    assert _post(browser, case, "take-back", why="").status_code == 422
    assert _is_done(_post(browser, case, "take-back", why="They called"), case, "take-back")
    assert (_state(case), case.decision) == (State.RETENTION, "")
    assert not Facts.objects.exists()


def test_a_decision_stands_once_something_cannot_be_undone(browser: Browser) -> None:
    case = make_case(State.CLOSING)
    Intent.objects.create(
        case=case, kind=Intent.Kind.WRITE_OFF, target="INV1", created_at=clock.now()
    )
    response = _post(browser, case, "take-back", why="They called back")
    assert response.status_code == 422
    page = response.content.decode()
    assert "so the decision stands" in page
    assert "They called back" in page
    assert _state(case) == State.CLOSING


def test_a_hold_is_released_for_the_click(agents_browser: Browser) -> None:
    case = make_case(State.CLOSING)
    make_click_step(case)
    hold = make_hold(case.scope.get())
    response = _post(agents_browser, case, "release", scope=case.scope.get().pk)
    assert _is_done(response, case, "clicks")
    hold.refresh_from_db()
    assert hold.state == Hold.State.RELEASING
    assert hold.release_until == clock.now() + dt.timedelta(minutes=15)
    second = _post(agents_browser, case, "release", scope=case.scope.get().pk)
    assert second.status_code == 422
    assert "There is no hold to release now." in second.content.decode()


def test_another_cases_hold_cannot_be_released_from_here(browser: Browser) -> None:
    case, other = make_case(State.CLOSING), make_case(State.CLOSING)
    hold = make_hold(other.scope.get())
    assert _post(browser, case, "release", scope=other.scope.get().pk).status_code == 422
    assert _post(browser, case, "release", scope="x").status_code == 422
    hold.refresh_from_db()
    assert hold.state == Hold.State.HELD


def test_a_row_that_is_gone_is_written_again(browser: Browser) -> None:
    case = make_case(State.CLOSING)
    assert _post(browser, case, "rewrite").status_code == 422
    make_step(case, Step.Name.DOCUMENT, Step.State.WAITING, can_rewrite=True)
    intent = Intent.objects.create(
        case=case,
        kind=Intent.Kind.ROW,
        target="row",
        state=Intent.State.CONFIRMED,
        created_at=clock.now(),
    )
    assert _is_done(_post(browser, case, "rewrite"), case, "row")
    intent.refresh_from_db()
    assert intent.state == Intent.State.INTENDED


def test_anybody_may_have_the_desk_try_again(agents_browser: Browser) -> None:
    case = make_case(State.CLOSING)
    assert _is_done(_post(agents_browser, case, "retry"), case, "head")
    case.refresh_from_db()
    assert case.next_pass_at == clock.now()


def test_write_offs_without_billsby_are_said_to_be_impossible(browser: Browser) -> None:
    case = make_case(State.CLOSING)
    invoice = make_invoice(case.client)
    make_write_off_step(case, invoice)
    response = _post(browser, case, "write-off", invoice=f"9900:{invoice.number}")
    assert response.status_code == 503
    assert "Billsby is not set up yet." in response.content.decode()


def test_approving_nothing_is_said_to_be_nothing(browser: Browser) -> None:
    case = make_case(State.CLOSING)
    make_write_off_step(case, make_invoice(case.client))
    response = _post(browser, case, "write-off")
    assert response.status_code == 422
    assert "Choose at least one invoice to write off." in response.content.decode()


# Addresses


def test_reloading_what_went_wrong_leads_back_to_the_page(browser: Browser) -> None:
    case = make_case()
    assert browser.get(f"/cases/{case.pk}/decide/")["Location"] == f"/cases/{case.pk}/"


def test_only_known_actions_of_known_cases_exist(browser: Browser) -> None:
    case = make_case()
    assert _post(browser, case, "close").status_code == 404
    assert browser.get(f"/cases/{case.pk}/close/").status_code == 404
    assert browser.post("/cases/999/retry/").status_code == 404
    assert browser.post(f"/cases/{case.pk}/").status_code == 405
