"""Running the desk for real: the pages by waitress, the worker, or both in one process."""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed
from waitress.server import create_server

from canceldesk import engine, memory
from canceldesk.configuration import reading

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper
    from waitress.server import BaseWSGIServer, MultiSocketServer

    Server = BaseWSGIServer | MultiSocketServer

logger = structlog.get_logger(__name__)

THREADS = 8
LOCK_RETRY_SECONDS = 0.2
DATABASE_RETRY_SECONDS = 1.0
DATABASE_WITHIN_SECONDS = 20.0
LOOK_SECONDS = 1.0  # between two looks whether a signal came whose exception got lost
_MIGRATION_LOCK = 0x0CA9CE1


class CannotListenError(Exception):
    """The address the pages should be served on cannot be had; the text says why."""


# ------------------------------------------------------------------ before anything is served


def is_migrated() -> bool:
    """Whether the database has every table as this version of the desk needs it."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def migrate() -> None:
    """Bring the desk's and the engine's tables up to date; one process at a time does it."""
    with alone():
        _migrate()


def _migrate() -> None:
    call_command("migrate", verbosity=0, interactive=False)
    engine.migrate()


def _wait_for_database() -> None:
    """A machine that starts may be quicker than its database server, or meet one that is just being
    restarted.
    """
    for attempt in Retrying(
        retry=retry_if_exception_type(OperationalError),
        wait=wait_fixed(DATABASE_RETRY_SECONDS),
        stop=stop_after_delay(DATABASE_WITHIN_SECONDS),
        before_sleep=lambda _state: logger.warning("database_away"),
        reraise=True,
    ):
        with attempt:
            connection.ensure_connection()


@contextmanager
def alone() -> Iterator[None]:
    """Hold a lock in the database for as long as the block runs (PostgreSQL), or a file's
    (SQLite): several processes that start together must not migrate together.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Not `pg_advisory_lock`: a statement that waits holds a snapshot, and the engine
            # makes indexes concurrently, which waits for every snapshot to go.
            while not _try_lock(cursor):
                time.sleep(LOCK_RETRY_SECONDS)
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])
        return
    with _alone_here("migrating"):
        yield


@contextmanager
def _alone_here(doing: str) -> Iterator[None]:
    """Hold a lock in the data folder for as long as the block runs."""
    import fcntl

    with (Path(settings.DATA) / f"{doing}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _try_lock(cursor: CursorWrapper) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", [_MIGRATION_LOCK])
    found = cursor.fetchone()
    return bool(found and found[0])


def collect_static() -> bool:
    """Put stylesheets, scripts and icons where the pages are served from, if any has changed
    since; gives whether that was so. One process at a time does it: pages and worker that are
    started together would take files from under each other.
    """
    fingerprint = _static_fingerprint()
    kept = Path(settings.STATIC_ROOT) / ".fingerprint"
    with _alone_here("collecting"):
        if kept.is_file() and kept.read_text(encoding="ascii") == fingerprint:
            return False
        call_command("collectstatic", verbosity=0, interactive=False)
        kept.write_text(fingerprint, encoding="ascii")
        return True


def _static_fingerprint() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            about = Path(storage.path(path)).stat()
            digest.update(f"{path} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def prepare() -> None:
    """Everything that must be so before pages are served or work is taken."""
    _wait_for_database()
    with alone():
        if not is_migrated():
            _migrate()
    collect_static()


# ------------------------------------------------------------------ serving


def pages(listen: str) -> Server:
    """The pages bound to `host:port`, not yet running. Raises CannotListenError."""
    from canceldesk.web.wsgi import application

    host, _, port = listen.rpartition(":")
    # A public address means that a proxy in front ends the encryption and says who called;
    # without one nobody's word about that is taken.
    proxy: dict[str, Any] = {}
    if settings.PUBLIC_URL:
        headers = {"x-forwarded-for", "x-forwarded-proto"}
        proxy = {"trusted_proxy": "*", "trusted_proxy_headers": headers}
    try:
        return create_server(
            application,
            host=host.strip("[]"),
            port=int(port),
            threads=THREADS,
            ident="Cancel Desk",
            clear_untrusted_proxy_headers=True,
            **proxy,
        )
    except OSError as problem:
        raise CannotListenError(
            f"The pages cannot be served on {listen}: {problem.strerror or problem}. "
            f"Something else may be using it; choose another with CANCELDESK_LISTEN."
        ) from problem


def serve(
    *,
    with_pages: bool,
    with_worker: bool,
    listen: str = "",
    when_ready: Callable[[], object] = lambda: None,
) -> None:
    """Serve until Ctrl-C or SIGTERM; then take nothing new, finish what is under way (a pass
    gets up to 20 seconds) and return.

    `listen` is `host:port`, else the setting decides. `when_ready` is called once, when pages
    are answered and work is taken. Raises CannotListenError.
    """
    memory.keep_small()
    listen = listen or reading.text("LISTEN")
    ending = _Ending()
    with _signals(ending), suppress(_Stop), ExitStack() as at_end:
        at_end.callback(connections.close_all)
        giving_back = memory.GivingBack()
        giving_back.start()
        at_end.callback(giving_back.end)
        server = pages(listen) if with_pages else None
        engine.listen()
        worker = engine.Worker() if with_worker else None
        if worker:
            at_end.callback(worker.stop)
            worker.start()
        if server:
            # Registered last and so closed first: no request may begin what nobody will do.
            at_end.callback(server.close)
        at_end.callback(logger.info, "stopping")
        logger.info("ready", pages=with_pages and listen, worker=worker and worker.executor_id)
        when_ready()
        if server:
            server.run()
        else:
            _wait_for(ending)


class _Stop(SystemExit):
    """Raised in the main thread by a signal; waitress ends its loop by it."""


@dataclass
class _Ending:
    """Whether somebody asked for the end. A plain flag: a signal's handler runs in the midst of
    what the main thread does, and the `set` of a `threading.Event` would wait for ever for the
    lock that the thread may just hold in the event's `wait`.
    """

    is_asked_for: bool = False


def _wait_for(ending: _Ending) -> None:
    while not ending.is_asked_for:
        time.sleep(LOOK_SECONDS)


@contextmanager
def _signals(ending: _Ending) -> Iterator[None]:
    """Turn SIGTERM and Ctrl-C into an orderly end; a second one while stopping is ignored."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if not ending.is_asked_for:
            ending.is_asked_for = True
            raise _Stop(0)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(code: int) -> None:
    """End the process now, even if an outside call of an interrupted pass still hangs."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
