"""A desk of real files, with everything a story about its backup needs. Only the network between
the desk and the practice Billsby is left out.

Imported by `stories` alone, which has set the environment and Django up before.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connection

from billsby_sandbox.company import Company
from billsby_sandbox.records import Invoice
from canceldesk import clock, outside
from canceldesk.accounts.models import User
from canceldesk.cases import services as cases
from canceldesk.cases import waking
from canceldesk.cases.models import Case, Channel, Decision, Reason, Wish
from canceldesk.clients import mirror
from canceldesk.closing import services as closing
from canceldesk.closing.advance import advance
from canceldesk.retention import services as retention
from canceldesk.workbook.creating import create_list
from canceldesk.workbook.workbooklist import WorkbookList
from tests.practice import billsby_of

START = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@dataclass
class Desk:
    """What people and workers do with it."""

    work: Path
    company: Company

    @property
    def workbook(self) -> Path:
        return self.work / "list.xlsx"

    def client(self, first: str, *, owed: tuple[int, ...] = ()) -> str:
        """A client at Billsby who pays monthly; the ID of their subscription."""
        began = clock.now() - dt.timedelta(days=100)
        customer = self.company.add_customer(
            first, "Field", phone_number=f"202555{len(first):04}", created_at=began
        )
        subscription = self.company.add_subscription(
            customer.uid, created_at=began, next_billing_at=clock.now() + dt.timedelta(days=2)
        )
        self.company.add_invoice(customer.uid, 9900, "Paid", subscription_uid=subscription.uid)
        for amount in owed:
            self.company.add_invoice(customer.uid, amount, subscription_uid=subscription.uid)
        return subscription.uid

    def next_charge(self, subscription: str) -> dt.datetime:
        at = self.company.subscription(subscription).next_billing_at
        assert at is not None
        return at

    def file(self, subscription: str) -> Case:
        found = outside.billsby().subscription(subscription)
        client = mirror.keep_client(outside.billsby().customer(found.customer_id))
        mirror.keep_subscription(client, found)
        return cases.file_request(
            by=User.objects.get(role="agent"),
            client=client,
            subscriptions=list(client.subscriptions.filter(billsby_id=subscription)),
            wish=Wish.SUSPEND,
            channel=Channel.CALL,
            reason=Reason.objects.get(key="too_expensive"),
        )

    def decide(self, case: Case, decision: Decision = Decision.SUSPEND) -> None:
        case.refresh_from_db()
        manager = User.objects.get(role="manager")
        retention.decide(case, by=manager, decision=decision, typed_id=case.client.billsby_id)

    def take_back(self, case: Case) -> None:
        closing.take_back(case, by=User.objects.get(role="manager"), why="a mistake")

    def pay(self, case: Case) -> None:
        """The client pays what is owed."""
        for invoice in self._owed(case):
            self.company.panel_paid_offline(invoice.number)

    def _owed(self, case: Case) -> list[Invoice]:
        of_client = self.company.invoices(case.client.billsby_id)
        return [invoice for invoice in of_client if invoice.status == "Unpaid"]

    def approve(self, case: Case) -> None:
        """A manager approves writing off all that is owed."""
        owed = [closing.Seen(invoice.number, invoice.amount) for invoice in self._owed(case)]
        closing.approve_write_offs(case, by=User.objects.get(role="manager"), seen=owed)

    def work_on(self, *, click: bool = True) -> None:
        """Workers do what is due, people click what they are asked to, until nothing moves."""
        for _ in range(8):
            for case in waking.due(clock.now()):
                advance(case.pk, owner="worker")
                if click:
                    self._click(case)
            clock.advance(dt.timedelta(seconds=61))

    def _click(self, case: Case) -> None:
        for step in case.steps.filter(name="stop", evidence__click=True):
            if step.evidence["status"] != "Suspended":
                self.company.panel_suspend(step.evidence["subscription"])

    def close(self, subscription: str) -> Case:
        """A case from its request to its end, in one day."""
        case = self.file(subscription)
        self.decide(case)
        self.work_on()
        case.refresh_from_db()
        assert case.state == "closed", case.waits_sentence
        return case

    def rows(self, name: str = "") -> list[dict[str, Any]]:
        """The lines of the list, the newest first, of one client or of all."""
        return [
            {"name": row.name, "date": str(row.cancelled_on), "reference": row.reference}
            for row in WorkbookList(self.workbook).read().rows
            if name in row.name
        ]

    def history(self, what: str) -> list[str]:
        return [entry.subject for entry in self.company.history() if entry.what == what]

    def calls(self, part: str, method: str = "PUT") -> int:
        """How often the desk asked Billsby to change something: what is refused or changes nothing
        is not in the history.
        """
        return sum(part in call.path for call in self.company.calls() if call.method == method)


@contextlib.contextmanager
def a_desk(work: Path, *, with_reference: bool = True, new: bool = True) -> Iterator[Desk]:
    """The desk in the folder `work`; a new one has a list, an agent, a manager and an admin."""
    if new:
        create_list(work / "list.xlsx", with_reference=with_reference)
        for role in ("agent", "manager", "admin"):
            User.objects.create_user(f"{role}@example.com", name=role, role=role)
    with clock.frozen(START), at_billsby(work) as company:
        yield Desk(work, company)


@contextlib.contextmanager
def at_billsby(work: Path) -> Iterator[Company]:
    company = Company.open(work / "billsby.sqlite3", domain="acme", api_key="k", clock=clock.now)
    billsby = billsby_of(company, key="k")
    with outside.using(billsby=billsby):
        yield company
    company.close()


def wipe(work: Path) -> None:
    """A machine on which a desk was set up anew."""
    connection.close()
    if connection.vendor == "sqlite":
        for file in (work / "desk").glob("canceldesk.sqlite3*"):
            file.unlink()
    else:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    call_command("migrate", verbosity=0)
