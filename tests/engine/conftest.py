"""An engine of its own for every test: on SQLite in a folder of its own, on PostgreSQL emptied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from dbos import WorkflowStatus
from django.conf import settings
from psycopg import sql

from canceldesk.configuration import reading
from canceldesk.engine import place
from canceldesk.engine.queueing import PASSES
from tests.databases import on_postgresql

WORKFLOWS = sa.Table(
    "workflow_status",
    sa.MetaData(),
    *(
        sa.Column(name)
        for name in (
            "status",
            "executor_id",
            "created_at",
            "started_at_epoch_ms",
            "workflow_deadline_epoch_ms",
            "completed_at",
            "deduplication_id",
        )
    ),
)


@pytest.fixture(scope="session")
def migrated(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The engine's tables: on PostgreSQL beside those of the desk, else in a folder, to copy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "DATA", tmp_path_factory.mktemp("engine"))
        place.migrate()
        return place.sqlite_file().parent


@pytest.fixture(autouse=True)
def engine_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated: Path
) -> Iterator[None]:
    """A migrated, empty engine."""
    monkeypatch.setattr(settings, "DATA", tmp_path)
    _forget_connections()
    if on_postgresql():
        _empty_on_postgresql()
    else:
        shutil.copytree(migrated, tmp_path, dirs_exist_ok=True)
    yield
    _forget_connections()


def _forget_connections() -> None:
    if place.client.cache_info().currsize:
        place.client().destroy()
    if place._sqlite.cache_info().currsize:
        place._sqlite().dispose()
    place.client.cache_clear()
    place._sqlite.cache_clear()


def _empty_on_postgresql() -> None:
    with psycopg.connect(reading.text("DATABASE_URL")) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = %s"
            " AND tablename NOT LIKE '%%migrations%%'",
            [place.SCHEMA],
        ).fetchall()
        names = sql.SQL(", ").join(sql.Identifier(place.SCHEMA, name) for (name,) in tables)
        connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))


def engine_database() -> sa.Engine:
    """The engine's own tables, to read and change behind its back."""
    engine: sa.Engine = place.client()._sys_db.engine
    if on_postgresql():
        return engine.execution_options(schema_translate_map={None: place.SCHEMA})
    return engine


def rewrite(**values: object) -> None:
    """Change what stands of every pass and chore, behind the engine's back."""
    with engine_database().begin() as connection:
        connection.execute(sa.update(WORKFLOWS).values(values))


def queued(queue: str = PASSES) -> list[WorkflowStatus]:
    """What waits in a queue, oldest first."""
    return place.client().list_workflows(status="ENQUEUED", queue_name=queue)


def cases_queued() -> list[int]:
    """The numbers of the cases that wait for a pass."""
    return [int(one.workflow_id.split("-")[1]) for one in queued()]
