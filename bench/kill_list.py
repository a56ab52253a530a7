"""What killing the desk, and people saving, do to the workbook while a row is added.

`python bench/kill_list.py [--kills 500] [--saves 200] [--seed N] [--moments-only]` does this with a
small workbook, its backups on, once as the system exchanges files and once as it must without that:

a) kills the process that adds a row at random moments, looks, and adds again as the desk does:
   first looking whether the row is there;
b) kills it at every single system call that writes, locks or opens (by strace);
c) lets a person save, by renaming and in place, at random moments and at each of those calls;
d) lets a person save right before the exchange and kills it at each call while it puts that back.

It prints how many workbooks were destroyed, rows doubled, rows lost and edits of people lost, and
fails unless all are 0. Workbooks are judged by zipfile and openpyxl, never by the desk itself.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from killing import Desk, Traced, contents, save_by_renaming, save_in_place, state_of, workbook

ROUNDS_PER_WORKBOOK = 40
THE_ROW = "The row"
CALLS = [
    "openat",
    "write",
    "pwrite64",
    "writev",
    "fsync",
    "fdatasync",
    "ftruncate",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "removexattr",
    "lremovexattr",
    "utimensat",
    "flock",
    "fcntl",
]
Way = Callable[[Path, str], None]
WAYS: tuple[Way, ...] = (save_by_renaming, save_in_place)


@dataclass
class Figures:
    """What was done to workbooks and what came of it."""

    done: collections.Counter[str] = field(default_factory=collections.Counter)
    judged: int = 0
    destroyed: int = 0
    doubled: int = 0
    lost_rows: int = 0
    lost_edits: int = 0

    @property
    def harm(self) -> int:
        return self.destroyed + self.doubled + self.lost_rows + self.lost_edits

    def judge(self, path: Path, rows: list[str], edits: list[str]) -> None:
        """Count what is wrong with the workbook, which must hold `rows` (newest first)."""
        self.judged += 1
        try:
            names, notes = contents(path.read_bytes())
        except Exception as problem:
            print(f"destroyed: {path}: {problem!r}")
            self.destroyed += 1
            return
        self.doubled += sum(count - 1 for count in collections.Counter(names).values())
        self.lost_rows += len(set(rows) - set(names)) or int(sorted(names) != sorted(rows))
        if set(edits) <= set(notes):
            return
        for aside in path.parent.glob("*(set aside*"):
            self.done["edits set aside beside the workbook"] += 1
            notes += contents(aside.read_bytes())[1]
        self.lost_edits += len(set(edits) - set(notes))


def kill_at_random(desk: Desk, folder: Path, kills: int, chance: random.Random) -> Figures:
    """Kill, look, add again."""
    figures = Figures()
    left = kills
    while left:
        with workbook(folder) as (path, rows):
            seconds = _typical_seconds(desk, path, rows)
            for number in range(min(left, ROUNDS_PER_WORKBOOK)):
                left -= 1
                name, before = f"Row {number}", path.read_bytes()
                child = desk.begin(path, name)
                time.sleep(chance.random() * seconds * 1.1)
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                figures.done[f"killed {state_of(path, before)}"] += 1
                there = path.read_bytes() != before
                figures.judge(path, [name, *rows] if there else rows, [])
                desk.add(path, name)
                rows.insert(0, name)
                figures.judge(path, rows, [])
    return figures


def _typical_seconds(desk: Desk, path: Path, rows: list[str]) -> float:
    started = time.monotonic()
    for number in range(3):
        rows.insert(0, f"Timed {number}")
        desk.add(path, rows[0])
    return (time.monotonic() - started) / 3


def save_at_random(desk: Desk, folder: Path, saves: int, chance: random.Random) -> Figures:
    """Let a person save while a row is added, neither waiting for the other."""
    figures = Figures()
    left = saves
    while left:
        with workbook(folder) as (path, rows):
            seconds, edits = _typical_seconds(desk, path, rows), list[str]()
            for number in range(min(left, ROUNDS_PER_WORKBOOK)):
                left -= 1
                way, name = chance.choice(WAYS), f"Row {number}"
                child = desk.begin(path, name)
                time.sleep(chance.random() * seconds)
                edits.append(f"edit {number}")
                way(path, edits[-1])
                _, status = os.waitpid(child, 0)
                desk.add(path, name)
                rows.insert(0, name)
                code = os.waitstatus_to_exitcode(status)
                went = "went on" if code == 0 else "waited"
                figures.done[f"{way.__name__.replace('_', ' ')}, the desk {went}"] += 1
                figures.judge(path, rows, edits)
    return figures


def kill_at_every_call(desk: Desk, folder: Path) -> Figures:
    """Kill the process at each call and let the desk repeat."""

    def once(call: str, number: int, path: Path) -> list[str] | None:
        traced = Traced(desk, path, THE_ROW, {call: f"signal=SIGKILL:when={number}"})
        return [] if traced.ends() == "killed" else None

    return _at_every(CALLS, desk, folder, once)


def save_at_every_call(desk: Desk, folder: Path, way: Way) -> Figures:
    """Let a person save while the process stands still after each call, then let it go on."""

    def once(call: str, number: int, path: Path) -> list[str] | None:
        traced = Traced(desk, path, THE_ROW, {call: f"signal=SIGSTOP:when={number}"})
        if traced.ends() != "stopped":
            return None
        way(path, "edit")
        traced.goes_on()
        return ["edit"]

    # At fcntl the process may hold a lease on the file, which a person's program would wait for.
    return _at_every([call for call in CALLS if call != "fcntl"], desk, folder, once)


def kill_while_putting_back(desk: Desk, folder: Path) -> Figures:
    """Let a person save right before the exchange, then kill the process at each later call."""
    last, out_of_place = _openings_before_exchange(desk, folder), 0

    def once(call: str, number: int, path: Path) -> list[str] | None:
        nonlocal out_of_place
        stop, kill = f"signal=SIGSTOP:when={last}", f"signal=SIGKILL:when={number}"
        traced = Traced(desk, path, THE_ROW, {"openat": stop, call: kill})
        if traced.ends() == "killed":
            return []
        save_by_renaming(path, "edit")
        if traced.goes_on() != "killed":
            return None
        out_of_place += "edit" not in contents(path.read_bytes())[1]
        return ["edit"]

    figures = _at_every([call for call in CALLS if call != "openat"], desk, folder, once)
    if not out_of_place:
        raise RuntimeError("no kill met a person's save while it was out of its place")
    figures.done["of them with the person's save out of its place"] = out_of_place
    return figures


def _openings_before_exchange(desk: Desk, folder: Path) -> int:
    """The number of the opening by which the desk last looks at the workbook before exchanging."""
    openings = 0
    with workbook(folder) as (path, _):
        traced = Traced(desk, path, THE_ROW, dict.fromkeys(("openat", "renameat2", "linkat"), ""))
        traced.ends()
        for line in traced.calls.read_text().splitlines():
            if "RENAME_EXCHANGE" in line or ("linkat" in line and ".old" in line):
                break
            openings += "openat" in line
    return openings


def _at_every(
    calls: list[str],
    desk: Desk,
    folder: Path,
    once: Callable[[str, int, Path], list[str] | None],
) -> Figures:
    """Do `once` at each call, which gives the edits to look for; None when it comes no more."""
    figures = Figures()
    for call in calls:
        for number in range(1, 10_000):
            with workbook(folder) as (path, rows):
                edits = once(call, number, path)
                if edits is None:
                    break
                figures.done[call] += 1
                desk.add(path, THE_ROW)
                figures.judge(path, [THE_ROW, *rows], edits)
    return figures


def main() -> None:
    """Do it all and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=500, help="at random moments")
    parser.add_argument("--saves", type=int, default=200, help="of a person, at random moments")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--moments-only", action="store_true", help="without strace")
    chosen = parser.parse_args()
    if not chosen.moments_only and shutil.which("strace") is None:
        sys.exit("strace is missing. On Debian: apt-get install strace. Or give --moments-only.")
    print(f"seed {chosen.seed}")
    chance, harm, started = random.Random(chosen.seed), 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="canceldesk-bench-") as name:
        for desk in (Desk(exchanges=True), Desk(exchanges=False)):
            print("files exchanged in one step" if desk.exchanges else "without exchange")
            for title, part in _parts(desk, Path(name), chosen, chance):
                harm += _print(title, part)
    print(f"{harm} times harm was done ({time.monotonic() - started:.0f} s)")
    sys.exit(1 if harm else 0)


