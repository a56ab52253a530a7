"""Files that are whole or not there, readable by the desk's own user alone."""

from __future__ import annotations

import datetime as dt
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from canceldesk import clock
from canceldesk.backup.errors import CannotError

STAMP: Final = "%Y-%m-%dT%H%M%SZ"
_UNFINISHED: Final = ".canceldesk-backup-"
_RUBBISH_AFTER: Final = 24 * 60 * 60


def stamp(at: dt.datetime) -> str:
    """A moment as part of a file's name; names sort as the moments do."""
    return at.astimezone(dt.UTC).strftime(STAMP)


def make_folder(folder: Path) -> None:
    """See to it that the folder is there; a new one is for the desk's user alone."""
    with _told(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A folder inside `folder` for half-made things. What killed ones left there for a day goes.

    Raises CannotError when nothing can be written there.
    """
    _sweep(folder)
    mine = folder / f"{_UNFINISHED}{secrets.token_hex(6)}"
    with _told(folder):
        mine.mkdir(mode=0o700)
    try:
        yield mine
    finally:
        shutil.rmtree(mine, ignore_errors=True)


def _sweep(folder: Path) -> None:
    oldest = time.time() - _RUBBISH_AFTER
    for left in folder.glob(f"{_UNFINISHED}*"):
        with suppress(OSError):
            if left.stat().st_mtime < oldest:
                shutil.rmtree(left)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A new file of mode 0600, on the disk itself when the block ends."""
    with _told(path), open(path, "xb", opener=_for_us_only) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _for_us_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def name(file: Path, target: Path) -> Path:
    """Give a finished file its name, or one with a number where that is taken; the name given."""
    given, number = target, 1
    with _told(target):
        while not _is_named(file, given):
            number += 1
            given = target.with_name(f"{target.stem}-{number}{target.suffix}")
        force_folder(given.parent)
    return given


def _is_named(file: Path, given: Path) -> bool:
    """Give a file a name unless another has it, even one that another machine gives at that very
    moment; whether it was free.
    """
    try:
        os.link(file, given)
    except FileExistsError:
        return False
    except OSError:  # some shares and some disks know no second name
        return _is_named_in_two_steps(file, given)
    file.unlink()
    return True


def _is_named_in_two_steps(file: Path, given: Path) -> bool:
    try:
        os.close(_for_us_only(str(given), os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    try:
        file.replace(given)
    except OSError:
        given.unlink()
        raise
    return True


def put(path: Path, content: bytes) -> None:
    """Put content at `path`, replacing what is there, whole at every moment."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with _told(path):
        with new_file(beside) as file:
            file.write(content)
        beside.replace(path)
        force_folder(path.parent)


def force_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    if sys.platform == "win32":  # pragma: no cover - a folder cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some shares cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise CannotError(
            f"{path} cannot be written: {problem.strerror or problem}. Nothing was lost; make "
            "room or give the desk the right to write there, and try again."
        ) from problem


def keep_aside(path: Path, content: bytes) -> Path:
    """Keep what was at `path` beside it, under a name that says when; the file."""
    aside = path.with_name(f"{path.name}.before-restore-{stamp(clock.now())}")
    put(aside, content)
    return aside
