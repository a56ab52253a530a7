"""Stories of desks that were put back to a backup, each told in a process of its own. Prints what
came of it as JSON. Run by `tests.backup.telling.told`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

WORK = Path(sys.argv[1])
os.environ["CANCELDESK_DATA"] = str(WORK / "desk")
os.environ["DJANGO_SETTINGS_MODULE"] = "canceldesk.settings"
os.environ["CANCELDESK_WORKBOOK_PATH"] = str(WORK / "list.xlsx")

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.db.migrations.recorder import MigrationRecorder  # noqa: E402

from canceldesk import clock, engine, outside, serving  # noqa: E402
from canceldesk.accounts.models import User  # noqa: E402
from canceldesk.backup import (  # noqa: E402
    archive,
    belongings,
    interrupted,
    making,
    pending,
    putting_right,
    restoring,
)
from canceldesk.backup.errors import BackupError  # noqa: E402
from canceldesk.backup.postgresql import HeldTables  # noqa: E402
from canceldesk.backup.sqlite import HeldFile  # noqa: E402
from canceldesk.cases import log  # noqa: E402
from canceldesk.cases import services as cases  # noqa: E402
from canceldesk.cases.models import Case, Decision, Finding, LogEntry  # noqa: E402
from canceldesk.checks.services import compare_book  # noqa: E402
from canceldesk.closing import services as closing  # noqa: E402
from canceldesk.closing.models import Facts, Hold, Intent, Step  # noqa: E402
from canceldesk.configuration import services as configuration  # noqa: E402
from tests.backup.desks import DAY, START, Desk, a_desk  # noqa: E402

Story = Callable[..., dict[str, Any]]
STORIES: dict[str, Story] = {}


def story(tell: Story) -> Story:
    STORIES[tell.__name__] = tell
    return tell


def _steps(case: Case) -> dict[str, str]:
    return {step.name: step.sentence for step in Step.objects.filter(case=case)}


@story
def closed_today(*, with_reference: bool, decided: str, days_later: int) -> dict[str, Any]:
    """A case that the backup knows as `decided` says is closed; then the backup is put back, and
    people decide again where they must, on the same day or later.
    """
    with a_desk(WORK, with_reference=with_reference) as desk:
        former = desk.close(desk.client("Former"))
        case = desk.file(desk.client("Nora", owed=(4900, 5100)))
        desk.work_on()
        if decided == "before":
            desk.decide(case)
            desk.approve(case)
        file = making.make().file
        if decided == "after":
            desk.decide(case)
            desk.approve(case)
        desk.work_on()
        case.refresh_from_db()
        closed_first = case.state
        first = desk.rows()
        clock.advance(days_later * DAY)

        restoring.restore(file)
        restored = Case.objects.get(pk=case.pk)
        as_restored = restored.state
        if decided == "after":
            desk.decide(restored)
        desk.work_on()
        stuck = Case.objects.get(pk=case.pk)
        return {
            "closed_first": closed_first,
            "restored": as_restored,
            "state": stuck.state,
            "waits": stuck.waits_sentence,
            "steps": _steps(stuck),
            "rows": desk.rows(),
            "rows_are_the_first": desk.rows() == first,
            "former": Case.objects.get(pk=former.pk).state,
            "written_off": desk.history("invoice written off"),
            "log": [log.sentence(one) for one in LogEntry.objects.filter(verb="desk.restored")],
            "collected": stuck.facts.collected_minor,
            "next_charge": str(stuck.facts.next_charge_at),
        }


@story
def filed_today() -> dict[str, Any]:
    """A case filed and closed after the backup is not in it; others are filed afterwards."""
    with a_desk(WORK) as desk:
        before = desk.close(desk.client("Former"))
        file = making.make().file
        lost = desk.close(desk.client("Lost"))
        rows = desk.rows()

        done = restoring.restore(file)
        new = desk.close(desk.client("Another"))
        return {
            "before": before.number,
            "lost": lost.number,
            "announced": done.right.next_number,
            "new": new.number,
            "new_pk": new.pk,
            "rows_before": rows,
            "rows": desk.rows(),
        }


@story
def filed_today_and_replaced_database_gone(*, highest: int) -> dict[str, Any]:
    """Only the list knows how far the numbers went: the machine of the backup is a new one."""
    with a_desk(WORK) as desk:
        file = making.make().file
        case = desk.file(desk.client("Lost"))
        Case.objects.filter(pk=case.pk).update(form_token=None)
        desk.decide(case)
        desk.work_on()
        _renumber_on_the_list(desk, case.number, f"C-{highest:05d}")
        _wipe()
        done = restoring.restore(file)
        return {"next": done.right.next_number, "new": desk.file(desk.client("Another")).pk}


def _renumber_on_the_list(desk: Desk, old: str, new: str) -> None:
    import openpyxl

    book = openpyxl.load_workbook(desk.workbook)
    for row in book.worksheets[0].iter_rows():
        for cell in row:
            if cell.value == old:
                cell.value = new
    book.save(desk.workbook)


def _wipe() -> None:
    """A machine on which a desk was set up anew."""
    connection.close()
    if connection.vendor == "sqlite":
        for file in (WORK / "desk").glob("canceldesk.sqlite3*"):
            file.unlink()
    else:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    call_command("migrate", verbosity=0)


@story
def held_today(*, then: str, days: int) -> dict[str, Any]:
    """A hold placed after the backup, for a case that was open in it."""
    with a_desk(WORK) as desk:
        subscription = desk.client("Nora")
        case = desk.file(subscription)
        original = desk.next_charge(subscription)
        file = making.make().file
        desk.work_on()
        held = desk.next_charge(subscription)
        holds_first = Hold.objects.count()
        clock.advance(days * DAY)

        done = restoring.restore(file)
        desk.decide(Case.objects.get(pk=case.pk), Decision(then))
        desk.work_on()
        case = Case.objects.get(pk=case.pk)
        return {
            "holds_first": holds_first,
            "was_moved": held > original,
            "adopted": done.right.adopted.holds,
            "problem": done.right.adopted.problem,
            "state": case.state,
            "original": str(original.date()),
            "next_charge": str(desk.next_charge(subscription).date()),
            "facts": [str(at.date()) for at in _charges_in_facts(case)],
            "log": [log.sentence(one) for one in case.log.filter(verb__startswith="hold.")],
        }


def _charges_in_facts(case: Case) -> list[dt.datetime]:
    found = Facts.objects.filter(case=case).values_list("next_charge_at", flat=True)
    return [at for at in found if at is not None]


@story
def held_for_nobody() -> dict[str, Any]:
    """A case filed and held after the backup; then nobody knows of either."""
    with a_desk(WORK) as desk:
        file = making.make().file
        desk.file(desk.client("Lost"))
        desk.work_on()

        restoring.restore(file)
        report = compare_book(outside.billsby(), outside.the_list())
        found = Finding.objects.filter(resolved_at=None)
        return {"wrong": sum(report.wrong.values()), "said": [one.sentence for one in found]}


@story
def signed_in_and_told() -> dict[str, Any]:
    """What must not come back: sessions, and an e-mail that may have been sent already."""
    with a_desk(WORK) as desk:
        case = desk.file(desk.client("Nora"))
        Session.objects.create(session_key="s", session_data="", expire_date=START + DAY)
        Case.objects.update(lease_owner="w", lease_until=START, failures=3)
        file = making.make().file

        done = restoring.restore(file)
        case.refresh_from_db()
        restored = {"token": case.lease_token, "lease": case.lease_owner, "due": case.next_pass_at}
        desk.decide(case)
        desk.work_on()
        telling = Intent.objects.get(case=case, kind=Intent.Kind.CONFIRM)
        stands = closing.why_decision_stands(case)
        return restored | {
            "sessions": Session.objects.count(),
            "woken": done.right.woken,
            "state": Case.objects.get(pk=case.pk).state,
            "tries": telling.request["tries"],
            "why": telling.answer["why"],
            "decision_stands": stands,
        }


@story
def of_an_older_version() -> dict[str, Any]:
    """The backup was made before a migration that the code has."""
    with a_desk(WORK) as desk:
        desk.close(desk.client("Former"))
        call_command("migrate", "closing", "0002", verbosity=0)
        old = making.make()
        call_command("migrate", verbosity=0)

        restoring.restore(old.file)
        return {
            "last_in_backup": [m for m in old.manifest.counted.migrations if "closing" in m][-1],
            "is_migrated": serving.is_migrated(),
            "cases": Case.objects.count(),
            "engine": engine.check(),
        }


@story
def of_a_newer_version(*, which: str) -> dict[str, Any]:
    """Backup or database has a migration that the code does not know."""
    with a_desk(WORK):
        recorder = MigrationRecorder(connection)
        if which == "backup":
            recorder.record_applied("cases", "9999_from_the_future")
        file = making.make().file
        if which == "backup":
            recorder.record_unapplied("cases", "9999_from_the_future")
        else:
            recorder.record_applied("cases", "9999_from_the_future")
        return {"refused": _refusal(file), "log": LogEntry.objects.count()}


def _refusal(file: Path) -> str:
    try:
        restoring.restore(file)
    except BackupError as problem:
        return f"{type(problem).__name__}: {problem}"
    return ""


@story
def while_it_runs() -> dict[str, Any]:
    """Another process has the desk's database open, idle; then it ends."""
    with a_desk(WORK):
        file = making.make().file
        with _elsewhere(_use_the_database):
            refused = _refusal(file)
        return {"refused": refused, "then": _refusal(file)}


