from __future__ import annotations

import datetime as dt
import shutil
import smtplib
import tempfile
from collections import namedtuple
from collections.abc import Callable
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest
from django.core import mail
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from billsby_sandbox.company import Company
from canceldesk import clock, doctor, engine, outside
from canceldesk.billsby import NotAuthorised, NotFound
from canceldesk.configuration import services as configuration
from canceldesk.doctor import Examined, Verdict
from canceldesk.workbook.protocol import NewRow
from canceldesk.workbook.sample import create_sample
from tests.conftest import NOW
from tests.practice import billsby_of
from tests.workbook.graph.building import book, the_list
from tests.workbook.graph.practice.faults import Fault, any_call, error
from tests.workbook.graph.practice.graph import LINK, PracticeGraph

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

KEY = "acme_0123456789abcdef0123456789abcdef"
Usage = namedtuple("Usage", "total used free")


def wrong(examined: list[Examined]) -> list[str]:
    """The sentences about what is wrong."""
    return [one.sentence for one in examined if one.verdict is Verdict.WRONG]


# ------------------------------------------------------------------ the desk itself


def test_settings_that_can_be_understood_are_well() -> None:
    assert doctor.is_well(doctor.check_settings())


def test_every_setting_that_cannot_be_understood_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANCELDESK_POLL_SECONDS", "often")
    monkeypatch.setenv("CANCELDESK_TIME_ZONE", "Mars/Olympus")

    sentences = wrong(doctor.check_settings())

    assert len(sentences) == 2
    assert "CANCELDESK_TIME_ZONE" in sentences[0]
    assert "CANCELDESK_POLL_SECONDS" in sentences[1]


def test_a_database_that_is_up_to_date_is_well() -> None:
    assert doctor.is_well(doctor.check_database())


def test_a_database_that_lacks_something_asks_for_migrate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: ["something"])

    assert wrong(doctor.check_database()) == [
        "The database is not up to date. Run `canceldesk migrate`."
    ]


def test_a_database_out_of_reach_ends_the_examination(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise DatabaseError("connection refused")

    monkeypatch.setattr(MigrationExecutor, "migration_plan", away)

    examined = list(doctor.examine())

    assert [one.part for one in examined] == ["Database"]
    assert "CANCELDESK_DATABASE_URL" in examined[0].sentence


def test_the_engine_is_asked_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "check", lambda: 3)

    (found,) = doctor.check_engine()

    assert (found.verdict, "3 passes" in found.sentence) == (Verdict.WELL, True)


def test_an_engine_out_of_reach_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> int:
        raise OSError("disk gone")

    monkeypatch.setattr(engine, "check", away)

    assert "disk gone" in wrong(doctor.check_engine())[0]


# ------------------------------------------------------------------ the clock


def _replies(monkeypatch: pytest.MonkeyPatch, date: str | None) -> None:
    def get(_url: str, **_how: object) -> httpx.Response:
        return httpx.Response(401, headers={"date": date} if date else {})

    monkeypatch.setattr(httpx, "get", get)
    monkeypatch.setattr(doctor, "_database_time", lambda: None)


@pytest.mark.parametrize(("minutes", "verdict"), [(1, Verdict.WELL), (5, Verdict.WRONG)])
def test_the_clock_is_compared_with_billsbys(
    monkeypatch: pytest.MonkeyPatch, minutes: int, verdict: Verdict
) -> None:
    _replies(monkeypatch, format_datetime(NOW + dt.timedelta(minutes=minutes), usegmt=True))

    (found,) = doctor.check_clock()

    assert found.verdict is verdict


def test_how_far_off_the_clock_is_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    _replies(monkeypatch, format_datetime(NOW - dt.timedelta(minutes=30), usegmt=True))

    assert "30 minutes off" in wrong(doctor.check_clock())[0]


