"""Reading a setting's text: from the environment or the settings file, into its kind."""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from canceldesk.configuration import formats, together
from canceldesk.configuration.definitions import BY_NAME, SETTINGS, Kind, Setting

FILE_VARIABLE = "CANCELDESK_SETTINGS_FILE"

Value = str | int | float | bool

# A comma only ever groups thousands: "1,00" may mean one or a hundred, so it is refused.
_AMOUNT = re.compile(r"-?(\d{1,3}(,\d{3})+|\d+)(\.\d{1,2})?", re.ASCII)
_LONGEST_EXCERPT = 80


class BadSettingError(ValueError):
    """A setting holds something that cannot be understood; the text says which and why."""


def understand(setting: Setting, text: str) -> Value:
    """Turn a person's text into the setting's value.

    Money becomes an integer of minor units (two decimals), yes/no a bool.
    Raises BadSettingError with a sentence that names the setting.
    """
    text = text.strip()
    try:
        _one_line(text)
        value = _parse(setting, text)
    except ValueError as problem:
        raise BadSettingError(_complaint(setting, text)) from problem
    if isinstance(value, int | float) and not isinstance(value, bool):
        _check_bounds(setting, value)
    return value


def understand_given(setting: Setting, text: str) -> Value:
    """`understand` for what the environment or the settings file gives; a complaint names the
    variable, because that is where a person must look.
    """
    try:
        return understand(setting, text)
    except BadSettingError as problem:
        raise BadSettingError(f"{setting.variable}: {problem}") from problem


def _one_line(text: str) -> None:
    if not text.isprintable():
        raise ValueError("control characters")


def _parse(setting: Setting, text: str) -> Value:
    match setting.kind:
        case Kind.WHOLE:
            return int(text)
        case Kind.NUMBER:
            return _finite(text)
        case Kind.YES_NO:
            return _yes_no(text)
        case Kind.MONEY:
            return _minor_units(text)
        case Kind.CHOICE if text not in {key for key, _ in setting.choices}:
            raise ValueError(text)
        case _:
            return formats.checked(setting.name, text)


def _finite(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(text)
    return found


def _yes_no(text: str) -> bool:
    words = {"yes": True, "true": True, "on": True, "1": True}
    words |= {"no": False, "false": False, "off": False, "0": False}
    try:
        return words[text.casefold()]
    except KeyError as problem:
        raise ValueError(text) from problem


def _minor_units(text: str) -> int:
    if not _AMOUNT.fullmatch(text):
        raise ValueError(text)
    return int(Decimal(text.replace(",", "")) * 100)


def _check_bounds(setting: Setting, value: float) -> None:
    shown = value / 100 if setting.kind is Kind.MONEY else value
    if setting.least is not None and shown < setting.least:
        raise BadSettingError(f"{setting.label} must be at least {setting.least:g}.")
    if setting.most is not None and shown > setting.most:
        raise BadSettingError(f"{setting.label} must be at most {setting.most:g}.")


def _complaint(setting: Setting, text: str) -> str:
    if setting.kind is Kind.SECRET:
        return f"{setting.label} must be {formats.wanted(setting.name)}."
    wanted = {
        Kind.WHOLE: "a whole number",
        Kind.NUMBER: "a number",
        Kind.YES_NO: "yes or no",
        Kind.MONEY: "an amount such as 100.00",
        Kind.CHOICE: "one of " + ", ".join(key for key, _ in setting.choices),
    }.get(setting.kind, formats.wanted(setting.name))
    return f'{setting.label} must be {wanted}, but is "{_excerpt(text)}".'


def _excerpt(text: str) -> str:
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= _LONGEST_EXCERPT else f"{line[:_LONGEST_EXCERPT]}…"


@lru_cache(maxsize=4)
def _file(path: str) -> Mapping[str, str]:
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as problem:
        raise BadSettingError(f"The settings file {path} cannot be read: {problem}.") from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise BadSettingError(
            f"The settings file {path} is not valid TOML: {problem}."
        ) from problem
    unknown = sorted(set(content) - {name.lower() for name in BY_NAME})
    if unknown:
        raise BadSettingError(
            f"The settings file {path} holds unknown names: {', '.join(unknown)}."
        )
    return {name.upper(): _as_text(name, value) for name, value in content.items()}


def _as_text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value)
    raise BadSettingError(
        f"In the settings file {name} must be a text, a number, true or false, not a list or table."
    )


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
    return understand(setting, setting.default) if text is None else understand_given(setting, text)


def text(name: str) -> str:
    """`process_value` as text."""
    return str(process_value(name))


def check_all_given() -> None:
    """Raise BadSettingError for the first given setting that cannot be understood."""
    for setting in SETTINGS:
        process_value(setting.name)
    _check_hold_given()


def _check_hold_given() -> None:
    # Where only one of them is given the other may be stored; `services.problem` looks at both.
    if given("HOLD_DAYS") is None or given("HOLD_RENEW_DAYS") is None:
        return
    problem = together.hold_problem(
        days=int(process_value("HOLD_DAYS")), renew_days=int(process_value("HOLD_RENEW_DAYS"))
    )
    if problem:
        raise BadSettingError(f"{BY_NAME['HOLD_RENEW_DAYS'].variable}: {problem}")
