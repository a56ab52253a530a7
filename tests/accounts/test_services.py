"""Adding and changing users."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.accounts import services
from canceldesk.accounts.models import Role, User
from canceldesk.accounts.services import BadUserError, LastAdminError, UserProblemError
from canceldesk.cases.authority import NotAllowedError
from canceldesk.cases.log import sentence
from canceldesk.cases.models import LogEntry

pytestmark = pytest.mark.django_db


def _log() -> list[str]:
    return [sentence(entry) for entry in LogEntry.objects.order_by("id")]


def _second_admin(admin: User) -> User:
    return services.create_user(
        email="second@example.com", name="Second", role=Role.ADMIN, by=admin
    ).user


def test_a_new_desk_starts_with_an_admin() -> None:
    user = services.create_first_admin(
        email=" Ada@Example.com ", name="Ada Example", password="quiet-harbour-42"
    )
    assert (user.email, user.role) == ("ada@example.com", Role.ADMIN)
    assert user.check_password("quiet-harbour-42")
    assert not user.password_is_one_time
    assert _log() == ["added the user ada@example.com as admin"]


def test_a_desk_with_an_admin_gets_no_second_first_admin(admin: User) -> None:
    with pytest.raises(UserProblemError, match="There is an admin already"):
        services.create_first_admin(email="x@example.com", name="X", password="quiet-harbour-42")


def test_a_new_user_gets_a_one_time_password_that_is_written_down_nowhere(admin: User) -> None:
    added = services.create_user(
        email="New@Example.com", name=" New Example ", role=Role.AGENT, by=admin
    )
    assert added.user.check_password(added.one_time_password)
    assert added.user.password_is_one_time
    assert (added.user.email, added.user.name) == ("new@example.com", "New Example")
    assert added.one_time_password not in repr(added)
    assert added.one_time_password not in str(list(LogEntry.objects.values()))
    assert _log() == ["added the user new@example.com as agent"]


def test_one_time_passwords_differ_and_can_be_read_aloud(admin: User) -> None:
    passwords = {services.give_one_time_password(admin, by=admin) for _ in range(5)}
    assert len(passwords) == 5
    for password in passwords:
        assert len(password) == 19
        assert not set("il1o0") & set(password)


@pytest.mark.parametrize("email", ["", "nobody", "a@b@c", "a b@example.com"])
def test_an_address_must_be_one(email: str, admin: User) -> None:
    with pytest.raises(BadUserError, match="is not an e-mail address"):
        services.create_user(email=email, name="New", role=Role.AGENT, by=admin)


def test_an_address_is_used_once_in_any_case_of_letters(admin: User) -> None:
    with pytest.raises(BadUserError, match="already"):
        services.create_user(email="ADMIN@example.com", name="New", role=Role.AGENT, by=admin)


def test_a_user_has_a_name(admin: User) -> None:
    with pytest.raises(BadUserError, match="a name"):
        services.create_user(email="new@example.com", name="  ", role=Role.AGENT, by=admin)
    assert User.objects.count() == 1


def test_a_role_is_changed_and_logged_with_old_and_new(admin: User, agent: User) -> None:
    services.change_role(agent, Role.MANAGER, by=admin)
    agent.refresh_from_db()
    assert agent.role == Role.MANAGER
    assert _log() == ["changed the user agent@example.com: role from Agent to Manager"]
    entry = LogEntry.objects.get()
    assert (entry.by, entry.data["old"], entry.data["new"]) == (admin, "agent", "manager")


def test_the_same_role_again_is_no_change(admin: User, agent: User) -> None:
    services.change_role(agent, Role.AGENT, by=admin)
    assert not LogEntry.objects.exists()


def test_the_only_admin_stays_admin(admin: User) -> None:
    with pytest.raises(LastAdminError, match="Make somebody else an admin first"):
        services.change_role(admin, Role.AGENT, by=admin)
    with pytest.raises(LastAdminError):
        services.disable(admin, by=admin)
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == (Role.ADMIN, True)


def test_an_admin_who_is_switched_off_does_not_count(admin: User) -> None:
    second = _second_admin(admin)
    services.disable(second, by=admin)
    with pytest.raises(LastAdminError):
        services.change_role(admin, Role.MANAGER, by=admin)


def test_of_two_admins_one_may_go(admin: User) -> None:
    second = _second_admin(admin)
    services.change_role(admin, Role.AGENT, by=second)
    admin.refresh_from_db()
    assert admin.role == Role.AGENT


@given(
    st.lists(
        st.tuples(st.sampled_from(["demote", "disable", "enable", "promote"]), st.booleans()),
        max_size=12,
    )
)
def test_whatever_is_done_an_active_admin_is_left(steps: list[tuple[str, bool]]) -> None:
    started = {"role": Role.ADMIN, "is_active": True}
    people = [
        User.objects.update_or_create(email=f"{name}@example.com", defaults=started)[0]
        for name in ("one", "two")
    ]
    acts = {
        "demote": lambda user, by: services.change_role(user, Role.AGENT, by=by),
        "promote": lambda user, by: services.change_role(user, Role.ADMIN, by=by),
        "disable": lambda user, by: services.disable(user, by=by),
        "enable": lambda user, by: services.enable(user, by=by),
    }
    for act, on_first in steps:
        by = User.objects.filter(role=Role.ADMIN, is_active=True).first()
        assert by is not None
        try:
            acts[act](people[0 if on_first else 1], by)
        except LastAdminError:
            continue
    assert User.objects.filter(role=Role.ADMIN, is_active=True).exists()


def test_a_disabled_user_is_signed_out_and_an_enabled_one_can_return(
    admin: User, agent: User
) -> None:
    browser = Client()
    browser.force_login(agent, "allauth.account.auth_backends.AuthenticationBackend")
    assert browser.get("/account/2fa/").status_code == 200
    services.disable(agent, by=admin)
    services.disable(agent, by=admin)
    assert browser.get("/account/2fa/").status_code == 302
    services.enable(agent, by=admin)
    services.enable(agent, by=admin)
    agent.refresh_from_db()
    assert agent.is_active
    assert _log() == [
        "changed the user agent@example.com: switched off",
        "changed the user agent@example.com: switched on",
    ]


def test_a_one_time_password_ends_the_sessions_and_replaces_the_old_one(
    admin: User, agent: User
) -> None:
    browser = Client()
    browser.force_login(agent, "allauth.account.auth_backends.AuthenticationBackend")
    password = services.give_one_time_password(agent, by=admin)
    agent.refresh_from_db()
    assert agent.check_password(password)
    assert not agent.check_password("quiet-harbour-42")
    assert agent.password_is_one_time
    assert browser.get("/account/2fa/").status_code == 302
    assert _log() == ["changed the user agent@example.com: was given a one-time password"]


def test_two_step_sign_in_of_a_lost_phone_is_turned_off(admin: User, agent: User) -> None:
    Authenticator.objects.create(user=agent, type=Authenticator.Type.TOTP, data={"secret": "x"})
    services.turn_off_two_step(agent, by=admin)
    services.turn_off_two_step(agent, by=admin)
    assert not Authenticator.objects.exists()
    assert _log() == ["changed the user agent@example.com: two-step sign-in turned off"]


@pytest.mark.parametrize("role", ["agent", "manager"])
def test_only_an_admin_manages_users(
    role: str, request: pytest.FixtureRequest, admin: User
) -> None:
    by = request.getfixturevalue(role)
    attempts = [
        lambda: services.create_user(email="n@example.com", name="N", role=Role.ADMIN, by=by),
        lambda: services.change_role(by, Role.ADMIN, by=by),
        lambda: services.disable(admin, by=by),
        lambda: services.enable(admin, by=by),
        lambda: services.give_one_time_password(admin, by=by),
        lambda: services.turn_off_two_step(admin, by=by),
    ]
    for attempt in attempts:
        with pytest.raises(NotAllowedError, match="Ask an admin"):
            attempt()
    by.refresh_from_db()
    assert by.role == role
    assert not LogEntry.objects.exists()


def test_an_admin_who_was_switched_off_manages_nobody(admin: User) -> None:
    second = _second_admin(admin)
    services.disable(second, by=admin)
    second.refresh_from_db()
    with pytest.raises(NotAllowedError, match="switched off"):
        services.enable(second, by=second)
