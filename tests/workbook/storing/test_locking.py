"""Only one worker writes at a time, on every kind of share, however the others end."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from canceldesk.workbook.errors import CannotSave, InUse
from canceldesk.workbook.storing import lease, locking, oslock
from canceldesk.workbook.storing.companions import companion
from canceldesk.workbook.storing.lease import STOOD_STILL, Lease
from canceldesk.workbook.storing.locking import Waiting
from canceldesk.workbook.storing.oslock import LockInTurn, NoLocksHere, OsLock
from tests.workbook import disks
from tests.workbook.disks import Clock


@pytest.fixture
def path(tmp_path):
    return disks.plain_file(tmp_path)


@pytest.fixture(params=["locks", "flock only", "no locks"])
def share(request, monkeypatch):
    """Every kind of file system, by what it answers to who wants a lock."""
    if request.param != "locks":
        real = fcntl.fcntl
        wants_lock = lambda _file, command, *_rest: command == fcntl.F_OFD_SETLK  # noqa: E731
        monkeypatch.setattr(fcntl, "fcntl", disks.failing(errno.EINVAL, real, when=wants_lock))
    if request.param == "no locks":
        monkeypatch.setattr(fcntl, "flock", disks.failing(errno.ENOLCK))
    return request.param


def is_free(path):
    try:
        with locking.held(path, Waiting(0)):
            return True
    except InUse:
        return False


def in_another_thread(function):
    """What `function` gives when another thread calls it."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(function()))
    thread.start()
    thread.join()
    return answers[0]


@pytest.mark.usefixtures("share")
def test_the_lock_is_held_once_and_free_again_after(path):
    with locking.held(path, Waiting(0)):
        assert locking.is_held(path)
        assert not is_free(path)
    assert not locking.is_held(path)
    assert is_free(path)


@pytest.mark.usefixtures("share")
def test_two_threads_of_one_process_exclude_each_other(path):
    with locking.held(path, Waiting(0)):
        assert not in_another_thread(lambda: is_free(path))
        assert not in_another_thread(lambda: locking.is_held(path))
    assert in_another_thread(lambda: is_free(path))


@pytest.mark.usefixtures("share")
def test_a_lock_is_free_again_after_an_error(path):
    with pytest.raises(ZeroDivisionError), locking.held(path, Waiting(0)):
        _ = 1 / 0
    assert is_free(path)


def test_whoever_waits_gets_it_when_it_is_given_back(path):
    first = OsLock(path)
    assert first.take()
    clock = Clock(meanwhile=first.release)
    with locking.held(path, clock.waiting(5)):
        assert clock.slept == 3


def test_who_has_just_given_it_back_does_not_have_it_before_who_waits(path):
    busy, waits = LockInTurn(path), LockInTurn(path)
    assert busy.take()
    busy.step_aside()
    assert not waits.take()
    busy.release()

    again = LockInTurn(path)
    assert not again.take()
    assert waits.take()
    waits.step_aside()
    assert not again.take()
    waits.release()
    assert again.take()


@pytest.mark.usefixtures("share")
def test_who_waits_no_longer_keeps_nobody_waiting(path):
    held = OsLock(path)
    try:
        is_lockable = held.take()
    except NoLocksHere:
        pytest.skip("nobody waits in turn where there are no locks")
    assert is_lockable
    with pytest.raises(InUse), locking.held(path, Clock().waiting(1)):
        pass
    held.release()
    assert is_free(path)


def test_a_worker_that_dies_waiting_keeps_nobody_waiting(path):
    with locking.held(path, Waiting(0)):
        worker = subprocess.Popen([sys.executable, "-c", WAITING, path], stdout=subprocess.PIPE)
        assert worker.stdout is not None
        with worker:
            assert worker.stdout.readline() == b"waiting\n"
            assert not OsLock(path, "turn").take()
            worker.kill()
    assert is_free(path)


def test_a_share_that_fails_as_others_are_let_wait_does_not_keep_the_lock(path, monkeypatch):
    lock, closed = LockInTurn(path), os.close

    def failing(descriptor):
        closed(descriptor)
        raise OSError(errno.EIO, "input/output error")

    assert lock.take()
    with monkeypatch.context() as patch:
        patch.setattr(os, "close", failing)
        lock.step_aside()
    lock.release()
    assert is_free(path)