@pytest.mark.parametrize("date", [None, "yesterday"])
def test_without_a_time_to_compare_with_nothing_is_claimed(
    monkeypatch: pytest.MonkeyPatch, date: str | None
) -> None:
    _replies(monkeypatch, date)

    (found,) = doctor.check_clock()

    assert found.verdict is Verdict.NOT_USED


class Cursor:
    """A PostgreSQL's cursor that says what time it is."""

    def __init__(self, at: dt.datetime | None) -> None:
        self.at = at

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def execute(self, _query: str) -> None:
        if self.at is None:
            raise DatabaseError("away")

    def fetchone(self) -> tuple[object]:
        return (self.at,)


def test_a_database_server_is_asked_for_the_time_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "vendor", "postgresql")
    monkeypatch.setattr(connection, "cursor", lambda: Cursor(NOW + dt.timedelta(hours=1)))

    assert "60 minutes off" in wrong(doctor.check_clock())[0]


def test_postgresql_says_what_time_it_is_and_a_file_does_not() -> None:
    said = doctor._database_time()

    if connection.vendor == "sqlite":
        assert said is None
    else:
        assert said is not None
        assert abs(said - dt.datetime.now(tz=dt.UTC)) < dt.timedelta(minutes=1)


def test_a_database_server_that_does_not_say_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "vendor", "postgresql")
    monkeypatch.setattr(connection, "cursor", lambda: Cursor(None))

    assert doctor._database_time() is None


# ------------------------------------------------------------------ Billsby

