"""The file is whole at every moment: locks, other people, full disks, kills."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from canceldesk.workbook import editing, locking, reading, saving
from canceldesk.workbook.errors import (
    CannotRead,
    CannotSave,
    ChangedMeanwhile,
    InUse,
    ReadBackDiffers,
)
from canceldesk.workbook.locking import Waiting
from canceldesk.workbook.protocol import matches
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import NEW, build, client


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


@pytest.fixture
def path(tmp_path):
    return build(tmp_path / "clients.xlsx")


def book(path, clock=None, **kwargs):
    clock = clock or Clock()
    return WorkbookList(path, now=clock.now, sleep=clock.sleep, **kwargs)


def leftovers(path):
    return [file.name for file in path.parent.iterdir() if file.name.endswith(".tmp")]


def excel_owner_file(path, name="Ann Agent"):
    owner = path.with_name(f"~${path.name}")
    narrow = bytes([len(name)]) + name.encode().ljust(54)
    owner.write_bytes(
        narrow + len(name).to_bytes(2, "little") + name.encode("utf-16-le").ljust(108)
    )
    return owner


def test_a_workbook_open_in_excel_is_in_use_by_its_user(path):
    excel_owner_file(path)
    before = path.read_bytes()
    clock = Clock()
    with pytest.raises(InUse, match="open on the screen of Ann Agent") as refusal:
        book(path, clock, lock_wait_seconds=3).add(NEW)
    assert refusal.value.by == "Ann Agent"
    assert 3 <= clock.seconds < 4
    assert path.read_bytes() == before


def test_a_workbook_open_in_libreoffice_is_in_use_by_its_user(path):
    lock = path.with_name(f".~lock.{path.name}#")
    lock.write_text(",manager,desk-3,23.11.2026 10:00,file:///home;")
    with pytest.raises(InUse) as refusal:
        book(path).add(NEW)
    assert refusal.value.by == "manager"


def test_an_owner_file_without_a_name_means_someone(path):
    path.with_name(f"~${path.name}").write_bytes(b"")
    with pytest.raises(InUse) as refusal:
        book(path).add(NEW)
    assert refusal.value.by == "someone"


def test_an_owner_file_that_cannot_be_read_means_someone(path):
    path.with_name(f"~${path.name}").mkdir()
    assert locking.person_inside(path) == "someone"


def test_the_row_is_added_as_soon_as_the_person_closes_the_workbook(path):
    owner = excel_owner_file(path)
    clock = Clock(meanwhile=owner.unlink)
    assert book(path, clock).add(NEW).row_number == 5
    assert clock.slept == 3


def test_two_workers_never_write_at_once(path):
    with locking.held(path, Waiting(0)):
        clock = Clock()
        with pytest.raises(InUse, match="another worker") as refusal:
            book(path, clock, lock_wait_seconds=1).add(NEW)
    assert refusal.value.by == "another worker of the desk"
    assert 1 <= clock.seconds < 1.5
    assert book(path).add(NEW).row_number == 5


def test_reading_needs_no_lock(path):
    with locking.held(path, Waiting(0)):
        assert len(book(path).read().rows) == 5


def changed_by_a_person(path, monkeypatch, times):
    """Let a person save another row just before each of the first replacements."""
    real = saving._take_over
    left = [times]

    def take_over(target, temporary):
        real(target, temporary)
        if left[0]:
            left[0] -= 1
            monkeypatch.setattr(saving, "_take_over", real)
            other = target.with_name("theirs.xlsx")
            other.write_bytes(target.read_bytes())
            WorkbookList(other).add(client(40 + left[0]))
            other.replace(target)
            monkeypatch.setattr(saving, "_take_over", take_over)

    monkeypatch.setattr(saving, "_take_over", take_over)


def test_what_a_person_saved_meanwhile_is_kept(path, monkeypatch):
    changed_by_a_person(path, monkeypatch, 2)
    written = book(path).add(NEW)
    rows = book(path).read().rows
    assert [row.name for row in rows[:3]] == ["Nora New", "Client 40", "Client 41"]
    assert written.fingerprint_after == book(path).read().fingerprint
    assert leftovers(path) == []


def test_a_person_who_saves_all_the_time_wins(path, monkeypatch):
    changed_by_a_person(path, monkeypatch, 99)
    with pytest.raises(ChangedMeanwhile, match="each time"):
        book(path).add(NEW)
    assert "Nora New" not in [row.name for row in book(path).read().rows]


def test_a_person_who_saves_right_after_is_read_back_too(path, monkeypatch):
    real = saving._force_folder

    def force_folder(folder):
        real(folder)
        monkeypatch.setattr(saving, "_force_folder", real)
        WorkbookList(path, tab="cancellation").add(client(41))

    monkeypatch.setattr(saving, "_force_folder", force_folder)
    monkeypatch.setattr(locking, "_locked", lambda _file: True)
    written = book(path).add(NEW)
    assert written.row_number == 6
    assert matches(written.row, NEW)


def test_a_row_that_vanishes_right_after_is_not_called_written(path, monkeypatch):
    before = path.read_bytes()
    real = saving._force_folder

    def force_folder(folder):
        real(folder)
        path.write_bytes(before)

    monkeypatch.setattr(saving, "_force_folder", force_folder)
    with pytest.raises(ReadBackDiffers, match="older copy"):
        book(path).add(NEW)


def test_a_new_file_that_reads_differently_is_never_put_in_place(path, monkeypatch):
    before = path.read_bytes()
    for spoilt in (before, b"rubbish"):
        monkeypatch.setattr(editing, "insert", lambda _found, _row, spoilt=spoilt: spoilt)
        with pytest.raises(ReadBackDiffers, match="was not added"):
            book(path).add(NEW)
        assert path.read_bytes() == before
    assert leftovers(path) == []


def test_other_rows_that_would_change_are_noticed(path, tmp_path, monkeypatch):
    fewer = build(tmp_path / "fewer.xlsx", count=4)
    WorkbookList(fewer).add(NEW)
    monkeypatch.setattr(editing, "insert", lambda _found, _row: fewer.read_bytes())
    with pytest.raises(ReadBackDiffers, match="is not what was to be written"):
        book(path).add(NEW)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "used up"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "may not write"),
        (errno.ENOENT, "folder is gone"),
        (errno.EIO, "an error of the disk"),
    ],
)
def test_a_disk_that_refuses_leaves_the_old_file(path, monkeypatch, number, words):
    before = path.read_bytes()

    def fails(_descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(CannotSave, match=words):
        book(path).add(NEW)
    assert path.read_bytes() == before
    assert leftovers(path) == []


def test_a_read_only_file_is_not_replaced(path):
    path.chmod(0o444)
    before = path.read_bytes()
    with pytest.raises(CannotSave, match="read-only for the desk"):
        book(path).add(NEW)
    assert path.read_bytes() == before


def test_a_folder_one_may_not_write_in(path, monkeypatch):
    real = Path.open

    def fails(self, *args, **kwargs):
        if self.name.endswith("-lock"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", fails)
    with pytest.raises(CannotSave, match="may not write in the folder"):
        book(path).add(NEW)


def test_a_file_that_may_not_be_read(path, monkeypatch):
    def fails(_self):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", fails)
    with pytest.raises(CannotRead, match="could not be read \\(Permission denied\\)"):
        book(path).read()


def test_a_sharing_violation_means_someone_has_it_open(path, monkeypatch):
    class Violation(PermissionError):
        winerror = 32

    def fails(_self):
        raise Violation(errno.EACCES, "used by another process")

    monkeypatch.setattr(Path, "read_bytes", fails)
    with pytest.raises(InUse, match="open in another program"):
        book(path).read()


def test_mode_and_owner_stay_and_the_time_is_new(path):
    path.chmod(0o640)
    if os.getuid() == 0:
        os.chown(path, 1234, 2345)
    os.utime(path, (1, 1))
    book(path).add(NEW)
    after = path.stat()
    assert stat.S_IMODE(after.st_mode) == 0o640
    assert after.st_mtime > 1
    if os.getuid() == 0:
        assert (after.st_uid, after.st_gid) == (1234, 2345)


def test_what_a_killed_worker_left_is_cleared_away(path):
    (path.parent / f".{path.name}.canceldesk-0123456789ab.tmp").write_bytes(b"half")
    other = path.parent / ".other.xlsx.canceldesk-0123456789ab.tmp"
    other.write_bytes(b"of another workbook")
    book(path).add(NEW)
    assert leftovers(path) == [other.name]


KILLED_AT = textwrap.dedent(
    """
    import datetime as dt, os, signal, sys
    from pathlib import Path
    from canceldesk.workbook import saving
    from canceldesk.workbook.protocol import NewRow
    from canceldesk.workbook.workbooklist import WorkbookList

    def killing(function, after):
        def run(*args, **kwargs):
            if not after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*args, **kwargs)
            os.kill(os.getpid(), signal.SIGKILL)
            return result
        return run

    path, point, after = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "after"
    owner = {"fsync": os, "replace": Path, "read_bytes": Path}.get(point, saving)
    setattr(owner, point, killing(getattr(owner, point), after))
    day = dt.date(2026, 11, 23)
    WorkbookList(path).add(NewRow("Nora New", "+1 555 0199", day, 123450, "USD", 7, "moved"))
    """
)


@pytest.mark.parametrize("after", ["before", "after"])
@pytest.mark.parametrize(
    "point", ["_sweep", "_write", "fsync", "_take_over", "replace", "_force_folder"]
)
def test_a_worker_killed_at_any_point_leaves_a_whole_workbook(path, point, after):
    before = path.read_bytes()
    ended = subprocess.run([sys.executable, "-c", KILLED_AT, path, point, after], check=False)
    assert ended.returncode == -signal.SIGKILL
    done = (point, after) == ("replace", "after") or point == "_force_folder"
    names = [row.name for row in book(path).read().rows]
    assert names == (["Nora New"] if done else []) + [f"Client {n}" for n in range(1, 6)]
    assert done or path.read_bytes() == before
    assert book(path).add(client(50)).row_number == 5
    assert leftovers(path) == []


def test_a_worker_killed_at_random_moments_leaves_a_whole_workbook(path):
    script = KILLED_AT.split("def killing")[0] + textwrap.dedent(
        """
        path = Path(sys.argv[1])
        print("ready", flush=True)
        for number in range(1000):
            WorkbookList(path).add(
                NewRow(f"Row {number}", "555", dt.date(2026, 11, 23), 1, "USD", 1, "x")
            )
        """
    )
    rng = random.Random(7)
    for _ in range(6):
        worker = subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE)
        assert worker.stdout is not None
        with worker:
            assert worker.stdout.readline() == b"ready\n"
            os.set_blocking(worker.stdout.fileno(), False)
            try:
                worker.wait(timeout=0.05 + rng.random() * 0.3)
            except subprocess.TimeoutExpired:
                worker.kill()
        rows = book(path).read().rows
        assert [row.name for row in rows][-5:] == [f"Client {n}" for n in range(1, 6)]
    book(path).add(NEW)
    assert leftovers(path) == []


def test_a_lock_dies_with_the_worker_that_held_it(path):
    script = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from canceldesk.workbook import locking
        with locking.held(Path(sys.argv[1]), locking.Waiting(0)):
            print("held", flush=True)
            time.sleep(600)
        """
    )
    worker = subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    with worker:
        assert worker.stdout.readline() == b"held\n"
        with pytest.raises(InUse):
            book(path, lock_wait_seconds=0).add(NEW)
        worker.kill()
    assert book(path).add(NEW).row_number == 5


def test_the_fingerprint_is_of_the_file(path):
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    assert reading.fingerprint(path.read_bytes()) == book(path).read().fingerprint == expected
