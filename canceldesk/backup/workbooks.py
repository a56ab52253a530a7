"""Putting the workbook of a backup back, without losing the one that is there."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from canceldesk.backup import belongings, files
from canceldesk.configuration import services as configuration
from canceldesk.workbook.errors import ChangedMeanwhile, ListError, ReadBackDiffers
from canceldesk.workbook.reading import fingerprint
from canceldesk.workbook.storing import companions, locking, saving
from canceldesk.workbook.storing.locking import Waiting

_SECONDS_TO_WAIT = 10.0


def put_back(content: bytes, *, stamp: str) -> str:
    """Put `content` in the workbook's place and keep what was there beside it, under a name with
    `stamp`. Says what was done; where that cannot be, the content is kept in the data folder.
    """
    path = belongings.workbook_path()
    try:
        if path is not None:
            return _put_back(companions.real(path), content, stamp)
        why = "none is set up as a file"
    except ListError as problem:
        why = str(problem)
    kept = Path(settings.DATA) / f"workbook-of-backup-{stamp}.xlsx"
    files.put(kept, content)
    return f"The workbook was not put back: {why} The one of the backup is {kept}."


def _put_back(path: Path, content: bytes, stamp: str) -> str:
    if not path.exists() and saving.create(path, content):
        return f"The workbook {path} is there again, as it was in the backup."
    with locking.held(path, Waiting(_SECONDS_TO_WAIT)):
        locking.wait_until_closed(path, Waiting(_SECONDS_TO_WAIT))
        present = saving.read(path)
        if present == content:
            return f"The workbook {path} is as it was in the backup."
        aside = path.with_name(f"{path.stem} (before restore {stamp}){path.suffix}")
        saving.create(aside, present)
        if not saving.replace(
            path,
            content,
            before=fingerprint(present),
            check=lambda written: _compare(written, content),
            still_wanted=lambda: True,
            backups=configuration.whole("WORKBOOK_BACKUPS"),
        ):
            raise ChangedMeanwhile("Somebody saved the workbook at that very moment.")
    return f"The workbook {path} is as it was in the backup; the one that was there is “{aside}”."


def _compare(written: bytes, content: bytes) -> None:
    if written != content:
        raise ReadBackDiffers("What was written is not what was meant. Nothing was changed.")
