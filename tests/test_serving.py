from __future__ import annotations

import itertools
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from canceldesk import engine, memory, processlog, serving

# ------------------------------------------------------------------ before anything is served


@pytest.mark.django_db
def test_a_database_with_everything_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    done = _prepare_noting(monkeypatch)

    serving.prepare()

    assert done == ["static"]


@pytest.mark.django_db
def test_a_database_that_lacks_something_is_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    done = _prepare_noting(monkeypatch)
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: ["something"])

    serving.prepare()

    assert done == ["migrate", "engine", "static"]


@pytest.mark.django_db
def test_migrating_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    done = _prepare_noting(monkeypatch)

    serving.migrate()

    assert done == ["migrate", "engine"]


def _prepare_noting(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    done: list[str] = []
    monkeypatch.setattr(serving, "call_command", lambda name, **_: done.append(name))
    monkeypatch.setattr(engine, "migrate", lambda: done.append("engine"))
    monkeypatch.setattr(serving, "collect_static", lambda: done.append("static"))
    return done


class Cursor:
    """A PostgreSQL on which somebody else holds the lock at first."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.answers = [(False,), (True,)]

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def execute(self, statement: str, _given: list[int]) -> None:
        self.said.append(statement.split("(", maxsplit=1)[0])

    def fetchone(self) -> tuple[bool]:
        return self.answers.pop(0)


def test_processes_that_start_together_migrate_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cursor = Cursor()
    monkeypatch.setattr(connection, "vendor", "postgresql")
    monkeypatch.setattr(connection, "cursor", lambda: cursor)
    monkeypatch.setattr(serving, "LOCK_RETRY_SECONDS", 0)

    with serving.alone():
        cursor.said.append("the work")

    assert cursor.said == [
        "SELECT pg_try_advisory_lock",
        "SELECT pg_try_advisory_lock",
        "the work",
        "SELECT pg_advisory_unlock",
    ]


def test_static_files_are_put_in_place_only_when_they_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "STATIC_ROOT", tmp_path)
    collected: list[str] = []
    monkeypatch.setattr(serving, "call_command", lambda name, **_: collected.append(name))

    assert serving.collect_static() is True
    assert serving.collect_static() is False
    monkeypatch.setattr(serving, "_static_fingerprint", lambda: "something changed")
    assert serving.collect_static() is True

    assert collected == ["collectstatic"] * 2


def test_processes_that_start_together_put_static_files_in_place_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "STATIC_ROOT", tmp_path)
    begun, may_end = threading.Event(), threading.Event()
    collected: list[str] = []

    def collect(name: str, **_: object) -> None:
        collected.append(name)
        begun.set()
        assert may_end.wait(10)

    monkeypatch.setattr(serving, "call_command", collect)
    with ThreadPoolExecutor(2) as processes:
        first = processes.submit(serving.collect_static)
        assert begun.wait(10)
        second = processes.submit(serving.collect_static)
        with pytest.raises(TimeoutError):
            second.result(timeout=0.2)
        may_end.set()

    assert (first.result(), second.result()) == (True, False)
    assert collected == ["collectstatic"]


# ------------------------------------------------------------------ the pages


def test_a_taken_address_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*_: object, **__: object) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(serving, "create_server", taken)

    with pytest.raises(serving.CannotListenError) as told:
        serving.pages("127.0.0.1:8000")

    assert "127.0.0.1:8000: Address already in use" in str(told.value)
    assert "CANCELDESK_LISTEN" in str(told.value)


@pytest.mark.parametrize(("public_url", "trusted"), [("", None), ("https://desk.example.com", "*")])
def test_only_behind_a_public_address_is_a_proxy_believed(
    monkeypatch: pytest.MonkeyPatch, public_url: str, trusted: str | None
) -> None:
    made: dict[str, Any] = {}
    monkeypatch.setattr(settings, "PUBLIC_URL", public_url)
    monkeypatch.setattr(serving, "create_server", lambda _app, **how: made.update(how))

    serving.pages("[::1]:8000")

    assert (made["host"], made["port"]) == ("::1", 8000)
    assert made["clear_untrusted_proxy_headers"] is True
    assert made.get("trusted_proxy") == trusted


# ------------------------------------------------------------------ starting and stopping


class Worker:
    """Stands for the engine's worker: notes its life."""

    life: list[str]
    executor_id = "worker-1"

    def start(self) -> None:
        Worker.life.append("worker started")

    def stop(self) -> None:
        Worker.life.append("worker stopped")


@pytest.fixture
def life(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    Worker.life = []
    monkeypatch.setattr(engine, "Worker", Worker)
    monkeypatch.setattr(engine, "listen", lambda: Worker.life.append("listens"))
    monkeypatch.setattr(connections, "close_all", lambda: None)
    with structlog.testing.capture_logs():
        yield Worker.life


def _ask_for_the_end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_worker_works_until_it_is_told_to_stop(life: list[str]) -> None:
    def ready() -> None:
        life.append("ready")
        _ask_for_the_end()

    before = signal.getsignal(signal.SIGTERM)

    serving.serve(with_pages=False, with_worker=True, when_ready=ready)

    assert life == ["listens", "worker started", "ready", "worker stopped"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_how_memory_is_shared_is_said_before_there_are_threads(
    life: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "keep_small", lambda: life.append("memory shared"))

    serving.serve(with_pages=False, with_worker=True, when_ready=_ask_for_the_end)

    assert life[0] == "memory shared"


def test_free_memory_is_given_back_for_as_long_as_it_serves(life: list[str]) -> None:
    def giving_back() -> list[str]:
        return [one.name for one in threading.enumerate() if one.name == "giving-back"]

    def ready() -> None:
        life.extend(giving_back())
        _ask_for_the_end()

    serving.serve(with_pages=False, with_worker=True, when_ready=ready)

    assert life == ["listens", "worker started", "giving-back", "worker stopped"]
    assert giving_back() == []


class Server:
    """Stands for waitress: answers until a signal comes."""

    def run(self) -> None:
        Worker.life.append("pages answered")
        os.kill(os.getpid(), signal.SIGINT)

    def close(self) -> None:
        Worker.life.append("pages closed")


def test_pages_are_answered_until_ctrl_c_and_closed_before_the_worker_stops(
    life: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "pages", lambda _listen: Server())

    serving.serve(with_pages=True, with_worker=True)

    assert life == ["listens", "worker started", "pages answered", "pages closed", "worker stopped"]


def test_a_second_signal_while_stopping_changes_nothing(
    life: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class AskedAgain(Worker):
        def stop(self) -> None:
            _ask_for_the_end()
            super().stop()

    monkeypatch.setattr(engine, "Worker", AskedAgain)

    serving.serve(with_pages=False, with_worker=True, when_ready=_ask_for_the_end)

    assert life == ["listens", "worker started", "worker stopped"]


@pytest.mark.parametrize("step", range(1, 13))
def test_a_signal_at_any_step_of_waiting_ends_it(
    life: list[str], monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    steps = itertools.count(1)

    def traced(_frame: FrameType, _event: str, _argument: object) -> Trace:
        if next(steps) == step:
            _ask_for_the_end()
        return traced

    monkeypatch.setattr(serving, "LOOK_SECONDS", 0.001)
    with _not_for_ever(), _tracing_put_back():
        serving.serve(with_pages=False, with_worker=True, when_ready=lambda: sys.settrace(traced))

    assert life == ["listens", "worker started", "worker stopped"]


Trace = Callable[[FrameType, str, object], Any]


@contextmanager
def _tracing_put_back() -> Iterator[None]:
    before = sys.gettrace()
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def _not_for_ever(seconds: float = 10) -> Iterator[None]:
    def fail(_number: int, _frame: FrameType | None) -> None:
        sys.settrace(None)
        raise AssertionError("It waits for ever.")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_the_process_ends_even_if_a_thread_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(logging, "shutdown", lambda: None)

    serving.leave(0)

    assert codes == [0]


# ------------------------------------------------------------------ the process's own log


@contextmanager
def _logging_put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    noisy = {
        name: logging.getLogger(name).level for name in ("httpx", "httpcore", "waitress.queue")
    }
    try:
        yield
    finally:
        for handler in set(root.handlers) - set(handlers):
            handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)
        for name, before in noisy.items():
            logging.getLogger(name).setLevel(before)
        structlog.reset_defaults()


def test_the_log_is_a_line_of_json_for_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANCELDESK_LOG_FORMAT", "json")
    file = tmp_path / "desk.log"
    with _logging_put_back():
        processlog.configure(to=file)
        structlog.get_logger("desk").info("something", case="C-00001")
        logging.getLogger("library").warning("careful")
        logging.getLogger("httpx").info("every call")

    first, second = (json.loads(line) for line in file.read_text().splitlines())
    assert (first["event"], first["case"], first["level"]) == ("something", "C-00001", "info")
    assert (second["event"], second["logger"]) == ("careful", "library")


def test_the_log_is_readable_for_people_and_as_quiet_as_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with _logging_put_back():
        processlog.configure(logging.WARNING)
        structlog.get_logger("desk").info("unimportant")
        structlog.get_logger("desk").warning("important", case="C-00001")

    said = capsys.readouterr().err
    assert "important" in said
    assert "case=C-00001" in said
    assert "unimportant" not in said


def test_a_database_that_is_not_up_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Exception | None] = [OperationalError("starting up"), None]

    def connect() -> None:
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    monkeypatch.setattr(connection, "ensure_connection", connect)
    monkeypatch.setattr(serving, "DATABASE_RETRY_SECONDS", 0)
    serving._wait_for_database()
    assert answers == []


def test_a_database_that_does_not_come_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def connect() -> None:
        raise OperationalError("no such host")

    monkeypatch.setattr(connection, "ensure_connection", connect)
    monkeypatch.setattr(serving, "DATABASE_RETRY_SECONDS", 0)
    monkeypatch.setattr(serving, "DATABASE_WITHIN_SECONDS", 0)
    with pytest.raises(OperationalError, match="no such host"):
        serving._wait_for_database()
