"""The client is told, and never twice."""

from __future__ import annotations

import pytest
from django.core import mail as outbox
from django.core.mail import get_connection

from canceldesk.cases import lease as leases
from canceldesk.cases.models import Case, Message, State
from canceldesk.closing.advance import advance
from canceldesk.closing.models import Step
from canceldesk.configuration import services as configuration
from canceldesk.messages import mail
from tests.closing.conftest import Desk


@pytest.fixture
def mail_set_up(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration.change("CONFIRM_BY_EMAIL", "yes")
    configuration.change("MAIL_HOST", "mail.example.com")
    configuration.change("MAIL_FROM", "desk@example.com")
    local = get_connection("django.core.mail.backends.locmem.EmailBackend")
    monkeypatch.setattr(mail, "_connection", lambda: local)


def stopped_case(desk: Desk) -> Case:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.company.panel_suspend(subscription.uid)
    return case


def test_without_mail_the_page_gives_the_words_to_say(desk: Desk) -> None:
    case = desk.advance(stopped_case(desk))
    step = desk.step(case, Step.Name.CONFIRM)
    assert step.state == Step.State.NOT_NEEDED
    assert "has been suspended as of 2 March 2026" in step.evidence["words"]


def test_a_service_that_was_cancelled_for_good_meanwhile_is_not_called_suspended(
    desk: Desk,
) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.company.panel_cancel(subscription.uid, subscription.customer_uid)
    desk.advance(case)
    words = desk.step(case, Step.Name.CONFIRM).evidence["words"]
    assert case.state == State.CLOSED
    assert "has been cancelled as of 2 March 2026" in words
    assert "suspended" not in words


def test_services_that_were_stopped_in_different_ways_are_told_apart(desk: Desk) -> None:
    customer, gold = desk.client()
    silver = desk.company.add_subscription(
        customer.uid, desk.company.add_plan("Silver"), next_billing_at=gold.next_billing_at
    )
    case = desk.decided(gold, silver)
    desk.advance(case)
    desk.company.panel_suspend(gold.uid)
    desk.company.panel_cancel(silver.uid, customer.uid)
    desk.advance(case)
    words = desk.step(case, Step.Name.CONFIRM).evidence["words"]
    assert case.state == State.CLOSED
    assert "has been suspended and your Silver with" in words
    assert "has been cancelled as of 2 March 2026" in words


@pytest.mark.usefixtures("mail_set_up")
def test_the_client_gets_one_email_and_the_conversation_shows_it(desk: Desk) -> None:
    case = desk.advance(stopped_case(desk))
    desk.advance(case)
    [sent] = outbox.outbox
    assert sent.to == ["nora.field@example.com"]
    assert sent.extra_headers["Message-ID"] == f"<confirm.{case.number}@example.com>"
    assert Message.objects.get(case=case, direction="out").body.endswith(str(sent.body))
    assert case.state == State.CLOSED


@pytest.mark.usefixtures("mail_set_up")
def test_a_client_without_an_address_is_told_by_a_person(desk: Desk) -> None:
    case = stopped_case(desk)
    case.client.email = ""
    case.client.save()
    desk.advance(case)
    assert "no e-mail address" in desk.step(case, Step.Name.CONFIRM).sentence
    assert not outbox.outbox
    assert case.state == State.CLOSED


@pytest.mark.usefixtures("mail_set_up")
def test_mail_that_cannot_be_sent_is_tried_again_and_given_up_openly(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def refuse(**message: object) -> None:
        tries.append(message["message_id"])
        raise mail.CannotSend("the mail server did not take the message.")

    monkeypatch.setattr(mail, "send", refuse)
    case = desk.advance(stopped_case(desk))
    assert case.state == State.CLOSING
    for _ in range(5):
        desk.later(minutes=5)
        desk.advance(case)
    assert case.state == State.CLOSED
    assert len(tries) == 5
    assert len(set(tries)) == 1
    assert "tell the client yourself" in desk.step(case, Step.Name.CONFIRM).sentence


NOT_KNOWN = "it is not known whether the client has been told already"


@pytest.mark.usefixtures("mail_set_up")
def test_a_slow_mail_server_does_not_make_the_client_get_the_email_again_and_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    def slow(**message: object) -> None:
        taken.append(message["message_id"])
        desk.later(minutes=1)
        leases.revoke(["worker"])

    monkeypatch.setattr(mail, "send", slow)
    case = stopped_case(desk)
    for _ in range(2):
        assert advance(case.pk, owner="worker") is False
        desk.later(minutes=2)
    desk.advance(case)
    step = desk.step(case, Step.Name.CONFIRM)
    assert len(taken) == 2
    assert len(set(taken)) == 1
    assert NOT_KNOWN in step.sentence
    assert "has been suspended" in step.evidence["words"]
    assert case.state == State.CLOSED
    assert not Message.objects.filter(case=case, direction="out").exists()


def say_nothing(**_message: object) -> None:
    raise mail.MaybeSent("the mail server did not say whether it took it.")


def refuse(**_message: object) -> None:
    raise mail.CannotSend("the mail server did not take the message.")


@pytest.mark.usefixtures("mail_set_up")
def test_an_answer_that_is_lost_once_is_asked_for_once_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as server:
        server.setattr(mail, "send", say_nothing)
        case = desk.advance(stopped_case(desk))
    step = desk.step(case, Step.Name.CONFIRM)
    assert step.state == Step.State.UNKNOWN
    assert "not known whether the confirmation was sent" in step.sentence
    desk.later(minutes=1)
    desk.advance(case)
    assert len(outbox.outbox) == 1
    assert case.state == State.CLOSED
    assert desk.step(case, Step.Name.CONFIRM).state == Step.State.DONE


@pytest.mark.usefixtures("mail_set_up")
def test_an_answer_that_is_lost_twice_is_left_to_a_person(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "send", say_nothing)
    case = desk.advance(stopped_case(desk))
    desk.later(minutes=1)
    desk.advance(case)
    assert NOT_KNOWN in desk.step(case, Step.Name.CONFIRM).sentence
    assert case.state == State.CLOSED


@pytest.mark.usefixtures("mail_set_up")
def test_what_may_have_been_sent_once_is_never_said_not_to_have_been(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "send", say_nothing)
    case = desk.advance(stopped_case(desk))
    monkeypatch.setattr(mail, "send", refuse)
    for _ in range(5):
        desk.later(minutes=5)
        desk.advance(case)
    assert NOT_KNOWN in desk.step(case, Step.Name.CONFIRM).sentence
    assert case.state == State.CLOSED
