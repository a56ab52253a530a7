"""Dropping old backups, and nothing else that lies in their folder."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from canceldesk.backup import archive
from canceldesk.backup.errors import BackupError
from canceldesk.backup.making import PREFIX, SUFFIX, Made
from canceldesk.backup.manifest import Manifest

_NAME: Final = re.compile(
    rf"{re.escape(PREFIX)}\d{{4}}-\d\d-\d\dT\d{{6}}Z(-\d+)?{re.escape(SUFFIX)}"
)


def drop_older(made: Made, keep: int) -> list[Path]:
    """Delete all but the newest `keep` backups of the same desk beside the one just made; gives
    those deleted. Backups under names of people's own are left.

    One that says it was made later than the one just made was made by a clock that was wrong, or is
    it now: how old it is nobody knows, so it is left and not counted until its time has passed.
    """
    there = [
        (told.made_at, file)
        for file in made.file.parent.iterdir()
        if _NAME.fullmatch(file.name)
        and (told := _told(file)) is not None
        and told.counted.began_at == made.manifest.counted.began_at
        and told.made_at <= made.manifest.made_at
    ]
    dropped = []
    for _, file in sorted(there)[: max(0, len(there) - keep)]:
        if file != made.file:
            with suppress(OSError):
                file.unlink()
                dropped.append(file)
    return dropped


def _told(file: Path) -> Manifest | None:
    try:
        return archive.read_manifest(file)
    except BackupError:
        return None
