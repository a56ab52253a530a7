"""The value of a setting now, and changing it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings
from pytest_django import DjangoAssertNumQueries

from canceldesk.configuration import services
from canceldesk.configuration.models import StoredSetting
from canceldesk.configuration.reading import BadSettingError
from canceldesk.configuration.services import FixedByEnvironmentError

pytestmark = pytest.mark.django_db


def test_a_default_stands_until_somebody_changes_it() -> None:
    assert services.text("COMPANY_NAME") == "Our company"
    assert services.change("COMPANY_NAME", "Widgets & Co") is True
    assert services.text("COMPANY_NAME") == "Widgets & Co"


def test_values_come_in_their_kind() -> None:
    assert services.whole("HOLD_DAYS") == 180
    assert services.whole("AGENT_WRITE_OFF_LIMIT") == 10_000
    assert services.number("BILLSBY_RATE") == 4.0
    assert services.yes("HOLD_FIRST") is True
    assert services.zone() == ZoneInfo("America/New_York")


def test_the_same_value_in_other_words_is_no_change() -> None:
    assert services.change("AGENT_WRITE_OFF_LIMIT", "100") is False
    assert services.change("HOLD_FIRST", "on") is False
    assert not StoredSetting.objects.exists()


def test_what_cannot_be_understood_is_not_saved() -> None:
    with pytest.raises(BadSettingError):
        services.change("HOLD_DAYS", "soon")
    assert not StoredSetting.objects.exists()


def test_the_environment_decides_over_what_was_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    services.change("COMPANY_NAME", "Saved")
    monkeypatch.setenv("CANCELDESK_COMPANY_NAME", "Fixed")
    assert services.text("COMPANY_NAME") == "Fixed"
    assert services.is_fixed("COMPANY_NAME")
    assert services.shown("COMPANY_NAME") == "Fixed"
    with pytest.raises(FixedByEnvironmentError, match="CANCELDESK_COMPANY_NAME"):
        services.change("COMPANY_NAME", "Again")


def test_a_process_setting_is_never_changed_here_nor_read_from_the_table() -> None:
    with pytest.raises(FixedByEnvironmentError):
        services.change("WORKERS", "8")
    StoredSetting.objects.create(name="WORKERS", text="9", changed_at="2026-01-01T00:00Z")
    assert services.whole("WORKERS") == 4


def test_a_secret_is_unreadable_in_the_table() -> None:
    services.change("BILLSBY_API_KEY", "hush-hush")
    stored = StoredSetting.objects.get(name="BILLSBY_API_KEY")
    assert "hush" not in stored.text
    assert services.text("BILLSBY_API_KEY") == "hush-hush"


def test_a_secret_is_never_shown_only_whether_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not services.is_set("BILLSBY_API_KEY")
    services.change("BILLSBY_API_KEY", "hush-hush")
    assert services.is_set("BILLSBY_API_KEY")
    assert services.shown("BILLSBY_API_KEY") == ""
    monkeypatch.setenv("CANCELDESK_BILLSBY_API_KEY", "from-outside")
    assert services.is_set("BILLSBY_API_KEY")
    assert services.shown("BILLSBY_API_KEY") == ""


def test_clearing_a_secret_leaves_nothing() -> None:
    services.change("BILLSBY_API_KEY", "hush-hush")
    assert services.change("BILLSBY_API_KEY", "") is True
    assert not services.is_set("BILLSBY_API_KEY")


def test_after_the_secret_key_was_lost_a_secret_can_be_entered_again() -> None:
    services.change("BILLSBY_API_KEY", "hush-hush")
    with override_settings(SECRET_KEY="another"):
        with pytest.raises(BadSettingError, match="Enter it again on the Settings page"):
            services.text("BILLSBY_API_KEY")
        assert services.is_set("BILLSBY_API_KEY")
        assert "another secret key" in services.problem("BILLSBY_API_KEY")
        assert services.change("BILLSBY_API_KEY", "hush-hush") is True
        assert services.text("BILLSBY_API_KEY") == "hush-hush"
        assert services.problem("BILLSBY_API_KEY") == ""


def test_a_stored_text_that_no_longer_fits_can_be_replaced() -> None:
    StoredSetting.objects.create(name="HOLD_DAYS", text="3", changed_at="2026-01-01T00:00Z")
    assert "at least 30" in services.problem("HOLD_DAYS")
    assert services.shown("HOLD_DAYS") == "3"
    assert services.change("HOLD_DAYS", "90") is True
    assert services.whole("HOLD_DAYS") == 90


def test_every_read_is_fresh_outside_a_request() -> None:
    services.text("COMPANY_NAME")
    StoredSetting.objects.create(
        name="COMPANY_NAME", text="From another process", changed_at="2026-01-01T00:00Z"
    )
    assert services.text("COMPANY_NAME") == "From another process"


def test_within_a_request_the_table_is_read_once(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1), services.read_once():
        services.text("COMPANY_NAME")
        services.zone()
        services.is_set("BILLSBY_API_KEY")


def test_a_change_within_a_request_is_seen_in_it() -> None:
    with services.read_once():
        assert services.text("COMPANY_NAME") == "Our company"
        services.change("COMPANY_NAME", "Widgets & Co")
        assert services.text("COMPANY_NAME") == "Widgets & Co"


def test_the_next_request_sees_what_another_process_changed() -> None:
    with services.read_once():
        services.text("COMPANY_NAME")
    StoredSetting.objects.create(
        name="COMPANY_NAME", text="From another process", changed_at="2026-01-01T00:00Z"
    )
    with services.read_once():
        assert services.text("COMPANY_NAME") == "From another process"


def test_a_stored_setting_is_known_by_its_name() -> None:
    assert str(StoredSetting(name="HOLD_DAYS")) == "HOLD_DAYS"


def test_a_hold_given_too_short_for_the_stored_renewal_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert services.problem("HOLD_RENEW_DAYS") == ""
    monkeypatch.setenv("CANCELDESK_HOLD_DAYS", "30")
    assert "at most 15 days before it ends" in services.problem("HOLD_RENEW_DAYS")
    assert services.problem("HOLD_DAYS") == ""
    services.change("HOLD_RENEW_DAYS", "15")
    assert services.problem("HOLD_RENEW_DAYS") == ""
