from __future__ import annotations

import pytest

from canceldesk.accounts.models import Role, User
from tests.commands.conftest import Say, answer

pytestmark = pytest.mark.django_db

ADMIN = ("--as", "admin@example.com")


def test_the_first_user_is_an_admin_and_needs_nobody(say: Say) -> None:
    made = answer(say("user", "add", "ada@example.com", "--name", "Ada Example", "--json"))

    ada = User.objects.get()
    assert ada.role == Role.ADMIN
    assert ada.check_password(made["password"])


def test_everybody_else_is_added_by_an_admin(say: Say, admin: User) -> None:
    alone = say("user", "add", "max@example.com", "--name", "Max Example")
    added = say(
        "user", "add", "max@example.com", "--name", "Max Example", "--role", "manager", *ADMIN
    )

    assert alone.exit_code == 2
    assert "which admin" in alone.stderr
    assert "max@example.com can sign in" in added.stdout
    assert User.objects.get(email="max@example.com").role == Role.MANAGER


def test_an_agent_may_not_add_anybody(say: Say, agent: User) -> None:
    said = say(
        "user", "add", "max@example.com", "--name", "Max Example", "--as", "agent@example.com"
    )

    assert said.exit_code == 1
    assert "may not manage users" in said.stderr


def test_an_unknown_role_is_answered_with_the_known_ones(say: Say, admin: User) -> None:
    said = say("user", "role", "admin@example.com", "boss", *ADMIN)

    assert said.exit_code == 2
    assert "agent, manager, admin" in said.stderr


def test_a_role_is_changed(say: Say, admin: User, agent: User) -> None:
    say("user", "role", "agent@example.com", "manager", *ADMIN)

    agent.refresh_from_db()
    assert agent.role == Role.MANAGER


def test_the_last_admin_stays_one(say: Say, admin: User) -> None:
    said = say("user", "role", "admin@example.com", "agent", *ADMIN)

    assert said.exit_code == 1
    assert "only admin" in said.stderr


def test_somebody_is_switched_off_and_on(say: Say, admin: User, agent: User) -> None:
    say("user", "disable", "agent@example.com", *ADMIN)
    listed = say("user", "list").stdout
    say("user", "enable", "agent@example.com", *ADMIN)

    assert "agent@example.com  Agent Example, Agent  (switched off)" in listed
    agent.refresh_from_db()
    assert agent.is_active


def test_a_one_time_password_is_given(say: Say, admin: User, agent: User) -> None:
    given = answer(say("user", "password", "agent@example.com", *ADMIN, "--json"))

    agent.refresh_from_db()
    assert agent.check_password(given["password"])
    assert agent.password_is_one_time


def test_everybody_is_listed_for_machines(say: Say, admin: User) -> None:
    assert answer(say("user", "list", "--json")) == [
        {"email": "admin@example.com", "name": "Admin Example", "role": "admin", "active": True}
    ]
