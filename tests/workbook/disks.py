"""Clocks, people and disks that fail, for the tests of saving and locking."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from canceldesk.workbook.storing import exchange, locking, saving
from canceldesk.workbook.storing.companions import Exchange, short
from canceldesk.workbook.storing.locking import Waiting

OLD, NEW_DATA, THEIRS, LATER = b"as it was read", b"with the row", b"a person's", b"later still"


class Clock:
    """Seconds that pass only by sleeping; `meanwhile` happens after some sleeps."""

    def __init__(self, meanwhile=None, after=3):
        self.seconds = 0.0
        self.slept = 0
        self.meanwhile = meanwhile
        self.after = after

    def now(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds
        self.slept += 1
        if self.meanwhile and self.slept == self.after:
            self.meanwhile()

    def waiting(self, seconds):
        return Waiting(seconds, self.now, self.sleep)


def fingerprint(data):
    return hashlib.sha256(data).hexdigest()


def plain_file(folder: Path) -> Path:
    """What stands for a workbook where its contents do not matter."""
    path = folder / "clients.xlsx"
    path.write_bytes(OLD)
    return path


def save(
    path,
    data=NEW_DATA,
    *,
    before=OLD,
    backups=5,
    check=lambda _content: None,
    still_wanted=lambda: True,
):
    """Replace under the lock, as the list does."""
    with locking.held(path, Waiting(0)):
        return saving.replace(
            path,
            data,
            before=fingerprint(before),
            check=check,
            still_wanted=still_wanted,
            backups=backups,
        )


def begun(path, before=OLD, after=NEW_DATA):
    return Exchange(path, short(fingerprint(before)), short(fingerprint(after)))


def visible(path):
    """The names in the workbook's folder that people see."""
    return sorted(file.name for file in path.parent.iterdir() if not file.name.startswith("."))


def leftovers(path):
    """What must not stay when all is well: everything but the locks and the backups."""
    stay = ("canceldesk-lock", "canceldesk-turn", "canceldesk-backups")
    names = [file.name for file in path.parent.iterdir() if ".canceldesk-" in file.name]
    return [name for name in names if not name.endswith(stay)]


def set_aside(path):
    """What people find beside the workbook."""
    return [file.read_bytes() for file in sorted(path.parent.glob("*(set aside *"))]


def person_saves(path, data=THEIRS):
    """By renaming, as Excel and LibreOffice do."""
    theirs = path.with_name("theirs.tmp")
    theirs.write_bytes(data)
    theirs.replace(path)


def failing(number, real=None, *, when=lambda *_args: True):
    """A function that raises OSError `number`, or does what `real` does, as `when` says."""

    def call(*args, **named):
        if when(*args):
            raise OSError(number, os.strerror(number))
        assert real is not None
        return real(*args, **named)

    return call


def without_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that can neither exchange nor rename without replacing."""
    monkeypatch.setattr(exchange, "_rename", lambda _source, _target, _flag: False)


def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that has no second names either."""
    without_exchange(monkeypatch)
    monkeypatch.setattr(os, "link", failing(errno.EPERM))


def mounted(kind: str, source: str, target: Path, options: str) -> None:
    """Mount for one test, or skip it where that is not allowed."""
    target.mkdir(exist_ok=True)
    command = ["mount", "-t", kind, "-o", options, source, str(target)]
    if os.getuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("only an administrator may mount a small disk, and not in every container")
