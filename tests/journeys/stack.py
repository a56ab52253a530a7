"""The real thing for journeys: a practice Billsby and a desk as processes of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page

DOMAIN = "brightpath"
KEY = f"{DOMAIN}_0123456789abcdef0123456789abcdef"
WEBHOOK_SECRET = "a-secret-between-the-two"
PASSWORDS = {role: f"practice-as-{role}" for role in ("agent", "manager", "admin")}
ADD_USERS = """
from canceldesk.accounts.models import User
for role, password in {passwords!r}.items():
    User.objects.create_user(
        f"{{role}}@example.com", password, name=f"{{role.capitalize()}} Example", role=role
    )
"""
STARTS_WITHIN = 60.0
LOOK_EVERY = 0.1
_BIN = Path(sys.executable).parent


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Practice:
    """The admin API and the control panel of the practice Billsby, without a browser."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.panel_url = f"{url}/panel/"

    def advance(self, *, days: float = 0, hours: float = 0) -> None:
        """Move Billsby's clock forward and do the billing that falls due."""
        self._call("POST", "clock", {"days": days, "hours": hours})

    def quirk(self, **values: Any) -> None:
        """Set what Billsby leaves undocumented."""
        self._call("PUT", "quirks", values)

    def fault(self, **rule: Any) -> None:
        """Make matching API calls go wrong."""
        self._call("POST", "faults", rule)

    def no_faults(self) -> None:
        """Let every call go well again."""
        self._call("DELETE", "faults")

    def down(self, how: str) -> None:
        """`refuse` or `503` takes the API down, `no` brings it up."""
        self._call("PUT", "down", {"how": how})

    def card(self, customer: str, *, good: bool) -> None:
        """Make a customer's card work or fail."""
        self._call("PUT", f"customers/{customer}/card", {"good": good})

    def history(self) -> list[dict[str, Any]]:
        """Everything that happened, oldest first."""
        return list(self._call("GET", "history"))

    def calls(self) -> list[dict[str, Any]]:
        """Every API call that arrived, oldest first."""
        return list(self._call("GET", "calls"))

    def state(self) -> dict[str, Any]:
        """The company at a glance."""
        return dict(self._call("GET", "state"))

    def get(self, path: str) -> Any:
        """What the API itself says, for example `customers/MARA000001/invoices`."""
        reply = httpx.get(
            f"{self.url}/api/v1/rest/core/{DOMAIN}/{path}",
            headers={"ApiKey": KEY},
            trust_env=False,
        )
        return reply.raise_for_status().json()

    def suspend(self, subscription: str) -> None:
        """The panel's clicks: Update status, Suspended, confirm."""
        httpx.post(
            f"{self.panel_url}subscriptions/{subscription}/status",
            data={"status": "Suspended", "confirmed": "yes"},
            trust_env=False,
        )

    def _call(self, method: str, path: str, body: object = None) -> Any:
        reply = httpx.request(
            method, f"{self.url}/_practice/{path}", json=body, trust_env=False, timeout=60
        )
        return reply.raise_for_status().json()


