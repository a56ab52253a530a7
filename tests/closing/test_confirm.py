"""The client is told, and never twice."""

from __future__ import annotations

import pytest
from django.core import mail as outbox
from django.core.mail import get_connection

from canceldesk.cases.models import Case, Message, State
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
