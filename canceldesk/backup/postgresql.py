"""The desk's database where it is on a PostgreSQL server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from django.db import DatabaseError, OperationalError, connection, transaction

from canceldesk.backup import counting, programs
from canceldesk.backup.errors import CannotError, RefusedError
from canceldesk.backup.manifest import Counted
from canceldesk.engine.place import SCHEMA as ENGINE_SCHEMA

_COPY: Final = re.compile(rb"COPY .* FROM stdin;\n")
_END_OF_COPY: Final = b"\\.\n"
_SETTING: Final = re.compile(rb"SET (\w+) = .*;\n")
_FOR_PSQL: Final = re.compile(rb"\\(un)?restrict .*\n")
_OF_THE_SCHEMA: Final = re.compile(r"^\d+; \d+ \d+ (SCHEMA - |COMMENT - SCHEMA )")
_MAJOR: Final = 10_000

_OTHERS = """
    SELECT coalesce(nullif(application_name, ''), 'a program'),
           coalesce(host(client_addr), 'this server')
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND backend_type = 'client backend'
    ORDER BY backend_start
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
_FUNCTIONS = """
    SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE p.pronamespace = current_schema()::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
_NUMBERS_GIVEN = (
    f"SELECT pg_sequence_last_value(pg_get_serial_sequence('{counting.TABLE}', 'id')::regclass)"
)


class PostgreSQL:
    """A database on a server; copied with pg_dump, as it is at one moment."""

    kind = "postgresql"
    member = "canceldesk.pgdump"

    def version(self) -> str:
        """The server's version."""
        return str(_one("SHOW server_version"))

    def copy(self, target: Path) -> Counted:
        """Dump the desk's tables, but not the engine's, to a file."""
        pg_dump = programs.find("pg_dump", at_least=int(_one("SHOW server_version_num")) // _MAJOR)
        # What is counted and what is dumped are the same moment's.
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                cursor.execute("SELECT pg_export_snapshot(), current_schema()")
                snapshot, schema = cursor.fetchone()
                counted = counting.count(lambda question: _asked(cursor, question))
                programs.run(
                    pg_dump,
                    "--format=custom",
                    f"--snapshot={snapshot}",
                    f'--schema="{schema}"',
                    "--no-owner",
                    "--no-privileges",
                    f"--file={target}",
                )
        finally:
            other.close()
        target.chmod(0o600)
        return counted

    def prove(self, copy: Path) -> str:
        """Have pg_restore read a dump from its beginning to its end."""
        try:
            pg_restore = programs.find("pg_restore")
        except CannotError as problem:
            return f"That its dump can be read was not tried: {problem}"
        with programs.reading(pg_restore, "--file=-", copy) as script:
            while script.read(1 << 20):
                pass
        return ""

    @contextmanager
    def hold(self) -> Iterator[HeldTables]:
        """Lock every table against writing; all that happens inside is one transaction."""
        _refuse_others()
        with transaction.atomic():
            _lock(_column(_TABLES))
            yield HeldTables()


def _refuse_others() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS)
        others = sorted({f"{name} from {where}" for name, where in cursor.fetchall()})
    if others:
        raise RefusedError(
            f"The desk is running, or somebody else uses its database: {', '.join(others)}. Stop "
            "`canceldesk serve`, `web` and `worker` on every machine, and try again."
        )


def _lock(tables: list[str]) -> None:
    if not tables:
        return
    try:
        # Reading goes on, so that pg_dump can keep what is replaced.
        _do(f"LOCK TABLE {', '.join(map(_quoted, tables))} IN EXCLUSIVE MODE NOWAIT")
    except OperationalError as problem:
        raise RefusedError(
            "Somebody is just writing to the desk's database. Stop `canceldesk serve`, `web` and "
            "`worker` on every machine, and try again."
        ) from problem


