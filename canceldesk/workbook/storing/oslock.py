"""The operating system's lock on a file beside the workbook."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import struct
import sys
from pathlib import Path
from typing import Final

from canceldesk.workbook.storing.companions import companion

_NONE_HERE: Final = frozenset(
    {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
)
_BUSY: Final = frozenset({errno.EAGAIN, errno.EACCES, errno.EDEADLK})
_ANYONES: Final = 0o666


class NoLocksHere(Exception):
    """The file system has no locks."""


class OsLock:
    """A lock that ends with the process. The file stays, for removing it would need a lock itself.

    `take` raises `NoLocksHere` or OSError. `purpose` tells apart the locks of one workbook.
    """

    def __init__(self, path: Path, purpose: str = "lock") -> None:
        self._path = path
        self._file = companion(path, purpose)
        self._descriptor = -1

    def take(self) -> bool:
        """Try once, without waiting."""
        descriptor = self._opened()
        try:
            self._descriptor = descriptor
            # Someone may have removed the file, and another worker locked its successor.
            taken = _lock(descriptor) and self.still_ours()
        except BaseException:
            os.close(descriptor)
            raise
        if not taken:
            self.release()
        return taken

    def still_ours(self) -> bool:
        """Whether the locked file is still the one that others would lock. Raises OSError."""
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._file.stat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Let the next one in: closing the file ends the lock."""
        os.close(self._descriptor)

    def _opened(self) -> int:
        flags = os.O_RDWR | getattr(os, "O_CLOEXEC", 0)
        with contextlib.suppress(FileNotFoundError):
            return os.open(self._file, flags)
        descriptor = os.open(self._file, flags | os.O_CREAT, _ANYONES)
        # Whoever may write the workbook must be able to lock it.
        with contextlib.suppress(OSError, AttributeError):
            os.fchmod(descriptor, stat.S_IMODE(self._path.stat().st_mode) & _ANYONES)
        return descriptor


class LockInTurn:
    """The lock, for which one worker at a time waits; it is the next to have it.

    Whoever waits looks only every now and then. Where workers have many rows to write, the one that
    has just given the lock back would have it again each time, and another wait in vain until its
    time is over. Of three and more, chance says who is next; all must look equally often for it.
    """

    def __init__(self, path: Path) -> None:
        self._turn, self._lock = OsLock(path, "turn"), OsLock(path)
        self._is_next = False

    def take(self) -> bool:
        """Try once, and stay the next one if that fails, until `step_aside`. Raises as `OsLock`."""
        self._is_next = self._is_next or self._turn.take()
        return self._is_next and self._lock.take()

    def step_aside(self) -> None:
        """Let others wait: the lock has been taken, or is not waited for any more."""
        if self._is_next:
            self._is_next = False
            with contextlib.suppress(OSError):  # closed all the same; the lock must not be lost
                self._turn.release()

    def still_ours(self) -> bool:
        """As of `OsLock`."""
        return self._lock.still_ours()

    def release(self) -> None:
        """Let the next one in."""
        self._lock.release()


if sys.platform == "win32":  # pragma: no cover - the other half runs where the tests run
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in _BUSY:
                return False
            raise
        return True

else:
    import fcntl

    _WHOLE_FILE: Final = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    """struct flock of 64-bit Linux."""

    def _lock(descriptor: int) -> bool:
        """By the lock of an open file, which NFS and SMB know; else by flock(2).

        Both exclude two openings of the file by one process, too, as plain POSIX locks do not.
        """
        for attempt in (_lock_open_file, _lock_by_flock):
            try:
                attempt(descriptor)
            except OSError as error:
                if error.errno in _BUSY:
                    return False
                if error.errno not in _NONE_HERE:
                    raise
            else:
                return True
        raise NoLocksHere

    def _lock_open_file(descriptor: int) -> None:
        if sys.platform != "linux" or sys.maxsize < 2**32:  # pragma: no cover
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _WHOLE_FILE)

    def _lock_by_flock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