Connect = Callable[..., Company]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Point the desk at a practice Billsby: `connect(domain=..., key=...)`."""
    company = Company.open(":memory:", domain="acme", api_key=KEY, clock=clock.now)

    def set_up(*, domain: str = "acme", key: str = KEY, **also: str) -> Company:
        billsby = billsby_of(company, key=key, domain=domain)
        for name, text in ({"BILLSBY_DOMAIN": domain, "BILLSBY_API_KEY": key} | also).items():
            configuration.change(name, text)
        monkeypatch.setattr(outside, "billsby", lambda: billsby)
        return company

    yield set_up
    company.close()


def test_a_desk_without_billsby_says_what_to_fill_in() -> None:
    assert "Settings → Billsby" in wrong(doctor.check_billsby())[0]


def test_every_list_is_read(connect: Connect) -> None:
    connect().add_customer("Nora", "Field")

    examined = doctor.check_billsby()

    assert doctor.is_well(examined)
    assert [one.part for one in examined] == [
        "Billsby",
        "Billsby: subscriptions",
        "Billsby: invoices of the company",
        "Billsby: subscriptions of one client",
        "Billsby: invoices of one client",
    ]


def test_a_company_without_clients_is_well(connect: Connect) -> None:
    connect()

    assert len(doctor.check_billsby()) == 3


def test_a_list_that_cannot_be_read_is_named(connect: Connect) -> None:
    connect().add_fault(kind="status", status="500", path="*/companies/invoices", times="9")

    examined = doctor.check_billsby()

    assert [one.part for one in examined if one.verdict is Verdict.WRONG] == [
        "Billsby: invoices of the company"
    ]


def test_a_wrong_key_is_told_from_a_wrong_domain(connect: Connect) -> None:
    connect(key=KEY.replace("0", "1"))

    assert "The key itself is not accepted" in wrong(doctor.check_billsby())[0]


def test_a_key_of_another_company_is_recognised(connect: Connect) -> None:
    connect(key=KEY.replace("acme", "other"))

    (sentence,) = wrong(doctor.check_billsby())
    assert "“other”" in sentence
    assert "“acme”" in sentence
    assert KEY.removeprefix("acme_") not in sentence


class Asked:
    """A Billsby that lets nobody list, and knows no such invoice."""

    def customers(self) -> None:
        raise NotAuthorised("Billsby does not accept the key.")

    def invoice(self, _number: str) -> None:
        raise NotFound("There is no such invoice.")


def test_a_key_billsby_knows_points_at_the_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "billsby", Asked)
    configuration.change("BILLSBY_DOMAIN", "acme")
    configuration.change("BILLSBY_API_KEY", KEY)

    assert "the company domain “acme” is probably wrong" in wrong(doctor.check_billsby())[0]


def test_billsby_out_of_reach_is_wrong(connect: Connect) -> None:
    connect().set_down("503")

    assert len(wrong(doctor.check_billsby())) == 1


def test_a_secret_lets_billsby_tell_of_changes() -> None:
    assert doctor.check_webhooks()[0].verdict is Verdict.NOT_USED

    configuration.change("BILLSBY_WEBHOOK_SECRET", "between us")

    assert doctor.check_webhooks()[0].verdict is Verdict.WELL


# ------------------------------------------------------------------ the workbook


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "clients.xlsx"
    row = NewRow("Nora Field", "202 555 0143", dt.date(2026, 10, 1), 9900, "USD", 1, "Moved")
    create_sample(path, [row])
    configuration.change("WORKBOOK_PATH", str(path))
    return path


def test_a_good_workbook_shows_which_heading_serves_which_column(workbook: Path) -> None:
    examined = doctor.check_workbook()

    assert doctor.is_well(examined)
    assert examined[0].sentence == "Tab “cancellation”, headings in row 3, 1 rows."
    assert examined[0].details["phone"] == "column B, “Phone Number”"
    assert list(examined[0].details) == [
        "name",
        "phone",
        "cancelled_on",
        "collected",
        "months",
        "reason",
    ]


def test_a_missing_workbook_is_wrong(workbook: Path) -> None:
    workbook.unlink()

    assert len(wrong(doctor.check_workbook())) == 1


def test_a_missing_workbook_can_be_made_by_a_command(workbook: Path) -> None:
    workbook.unlink()

    assert "`canceldesk list create`" in wrong(doctor.check_workbook())[0]


def _dated(workbook: Path, *days: int) -> str:
    """What is said of a list whose rows from the top are of these days of October."""
    rows = [
        NewRow(f"Client {day}", "555 0100", dt.date(2026, 10, day), 9900, "USD", 1, "Moved")
        for day in days
    ]
    create_sample(workbook, rows)
    (found,) = [one for one in doctor.check_workbook() if one.part == "Order of the list"]
    assert (found.verdict is Verdict.WRONG) == ("oldest first" in found.sentence)
    return found.sentence


def test_the_order_of_the_list_is_told(workbook: Path) -> None:
    assert "newest first" in _dated(workbook, 9, 8, 8, 7, 5, 6, 4, 3)
    assert "too short to tell" in _dated(workbook, 9, 9)
    assert "too short to tell" in _dated(workbook)
    assert "in no order" in _dated(workbook, 9, 1, 8, 2, 7)


def test_a_list_that_runs_oldest_first_is_wrong(workbook: Path) -> None:
    assert "Sort the list newest first" in _dated(workbook, 1, 2, 3, 5, 5, 9)


def test_columns_to_be_filled_are_looked_for(workbook: Path) -> None:
    configuration.change("WORKBOOK_FILL", "Status=Cancelled")

    assert "no column headed “Status”" in wrong(doctor.check_workbook())[0]

    book = openpyxl.load_workbook(workbook)
    book["cancellation"]["G3"] = "Status"
    book.save(workbook)

    examined = doctor.check_workbook()
    assert doctor.is_well(examined)
    assert "Each new row gets something in G “Status”." in [one.sentence for one in examined]


def test_without_a_workbook_set_the_doctor_says_where_to_set_it() -> None:
    assert "Settings → Workbook" in wrong(doctor.check_workbook())[0]


@pytest.mark.parametrize(
    ("secret", "who"), [("between-us", "its own app"), ("", "canceldesk list sign-in")]
)
def test_a_workbook_in_the_cloud_is_read_and_has_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str, who: str
) -> None:
    in_the_cloud = the_list(PracticeGraph(book()), tmp_path)
    configuration.change("WORKBOOK_PATH", LINK)
    configuration.change("MICROSOFT_CLIENT_SECRET", secret)
    monkeypatch.setattr(outside, "the_list", lambda: in_the_cloud)

    examined = doctor.check_workbook()

    assert doctor.is_well(examined)
    assert [one.part for one in examined] == ["Workbook", "Order of the list", "Microsoft sign-in"]
    assert who in examined[2].sentence
    assert "between-us" not in str(examined)


def test_a_workbook_in_the_cloud_that_is_not_shared_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = Fault(any_call, answer=error(403, "accessDenied"), times=9)
    in_the_cloud = the_list(PracticeGraph(book(), faults=[fault]), tmp_path)
    monkeypatch.setattr(outside, "the_list", lambda: in_the_cloud)

    assert "the right to edit the file" in wrong(doctor.check_workbook())[0]


def test_a_folder_the_desk_may_not_write_to_is_wrong(
    workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_how: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refused)

    assert (
        f"may not write to {workbook.parent}: Permission denied"
        in wrong(doctor.check_workbook())[0]
    )


def test_a_full_disk_is_told_before_it_does_harm(
    workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 5 * 1024**2))

    assert "Only 5 MB are free" in wrong(doctor.check_workbook())[0]


def test_looking_at_the_workbook_leaves_nothing_behind(workbook: Path) -> None:
    before = workbook.read_bytes()

    doctor.check_workbook()

    assert workbook.read_bytes() == before
    assert [one.name for one in workbook.parent.glob(".canceldesk-*")] == []


# ------------------------------------------------------------------ mail


class Server:
    """A mail server that lets the desk in, or not."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.problem = problem
        self.closed = False

    def open(self) -> None:
        if self.problem:
            raise self.problem

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def mail_is_set() -> None:
    configuration.change("MAIL_HOST", "mail.example.com")
    configuration.change("MAIL_FROM", "desk@example.com")