def _use_the_database() -> None:
    LogEntry.objects.count()


@contextlib.contextmanager
def _elsewhere(what: Callable[[], None]) -> Iterator[None]:
    """Do something in another process, which stays until the block ends."""
    connections.close_all()
    (ready, say_ready), (over, say_over) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        what()
        os.write(say_ready, b"x")
        os.read(over, 1)
        os._exit(0)
    os.read(ready, 1)
    try:
        yield
    finally:
        os.write(say_over, b"x")
        os.waitpid(child, 0)


@story
def who_waits_meanwhile() -> dict[str, Any]:
    """A process that comes to write while the desk is being restored has to wait for it."""
    with a_desk(WORK):
        file = making.make().file
        put_right = putting_right.put_right
        waiting: list[subprocess.Popen[bytes]] = []

        def interrupted_by_a_writer(*given: Any, **named: Any) -> Any:
            waiting.append(subprocess.Popen([sys.executable, "-c", _WRITER]))
            return put_right(*given, **named)

        with mock.patch.object(restoring, "put_right", interrupted_by_a_writer):
            restoring.restore(file)
        return {
            "ended": waiting[0].wait(30),
            "written": LogEntry.objects.filter(verb="list.created").count(),
            "restored": LogEntry.objects.filter(verb="desk.restored").count(),
        }


