"""Examines everything the desk depends on, and says in words what is wrong and what to do."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path

import httpx
from django.conf import settings
from django.core import mail
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from canceldesk import clock, engine, outside
from canceldesk.billsby import Billsby, BillsbyError, NotAuthorised
from canceldesk.configuration import services as configuration
from canceldesk.configuration.definitions import SETTINGS
from canceldesk.configuration.reading import BadSettingError
from canceldesk.messages import mail as sending
from canceldesk.outside import NotSetUpError
from canceldesk.workbook import order
from canceldesk.workbook.errors import CannotPlace, ListError
from canceldesk.workbook.graph import links
from canceldesk.workbook.order import Order
from canceldesk.workbook.protocol import FIELDS, ListView
from canceldesk.workbook.rows import filling
from canceldesk.workbook.rows.pairs import pairs

SECONDS = 10.0
CLOCK_MAY_DIFFER = dt.timedelta(minutes=2)
LEAST_FREE = 100 * 1024 * 1024
# Room for a copy being written beside the workbook and for the copies kept of it.
COPIES = 20
NO_SUCH_INVOICE = "CANCELDESK-DOCTOR"


class Verdict(StrEnum):
    """What an examination came to."""

    WELL = "well"
    WRONG = "wrong"
    NOT_USED = "not used"


@dataclass(frozen=True)
class Examined:
    """One part: what was found, and when it is wrong, what to do. `details` is for a closer look,
    for example which heading serves which column.
    """

    part: str
    verdict: Verdict
    sentence: str
    details: dict[str, str] = field(default_factory=dict)


def _well(part: str, sentence: str, **details: str) -> Examined:
    return Examined(part, Verdict.WELL, sentence, details)


def _wrong(part: str, sentence: str) -> Examined:
    return Examined(part, Verdict.WRONG, sentence)


def _not_used(part: str, sentence: str) -> Examined:
    return Examined(part, Verdict.NOT_USED, sentence)


# ------------------------------------------------------------------ the desk itself


def check_settings() -> list[Examined]:
    """Whether every setting can be understood."""
    problems = [problem for one in SETTINGS if (problem := configuration.problem(one.name))]
    if problems:
        return [_wrong("Settings", problem) for problem in problems]
    return [_well("Settings", "Every setting can be understood.")]


def check_database() -> list[Examined]:
    """Whether the database can be reached and is up to date."""
    part = "Database"
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as problem:
        return [
            _wrong(
                part, f"The database cannot be reached: {problem}. Check CANCELDESK_DATABASE_URL."
            )
        ]
    if missing:
        return [_wrong(part, "The database is not up to date. Run `canceldesk migrate`.")]
    return [_well(part, f"Reached and up to date ({connection.vendor}).")]


def check_engine() -> list[Examined]:
    """Whether the engine's own database can be used."""
    try:
        waiting = engine.check()
    except Exception as problem:
        return [
            _wrong(
                "Engine",
                f"The engine's database cannot be used: {problem}. Run `canceldesk migrate`.",
            )
        ]
    return [_well("Engine", f"Reached; {waiting} passes and chores queued or under way.")]


def check_clock() -> list[Examined]:
    """Whether this machine's clock agrees with the database server's or with Billsby's."""
    part = "Clock"
    there = _database_time() or _time_at(configuration.text("BILLSBY_URL"))
    if there is None:
        return [_not_used(part, "Nobody could be asked what time it is.")]
    off = abs(clock.now() - there)
    if off > CLOCK_MAY_DIFFER:
        return [
            _wrong(
                part,
                f"This machine's clock is {off.total_seconds() / 60:.0f} minutes off. Billing "
                "dates depend on it; set it by a time server.",
            )
        ]
    return [_well(part, "This machine's clock is right.")]


def _database_time() -> dt.datetime | None:
    if connection.vendor != "postgresql":
        return None
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            found = cursor.fetchone()
    except DatabaseError:
        return None
    return found[0] if found and isinstance(found[0], dt.datetime) else None


