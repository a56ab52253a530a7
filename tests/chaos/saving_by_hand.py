"""How people's programs save a workbook, each as politely as its real model, or a little more.

All of them refuse to save over a file that is not the one they opened, so nothing of the desk's
can be lost by them; what they cannot know is what the desk is doing at that moment.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

_OWNER = "Rosa Example"
_NARROW, _WHOLE = 54, 165
_AT_FDCWD = -100
_EXCHANGE = 2
_PIECES = 4


class Way(StrEnum):
    """A way to save."""

    EXCEL = "excel"
    LIBREOFFICE = "libreoffice"
    SYNC = "sync client"
    SCRIPT = "script"


class Changed(Exception):
    """The workbook is not the one that was opened; nothing was saved."""


class Crossed(Changed):
    """As above, but whoever saved in between may have built on what was there for a moment."""


def fingerprint(data: bytes) -> str:
    """What tells two versions of a file apart."""
    return hashlib.sha256(data).hexdigest()


def owner_file(path: Path) -> Path:
    """The hidden file by which Excel says who has a workbook open."""
    return path.with_name(f"~${path.name}")


@contextmanager
def on_screen(path: Path, way: Way) -> Iterator[None]:
    """Have the workbook open, as far as a program lets others know."""
    match way:
        case Way.EXCEL:
            said, words = owner_file(path), _office_owner()
        case Way.LIBREOFFICE:
            said = path.with_name(f".~lock.{path.name}#")
            words = f",{_OWNER},machine,27.11.2026 10:00,file:///tmp;".encode()
        case _:
            yield
            return
    said.write_bytes(words)
    try:
        yield
    finally:
        said.unlink(missing_ok=True)


def leave_owner_file(path: Path) -> Path:
    """What a program leaves behind that ended without tidying up."""
    said = owner_file(path)
    said.write_bytes(_office_owner())
    return said


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file itself open for writing, with a lock, as some programs do."""
    with path.open("r+b") as file:
        with contextlib.suppress(OSError):
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def save(path: Path, way: Way, opened: str, data: bytes) -> None:
    """Save over the version with the fingerprint `opened`. Raises Changed, OSError."""
    ways: dict[Way, Callable[[Path, str, bytes], None]] = {
        Way.EXCEL: _by_renaming,
        Way.LIBREOFFICE: _in_place,
        Way.SYNC: _by_exchanging,
        Way.SCRIPT: _in_place,
    }
    ways[way](path, opened, data)


def _by_renaming(path: Path, opened: str, data: bytes) -> None:
    """Excel writes a new file, takes the old one away, gives the new one its name and removes the
    old. For a moment there is no file.
    """
    new, old = path.with_name("4F2A1B00"), path.with_name("7C3D9E10.tmp")
    new.write_bytes(data)
    try:
        path.rename(old)
    except FileNotFoundError:
        new.unlink()
        raise Changed from None
    if fingerprint(old.read_bytes()) != opened:
        _name_unless_there(old, path)
        new.unlink()
        raise Changed
    _name_unless_there(new, path)
    old.unlink()


def _name_unless_there(file: Path, path: Path) -> None:
    os.link(file, path)  # unlike rename, never over what somebody put there meanwhile
    file.unlink()


def _by_exchanging(path: Path, opened: str, data: bytes) -> None:
    """A sync client swaps its download with what is there, and swaps back what it did not know."""
    mine = path.with_name(".sync-download")
    mine.write_bytes(data)
    _swap(mine, path)
    if fingerprint(mine.read_bytes()) != opened:
        _swap(mine, path)
        crossed = fingerprint(mine.read_bytes()) != fingerprint(data)
        if crossed:
            _swap(mine, path)  # somebody saved in between: theirs stays
        mine.unlink()
        raise Crossed if crossed else Changed
    mine.unlink()


def _swap(one: Path, other: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    if libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _EXCHANGE) != 0:
        raise OSError(ctypes.get_errno(), "cannot exchange", str(other))


def _in_place(path: Path, opened: str, data: bytes) -> None:
    """Write over the very file, piece by piece: whoever reads meanwhile reads neither version."""
    with path.open("r+b") as file:
        if fingerprint(file.read()) != opened or not _is_at(file.fileno(), path):
            raise Changed
        file.seek(0)
        size = len(data) // _PIECES + 1
        for start in range(0, len(data), size):
            file.write(data[start : start + size])
            file.flush()
            time.sleep(0.01)
        file.truncate()
        os.fsync(file.fileno())


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _office_owner() -> bytes:
    narrow = bytes([len(_OWNER)]) + _OWNER.encode("cp1252").ljust(_NARROW, b" ")
    wide = len(_OWNER).to_bytes(2, "little") + _OWNER.encode("utf-16-le")
    return (narrow + wide).ljust(_WHOLE, b" ")
