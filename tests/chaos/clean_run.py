"""A small run of the whole desk without any mischief, for the tests of the oracle: every way a
case can go, with a real workbook, the practice Billsby's real file and a journal beside them.

    python -m tests.chaos.clean_run FOLDER [DATABASE_URL]
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])
URL = sys.argv[2] if len(sys.argv) > 2 else ""
os.environ |= {
    "CANCELDESK_DATA": str(FOLDER / "data"),
    "CANCELDESK_SECRET_KEY": "only-for-tests",
    "CANCELDESK_DATABASE_URL": URL,
    "DJANGO_SETTINGS_MODULE": "canceldesk.settings",
}

import django  # noqa: E402

django.setup()

import openpyxl  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from openpyxl.comments import Comment  # noqa: E402

from billsby_sandbox import changes  # noqa: E402
from billsby_sandbox.company import Company  # noqa: E402
from billsby_sandbox.records import Subscription  # noqa: E402
from billsby_sandbox.words import Actor  # noqa: E402
from canceldesk import clock, outside  # noqa: E402
from canceldesk.accounts.models import Role, User  # noqa: E402
from canceldesk.cases import services as cases  # noqa: E402
from canceldesk.cases.models import Case, Channel, Decision, Reason, Wish  # noqa: E402
from canceldesk.clients import mirror  # noqa: E402
from canceldesk.closing import services as closing  # noqa: E402
from canceldesk.closing.advance import advance  # noqa: E402
from canceldesk.retention import services as retention  # noqa: E402
from canceldesk.workbook.workbooklist import WorkbookList  # noqa: E402
from tests.chaos.clean_workbook import make_workbook  # noqa: E402
from tests.chaos.oracle import copy_log  # noqa: E402
from tests.practice import billsby_of  # noqa: E402

START = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
KEY = "acme_practice_key"
STORED, DONE = 302, 303


class Run:
    """The people, the desk and Billsby, one deed after the other."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.list = FOLDER / "list.xlsx"
        self.billsby = outside.billsby()
        self.copies = 0
        self.agent = User.objects.create_user("agent@example.com", name="Agent", role=Role.AGENT)
        self.manager = User.objects.create_user(
            "manager@example.com", name="Manager", role=Role.MANAGER
        )

    def note(self, who: str, what: str, **facts: Any) -> None:
        """A line of the journal."""
        entry = {"at": clock.now().isoformat(), "who": who, "what": what, **facts}
        with (FOLDER / "journal.jsonl").open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(entry) + "\n")

    def copy_of_log(self) -> None:
        """What the log says now, kept beside the journal."""
        self.copies += 1
        database = URL or FOLDER / "data" / "canceldesk.sqlite3"
        copy_log(database, FOLDER / f"log-{self.copies}.json")

    # Billsby

    def client(
        self, name: str, *, months: int = 5, subscriptions: int = 1, due_in: dt.timedelta = 10 * DAY
    ) -> list[Subscription]:
        """A client who has paid every month, and their subscriptions."""
        first, last = name.split()
        began = START - dt.timedelta(days=30 * months + 3)
        phone = f"20255501{len(self.company.customers()):02d}"
        customer = self.company.add_customer(first, last, phone_number=phone, created_at=began)
        made = [
            self.company.add_subscription(
                customer.uid, created_at=began + place * DAY, next_billing_at=START + due_in
            )
            for place in range(subscriptions)
        ]
        for month in range(months):
            self.company.add_invoice(
                customer.uid,
                9900,
                "Paid",
                subscription_uid=made[0].uid,
                created_at=began + dt.timedelta(days=30 * month),
            )
        return made

    def owes(self, subscription: Subscription, amount: int) -> None:
        """An unpaid invoice."""
        uid, at = subscription.uid, START - 3 * DAY
        self.company.add_invoice(
            subscription.customer_uid, amount, subscription_uid=uid, created_at=at
        )

    def owed(self, *subscriptions: Subscription) -> list[str]:
        """The numbers of unpaid invoices."""
        mine = {one.uid for one in subscriptions}
        every = self.company.invoices(subscriptions[0].customer_uid)
        return [i.number for i in every if i.status == "Unpaid" and i.subscription_uid in mine]

    def named(self, name: str) -> list[Subscription]:
        """The subscriptions of a client."""
        customer = next(one for one in self.company.customers() if one.full_name == name)
        return self.company.subscriptions(customer.uid)

    # people

    def file(self, *subscriptions: Subscription, words: str = "", times: int = 1) -> Case:
        """An agent files a request, perhaps by posting the same form again."""
        uid = subscriptions[0].customer_uid
        client = mirror.keep_client(self.billsby.customer(uid))
        for found in self.billsby.customer_subscriptions(uid):
            mirror.keep_subscription(client, self.billsby.subscription(found.billsby_id))
        ids = [one.uid for one in subscriptions]
        token = f"form-{uid}-{ids[0]}"
        for _ in range(times):
            case = cases.file_request(
                by=self.agent,
                client=client,
                subscriptions=list(client.subscriptions.filter(billsby_id__in=ids)),
                wish=Wish.SUSPEND,
                channel=Channel.CALL,
                reason=Reason.objects.get(key="too_expensive"),
                reason_words=words,
                form_token=token,
            )
            known = {"reason": "Too expensive", "words": words, "case": case.number}
            self.note(
                "agent", "filed", client=uid, subscriptions=ids, token=token, status=STORED, **known
            )
        return case

    def told(self, case: Case, what: str, **facts: Any) -> None:
        """The journal's line of a deed about a case that succeeded."""
        self.note("manager", what, case=case.number, status=DONE, **facts)

    def decide(self, case: Case, decision: Decision) -> None:
        retention.decide(case, by=self.manager, decision=decision, typed_id=case.client.billsby_id)
        self.told(case, "decided", decision=decision.value)

    def approve(self, case: Case, by: User, *numbers: str) -> None:
        invoices = [(number, self.company.invoice(number).amount) for number in numbers]
        closing.approve_write_offs(case, by=by, seen=[closing.Seen(*one) for one in invoices])
        self.told(case, "approved", invoices=invoices, role=by.role)

    def click(self, subscription: Subscription) -> None:
        """A person sets Suspended in the panel."""
        self.company.panel_suspend(subscription.uid)
        self.note("panel", "clicked", subscription=subscription.uid, to="Suspended", status=200)

    @contextmanager
    def workbook(self) -> Iterator[openpyxl.Workbook]:
        """A person has the workbook open, and saves it."""
        book = openpyxl.load_workbook(self.list)
        yield book
        book.save(self.list)

    def edit(self, kind: str, mark: str, sheet: str, cell: str) -> None:
        self.note("bookkeeper", "edited", kind=kind, mark=mark, sheet=sheet, cell=cell)

    # the desk

    def passes(self, case: Case, times: int = 3) -> Case:
        """Some passes, with a minute between them."""
        for _ in range(times):
            assert advance(case.pk, owner="worker")
            clock.advance(dt.timedelta(seconds=61))
        case.refresh_from_db()
        return case

    def close(self, case: Case, *subscriptions: Subscription) -> None:
        """Passes and clicks until the case is closed."""
        self.passes(case, 2)
        for subscription in subscriptions:
            self.click(subscription)
        assert self.passes(case).state == "closed", case.waits_sentence


