"""Reading and replacing the workbook's file so that it is whole, and nobody's edit lost, always."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from canceldesk.workbook.errors import CannotRead, CannotSave, InUse, ReadBackDiffers
from canceldesk.workbook.ooxml.package import LARGEST_FILE
from canceldesk.workbook.reading import fingerprint
from canceldesk.workbook.storing import contents, disk, exchange, locking, recovery
from canceldesk.workbook.storing.attributes import take_over
from canceldesk.workbook.storing.companions import Exchange, real, short
from canceldesk.workbook.storing.locking import Waiting

_ANYONE_MAY_WRITE: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_FOLDERS_CANNOT: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES})
"""How a share says that folders cannot be forced to the disk, or not by the desk."""


def read(path: Path) -> bytes:
    """The file's bytes; raises `CannotRead` (or `InUse` where the system says so).

    A person's save that a killed worker had taken out of its place is put back first.
    """
    try:
        path = real(path)
        _undo(path)
        if path.stat().st_size > LARGEST_FILE:
            raise CannotRead(
                f"“{path.name}” is larger than the desk will open ({LARGEST_FILE // 2**20} MB). "
                "Move the cancellation tab to a workbook of its own."
            )
        return path.read_bytes()
    except OSError as error:
        raise disk.cannot_read(path, error) from error


def replace(
    path: Path,
    data: bytes,
    *,
    before: str,
    check: Callable[[bytes], None],
    still_wanted: Callable[[], bool],
    backups: int,
) -> bool:
    """Put `data` in the place of the workbook at `path`; whether that was done.

    The new file is written beside the old one with its owner, mode and attributes, forced to the
    disk, read again and given to `check`, which raises if it is not as meant. As the very last
    thing `still_wanted` is asked; when it says no, nothing is done and the answer is False. Then
    the two change names in one step, and only then is decided, by looking at what came out: what
    was read (`before` is its fingerprint) becomes the newest of `backups` kept versions; anything
    else is what a person saved meanwhile, so it is put back and the answer is False. Call it with
    the lock held (`locking.held`). A link is followed. Another hard link to the workbook keeps the
    version it had, as after a save by Excel or LibreOffice.

    Raises `CannotSave` or `InUse` with the old file in place, `ReadBackDiffers` when the disk fails
    so late that nobody can tell.

    What remains: a program that opened the file before the exchange and writes to what it opened
    after it was looked at. On Linux it is seen while it has the file open (`contents.look`).
    Elsewhere, and for other users' files, its edit lands in the newest backup, where the next save
    finds and sets it aside; with no backups kept it is lost there.
    """
    path = real(path)
    begun = Exchange(path, short(before), short(fingerprint(data)))
    with contextlib.ExitStack() as unless_ready:
        try:
            locking.assure_held(path)
            recovery.finish(path, backups)
            _check_writable(path)
            unless_ready.callback(_remove, begun.new)
            _prepare(begun, data, check)
            unless_ready.callback(_remove, begun.swap)
            if not _still_as_read(path, before):
                return False
            locking.assure_held(path)
            if not still_wanted():
                return False
        except exchange.Overtaken:
            return False
        except FileNotFoundError as error:
            if path.parent.is_dir():
                return False
            raise disk.cannot_save(path, error) from error
        except OSError as error:
            raise disk.cannot_save(path, error) from error
        unless_ready.pop_all()
    return _exchange(begun, backups)


def create(path: Path, data: bytes) -> bool:
    """Put `data` at `path`, where nothing may be; whether that was done.

    It is whole at every moment and never replaces anything, also when two create it at once.
    Raises `CannotSave`.
    """
    begun = Exchange(path, secrets.token_hex(8), short(fingerprint(data)))
    try:
        with begun.new.open("xb") as file:
            file.write(data)
            file.flush()
            _force(file.fileno())
        exchange.move(begun.new, path)
    except exchange.Overtaken:
        return False
    except OSError as error:
        raise disk.cannot_make(path, error) from error
    finally:
        _remove(begun.new)
    _force_folder(path)
    return True


def _undo(path: Path) -> None:
    """Put right what a killed worker left, unless another one is at work or we may not."""
    try:
        if not recovery.needs_undoing(path):
            return
    except PermissionError:  # a folder that may not be listed
        return
    with contextlib.ExitStack() as lock:
        if not locking.is_held(path):
            try:
                lock.enter_context(locking.held(path, Waiting(0)))
            except (InUse, CannotSave):
                return
        with contextlib.suppress(exchange.Overtaken):
            recovery.undo(path)


def _check_writable(path: Path) -> None:
    mode = path.stat().st_mode
    if not mode & _ANYONE_MAY_WRITE or not os.access(path, os.W_OK):
        raise CannotSave(
            f"“{path.name}” is read-only for the desk. Take off its write protection, or give the "
            "desk permission to change it."
        )


def _prepare(begun: Exchange, data: bytes, check: Callable[[bytes], None]) -> None:
    """Write the new workbook and prove it, so that only its name is missing."""
    with open(begun.new, "xb", opener=_open_for_us_only) as file:
        file.write(data)
        file.flush()
        take_over(begun.path, begun.new)
        _force(file.fileno())
    check(begun.new.read_bytes())
    exchange.move(begun.new, begun.swap)


def _open_for_us_only(file: str, flags: int) -> int:
    return os.open(file, flags, 0o600)


def _still_as_read(path: Path, before: str) -> bool:
    found = contents.look(path)
    if found.being_written:
        raise disk.in_use(path)
    return found.surely(before)


def _exchange(begun: Exchange, backups: int) -> bool:
    exchanged = False
    try:
        replaced = exchange.put_in_place(begun.path, begun.swap, begun.old)
        exchanged = True
        stands = recovery.settle(begun, replaced, backups)
    except (exchange.Overtaken, OSError) as error:
        stands = _end_after_all(begun, backups, error, exchanged)
    _force_folder(begun.path)
    return stands


def _end_after_all(begun: Exchange, backups: int, problem: Exception, exchanged: bool) -> bool:
    """Find out how an exchange ended that was interrupted by `problem`."""
    try:
        recovery.finish(begun.path, backups)
        found = contents.look(begun.path)
    except (exchange.Overtaken, OSError) as error:
        raise _nobody_knows(begun.path, problem) from error
    if found.surely(begun.after):
        return True
    if isinstance(problem, FileNotFoundError) or not isinstance(problem, OSError):
        return False
    if exchanged:
        raise _nobody_knows(begun.path, problem) from problem
    raise disk.cannot_save(begun.path, problem) from problem


def _nobody_knows(path: Path, problem: Exception) -> ReadBackDiffers:
    reason = disk.why(problem) if isinstance(problem, OSError) else "others saved at that moment"
    return ReadBackDiffers(
        f"“{path.name}” was being put in place when it could not go on, because {reason}. Nothing "
        "of anybody's is lost, but whether the row is there is not known until the list is read."
    )


def _remove(*files: Path) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _force(descriptor: int) -> None:
    """Bring a file to the disk itself, and forget it, so that the next reading comes from there."""
    if sys.platform == "darwin":  # pragma: no cover - fsync(2) stops at the drive's own memory
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    os.fsync(descriptor)
    if sys.platform == "linux":  # pragma: no branch
        with contextlib.suppress(OSError):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _force_folder(path: Path) -> None:
    if sys.platform == "win32":  # pragma: no cover - a folder cannot be opened there
        return
    try:
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _FOLDERS_CANNOT:
            raise _nobody_knows(path, error) from error
