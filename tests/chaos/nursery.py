"""Cheap real processes: one process imports everything once and forks the others on request.

The driver's side is `Nursery`; `python -m tests.chaos.nursery` is the other side. They talk in
JSON lines over the process's own input and output. It has no threads and no connections, so that
forking is safe; whatever it holds when it starts, its children share.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TextIO

from tests.chaos.child import Birth, become
from tests.chaos.points import Trigger

BORN_WITHIN = 30.0
_CHILDREN_NEED = (
    "billsby_sandbox.cli",
    "billsby_sandbox.app",
    "canceldesk.cli",
    "canceldesk.processlog",
    "canceldesk.serving",
    "canceldesk.web.wsgi",
    "tests.chaos.layout",
)
SQLITE_PATIENCE = 10
"""Seconds the desk waits for SQLite's lock here, instead of 20: the driver holds it for longer
now and then, and has not all day.
"""


class Nursery:
    """The driver's end. `on_change(pid, how, cpu)` hears, in a thread of its own, of children that
    `stopped`, or ended as `killed` (by SIGKILL) or `ended <code>`, after so many CPU seconds.
    """

    def __init__(
        self,
        folder: Path,
        environment: dict[str, str],
        on_change: Callable[[int, str, float], None],
    ) -> None:
        self._folder = folder
        self._on_change = on_change
        self._born: dict[str, int] = {}
        self._news = threading.Condition()
        self._asking = threading.Lock()
        self._changes: SimpleQueue[tuple[int, str, float]] = SimpleQueue()
        with (folder / "logs" / "nursery.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.nursery"],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        # Two threads: whoever waits for a birth may keep the one that hears of changes waiting.
        for hearing in (self._listen, self._pass_on):
            threading.Thread(target=hearing, name="nursery", daemon=True).start()

    def fork(self, birth: Birth) -> int:
        """Have a child born; gives its process number. Raises RuntimeError when none comes."""
        line = json.dumps(asdict(birth), default=str) + "\n"
        stream = _there(self._process.stdin)
        with self._asking:
            stream.write(line)
            stream.flush()
        with self._news:
            if not self._news.wait_for(lambda: birth.name in self._born, BORN_WITHIN):
                raise RuntimeError(
                    f"{birth.name} was not born: see {self._folder}/logs/nursery.log"
                )
            return self._born.pop(birth.name)

    def close(self) -> None:
        """End the nursery and every child that is left."""
        _there(self._process.stdin).close()
        self._process.wait(10)

    def _listen(self) -> None:
        for line in _there(self._process.stdout):
            told = json.loads(line)
            if "born" in told:
                with self._news:
                    self._born[told["born"]] = told["pid"]
                    self._news.notify_all()
            else:
                self._changes.put((told["pid"], told["how"], told["cpu"]))

    def _pass_on(self) -> None:
        while True:
            self._on_change(*self._changes.get())


def _there(stream: TextIO | Any) -> TextIO | Any:
    assert stream is not None
    return stream


# ------------------------------------------------------------------ the other side


def main() -> None:
    """Import everything, then fork whatever is asked for until the input ends."""
    _import_all()
    awake, asleep = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(asleep, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    waiting = selectors.DefaultSelector()
    waiting.register(0, selectors.EVENT_READ)
    waiting.register(awake, selectors.EVENT_READ)
    rest = b""
    gc.collect()
    gc.freeze()
    while True:
        ready = {key.fd for key, _ in waiting.select()}
        if awake in ready:
            os.read(awake, 4096)
            _reap()
        if 0 in ready:
            got = os.read(0, 65536)
            if not got:
                return
            *lines, rest = (rest + got).split(b"\n")
            for line in lines:
                _fork(json.loads(line))


def _fork(told: dict[str, Any]) -> None:
    triggers = {name: Trigger(**trigger) for name, trigger in told.pop("triggers").items()}
    birth = Birth(**told | {"folder": Path(told["folder"]), "triggers": triggers})
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        become(birth)
    _tell(born=birth.name, pid=pid)


def _reap() -> None:
    while True:
        try:
            pid, status, used = os.wait4(-1, os.WNOHANG | os.WUNTRACED)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if os.WIFSTOPPED(status):
            how = "stopped"
        elif os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            how = "killed"
        else:
            how = f"ended {os.waitstatus_to_exitcode(status)}"
        _tell(pid=pid, how=how, cpu=used.ru_utime + used.ru_stime)


def _tell(**what: Any) -> None:
    os.write(1, (json.dumps(what) + "\n").encode())


def _import_all() -> None:
    """Everything the children will need, so that none of them spends its life importing."""
    import django

    django.setup()

    from django.conf import settings
    from django.db.migrations.loader import MigrationLoader
    from django.template import engines
    from django.urls import get_resolver

    for name in _CHILDREN_NEED:
        importlib.import_module(name)
    MigrationLoader(None)
    _ = get_resolver().url_patterns
    for template in Path(settings.BASE / "web" / "templates").rglob("*.html"):
        engines["django"].get_template(
            str(template.relative_to(settings.BASE / "web" / "templates"))
        )
    if "sqlite" in settings.DATABASES["default"]["ENGINE"]:
        settings.DATABASES["default"]["OPTIONS"]["timeout"] = SQLITE_PATIENCE
    assert threading.active_count() == 1, threading.enumerate()


if __name__ == "__main__":
    main()
