"""Setting the stage: a folder, a database, a workbook, a practice Billsby with clients, people."""

from __future__ import annotations

import datetime as dt
import os
import random
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import xlsxwriter

from billsby_sandbox.company import Company
from tests.chaos.child import ClockFile
from tests.chaos.interfaces import Journal, Person, Stage
from tests.chaos.plan import make_plan
from tests.chaos.seeding import fill
from tests.postgres import Cluster

DOMAIN = "brightpath"
API_KEY = f"{DOMAIN}_0123456789abcdef0123456789abcdef"
WEBHOOK_SECRET = "a-secret-between-the-two"
AGENT_LIMIT_MINOR = 10_000
DATABASE = "desk"
TIME_ZONE = "America/New_York"
"""The company's: for some hours of every day it is another date there than in UTC."""
HEADINGS = (
    "Name",
    "Phone Number",
    "Date of Cancellation",
    "Total Amount Collected",
    "Number of Months in the Program",
    "Reason for Cancellation",
    "Case",
    "Notes",
)
STAFF = (
    ("agent", "Ada Example"),
    ("agent", "Ben Example"),
    ("agent", "Cleo Example"),
    ("manager", "Dora Example"),
    ("manager", "Emil Example"),
    ("admin", "Fay Example"),
)


@dataclass(frozen=True)
class Setting:
    """A stage with what only its builders know: the surroundings of the desk's processes, the
    clock of all, and the database server where there is one.
    """

    stage: Stage
    environment: dict[str, str]
    clock: ClockFile
    cluster: Cluster | None


@contextmanager
def set_up(
    folder: Path, *, seed: int, cases: int, database: str, lasts: float
) -> Iterator[Setting]:
    """Everything but processes, in an empty `folder`; the database server runs meanwhile.

    `database` is `sqlite` or `postgresql`; `lasts` the seconds of the busy part.
    """
    for name in ("logs", "points", "data"):
        (folder / name).mkdir(parents=True)
    journal = Journal(folder / "journal.jsonl")
    cluster = Cluster(folder, durable=True) if database == "postgresql" else None
    try:
        if cluster:
            cluster.start()
            cluster.create(DATABASE)
        stage = _stage(folder, seed, database, cluster, journal, lasts)
        make_workbook(stage.workbook, seed)
        shutil.copy2(stage.workbook, folder / "workbook-at-start.xlsx")
        _fill_billsby(stage, cases)
        stage.keep()
        yield Setting(stage, _environment(stage), ClockFile(folder / "clock"), cluster)
    finally:
        if cluster:
            cluster.close()
        journal.close()


def _stage(
    folder: Path, seed: int, database: str, cluster: Cluster | None, journal: Journal, lasts: float
) -> Stage:
    pages, billsby, post = (_free_port() for _ in range(3))
    return Stage(
        folder=folder,
        seed=seed,
        database=database,
        database_url=cluster.url(DATABASE) if cluster else "",
        pages_url=f"http://127.0.0.1:{pages}",
        billsby_url=f"http://127.0.0.1:{billsby}",
        domain=DOMAIN,
        api_key=API_KEY,
        webhook_secret=WEBHOOK_SECRET,
        post_port=post,
        journal=journal,
        lasts_seconds=lasts,
        agent_limit_minor=AGENT_LIMIT_MINOR,
        people=[_person(number, role, name) for number, (role, name) in enumerate(STAFF)],
    )


def _person(number: int, role: str, name: str) -> Person:
    return Person(role, name, f"{role}{number}@example.com", f"quiet-harbour-{number}-{role}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _fill_billsby(stage: Stage, cases: int) -> None:
    company = Company.open(stage.billsby_file, domain=DOMAIN, api_key=API_KEY)
    try:
        stage.clients = fill(company, make_plan(stage.seed, cases))
    finally:
        company.close()


def make_workbook(path: Path, seed: int) -> None:
    """A company's workbook: the list with a few rows and two columns of its own, and a tab for
    notes. The same seed gives the same workbook.
    """
    rng = random.Random(f"{seed}/workbook")
    with xlsxwriter.Workbook(str(path)) as workbook:
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        money = workbook.add_format({"num_format": "#,##0.00"})
        listed = workbook.add_worksheet("cancellation")
        listed.write_string(0, 0, "Cancelled clients")
        listed.write_row(2, 0, HEADINGS)
        first = dt.datetime(2026, 1, 30)  # noqa: DTZ001 - Excel knows no zones
        for number in range(12):
            row, months = 3 + number, rng.randint(1, 20)
            listed.write_string(row, 0, f"Former Client {number:02d}")
            listed.write_string(row, 1, f"(202) 555-01{rng.randint(0, 99):02d}")
            listed.write_datetime(row, 2, first - dt.timedelta(days=5 * number), day)
            listed.write_number(row, 3, 99.0 * months, money)
            listed.write_number(row, 4, months)
            listed.write_string(row, 5, rng.choice(("Moved away", "Too expensive", "Other")))
        workbook.add_worksheet("Notes").write_string(0, 0, "Ask the manager on duty.")


def _environment(stage: Stage) -> dict[str, str]:
    ours = ("CANCELDESK_", "DJANGO_", "BILLSBY_")
    known = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return known | {
        "DJANGO_SETTINGS_MODULE": "canceldesk.settings",
        "CANCELDESK_DATA": str(stage.folder / "data"),
        "CANCELDESK_DATABASE_URL": stage.database_url,
        "CANCELDESK_LISTEN": stage.pages_url.removeprefix("http://"),
        "CANCELDESK_COMPANY_NAME": "Brightpath",
        "CANCELDESK_TIME_ZONE": TIME_ZONE,
        "CANCELDESK_BILLSBY_URL": stage.api_url,
        "CANCELDESK_BILLSBY_PANEL_URL": f"{stage.panel_url}/",
        "CANCELDESK_BILLSBY_DOMAIN": stage.domain,
        "CANCELDESK_BILLSBY_API_KEY": stage.api_key,
        "CANCELDESK_BILLSBY_WEBHOOK_SECRET": stage.webhook_secret,
        "CANCELDESK_BILLSBY_RATE": "1000",
        "CANCELDESK_POLL_SECONDS": "10",
        "CANCELDESK_SYNC_MINUTES": "60",
        "CANCELDESK_AGENT_WRITE_OFF_LIMIT": f"{stage.agent_limit_minor / 100:.2f}",
        "CANCELDESK_WORKBOOK_PATH": str(stage.workbook),
        "CANCELDESK_WORKBOOK_BACKUPS": "100",
        "BILLSBY_SANDBOX_KEY": stage.api_key,
        "BILLSBY_SANDBOX_WEBHOOK_SECRET": stage.webhook_secret,
    }
