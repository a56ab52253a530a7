"""Changing settings as a person: who may, what is wrong with it, and the log of it."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from canceldesk.accounts.models import User
from canceldesk.cases.authority import Act, require
from canceldesk.cases.log import Verb, record
from canceldesk.configuration import reading, services, together
from canceldesk.configuration.definitions import BY_NAME, Kind
from canceldesk.configuration.reading import BadSettingError


class BadSettingsError(ValueError):
    """At least one new text cannot be understood. `problems`: sentence by setting name."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


def change_settings(texts: Mapping[str, str], *, by: User) -> list[str]:
    """Save new texts by setting name, all of them or none; gives the names that changed.

    Every change is logged with its old and new text, a secret without either. An empty text
    clears a secret.

    Raises NotAllowedError unless `by` may change settings, BadSettingsError for what cannot be
    understood, FixedByEnvironmentError for what the environment decides.
    """
    require(by, Act.CHANGE_SETTINGS)
    problems = _problems(texts)
    if problems:
        raise BadSettingsError(problems)
    with transaction.atomic():
        return [name for name, text in texts.items() if _change(name, text, by)]


def _problems(texts: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name, text in texts.items():
        try:
            reading.understand(BY_NAME[name], text)
        except BadSettingError as problem:
            found[name] = str(problem)
    return found or _problems_together(texts)


def _problems_together(texts: Mapping[str, str]) -> dict[str, str]:
    if not {"HOLD_RENEW_DAYS", "HOLD_DAYS"} & set(texts):
        return {}
    renewed, length = (_days(name, texts) for name in ("HOLD_RENEW_DAYS", "HOLD_DAYS"))
    sentence = together.hold_problem(days=length, renew_days=renewed)
    return {"HOLD_RENEW_DAYS": sentence} if sentence else {}


def _days(name: str, texts: Mapping[str, str]) -> int:
    return int(texts[name]) if name in texts else services.whole(name)


def _change(name: str, text: str, by: User) -> bool:
    before = services.shown(name)
    if not services.change(name, text):
        return False
    if BY_NAME[name].kind is Kind.SECRET:
        record(Verb.SETTING_CHANGED, by=by, name=name)
    else:
        record(Verb.SETTING_CHANGED, by=by, name=name, old=before, new=services.shown(name))
    return True
