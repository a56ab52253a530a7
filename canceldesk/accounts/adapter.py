"""How allauth behaves here."""

from __future__ import annotations

from email.utils import make_msgid
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from canceldesk.accounts.models import User
from canceldesk.cases.log import Verb, record
from canceldesk.configuration import services as configuration
from canceldesk.configuration.sealing import open_sealed, seal
from canceldesk.messages import mail
from canceldesk.messages.words import Text

log = structlog.get_logger()


class DeskAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth is untyped
    """Accounts are made by an admin, never by a visitor."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def clean_password(self, password: str, user: User | None = None) -> str:
        """Refuse to keep the one-time password as one's own."""
        if user is not None and user.password_is_one_time and user.check_password(password):
            raise ValidationError("Choose another password than the one you were given.")
        cleaned: str = super().clean_password(password, user)
        return cleaned

    def set_password(self, user: User, password: str) -> None:
        """Save a password somebody chose for themselves."""
        user.password_is_one_time = False
        super().set_password(user, password)
        record(
            Verb.USER_CHANGED, by=user, user=user.email, what="chose a new password for themselves"
        )

    def _get_login_attempts_cache_key(self, _request: HttpRequest, **credentials: str) -> str:
        # allauth counts at every host by itself. But whoever asks names the host, port included,
        # and machines that are reached each by its own have to count together.
        return credentials.get("email", "").lower()

    def get_from_email(self) -> str:
        """The company's sender."""
        return configuration.text("MAIL_FROM")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send through the company's mail server, as the settings say now.

        A server that refuses is only logged: a page that said so would tell a stranger which
        addresses belong to users.
        """
        known = {"request": allauth_context.request, "email": email, **context}
        rendered = self.render_mail(template_prefix, email, known)
        text = Text(subject=rendered.subject, body=rendered.body)
        try:
            mail.send(to=email, text=text, message_id=make_msgid())
        except mail.CannotSend as problem:
            log.warning("mail.not_sent", template=template_prefix, why=str(problem))


class DeskMFAAdapter(DefaultMFAAdapter):  # type: ignore[misc] # allauth is untyped
    """Keeps the secrets of authenticator apps sealed in the database."""

    def encrypt(self, text: str) -> str:
        """What is stored instead of a secret."""
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """The secret again."""
        return open_sealed(encrypted_text)
