"""From a person's text to a value, and where the text comes from."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.configuration import reading
from canceldesk.configuration.definitions import BY_NAME, SETTINGS, Kind, Section, Setting
from canceldesk.configuration.reading import BadSettingError, check_all_given, understand

AMOUNT = Setting("X_AMOUNT", "Limit", Kind.MONEY, "0", "", Section.POLICY, least=0, most=1000)
ANY_AMOUNT = Setting("X_ANY", "Amount", Kind.MONEY, "0", "", Section.POLICY)
WHOLE = Setting("X_WHOLE", "Days", Kind.WHOLE, "1", "", Section.POLICY, least=1, most=30)
NUMBER = Setting("X_NUMBER", "Rate", Kind.NUMBER, "1", "", Section.POLICY, least=0.1, most=10)
YES_NO = Setting("X_YES", "Hold", Kind.YES_NO, "no", "", Section.POLICY)
SECRET = Setting("X_SECRET", "Key", Kind.SECRET, "", "", Section.BILLSBY)
TEXT = Setting("X_TEXT", "Name", Kind.TEXT, "", "", Section.COMPANY)
CHOICE = Setting(
    "X_CHOICE", "How", Kind.CHOICE, "a", "", Section.POLICY, choices=(("a", "A"), ("b", "B"))
)


@given(st.integers(min_value=0, max_value=10**12))
def test_money_survives_being_written_with_and_without_thousands_separators(minor: int) -> None:
    amount = Decimal(minor) / 100
    assert understand(ANY_AMOUNT, f"{amount:.2f}") == minor
    assert understand(ANY_AMOUNT, f"{amount:,.2f}") == minor


def _outcome(setting: Setting, text: str) -> int | float | str | bool | BadSettingError:
    try:
        return understand(setting, text)
    except BadSettingError as problem:
        return problem


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_a_plain_complaint(text: str) -> None:
    outcome = _outcome(ANY_AMOUNT, text)
    complaint = str(outcome).startswith("Amount must be an amount such as 100.00")
    assert isinstance(outcome, int) or complaint


@given(st.one_of(st.text(max_size=30), st.integers().map(str), st.floats().map(str)))
def test_any_text_is_a_number_within_bounds_or_a_plain_complaint(text: str) -> None:
    for setting in (WHOLE, NUMBER):
        outcome = _outcome(setting, text)
        if isinstance(outcome, BadSettingError):
            assert str(outcome).startswith(f"{setting.label} must be ")
        else:
            assert float(setting.least or 0) <= float(outcome) <= float(setting.most or 0)


@pytest.mark.parametrize(
    "text", ["1,00", "1,0000", "10.005", "NaN", "Infinity", "1e3", "$5", "", "\u0661\u0662"]
)
def test_an_amount_that_could_be_misread_is_refused(text: str) -> None:
    with pytest.raises(BadSettingError, match="an amount such as"):
        understand(ANY_AMOUNT, text)


def test_money_is_bounded_in_whole_units_not_in_cents() -> None:
    assert understand(AMOUNT, "1000") == 100_000
    with pytest.raises(BadSettingError, match="at most 1000"):
        understand(AMOUNT, "1000.01")
    with pytest.raises(BadSettingError, match="at least 0"):
        understand(AMOUNT, "-0.01")


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "x", ""])
def test_a_number_must_be_one(text: str) -> None:
    with pytest.raises(BadSettingError, match="must be a number"):
        understand(NUMBER, text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *[(text, True) for text in ("yes", "TRUE", " on ", "1")],
        *[(text, False) for text in ("no", "False", "off", "0")],
    ],
)
def test_yes_and_no_are_understood_in_the_usual_spellings(text: str, meant: bool) -> None:
    assert understand(YES_NO, text) is meant


def test_yes_or_no_is_nothing_else() -> None:
    with pytest.raises(BadSettingError, match='must be yes or no, but is "maybe"'):
        understand(YES_NO, "maybe")


def test_a_choice_is_one_of_its_keys() -> None:
    assert understand(CHOICE, "b") == "b"
    with pytest.raises(BadSettingError, match="one of a, b"):
        understand(CHOICE, "c")


def test_text_is_trimmed_and_one_line() -> None:
    assert understand(TEXT, "  Widgets & Co ") == "Widgets & Co"
    with pytest.raises(BadSettingError, match="one line of text"):
        understand(TEXT, "Widgets\nBcc: everyone@example.com")


def test_a_complaint_never_repeats_a_secret() -> None:
    with pytest.raises(BadSettingError) as problem:
        understand(SECRET, "hush\nhush")
    assert "hush" not in str(problem.value)


def test_a_complaint_does_not_repeat_a_whole_book() -> None:
    with pytest.raises(BadSettingError) as problem:
        understand(NUMBER, "x" * 10_000)
    assert len(str(problem.value)) < 200


@pytest.mark.parametrize(
    "zone", ["America/Nowhere", "America", "../etc/passwd", "", "/etc/localtime", "New York"]
)
def test_a_time_zone_must_exist(zone: str) -> None:
    with pytest.raises(BadSettingError, match="a time zone such as America/New_York"):
        understand(BY_NAME["TIME_ZONE"], zone)


def test_a_phone_country_is_known_and_written_in_capitals() -> None:
    assert understand(BY_NAME["PHONE_REGION"], "us") == "US"
    with pytest.raises(BadSettingError, match="two-letter country"):
        understand(BY_NAME["PHONE_REGION"], "America")


@pytest.mark.parametrize("name", ["BILLSBY_URL", "BILLSBY_PANEL_URL", "PUBLIC_URL"])
def test_an_address_is_an_address(name: str) -> None:
    assert understand(BY_NAME[name], "https://desk.example.com") == "https://desk.example.com"
    for wrong in ("desk.example.com", "javascript:alert(1)", "https://", "ftp://example.com"):
        with pytest.raises(BadSettingError, match="starts with https://"):
            understand(BY_NAME[name], wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        "https://exa mple.com",
        "https://example.com:99999",
        "https://example.com:x",
        "https://example.com/api key",
        "https://example.com/api?key=1",
        "https://example.com/#api",
    ],
)
def test_billsbys_address_is_one_that_can_be_called(wrong: str) -> None:
    with pytest.raises(BadSettingError, match="starts with https://"):
        understand(BY_NAME["BILLSBY_URL"], wrong)


def test_a_currency_is_three_letters_in_capitals() -> None:
    assert understand(BY_NAME["CURRENCY"], "eur") == "EUR"
    for wrong in ("", "$", "Euro", "E1R"):
        with pytest.raises(BadSettingError, match="three letters such as USD"):
            understand(BY_NAME["CURRENCY"], wrong)


def test_an_undecided_case_is_held_a_day_before_its_charge_at_the_latest() -> None:
    with pytest.raises(BadSettingError, match="at least 1"):
        understand(BY_NAME["HOLD_BEFORE_CHARGE_DAYS"], "0")


def test_a_process_does_not_start_with_a_hold_it_would_renew_at_every_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CANCELDESK_HOLD_DAYS", "60")
    check_all_given()
    monkeypatch.setenv("CANCELDESK_HOLD_RENEW_DAYS", "30")
    check_all_given()
    monkeypatch.setenv("CANCELDESK_HOLD_RENEW_DAYS", "31")
    with pytest.raises(BadSettingError, match="CANCELDESK_HOLD_RENEW_DAYS: .* at most 30 days"):
        check_all_given()


def test_the_public_address_may_be_empty_but_billsbys_may_not() -> None:
    assert understand(BY_NAME["PUBLIC_URL"], "") == ""
    with pytest.raises(BadSettingError):
        understand(BY_NAME["BILLSBY_URL"], "")


def test_the_sender_is_one_address_or_none() -> None:
    sender = BY_NAME["MAIL_FROM"]
    assert understand(sender, "") == ""
    assert understand(sender, "care@example.com") == "care@example.com"
    for wrong in ("care", "a@example.com, b@example.com", "care@"):
        with pytest.raises(BadSettingError, match="an e-mail address"):
            understand(sender, wrong)


def test_listening_needs_an_address_and_a_port() -> None:
    listen = BY_NAME["LISTEN"]
    assert understand(listen, "[::1]:8000") == "[::1]:8000"
    for wrong in ("8000", ":8000", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:99999", "host:port"):
        with pytest.raises(BadSettingError, match="address and port"):
            understand(listen, wrong)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_default_is_understood(setting: Setting) -> None:
    assert understand(setting, setting.default) is not None


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_says_what_it_means_in_a_sentence(setting: Setting) -> None:
    assert setting.label
    assert len(setting.help) > 4


def test_the_environment_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "desk.toml"
    file.write_text('company_name = "From the file"\nworkers = 8\nhold_first = false\n')
    monkeypatch.setenv(reading.FILE_VARIABLE, str(file))
    assert reading.given("COMPANY_NAME") == "From the file"
    assert reading.process_value("WORKERS") == 8
    assert reading.process_value("HOLD_FIRST") is False
    monkeypatch.setenv("CANCELDESK_COMPANY_NAME", "From the environment")
    assert reading.text("COMPANY_NAME") == "From the environment"


def test_nothing_given_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(reading.FILE_VARIABLE, raising=False)
    monkeypatch.delenv("CANCELDESK_WORKERS", raising=False)
    assert reading.given("WORKERS") is None
    assert reading.process_value("WORKERS") == 4


def test_a_complaint_about_what_is_given_names_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CANCELDESK_WORKERS", "many")
    with pytest.raises(BadSettingError, match="CANCELDESK_WORKERS: Passes at once must be a whole"):
        reading.check_all_given()


def test_everything_given_in_tests_is_understood() -> None:
    reading.check_all_given()
    assert reading.text("SECRET_KEY") == "only-for-tests"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"compny_name = 'x'", "unknown names: compny_name"),
        (b"company_name = ", "not valid TOML"),
        (b"company_name = '\xff'", "not valid TOML"),
        (b"hosts = ['a', 'b']", "hosts must be a text"),
    ],
)
def test_a_settings_file_with_a_fault_is_refused(
    content: bytes, complaint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "desk.toml"
    file.write_bytes(content)
    monkeypatch.setenv(reading.FILE_VARIABLE, str(file))
    with pytest.raises(BadSettingError, match=complaint):
        reading.given("COMPANY_NAME")


def test_a_missing_settings_file_is_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(reading.FILE_VARIABLE, str(tmp_path / "none.toml"))
    with pytest.raises(BadSettingError, match="cannot be read"):
        reading.given("COMPANY_NAME")


def test_headings_name_fields_of_the_list_and_are_brought_into_one_form() -> None:
    headings = BY_NAME["WORKBOOK_HEADINGS"]
    assert understand(headings, "Name = Client ;phone=Mobile no;") == "name=Client; phone=Mobile no"
    assert understand(headings, "") == ""
    for wrong in ("who=Client", "name", "name=", "name=A; NAME=B"):
        with pytest.raises(BadSettingError, match="Headings must be written like name=Client"):
            understand(headings, wrong)


def test_columns_of_ones_own_are_pairs_of_heading_and_text() -> None:
    fill = BY_NAME["WORKBOOK_FILL"]
    assert understand(fill, "Status=Cancelled;By = Desk") == "Status=Cancelled; By=Desk"
    for wrong in ("Status", "=Desk", "Status=a; status=b"):
        with pytest.raises(BadSettingError, match="must be written like Status=Cancelled"):
            understand(fill, wrong)
