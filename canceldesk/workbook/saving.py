"""Reading and replacing the workbook's file so that it is whole at every moment."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from canceldesk.workbook.errors import CannotRead, CannotSave, InUse, NoWorkbook
from canceldesk.workbook.package import LARGEST_FILE
from canceldesk.workbook.reading import fingerprint

_SHARING_VIOLATION: Final = 32
"""Windows' error number for a file that another program holds open."""
_ANYONE_MAY_WRITE: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def read(path: Path) -> bytes:
    """The file's bytes; raises `CannotRead` (or `InUse` where Windows says so)."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise CannotRead(
                f"“{path.name}” is larger than the desk will open ({LARGEST_FILE // 2**20} MB). "
                "Move the cancellation tab to a workbook of its own."
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise _missing(path) from error
    except IsADirectoryError as error:
        raise CannotRead(
            f"{path} is a folder, not a workbook. Set the path of the workbook itself."
        ) from error
    except OSError as error:
        _raise_if_held(path, error)
        raise CannotRead(
            f"“{path.name}” could not be read ({error.strerror}). Check that the desk may read it "
            "and that the shared folder is connected."
        ) from error


def _missing(path: Path) -> CannotRead:
    if not path.parent.is_dir():
        return CannotRead(
            f"There is no workbook at {path}, nor a folder {path.parent}. Check the path, and that "
            "the shared folder is connected."
        )
    return NoWorkbook(
        f"There is no workbook at {path}. Check the path, and that the shared folder is connected; "
        "if there has never been one, have it made (`canceldesk list create`, or Settings → "
        "Workbook)."
    )


def replace(
    path: Path, data: bytes, *, before: str, check: Callable[[bytes], None], backups: int
) -> bool:
    """Put `data` in the place of the file at `path`; whether that was done.

    The new file is written beside the old one, forced to the disk, read again and given to
    `check`, which raises if it is not as meant. Just before the old file is replaced its
    fingerprint must be `before` still; if not, nothing is replaced. Mode, owner
    and attributes stay. Raises `CannotSave` with the old file untouched.
    """
    _check_writable(path)
    _sweep(path)
    temporary = _beside(path)
    try:
        _write(temporary, data)
        check(temporary.read_bytes())
        _take_over(path, temporary)
        if fingerprint(read(path)) != before:
            return False
        temporary.replace(path)
        _force_folder(path.parent)
    except OSError as error:
        _raise_if_held(path, error)
        raise CannotSave(_sentence(path, error)) from error
    finally:
        temporary.unlink(missing_ok=True)
    return True


def create(path: Path, data: bytes) -> bool:
    """Put `data` at `path`, where nothing may be; whether that was done.

    It is whole at every moment and never replaces anything, also when two create it at once.
    Raises `CannotSave`.
    """
    temporary = _beside(path)
    try:
        _write(temporary, data)
        _take_free_place(temporary, path)
        _force_folder(path.parent)
    except FileExistsError:
        return False
    except OSError as error:
        raise CannotSave(_sentence_of_new(path, error)) from error
    finally:
        with contextlib.suppress(OSError):  # gone already, or its name was too long to be made
            temporary.unlink()
    return True


def _take_free_place(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        # A disk without hard links: the name is taken first, so that what is replaced is our own.
        path.open("xb").close()
        try:
            temporary.replace(path)
        except OSError:
            path.unlink()
            raise


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.canceldesk-{secrets.token_hex(6)}.tmp")


def _check_writable(path: Path) -> None:
    mode = path.stat().st_mode
    if not mode & _ANYONE_MAY_WRITE or not os.access(path, os.W_OK):
        raise CannotSave(
            f"“{path.name}” is read-only for the desk. Take off its write protection, or give the "
            "desk permission to change it."
        )


def _sweep(path: Path) -> None:
    """Remove what a killed worker left; only called while holding the lock."""
    for leftover in path.parent.iterdir():
        name = leftover.name
        if name.startswith(f".{path.name}.canceldesk-") and name.endswith(".tmp"):
            leftover.unlink(missing_ok=True)


def _write(temporary: Path, data: bytes) -> None:
    with temporary.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _take_over(path: Path, temporary: Path) -> None:
    """Give the new file the old one's mode, owner and attributes, but its own time."""
    before = path.stat()
    own = temporary.stat()
    shutil.copystat(path, temporary)
    os.utime(temporary, ns=(own.st_atime_ns, own.st_mtime_ns))
    if sys.platform != "win32" and (before.st_uid, before.st_gid) != (own.st_uid, own.st_gid):
        # Only the administrator may give files away; anyone else's new file is their own.
        with contextlib.suppress(PermissionError):
            os.chown(temporary, before.st_uid, before.st_gid)


def _force_folder(folder: Path) -> None:
    if sys.platform == "win32":  # pragma: no cover - a folder cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _raise_if_held(path: Path, error: OSError) -> None:
    if getattr(error, "winerror", None) == _SHARING_VIOLATION:
        raise InUse(
            f"“{path.name}” is open in another program. Ask whoever has it open to save and close "
            "it; it will be tried again.",
            by="someone",
        ) from error


def _sentence(path: Path, error: OSError) -> str:
    why = _why(error)
    return f"“{path.name}” could not be saved because {why}; the workbook is as it was before."


def _sentence_of_new(path: Path, error: OSError) -> str:
    return f"“{path.name}” could not be made in {path.parent} because {_why(error)}."


def _why(error: OSError) -> str:
    return {
        errno.ENOSPC: "the disk is full. Make room on it",
        errno.EDQUOT: "the space allowed there is used up. Make room",
        errno.EROFS: "the disk is read-only. Ask whoever looks after it",
        errno.EACCES: "the desk may not write in its folder. Give it permission",
        errno.EPERM: "the desk may not write in its folder. Give it permission",
        errno.ENOENT: "its folder is gone. Check that the shared folder is connected",
    }.get(error.errno or 0, f"of an error of the disk ({error.strerror}). Check the folder")
