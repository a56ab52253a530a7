"""Counting what a desk's database holds, in words that SQLite and PostgreSQL both understand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from canceldesk.backup.manifest import Counted

Ask = Callable[[str], Sequence[Sequence[Any]]]

TABLE = "cases_case"


def count(ask: Ask) -> Counted:
    """What the database holds that `ask` answers from. Raises what the database raises."""
    migrations = ask("SELECT app, name, applied FROM django_migrations ORDER BY id")
    ((cases, highest),) = ask(f"SELECT count(*), coalesce(max(id), 0) FROM {TABLE}")  # noqa: S608
    ((entries, newest),) = ask("SELECT count(*), max(at) FROM cases_logentry")
    return Counted(
        began_at=min(_moment(applied) for _, _, applied in migrations),
        migrations=tuple(f"{app}.{name}" for app, name, _ in migrations),
        cases=cases,
        highest_case=highest,
        log_entries=entries,
        newest_entry_at=_moment(newest) if newest else None,
    )


def _moment(value: object) -> dt.datetime:
    # SQLite keeps moments as text without a zone, and Django means UTC by them.
    at = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
