"""Putting a backup in the place of what is there: all or nothing, and nothing doubled after."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError
from django.db.migrations.loader import MigrationLoader

from canceldesk import clock, serving
from canceldesk.backup import archive, belongings, databases, files, interrupted, making
from canceldesk.backup.belongings import Workbook
from canceldesk.backup.databases import Database, Held
from canceldesk.backup.errors import RefusedError
from canceldesk.backup.interrupted import Finished, Plan
from canceldesk.backup.making import Made
from canceldesk.backup.manifest import Counted, Manifest
from canceldesk.backup.putting_right import PutRight, put_right

_ASIDE = "canceldesk-before-restore-"


@dataclass(frozen=True)
class Examined:
    """A backup that can be restored, and what it would replace: None where there is no desk.
    `earlier` says what became of a restore that was interrupted.
    """

    told: Manifest
    present: Counted | None
    is_damaged: bool
    earlier: str = ""

    @property
    def is_another_desk(self) -> bool:
        """Whether what is there now is not a later state of what was backed up."""
        return self.present is not None and self.present.began_at != self.told.counted.began_at


@dataclass(frozen=True)
class Restored:
    """What was done. `aside` is the backup of what was replaced, None when there was nothing, or
    nothing that could be read.
    """

    told: Manifest
    aside: Made | None
    right: PutRight
    beside: Finished
    notes: tuple[str, ...] = field(default=())


def examine(file: Path) -> Examined:
    """Prove a backup, and that it may be restored now. Raises BackupError."""
    with serving.alone():
        earlier = interrupted.settle()
        told = archive.verify(file)
        _check_fits(told)
        with databases.of_the_desk().hold() as held:
            _check_known(held.counted)
            return Examined(told, held.counted, held.is_damaged, earlier)


def settle() -> str:
    """Bring a restore that was interrupted to its end; says what was done, "" when there was none.

    Raises BackupError.
    """
    with serving.alone():
        return interrupted.settle()


def restore(file: Path, *, with_workbook: bool = False) -> Restored:
    """Put the backup in the place of the desk's database; what is replaced is kept.

    The list is left as it is, unless `with_workbook`. Raises BackupError; then the desk is as it
    was before.
    """
    with serving.alone():
        interrupted.settle()
        told = archive.verify(file)
        _check_fits(told)
        database = databases.of_the_desk()
        present_workbook = _present_workbook()
        try:
            aside, right = _replace(file, told, database, present_workbook, with_workbook)
        except BaseException:
            interrupted.settle()
            raise
        beside = interrupted.finish()
        return Restored(told, aside, right, beside, _notes(told, with_workbook))


def _replace(
    file: Path, told: Manifest, database: Database, workbook: Workbook, with_workbook: bool
) -> tuple[Made | None, PutRight]:
    staging = interrupted.begin()
    copy = _staged(file, told, database.member, staging / database.member)
    wanted = [belongings.SECRET_KEY, *([belongings.WORKBOOK] if with_workbook else [])]
    for name in wanted:
        if told.member(name):
            _staged(file, told, name, staging / name)
    plan = Plan(restore=secrets.token_hex(8), file=file.name, began_at=clock.now())
    done: list[PutRight] = []
    with database.hold() as held:
        _check_known(held.counted)
        aside = _keep_aside(held, workbook)

        def make_true() -> None:
            with _secret_key(staging):
                done.append(put_right(told, restore=plan.restore, numbers_given=held.numbers_given))
            interrupted.write(plan)

        held.replace(copy, put_right=make_true)
    return aside, done[0]


def _staged(file: Path, told: Manifest, name: str, target: Path) -> Path:
    member = told.member(name)
    if member is None:
        raise RefusedError(
            f"{file.name} holds no {name}, so it is no whole backup. Nothing was changed; restore "
            "another one."
        )
    with files.new_file(target) as into:
        archive.unpack(file, member, into)
    return target


def _keep_aside(held: Held, workbook: Workbook) -> Made | None:
    if held.counted is None:
        return None
    name = f"{_ASIDE}{files.stamp(clock.now())}{making.SUFFIX}"
    return making.pack(
        making.default_folder(), name, copy=held.copy, read_workbook=lambda: workbook
    )


def _present_workbook() -> Workbook:
    try:
        return belongings.read_workbook()
    except DatabaseError as problem:
        return Workbook(why=f"Where the workbook is could not be read: {problem}")


@contextmanager
def _secret_key(staging: Path) -> Iterator[None]:
    """The key that the restored desk will have: its stored settings are sealed with it."""
    kept = staging / belongings.SECRET_KEY
    if belongings.is_key_given() or not kept.exists():
        yield
        return
    before, settings.SECRET_KEY = settings.SECRET_KEY, kept.read_text(encoding="ascii")
    try:
        yield
    finally:
        settings.SECRET_KEY = before


def _check_fits(told: Manifest) -> None:
    kind = databases.of_the_desk().kind
    if told.database != kind:
        raise RefusedError(
            f"The backup is of a desk on {_NAMES[told.database]}, but this one is on "
            f"{_NAMES[kind]}. Set CANCELDESK_DATABASE_URL accordingly, and try again."
        )
    _check_known(told.counted, "The backup was made by")


_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def _check_known(counted: Counted | None, whose: str = "The database here is of") -> None:
    if counted is None:
        return
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations or ()}
    unknown = [one for one in counted.migrations if one not in known]
    if unknown:
        raise RefusedError(
            f"{whose} a newer version of the desk (it has {unknown[-1]}). Install that version "
            "first, and try again."
        )


def _notes(told: Manifest, with_workbook: bool) -> tuple[str, ...]:
    if with_workbook and told.member(belongings.WORKBOOK) is None:
        return ("The backup holds no workbook, so none was put back.",)
    workbook = _present_workbook()
    if with_workbook or not workbook.is_missed:
        return ()
    there = "; the one of the backup can be put back with --workbook"
    offer = there if told.member(belongings.WORKBOOK) else ""
    return (f"The list cannot be read{offer}: {workbook.why}",)
