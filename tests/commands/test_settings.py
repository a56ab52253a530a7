from __future__ import annotations

import pytest

from canceldesk.configuration import services as configuration
from tests.commands.conftest import Say, answer

pytestmark = pytest.mark.django_db


def _by_name(said: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {one["name"]: one for one in said}


def test_every_setting_is_shown_with_where_it_comes_from(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANCELDESK_TIME_ZONE", "Europe/Berlin")
    configuration.change("COMPANY_NAME", "Brightpath")

    shown = _by_name(answer(say("settings", "--json")))

    assert (shown["TIME_ZONE"]["value"], shown["TIME_ZONE"]["from"]) == (
        "Europe/Berlin",
        "environment or settings file",
    )
    assert (shown["COMPANY_NAME"]["value"], shown["COMPANY_NAME"]["from"]) == (
        "Brightpath",
        "Settings page",
    )
    assert shown["POLL_SECONDS"]["from"] == "default"


def test_a_secret_is_never_shown(say: Say) -> None:
    configuration.change("BILLSBY_API_KEY", "acme_very-secret")

    for_machines, for_people = say("settings", "--json").stdout, say("settings").stdout

    assert "very-secret" not in for_machines + for_people
    assert _by_name(answer(say("settings", "--json")))["BILLSBY_API_KEY"]["value"] == "(set)"
    assert "CANCELDESK_BILLSBY_API_KEY" in for_people


def test_a_setting_that_cannot_be_understood_ends_every_command(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANCELDESK_POLL_SECONDS", "often")

    said = say("settings")

    assert said.exit_code == 2
    assert "CANCELDESK_POLL_SECONDS" in said.stderr
