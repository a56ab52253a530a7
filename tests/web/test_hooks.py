"""Billsby's webhooks: hints that wake cases, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client as Browser

from canceldesk import clock
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, LogEntry, State
from canceldesk.clients.models import Subscription
from canceldesk.closing.models import Watch
from tests.factories import make_case, make_client, make_subscription, make_watch

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

SECRET = "open-sesame"


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANCELDESK_BILLSBY_WEBHOOK_SECRET", SECRET)


def _send(secret: str | None = SECRET, body: bytes | None = None, **message: Any) -> Response:
    message = {"Id": "hook-1", "Type": "SubscriptionUpdated", **message}
    return Browser(enforce_csrf_checks=True).post(
        "/hooks/billsby",
        body if body is not None else json.dumps(message).encode(),
        content_type="application/json",
        headers={"Secret": secret} if secret is not None else {},
    )


def _heard(case: Case) -> list[LogEntry]:
    return list(LogEntry.objects.filter(case=case, verb=Verb.WEBHOOK_RECEIVED))


def _is_woken(case: Case) -> bool:
    case.refresh_from_db()
    return case.wake_count == 1 and case.next_pass_at == clock.now()


def test_a_hint_about_a_client_wakes_their_open_case_and_is_logged() -> None:
    case = make_case(State.CLOSING)
    response = _send(CustomerUniqueId=case.client.billsby_id, SubscriptionStatus="Suspended")
    assert response.status_code == 200
    assert response.content == b""
    assert _is_woken(case)
    [entry] = _heard(case)
    assert entry.data["type"] == "SubscriptionUpdated"
    assert entry.data["said"] == "Suspended"
    assert entry.by is None


def test_a_hint_about_a_subscription_is_enough() -> None:
    case = make_case(State.CLOSING)
    _send(SubscriptionUniqueId=case.scope.get().subscription.billsby_id)
    assert _is_woken(case)


def test_a_hint_about_an_invoice_is_enough() -> None:
    case = make_case(State.CLOSING)
    _send(Type="InvoiceUpdated", InvoiceNumber=f"{case.client.billsby_id}-0007")
    assert _is_woken(case)


def test_what_a_hint_says_changes_nothing() -> None:
    case = make_case(State.CLOSING)
    subscription = case.scope.get().subscription
    _send(
        CustomerUniqueId=case.client.billsby_id,
        SubscriptionUniqueId=subscription.billsby_id,
        SubscriptionStatus="Suspended",
    )
    case.refresh_from_db()
    subscription.refresh_from_db()
    assert case.state == State.CLOSING
    assert subscription.status == Subscription.Status.ACTIVE


@pytest.mark.parametrize("state", [State.CLOSED, State.RETAINED])
def test_a_watched_case_is_woken(state: State) -> None:
    case = make_case(state)
    make_watch(case)
    _send(CustomerUniqueId=case.client.billsby_id)
    assert _is_woken(case)


@pytest.mark.parametrize("state", [State.CLOSED, State.RETAINED, State.WITHDRAWN])
def test_an_ended_case_sleeps_on(state: State) -> None:
    case = make_case(state)
    if state is not State.WITHDRAWN:
        make_watch(case, result=Watch.Result.CLEAN)
    assert _send(CustomerUniqueId=case.client.billsby_id).status_code == 200
    case.refresh_from_db()
    assert case.wake_count == 0
    assert _heard(case) == []


def test_every_open_case_of_the_client_is_woken_once() -> None:
    client = make_client()
    cases = [make_case(client=client, subscriptions=[make_subscription(client)]) for _ in range(2)]
    stranger = make_case()
    _send(
        CustomerUniqueId=client.billsby_id,
        SubscriptionUniqueId=cases[0].scope.get().subscription.billsby_id,
    )
    assert all(_is_woken(case) for case in cases)
    assert [len(_heard(case)) for case in cases] == [1, 1]
    stranger.refresh_from_db()
    assert stranger.wake_count == 0


def test_a_second_delivery_is_harmless_and_logged_once() -> None:
    case = make_case(State.CLOSING)
    for _ in range(3):
        assert _send(CustomerUniqueId=case.client.billsby_id).status_code == 200
    assert len(_heard(case)) == 1
    assert _send(Id="hook-2", CustomerUniqueId=case.client.billsby_id).status_code == 200
    assert len(_heard(case)) == 2


def test_a_hint_about_nobody_known_is_taken_quietly() -> None:
    case = make_case()
    assert _send(CustomerUniqueId="NOBODY").status_code == 200
    assert _send().status_code == 200
    case.refresh_from_db()
    assert case.wake_count == 0


@pytest.mark.parametrize("secret", ["", "open-sesam", "OPEN-SESAME", "é", None])
def test_a_forged_one_learns_nothing(secret: str | None) -> None:
    case = make_case(State.CLOSING)
    response = _send(secret, CustomerUniqueId=case.client.billsby_id)
    assert response.status_code == 404
    for word in (b"Secret", b"webhook", b"Billsby"):
        assert word not in response.content
    case.refresh_from_db()
    assert case.wake_count == 0


def test_without_a_secret_there_is_no_such_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANCELDESK_BILLSBY_WEBHOOK_SECRET", "")
    assert _send("").status_code == 404
    assert _send(SECRET).status_code == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"Type": "X"}', b'{"Id": "1"}'])
def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    assert _send(body=body).status_code == 400


def test_more_than_64_kb_is_refused() -> None:
    padding = " " * 64 * 1024
    message = json.dumps({"Id": "1", "Type": "X", "Padding": padding}).encode()
    assert _send(body=message).status_code == 413
    assert _send("wrong", body=message).status_code == 404


def test_only_posts_are_taken() -> None:
    assert Browser().get("/hooks/billsby").status_code == 405
