"""Processes that benchmarks start, and what those have cost so far. Not a benchmark itself."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

GIVE_UP_AFTER = 180.0
LOOK_EVERY = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")


class DidNotHappenError(Exception):
    """What a benchmark waited for did not come; the text says what, and where to look."""


class Process:
    """A process, its log, its CPU time and its memory."""

    def __init__(
        self, command: Sequence[str | Path], environment: Mapping[str, str], log: Path
    ) -> None:
        self.log = log
        with log.open("ab") as said:
            self._popen = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def is_alive(self) -> bool:
        return self._popen.poll() is None

    def cpu(self) -> float:
        """Seconds of CPU, user and system, that it has used so far."""
        after_name = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(after_name[11]) + int(after_name[12])) / _TICKS

    def memory(self, kind: str) -> int:
        """Bytes it holds: `Rss` counts what it shares with others whole, `Pss` by parts."""
        rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        found = re.search(rf"^{kind}:\s+(\d+) kB", rollup, re.MULTILINE)
        if found is None:
            raise DidNotHappenError(f"Linux does not say {kind} of process {self.pid}.")
        return int(found[1]) * 1024

    def until_said(self, words: str) -> None:
        """Wait until its log holds the words."""
        wait_until(
            lambda: words in self.log.read_text() or not self.is_alive, f"{self.log} says {words!r}"
        )
        if not self.is_alive:
            raise DidNotHappenError(f"{self.log} ends: {self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """As `kill -9` does, or a power cut."""
        self._popen.kill()
        self._popen.wait()

    def stop(self) -> None:
        """As a person or a supervisor does, and wait for it."""
        if not self.is_alive:
            return
        self._popen.send_signal(signal.SIGTERM)
        try:
            self._popen.wait(GIVE_UP_AFTER)
        except subprocess.TimeoutExpired:
            self.kill()


def cpu_of_machine() -> float:
    """Seconds of CPU that everything on this machine has used so far, all processors together."""
    used = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _waiting, *interrupts = (int(ticks) for ticks in used)
    return (user + nice + system + sum(interrupts[:2])) / _TICKS


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def wait_until(
    happened: Callable[[], bool],
    what: str,
    *,
    within: float = GIVE_UP_AFTER,
    every: float = LOOK_EVERY,
) -> float:
    """Wait for something; the moment, on the monotonic clock, it was seen.

    Raises DidNotHappenError.
    """
    deadline = time.monotonic() + within
    while not happened():
        if time.monotonic() > deadline:
            raise DidNotHappenError(f"Waited {within:.0f} s in vain until {what}.")
        time.sleep(every)
    return time.monotonic()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
