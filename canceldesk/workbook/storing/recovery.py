"""Ending an exchange: the replaced file becomes a backup, or a person's save is put back.

The same code ends an exchange that just happened and one whose worker was killed. What a file is
follows from its name and its contents alone, see `settle`; call all of it with the lock held.
"""

from __future__ import annotations

import os
from pathlib import Path

from canceldesk.workbook.storing import backups, contents, exchange
from canceldesk.workbook.storing.companions import Exchange, unfinished


def finish(path: Path, number: int) -> None:
    """End what killed workers left, keeping `number` backups. Raises OSError."""
    for begun, file in list(unfinished(path)):
        if file == begun.new:
            file.unlink()
        elif os.path.lexists(file):
            settle(begun, file, number)
            _give_up(begun, file)
    backups.check_newest(path)


def needs_undoing(path: Path) -> bool:
    """Whether a killed worker may have left a person's save out of its place. Raises OSError."""
    return any(file != begun.new for begun, file in unfinished(path))


def undo(path: Path) -> None:
    """Put back what a killed worker took out of its place; versions to keep are left to `finish`.

    Raises OSError.
    """
    for begun, file in list(unfinished(path)):
        if file == begun.new or not os.path.lexists(file):
            continue
        settle(begun, file, number=None)


def settle(begun: Exchange, file: Path, number: int | None) -> bool:
    """Decide about `file`, one of `begun`'s; whether the workbook is replaced for good.

    - The desk's own new workbook: not exchanged, or put back. It is removed.
    - Nothing at the workbook's place, or the same file: it goes, or is, there.
    - What was read before: the exchange is good, it becomes one of `number` backups, or with None
      waits for that.
    - Anything else is what a person saved meanwhile, and it is never removed. If the desk's new
      workbook is in its place, they change places again; if a person has saved again since, the
      later save stays and the earlier one is set aside.

    Raises OSError.
    """
    found = contents.look(file)
    if found.surely(begun.after):
        file.unlink()
        return False
    if not os.path.lexists(begun.path):
        exchange.move(file, begun.path)
        return False
    if os.path.samestat(file.lstat(), begun.path.lstat()):
        file.unlink()
        return False
    if found.surely(begun.before):
        if number is not None:
            backups.keep(begun.path, file, begun.before, number)
        return True
    _put_back(begun, file)
    return False


def _put_back(begun: Exchange, theirs: Path) -> None:
    path = begun.path
    if not contents.look(path).surely(begun.after):
        backups.set_aside(path, theirs)
        return
    displaced = exchange.put_in_place(path, theirs, _other(begun, theirs))
    if contents.look(displaced).surely(begun.after):
        displaced.unlink()
        return
    earlier = exchange.put_in_place(path, displaced, _other(begun, displaced))
    backups.set_aside(path, earlier)


def _other(begun: Exchange, file: Path) -> Path:
    return begun.old if file == begun.swap else begun.swap


def _give_up(begun: Exchange, file: Path) -> None:
    """Remove a backup that no disk will take, for the coming save leaves a newer one."""
    if os.path.lexists(file) and contents.look(file).surely(begun.before):
        file.unlink()
