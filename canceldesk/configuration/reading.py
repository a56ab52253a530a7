"""Reading a setting's text: from the environment or the settings file, into its kind."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from canceldesk.configuration.definitions import BY_NAME, SETTINGS, Kind, Setting

FILE_VARIABLE = "CANCELDESK_SETTINGS_FILE"

Value = str | int | float | bool


class BadSettingError(ValueError):
    """A setting holds something that cannot be understood; the text says which and why."""


def understand(setting: Setting, text: str) -> Value:
    """Turn a person's text into the setting's value.

    Money becomes an integer of minor units (two decimals), yes/no a bool.
    Raises BadSettingError with a sentence that names the setting.
    """
    text = text.strip()
    try:
        value = _parse(setting, text)
    except (ValueError, InvalidOperation) as problem:
        raise BadSettingError(_complaint(setting, text)) from problem
    if isinstance(value, int | float) and not isinstance(value, bool):
        _check_bounds(setting, value)
    return value


def _parse(setting: Setting, text: str) -> Value:
    match setting.kind:
        case Kind.WHOLE:
            return int(text)
        case Kind.NUMBER:
            return float(text)
        case Kind.YES_NO:
            return _yes_no(text)
        case Kind.MONEY:
            return _minor_units(text)
        case Kind.CHOICE if text not in {key for key, _ in setting.choices}:
            raise ValueError(text)
        case _:
            if setting.name == "TIME_ZONE":
                ZoneInfo(text)
            return text


def _yes_no(text: str) -> bool:
    words = {"yes": True, "true": True, "on": True, "1": True}
    words |= {"no": False, "false": False, "off": False, "0": False}
    try:
        return words[text.casefold()]
    except KeyError as problem:
        raise ValueError(text) from problem


def _minor_units(text: str) -> int:
    amount = Decimal(text.replace(",", "")) * 100
    if amount != amount.to_integral_value():
        raise ValueError(text)
    return int(amount)


def _check_bounds(setting: Setting, value: float) -> None:
    shown = value / 100 if setting.kind is Kind.MONEY else value
    if setting.least is not None and shown < setting.least:
        raise BadSettingError(f"{setting.label} must be at least {setting.least:g}.")
    if setting.most is not None and shown > setting.most:
        raise BadSettingError(f"{setting.label} must be at most {setting.most:g}.")


def _complaint(setting: Setting, text: str) -> str:
    wanted = {
        Kind.WHOLE: "a whole number",
        Kind.NUMBER: "a number",
        Kind.YES_NO: "yes or no",
        Kind.MONEY: "an amount such as 100.00",
        Kind.CHOICE: "one of " + ", ".join(key for key, _ in setting.choices),
    }.get(setting.kind, "a time zone such as America/New_York")
    shown = "what was given" if setting.kind is Kind.SECRET else f'"{text}"'
    return f"{setting.label} ({setting.variable}) must be {wanted}, but is {shown}."


@lru_cache(maxsize=4)
def _file(path: str) -> Mapping[str, str]:
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as problem:
        raise BadSettingError(f"The settings file {path} cannot be read: {problem}.") from problem
    except tomllib.TOMLDecodeError as problem:
        raise BadSettingError(
            f"The settings file {path} is not valid TOML: {problem}."
        ) from problem
    unknown = sorted(set(content) - {name.lower() for name in BY_NAME})
    if unknown:
        raise BadSettingError(
            f"The settings file {path} holds unknown names: {', '.join(unknown)}."
        )
    return {name.upper(): _as_text(value) for name, value in content.items()}


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def given(name: str) -> str | None:
    """The text the environment or the settings file gives for a setting, or None."""
    setting = BY_NAME[name]
    if setting.variable in os.environ:
        return os.environ[setting.variable]
    path = os.environ.get(FILE_VARIABLE)
    return _file(path).get(name) if path else None


def process_value(name: str) -> Value:
    """Value of a setting from environment, file or default: for what must be known at start."""
    setting = BY_NAME[name]
    text = given(name)
    return understand(setting, setting.default if text is None else text)


def text(name: str) -> str:
    """`process_value` as text."""
    return str(process_value(name))


def check_all_given() -> None:
    """Raise BadSettingError for the first given setting that cannot be understood."""
    for setting in SETTINGS:
        process_value(setting.name)
