"""Putting a file in the place of another without losing either, as each system can."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_EXCHANGE: Final = 2
"""RENAME_EXCHANGE of renameat2(2) and RENAME_SWAP of macOS' renamex_np(2)."""
_NO_REPLACE: Final = 1 if sys.platform == "linux" else 4
"""RENAME_NOREPLACE of renameat2(2), RENAME_EXCL of renamex_np(2)."""
_AT_FDCWD: Final = -100
_CANNOT: Final = frozenset(
    {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM, errno.EMLINK}
)
"""How a file system says that it has no such operation."""


class Overtaken(Exception):
    """A person saved in the very moment of the exchange; theirs is in place."""


def put_in_place(path: Path, new: Path, old: Path) -> Path:
    """Give the name `path` to the file `new`; where the file is that had it: `new` or `old`.

    Where the file system can, both change names in one step. Elsewhere the replaced file is first
    kept as `old` by a second name, so that there is a workbook at every moment; a save by renaming
    that falls between this program's last two calls would be lost there, which is why the two are
    next to each other. Where there are no second names either, `path` is empty for a moment.
    Raises `Overtaken` with nothing put in place, or OSError.
    """
    if sys.platform == "win32":  # pragma: no cover - ReplaceFileW keeps the old file by itself
        _replace_file(path, new, old)
        return old
    if _rename(new, path, _EXCHANGE):
        return new
    try:
        os.link(path, old, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        path.rename(old)
        move(new, path)
        return old
    if not os.path.samestat(path.lstat(), old.lstat()):
        raise Overtaken
    new.replace(path)
    return old


def move(source: Path, target: Path) -> None:
    """Rename without replacing anything; raises `Overtaken` where `target` exists."""
    try:
        if sys.platform == "win32":  # pragma: no cover - never replaces there
            source.rename(target)
            return
        if _rename(source, target, _NO_REPLACE):
            return
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            if os.path.lexists(target):
                raise Overtaken from error
            source.rename(target)
        else:
            source.unlink()
    except FileExistsError as error:
        raise Overtaken from error


def _rename(source: Path, target: Path, flag: int) -> bool:
    """Rename with a flag; whether system and file system know it. Raises OSError."""
    if sys.platform == "linux":
        call = _function("renameat2")
        places: tuple[Any, ...] = (
            _AT_FDCWD,
            os.fsencode(source),
            _AT_FDCWD,
            os.fsencode(target),
        )
    else:  # pragma: no cover - macOS
        call = _function("renamex_np")
        places = (os.fsencode(source), os.fsencode(target))
    if call is None:
        return False
    if call(*places, flag) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT - {errno.EPERM}:
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(target))


def _function(name: str) -> Callable[..., int] | None:
    return getattr(ctypes.CDLL(None, use_errno=True), name, None)


def _replace_file(path: Path, new: Path, old: Path) -> None:  # pragma: no cover - Windows
    """ReplaceFileW keeps the access rights and streams of the replaced file for the new one."""
    library: Any = ctypes
    kernel = library.WinDLL("kernel32", use_last_error=True)
    if not kernel.ReplaceFileW(str(path), str(new), str(old), 0, None, None):
        raise library.WinError(library.get_last_error())
