"""What every room's tests share. A room's own fixtures live in its own conftest."""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.test import Client
from hypothesis import settings
from pytest_socket import disable_socket, enable_socket, socket_allow_hosts
from xdist.scheduler import LoadScopeScheduling

from canceldesk import clock
from canceldesk.accounts.models import Role, User
from tests import factories
from tests.databases import ROOMS_WITHOUT, is_in_room_without, on_postgresql, uses_database
from tests.flushing import flush_as_migrated

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)
_LEFT_OUT = pytest.StashKey[int]()
# What shares something dear that is made once: a running desk, a PostgreSQL, a planted run.
IN_ONE_WORKER = {
    "tests/journeys/": "journeys",
    "tests/test_rolling_upgrade.py": "journeys",
    "tests/test_postgres.py": "postgres",
    "tests/chaos/test_oracle": "oracle",
}
REACHES_LOOPBACK = ("journey", "loopback", "chaos")


# How long an example takes says how busy the machine is, not whether the desk is right.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


class Scheduling(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Gives a test to the worker that is free, but what shares something to one worker. It goes
    by the place of a test, because xdist 3.8 loses the groups of `--dist loadgroup` with pytest
    9.2 and says nothing.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next(
            (group for place, group in IN_ONE_WORKER.items() if nodeid.startswith(place)), nodeid
        )

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        """As xdist does, but forgetting what is done: xdist counts through all that a worker ever
        had, after every test.
        """
        scope = self._split_scope(self.registered_collections[node][item_index])
        super().mark_test_complete(node, item_index, duration)
        if all(self.assigned_work[node][scope].values()):
            del self.assigned_work[node][scope]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Used whenever there are several workers."""
    return Scheduling(config, log)


@pytest.hookimpl(trylast=True)  # after those that add markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL leave out what has no database: it runs on SQLite, as everything does.

    What starts processes takes longest and begins first, lest one worker be busy with it alone
    when all else is done.
    """
    items.sort(key=lambda item: item.get_closest_marker("database") is None)
    if on_postgresql():
        others = [item for item in items if not uses_database(item)]
        items[:] = [item for item in items if uses_database(item)]
        config.stash[_LEFT_OUT] = len(others)
        config.hook.pytest_deselected(items=others)
        return
    quick = [item for item in items if item.get_closest_marker("chaos") is None]
    if wrong := [item for item in quick if is_in_room_without(item.path) and uses_database(item)]:
        raise pytest.UsageError(f"{wrong[0].nodeid} uses a database; see ROOMS_WITHOUT")


def pytest_configure() -> None:
    """Log tracebacks as Python prints them: structlog's own, framed and coloured with every local
    variable, take most of a second each.
    """
    # In the very renderer of structlog's defaults, to which some tests go back.
    structlog.get_config()["processors"][-1].exception_formatter = structlog.dev.plain_traceback


def pytest_collection_finish() -> None:
    """What is there now stays to the end: no collector of garbage need look at it again."""
    gc.collect()
    gc.freeze()


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """On PostgreSQL do not even read the rooms that have none."""
    return True if on_postgresql() and is_in_room_without(collection_path) else None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let the controller of a run with several workers know what was left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(_LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear it; every worker has left out the same."""
    node.config.stash[_LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say which database it was."""
    if on_postgresql():
        terminalreporter.write_line(
            f"On PostgreSQL. Left out, because they use no database and run on SQLite: the rooms "
            f"{', '.join(ROOMS_WITHOUT)} and {config.stash.get(_LEFT_OUT, 0)} more tests."
        )
    else:
        terminalreporter.write_line("On SQLite.")


@pytest.fixture(scope="session")
def django_db_modify_db_settings_xdist_suffix() -> None:
    """The settings have named this worker's database already."""


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test reaches another host; only marked ones reach this one."""
    if any(request.node.get_closest_marker(name) for name in REACHES_LOOPBACK):
        socket_allow_hosts(["127.0.0.1", "localhost", "::1"], allow_unix_socket=True)
    else:
        disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture(autouse=True)
def _factories_count_anew() -> None:
    """IDs do not depend on the tests before: a search for digits finds no others by chance."""
    factories.count_anew()


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
