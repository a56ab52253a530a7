"""Sending e-mail to clients over the company's own mail server."""

from __future__ import annotations

import smtplib

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from canceldesk.configuration import services as configuration
from canceldesk.messages import smtp
from canceldesk.messages.words import Text


class CannotSend(Exception):
    """The mail server did not take the message; the text says why in plain words."""


class MaybeSent(CannotSend):
    """The mail server was given the message, and nobody knows whether it took it."""


def is_set_up() -> bool:
    """Whether there is a mail server and a sender."""
    return bool(configuration.text("MAIL_HOST") and configuration.text("MAIL_FROM"))


def fixed_message_id(*parts: str) -> str:
    """A Message-ID that is the same at every try, so that mail systems can drop a repeat."""
    domain = configuration.text("MAIL_FROM").rpartition("@")[2].strip("> ") or "localhost"
    return f"<{'.'.join(parts)}@{domain}>"


def send(*, to: str, text: Text, message_id: str) -> None:
    """Hand one message to the mail server, within `smtp.LONGEST`. Raises CannotSend; MaybeSent when
    the server was given it and did not answer.
    """
    message = EmailMessage(
        subject=" ".join(text.subject.split()),
        body=text.body,
        from_email=configuration.text("MAIL_FROM"),
        to=[to],
        headers={"Message-ID": message_id},
        connection=_connection(),
    )
    if not message.recipients():
        raise CannotSend("there is no address to send to.")
    host = configuration.text("MAIL_HOST")
    try:
        message.send()
    except smtp.NoAnswerError as problem:
        raise MaybeSent(
            f"the mail server {host} was given the message but did not say whether it took it."
        ) from problem
    except (OSError, smtplib.SMTPException, ValueError) as problem:
        raise CannotSend(
            f"the mail server {host} did not take the message ({type(problem).__name__})."
        ) from problem


def _connection() -> BaseEmailBackend:
    protection = configuration.text("MAIL_TLS")
    return get_connection(
        host=configuration.text("MAIL_HOST"),
        port=configuration.whole("MAIL_PORT"),
        username=configuration.text("MAIL_USER"),
        password=configuration.text("MAIL_PASSWORD"),
        use_tls=protection == "starttls",
        use_ssl=protection == "tls",
        timeout=smtp.TO_CONNECT,
    )
