"""The last versions of the workbook, kept in a hidden folder beside it.

A version becomes a backup by changing its name only: the very file that was replaced moves into
the folder, which therefore is beside the workbook, on the same file system. One folder for each
workbook keeps them out of the way of people and of programs that open whole folders; programs that
synchronise folders see one file moved. The names sort by age and say when the version was replaced
and what its fingerprint began with: `clients-0007-2026-11-23T140509Z-3f2a9c1b7d4e5f60.xlsx`.
To go back to one, copy it over the workbook.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from canceldesk import clock
from canceldesk.workbook.storing import contents, exchange
from canceldesk.workbook.storing.companions import companion, shortened

_NAME: Final = re.compile(r".*-(\d{4,})-\d{4}-\d\d-\d\dT\d{6}Z-([0-9a-f]{16})(?:\.[^.]*)?")
_WHEN: Final = "%Y-%m-%dT%H%M%SZ"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Backup:
    """One kept version; a higher `number` is a newer one."""

    file: Path
    number: int
    fingerprint: str


def folder_of(path: Path) -> Path:
    """Where the backups of the workbook at `path` are."""
    return companion(path, "backups")


def kept(path: Path) -> list[Backup]:
    """The backups of the workbook at `path`, the oldest first."""
    folder = folder_of(path)
    try:
        names = [file.name for file in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = [(name, _NAME.fullmatch(name)) for name in names]
    backups = [Backup(folder / name, int(match[1]), match[2]) for name, match in found if match]
    return sorted(backups, key=lambda backup: backup.number)


def keep(path: Path, replaced: Path, fingerprint: str, number: int) -> bool:
    """Make the file `replaced` the newest of `number` backups; whether that could be done.

    `fingerprint` is what `replaced` holds, shortened. With no backups wanted it is removed. A disk
    that refuses leaves it where it is and does not raise.
    """
    try:
        if number == 0:
            replaced.unlink()
        else:
            _add(path, replaced, fingerprint)
        drop_oldest(path, number)
    except (OSError, exchange.Overtaken) as error:
        logger.warning("No backup of %s could be kept: %s", path, error)
        return not os.path.lexists(replaced)
    return True


def drop_oldest(path: Path, number: int) -> None:
    """Remove all but the newest `number`; never one that somebody wrote to. Raises OSError."""
    there = kept(path)
    for backup in there[: max(0, len(there) - number)]:
        if contents.look(backup.file).surely(backup.fingerprint):
            backup.file.unlink()
        else:
            set_aside(path, backup.file)


def check_newest(path: Path) -> None:
    """Set the newest backup aside when somebody's program wrote to it after it was replaced.

    A program that had opened the workbook before the exchange may write to what it opened, which
    is the backup by then: that is a person's edit, and the only copy of it. What a disk refuses is
    left for the next time.
    """
    try:
        for backup in kept(path)[-1:]:
            found = contents.look(backup.file)
            if not found.being_written and not found.surely(backup.fingerprint):
                set_aside(path, backup.file)
    except OSError as error:
        logger.warning("The newest backup of %s could not be looked at: %s", path, error)


def set_aside(path: Path, file: Path) -> Path:
    """Put `file`, which holds a person's edit, where people see it, beside the workbook.

    Raises OSError.
    """
    moment = clock.now().strftime(_WHEN)
    stem, suffix = shortened(path.stem), path.suffix
    for attempt in range(1, 1000):
        more = f" {attempt}" if attempt > 1 else ""
        target = path.with_name(f"{stem} (set aside {moment}{more}){suffix}")
        with contextlib.suppress(exchange.Overtaken):
            exchange.move(file, target)
            logger.warning("An edit of %s was set aside as “%s”", path, target.name)
            return target
    raise FileExistsError(f"No free name beside {path}")


def _add(path: Path, replaced: Path, fingerprint: str) -> None:
    folder = folder_of(path)
    _make(folder)
    there = kept(path)
    number = there[-1].number + 1 if there else 1
    moment = clock.now().strftime(_WHEN)
    name = f"{shortened(path.stem)}-{number:04}-{moment}-{fingerprint}{path.suffix}"
    exchange.move(replaced, folder / name)


def _make(folder: Path) -> None:
    """The folder, open to whom the workbook's own folder is open."""
    try:
        folder.mkdir()
    except FileExistsError:
        return
    above = folder.parent.stat()
    with contextlib.suppress(OSError, AttributeError):
        os.chown(folder, above.st_uid, above.st_gid)
    with contextlib.suppress(OSError):
        folder.chmod(stat.S_IMODE(above.st_mode))
