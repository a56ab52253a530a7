"""Named points a process passes, and what may befall it there."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

BEFALLEN = "!"
"""Begins the line of a point at which the process killed or stopped itself."""


@dataclass(frozen=True)
class Trigger:
    """At the `nth` passing of a point: `kill` (SIGKILL) or `stop` (SIGSTOP) the process."""

    nth: int = 1
    do: str = "kill"


class Points:
    """Counts the points this process passes, keeps them in a file, and pulls the triggers.

    The file has one name a line; what was written before a SIGKILL is there afterwards.
    """

    def __init__(self, kept: Path, triggers: Mapping[str, Trigger]) -> None:
        self._file = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._triggers = triggers
        self._passed: Counter[str] = Counter()
        self._lock = threading.Lock()

    def passed(self, name: str) -> None:
        """Say that a point is passed; does not return where that kills the process."""
        os.write(self._file, f"{name}\n".encode())
        trigger = self._triggers.get(name)
        if trigger is None:
            return
        with self._lock:
            self._passed[name] += 1
            is_due = self._passed[name] == trigger.nth
        if is_due:
            self._pull(name, trigger)

    def around(self, owner: Any, attribute: str, name: str) -> None:
        """Make points of the moments before and after every call of `owner.attribute`."""
        honest = getattr(owner, attribute)

        @wraps(honest)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.passed(f"before {name}")
            given = honest(*args, **kwargs)
            self.passed(f"after {name}")
            return given

        setattr(owner, attribute, watched)

    def _pull(self, name: str, trigger: Trigger) -> None:
        os.write(self._file, f"{BEFALLEN}{trigger.do} {name}\n".encode())
        number = signal.SIGKILL if trigger.do == "kill" else signal.SIGSTOP
        os.kill(os.getpid(), number)


def befallen(kept: Path) -> str:
    """At which point the process killed itself; "" for none."""
    try:
        lines = kept.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ""
    marks = [line for line in lines if line.startswith(f"{BEFALLEN}kill ")]
    return marks[-1].partition(" ")[2] if marks else ""


def passings(files: Iterable[Path]) -> Counter[str]:
    """How often each point was passed, by all processes together."""
    counted: Counter[str] = Counter()
    for file in files:
        lines = file.read_text(encoding="utf-8").splitlines()
        counted.update(line for line in lines if not line.startswith(BEFALLEN))
    return counted


Passed = Callable[[str], None]
