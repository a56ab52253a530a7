"""Keeping secrets unreadable in the database: sealed with a key derived from the secret key."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings as django_settings


class CannotOpenError(ValueError):
    """What is stored was sealed with another secret key, or is damaged."""


def seal(plain: str) -> str:
    """Text that only `open_sealed` with the same secret key turns back; sealing twice differs."""
    return _box().encrypt(plain.encode()).decode()


def open_sealed(sealed: str) -> str:
    """What was sealed. Raises CannotOpenError when the secret key is another one."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as problem:
        raise CannotOpenError("Sealed with another secret key.") from problem


def _box() -> Fernet:
    digest = hashlib.sha256(b"canceldesk stored settings" + django_settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(digest.digest()))