@pytest.mark.parametrize("purpose", ["lock", "turn"])
def test_a_lock_that_cannot_be_looked_at_is_not_kept(path, monkeypatch, purpose):
    with monkeypatch.context() as patch:
        patch.setattr(OsLock, "still_ours", disks.failing(errno.ESTALE))
        with pytest.raises(OSError, match=os.strerror(errno.ESTALE)):
            OsLock(path, purpose).take()
    assert is_free(path)


def test_waiting_has_an_end(path):
    clock = Clock()
    with (
        locking.held(path, Waiting(0)),
        pytest.raises(InUse, match="another worker") as refusal,
        locking.held(path, clock.waiting(1)),
    ):
        pass
    assert refusal.value.by == "another worker of the desk"
    assert 1 <= clock.seconds < 1.5


def test_a_link_to_the_workbook_locks_the_workbook(path, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.xlsx"
    link.symlink_to(path)
    with locking.held(link, Waiting(0)):
        assert not is_free(path)
        assert locking.is_held(path)


HOLDING = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from canceldesk.workbook.storing import locking
    with locking.held(Path(sys.argv[1]), locking.Waiting(0)):
        print("held", flush=True)
        time.sleep(600)
    """
)

WAITING = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from canceldesk.workbook.storing.oslock import LockInTurn
    lock = LockInTurn(Path(sys.argv[1]))
    assert not lock.take()
    print("waiting", flush=True)
    time.sleep(600)
    """
)


def test_a_lock_dies_with_the_worker_that_held_it(path):
    worker = subprocess.Popen([sys.executable, "-c", HOLDING, path], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    with worker:
        assert worker.stdout.readline() == b"held\n"
        assert not is_free(path)
        worker.kill()
    assert is_free(path)


def test_a_lock_file_that_someone_removed_is_not_a_lock(path):
    with locking.held(path, Waiting(0)):
        companion(path, "lock").unlink()
        assert not locking.is_held(path)
        with pytest.raises(InUse):
            locking.assure_held(path)


def test_a_lock_file_removed_while_it_was_being_locked_is_locked_anew(path, monkeypatch):
    real, locked = oslock._lock, []

    def lock(descriptor):
        taken = real(descriptor)
        locked.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        if locked.count(companion(path, "lock")) == 1:
            companion(path, "lock").unlink(missing_ok=True)
        return taken

    monkeypatch.setattr(oslock, "_lock", lock)
    clock = Clock()
    with locking.held(path, clock.waiting(5)):
        assert locking.is_held(path)
    assert clock.slept == 1


def test_a_share_that_went_away_has_no_lock_of_ours(path, monkeypatch):
    with locking.held(path, Waiting(0)):
        monkeypatch.setattr(OsLock, "still_ours", disks.failing(errno.ESTALE))
        assert not locking.is_held(path)


def test_everyone_who_may_write_the_workbook_may_lock_it(path):
    path.chmod(0o660)
    assert is_free(path)
    assert stat.S_IMODE(companion(path, "lock").stat().st_mode) == 0o660


def test_people_do_not_see_the_lock(path):
    assert is_free(path)
    assert disks.visible(path) == ["clients.xlsx"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EACCES, "may not write in its folder"), (errno.EROFS, "the disk is read-only")],
)
def test_a_folder_that_takes_no_lock_file_says_why(path, monkeypatch, number, words):
    monkeypatch.setattr(os, "open", disks.failing(number))
    with (
        pytest.raises(CannotSave, match=f"cannot lock .* because .*{words}"),
        locking.held(path, Waiting(0)),
    ):
        pass


def test_a_lock_that_fails_says_why_and_leaves_nothing_open(path, monkeypatch):
    monkeypatch.setattr(oslock, "_lock", disks.failing(errno.EIO))
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(CannotSave, match="an error of the disk"), locking.held(path, Waiting(0)):
        pass
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_a_system_whose_locks_fail_in_an_unknown_way_is_not_written_to(path, monkeypatch):
    monkeypatch.setattr(oslock, "_lock_open_file", disks.failing(errno.EIO))
    with pytest.raises(CannotSave), locking.held(path, Waiting(0)):
        pass


# ---------------------------------------------------------------- where there are no locks


def test_a_lease_is_held_by_one(path):
    clock = Clock()
    first, second = Lease(path, clock.now), Lease(path, clock.now)
    assert first.take()
    assert not second.take()
    assert (first.still_ours(), second.still_ours()) == (True, False)
    first.release()
    assert second.take()
    second.release()
    assert disks.leftovers(path) == []