def everything(run: Run) -> None:
    """Every way a case can go."""
    run.note("stage", "clock", offset_seconds=0)
    _fill(run)
    _plain_ends(run)
    _write_offs(run)
    run.copy_of_log()
    _a_bookkeeper(run)
    _taken_back(run)
    _taken_off(run)
    run.copy_of_log()
    run.note("stage", "peace")
    _last_looks(run)
    run.note("stage", "billing", days=70)
    run.company.advance(days=70)
    run.note("stage", "end")


def _fill(run: Run) -> None:
    """Lay everybody out before anything happens."""
    run.client("Nora Field")
    run.client("Omar Reed", months=14)
    run.client("Ida Stone", due_in=2 * DAY)
    run.client("Abel Hart", due_in=DAY)
    run.client("Lena Marsh")
    run.client("Theo Lane", due_in=200 * DAY)
    run.owes(run.client("Vera Holt", months=3)[0], 4900)
    several = run.client("Ruth Dale", months=8, subscriptions=3)
    for subscription, amount in zip(several, (19900, 9900, 7700), strict=True):
        run.owes(subscription, amount)
    for name in ("Mona Frost", "Ugo Banks", "Elsa Grove", "Igor Wells"):
        run.client(name)
    run.company.set_quirk("suspend_blocked_by_unpaid", "no")
    _pay_otherwise(run, *run.named("Omar Reed"))


def _pay_otherwise(run: Run, subscription: Subscription) -> None:
    """A month paid in cash, and one given back in part."""
    uid = subscription.customer_uid
    began = START - dt.timedelta(days=20)
    given_back = run.company.invoices(uid)[-1].number
    run.company.add_invoice(
        uid, 5000, "PaidOffline", subscription_uid=subscription.uid, created_at=began
    )
    with run.company.transaction() as books:
        changes.refund(books, Actor.PRACTICE, uid, given_back, 2050)