def _time_at(url: str) -> dt.datetime | None:
    """Every reply says its time, even one that refuses; so no key is sent along."""
    try:
        reply = httpx.get(url, timeout=SECONDS)
        return parsedate_to_datetime(reply.headers["date"])
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
        return None


# ------------------------------------------------------------------ Billsby


def check_billsby() -> list[Examined]:
    """The key and the company domain, and every list the desk reads."""
    part = "Billsby"
    try:
        billsby = outside.billsby()
    except (NotSetUpError, ValueError) as problem:
        return [_wrong(part, str(problem))]
    try:
        client = next(billsby.customers(), None)
    except NotAuthorised as problem:
        return [_wrong(part, f"{problem} {_key_or_domain(billsby)}")]
    except BillsbyError as problem:
        return [_wrong(part, str(problem))]
    found = [_well(part, "The company domain and the key are good; clients can be read.")]
    calls: list[tuple[str, Callable[[], object]]] = [
        ("subscriptions", lambda: next(billsby.subscriptions(), None)),
        ("invoices of the company", lambda: next(billsby.company_invoices(), None)),
    ]
    if client is not None:
        one = client.billsby_id
        calls.append(("subscriptions of one client", lambda: billsby.customer_subscriptions(one)))
        calls.append(("invoices of one client", lambda: billsby.customer_invoices(one)))
    return found + [_call(what, call) for what, call in calls]


def _call(what: str, call: Callable[[], object]) -> Examined:
    part = f"Billsby: {what}"
    try:
        call()
    except BillsbyError as problem:
        return _wrong(part, str(problem))
    return _well(part, "Can be read.")


def _key_or_domain(billsby: Billsby) -> str:
    """Asking for one invoice is the only call whose path has no company domain (billsby.md 4),
    so its answer tells a wrong key from a wrong domain. A key's form is `<company>_<32 hex>`.
    """
    domain = configuration.text("BILLSBY_DOMAIN")
    company, _, rest = configuration.text("BILLSBY_API_KEY").rpartition("_")
    if rest and company and company.casefold() != domain.casefold():
        return (
            f"The key looks like one of the company “{company}”, but the company domain is set to "
            f"“{domain}”."
        )
    try:
        billsby.invoice(NO_SUCH_INVOICE)
    except NotAuthorised:
        return "The key itself is not accepted: copy it again from Billsby."
    except BillsbyError:
        pass
    return f"The key is known, so the company domain “{domain}” is probably wrong."


def check_webhooks() -> list[Examined]:
    """Whether Billsby may tell the desk of changes."""
    part = "Webhooks"
    if not configuration.text("BILLSBY_WEBHOOK_SECRET"):
        return [
            _not_used(part, "No webhook secret is set; the desk finds changes by asking Billsby.")
        ]
    return [_well(part, "A secret is set; Billsby may tell the desk of changes.")]


# ------------------------------------------------------------------ the workbook


def check_workbook() -> list[Examined]:
    """Whether the list can be read and written, and which heading serves which column."""
    part = "Workbook"
    try:
        view = outside.the_list().read()
    except (NotSetUpError, ListError) as problem:
        return [_wrong(part, str(problem))]
    columns = {
        name: f"column {view.columns[name]}, “{view.headings[name]}”"
        for name in FIELDS
        if name in view.columns
    }
    shown = f"Tab “{view.tab}”, headings in row {view.heading_row}, {len(view.rows)} rows."
    found = [_well(part, shown, **columns), _order(view), *_fill(view)]
    if links.is_link(configuration.text("WORKBOOK_PATH")):
        return [*found, _sign_in()]
    return [*found, _folder(view.path), _space(view.path)]


_ORDERS = {
    Order.NEWEST_FIRST: "The dates run newest first; new rows go on top.",
    Order.MIXED: "The dates run in no order; new rows go on top.",
    Order.UNTOLD: "The list is too short to tell how its dates run; new rows go on top.",
}