_WRITER = """
import django; django.setup()
from canceldesk.cases import log
log.record(log.Verb.LIST_CREATED, path="x")
"""


@story
def of_a_damaged_database() -> dict[str, Any]:
    """The desk's SQLite file is rubbish."""
    with a_desk(WORK) as desk:
        desk.close(desk.client("Former"))
        file = making.make().file
        connections.close_all()
        path = WORK / "desk" / "canceldesk.sqlite3"
        content = bytearray(path.read_bytes())
        content[:20_000] = b"?" * 20_000
        path.write_bytes(content)

        done = restoring.restore(file)
        kept = list(path.parent.glob("canceldesk.sqlite3.before-restore-*"))
        return {
            "cases": Case.objects.count(),
            "aside": done.aside,
            "kept_as_it_was": [one.read_bytes() == bytes(content) for one in kept],
        }


@story
def twice() -> dict[str, Any]:
    """The same backup is put back again, and then what it replaced the first time."""
    with a_desk(WORK) as desk:
        desk.close(desk.client("Former"))
        file = making.make().file
        desk.close(desk.client("Lost"))
        first = restoring.restore(file)
        second = restoring.restore(file)
        assert first.aside is not None
        assert second.aside is not None
        cases_after_second = Case.objects.count()
        clock.advance(DAY)
        back = restoring.restore(first.aside.file)
        desk.work_on()
        return {
            "cases_after_second": cases_after_second,
            "cases_after_undoing": Case.objects.count(),
            "numbers": [done.right.next_number for done in (first, second, back)],
            "files_differ": first.aside.file != second.aside.file,
            "rows": len(desk.rows()),
            "states": sorted(case.state for case in Case.objects.all()),
        }


@story
def on_a_new_machine() -> dict[str, Any]:
    """Everything is gone but the backup; the new machine has made a secret key of its own."""
    with a_desk(WORK) as desk:
        configuration.change("BILLSBY_WEBHOOK_SECRET", "quite secret")
        desk.close(desk.client("Former"))
        file = making.make(WORK / "elsewhere").file
        _wipe()
        key = WORK / "desk" / "secret-key"
        key.write_text("another key")
        settings.SECRET_KEY = "another key"
        desk.workbook.unlink()

        done = restoring.restore(file, with_workbook=True)
        settings.SECRET_KEY = key.read_text()
        return {
            "mode": oct(key.stat().st_mode & 0o777),
            "secret": configuration.text("BILLSBY_WEBHOOK_SECRET"),
            "workbook": done.beside.workbook,
            "rows": len(desk.rows()),
            "kept_key": [one.read_text() for one in key.parent.glob("secret-key.before-*")],
        }


