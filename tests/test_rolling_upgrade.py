"""A new version is started beside the old one: the old code goes on working on the new tables, both
share the work, and the old one leaves without a word when it is told to.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import httpx
import pytest

import canceldesk
from canceldesk.workbook.sample import create_sample
from canceldesk.workbook.workbooklist import WorkbookList
from tests.databases import migrated_database
from tests.journeys.stack import PASSWORDS, Desk, free_port

pytestmark = [pytest.mark.loopback, pytest.mark.database, pytest.mark.xdist_group("journeys")]

ROOT = Path(canceldesk.__file__).resolve().parent.parent
MIGRATIONS = ":(glob)canceldesk/*/migrations/0*.py"
PATIENCE = 60.0
LOOK_EVERY = 2.0  # looking takes a process of its own

DECIDE = """
import json
from canceldesk import engine
from canceldesk.accounts.models import User
from canceldesk.cases import services
from canceldesk.cases.models import Channel, Decision, Reason, Wish
from canceldesk.clients.models import Subscription
from canceldesk.retention.services import decide
engine.listen()
manager = User.objects.get(email="manager@example.com")
free = Subscription.objects.filter(
    status="active", client__cases=None, client__open_invoices=None
).select_related("client")
one_each = {{subscription.client: subscription for subscription in free.order_by("pk")}}
numbers = []
for client, subscription in list(one_each.items())[:{count}]:
    case = services.file_request(
        by=manager, client=client, subscriptions=[subscription], wish=Wish.CANCEL,
        channel=Channel.CALL, reason=Reason.objects.get(key="too_expensive"),
    )
    decide(case, by=manager, decision=Decision.CANCEL, typed_id=client.billsby_id)
    numbers.append(case.number)
print(json.dumps(numbers))
"""


def git(*arguments: str) -> bytes:
    return subprocess.run(
        ["git", "-C", ROOT, *arguments], capture_output=True, check=True, timeout=60
    ).stdout


def before_the_tables_changed() -> str:
    """The newest commit whose tables the present migrations only add to."""
    now = set(migrations_at("HEAD"))
    changes = git("log", "--format=%H", "--", MIGRATIONS).decode().split()
    return next(f"{one}^" for one in changes if set(migrations_at(f"{one}^")) < now)


def migrations_at(commit: str) -> list[str]:
    names = git("ls-tree", "-r", "--name-only", commit, "canceldesk").decode().split()
    return [name for name in names if "/migrations/0" in name]


@pytest.fixture(scope="module")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The desk as it was before its tables were last changed."""
    try:
        kept = git("archive", before_the_tables_changed(), "canceldesk")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("The old code is only to be had where git has the project's history.")
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(fileobj=io.BytesIO(kept)) as archive:
        archive.extractall(folder, filter="data")
    return folder


class Processes:
    """Processes of the desk, of either version, and what they said."""

    def __init__(self, desk: Desk, old_code: Path, at_end: ExitStack) -> None:
        self.desk, self.old_code, self._at_end = desk, old_code, at_end

    def start(self, *command: str, old: bool) -> subprocess.Popen[bytes]:
        code = self.old_code if old else ROOT
        process = subprocess.Popen(
            [sys.executable, "-m", "canceldesk", *command],
            env=self.desk.environment | {"PYTHONPATH": str(code)},
            cwd=code,
            stdin=subprocess.DEVNULL,
            stdout=self._log("old" if old else "new", command[0]),
            stderr=subprocess.STDOUT,
        )
        self._at_end.callback(process.wait)
        self._at_end.callback(process.kill)
        return process

    def said(self, which: str, command: str) -> str:
        return (self.desk.folder / f"{which}-{command}.log").read_text()

    def _log(self, which: str, command: str) -> IO[bytes]:
        log = (self.desk.folder / f"{which}-{command}.log").open("ab")
        self._at_end.callback(log.close)
        return log


@pytest.fixture
def processes(tmp_path: Path, old_code: Path) -> Iterator[Processes]:
    with ExitStack() as at_end:
        url = at_end.enter_context(migrated_database(tmp_path / "data"))
        desk = Desk(tmp_path, database_url=url)
        at_end.callback(desk.stop)
        create_sample(desk.workbook, [])
        desk.start_billsby()
        done = desk.run("refresh")
        assert done.returncode == 0, done.stderr
        desk.add_users()
        yield Processes(desk, old_code, at_end)


def decided(desk: Desk, count: int) -> list[str]:
    """Cases that a manager has just decided to cancel for good, by their numbers."""
    done = desk.python(DECIDE.format(count=count))
    assert done.returncode == 0, done.stderr
    numbers = json.loads(done.stdout)
    assert len(numbers) == count
    return list(numbers)


def wait_until_closed(processes: Processes, numbers: list[str]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        told = json.loads(processes.desk.run("case", "list", "--all", "--json").stdout)
        state = {case["number"]: case["state"] for case in told}
        if all(state[number] == "closed" for number in numbers):
            return
        time.sleep(LOOK_EVERY)
    raise AssertionError(f"{state}\n{processes.said('old', 'worker')[-4000:]}")


def listed(desk: Desk) -> list[str]:
    return sorted(row.name for row in WorkbookList(desk.workbook).read().rows)


def test_the_old_version_works_on_the_tables_of_the_new_one(processes: Processes) -> None:
    desk = processes.desk
    old = processes.start("worker", old=True)

    alone = decided(desk, 2)
    wait_until_closed(processes, alone)
    assert "Traceback" not in processes.said("old", "worker")

    new = processes.start("worker", old=False)
    together = decided(desk, 4)
    old.terminate()
    assert old.wait(PATIENCE) == 0
    afterwards = decided(desk, 1)
    wait_until_closed(processes, together + afterwards)
    assert new.poll() is None
    names = listed(desk)
    assert len(names) == len(set(names)) == 7


def test_the_old_pages_show_cases_of_the_new_version(processes: Processes) -> None:
    desk = processes.desk
    (number,) = decided(desk, 1)
    address = f"127.0.0.1:{free_port()}"
    processes.start("web", "--listen", address, old=True)
    with httpx.Client(
        base_url=f"http://{address}", trust_env=False, follow_redirects=True
    ) as browser:
        _until_answered(browser)
        page = browser.get("/account/login/").text
        form = {"login": "manager@example.com", "password": PASSWORDS["manager"]}
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found is not None
        token = {"csrfmiddlewaretoken": found[1]}
        assert browser.post("/account/login/", data=form | token).status_code == httpx.codes.OK
        assert number in browser.get(f"/cases/{int(number.removeprefix('C-'))}/").text
    assert "Traceback" not in processes.said("old", "web")


def _until_answered(browser: httpx.Client) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            browser.get("/account/login/").raise_for_status()
        except httpx.ConnectError:
            assert time.monotonic() < until
            time.sleep(0.2)
        else:
            return


def test_there_is_an_older_version_to_be_survived(old_code: Path) -> None:
    now = {path.name for path in ROOT.glob("canceldesk/*/migrations/0*.py")}
    then = {path.name for path in old_code.glob("canceldesk/*/migrations/0*.py")}
    assert then < now
