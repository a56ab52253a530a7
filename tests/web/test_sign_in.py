"""Signing in: the ways that work, and the ways that must not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache
from django.test import Client

from canceldesk.accounts import services
from canceldesk.accounts.models import User
from canceldesk.cases.log import sentence
from canceldesk.cases.models import LogEntry
from canceldesk.configuration import services as configuration

pytestmark = pytest.mark.django_db

PASSWORD = "quiet-harbour-42"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def _forgotten_attempts(db: None) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def _sign_in(browser: Client, email: str, password: str = PASSWORD, **more: str) -> Any:
    return browser.post("/account/login/", {"login": email, "password": password, **more})


def _is_signed_in(browser: Client) -> bool:
    return browser.get("/account/password/change/").status_code == 200


def _code() -> str:
    return str(format_hotp_value(hotp_value(SECRET, int(time.time()) // 30)))


def test_an_address_in_any_letters_and_the_password_sign_in(client: Client, agent: User) -> None:
    response = _sign_in(client, "Agent@Example.com")
    assert response.status_code == 302
    assert response["Location"] == "/"
    assert _is_signed_in(client)


def test_a_wrong_password_says_so_beside_nothing_else(client: Client, agent: User) -> None:
    response = _sign_in(client, agent.email, "wrong")
    assert "are not correct" in response.content.decode()
    assert not _is_signed_in(client)


def test_an_unknown_address_is_answered_like_a_wrong_password(client: Client, agent: User) -> None:
    wrong = _sign_in(client, agent.email, "wrong").context["form"].non_field_errors()
    unknown = _sign_in(client, "nobody@example.com").context["form"].non_field_errors()
    assert wrong == unknown


def test_guessing_is_stopped_even_when_the_guess_is_right_at_last(
    client: Client, agent: User
) -> None:
    for number in range(5):
        _sign_in(client, agent.email, f"guess-{number}")
    response = _sign_in(client, agent.email)
    assert "Too many failed login attempts" in response.content.decode()
    assert not _is_signed_in(client)


def test_guessing_goes_no_further_by_another_name_of_the_desk(client: Client, agent: User) -> None:
    for number in range(5):
        client.post(
            "/account/login/",
            {"login": agent.email, "password": f"guess-{number}"},
            headers={"host": f"testserver:{8000 + number}"},
        )
    assert "Too many failed login attempts" in _sign_in(client, agent.email).content.decode()


def test_guessing_at_one_user_does_not_lock_out_another(
    client: Client, agent: User, manager: User
) -> None:
    for number in range(5):
        _sign_in(client, agent.email, f"guess-{number}")
    assert _sign_in(client, manager.email).status_code == 302


def test_guessing_codes_is_stopped(client: Client, agent: User) -> None:
    TOTP.activate(agent, SECRET)
    _sign_in(client, agent.email)
    for _ in range(6):
        response = client.post("/account/2fa/authenticate/", {"code": "000000"})
    assert "Too many failed login attempts" in response.content.decode()
    client.post("/account/2fa/authenticate/", {"code": _code()})
    assert not _is_signed_in(client)


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_signs_up(client: Client, method: str) -> None:
    form = {"email": "new@example.com", "password1": PASSWORD}
    response = getattr(client, method)("/account/signup/", form)
    assert response.status_code == 404
    assert not User.objects.exists()


def test_nobody_changes_their_own_address(client_of: Callable[[User], Client], agent: User) -> None:
    assert client_of(agent).get("/account/email/").status_code == 404


def test_somebody_switched_off_cannot_sign_in(client: Client, agent: User, admin: User) -> None:
    services.disable(agent, by=admin)
    _sign_in(client, agent.email)
    assert not _is_signed_in(client)


def test_somebody_switched_off_is_told_whom_to_ask(client: Client) -> None:
    assert "Ask an admin" in client.get("/account/inactive/").content.decode()


def test_where_one_wanted_to_go_is_where_one_arrives(client: Client, agent: User) -> None:
    response = _sign_in(client, agent.email, next="/account/2fa/")
    assert response["Location"] == "/account/2fa/"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example.com/",
        "//evil.example.com/",
        "/\\evil.example.com",
        "javascript:alert(1)",
    ],
)
def test_nobody_is_led_elsewhere(client: Client, agent: User, elsewhere: str) -> None:
    response = _sign_in(client, agent.email, next=elsewhere)
    assert response.status_code == 302
    assert response["Location"] == "/"


def test_signing_out_needs_a_post(client_of: Callable[[User], Client], agent: User) -> None:
    browser = client_of(agent)
    assert "Do you want to sign out" in browser.get("/account/logout/").content.decode()
    assert _is_signed_in(browser)
    assert browser.post("/account/logout/")["Location"] == "/account/login/"
    assert not _is_signed_in(browser)


def test_a_form_without_its_token_is_refused_in_plain_words(agent: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    response = _sign_in(browser, agent.email)
    assert response.status_code == 403
    assert "reload the page and try again" in response.content.decode()


def test_the_second_step_is_asked_for_and_signs_in(client: Client, agent: User) -> None:
    TOTP.activate(agent, SECRET)
    response = _sign_in(client, agent.email)
    assert response["Location"].startswith("/account/2fa/authenticate/")
    assert not _is_signed_in(client)
    assert "authenticator app" in client.get("/account/2fa/authenticate/").content.decode()
    client.post("/account/2fa/authenticate/", {"code": _code()})
    assert _is_signed_in(client)


def test_a_code_works_once(client: Client, agent: User) -> None:
    TOTP.activate(agent, SECRET)
    code = _code()
    _sign_in(client, agent.email)
    client.post("/account/2fa/authenticate/", {"code": code})
    another = Client()
    _sign_in(another, agent.email)
    another.post("/account/2fa/authenticate/", {"code": code})
    assert not _is_signed_in(another)


def test_a_recovery_code_signs_in_once(client: Client, agent: User) -> None:
    TOTP.activate(agent, SECRET)
    code = RecoveryCodes.activate(agent).get_unused_codes()[0]
    _sign_in(client, agent.email)
    client.post("/account/2fa/authenticate/", {"code": code})
    assert _is_signed_in(client)
    again = Client()
    _sign_in(again, agent.email)
    again.post("/account/2fa/authenticate/", {"code": code})
    assert not _is_signed_in(again)


def test_the_key_of_an_authenticator_app_is_sealed_in_the_database(agent: User) -> None:
    TOTP.activate(agent, SECRET)
    assert SECRET not in str(Authenticator.objects.get().data)


def test_two_step_sign_in_is_turned_on_shown_and_off_again(client: Client, agent: User) -> None:
    _sign_in(client, agent.email)
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    page = client.get("/account/2fa/totp/activate/")
    assert "data:image/svg+xml" in page.content.decode()
    secret = page.context["form"].secret
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    response = client.post("/account/2fa/totp/activate/", {"code": code}, follow=True)
    assert "Each works once; 10 of 10 are left." in response.content.decode()
    codes = client.get("/account/2fa/recovery-codes/")
    assert all(each in codes.content.decode() for each in codes.context["unused_codes"])
    assert "10 unused codes left" in client.get("/account/2fa/").content.decode()
    assert "stop working" in client.get("/account/2fa/recovery-codes/generate/").content.decode()
    assert "password alone" in client.get("/account/2fa/totp/deactivate/").content.decode()
    client.post("/account/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=agent).exists()


def test_changing_the_second_step_asks_again_who_it_is(
    client_of: Callable[[User], Client], agent: User
) -> None:
    browser = client_of(agent)
    response = browser.get("/account/2fa/totp/activate/")
    assert response["Location"].startswith("/account/reauthenticate/")
    page = browser.get(response["Location"]).content.decode()
    assert "Confirm that it is you" in page


def test_with_the_second_step_on_the_app_confirms_who_it_is(
    client_of: Callable[[User], Client], agent: User
) -> None:
    TOTP.activate(agent, SECRET)
    assert "Confirm" in client_of(agent).get("/account/2fa/reauthenticate/").content.decode()


def test_a_one_time_password_leads_to_choosing_ones_own_and_nowhere_else(
    client: Client, agent: User, admin: User
) -> None:
    given = services.give_one_time_password(agent, by=admin)
    _sign_in(client, agent.email, given)
    assert client.get("/settings/")["Location"] == "/account/password/change/"
    page = client.get("/account/password/change/").content.decode()
    assert "Choose your own password before you go on." in page
    form = {"oldpassword": given, "password1": given, "password2": given}
    refused = client.post("/account/password/change/", form)
    assert "Choose another password" in refused.content.decode()
    form |= {"password1": "calm-river-1871", "password2": "calm-river-1871"}
    client.post("/account/password/change/", form)
    agent.refresh_from_db()
    assert not agent.password_is_one_time
    assert client.get("/account/2fa/").status_code == 200
    last = LogEntry.objects.latest("id")
    assert last.by == agent
    assert sentence(last).endswith("chose a new password for themselves")


def test_a_weak_password_is_refused_with_the_reason(
    client_of: Callable[[User], Client], agent: User
) -> None:
    form = {"oldpassword": PASSWORD, "password1": "12345678", "password2": "12345678"}
    response = client_of(agent).post("/account/password/change/", form)
    assert "too common" in response.content.decode()


def test_without_a_mail_server_a_lost_password_is_a_question_for_an_admin(
    client: Client, agent: User
) -> None:
    page = client.post("/account/password/reset/", {"email": agent.email}).content.decode()
    assert "Ask an admin" in page
    assert "<input" not in page.split("<main")[1]
    assert mail.outbox == []
    assert "Ask an admin" in client.get("/account/password/set/").content.decode()


@pytest.fixture
def _mail_server() -> None:
    configuration.change("MAIL_HOST", "smtp.example.com")
    configuration.change("MAIL_FROM", "desk@example.com")


@pytest.mark.usefixtures("_mail_server")
def test_with_a_mail_server_a_link_comes_by_mail_and_works_once(
    client: Client, agent: User
) -> None:
    assert "a link to choose" in client.get("/account/password/reset/").content.decode()
    done = client.post("/account/password/reset/", {"email": agent.email}, follow=True)
    assert "Look into your mail" in done.content.decode()
    [message] = mail.outbox
    assert message.from_email == "desk@example.com"
    assert message.subject == "Cancel Desk: choose a new password"
    link = next(line for line in str(message.body).splitlines() if line.startswith("http"))
    path = link.removeprefix("http://testserver")
    form = client.get(path, follow=True)
    assert "Choose a new password" in form.content.decode()
    new = {"password1": "calm-river-1871", "password2": "calm-river-1871"}
    changed = client.post(form.redirect_chain[-1][0], new, follow=True)
    assert "Password changed" in changed.content.decode()
    agent.refresh_from_db()
    assert agent.check_password("calm-river-1871")
    assert "This link no longer works" in Client().get(path, follow=True).content.decode()


@pytest.mark.usefixtures("_mail_server")
def test_a_stranger_cannot_learn_who_has_an_account(client: Client, agent: User) -> None:
    known = client.post("/account/password/reset/", {"email": agent.email})
    unknown = client.post("/account/password/reset/", {"email": "nobody@example.com"})
    assert known["Location"] == unknown["Location"]
    assert [message.to for message in mail.outbox] == [[agent.email]]


@pytest.mark.usefixtures("_mail_server")
def test_a_mail_server_that_refuses_tells_a_stranger_nothing(
    client: Client, agent: User, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "tests.web.refusing_mail.RefusingBackend"
    response = client.post("/account/password/reset/", {"email": agent.email})
    assert response["Location"] == "/account/password/reset/done/"


def test_hammering_the_sign_in_page_is_answered_with_a_plain_page(client: Client) -> None:
    for _ in range(31):
        response = _sign_in(client, "", "")
    assert response.status_code == 429
    assert "Wait a minute" in response.content.decode()


def test_what_was_sent_after_the_sign_in_ran_out_is_said_not_to_be_saved(client: Client) -> None:
    sent = client.post("/new/", {"client": "1"}, follow=True)
    assert sent.redirect_chain[0][0].startswith("/account/login/")
    assert "nothing was saved" in sent.content.decode()


def test_a_look_without_signing_in_is_no_trouble(client: Client) -> None:
    assert "nothing was saved" not in client.get("/new/", follow=True).content.decode()