@story
def with_the_workbook() -> dict[str, Any]:
    """The list of the backup is wanted back, too."""
    with a_desk(WORK) as desk:
        desk.close(desk.client("Former"))
        file = making.make().file
        desk.close(desk.client("Lost"))
        restoring.restore(file)
        left_alone = len(desk.rows())
        done = restoring.restore(file, with_workbook=True)
        kept = [one.name for one in WORK.glob("list (before restore *).xlsx")]
        return {
            "left_alone": left_alone,
            "rows": len(desk.rows()),
            "kept": kept,
            "said": done.beside.workbook,
        }


@story
def while_others_write(*, backups: int) -> dict[str, Any]:
    """Backups of a desk that never rests."""
    with a_desk(WORK), _elsewhere(_write_for_ever):
        made = []
        for number in range(backups):
            one = making.make(WORK / "kept")
            told, not_shown = making.check(one.file)
            made.append(told.counted.log_entries)
            assert not not_shown, number
            clock.advance(dt.timedelta(seconds=1))
        return {"entries": made, "left": [one.name for one in (WORK / "kept").iterdir()]}


def _write_for_ever() -> None:
    """Go on writing in a thread, however often it has to wait for its turn."""
    for _ in range(5):
        log.record(log.Verb.LIST_CREATED, path="x")
    threading.Thread(target=_write, daemon=True).start()


def _write() -> None:
    while True:
        log.record(log.Verb.LIST_CREATED, path="x")


@story
def killed() -> dict[str, Any]:
    """The restore is killed at one point after the other. Each time a case is filed before, so
    that the desk as it was and the desk as it is in the backup can be told apart.
    """
    with a_desk(WORK) as desk:
        withdrawn = desk.file(desk.client("Former"))
        agent = User.objects.get(role="agent")
        cases.withdraw(withdrawn, by=agent, because="not_a_cancellation")
        file = making.make().file
        subscriptions = [desk.client(f"Client{n}") for n in range(40)]
        told: list[dict[str, Any]] = []
        for at, subscription in enumerate(subscriptions, start=1):
            before = Case.objects.count()
            desk.file(subscription)
            point = _restore_killed_at(at, file)
            if point == "":
                return {"kills": told, "cases": Case.objects.count(), "queued": engine.check()}
            warned, said = pending.warning(), restoring.settle()
            told.append(
                {
                    "point": point,
                    "warned": bool(warned),
                    "said": said,
                    "cases": Case.objects.count(),
                    "before": before + 1,
                    "restored": LogEntry.objects.filter(verb="desk.restored").exists(),
                    "left": pending.warning() or (WORK / "desk" / "restoring").exists(),
                }
            )
        raise AssertionError("more points than clients")


_POINTS = (
    (interrupted, "begin"),
    (interrupted, "write"),
    (interrupted, "finish"),
    (interrupted, "discard"),
    (making, "pack"),
    (restoring, "put_right"),
    (archive, "unpack"),
    (engine, "migrate"),
    (belongings, "put_key_back"),
)


def _restore_killed_at(at: int, file: Path) -> str:
    """Restore in a child that is killed at the point of that number; the point's name, "" when
    there were not so many.
    """
    connections.close_all()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _die_at(at, writing)
        restoring.restore(file)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        point = said.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) == bool(point), status
    return point


def _die_at(at: int, writing: int) -> None:
    passed = 0

    def point(name: str) -> None:
        nonlocal passed
        passed += 1
        if passed == at:
            os.write(writing, name.encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def around(what: Callable[..., Any], name: str) -> Callable[..., Any]:
        def called(*given: Any, **named: Any) -> Any:
            point(f"before {name}")
            result = what(*given, **named)
            point(f"after {name}")
            return result

        return called

    for module, name in _POINTS:
        setattr(module, name, around(getattr(module, name), name))
    for held in (HeldFile, HeldTables):
        held.replace = around(held.replace, "replace")  # type: ignore[method-assign]


def main() -> None:
    told = STORIES[sys.argv[2]](**json.loads(sys.argv[3]))
    print(json.dumps(told, default=str))  # noqa: T201


if __name__ == "__main__":
    main()
