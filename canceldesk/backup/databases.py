"""The desk's database as backing up and restoring need it, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from django.db import connection

from canceldesk.backup.manifest import Counted


class Held(Protocol):
    """The database while nobody else may change it."""

    counted: Counted | None
    """What it holds; None when no desk was ever set up in it, or it is damaged."""
    is_damaged: bool
    numbers_given: int
    """The highest case number it ever gave out, 0 when that is not known."""

    def copy(self, target: Path) -> Counted:
        """Copy it to a new file. Raises BackupError."""
        ...

    def replace(self, copy: Path, *, put_right: Callable[[], None]) -> None:
        """Put a copy in its place, all or nothing, when the block of `hold` ends at the latest.

        `put_right` is called when the desk's database, as Django sees it, is the one of the copy,
        and before anybody else can see that; when it raises, the old database stays.
        """
        ...


class Database(Protocol):
    """What can be done with the desk's database."""

    kind: str
    member: str
    """The name of its copy in a backup."""

    def version(self) -> str:
        """The version of the database's own program."""
        ...

    def copy(self, target: Path) -> Counted:
        """Copy it to a new file, consistent, while others work. Raises BackupError."""
        ...

    def prove(self, copy: Path) -> str:
        """Show that a copy can be read; "" or what could not be shown. Raises BackupError."""
        ...

    def hold(self) -> AbstractContextManager[Held]:
        """Keep everybody else from changing it. Raises RefusedError while desk processes run."""
        ...


def of_the_desk() -> Database:
    """The database the settings name."""
    return of_kind(connection.vendor)


def of_kind(kind: str) -> Database:
    """The way to handle databases of a kind, whether the desk has one now or not."""
    if kind == "postgresql":
        from canceldesk.backup.postgresql import PostgreSQL

        return PostgreSQL()
    from canceldesk.backup.sqlite import SQLite

    return SQLite()
