"""Being the only one who writes: other workers of the desk, other threads, people."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from canceldesk.workbook.errors import CannotSave, InUse
from canceldesk.workbook.storing import contents, disk
from canceldesk.workbook.storing.companions import real
from canceldesk.workbook.storing.lease import Lease
from canceldesk.workbook.storing.oslock import LockInTurn, NoLocksHere
from canceldesk.workbook.storing.owners import person_inside

_LOCK_LOOKED_AT: Final = 0.02
"""Seconds between two looks: a worker holds the lock for one saving."""
_PERSON_LOOKED_AT: Final = 0.1
"""The same for what a person has open."""
_ANOTHER_WORKER: Final = "another worker of the desk"


@dataclass(frozen=True)
class Waiting:
    """How long to wait for others, and the clock to wait by (seconds that only grow)."""

    seconds: float
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def until(self, free: Callable[[], bool], *, every: float) -> bool:
        """Ask `free` every so many seconds until it says yes or time is over; whether it did."""
        deadline = self.now() + self.seconds
        while not free():
            if self.now() >= deadline:
                return False
            self.sleep(every)
        return True


class _Claim(Protocol):
    """A lock of whichever kind."""

    def take(self) -> bool: ...
    def still_ours(self) -> bool: ...
    def release(self) -> None: ...


@dataclass(frozen=True)
class _Holder:
    claim: _Claim
    thread: int


_threads: dict[Path, threading.Lock] = {}
_holders: dict[Path, _Holder] = {}


@contextmanager
def held(path: Path, waiting: Waiting) -> Iterator[None]:
    """Be the only worker of the desk that writes to `path`.

    The lock is the operating system's on a file beside the workbook, so it ends with the process
    that holds it, however that ends; NFS and SMB pass it on to the server. Workers wait for it in
    turn. A file system without locks gets a lease instead (`lease.Lease`). A share that was mounted
    to keep locks on the own machine (`nolock`, `nobrl`) excludes nobody else; even then no save is
    lost, because `saving.replace` decides by what it took out. Raises `InUse` and `CannotSave`.
    """
    path = real(path)
    one_thread = _threads.setdefault(path, threading.Lock())
    if not waiting.until(lambda: one_thread.acquire(blocking=False), every=_LOCK_LOOKED_AT):
        raise _in_use(path)
    try:
        claim = _claimed(path, waiting)
        _holders[path] = _Holder(claim, threading.get_ident())
        try:
            yield
        finally:
            del _holders[path]
            with contextlib.suppress(OSError):
                claim.release()
    finally:
        one_thread.release()


def is_held(path: Path) -> bool:
    """Whether this thread still holds the lock of the workbook at `path`, which is no link."""
    holder = _holders.get(path)
    if holder is None or holder.thread != threading.get_ident():
        return False
    try:
        return holder.claim.still_ours()
    except OSError:
        return False


def assure_held(path: Path) -> None:
    """Raise `InUse` unless this thread still holds the lock of the workbook, which is no link."""
    if not is_held(path):
        raise _in_use(path)


def wait_until_closed(path: Path, waiting: Waiting) -> None:
    """Wait until nobody has the workbook open, as programs and system tell; else raise `InUse`.

    A workbook that is missing for a moment, as while Excel saves it, is waited for, too.
    """

    def free() -> bool:
        return (
            os.path.lexists(path)
            and person_inside(path) is None
            and not contents.being_written(path)
        )

    if waiting.until(free, every=_PERSON_LOOKED_AT):
        return
    person = person_inside(path)
    if person is not None:
        raise InUse(person.sentence(path), by=person.name)
    if contents.being_written(path):
        raise disk.in_use(path)


def _claimed(path: Path, waiting: Waiting) -> _Claim:
    lock = LockInTurn(path)
    try:
        return _taken(lock, path, waiting)
    except NoLocksHere:
        pass
    except OSError as error:
        raise _cannot(path, error) from error
    finally:
        lock.step_aside()
    try:
        return _taken(Lease(path, waiting.now), path, waiting)
    except OSError as error:
        raise _cannot(path, error) from error


def _taken(claim: _Claim, path: Path, waiting: Waiting) -> _Claim:
    if not waiting.until(claim.take, every=_LOCK_LOOKED_AT):
        raise _in_use(path)
    return claim


def _in_use(path: Path) -> InUse:
    return InUse(
        f"“{path.name}” is being written by {_ANOTHER_WORKER}. It will be tried again.",
        by=_ANOTHER_WORKER,
    )


def _cannot(path: Path, error: OSError) -> CannotSave:
    return CannotSave(
        f"The desk cannot lock “{path.name}” against its other workers, because "
        f"{disk.why(error)}. Nothing was written."
    )
