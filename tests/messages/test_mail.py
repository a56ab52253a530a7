"""Handing e-mail over: what arrives, what is refused, and what no header can be made to say."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from email.utils import parseaddr
from typing import Any

import pytest
from django.core import mail as django_mail
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from canceldesk.configuration import services as configuration
from canceldesk.messages import mail, smtp
from canceldesk.messages.mail import CannotSend, MaybeSent
from canceldesk.messages.words import Text

PASSWORD = "quiet-harbour-42"
TEXT = Text("Your Gold plan has been suspended", "Hello Nora,\n\nit is done.\n")
ID = "<confirm.C-00042@example.com>"


@pytest.fixture(autouse=True)
def company(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The settings of a company with a mail server."""
    given = {
        "MAIL_FROM": "Acme <care@example.com>",
        "MAIL_HOST": "mail.example.com",
        "MAIL_PORT": "587",
        "MAIL_USER": "care",
        "MAIL_PASSWORD": PASSWORD,
        "MAIL_TLS": "starttls",
    }
    monkeypatch.setattr(configuration, "text", given.__getitem__)
    monkeypatch.setattr(configuration, "whole", lambda name: int(given[name]))
    return given


class Server:
    """A mail server as smtplib shows it. `trouble` is raised at the moment named."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.arrived: list[tuple[str, list[str], Message]] = []
        self.trouble: dict[str, Exception] = {}

    def open(self, host: str, port: int, **options: Any) -> Server:
        assert options["timeout"] == smtp.TO_CONNECT
        self._at("connect", f"{host}:{port}")
        return self

    def starttls(self, *, context: ssl.SSLContext) -> None:
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED
        self._at("starttls")

    def login(self, user: str, password: str) -> None:
        self._at("login", f"{user}:{password}")

    def sendmail(self, sender: str, to: list[str], content: bytes) -> None:
        self._at("send")
        address = parseaddr(sender)[1]  # as smtplib does for MAIL FROM
        lines = content.replace(b"\r\n", b"\n")
        self.arrived.append((address, to, message_from_bytes(lines)))

    def quit(self) -> None:
        self._at("quit")

    def close(self) -> None:
        self._at("close")

    def _at(self, moment: str, words: str = "") -> None:
        self.told.append(f"{moment} {words}".strip())
        if moment in self.trouble:
            raise self.trouble[moment]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Server:
    settings.EMAIL_BACKEND = "canceldesk.messages.smtp.Backend"
    server = Server()

    def secure(*args: Any, context: ssl.SSLContext, **options: Any) -> Server:
        server.told.append("tls")
        assert context.verify_mode is ssl.CERT_REQUIRED
        return server.open(*args, **options)

    monkeypatch.setattr(smtp, "Plain", server.open)
    monkeypatch.setattr(smtp, "Tls", secure)
    return server


def send(to: str = "nora@example.com", text: Text = TEXT, message_id: str = ID) -> None:
    mail.send(to=to, text=text, message_id=message_id)


# ---------------------------------------------------------------- what arrives


def test_a_message_arrives_as_it_was_written(server: Server) -> None:
    send()
    ((sender, to, message),) = server.arrived
    assert (sender, to) == ("care@example.com", ["nora@example.com"])
    assert message["From"] == "Acme <care@example.com>"
    assert message["To"] == "nora@example.com"
    assert message["Subject"] == TEXT.subject
    assert message["Message-ID"] == ID
    assert message.get_content_type() == "text/plain"
    assert message.get_payload() == TEXT.body


def test_it_goes_to_the_companys_server_signed_in_and_protected(server: Server) -> None:
    send()
    assert server.told == [
        "connect mail.example.com:587",
        "starttls",
        f"login care:{PASSWORD}",
        "send",
        "quit",
    ]


def test_a_server_that_speaks_tls_from_the_start_is_spoken_to_so(
    server: Server, company: dict[str, str]
) -> None:
    company.update(MAIL_TLS="tls", MAIL_PORT="465")
    send()
    assert server.told[:3] == ["tls", "connect mail.example.com:465", f"login care:{PASSWORD}"]


def test_a_server_on_the_same_machine_needs_neither(
    server: Server, company: dict[str, str]
) -> None:
    company.update(MAIL_TLS="none", MAIL_USER="", MAIL_PASSWORD="")
    send()
    assert server.told == ["connect mail.example.com:587", "send", "quit"]


def test_words_of_any_language_arrive(server: Server) -> None:
    send(text=Text("Ihr Tarif „Größe“ ruht", "Grüße, Zoë ✓\n"))
    ((_, _, message),) = server.arrived
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode() == "Grüße, Zoë ✓\n"
    assert str(message["Subject"]).startswith("=?utf-8?")


def test_a_connection_cut_after_the_message_is_no_failure(server: Server) -> None:
    server.trouble["quit"] = smtplib.SMTPServerDisconnected("gone")
    send()
    assert len(server.arrived) == 1


# ---------------------------------------------------------------- what does not


REFUSED: dict[str, list[Exception]] = {
    "connect": [
        ConnectionRefusedError("refused"),
        TimeoutError("timed out"),
        OSError("no route to host"),
        smtplib.SMTPConnectError(421, b"busy"),
    ],
    "starttls": [smtplib.SMTPNotSupportedError("no STARTTLS"), ssl.SSLError("bad certificate")],
    "login": [smtplib.SMTPAuthenticationError(535, b"5.7.8 bad credentials")],
    "send": [
        smtplib.SMTPRecipientsRefused({"nora@example.com": (550, b"no such user")}),
        smtplib.SMTPSenderRefused(550, b"not you", "care@example.com"),
        smtplib.SMTPDataError(554, b"spam"),
        smtplib.SMTPServerDisconnected("gone"),
        TimeoutError("timed out"),
    ],
}


@pytest.mark.parametrize(
    ("moment", "trouble"),
    [
        pytest.param(moment, trouble, id=f"{moment} {type(trouble).__name__}")
        for moment, troubles in REFUSED.items()
        for trouble in troubles
    ],
)
def test_what_the_server_does_not_take_is_said_in_one_sentence(
    server: Server, moment: str, trouble: Exception
) -> None:
    server.trouble[moment] = trouble
    with pytest.raises(CannotSend) as problem:
        send()
    assert str(problem.value) == (
        f"the mail server mail.example.com did not take the message ({type(trouble).__name__})."
    )
    assert PASSWORD not in str(problem.value)
    assert server.arrived == []


def test_a_message_that_may_have_been_taken_is_not_said_to_be_refused(server: Server) -> None:
    server.trouble["send"] = smtp.NoAnswerError()
    with pytest.raises(MaybeSent) as problem:
        send()
    assert str(problem.value) == (
        "the mail server mail.example.com was given the message but did not say whether it took it."
    )


@pytest.mark.parametrize("nobody", ["", " ", "\t"])
def test_a_message_to_nobody_is_not_taken_for_sent(server: Server, nobody: str) -> None:
    with pytest.raises(CannotSend):
        send(to=nobody)
    assert server.arrived == []


@pytest.mark.parametrize(
    "address",
    [
        "nora@example.com\nBcc: all@example.com",
        "nora@example.com\r\n\r\nspam",
        "nora@example.com, otto@example.com",
        "nora@example.com otto@example.com",
        "nora",
        "@",
    ],
)
def test_an_address_is_one_address_or_nothing(server: Server, address: str) -> None:
    try:
        send(to=address)
    except CannotSend:
        assert server.arrived == []
    else:
        ((_, to, message),) = server.arrived
        assert to == [address]
        assert message["Bcc"] is None


@pytest.mark.parametrize("message_id", ["<a@b>\nBcc: all@example.com", "<a@b>\r\n\r\nspam"])
def test_a_message_id_cannot_bring_headers(server: Server, message_id: str) -> None:
    with pytest.raises(CannotSend):
        send(message_id=message_id)
    assert server.arrived == []


def test_a_sender_cannot_bring_headers(server: Server, company: dict[str, str]) -> None:
    company["MAIL_FROM"] = "care@example.com\nBcc: all@example.com"
    with pytest.raises(CannotSend):
        send()
    assert server.arrived == []


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n", "\v", "\f", "\x85", "\u2028", "\u2029"])
def test_a_plan_with_line_ends_in_its_name_cannot_bring_headers(
    server: Server, line_end: str
) -> None:
    send(text=Text(f"Your Gold{line_end}Bcc: all@example.com{line_end}{line_end}spam", "Hello.\n"))
    ((_, to, message),) = server.arrived
    assert to == ["nora@example.com"]
    assert message["Bcc"] is None
    assert message["Subject"] == "Your Gold Bcc: all@example.com spam"
    assert message.get_payload() == "Hello.\n"


@given(subject=st.text(), body=st.text())
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_words_add_a_header_or_a_reader(subject: str, body: str) -> None:
    django_mail.outbox = []
    try:
        send(text=Text(subject, body))
    except CannotSend:
        assert django_mail.outbox == []
        return
    (message,) = django_mail.outbox
    assert message.recipients() == ["nora@example.com"]
    names = sorted(name.lower() for name in message.message().keys())  # noqa: SIM118 - headers repeat
    assert names == [
        "content-transfer-encoding",
        "content-type",
        "date",
        "from",
        "message-id",
        "mime-version",
        "subject",
        "to",
    ]


# ---------------------------------------------------------------- set up, and told apart


@pytest.mark.parametrize(
    ("host", "sender", "ready"),
    [
        ("mail.example.com", "care@example.com", True),
        ("", "care@example.com", False),
        ("mail.example.com", "", False),
        ("", "", False),
    ],
)
def test_mail_needs_a_server_and_a_sender(
    company: dict[str, str], host: str, sender: str, ready: bool
) -> None:
    company.update(MAIL_HOST=host, MAIL_FROM=sender)
    assert mail.is_set_up() is ready


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("care@example.com", "example.com"),
        ("Acme <care@example.com>", "example.com"),
        ("Acme <care@example.com> ", "example.com"),
        ("", "localhost"),
    ],
)
def test_a_message_id_is_the_same_at_every_try(
    company: dict[str, str], sender: str, domain: str
) -> None:
    company["MAIL_FROM"] = sender
    ids: set[str] = {mail.fixed_message_id("confirm", "C-00042") for _ in range(3)}
    assert ids == {f"<confirm.C-00042@{domain}>"}


def test_messages_about_different_things_have_different_ids() -> None:
    make: Callable[..., str] = mail.fixed_message_id
    assert len({make("confirm", "C-1"), make("confirm", "C-2"), make("retained", "C-1")}) == 3
