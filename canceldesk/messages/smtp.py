"""A conversation with a mail server that ends in time, however slowly the server answers.

Whoever sends a message holds a lease on its case: a server that takes its time at every step, or
lets its answers drip, must not outlast it. A time limit of the socket's own is for one reading
alone; so each byte is waited for only as long as is left of the whole.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from django.core.mail.backends.smtp import EmailBackend

if TYPE_CHECKING:
    from _socket import _Address

    from _typeshed import ReadableBuffer

LONGEST = 30.0
"""Seconds from connecting to taking leave. Well below what a lease lasts."""

TO_CONNECT = 10.0
"""Seconds to reach one address of the server's, and to agree on TLS with it."""


class NoAnswerError(Exception):
    """The server was given the message, and did not say whether it took it."""


class Plain(smtplib.SMTP):
    """One conversation."""

    _ends = 0.0

    def connect(
        self, host: str = "localhost", port: int = 0, source_address: _Address | None = None
    ) -> tuple[int, bytes]:
        """Begin it; the time counts from here."""
        self._ends = monotonic() + LONGEST
        return super().connect(host, port, source_address)

    def send(self, s: ReadableBuffer | str) -> None:
        """Say something, if there is time."""
        self._hurry()
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """What the server says, if it says it in time."""
        self.file = self.file or _Lines(self._next_byte)
        return super().getreply()

    def data(self, msg: ReadableBuffer | str) -> tuple[int, bytes]:
        """Give the message. Raises NoAnswerError when it is not known whether it was taken."""
        try:
            return super().data(msg)
        except smtplib.SMTPServerDisconnected as problem:
            raise NoAnswerError from problem

    def _next_byte(self) -> bytes:
        self._hurry()
        assert self.sock is not None  # noqa: S101 - answers are read of what is connected
        return self.sock.recv(1)

    def _hurry(self) -> None:
        left = self._ends - monotonic()
        if left <= 0:
            self.close()
            raise smtplib.SMTPServerDisconnected("The server took too long.")
        if self.sock:
            self.sock.settimeout(left)


class Tls(Plain, smtplib.SMTP_SSL):
    """One that is protected from its beginning."""


class _Lines:
    """The server's answers, as smtplib reads them."""

    def __init__(self, next_byte: Callable[[], bytes]) -> None:
        self._next_byte = next_byte

    def readline(self, most: int) -> bytes:
        """A line, or what came of it before the server hung up."""
        line = b""
        while len(line) < most and not line.endswith(b"\n"):
            byte = self._next_byte()
            if not byte:
                break
            line += byte
        return line

    def close(self) -> None:
        """Nothing is held."""


class Backend(EmailBackend):
    """How e-mail leaves the desk (Django's `EMAIL_BACKEND`)."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """What converses with the server."""
        return Tls if self.use_ssl else Plain
