"""What belongs to the desk beside its database: the workbook and the secret key."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from canceldesk.backup import files
from canceldesk.configuration import reading
from canceldesk.configuration import services as configuration
from canceldesk.configuration.reading import BadSettingError
from canceldesk.workbook.errors import ListError
from canceldesk.workbook.graph import links
from canceldesk.workbook.storing import saving

WORKBOOK: Final = "workbook"
SECRET_KEY: Final = "secret-key"  # noqa: S105 - a file's name
_TIMES_READ: Final = 5


@dataclass(frozen=True)
class Workbook:
    """The workbook as it was read. Without `content`, `why` says why; `is_missed` when it should
    have been there.
    """

    content: bytes | None = None
    why: str = ""
    is_missed: bool = False


def secret_key_file() -> Path:
    """Where the desk keeps the secret key that it made itself."""
    return Path(settings.DATA) / SECRET_KEY


def is_key_given() -> bool:
    """Whether the secret key comes from the settings, so that the file counts for nothing."""
    return bool(reading.text("SECRET_KEY"))


def workbook_path() -> Path | None:
    """The workbook's file; None when none is set, or it is in the cloud."""
    path = configuration.text("WORKBOOK_PATH")
    return Path(path) if path and not links.is_link(path) else None


def read_workbook(*, sleep: Callable[[float], None] = time.sleep) -> Workbook:
    """The workbook, whole: what a program is just saving is read again a second later."""
    try:
        if not configuration.text("WORKBOOK_PATH"):
            return Workbook(why="None is set up.")
        path = workbook_path()
    except BadSettingError as problem:
        return Workbook(why=str(problem), is_missed=True)
    if path is None:
        return Workbook(why="It is in OneDrive or SharePoint, which keeps its own versions.")
    try:
        for tries_left in reversed(range(_TIMES_READ)):
            content = saving.read(path)
            if is_whole(content):
                return Workbook(content)
            if tries_left:
                sleep(1.0)
    except ListError as problem:
        return Workbook(why=str(problem), is_missed=True)
    return Workbook(why=f"“{path.name}” is damaged, or was being saved.", is_missed=True)


def is_whole(content: bytes) -> bool:
    """Whether this is a workbook file with nothing cut off."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            return opened.testzip() is None
    except Exception:  # whatever the zip module makes of half a file
        return False


def put_key_back(key: bytes) -> bool:
    """Put a secret key in its file; one that differs is kept beside it. Whether it changed."""
    file = secret_key_file()
    if file.exists():
        present = file.read_bytes()
        if present == key:
            return False
        files.keep_aside(file, present)
    files.put(file, key)
    return True
