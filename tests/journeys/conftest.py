"""Journeys run against the real stack in a real browser, all in one worker of the test run."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from canceldesk.workbook.protocol import NewRow
from canceldesk.workbook.sample import create_sample
from tests.databases import database_of_its_own
from tests.journeys.stack import Desk

CHROMIUM = "chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.journey)


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Debian's chromium. Where it is missing journeys are skipped, in CI they fail.

    One for each journey: playwright runs an event loop in this thread, which must not be there
    when the same worker goes on with other tests.
    """
    found = shutil.which(CHROMIUM)
    if found is None:
        sentence = "chromium is missing (Debian: apt-get install chromium): no journey can be made."
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def running_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The stack, started once for all journeys: 60 clients at Billsby, 40 rows on the list and
    one user of each role.
    """
    with database_of_its_own() as database_url:
        desk = Desk(tmp_path_factory.mktemp("journeys"), database_url)
        try:
            create_sample(desk.workbook, _rows())
            desk.start_billsby()
            _must(desk, "migrate")
            _must(desk, "refresh")
            desk.add_users()
            desk.start_desk()
            yield desk
        finally:
            desk.stop()


@pytest.fixture
def desk(browser: Browser, running_desk: Desk) -> Iterator[Desk]:
    """The running stack; what a journey opened or broke is put right for the next one."""
    running_desk.browser = browser
    yield running_desk
    running_desk.close_pages()
    if running_desk.is_billsby_up:
        running_desk.practice.no_faults()
        running_desk.practice.down("no")
    else:
        running_desk.start_billsby()
    if not running_desk.is_up:
        running_desk.start_desk()


def _rows() -> list[NewRow]:
    return [
        NewRow(
            name=f"Former Client {number:02d}",
            phone=f"+1 202 555 01{number:02d}",
            cancelled_on=dt.date(2026, 10, 1) - dt.timedelta(days=9 * number),
            collected_minor=9900 * (number % 12 + 1),
            currency="USD",
            months=number % 12 + 1,
            reason="Moved away",
        )
        for number in range(40)
    ]


def _must(desk: Desk, *arguments: str) -> None:
    done = desk.run(*arguments)
    assert done.returncode == 0, done.stderr