def _plain_ends(run: Run) -> None:
    plain = run.named("Nora Field")
    case = run.file(*plain, words="I move  away\nin May", times=2)
    run.decide(case, Decision.SUSPEND)
    run.close(case, *plain)

    for_good = run.named("Omar Reed")
    case = run.file(*for_good)
    run.decide(case, Decision.CANCEL)
    run.close(case)

    stays = run.named("Ida Stone")
    case = run.file(*stays)
    run.passes(case, 1)
    run.decide(case, Decision.RETAINED)
    run.passes(case)

    mistaken = run.named("Abel Hart")
    case = run.file(*mistaken)
    run.passes(case, 1)
    cases.withdraw(case, by=run.manager, because="changed_mind")
    run.told(case, "withdrawn")
    run.passes(case)

    unclicked = run.named("Lena Marsh")
    run.decide(case := run.file(*unclicked), Decision.SUSPEND)
    run.passes(case)

    undecided = run.named("Theo Lane")
    run.passes(run.file(*undecided))


def _write_offs(run: Run) -> None:
    owing = run.named("Vera Holt")
    case = run.file(*owing)
    run.decide(case, Decision.SUSPEND)
    run.passes(case, 1)
    run.approve(case, run.agent, *run.owed(*owing))
    run.close(case, *owing)

    several = run.named("Ruth Dale")
    case = run.file(*several[:2])
    run.decide(case, Decision.SUSPEND)
    run.passes(case, 1)
    run.approve(case, run.manager, *run.owed(*several[:2]))
    run.close(case, *several[:2])
    for number in run.owed(several[2]):
        run.company.panel_paid_offline(number)


def _a_bookkeeper(run: Run) -> None:
    with run.workbook() as book:
        sheet = book["Cancellations"]
        sheet.insert_rows(3)
        day = dt.datetime(2026, 3, 2)  # noqa: DTZ001 - Excel knows no zones
        row: list[Any] = ["Walked In", "(202) 555-0999", day, 12.5, 1, "Other"]
        for column, value in enumerate([*row, None, "own-row-1"], start=1):
            sheet.cell(3, column, value)
        sheet.cell(3, 3).number_format = "mmm d, yyyy"
        sheet["H4"].comment = Comment("comment-1", "Pat")
        book["Notes"]["A5"] = "note-1"
    run.edit("own_row", "own-row-1", "Cancellations", "H3")
    run.edit("comment", "comment-1", "Cancellations", "H4")
    run.edit("cell", "note-1", "Notes", "A5")


def _taken_back(run: Run) -> None:
    again = run.named("Mona Frost")
    case = run.file(*again, words="Too dear")
    run.decide(case, Decision.SUSPEND)
    run.passes(case, 2)
    closing.take_back(case, by=run.manager, why="She thinks again")
    run.told(case, "taken_back")
    run.passes(case, 2)
    clock.advance(DAY)
    run.company.tick()
    run.decide(case, Decision.SUSPEND)
    run.close(case, *again)

    for_good = run.named("Ugo Banks")
    case = run.file(*for_good)
    run.decide(case, Decision.SUSPEND)
    run.passes(case, 2)
    closing.take_back(case, by=run.manager, why="He stays")
    run.told(case, "taken_back")
    run.passes(case, 2)
    run.decide(case, Decision.RETAINED)
    run.passes(case)


def _taken_off(run: Run) -> None:
    for name, is_put_back in (("Elsa Grove", False), ("Igor Wells", True)):
        client = run.named(name)
        case = run.file(*client)
        run.decide(case, Decision.SUSPEND)
        run.close(case, *client)
        closing.take_off_list(case, by=run.manager, why="A mistake")
        run.told(case, "taken_off")
        run.passes(case, 2)
        if is_put_back:
            closing.rewrite_row(case, by=run.manager)
            run.told(case, "rewritten")
            run.passes(case, 2)


def _last_looks(run: Run) -> None:
    """Every case that is due gets its pass, as by the sweep."""
    for case in Case.objects.filter(next_pass_at__lte=clock.now()):
        assert advance(case.pk, owner="worker")


def main() -> None:
    call_command("migrate", verbosity=0)
    make_workbook(FOLDER / "list.xlsx")
    shutil.copy2(FOLDER / "list.xlsx", FOLDER / "workbook-at-start.xlsx")
    with clock.frozen(START):
        company = Company.open(
            FOLDER / "billsby.sqlite3", domain="acme", api_key=KEY, clock=clock.now
        )
        billsby = billsby_of(company, key=KEY)
        with outside.using(billsby=billsby, the_list=WorkbookList(FOLDER / "list.xlsx")):
            everything(Run(company))
        company.close()
    connections.close_all()


if __name__ == "__main__":
    main()