class HeldTables:
    """The desk's tables while nobody else may write to them."""

    is_damaged = False

    def __init__(self) -> None:
        tables = _column(_TABLES)
        self.counted: Counted | None = None
        self.numbers_given = 0
        if counting.TABLE in tables:
            with connection.cursor() as cursor:
                self.counted = counting.count(lambda question: _asked(cursor, question))
            self.numbers_given = int(_one(_NUMBERS_GIVEN) or 0)
        self._check_only_ours(tables)

    def copy(self, target: Path) -> Counted:
        """Dump the tables as they are."""
        return PostgreSQL().copy(target)

    def replace(self, copy: Path, *, put_right: Callable[[], None]) -> None:
        """Drop the tables, and the engine's, and make those of the dump, within the transaction
        that the end of `hold` commits.
        """
        pg_restore = programs.find("pg_restore")
        _drop()
        try:
            _feed(pg_restore, copy)
        except DatabaseError as problem:
            raise CannotError(
                f"The server did not take the backup: {problem} Nothing was changed."
            ) from problem
        # Nothing that waits for the commit may keep a migration from changing a table.
        _do("SET CONSTRAINTS ALL IMMEDIATE")
        put_right()

    def _check_only_ours(self, tables: list[str]) -> None:
        ours = {"django_migrations", *connection.introspection.django_table_names()}
        others = [table for table in tables if table not in ours]
        if others:
            raise RefusedError(
                f"The database also holds tables that are not the desk's ({', '.join(others)}). "
                "Restore into a database that is the desk's alone."
            )


def _drop() -> None:
    tables, functions = _column(_TABLES), _column(_FUNCTIONS)
    if tables:
        _do(f"DROP TABLE {', '.join(map(_quoted, tables))} CASCADE")
    for function in functions:
        _do(f"DROP FUNCTION {function} CASCADE")
    _do(f"DROP SCHEMA IF EXISTS {_quoted(ENGINE_SCHEMA)} CASCADE")


def _feed(pg_restore: Path, dump: Path) -> None:
    """Run a dump's own script in the transaction that is open here."""
    wanted = dump.with_name(f"{dump.name}.list")
    wanted.write_text(_without_schema(programs.run(pg_restore, "--list", dump)), encoding="utf-8")
    arguments = ["--no-owner", "--no-privileges", f"--use-list={wanted}", "--file=-"]
    path = _one("SHOW search_path")
    with programs.reading(pg_restore, *arguments, dump) as script:
        _run(script)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('search_path', %s, false)", [path])


def _without_schema(listing: str) -> str:
    """A dump's list of contents without the schema itself, which is there already."""
    kept = [line for line in listing.splitlines() if not _OF_THE_SCHEMA.match(line)]
    return "\n".join([*kept, ""])


def _run(script: IO[bytes]) -> None:
    known = set(_column("SELECT name FROM pg_settings"))
    statements: list[bytes] = []
    with connection.cursor() as wrapped, connection.wrap_database_errors:
        cursor: Any = wrapped.cursor
        for line in script:
            if _COPY.fullmatch(line):
                _execute(cursor, statements)
                with cursor.copy(line.rstrip(b";\n")) as rows:
                    _copy_rows(script, rows.write)
            elif (setting := _SETTING.fullmatch(line)) and setting[1].decode() not in known:
                continue  # of a newer PostgreSQL than this server
            elif not _FOR_PSQL.fullmatch(line):
                statements.append(line)
        _execute(cursor, statements)


def _copy_rows(script: Iterable[bytes], write: Callable[[bytes], object]) -> None:
    for line in script:
        if line == _END_OF_COPY:
            return
        write(line)
    raise CannotError("The dump in the backup ends too early. Nothing was changed.")


def _execute(cursor: Any, statements: list[bytes]) -> None:  # noqa: ANN401 - psycopg's, not Django's
    if b"".join(statements).strip():
        cursor.execute(b"".join(statements))
    statements.clear()


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _do(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _column(question: str) -> list[str]:
    with connection.cursor() as cursor:
        return [str(row[0]) for row in _asked(cursor, question)]


def _one(question: str) -> Any:  # noqa: ANN401 - whatever the question gives
    with connection.cursor() as cursor:
        return _asked(cursor, question)[0][0]


def _asked(cursor: Any, question: str) -> list[tuple[Any, ...]]:  # noqa: ANN401 - Django's wrapper
    cursor.execute(question)
    return list(cursor.fetchall())