@dataclass
class Desk:
    """A desk, its practice Billsby and its workbook, all below `folder`.

    Its database is a file there, too, or the PostgreSQL at `database_url`. `practice` steers
    Billsby; `page` opens a browser signed in as a role.
    """

    folder: Path
    database_url: str = ""
    browser: Browser = field(init=False)
    port: int = field(default_factory=free_port)
    billsby_port: int = field(default_factory=free_port)
    contexts: list[BrowserContext] = field(default_factory=list)
    _desk: subprocess.Popen[bytes] | None = None
    _billsby: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the desk answers, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def practice(self) -> Practice:
        """The practice Billsby."""
        return Practice(f"http://127.0.0.1:{self.billsby_port}")

    @property
    def panel_url(self) -> str:
        """The control panel of the practice Billsby."""
        return self.practice.panel_url

    @property
    def workbook(self) -> Path:
        """The workbook that holds the list."""
        return self.folder / "clients.xlsx"

    @property
    def environment(self) -> dict[str, str]:
        """What the desk's processes and commands are told."""
        ours = ("CANCELDESK_", "DJANGO_")
        known = {n: v for n, v in os.environ.items() if not n.startswith(ours)}
        return known | {
            "CANCELDESK_DATA": str(self.folder / "data"),
            "CANCELDESK_DATABASE_URL": self.database_url,
            "CANCELDESK_LISTEN": f"127.0.0.1:{self.port}",
            "CANCELDESK_COMPANY_NAME": "Brightpath",
            "CANCELDESK_BILLSBY_URL": f"{self.practice.url}/api/v1/rest/core",
            "CANCELDESK_BILLSBY_PANEL_URL": self.panel_url,
            "CANCELDESK_BILLSBY_DOMAIN": DOMAIN,
            "CANCELDESK_BILLSBY_API_KEY": KEY,
            "CANCELDESK_BILLSBY_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "CANCELDESK_BILLSBY_RATE": "100",
            "CANCELDESK_POLL_SECONDS": "1",
            "CANCELDESK_WORKBOOK_PATH": str(self.workbook),
        }

    def start_billsby(self) -> None:
        """Start the practice Billsby; it keeps its books between starts."""
        secrets = {
            "BILLSBY_SANDBOX_KEY": KEY,
            "BILLSBY_SANDBOX_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }
        command = ["billsby-sandbox", "serve", "--port", str(self.billsby_port)]
        command += ["--db", str(self.folder / "billsby.sqlite3"), "--company", DOMAIN]
        command += ["--webhook-url", f"{self.url}/hooks/billsby"]
        self._billsby = self._start(command, os.environ | secrets, "billsby.log")
        self._wait(f"{self.practice.url}/_practice/state", self._billsby, "billsby.log")

    def stop_billsby(self) -> None:
        """End the practice Billsby: nothing answers there any more."""
        self._end(self._billsby)
        self._billsby = None

    def start_desk(self) -> None:
        """Start the desk, pages and worker, and wait for its first page."""
        self._desk = self._start(["canceldesk", "serve"], self.environment, "desk.log")
        self._wait(f"{self.url}/account/login/", self._desk, "desk.log")

    def stop_desk(self) -> None:
        """End the desk as a person would."""
        self._end(self._desk)
        self._desk = None

    def kill_desk(self) -> None:
        """End the desk as a power cut would."""
        if self._desk:
            self._desk.kill()
            self._desk.wait()
        self._desk = None

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of the desk, such as `run("case", "list", "--json")`."""
        return subprocess.run(
            [_BIN / "canceldesk", *arguments],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        """Code that runs in the desk's own surroundings, for what no command does."""
        prelude = "import django; django.setup()\n"
        return subprocess.run(
            [sys.executable, "-c", prelude + code],
            env=self.environment | {"DJANGO_SETTINGS_MODULE": "canceldesk.settings"},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def add_users(self) -> None:
        """One person of each role, with the passwords that `page` uses."""
        done = self.python(ADD_USERS.format(passwords=PASSWORDS))
        assert done.returncode == 0, done.stderr

    @property
    def is_up(self) -> bool:
        """Whether the desk runs."""
        return self._desk is not None and self._desk.poll() is None

    @property
    def is_billsby_up(self) -> bool:
        """Whether the practice Billsby runs."""
        return self._billsby is not None and self._billsby.poll() is None

    def page(self, role: str, **options: Any) -> Page:
        """A page in a browser of its own, signed in as `agent`, `manager` or `admin`.

        `options` are those of playwright's `new_context`, such as a viewport.
        """
        page = self.visitor(**options)
        page.goto(f"{self.url}/account/login/")
        page.locator("input[name=login]").fill(f"{role}@example.com")
        page.locator("input[name=password]").fill(PASSWORDS[role])
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url(f"{self.url}/")
        return page

    def visitor(self, **options: Any) -> Page:
        """A page in a browser of its own, signed in as nobody."""
        context = self.browser.new_context(**options)
        context.set_default_timeout(15_000)
        self.contexts.append(context)
        return context.new_page()

    def close_pages(self) -> None:
        """Close every browser window a journey opened."""
        while self.contexts:
            self.contexts.pop().close()

    def stop(self) -> None:
        """End everything."""
        self.close_pages()
        self.stop_desk()
        self.stop_billsby()

    def _start(
        self, command: list[str], environment: dict[str, str], log: str
    ) -> subprocess.Popen[bytes]:
        with (self.folder / log).open("ab") as said:
            return subprocess.Popen(
                [_BIN / command[0], *command[1:]],
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )

    def _wait(self, url: str, process: subprocess.Popen[bytes], log: str) -> None:
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until and process.poll() is None:
            try:
                if httpx.get(url, trust_env=False).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(LOOK_EVERY)
        raise AssertionError(f"{url} does not answer:\n{(self.folder / log).read_text()[-4000:]}")

    @staticmethod
    def _end(process: subprocess.Popen[bytes] | None) -> None:
        if process is None:
            return
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