def test_a_lease_that_is_renewed_is_never_taken_over(path):
    clock = Clock()
    first, second = Lease(path, clock.now), Lease(path, clock.now)
    assert first.take()
    for _ in range(40):
        clock.sleep(STOOD_STILL - 1)
        first.renew()
        assert not second.take()
    assert first.still_ours()
    first.release()


def test_a_lease_that_stood_still_is_taken_over_and_its_holder_knows(path):
    clock = Clock()
    first, second = Lease(path, clock.now), Lease(path, clock.now)
    assert first.take()
    assert not second.take()
    clock.sleep(STOOD_STILL - 0.1)
    assert not second.take()
    clock.sleep(0.1)
    assert not second.take()
    assert not first.still_ours()
    assert second.take()
    first.renew()
    first.release()
    assert second.still_ours()
    second.release()


def test_a_lease_is_watched_from_one_attempt_to_the_next(path):
    clock = Clock()
    dead = Lease(path, clock.now)
    assert dead.take()
    for _ in range(2):
        assert not Lease(path, clock.now).take()
        clock.sleep(STOOD_STILL)
    assert Lease(path, clock.now).take()


def test_a_lease_that_another_took_over_first_is_given_back(path, monkeypatch):
    clock = Clock()
    dead, quick, slow = (Lease(path, clock.now) for _ in range(3))
    assert dead.take()
    assert not slow.take()
    clock.sleep(STOOD_STILL)
    file = companion(path, "lease")
    real = type(file).rename

    def rename(self, target):
        monkeypatch.undo()
        self.unlink()
        assert quick.take()
        return real(self, target)

    monkeypatch.setattr(type(file), "rename", rename)
    assert not slow.take()
    assert quick.still_ours()
    quick.release()
    assert disks.leftovers(path) == []


def test_what_a_worker_left_that_was_killed_while_taking_over_is_removed(path):
    companion(path, "lease-0123456789").write_bytes(b"put aside")
    held = Lease(path, Clock().now)
    assert held.take()
    held.release()
    assert disks.leftovers(path) == []


def test_a_lease_given_back_between_two_looks_is_nobodys(path, monkeypatch):
    first = Lease(path, Clock().now)
    assert first.take()
    file = companion(path, "lease")
    real = type(file).read_bytes

    def read_bytes(self):
        monkeypatch.undo()
        file.unlink()
        return real(self)

    monkeypatch.setattr(type(file), "read_bytes", read_bytes)
    assert not Lease(path, Clock().now).take()
    assert not first.still_ours()


class Ticking:
    """An end that comes after so many renewals."""

    def __init__(self, times):
        self.times = times
        self.waited = []

    def wait(self, seconds):
        self.waited.append(seconds)
        self.times -= 1
        return self.times < 0

    def set(self):
        pass


def test_a_holder_renews_its_lease_by_itself(path, monkeypatch):
    held = Lease(path, Clock().now)
    assert held.take()
    before = companion(path, "lease").read_bytes()
    held._ended.set()
    ticking = Ticking(3)
    monkeypatch.setattr(held, "_ended", ticking)
    held._keep()
    after = companion(path, "lease").read_bytes()
    assert int(after.split()[1]) - int(before.split()[1]) == 3
    assert ticking.waited == [lease.RENEWED_EVERY] * 4
    held.release()


def test_a_share_that_is_away_for_a_moment_does_not_end_the_renewing(path, monkeypatch):
    held = Lease(path, Clock().now)
    assert held.take()
    held._ended.set()
    monkeypatch.setattr(held, "_ended", Ticking(3))
    real, stumbles = held.renew, iter([True, False, True])
    monkeypatch.setattr(held, "renew", disks.failing(errno.EIO, real, when=lambda: next(stumbles)))
    held._keep()
    assert int(companion(path, "lease").read_bytes().split()[1]) == 1


def test_a_folder_that_takes_no_lease_says_why(path, monkeypatch):
    def none_here(_lock):
        raise oslock.NoLocksHere

    monkeypatch.setattr(OsLock, "take", none_here)
    monkeypatch.setattr(os, "open", disks.failing(errno.ENOSPC))
    with pytest.raises(CannotSave, match="the disk is full"), locking.held(path, Waiting(0)):
        pass


def test_a_workbook_on_a_share_without_locks_can_be_saved(path, monkeypatch):
    def none_here(_lock):
        raise oslock.NoLocksHere

    monkeypatch.setattr(OsLock, "take", none_here)
    assert disks.save(path) is True
    assert path.read_bytes() == disks.NEW_DATA
    assert disks.leftovers(path) == []
