"""What a disk or a share answers when it refuses, in words."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

from canceldesk.workbook.errors import CannotRead, CannotSave, InUse, ListError, NoWorkbook

_SHARING_VIOLATIONS: Final = frozenset({32, 33})
"""Windows' error numbers for a file, or a part of it, that another program holds."""
_HELD: Final = frozenset({errno.EBUSY, errno.ETXTBSY})
"""How Linux passes on a file server's sharing violation."""
_GIVE_PERMISSION: Final = "the desk may not write in its folder. Give it permission"
_CONNECT: Final = "its folder is gone. Check that the shared folder is connected"
_WHY: Final = {
    errno.ENOSPC: "the disk is full. Make room on it",
    errno.EDQUOT: "the space allowed there is used up. Make room",
    errno.EFBIG: "the disk takes no file of that size. Move the workbook to another one",
    errno.EROFS: "the disk is read-only. Ask whoever looks after it",
    errno.EACCES: _GIVE_PERMISSION,
    errno.EPERM: _GIVE_PERMISSION,
    errno.ENOENT: _CONNECT,
    errno.ENOTDIR: _CONNECT,
    errno.ESTALE: _CONNECT,
    errno.ENOTCONN: _CONNECT,
    errno.ENODEV: _CONNECT,
    errno.EHOSTDOWN: _CONNECT,
    errno.EHOSTUNREACH: _CONNECT,
    errno.ETIMEDOUT: "its shared folder does not answer. Check that it is connected",
    errno.ENAMETOOLONG: "its path is too long for this disk. Give it a shorter name",
    errno.EMFILE: "too many files are open on this machine. Start the desk again",
    errno.EIO: "of an error of the disk. Ask whoever looks after it before going on",
}


def cannot_save(path: Path, error: OSError) -> ListError:
    """What to raise for `error` while nothing was replaced yet."""
    return _held(path, error) or CannotSave(
        f"“{path.name}” could not be saved because {why(error)}; the workbook is as it was before."
    )


def cannot_make(path: Path, error: OSError) -> CannotSave:
    """What to raise for `error` while making a workbook where there was none."""
    return CannotSave(f"“{path.name}” could not be made in {path.parent} because {why(error)}.")


def cannot_read(path: Path, error: OSError) -> ListError:
    """What to raise for `error` while reading."""
    if isinstance(error, FileNotFoundError):
        return _missing(path)
    if isinstance(error, IsADirectoryError):
        return CannotRead(
            f"{path} is a folder, not a workbook. Set the path of the workbook itself."
        )
    return _held(path, error) or CannotRead(
        f"“{path.name}” could not be read ({error.strerror}). Check that the desk may read it "
        "and that the shared folder is connected."
    )


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


def why(error: OSError) -> str:
    """The reason and what to do, to follow “because”."""
    return _WHY.get(
        error.errno or 0, f"of an error of the disk ({error.strerror}). Check the folder"
    )


def _held(path: Path, error: OSError) -> InUse | None:
    if getattr(error, "winerror", None) in _SHARING_VIOLATIONS or error.errno in _HELD:
        return in_use(path)
    return None


def in_use(path: Path) -> InUse:
    """What to raise when a program has the workbook open that does not say for whom."""
    return InUse(
        f"“{path.name}” is open in another program. Ask whoever has it open to save and close "
        "it; it will be tried again.",
        by="someone",
    )
