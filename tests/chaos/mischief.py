"""Everything that breaks, when, by the seed; and the hand that breaks it.

`plan_mischief` is pure. `Mischief` carries the plan out: what the plan says is the same for the
same seed, which process is hit in the middle of what is up to the machine.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos import deskdata
from tests.chaos.keeping import Keeper, Role
from tests.chaos.stage import Setting

# How often in a hundred seconds.
PER_100_SECONDS = {
    "fault": 22,
    "down": 1.5,
    "clock": 10,
    "pause": 4,
    "drain": 3,
    "disk": 2,
    "database": 2,
    "night": 0.6,
    "log": 2,
}
SLEEPS_LONGER_THAN_A_LEASE = 61.0
REPLACED_AFTER = (0.1, 0.6)
LOOK_EVERY = 0.05
GRACE = 4.0
"""Seconds that a process with triggers is left alone to reach one."""
KINDS_KILLED = ("worker",) * 7 + ("web",) * 2 + ("billsby",)

FAULT_PATHS = (
    "*",
    "*/renewaldate",
    "*/WrittenOff",
    "*/subscriptions/*",
    "*/customers/*",
    "*invoices*",
)
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "delay", "seconds": 0.7},
    {"kind": "timeout", "seconds": 1},
    {"kind": "timeout_after", "seconds": 1},
    {"kind": "status", "status": 429, "retry_after": "1"},
    {"kind": "status", "status": 429},
    {"kind": "status", "status": 500},
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "drop_after", "method": "PUT"},
    {"kind": "drop_after", "method": "DELETE"},
    {"kind": "rubbish", "rubbish": "html"},
    {"kind": "rubbish", "rubbish": "half_json"},
    {"kind": "rubbish", "rubbish": "wrong_customer", "method": "GET"},
    {"kind": "stale", "method": "GET"},
    {"kind": "stale", "method": "GET"},
)
CLOCK_STEPS = (55.0, 70.0, 90.0, 55.0, 70.0, 180.0, -40.0, -150.0, 3600.0, -3600.0)
"""Seconds; small ones forward let the leases of the dead run out."""


@dataclass(frozen=True, order=True)
class Event:
    """Something that goes wrong `at` seconds after the beginning."""

    at: float
    what: str
    how: dict[str, Any] = field(compare=False)


def plan_mischief(seed: int, *, kills: int, lasts: float) -> list[Event]:
    """What is to go wrong in the busy part, in order."""
    rng = random.Random(f"{seed}/mischief")
    events = [
        Event((number + rng.random()) * lasts / kills, "kill", {"kind": rng.choice(KINDS_KILLED)})
        for number in range(kills)
    ]
    for what, often in PER_100_SECONDS.items():
        for _ in range(max(1, round(often * lasts / 100))):
            events.append(Event(rng.uniform(0.02, 0.98) * lasts, what, _details(rng, what)))
    return sorted(events)


def _details(rng: random.Random, what: str) -> dict[str, Any]:
    def seconds(least: float, most: float) -> float:
        return round(rng.uniform(least, most), 2)

    def fault() -> dict[str, Any]:
        path = rng.choice(FAULT_PATHS)
        return {"path": path, **rng.choice(FAULTS)} | {
            "times": rng.randint(1, 5),
            "skip": rng.randint(0, 3),
        }

    draws: dict[str, Callable[[], dict[str, Any]]] = {
        "fault": fault,
        "down": lambda: {"how": rng.choice(("503", "refuse")), "seconds": seconds(1, 3)},
        "clock": lambda: {"seconds": rng.choice(CLOCK_STEPS)},
        "pause": lambda: {"seconds": seconds(1.5, 3)},
        "disk": lambda: {"seconds": seconds(1, 4)},
        "database": lambda: {"seconds": seconds(1, 12), "mode": rng.choice(("immediate", "fast"))},
        "night": lambda: {"hours": rng.randint(3, 9)},
    }
    return draws.get(what, dict)()


class Mischief:
    """Carries out a plan of mischief until it is over or `end` is called."""

    def __init__(self, setting: Setting, keeper: Keeper, events: list[Event]) -> None:
        self._setting, self._stage, self._keeper = setting, setting.stage, keeper
        self._events = events
        self._rng = random.Random(f"{setting.stage.seed}/hand")
        self._is_calm, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._carry_out, name="mischief", daemon=True)
        self._threads: list[threading.Thread] = []
        self._clock = threading.Lock()
        self._one_database_at_a_time = threading.Lock()
        self._is_through = False
        self._farthest = 0.0
        self.broken = ""
        self.due_kills = 0
        self.counted: Counter[str] = Counter()
        self._does: dict[str, Callable[..., None]] = {
            "fault": self._fault,
            "down": self._down,
            "clock": self._step,
            "pause": self._pause,
            "drain": self._drain,
            "disk": self._fill_disk,
            "database": self._database,
            "night": self.night,
            "log": self._copy_log,
        }

    def begin(self) -> None:
        """Start; from now on processes are killed, and replaced."""
        self._keeper.begin_mischief()
        self._began = time.monotonic()
        self._thread.start()

    def is_through(self) -> bool:
        """Whether everything planned has been done."""
        return self._is_through

    def calm_down(self) -> None:
        """Break nothing more and clear what was put in the way. Who dies at a point that is
        still to be hit is replaced until `end`.
        """
        self._is_calm.set()
        for thread in self._threads:
            thread.join()
        (self._stage.folder / "disk-full").unlink(missing_ok=True)
        # What was planned before the clock was put back is not to be waited for.
        self.step_clock(self._farthest - self._setting.clock.read())
        self._keeper.end_mischief()

    def end(self) -> None:
        """Replace nobody any more."""
        self._over.set()
        self._thread.join()

    # ------------------------------------------------------------------ the loop

    def _carry_out(self) -> None:
        try:
            self._go_on()
        except Exception as problem:
            self.broken = f"The mischief itself broke: {problem!r}"
            raise

    def _go_on(self) -> None:
        waiting = list(self._events)
        while not self._over.wait(LOOK_EVERY):
            self._replace_the_dead()
            self._wake_sleepers()
            if self._is_calm.is_set():
                continue
            now = time.monotonic() - self._began
            while waiting and waiting[0].at <= now:
                self._happen(waiting.pop(0))
            self._kill_if_due()
            self._is_through = not waiting and not self._are_kills_missing()

    def _happen(self, event: Event) -> None:
        if event.what == "kill":
            self.due_kills += 1
            return
        self.counted[event.what] += 1
        thread = threading.Thread(
            target=self._does[event.what], kwargs=event.how, name=event.what, daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def _replace_the_dead(self) -> None:
        for role in self._keeper.roles:
            if role.pid == 0 and time.monotonic() - role.ended_at >= self._rng.uniform(
                *REPLACED_AFTER
            ):
                self._keeper.start(role)

    def _kill_if_due(self) -> None:
        """A random kill when the triggers have not killed enough by now; who has been waiting
        at its trigger for longest goes first.
        """
        if not self._are_kills_missing():
            return
        kind = self._rng.choice(KINDS_KILLED)
        ripe = [
            role
            for role in self._keeper.living(kind)
            if time.monotonic() - role.born_at >= GRACE and role.sent != "drain"
        ]
        if ripe:
            self._keeper.kill(min(ripe, key=lambda role: role.born_at))

    def _are_kills_missing(self) -> bool:
        return sum(self._keeper.kills.values()) < self.due_kills

    def _wake_sleepers(self) -> None:
        """A process that a trigger stopped sleeps for longer than its lease, then goes on."""
        for role in self._keeper.roles:
            if role.is_stopped and not role.is_being_woken:
                role.is_being_woken = True
                self.counted["stopped at a point"] += 1
                thread = threading.Thread(target=self._sleep_long, args=(role, 2.5), daemon=True)
                self._threads.append(thread)
                thread.start()

    # ------------------------------------------------------------------ what goes wrong

    def _practice(self, method: str, place: str, body: object = None) -> bool:
        for _ in range(20):
            reply = self._asked(method, place, body)
            if reply is not None:
                return reply.is_success
            if self._is_calm.wait(0.2):
                break
        return False

    def _asked(self, method: str, place: str, body: object = None) -> httpx.Response | None:
        url = f"{self._stage.practice_url}/{place}"
        try:
            return httpx.request(method, url, json=body, trust_env=False, timeout=20)
        except httpx.HTTPError:
            return None

    def clear_faults(self) -> None:
        """Billsby is well again."""
        while not (
            self._practice("DELETE", "faults") and self._practice("PUT", "down", {"how": "no"})
        ):
            time.sleep(0.2)

    def _fault(self, **rule: Any) -> None:
        if self._practice("POST", "faults", rule):
            self._stage.journal.write("mischief", "fault", rule=rule)

    def _down(self, how: str, seconds: float) -> None:
        self._practice("PUT", "down", {"how": how})
        self._stage.journal.write("mischief", "down", how=how)
        self._is_calm.wait(seconds)
        self._practice("PUT", "down", {"how": "no"})
        self._stage.journal.write("mischief", "down", how="no")

    def _step(self, seconds: float) -> None:
        self.step_clock(seconds)

    def step_clock(self, seconds: float) -> None:
        """Put the clock of all of the desk's processes on or back."""
        with self._clock:
            offset = self._setting.clock.read() + seconds
            self._farthest = max(self._farthest, offset)
            self._setting.clock.set(offset)
            self._stage.journal.write("mischief", "clock", offset_seconds=offset)

    def _pause(self, seconds: float) -> None:
        workers = self._keeper.living("worker")
        if workers:
            role = self._rng.choice(workers)
            role.is_being_woken = True
            if self._keeper.pause(role):
                self._sleep_long(role, seconds)

    def _sleep_long(self, role: Role, seconds: float) -> None:
        self._stage.journal.write("mischief", "paused", process=role.life)
        self.step_clock(SLEEPS_LONGER_THAN_A_LEASE)
        self._is_calm.wait(seconds)
        self._keeper.resume(role)
        role.is_being_woken = False
        self._stage.journal.write("mischief", "resumed", process=role.life)

    def _drain(self) -> None:
        workers = self._keeper.living("worker") + self._keeper.living("web")
        if workers:
            role = self._rng.choice(workers)
            self._stage.journal.write("mischief", "draining", process=role.life)
            self._keeper.drain(role)

    def _fill_disk(self, seconds: float) -> None:
        flag = self._stage.folder / "disk-full"
        flag.touch()
        self._stage.journal.write("mischief", "disk", full=True)
        self._is_calm.wait(seconds)
        flag.unlink(missing_ok=True)
        self._stage.journal.write("mischief", "disk", full=False)

    def _database(self, seconds: float, mode: Any) -> None:
        with self._one_database_at_a_time:
            cluster = self._setting.cluster
            if cluster:
                cluster.stop(mode)
                self._is_calm.wait(seconds / 4)
                cluster.start()
                self._stage.journal.write(
                    "mischief", "database", did="restarted", mode=mode, seconds=seconds / 4
                )
                return
            self._lock_sqlite(seconds)

    def _lock_sqlite(self, seconds: float) -> None:
        name = self._rng.choice(("canceldesk.sqlite3", "engine.sqlite3"))
        file = self._stage.folder / "data" / name
        with (
            suppress(sqlite3.OperationalError),
            closing(sqlite3.connect(file, timeout=20, isolation_level=None)) as held,
        ):
            held.execute("BEGIN IMMEDIATE")
            self._is_calm.wait(seconds)
            held.execute("ROLLBACK")
            self._stage.journal.write(
                "mischief", "database", did="locked", file=name, seconds=seconds
            )

    def night(self, hours: int) -> None:
        """Time passes, for Billsby and the desk alike; as much for the desk as for Billsby where
        Billsby is killed over it.
        """
        before = self._billsby_is_ahead()
        self._asked("POST", "clock", {"hours": hours})
        passed = self._billsby_is_ahead() - before
        self._stage.journal.write("mischief", "clock_billsby", hours=passed / 3600)
        self.step_clock(passed)

    def _billsby_is_ahead(self) -> float:
        while True:
            reply = self._asked("GET", "state")
            if reply is not None and reply.is_success:
                return float(reply.json()["offset_seconds"])
            time.sleep(0.2)

    def let_billsby_pass(self, days: int) -> None:
        """Only Billsby's clock goes on, and bills."""
        while not self._practice("POST", "clock", {"days": days}):
            time.sleep(0.2)

    def _copy_log(self) -> None:
        number = self.counted["log"]
        with suppress(deskdata.Unreachable):
            deskdata.copy_log(self._stage, self._stage.folder / f"log-{number}.json")
