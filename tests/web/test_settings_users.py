"""Settings → Users."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from canceldesk.accounts.models import Role, User

pytestmark = pytest.mark.django_db

NEW = {"name": "New Example", "email": "new@example.com", "role": "manager"}


@pytest.fixture
def browser(client_of: Callable[[User], Client], admin: User) -> Client:
    return client_of(admin)


def _password_on(page: str) -> str:
    found = re.search(r'<code class="desk-code">([^<]+)</code>', page)
    assert found is not None
    return found[1]


def test_everybody_is_listed_with_role_second_step_and_state(
    browser: Client, agent: User, manager: User
) -> None:
    Authenticator.objects.create(user=agent, type=Authenticator.Type.TOTP, data={})
    User.objects.filter(pk=manager.pk).update(is_active=False)
    page = browser.get("/settings/users/").content.decode()
    rows = {row.split("<a ")[1].split(">")[1].split("<")[0]: row for row in page.split("<tr")[2:]}
    assert set(rows) == {"Admin Example", "Agent Example", "Manager Example"}
    assert ">On<" in rows["Agent Example"]
    assert ">Off<" in rows["Admin Example"]
    assert "Switched off" in rows["Manager Example"]
    assert "never" in rows["Manager Example"]


def test_adding_somebody_shows_their_one_time_password_once(browser: Client) -> None:
    response = browser.post("/settings/users/new/", NEW)
    password = _password_on(response.content.decode())
    user = User.objects.get(email="new@example.com")
    assert user.role == Role.MANAGER
    assert user.check_password(password)
    assert "no-store" in response["Cache-Control"]
    assert password not in browser.get(f"/settings/users/{user.pk}/").content.decode()


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"email": "nobody"}, "Enter a valid email address"),
        ({"email": "ADMIN@example.com"}, "There is a user with the address"),
        ({"name": ""}, "This field is required"),
        ({"role": "owner"}, "not one of the available choices"),
    ],
)
def test_a_fault_adds_nobody_and_says_what_is_wrong(
    browser: Client, wrong: dict[str, str], complaint: str
) -> None:
    response = browser.post("/settings/users/new/", NEW | wrong)
    assert response.status_code == 422
    assert complaint in response.content.decode()
    assert User.objects.count() == 1


def test_the_form_for_somebody_new_starts_as_an_agent(browser: Client) -> None:
    response = browser.get("/settings/users/new/")
    assert response.status_code == 200
    assert '<option value="agent" selected>' in response.content.decode()


def test_a_role_is_changed(browser: Client, agent: User) -> None:
    page = browser.post(
        f"/settings/users/{agent.pk}/role/", {"role": "manager"}, follow=True
    ).content.decode()
    assert "Role changed." in page
    assert '<option value="manager" selected>' in page


def test_a_role_that_does_not_exist_is_refused(browser: Client, agent: User) -> None:
    page = browser.post(f"/settings/users/{agent.pk}/role/", {"role": "owner"}, follow=True)
    assert "Choose a role." in page.content.decode()
    agent.refresh_from_db()
    assert agent.role == Role.AGENT


def test_the_only_admin_is_told_why_they_stay(browser: Client, admin: User) -> None:
    for act, form in (("role", {"role": "agent"}), ("disable", {})):
        page = browser.post(f"/settings/users/{admin.pk}/{act}/", form, follow=True)
        assert "is the only admin" in page.content.decode()


def test_switching_off_and_on(browser: Client, agent: User) -> None:
    page = browser.post(f"/settings/users/{agent.pk}/disable/", follow=True).content.decode()
    assert "Switched off." in page
    assert "Back again" in page
    page = browser.post(f"/settings/users/{agent.pk}/enable/", follow=True).content.decode()
    assert "Switched on." in page
    assert "No longer here" in page


def test_a_forgotten_password_is_replaced_by_a_one_time_one(browser: Client, agent: User) -> None:
    response = browser.post(f"/settings/users/{agent.pk}/password/")
    agent.refresh_from_db()
    assert agent.check_password(_password_on(response.content.decode()))
    assert "no-store" in response["Cache-Control"]


def test_a_lost_phone_is_forgotten(browser: Client, agent: User) -> None:
    Authenticator.objects.create(user=agent, type=Authenticator.Type.TOTP, data={})
    assert "Lost phone" in browser.get(f"/settings/users/{agent.pk}/").content.decode()
    browser.post(f"/settings/users/{agent.pk}/two-step-off/")
    assert "Lost phone" not in browser.get(f"/settings/users/{agent.pk}/").content.decode()


ADDRESSES = [
    "",
    "new/",
    "1/",
    "1/role/",
    "1/disable/",
    "1/enable/",
    "1/password/",
    "1/two-step-off/",
]


@pytest.mark.parametrize("role", ["agent", "manager"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_others_may_neither_look_nor_act(
    role: str,
    address: str,
    admin: User,
    client_of: Callable[[User], Client],
    request: pytest.FixtureRequest,
) -> None:
    browser = client_of(request.getfixturevalue(role))
    path = f"/settings/users/{address.replace('1', str(admin.pk))}"
    form = NEW | {"role": "agent"}
    for response in (browser.get(path), browser.post(path, form)):
        assert response.status_code in {403, 405}
    assert browser.post(path, form).status_code == 403
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == (Role.ADMIN, True)
    assert User.objects.count() == 2


def test_nobody_unknown_is_changed(browser: Client) -> None:
    for address in ADDRESSES[2:]:
        path = f"/settings/users/{address.replace('1', '999999')}"
        response = browser.post(path, {"role": "agent"})
        assert response.status_code == 404
