"""Stories of restores: killed, refused, on another machine, of another version."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder

from canceldesk import clock, engine, serving
from canceldesk.accounts.models import User
from canceldesk.backup import (
    archive,
    belongings,
    interrupted,
    making,
    pending,
    putting_right,
    restoring,
)
from canceldesk.backup.errors import BackupError
from canceldesk.backup.postgresql import HeldTables
from canceldesk.backup.sqlite import HeldFile
from canceldesk.cases import log
from canceldesk.cases import services as cases
from canceldesk.cases.models import Case, LogEntry
from canceldesk.configuration import services as configuration
from tests.backup.book import WORK, story
from tests.backup.desks import a_desk, wipe


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
def on_a_new_machine() -> dict[str, Any]:
    """Everything is gone but the backup; the new machine has made a secret key of its own."""
    with a_desk(WORK) as desk:
        configuration.change("BILLSBY_WEBHOOK_SECRET", "quite secret")
        desk.close(desk.client("Former"))
        file = making.make(WORK / "elsewhere").file
        wipe(WORK)
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
