"""What a file holds at this moment, and whether somebody is writing to it."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import signal
import stat
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
)
_STATFS_BYTES: Final = 256
_LOCAL: Final = frozenset(
    {
        0xEF53,  # ext2, ext3, ext4
        0x58465342,  # XFS
        0x9123683E,  # Btrfs
        0x01021994,  # tmpfs
        0x794C7630,  # overlayfs
        0x2FC12FC1,  # ZFS
        0xF2F52010,  # F2FS
        0xCA451A4E,  # bcachefs
    }
)
"""The numbers by which statfs(2) knows file systems whose leases tell of writers."""


@dataclass(frozen=True)
class Contents:
    """`fingerprint` is the SHA-256, None for what is not a plain file.

    `being_written`: another program has it open for writing, or changed it during the look.
    """

    fingerprint: str | None
    being_written: bool = False

    def surely(self, beginning: str) -> bool:
        """Whether this is what has that (shortened) fingerprint, and nobody is changing it."""
        return (
            self.fingerprint is not None
            and self.fingerprint.startswith(beginning)
            and not self.being_written
        )


def look(path: Path) -> Contents:
    """What the file at `path` holds; a link is not followed. Raises OSError.

    On Linux the file is looked at under a lease (`fcntl(2)`, F_SETLEASE), which the system gives
    only while nobody on this machine, a Samba server included, has the file open for writing. It
    says nothing about files of other users, nor on network shares; there a change during the look
    is noticed by the file's times and size alone.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return Contents(None)
        raise
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            return Contents(None)
        with _leased(descriptor) as free, os.fdopen(descriptor, "rb", closefd=False) as file:
            fingerprint = hashlib.file_digest(file, "sha256").hexdigest()
            changed = _state(os.fstat(descriptor)) != _state(before)
        return Contents(fingerprint, changed or not free)
    finally:
        os.close(descriptor)


def being_written(path: Path) -> bool:
    """Whether a program on this machine has the file open for writing, as far as can be told."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return False
    try:
        with _leased(descriptor) as free:
            return not free
    finally:
        os.close(descriptor)


def _state(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


if sys.platform == "linux":
    import fcntl

    @contextlib.contextmanager
    def _leased(descriptor: int) -> Iterator[bool]:
        """Hold a lease on an open file; whether nobody has it open for writing."""
        try:
            # Whoever opens the file meanwhile is told by a signal, which by default would end us.
            fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            yield error.errno != errno.EAGAIN or not _is_local(descriptor)
            return
        try:
            yield True
        finally:
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)

    def _is_local(descriptor: int) -> bool:
        """Whether a refused lease means a writer: NFS and SMB refuse one for reasons of theirs."""
        buffer = ctypes.create_string_buffer(_STATFS_BYTES)
        ctypes.CDLL(None).fstatfs(descriptor, buffer)
        return struct.unpack_from("@l", buffer)[0] & 0xFFFFFFFF in _LOCAL

else:  # pragma: no cover - other systems have no such lease

    @contextlib.contextmanager
    def _leased(descriptor: int) -> Iterator[bool]:
        yield True
