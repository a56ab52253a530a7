"""Starting the demo, and stopping it without leaving anything behind."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from canceldesk.demo.practice import DOMAIN, Practice

if TYPE_CHECKING:
    from canceldesk.accounts.models import User

COMPANY = "Brightpath"
# The demo's own files are known by this one, so that nothing else is ever removed.
MARK = ".canceldesk-demo"


class CannotRunError(Exception):
    """The demo cannot start; the text says why and what to do."""


@dataclass(frozen=True)
class Person:
    """Somebody to sign in as."""

    role: str
    name: str
    email: str
    password: str


PEOPLE = (
    Person("agent", "Robin Ferris", "agent@example.com", "practice-as-agent"),
    Person("manager", "Morgan Hale", "manager@example.com", "practice-as-manager"),
    Person("admin", "Avery Quinn", "admin@example.com", "practice-as-admin"),
)


@dataclass(frozen=True)
class Demo:
    """A demo below `folder`, the desk on `port` and the practice Billsby on `billsby_port`."""

    folder: Path
    port: int
    billsby_port: int

    @property
    def url(self) -> str:
        """Where the desk answers."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def workbook(self) -> Path:
        """The sample workbook."""
        return self.folder / "clients.xlsx"

    def remove(self) -> None:
        """Forget everything of an earlier demo. Raises CannotRunError for any other folder."""
        if not self.folder.exists():
            return
        if not (self.folder / MARK).exists():
            raise CannotRunError(f"{self.folder} is not the folder of a demo; it is left alone.")
        with self._alone():
            shutil.rmtree(self.folder)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep a second demo out of the folder for as long as this one uses it; the lock goes
        with the process, however it ends. Raises CannotRunError.
        """
        with (self.folder / MARK).open("a") as mark:
            try:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as problem:
                raise CannotRunError(
                    f"A demo already runs in {self.folder}. Stop it first, or give this one a "
                    "folder of its own: .venv/bin/canceldesk demo --data another-demo --port "
                    f"{self.port + 1} --billsby-port {self.billsby_port + 1}"
                ) from problem
            yield

    def run(self) -> None:
        """Serve until Ctrl-C or SIGTERM. Raises CannotRunError, CannotStartError."""
        self._prepare_folder()
        with self._alone():
            self._check_ports()
            self._set_environment()
            self._serve(Practice.below(self.folder, self.billsby_port))

    def _serve(self, practice: Practice) -> None:
        with _ending_on_sigterm():
            try:
                self._run(practice)
            finally:
                practice.stop()

    def _run(self, practice: Practice) -> None:
        practice.start(f"{self.url}hooks/billsby")
        import django

        django.setup()
        from canceldesk import processlog, serving

        processlog.configure(to=self.folder / "desk.log")
        serving.prepare()
        self._set_settings(practice)
        people = _people()
        practice.wait()
        self._first_data()

        def ready() -> None:
            self._welcome(practice)
            _fill_in_background(people, practice)

        serving.serve(
            with_pages=True,
            with_worker=True,
            listen=f"127.0.0.1:{self.port}",
            when_ready=ready,
        )

    def _check_ports(self) -> None:
        for port, option in ((self.port, "--port"), (self.billsby_port, "--billsby-port")):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as problem:
                    raise CannotRunError(
                        f"Port {port} is taken, perhaps by a demo that runs already. Stop it, or "
                        f"choose another port: .venv/bin/canceldesk demo {option} {port + 1}"
                    ) from problem

    def _prepare_folder(self) -> None:
        if self.folder.exists() and any(self.folder.iterdir()) and not self._is_ours():
            raise CannotRunError(
                f"{self.folder} holds something else. Choose another folder with --data."
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / MARK).touch()

    def _is_ours(self) -> bool:
        return (self.folder / MARK).exists()

    def _set_environment(self) -> None:
        """A real desk's settings that this shell may hold must not lead the demo to real data."""
        for name in [name for name in os.environ if name.startswith("CANCELDESK_")]:
            del os.environ[name]
        os.environ["CANCELDESK_DATA"] = str(self.folder)
        os.environ["DJANGO_SETTINGS_MODULE"] = "canceldesk.settings"

    def _set_settings(self, practice: Practice) -> None:
        """As an admin would on the Settings page, so that they can be seen and changed there."""
        from canceldesk.configuration import services as configuration
        from canceldesk.configuration.models import StoredSetting

        where = {
            "BILLSBY_URL": practice.api_url,
            "BILLSBY_PANEL_URL": practice.panel_url,
            "WORKBOOK_PATH": str(self.workbook),
        }
        chosen_once = {
            "COMPANY_NAME": COMPANY,
            "BILLSBY_DOMAIN": DOMAIN,
            "BILLSBY_API_KEY": practice.key,
            "BILLSBY_WEBHOOK_SECRET": practice.webhook_secret,
            "BILLSBY_RATE": "50",
            "POLL_SECONDS": "2",
        }
        known = set(StoredSetting.objects.values_list("name", flat=True))
        missing = {name: text for name, text in chosen_once.items() if name not in known}
        for name, text in (where | missing).items():
            configuration.change(name, text)

    def _first_data(self) -> None:
        from canceldesk import clock, outside
        from canceldesk.clients.models import Client
        from canceldesk.clients.refreshing import refresh_all
        from canceldesk.configuration import services as configuration
        from canceldesk.demo import former
        from canceldesk.workbook.sample import create_sample

        billsby = outside.billsby()
        if not self.workbook.exists():
            rows = former.rows(billsby, clock.today(configuration.zone()))
            create_sample(self.workbook, rows, title=f"{COMPANY}: cancelled clients")
        if not Client.objects.exists():
            run = refresh_all(billsby)
            if run.problem:
                raise CannotRunError(run.problem)

    def _welcome(self, practice: Practice) -> None:
        from rich.console import Console
        from rich.panel import Panel
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        table.add_row("Cancel Desk", f"[bold]{self.url}[/]")
        table.add_row("Practice Billsby", f"{practice.panel_url}  (the control panel)")
        table.add_row("Workbook", str(self.workbook))
        table.add_row("", "")
        for one in PEOPLE:
            table.add_row(f"Sign in as {one.role}", f"{one.email}   {one.password}")
        table.add_row("", "")
        table.add_row("Stop", "Ctrl-C. Everything is kept for the next start.")
        Console(highlight=False, soft_wrap=True).print(
            Panel(table, title="Cancel Desk demo", expand=False, padding=(1, 2))
        )
        sys.stdout.flush()


def _people() -> dict[str, User]:
    from canceldesk.accounts.models import User

    for one in PEOPLE:
        if not User.objects.filter(email=one.email).exists():
            User.objects.create_user(one.email, one.password, name=one.name, role=one.role)
    return {one.role: User.objects.get(email=one.email) for one in PEOPLE}


def _fill_in_background(people: dict[str, User], practice: Practice) -> None:
    from canceldesk.cases.models import Case

    if Case.objects.exists():
        return
    threading.Thread(
        target=_fill, args=(people, practice), name="filling the demo", daemon=True
    ).start()


def _fill(people: dict[str, User], practice: Practice) -> None:
    import structlog
    from django.db import close_old_connections

    from canceldesk.demo.filling import Filling

    try:
        Filling(people["agent"], people["manager"], practice).fill()
    except Exception:
        structlog.get_logger(__name__).exception("demo_not_filled")
    finally:
        close_old_connections()


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """While things are being prepared, too, SIGTERM must not leave the practice Billsby running."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
