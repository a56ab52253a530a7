"""Keeping the processes alive: who should run, who died of what, and starting them again."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

import httpx

from tests.chaos.child import Birth
from tests.chaos.coverage import Coverage
from tests.chaos.nursery import Nursery
from tests.chaos.points import Trigger, befallen
from tests.chaos.stage import Setting
from tests.chaos.takeover import Takeovers

ZONES = ("UTC", "America/New_York", "Pacific/Kiritimati", "Asia/Kolkata", "America/St_Johns")
SKEWS = (0.0, 0.0, -3.0, 2.0)
READY_WITHIN = 60.0
DRAINED_WITHIN = 45.0
LOOK_EVERY = 0.05
NO_DATABASE = "atabase"
"""What is in the last words of one that could not start because the database was away."""
TERMINATED = f"ended {-signal.SIGTERM}"
READY = " ready "
"""What a process of the desk says when it has started."""


class Phase(Enum):
    """How the newborn are: without triggers, with any, with those still to be pulled."""

    OPENING = auto()
    BREAKING = auto()
    PEACE = auto()


@dataclass
class Role:
    """A process that should run: `name` stays, its process comes and goes."""

    name: str
    kind: str
    arguments: list[str]
    machine: str = "machine-0"
    pid: int = 0
    born_at: float = 0.0
    ended_at: float = 0.0
    births: int = 0
    wanted: bool = True
    sent: str = ""
    """What was done to the present process: `random`, `drain`, or nothing yet."""
    is_stopped: bool = False
    is_being_woken: bool = False
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def life(self) -> str:
        """The present process's own name, for its log and its points."""
        return f"{self.name}-{self.births}"


