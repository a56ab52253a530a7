"""Where a process of the desk or the practice Billsby can be hit: points put around its work.

All of it from outside; the product has no hook for tests. A name that the product no longer has
raises AttributeError when the hooks are hung in, so that none is lost in silence.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tests.chaos.points import Points

WRITES = ("set_renewal_date", "write_off", "cancel_subscription")
READS = ("subscription", "customer", "customer_subscriptions", "customer_invoices", "invoice")


def hang_in(points: Points, kind: str) -> None:
    """Put points around the work of a process of this kind: `worker`, `web` or `billsby`."""
    if kind == "billsby":
        _practice(points)
        return
    _commits(points)
    _billsby(points)
    _workbook(points)
    _leases(points)
    _engine(points)
    if kind == "web":
        _answers(points)


def _commits(points: Points) -> None:
    """A point before and after every commit that has a word in the log, by that word."""
    from django.db import transaction
    from django.db.models.signals import post_save

    from canceldesk.cases import log
    from canceldesk.cases.models import LogEntry

    told = threading.local()
    enter, leave = transaction.Atomic.__enter__, transaction.Atomic.__exit__

    def is_outermost(atomic: transaction.Atomic) -> bool:
        return len(transaction.get_connection(atomic.using).atomic_blocks) == 1

    def begin(self: transaction.Atomic) -> None:
        enter(self)
        if is_outermost(self):
            told.verbs = []

    def commit(self: transaction.Atomic, error: Any, *rest: Any) -> None:
        verbs = list(told.verbs) if is_outermost(self) and error is None else []
        for verb in verbs:
            points.passed(f"before commit of {verb}")
        leave(self, error, *rest)
        for verb in verbs:
            points.passed(f"after commit of {verb}")

    def hear(instance: LogEntry, created: bool, **_: object) -> None:
        verb = str(instance.verb)
        if created and verb not in told.verbs:
            told.verbs.append(verb)

    add = log.add

    def add_and_hear(entries: Sequence[LogEntry]) -> None:
        add(entries)
        for entry in entries:
            hear(entry, created=True)

    log.add = add_and_hear
    transaction.Atomic.__enter__ = begin  # type: ignore[method-assign]
    transaction.Atomic.__exit__ = commit  # type: ignore[method-assign]
    post_save.connect(hear, sender=LogEntry, weak=False, dispatch_uid="chaos")


def _billsby(points: Points) -> None:
    from canceldesk.billsby.client import HttpBillsby

    for method in (*WRITES, *READS):
        points.around(HttpBillsby, method, f"billsby.{method}")


def _workbook(points: Points) -> None:
    from canceldesk.workbook.storing import backups, exchange, recovery, saving
    from canceldesk.workbook.workbooklist import WorkbookList

    for method in ("read", "add", "remove"):
        points.around(WorkbookList, method, f"list.{method}")
    points.around(WorkbookList, "_read_back", "reading the workbook back")
    points.around(saving, "replace", "saving the workbook")
    points.around(saving, "_prepare", "preparing the new workbook")
    points.around(saving, "_force", "forcing the new workbook to the disk")
    points.around(saving, "_force_folder", "forcing the folder to the disk")
    points.around(exchange, "put_in_place", "exchanging the workbooks")
    points.around(recovery, "settle", "settling the exchange")
    points.around(backups, "keep", "keeping the backup")


def _leases(points: Points) -> None:
    from canceldesk.cases import lease

    points.around(lease, "take", "taking a lease")
    points.around(lease, "renew", "renewing a lease")
    points.around(lease, "give_back", "giving a lease back")


def _engine(points: Points) -> None:
    from canceldesk.clients import refreshing
    from canceldesk.closing import advance
    from canceldesk.engine import housekeeping, queueing, work, worker

    points.around(advance, "_settle", "settling a pass")
    points.around(work, "make_passes", "passes over a case")
    points.around(work, "compare_book", "comparing the book")
    points.around(refreshing, "refresh_all", "refreshing the copy")
    points.around(queueing, "_put", "queueing")
    points.around(housekeeping, "sweep", "sweeping")
    points.around(housekeeping, "take_over", "taking over")
    points.around(housekeeping, "tidy", "tidying")
    points.around(worker, "_launch", "launching")
    points.around(worker.Worker, "start", "starting the worker")
    points.around(worker.Worker, "stop", "stopping the worker")


def _answers(points: Points) -> None:
    """A point when a form or a webhook has been dealt with and nobody has been answered."""
    from canceldesk.web import wsgi

    honest = wsgi.application

    def answering(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        reply = honest(environ, start)
        if environ["REQUEST_METHOD"] == "POST":
            points.passed(f"before the answer to {_place(environ['PATH_INFO'])}")
        return reply

    wsgi.application = answering  # type: ignore[assignment]


def _place(path: str) -> str:
    return re.sub(r"(?:C-)?\d+", "#", path).strip("/") or "/"


def _practice(points: Points) -> None:
    from billsby_sandbox import faults, webhooks
    from billsby_sandbox.company import Company

    answer = faults.FaultyApi._answer

    def watched(self: Any, exchange: Any, fault: Any) -> None:
        writes = exchange.environ["REQUEST_METHOD"] != "GET"
        if writes:
            points.passed("practice: before a change")
        answer(self, exchange, fault)
        if writes:
            points.passed("practice: after a change")

    faults.FaultyApi._answer = watched  # type: ignore[method-assign]
    points.around(webhooks, "_settle", "noting that a webhook was sent")
    points.around(Company, "tick", "billing")
    points.around(Company, "panel_suspend", "suspending in the panel")