def test_no_mail_server_is_no_fault() -> None:
    assert doctor.check_mail()[0].verdict is Verdict.NOT_USED


def test_telling_clients_by_mail_needs_a_mail_server() -> None:
    configuration.change("CONFIRM_BY_EMAIL", "yes")

    assert "Settings → Mail" in wrong(doctor.check_mail())[0]


@pytest.mark.usefixtures("mail_is_set")
@pytest.mark.parametrize(
    "problem",
    [ConnectionRefusedError("refused"), smtplib.SMTPAuthenticationError(535, b"no")],
)
def test_a_mail_server_that_does_not_let_the_desk_in_is_wrong(
    monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    monkeypatch.setattr(mail, "get_connection", lambda **_: Server(problem))

    assert "does not let the desk in" in wrong(doctor.check_mail())[0]


@pytest.mark.usefixtures("mail_is_set")
def test_the_door_of_the_mail_server_is_closed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    monkeypatch.setattr(mail, "get_connection", lambda **_: server)

    assert doctor.is_well(doctor.check_mail())
    assert server.closed


# ------------------------------------------------------------------ all of it


def test_everything_is_examined(
    connect: Connect, workbook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect()
    monkeypatch.setattr(engine, "check", lambda: 0)
    _replies(monkeypatch, format_datetime(NOW, usegmt=True))

    examined = list(doctor.examine())

    assert doctor.is_well(examined)
    assert {one.part.split(":")[0] for one in examined} == {
        "Billsby",
        "Clock",
        "Database",
        "Disk space",
        "Engine",
        "Mail",
        "Order of the list",
        "Settings",
        "Webhooks",
        "Workbook",
        "Workbook folder",
    }


def test_a_setting_that_cannot_be_read_does_not_end_the_examination(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "check", lambda: 0)
    monkeypatch.setenv("CANCELDESK_CONFIRM_BY_EMAIL", "perhaps")
    _replies(monkeypatch, None)

    parts = [one.part for one in doctor.examine()]

    assert parts.count("Settings") == 2
    assert parts[-1] == "Clock"