class Keeper:
    """The processes of one run. Deaths by SIGKILL are expected and counted. So are those that
    could not start, because the database was away, and said so. Any other end that nobody asked
    for is `unexpected`, a sentence for each.
    """

    def __init__(self, setting: Setting, coverage: Coverage, *, workers: int) -> None:
        self._setting = setting
        self._stage = setting.stage
        self._coverage = coverage
        self._rng = random.Random(f"{setting.stage.seed}/births")
        self._lock = threading.RLock()
        self._by_pid: dict[int, Role] = {}
        self._phase = Phase.OPENING
        self.roles = [self._billsby(), Role("web", "web", [])]
        self.roles += [
            Role(f"worker-{n + 1}", "worker", [], machine=f"machine-{n // 2}")
            for n in range(workers)
        ]
        self.kills: Counter[str] = Counter()
        self.cpu: defaultdict[str, float] = defaultdict(float)
        self.takeovers = Takeovers(setting.stage)
        self.unexpected: list[str] = []
        self.could_not_start = 0
        self.nursery = Nursery(self._stage.folder, setting.environment, self._hear)

    def _billsby(self) -> Role:
        host, _, port = self._stage.billsby_url.removeprefix("http://").rpartition(":")
        arguments = ["--host", host, "--port", port, "--db", str(self._stage.billsby_file)]
        arguments += ["--company", self._stage.domain, "--webhook-url", self._stage.post_url]
        return Role("billsby", "billsby", [*arguments, "--empty"])

    # ------------------------------------------------------------------ lives

    def run(self, name: str, kind: str, arguments: list[str]) -> None:
        """Run a process to its end. Raises RuntimeError unless that is a good one."""
        role = Role(name, kind, arguments, wanted=False)
        self._bear(role, {})
        if not role.ended.wait(READY_WITHIN) or role.sent != "ended 0":
            raise RuntimeError(f"{name} failed ({role.sent}); see {self._log_of(role)}")

    def start_all(self) -> None:
        """Start whatever should run and does not."""
        for role in self.roles:
            self.start(role)

    def start(self, role: Role) -> None:
        """Start a process unless it runs."""
        with self._lock:
            if role.pid == 0 and role.wanted:
                self._bear(role, self._arm(role.kind))

    def _arm(self, kind: str) -> dict[str, Trigger]:
        match self._phase:
            case Phase.BREAKING:
                return self._coverage.arm(kind)
            case Phase.PEACE:
                return self._coverage.arm_for_missing(kind)
            case _:
                return {}

    def _bear(self, role: Role, triggers: dict[str, Trigger]) -> None:
        with self._lock:
            role.births += 1
            role.sent, role.is_stopped, role.is_being_woken = "", False, False
            role.ended.clear()
            bent = self._phase is Phase.BREAKING
            zone = self._rng.choice(ZONES) if bent else "UTC"
            skew = self._rng.choice(SKEWS) if bent else 0.0
            birth = Birth(
                name=role.life,
                kind=role.kind,
                folder=self._stage.folder,
                arguments=role.arguments,
                environment={"TZ": zone},
                triggers=triggers,
                skew=skew,
                machine=role.machine,
            )
            role.pid = self.nursery.fork(birth)
            role.born_at = time.monotonic()
            self._by_pid[role.pid] = role
        self._stage.journal.write(
            "keeper",
            "started",
            process=role.life,
            kind=role.kind,
            pid=role.pid,
            tz=zone,
            skew=skew,
        )

    def _hear(self, pid: int, how: str, cpu: float) -> None:
        with self._lock:
            role = self._by_pid.get(pid)
            if role is None:
                return
            if how == "stopped":
                role.is_stopped = True
                return
            del self._by_pid[pid]
            self.cpu[role.kind] += cpu
            role.pid, role.ended_at = 0, time.monotonic()
            self._note_end(role, pid, how)
            role.ended.set()

    def _note_end(self, role: Role, pid: int, how: str) -> None:
        journal = self._stage.journal
        if how == "killed" and not role.wanted:
            return
        if how == "killed":
            point = befallen(self._points_of(role)) if role.sent != "random" else ""
            if point:
                self._coverage.note(role.kind, point)
            self.kills[role.kind] += 1
            if role.kind == "worker":
                self.takeovers.died(pid)
            told = {"process": role.life, "kind": role.kind, "pid": pid}
            journal.write("keeper", "killed", **told, point=point or "random")
            return
        journal.write("keeper", "died", process=role.life, kind=role.kind, pid=pid, how=how)
        log = self._said(role)
        is_asked = role.sent == "drain" or not role.wanted
        if READY in log or role.kind not in {"web", "worker"}:
            is_good = is_asked and how == "ended 0"
        elif is_asked:
            is_good = how in {"ended 0", TERMINATED}
        else:
            is_good = NO_DATABASE in log
            self.could_not_start += is_good
        if not is_good:
            self.unexpected.append(f"{role.life} {how} by itself; see {self._log_of(role)}")
        role.sent = how

    # ------------------------------------------------------------------ mischief

    def begin_mischief(self) -> None:
        """From now on the newborn carry triggers, zones and skews."""
        self._phase = Phase.BREAKING
        self.takeovers.begin()

    def end_mischief(self) -> None:
        """Everybody anew, with triggers only at points that nothing has hit yet."""
        self._phase = Phase.PEACE
        for role in self.roles:
            self.resume(role)
            self.kill(role)
            role.ended.wait(READY_WITHIN)
        self.start_all()

    def kill(self, role: Role) -> bool:
        """SIGKILL, now; whether there was somebody to kill."""
        return self._send(role, signal.SIGKILL, "random")

    def pause(self, role: Role) -> bool:
        """SIGSTOP: asleep, as a laptop's lid does."""
        return self._send(role, signal.SIGSTOP)

    def resume(self, role: Role) -> bool:
        """SIGCONT."""
        role.is_stopped = False
        return self._send(role, signal.SIGCONT)

    def drain(self, role: Role) -> None:
        """SIGTERM, and wait for the orderly end; one that takes too long is unexpected."""
        if not self._send(role, signal.SIGTERM, "drain"):
            return
        name = role.life
        if role.ended.wait(DRAINED_WITHIN):
            return
        self.unexpected.append(f"{name} did not end within {DRAINED_WITHIN:.0f} s of SIGTERM")
        self.kill(role)

    def _send(self, role: Role, number: signal.Signals, why: str = "") -> bool:
        with self._lock:
            if not role.pid:
                return False
            try:
                os.kill(role.pid, number)
            except ProcessLookupError:  # it died just now, and the news is on its way
                return False
            role.sent = why or role.sent
            return True

    # ------------------------------------------------------------------ looking

    def living(self, kind: str = "") -> list[Role]:
        """Who runs and is not stopped."""
        with self._lock:
            return [
                role
                for role in self.roles
                if role.pid and not role.is_stopped and kind in {"", role.kind}
            ]

    def wait_until_ready(self) -> None:
        """Return when pages and Billsby answer. Raises RuntimeError when they never do."""
        until = time.monotonic() + READY_WITHIN
        wanted = [f"{self._stage.practice_url}/quirks", f"{self._stage.pages_url}/account/login/"]
        while wanted and not self.unexpected and time.monotonic() < until:
            try:
                if httpx.get(wanted[0], trust_env=False, timeout=5).is_success:
                    wanted.pop(0)
                    continue
            except httpx.HTTPError:
                pass
            time.sleep(LOOK_EVERY)
        if wanted:
            why = self.unexpected or f"see {self._stage.folder}/logs"
            raise RuntimeError(f"{wanted[0]} does not answer: {why}")

    def close(self) -> None:
        """End everything."""
        for role in self.roles:
            role.wanted = False
            self.kill(role)
            role.ended.wait(READY_WITHIN)
        self.nursery.close()

    def _said(self, role: Role) -> str:
        """What a process wrote; one that was ended before it wrote anything has no log."""
        log = self._log_of(role)
        return log.read_text(encoding="utf-8") if log.exists() else ""

    def _log_of(self, role: Role) -> Path:
        return self._stage.folder / "logs" / f"{role.life}.log"

    def _points_of(self, role: Role) -> Path:
        return self._stage.folder / "points" / f"{role.life}.txt"
