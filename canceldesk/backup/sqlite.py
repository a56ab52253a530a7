"""The desk's database where it is a SQLite file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from django.db import connection

from canceldesk import clock
from canceldesk.backup import counting, files
from canceldesk.backup.errors import CannotError, DamagedError, RefusedError
from canceldesk.backup.manifest import Counted
from canceldesk.engine import place

_SECONDS_TO_WAIT: Final = 3.0
_BESIDE: Final = ("-wal", "-shm", "-journal")


class SQLite:
    """A file in the data folder; copied with SQLite's own online backup."""

    kind = "sqlite"
    member = "canceldesk.sqlite3"

    def version(self) -> str:
        """SQLite's version."""
        return sqlite3.sqlite_version

    def copy(self, target: Path) -> Counted:
        """Copy the file as it is at one moment, while others write to it."""
        with _as_damaged(), closing(sqlite3.connect(_file())) as source:
            return _copied(source, target)

    def prove(self, copy: Path) -> str:
        """Check every page and index of a copy."""
        with _as_damaged(), closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as opened:
            _check(opened)
        return ""

    @contextmanager
    def hold(self) -> Iterator[HeldFile]:
        """Lock the file against everybody, as it can only be while nobody has it open."""
        connection.close()
        with closing(_Locked(place.sqlite_file())), closing(_Locked(_file())) as live:
            yield HeldFile(live)


class _Locked:
    """A SQLite file that nobody else can open; `connection` is None when it is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection: sqlite3.Connection | None = sqlite3.connect(
            path, isolation_level=None, timeout=_SECONDS_TO_WAIT
        )
        try:
            # Whoever has a database in WAL mode open holds a shared lock on its file, even while
            # idle, so that this succeeds only when no process is at it.
            self.connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            self.connection.execute("BEGIN EXCLUSIVE")
            self.connection.execute("COMMIT")
        except sqlite3.DatabaseError as problem:
            self.close()
            if problem.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise RefusedError(
                    "The desk is running: something has its database open. Stop `canceldesk serve`,"
                    " `web` and `worker`, and any other `canceldesk` command, and try again."
                ) from problem

    def close(self) -> None:
        """Let others at it again."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class HeldFile:
    """The desk's file while this process alone has it."""

    def __init__(self, live: _Locked) -> None:
        self._live = live
        self.counted: Counted | None = None
        self.numbers_given = 0
        self.is_damaged = live.connection is None
        if live.connection is not None:
            try:
                _check(live.connection)
                self.numbers_given = _numbers_given(live.connection)
                self.counted = _counted(live.connection)
            except (DamagedError, sqlite3.DatabaseError) as problem:
                self.is_damaged = not _is_empty(problem)

    def copy(self, target: Path) -> Counted:
        """Copy the file as it is."""
        assert self._live.connection is not None  # noqa: S101 - a damaged one is not copied
        with _as_damaged():
            return _copied(self._live.connection, target)

    def replace(self, copy: Path, *, put_right: Callable[[], None]) -> None:
        """Put the copy in the file's place: in one transaction of SQLite's own, or, where the file
        is damaged, by changing its name.
        """
        with _django_at(copy):
            put_right()
        with _as_damaged(), closing(sqlite3.connect(copy)) as staged:
            # One file again, with nothing beside it.
            staged.execute("PRAGMA journal_mode=DELETE")
            _check(staged)
            if self._live.connection is not None and not self.is_damaged:
                # In the file itself, not by a new name: who waits for the lock to write to it
                # would write to a file that nobody reads any more.
                self._live.connection.execute("PRAGMA journal_mode=DELETE")
                staged.backup(self._live.connection)
                return
        self._live.close()
        _exchange_damaged(copy, self._live.path)


def _exchange_damaged(copy: Path, path: Path) -> None:
    """Keep the damaged file, with what SQLite keeps beside it, and put the copy in its place.

    Whenever this is interrupted, the damaged file or the copy is there: never no file, which would
    pass for a new desk.
    """
    aside = path.with_name(f"{path.name}.before-restore-{files.stamp(clock.now())}")
    for beside in ("", *_BESIDE):
        with suppress(FileNotFoundError):
            os.link(f"{path}{beside}", f"{aside}{beside}")
    for beside in _BESIDE:
        Path(f"{path}{beside}").unlink(missing_ok=True)
    copy.replace(path)
    files.force_folder(path.parent)


@contextmanager
def _django_at(file: Path) -> Iterator[None]:
    """Have Django take another file for the desk's."""
    connection.close()
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = str(file)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def _file() -> Path:
    return Path(connection.settings_dict["NAME"])


def _copied(source: sqlite3.Connection, target: Path) -> Counted:
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        target.chmod(0o600)
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        _check(copy)
        return _counted(copy)


def _counted(opened: sqlite3.Connection) -> Counted:
    return counting.count(lambda question: opened.execute(question).fetchall())


def _numbers_given(opened: sqlite3.Connection) -> int:
    found = opened.execute(
        "SELECT seq FROM sqlite_sequence WHERE name = ?", [counting.TABLE]
    ).fetchone()
    return int(found[0]) if found else 0


def _check(opened: sqlite3.Connection) -> None:
    found = [row[0] for row in opened.execute("PRAGMA integrity_check(1)")]
    if found != ["ok"]:
        raise DamagedError(f"The database is damaged: {found[0]}.")


def _is_empty(problem: Exception) -> bool:
    return isinstance(problem, sqlite3.OperationalError) and "no such table" in str(problem)


@contextmanager
def _as_damaged() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as problem:
        raise CannotError(f"The database cannot be read or written: {problem}.") from problem
    except sqlite3.DatabaseError as problem:
        raise DamagedError(f"The database is damaged: {problem}.") from problem
