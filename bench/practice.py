"""A practice Billsby for benchmarks, in a process of its own. Not a benchmark itself.

It is the real `billsby-sandbox`, with more threads, so that it never makes anybody wait longer
than the delay it was told to have.
"""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from processes import Process, free_port, wait_until

from billsby_sandbox.company import Company
from billsby_sandbox.faults import BASE

DOMAIN = "benchmark"
KEY = f"{DOMAIN}_{'0' * 32}"
PAID_MONTHS = 3
THREADS = 64
_SERVE = f"""
from billsby_sandbox import cli, server
server.THREADS = {THREADS}
cli.main()
"""


@dataclass(frozen=True)
class Person:
    """A client at the practice Billsby with one subscription."""

    client: str
    subscription: str
    owes: str
    """The number of an unpaid invoice, or nothing."""


@dataclass(frozen=True)
class Call:
    """A call that reached it, as its own record has it."""

    method: str
    path: str
    query: str
    body: str


class Practice:
    """A practice company with `clients` clients, every `owing`-th of which owes an invoice.

    The same numbers always give the same clients, so that calls recorded at one can be made
    again at another. Serves until `stop`.
    """

    def __init__(self, folder: Path, clients: int, owing: int = 0) -> None:
        folder.mkdir()
        self._file = folder / "billsby.sqlite3"
        self.people = list(_fill(self._file, clients, owing))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-c", _SERVE, "serve", "--db", str(self._file), "--empty"]
        command += ["--company", DOMAIN, "--port", str(port)]
        environment = os.environ | {"BILLSBY_SANDBOX_KEY": KEY}
        self.process = Process(command, environment, folder / "billsby.log")
        wait_until(self._answers, f"the practice Billsby answers; see {self.process.log}")

    @property
    def api(self) -> str:
        """The address of its API."""
        return f"{self.url}{BASE}"

    def take(self, seconds: float) -> None:
        """From now on, take so long for every call."""
        self._practice("DELETE", "faults")
        if seconds:
            self._practice("POST", "faults", {"kind": "delay", "seconds": seconds})

    def suspend(self, subscription: str) -> None:
        """The clicks in the control panel: Update status, Suspended, confirm."""
        httpx.post(
            f"{self.url}/panel/subscriptions/{subscription}/status",
            data={"status": "Suspended", "confirmed": "yes"},
            trust_env=False,
        )

    def mark(self) -> int:
        """A moment to count calls from."""
        with closing(sqlite3.connect(self._file)) as books:
            return int(books.execute("SELECT coalesce(max(id), 0) FROM call").fetchone()[0])

    def calls(self, since: int = 0) -> list[Call]:
        """Every call that came after a mark, in order of the answers."""
        with closing(sqlite3.connect(self._file)) as books:
            rows = books.execute(
                "SELECT method, path, query, body FROM call WHERE id > ? ORDER BY id", [since]
            )
            return [Call(*row) for row in rows]

    def by_client(self, calls: Sequence[Call]) -> dict[str, list[Call]]:
        """The calls about each client, in order; those about nobody are left out."""
        whose = {person.subscription: person.client for person in self.people}
        whose |= {person.client: person.client for person in self.people}
        found: dict[str, list[Call]] = {}
        for call in calls:
            # An invoice's number is its client's ID, a dash and a count.
            parts = [part.partition("-")[0] for part in call.path.split("/")]
            client = next((whose[part] for part in parts if part in whose), None)
            if client is not None:
                found.setdefault(client, []).append(call)
        return found

    def stop(self) -> None:
        """End it; nothing is kept."""
        self.process.stop()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/_practice/state", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def _practice(self, method: str, what: str, body: dict[str, Any] | None = None) -> None:
        url = f"{self.url}/_practice/{what}"
        httpx.request(method, url, json=body, trust_env=False).raise_for_status()


def _fill(file: Path, clients: int, owing: int) -> Iterator[Person]:
    company = Company.open(file, domain=DOMAIN, api_key=KEY)
    with company.transaction():
        started = company.now() - dt.timedelta(days=30 * PAID_MONTHS)
        for number in range(clients):
            customer = company.add_customer("Client", f"Number {number:05d}", created_at=started)
            subscription = company.add_subscription(customer.uid, created_at=started).uid
            for month in range(PAID_MONTHS):
                company.add_invoice(
                    customer.uid,
                    status="Paid",
                    subscription_uid=subscription,
                    created_at=started + dt.timedelta(days=30 * month),
                )
            owes = ""
            if owing and number % owing == 0:
                owes = company.add_invoice(customer.uid, subscription_uid=subscription).number
            yield Person(customer.uid, subscription, owes)
    company.close()
