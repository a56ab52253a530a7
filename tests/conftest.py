"""What every room's tests share. A room's own fixtures live in its own conftest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts

from canceldesk import clock
from canceldesk.accounts.models import Role, User
from tests.flushing import flush_as_migrated

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
REACHES_LOOPBACK = ("journey", "loopback", "chaos")


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test reaches another host; only marked ones reach this one."""
    if any(request.node.get_closest_marker(name) for name in REACHES_LOOPBACK):
        socket_allow_hosts(["127.0.0.1", "localhost", "::1"], allow_unix_socket=True)
    else:
        disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture(scope="session", autouse=True)
def _flush_as_migrated() -> Iterator[None]:
    """Transactional tests leave the log's guard and the reasons behind them."""
    with flush_as_migrated():
        yield


@pytest.fixture
def frozen_clock() -> Iterator[dt.datetime]:
    """Holds the desk's clock at `NOW` (Friday 10 AM in New York); `clock.advance` moves it."""
    with clock.frozen(NOW):
        yield NOW


def _user(role: Role) -> User:
    name = f"{role.label} Example"
    return User.objects.create_user(
        f"{role.value}@example.com", "quiet-harbour-42", name=name, role=role
    )


@pytest.fixture
def agent(db: None) -> User:
    return _user(Role.AGENT)


@pytest.fixture
def manager(db: None) -> User:
    return _user(Role.MANAGER)


@pytest.fixture
def admin(db: None) -> User:
    return _user(Role.ADMIN)


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """A browser in which somebody has signed in."""

    def signed_in(user: User) -> Client:
        browser = Client()
        browser.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
        return browser

    return signed_in