def _order(view: ListView) -> Examined:
    part = "Order of the list"
    found = order.of_rows(view.rows)
    if found is Order.OLDEST_FIRST:
        return _wrong(
            part,
            "The dates run oldest first, so the newest stand at the bottom; but the desk puts new "
            "rows on top, as the procedure says. Sort the list newest first in Excel.",
        )
    return _well(part, _ORDERS[found])


def _fill(view: ListView) -> list[Examined]:
    fill = pairs(configuration.text("WORKBOOK_FILL"))
    if not fill:
        return []
    part = "Columns of your own"
    try:
        columns = filling.letters(view, fill)
    except CannotPlace as problem:
        return [_wrong(part, problem.sentence)]
    named = ", ".join(f"{letters} “{view.others[letters]}”" for letters in columns)
    return [_well(part, f"Each new row gets something in {named}.")]


def _sign_in() -> Examined:
    who = (
        "its own app"
        if configuration.is_set("MICROSOFT_CLIENT_SECRET")
        else "the person who used `canceldesk list sign-in`"
    )
    return _well(
        "Microsoft sign-in", f"Microsoft 365 lets the desk open the workbook to edit it, as {who}."
    )


def _folder(path: Path) -> Examined:
    part = "Workbook folder"
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".canceldesk-"):
            pass
        with path.open("r+b"):
            pass
    except OSError as problem:
        return _wrong(
            part,
            f"The desk may not write to {path.parent}: {problem.strerror}. Give the user it runs "
            "as the right to change the file and to make files beside it.",
        )
    return _well(part, "The workbook and files beside it can be written.")


def _space(path: Path) -> Examined:
    part = "Disk space"
    needed = max(LEAST_FREE, COPIES * path.stat().st_size)
    for folder in {path.parent, Path(settings.DATA)}:
        free = shutil.disk_usage(folder).free
        if free < needed:
            return _wrong(
                part,
                f"Only {free // 1024**2} MB are free in {folder}; copies of the workbook and the "
                f"database need {needed // 1024**2} MB.",
            )
    return _well(part, "There is room for copies of the workbook.")


# ------------------------------------------------------------------ mail


def check_mail() -> list[Examined]:
    """Whether the mail server lets the desk in; nothing is sent."""
    part = "Mail"
    if not sending.is_set_up():
        if configuration.yes("CONFIRM_BY_EMAIL"):
            return [
                _wrong(
                    part,
                    "Clients are to be told by e-mail, but the mail server or the sender is not "
                    "set. Fill them in under Settings → Mail.",
                )
            ]
        return [_not_used(part, "No mail server is set; no e-mail is sent.")]
    encryption = configuration.text("MAIL_TLS")
    server = mail.get_connection(
        backend="django.core.mail.backends.smtp.EmailBackend",
        host=configuration.text("MAIL_HOST"),
        port=configuration.whole("MAIL_PORT"),
        username=configuration.text("MAIL_USER"),
        password=configuration.text("MAIL_PASSWORD"),
        use_tls=encryption == "starttls",
        use_ssl=encryption == "tls",
        timeout=int(SECONDS),
    )
    try:
        server.open()
        server.close()
    except OSError as problem:
        return [_wrong(part, f"The mail server does not let the desk in: {problem}.")]
    return [_well(part, "The mail server lets the desk in.")]


# ------------------------------------------------------------------ all of it


def examine() -> Iterator[Examined]:
    """Everything, one after the other. When the database is not there, nothing that needs the
    settings stored in it is examined.
    """
    database = check_database()
    yield from database
    if any(one.verdict is Verdict.WRONG for one in database):
        return
    yield from check_settings()
    yield from check_engine()
    for check in (check_billsby, check_webhooks, check_workbook, check_mail, check_clock):
        try:
            yield from check()
        except BadSettingError as problem:
            yield _wrong("Settings", str(problem))


def is_well(examined: list[Examined]) -> bool:
    """Whether nothing is wrong."""
    return all(one.verdict is not Verdict.WRONG for one in examined)