def _parts(
    desk: Desk, folder: Path, chosen: argparse.Namespace, chance: random.Random
) -> list[tuple[str, Callable[[], Figures]]]:
    parts: list[tuple[str, Callable[[], Figures]]] = [
        ("killed at random", partial(kill_at_random, desk, folder, chosen.kills, chance)),
        ("saved at random", partial(save_at_random, desk, folder, chosen.saves, chance)),
    ]
    if chosen.moments_only:
        return parts
    parts += [
        ("killed at each call", partial(kill_at_every_call, desk, folder)),
        ("saved by renaming at each call", partial(save_at_every_call, desk, folder, WAYS[0])),
        ("saved in place at each call", partial(save_at_every_call, desk, folder, WAYS[1])),
        ("saved, then killed at each call", partial(kill_while_putting_back, desk, folder)),
    ]
    return parts


def _print(title: str, part: Callable[[], Figures]) -> int:
    started = time.monotonic()
    figures = part()
    print(
        f"  {title}: {figures.judged} judged; {figures.destroyed} destroyed, "
        f"{figures.doubled} rows doubled, {figures.lost_rows} rows lost, "
        f"{figures.lost_edits} edits lost ({time.monotonic() - started:.0f} s)"
    )
    print("    " + ", ".join(f"{count} {what}" for what, count in figures.done.most_common()))
    return figures.harm


if __name__ == "__main__":
    main()
