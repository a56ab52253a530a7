"""The settings pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, override_settings

from canceldesk.accounts.models import User
from canceldesk.cases.models import LogEntry
from canceldesk.configuration import services as configuration
from canceldesk.configuration.definitions import SETTINGS, Kind, Section
from canceldesk.configuration.models import StoredSetting
from canceldesk.web.settings_form import SECTION_LABELS, SectionForm

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client_of: Callable[[User], Client], admin: User) -> Client:
    return client_of(admin)


def _as_shown(section: Section, **changes: str) -> dict[str, str]:
    """What a browser would post if nobody touched anything but `changes`."""
    form = SectionForm(section)
    shown = {name: form[name].value() for name in form.fields}
    posted = {
        name: "on" if value is True else value
        for name, value in shown.items()
        if value not in (None, False)
    }
    return {**posted, **changes}


def _save(browser: Client, section: Section, **changes: str) -> Any:
    return browser.post(f"/settings/{section}/", _as_shown(section, **changes), follow=True)


@pytest.mark.parametrize("section", list(SECTION_LABELS))
def test_every_setting_of_a_section_is_on_its_page_with_its_help(
    browser: Client, section: Section
) -> None:
    page = browser.get(f"/settings/{section}/").content.decode()
    for setting in SETTINGS:
        if setting.section is section:
            assert f'id="setting-{setting.name}"' in page
            assert setting.label in page


def test_every_section_but_the_process_has_a_page() -> None:
    assert set(Section) - set(SECTION_LABELS) == {Section.PROCESS}


@pytest.mark.parametrize("section", ["process", "nothing"])
def test_there_is_no_other_section(browser: Client, section: str) -> None:
    assert browser.get(f"/settings/{section}/").status_code == 404


@pytest.mark.parametrize("section", list(SECTION_LABELS))
def test_saving_a_page_as_it_is_shown_changes_nothing(browser: Client, section: Section) -> None:
    page = _save(browser, section).content.decode()
    assert "Nothing was different." in page
    assert not StoredSetting.objects.exists()
    assert not LogEntry.objects.exists()


def test_settings_begin_with_the_company(browser: Client) -> None:
    assert browser.get("/settings/")["Location"] == "/settings/company/"


def test_a_change_is_saved_logged_and_seen_at_once(browser: Client, admin: User) -> None:
    page = _save(browser, Section.COMPANY, COMPANY_NAME="Widgets & Co").content.decode()
    assert "Saved." in page
    assert "Widgets &amp; Co" in page
    entry = LogEntry.objects.get()
    assert (entry.by, entry.data["old"], entry.data["new"]) == (
        admin,
        "Our company",
        "Widgets & Co",
    )


def test_yes_and_no_are_switches(browser: Client) -> None:
    posted = _as_shown(Section.POLICY)
    del posted["HOLD_FIRST"]
    browser.post("/settings/policy/", posted)
    assert configuration.yes("HOLD_FIRST") is False
    browser.post("/settings/policy/", {**posted, "HOLD_FIRST": "on"})
    assert configuration.yes("HOLD_FIRST") is True


@pytest.mark.parametrize(
    ("section", "name", "text", "complaint"),
    [
        (Section.POLICY, "HOLD_DAYS", "soon", "must be a whole number"),
        (Section.POLICY, "HOLD_DAYS", "5", "must be at least 30"),
        (Section.POLICY, "HOLD_DAYS", "", "This field is required"),
        (Section.POLICY, "AGENT_WRITE_OFF_LIMIT", "1,00", "an amount such as 100.00"),
        (Section.POLICY, "STOP_BY", "magic", "not one of the available choices"),
        (Section.BILLSBY, "BILLSBY_URL", "billsby", "starts with https://"),
        (Section.COMPANY, "TIME_ZONE", "Mars/Olympus", "not one of the available choices"),
        (Section.COMPANY, "PHONE_REGION", "USA", "a two-letter country such as US"),
        (Section.MAIL, "MAIL_FROM", "me", "an e-mail address"),
    ],
)
def test_a_fault_is_named_beside_its_field_and_what_was_typed_stays(
    browser: Client, section: Section, name: str, text: str, complaint: str
) -> None:
    response = _save(browser, section, **{name: text})
    page = response.content.decode()
    beside = page.split(f'id="setting-{name}"')[1].split('id="setting-')[0]
    assert response.status_code == 422
    assert complaint in beside
    assert "CANCELDESK_" not in beside
    assert f'id="id_{name}_error"' in beside
    assert 'aria-invalid="true"' in beside
    assert not StoredSetting.objects.exists()


def test_a_fault_in_one_field_saves_no_other(browser: Client) -> None:
    _save(browser, Section.POLICY, HOLD_DAYS="soon", POLL_SECONDS="60")
    assert configuration.whole("POLL_SECONDS") == 30


def test_a_number_field_tells_the_browser_its_bounds(browser: Client) -> None:
    page = browser.get("/settings/policy/").content.decode()
    field = page.split('name="HOLD_DAYS"')[1].split(">")[0]
    assert 'min="30"' in field
    assert 'max="3650"' in field


def test_a_secret_is_replaced_kept_and_cleared_but_never_shown(browser: Client) -> None:
    page = _save(browser, Section.BILLSBY, BILLSBY_API_KEY="hush-hush").content.decode()
    assert "hush-hush" not in page
    assert "Leave the field empty to keep it." in page
    _save(browser, Section.BILLSBY, BILLSBY_DOMAIN="widgets")
    assert configuration.text("BILLSBY_API_KEY") == "hush-hush"
    _save(browser, Section.BILLSBY, **{"BILLSBY_API_KEY-clear": "on"})
    assert not configuration.is_set("BILLSBY_API_KEY")
    assert "hush-hush" not in str(list(LogEntry.objects.values()))


def test_a_secret_typed_beside_a_fault_is_not_sent_back(browser: Client) -> None:
    response = _save(browser, Section.BILLSBY, BILLSBY_API_KEY="hush-hush", BILLSBY_RATE="0")
    assert response.status_code == 422
    assert "hush-hush" not in response.content.decode()


def test_what_the_environment_fixes_is_shown_with_its_variable_and_cannot_be_changed(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANCELDESK_COMPANY_NAME", "Fixed & Co")
    page = _save(browser, Section.COMPANY, COMPANY_NAME="Mine").content.decode()
    assert "Fixed &amp; Co" in page
    assert "CANCELDESK_COMPANY_NAME" in page
    assert 'name="COMPANY_NAME"' not in page
    assert configuration.text("COMPANY_NAME") == "Fixed & Co"


def test_a_fixed_secret_is_only_said_to_be_set(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANCELDESK_BILLSBY_API_KEY", "from-outside")
    page = browser.get("/settings/billsby/").content.decode()
    assert "from-outside" not in page
    assert "CANCELDESK_BILLSBY_API_KEY" in page


def test_a_secret_that_cannot_be_opened_any_more_says_so_and_can_be_entered_again(
    client_of: Callable[[User], Client], admin: User
) -> None:
    configuration.change("BILLSBY_API_KEY", "hush-hush")
    with override_settings(SECRET_KEY="another"):
        browser = client_of(admin)
        page = browser.get("/settings/billsby/").content.decode()
        assert "was saved with another secret key" in page
        _save(browser, Section.BILLSBY, BILLSBY_API_KEY="new-one")
        assert configuration.text("BILLSBY_API_KEY") == "new-one"


def test_a_time_zone_that_is_not_among_the_usual_ones_stays_chosen(browser: Client) -> None:
    configuration.change("TIME_ZONE", "Etc/GMT+5")
    assert (
        '<option value="Etc/GMT+5" selected>' in browser.get("/settings/company/").content.decode()
    )


@pytest.mark.parametrize("role", ["agent", "manager"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_others_are_told_in_plain_words_whom_to_ask(
    role: str, method: str, client_of: Callable[[User], Client], request: pytest.FixtureRequest
) -> None:
    browser = client_of(request.getfixturevalue(role))
    response = getattr(browser, method)("/settings/policy/", {"HOLD_DAYS": "90"})
    assert response.status_code == 403
    assert "may not change settings. Ask an admin." in response.content.decode()
    assert configuration.whole("HOLD_DAYS") == 180


def test_a_stranger_is_asked_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/settings/policy/")["Location"].startswith("/account/login/")


def test_no_secret_has_a_value_in_any_form() -> None:
    for setting in SETTINGS:
        if setting.kind is Kind.SECRET and setting.on_page:
            configuration.change(setting.name, "hush-hush")
            assert "hush-hush" not in str(SectionForm(setting.section))


def test_a_fault_that_lies_in_a_fixed_setting_is_said_above_the_form(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANCELDESK_HOLD_RENEW_DAYS", "90")
    response = _save(browser, Section.POLICY, HOLD_DAYS="60")
    assert response.status_code == 422
    assert "must be renewed at most 30 days" in response.content.decode()
    assert configuration.whole("HOLD_DAYS") == 180


def test_a_key_that_cannot_be_one_is_told_beside_its_field_and_never_shown(browser: Client) -> None:
    response = _save(browser, Section.BILLSBY, BILLSBY_API_KEY="acme hush-hush")
    assert response.status_code == 422
    page = response.content.decode()
    assert "hush-hush" not in page
    after = page.split('name="BILLSBY_API_KEY"')[1].split('name="BILLSBY_WEBHOOK_SECRET"')[0]
    assert "API key must be one word" in after
    assert not configuration.is_set("BILLSBY_API_KEY")
