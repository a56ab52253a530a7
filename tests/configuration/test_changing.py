"""Changing settings as a person."""

from __future__ import annotations

import pytest

from canceldesk.accounts.models import User
from canceldesk.cases.authority import NotAllowedError
from canceldesk.cases.log import sentence
from canceldesk.cases.models import LogEntry
from canceldesk.configuration import services
from canceldesk.configuration.changing import BadSettingsError, change_settings


def test_an_admins_changes_are_saved_and_logged_with_old_and_new(admin: User) -> None:
    changed = change_settings({"COMPANY_NAME": "Widgets", "HOLD_DAYS": "90"}, by=admin)
    assert changed == ["COMPANY_NAME", "HOLD_DAYS"]
    entry = LogEntry.objects.get(data__name="HOLD_DAYS")
    assert entry.by == admin
    assert entry.data == {"name": "HOLD_DAYS", "old": "180", "new": "90"}
    assert sentence(entry) == "changed the setting HOLD_DAYS"


def test_what_stays_the_same_is_not_logged(admin: User) -> None:
    assert change_settings({"HOLD_DAYS": "180"}, by=admin) == []
    assert not LogEntry.objects.exists()


def test_a_secret_is_logged_without_its_text(admin: User) -> None:
    change_settings({"BILLSBY_API_KEY": "hush-hush"}, by=admin)
    assert LogEntry.objects.get().data == {"name": "BILLSBY_API_KEY"}


def test_one_bad_text_saves_none_and_names_each_problem(admin: User) -> None:
    wanted = {"COMPANY_NAME": "Widgets", "HOLD_DAYS": "x", "POLL_SECONDS": "0"}
    with pytest.raises(BadSettingsError) as problem:
        change_settings(wanted, by=admin)
    assert set(problem.value.problems) == {"HOLD_DAYS", "POLL_SECONDS"}
    assert "at least 1" in str(problem.value)
    assert services.text("COMPANY_NAME") == "Our company"
    assert not LogEntry.objects.exists()


def test_a_setting_fixed_outside_undoes_the_whole_change(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANCELDESK_HOLD_DAYS", "60")
    with pytest.raises(services.FixedByEnvironmentError):
        change_settings({"COMPANY_NAME": "Widgets", "HOLD_DAYS": "90"}, by=admin)
    assert services.text("COMPANY_NAME") == "Our company"


@pytest.mark.parametrize("role", ["agent", "manager"])
def test_only_an_admin_may(role: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotAllowedError, match="Ask an admin"):
        change_settings({"HOLD_DAYS": "90"}, by=request.getfixturevalue(role))
    assert services.whole("HOLD_DAYS") == 180


@pytest.mark.parametrize(
    "texts",
    [
        {"HOLD_DAYS": "30"},
        {"HOLD_DAYS": "59"},
        {"HOLD_RENEW_DAYS": "91"},
        {"HOLD_RENEW_DAYS": "180"},
        {"HOLD_DAYS": "60", "HOLD_RENEW_DAYS": "31"},
    ],
)
def test_a_hold_is_renewed_in_its_second_half_only(texts: dict[str, str], admin: User) -> None:
    with pytest.raises(BadSettingsError, match="must be renewed at most") as problem:
        change_settings(texts, by=admin)
    assert set(problem.value.problems) == {"HOLD_RENEW_DAYS"}


def test_a_shorter_hold_with_a_shorter_renewal_is_fine(admin: User) -> None:
    changed = change_settings({"HOLD_DAYS": "30", "HOLD_RENEW_DAYS": "15"}, by=admin)
    assert changed == ["HOLD_DAYS", "HOLD_RENEW_DAYS"]


@pytest.mark.parametrize("key", ["acme key", "acme_\N{EN DASH}key", "ключ", "a b"])
def test_a_key_that_cannot_be_one_is_refused_without_being_repeated(key: str, admin: User) -> None:
    with pytest.raises(BadSettingsError) as problem:
        change_settings({"BILLSBY_API_KEY": key}, by=admin)
    assert set(problem.value.problems) == {"BILLSBY_API_KEY"}
    assert "API key must be one word" in str(problem.value)
    told: BaseException | None = problem.value
    while told is not None:
        assert key not in str(told)
        told = told.__cause__ or told.__context__
    assert not services.is_set("BILLSBY_API_KEY")


@pytest.mark.parametrize(
    "domain", ["wid gets", "widgets.billsby.com", "https://widgets", "-a", "a/b"]
)
def test_a_company_domain_is_one_word(domain: str, admin: User) -> None:
    with pytest.raises(BadSettingsError, match="Company domain must be one word"):
        change_settings({"BILLSBY_DOMAIN": domain}, by=admin)


def test_a_key_and_a_domain_can_be_saved_and_cleared(admin: User) -> None:
    change_settings({"BILLSBY_API_KEY": " acme_k3y ", "BILLSBY_DOMAIN": "Acme-2_x"}, by=admin)
    assert services.text("BILLSBY_API_KEY") == "acme_k3y"
    assert services.text("BILLSBY_DOMAIN") == "Acme-2_x"
    change_settings({"BILLSBY_API_KEY": "", "BILLSBY_DOMAIN": ""}, by=admin)
    assert not services.is_set("BILLSBY_API_KEY")
