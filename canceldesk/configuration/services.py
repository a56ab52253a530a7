"""The value of a setting now, and changing it. Values are read afresh so that every process
sees an admin's change at once."""

from __future__ import annotations

import base64
import hashlib
from zoneinfo import ZoneInfo

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings as django_settings

from canceldesk import clock
from canceldesk.configuration import reading
from canceldesk.configuration.definitions import BY_NAME, Kind, Setting
from canceldesk.configuration.models import StoredSetting
from canceldesk.configuration.reading import BadSettingError, Value


class FixedByEnvironmentError(BadSettingError):
    """The environment or the settings file sets this; the page cannot change it."""


def value(name: str) -> Value:
    """The setting's value: environment or file first, then the Settings page, then default."""
    setting = BY_NAME[name]
    given = reading.given(name)
    if given is not None:
        return reading.understand(setting, given)
    if setting.on_page:
        stored = StoredSetting.objects.filter(name=name).first()
        if stored is not None:
            return reading.understand(setting, _opened(setting, stored.text))
    return reading.understand(setting, setting.default)


def text(name: str) -> str:
    """A text, secret or choice setting."""
    return str(value(name))


def whole(name: str) -> int:
    """A whole-number setting, or a money setting in minor units."""
    found = value(name)
    assert isinstance(found, int)  # noqa: S101 - the registry's kind guarantees it
    return found


def number(name: str) -> float:
    """A number setting."""
    return float(value(name))


def yes(name: str) -> bool:
    """A yes/no setting."""
    return value(name) is True


def zone() -> ZoneInfo:
    """The company's time zone."""
    return ZoneInfo(text("TIME_ZONE"))


def is_fixed(name: str) -> bool:
    """Whether the environment or the settings file decides, so that the page only shows it."""
    return reading.given(name) is not None


def is_set(name: str) -> bool:
    """Whether there is anything at all: the only thing a page may say about a secret."""
    return bool(text(name))


def change(name: str, new_text: str) -> bool:
    """Save a setting from the Settings page; True if it differs from before.

    Raises BadSettingError when it cannot be understood, FixedByEnvironmentError when the
    environment decides.
    """
    setting = BY_NAME[name]
    if not setting.on_page or is_fixed(name):
        raise FixedByEnvironmentError(
            f"{setting.label} is set by {setting.variable} on the server; change it there."
        )
    wanted = reading.understand(setting, new_text)
    if wanted == value(name):
        return False
    StoredSetting.objects.update_or_create(
        name=name,
        defaults={"text": _closed(setting, new_text.strip()), "changed_at": clock.now()},
    )
    return True


def _box() -> Fernet:
    digest = hashlib.sha256(b"canceldesk stored settings" + django_settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(digest.digest()))


def _closed(setting: Setting, plain: str) -> str:
    if setting.kind is not Kind.SECRET or not plain:
        return plain
    return _box().encrypt(plain.encode()).decode()


def _opened(setting: Setting, stored: str) -> str:
    if setting.kind is not Kind.SECRET or not stored:
        return stored
    try:
        return _box().decrypt(stored.encode()).decode()
    except InvalidToken as problem:
        raise BadSettingError(
            f"{setting.label} was saved with another secret key and cannot be read. "
            "Enter it again on the Settings page."
        ) from problem
