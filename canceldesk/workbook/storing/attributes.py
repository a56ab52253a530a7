"""Giving the new workbook what belongs to the old one besides its contents."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
from pathlib import Path

from canceldesk.workbook.errors import CannotSave


def take_over(path: Path, new: Path) -> None:
    """Give `new` the owner, group, mode, access lists and attributes of `path`, but its own time.

    Where the system does not let the desk give the file to its owner, the file becomes the desk's,
    if its owner can go on working with it through the group or as anyone; else `CannotSave`.
    """
    before, own = path.stat(), new.stat()
    if sys.platform != "win32":  # pragma: no branch
        _give_away(path, new, before, own)
        _drop_other_attributes(path, new)
    shutil.copystat(path, new)
    os.utime(new, ns=(own.st_atime_ns, own.st_mtime_ns))


def _give_away(path: Path, new: Path, before: os.stat_result, own: os.stat_result) -> None:
    if before.st_gid != own.st_gid:
        with contextlib.suppress(PermissionError):
            os.chown(new, -1, before.st_gid)
    if before.st_uid == own.st_uid:
        return
    try:
        os.chown(new, before.st_uid, -1)
    except PermissionError as error:
        if not _owner_keeps_access(before, new.stat()):
            raise CannotSave(
                f"“{path.name}” belongs to {_name_of(before.st_uid)}, who could not open it any "
                "more after the desk had saved it. Let the group that both belong to read and "
                "write the workbook, or run the desk under that account. Nothing was written."
            ) from error


def _owner_keeps_access(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether who owned the file can do as much with it as before without owning it."""
    needed = stat.S_IMODE(before.st_mode) >> 6 & 0o6
    as_anyone = before.st_mode & 0o6
    as_group = before.st_mode >> 3 & 0o6 if before.st_gid == after.st_gid else 0
    return needed & ~(as_anyone | as_group) == 0


def _name_of(user: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def _drop_other_attributes(path: Path, new: Path) -> None:
    """Take off what the folder gave the new file and the old one does not have."""
    if not hasattr(os, "listxattr"):  # pragma: no cover - macOS
        return
    with contextlib.suppress(OSError):
        for name in set(os.listxattr(new)) - set(os.listxattr(path)):
            os.removexattr(new, name)
