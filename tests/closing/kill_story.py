"""Runs one closing again and again, each time killed with SIGKILL at another point, and lets a
fresh process finish it. Prints one JSON line per kill. Run by test_kill.py.

A point is: before and after every call to Billsby and every use of the list, and after every
commit of the desk's own database, be it of one statement. Between the end of one and the beginning
of the next nothing lasting happens, so those two share a kill. Everything is real: processes, the
database that CANCELDESK_DATABASE_URL names (empty: a file), workbook file and the practice
Billsby's file. Only the network between them is left out.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

WORK = Path(sys.argv[1])
os.environ["CANCELDESK_DATA"] = str(WORK / "desk")
os.environ["CANCELDESK_SECRET_KEY"] = "only-for-tests"
os.environ["DJANGO_SETTINGS_MODULE"] = "canceldesk.settings"
os.environ["CANCELDESK_WORKBOOK_PATH"] = str(WORK / "list.xlsx")

import django  # noqa: E402

django.setup()

from django.db import connection, connections, transaction  # noqa: E402

from billsby_sandbox.company import Company  # noqa: E402
from canceldesk import clock, outside  # noqa: E402
from canceldesk.accounts.models import User  # noqa: E402
from canceldesk.cases import services as cases  # noqa: E402
from canceldesk.cases.models import Case, Channel, Decision, Reason, Wish  # noqa: E402
from canceldesk.clients import mirror  # noqa: E402
from canceldesk.closing import services as closing  # noqa: E402
from canceldesk.closing.advance import advance  # noqa: E402
from canceldesk.retention import services as retention  # noqa: E402
from canceldesk.workbook.protocol import NewRow  # noqa: E402
from canceldesk.workbook.sample import create_sample  # noqa: E402
from canceldesk.workbook.workbooklist import WorkbookList  # noqa: E402
from tests import databases  # noqa: E402
from tests.practice import billsby_of  # noqa: E402

DATABASE_URL = os.environ["CANCELDESK_DATABASE_URL"]
START = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
TEMPLATE = WORK / "template"
FILES = ("desk", "list.xlsx", "billsby.sqlite3")
WRITES = {"INSERT", "UPDATE", "DELETE"}


class Killer:
    """Counts the points passed, and dies at the one it was made for."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.passed: list[str] = []

    def point(self, name: str) -> None:
        self.passed.append(name)
        if len(self.passed) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, what: Callable[..., Any], name: str) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            self.point(f"before {name}")
            result = what(*args, **kwargs)
            self.point(f"after {name}")
            return result

        return called

    def single_writes(self, execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        """A statement that is no part of a transaction is one."""
        result = execute(statement, *rest)
        if not connection.in_atomic_block and statement.split(maxsplit=1)[0] in WRITES:
            self.point("after a commit")
        return result


class Around:
    """An outside system with a killer before and after each of its calls."""

    def __init__(self, inner: Any, killer: Killer, name: str) -> None:
        self._inner, self._killer, self._name = inner, killer, name

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._killer.around(found, f"{self._name}.{name}") if callable(found) else found


@contextlib.contextmanager
def world(killer: Killer | None = None) -> Iterator[Company]:
    company = Company.open(
        WORK / "billsby.sqlite3", domain="acme", api_key="acme_key", clock=clock.now
    )
    billsby: Any = billsby_of(company, key="acme_key")
    the_list: Any = WorkbookList(WORK / "list.xlsx")
    if killer is not None:
        billsby, the_list = Around(billsby, killer, "billsby"), Around(the_list, killer, "list")
        _count_commits(killer)
    counted = (
        connection.execute_wrapper(killer.single_writes) if killer else contextlib.nullcontext()
    )
    with outside.using(billsby=billsby, the_list=the_list), counted:
        yield company
    company.close()


def _count_commits(killer: Killer) -> None:
    honest = transaction.Atomic.__exit__

    def commit(self: Any, *args: Any) -> None:
        outermost = len(connection.savepoint_ids) == 0 and not connection.atomic_blocks[:-1]
        honest(self, *args)
        if outermost:
            killer.point("after a commit")

    transaction.Atomic.__exit__ = commit  # type: ignore[method-assign]


def lay_out(decision: Decision, *, owed: tuple[int, ...] = (4900, 5100)) -> None:
    """A decided case with invoices to write off, ready for its first pass."""
    create_sample(
        WORK / "list.xlsx",
        [
            NewRow(f"Former {n}", f"(202) 555-01{n}", dt.date(2026, 1, n), 9900, "USD", 3, "Other")
            for n in range(10, 16)
        ],
        title="Cancellations",
    )
    with clock.frozen(START), world() as company:
        began = START - dt.timedelta(days=100)
        customer = company.add_customer(
            "Nora", "Field", phone_number="2025550143", created_at=began
        )
        subscription = company.add_subscription(customer.uid, created_at=began)
        company.add_invoice(customer.uid, 9900, "Paid", subscription_uid=subscription.uid)
        for amount in owed:
            company.add_invoice(customer.uid, amount, subscription_uid=subscription.uid)
        agent = User.objects.create_user("agent@example.com", name="Agent", role="agent")
        manager = User.objects.create_user("manager@example.com", name="Manager", role="manager")
        client = mirror.keep_client(outside.billsby().customer(customer.uid))
        mirror.keep_subscription(client, outside.billsby().subscription(subscription.uid))
        case = cases.file_request(
            by=agent,
            client=client,
            subscriptions=list(client.subscriptions.all()),
            wish=Wish.SUSPEND,
            channel=Channel.CALL,
            reason=Reason.objects.get(key="too_expensive"),
        )
        retention.decide(case, by=manager, decision=decision, typed_id=customer.uid)
        seen = [
            closing.Seen(i.number, i.amount)
            for i in company.invoices(customer.uid)
            if i.status == "Unpaid"
        ]
        if seen:
            closing.approve_write_offs(case, by=manager, seen=seen)
    keep_as_template()


def keep_as_template() -> None:
    """Have every story begin from how things are now."""
    connections.close_all()
    for name in FILES:
        _copy(WORK / name, TEMPLATE / name)
    if DATABASE_URL:
        databases.keep(DATABASE_URL)


def _copy(source: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def afresh() -> None:
    for name in FILES:
        for old in WORK.glob(f"{name}-*"):
            old.unlink()
        _copy(TEMPLATE / name, WORK / name)
    if DATABASE_URL:
        databases.bring_back(DATABASE_URL)


def in_a_child(what: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """Run something in a process of its own; None when that was killed."""
    connections.close_all()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, json.dumps(what()).encode())
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        text = told.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return None
    assert os.waitstatus_to_exitcode(status) == 0, "the child failed by itself"
    return json.loads(text)  # type: ignore[no-any-return]


def closing_until(killer: Killer, decision: Decision) -> dict[str, Any]:
    with clock.frozen(START), world(killer) as company:
        passes(company, decision)
    return {"points": killer.passed}


def passes(company: Company, decision: Decision) -> None:
    for _ in range(8):
        case = Case.objects.get()
        if case.state == "closed":
            return
        advance(case.pk, owner=f"process {os.getpid()}")
        if decision is Decision.SUSPEND:
            _click_when_offered(company)
        clock.advance(dt.timedelta(seconds=61))


def _click_when_offered(company: Company) -> None:
    """The person suspends as soon as the desk asks for it."""
    case = Case.objects.get()
    if case.steps.filter(name="stop", evidence__parts__isnull=True, evidence__click=True).exists():
        company.panel_suspend(company.subscriptions()[0].uid)


def finished(decision: Decision) -> dict[str, Any]:
    """What a fresh process makes of it, some time later."""
    with clock.frozen(START + dt.timedelta(hours=1)), world() as company:
        passes(company, decision)
        rows = WorkbookList(WORK / "list.xlsx").read().rows
        return {
            "state": Case.objects.get().state,
            "rows": sum(row.name == "Nora Field" for row in rows),
            "others": sum(row.name.startswith("Former") for row in rows),
            "on_top": rows[0].name == "Nora Field",
            "written_off": sum(invoice.status == "WrittenOff" for invoice in company.invoices()),
            "write_off_calls": sum("WrittenOff" in call.path for call in company.calls()),
            "status": company.subscriptions()[0].status,
            "log_closed": Case.objects.get().log.filter(verb="case.closed").count(),
        }


def moments(points: list[str]) -> Iterator[tuple[int, list[str]]]:
    """The numbers of the points that need a kill, each with the points it stands for: when a call
    begins, what lasts is what did when the one before was over.
    """
    standing_for: list[str] = []
    for number, (point, following) in enumerate(pairwise([*points, ""]), start=1):
        standing_for.append(point)
        if point.startswith("before ") or not following.startswith("before "):
            yield number, standing_for
            standing_for = []


def kill_everywhere(
    story: Callable[[Killer], dict[str, Any]], finished: Callable[[], dict[str, Any]]
) -> None:
    """Tell the story once to its end, then once for every moment of it, killed there."""
    complete = in_a_child(lambda: story(Killer(0)))
    assert complete is not None
    points = complete["points"]
    print(json.dumps({"points": points}), flush=True)  # noqa: T201
    for at, standing_for in moments(points):
        afresh()
        survived = in_a_child(lambda at=at: story(Killer(at)))  # type: ignore[misc]
        outcome = in_a_child(finished) or {}
        told = {"at": at, "points": standing_for, "killed": survived is None, **outcome}
        print(json.dumps(told), flush=True)  # noqa: T201


def main() -> None:
    decision = Decision(sys.argv[2])
    lay_out(decision)
    kill_everywhere(lambda killer: closing_until(killer, decision), lambda: finished(decision))


if __name__ == "__main__":
    main()
