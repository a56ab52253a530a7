"""Two processes that serve pages stop guessing, and let a code in, as one."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

from tests.databases import migrated_database, on_postgresql
from tests.journeys.stack import PASSWORDS, Desk, free_port

pytestmark = [
    pytest.mark.loopback,
    pytest.mark.database,
    pytest.mark.skipif(not on_postgresql(), reason="On SQLite one process serves the pages."),
]

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
WITHIN = 60.0
WITH_TWO_STEPS = """
from allauth.mfa.totp.internal.auth import TOTP
from canceldesk.accounts.models import User
TOTP.activate(User.objects.get(email="manager@example.com"), {secret!r})
"""


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Where two processes serve the pages of one desk; its manager signs in with two steps."""
    folder = tmp_path_factory.mktemp("two")
    with ExitStack() as at_end:
        desk = Desk(folder, at_end.enter_context(migrated_database(folder / "data")))
        desk.add_users()
        done = desk.python(WITH_TWO_STEPS.format(secret=SECRET))
        assert done.returncode == 0, done.stderr
        ports = [free_port(), free_port()]
        processes = [_serve(desk, port, at_end) for port in ports]
        for port, process in zip(ports, processes, strict=True):
            _wait(desk, port, process)
        yield [f"http://127.0.0.1:{port}" for port in ports]


def _serve(desk: Desk, port: int, at_end: ExitStack) -> subprocess.Popen[bytes]:
    with _log(desk, port).open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "canceldesk", "web", "--listen", f"127.0.0.1:{port}"],
            env=desk.environment,
            cwd=desk.folder,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    at_end.callback(process.wait)
    at_end.callback(process.terminate)
    return process


def _wait(desk: Desk, port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + WITHIN
    while process.poll() is None and time.monotonic() < until:
        try:
            httpx.get(f"http://127.0.0.1:{port}/account/login/", trust_env=False)
        except httpx.ConnectError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"No pages are served: {_log(desk, port).read_text()[-2000:]}")


def _log(desk: Desk, port: int) -> Path:
    return desk.folder / f"web-{port}.log"


class Visitor:
    """Somebody at a browser of their own, at one of the processes."""

    def __init__(self, address: str) -> None:
        self.browser = httpx.Client(base_url=address, trust_env=False, follow_redirects=True)

    def sign_in(self, role: str, password: str = "") -> httpx.Response:
        words = {"login": f"{role}@example.com", "password": password or PASSWORDS[role]}
        return self._send("/account/login/", words)

    def give_code(self, code: str) -> httpx.Response:
        return self._send("/account/2fa/authenticate/", {"code": code})

    def _send(self, path: str, words: dict[str, str]) -> httpx.Response:
        token = re.search(
            r'name="csrfmiddlewaretoken" value="([^"]+)"', self.browser.get(path).text
        )
        assert token is not None
        return self.browser.post(path, data=words | {"csrfmiddlewaretoken": token[1]})


@pytest.fixture
def one(addresses: list[str]) -> Iterator[Visitor]:
    visitor = Visitor(addresses[0])
    with visitor.browser:
        yield visitor


@pytest.fixture
def other(addresses: list[str]) -> Iterator[Visitor]:
    visitor = Visitor(addresses[1])
    with visitor.browser:
        yield visitor


def test_guesses_at_one_process_count_at_the_other(one: Visitor, other: Visitor) -> None:
    for number in range(5):
        assert "are not correct" in one.sign_in("agent", f"guess-{number}").text
    assert "Too many failed login attempts" in other.sign_in("agent").text
    assert urlsplit(str(other.sign_in("admin").url)).path == "/"


def test_a_code_used_at_one_process_is_refused_at_the_other(one: Visitor, other: Visitor) -> None:
    one.sign_in("manager")
    other.sign_in("manager")
    code = format_hotp_value(hotp_value(SECRET, int(time.time()) // 30))
    assert urlsplit(str(one.give_code(code).url)).path == "/"
    assert "Incorrect code" in other.give_code(code).text
