"""The value of a setting now, and changing it. Values are read afresh so that every process
sees an admin's change at once; within `read_once` they are read from the database once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from canceldesk import clock
from canceldesk.configuration import reading, together
from canceldesk.configuration.definitions import BY_NAME, Kind, Setting
from canceldesk.configuration.models import StoredSetting
from canceldesk.configuration.reading import BadSettingError, Value
from canceldesk.configuration.sealing import CannotOpenError, open_sealed, seal


class FixedByEnvironmentError(BadSettingError):
    """The environment or the settings file sets this; the page cannot change it."""


@dataclass
class _Readings:
    """What the table held when it was first asked within `read_once`."""

    stored: dict[str, str] | None = None


_readings: ContextVar[_Readings | None] = ContextVar("stored settings", default=None)


@contextmanager
def read_once() -> Iterator[None]:
    """Read stored settings from the database at most once inside: for one request or one pass.

    Short by intent, so that a change in another process is seen from the next request on.
    """
    if _readings.get() is not None:
        yield
        return
    token = _readings.set(_Readings())
    try:
        yield
    finally:
        _readings.reset(token)


def value(name: str) -> Value:
    """The setting's value: environment or file first, then the Settings page, then default.

    Raises BadSettingError when what is given or stored cannot be understood.
    """
    setting = BY_NAME[name]
    given = reading.given(name)
    if given is not None:
        return reading.understand_given(setting, given)
    if setting.on_page:
        stored = _stored(name)
        if stored is not None:
            return reading.understand(setting, _opened(setting, stored))
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
    given = reading.given(name)
    if given is not None:
        return bool(given)
    stored = _stored(name)
    return bool(BY_NAME[name].default if stored is None else stored)


def problem(name: str) -> str:
    """Why the setting cannot be used as it stands, as a sentence; empty when it can."""
    try:
        value(name)
        if name == "HOLD_RENEW_DAYS":
            return together.hold_problem(days=whole("HOLD_DAYS"), renew_days=whole(name))
    except BadSettingError as found:
        return str(found)
    return ""


def shown(name: str) -> str:
    """The setting's text as a person would write it, for a form; empty for a secret."""
    setting = BY_NAME[name]
    if setting.kind is Kind.SECRET:
        return ""
    given = reading.given(name)
    if given is not None:
        return given
    stored = _stored(name)
    return setting.default if stored is None else stored


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
    if not problem(name) and wanted == value(name):
        return False
    StoredSetting.objects.update_or_create(
        name=name,
        defaults={"text": _closed(setting, new_text.strip()), "changed_at": clock.now()},
    )
    _forget()
    return True


def _stored(name: str) -> str | None:
    readings = _readings.get()
    if readings is None:
        return StoredSetting.objects.filter(name=name).values_list("text", flat=True).first()
    if readings.stored is None:
        readings.stored = dict(StoredSetting.objects.values_list("name", "text"))
    return readings.stored.get(name)


def _forget() -> None:
    readings = _readings.get()
    if readings is not None:
        readings.stored = None


def _closed(setting: Setting, plain: str) -> str:
    return seal(plain) if setting.kind is Kind.SECRET and plain else plain


def _opened(setting: Setting, stored: str) -> str:
    if setting.kind is not Kind.SECRET or not stored:
        return stored
    try:
        return open_sealed(stored)
    except CannotOpenError as problem:
        raise BadSettingError(
            f"{setting.label} was saved with another secret key and cannot be read. "
            "Enter it again on the Settings page."
        ) from problem
