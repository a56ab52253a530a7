"""However slowly a mail server answers, the conversation is over in time."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Callable
from typing import Any

import pytest

from canceldesk.messages import smtp
from canceldesk.messages.smtp import LONGEST, NoAnswerError, Plain, Tls

HELLO = ["220 mail.test ready\r\n", "250-mail.test\r\n250 SIZE 1000000\r\n"]
TAKEN = [*HELLO, "250 sender ok\r\n", "250 nora ok\r\n", "354 go on\r\n", "250 taken\r\n"]


class Wire:
    """A socket to a server that says what it was told to say, a byte every `drip` seconds; and
    hangs up then.
    """

    def __init__(self, *says: str, drip: float = 0.0) -> None:
        self.coming = list("".join(says).encode())
        self.drip = drip
        self.now = 1000.0
        self.patience = 0.0
        self.heard = b""

    def settimeout(self, seconds: float) -> None:
        self.patience = seconds

    def recv(self, most: int) -> bytes:
        assert most == 1
        self.now += min(self.drip, self.patience)
        if self.drip > self.patience:
            raise TimeoutError
        return bytes([self.coming.pop(0)]) if self.coming else b""

    def sendall(self, said: bytes) -> None:
        self.heard += said

    def close(self) -> None:
        pass


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plain]:
    """Opens a conversation over a wire."""

    def begin(wire: Wire) -> Plain:
        monkeypatch.setattr(smtp, "monotonic", lambda: wire.now)
        monkeypatch.setattr(socket, "create_connection", lambda *_given, **_also: wire)
        return Plain("mail.test", 587, local_hostname="desk.test", timeout=smtp.TO_CONNECT)

    return begin


def give(server: Plain) -> None:
    server.sendmail("desk@example.com", ["nora@example.com"], b"Subject: done\r\n\r\nIt is.\r\n")


def test_a_server_that_answers_gets_the_message(talk: Callable[..., Plain]) -> None:
    wire = Wire(*TAKEN, "221 bye\r\n", drip=0.01)
    server = talk(wire)
    give(server)
    assert server.quit()[0] == 221
    assert b"\r\nIt is.\r\n.\r\n" in wire.heard


def test_each_step_has_what_is_left_of_the_whole(talk: Callable[..., Plain]) -> None:
    wire = Wire(*TAKEN)
    server = talk(wire)
    assert wire.patience == LONGEST
    wire.now += 12
    give(server)
    assert wire.patience == LONGEST - 12


def test_a_server_whose_answers_drip_is_left_when_the_time_is_up(
    talk: Callable[..., Plain],
) -> None:
    wire = Wire(*HELLO, drip=1)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        give(talk(wire))
    assert wire.now == 1000 + LONGEST


def test_nothing_more_is_said_when_the_time_is_up(talk: Callable[..., Plain]) -> None:
    wire = Wire(*TAKEN)
    server = talk(wire)
    wire.now += LONGEST
    with pytest.raises(smtplib.SMTPServerDisconnected):
        give(server)
    assert wire.heard == b""


def test_a_server_that_waits_too_long_is_not_waited_for(talk: Callable[..., Plain]) -> None:
    wire = Wire(*HELLO, drip=LONGEST + 1)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        talk(wire)
    assert wire.now == 1000 + LONGEST


def test_a_message_that_was_given_and_not_answered_for_may_have_been_taken(
    talk: Callable[..., Plain],
) -> None:
    server = talk(Wire(*TAKEN[:-1]))
    with pytest.raises(NoAnswerError):
        give(server)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        server.quit()


def test_a_message_that_was_refused_was_not_taken(talk: Callable[..., Plain]) -> None:
    with pytest.raises(smtplib.SMTPDataError):
        give(talk(Wire(*TAKEN[:-1], "554 spam\r\n", "250 reset\r\n")))


def test_a_line_without_an_end_is_not_read_for_ever(talk: Callable[..., Plain]) -> None:
    with pytest.raises(smtplib.SMTPResponseException):
        talk(Wire("2" * 9000))


@pytest.mark.parametrize(("is_tls", "kind"), [(False, Plain), (True, Tls)])
def test_what_the_desk_sends_with_ends_in_time(is_tls: bool, kind: type[Any]) -> None:
    assert smtp.Backend(host="mail.test", use_ssl=is_tls).connection_class is kind
