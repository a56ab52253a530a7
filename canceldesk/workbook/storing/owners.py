"""Who has the workbook open, as the files say that their programs keep beside it.

Excel calls its owner file `~$` and the workbook's name; LibreOffice `.~lock.NAME#`; WPS Office
`.~` and the name. Word, and WPS like it, leave out the first two letters of a name of eight or more
before the extension, and the first of seven; Excel does not (LibreOffice's
`svl/source/misc/msodocumentlockfile.cxx`), but such a name is understood too, unless another
workbook beside has exactly that name.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from canceldesk import clock

_NAME_BYTES: Final = 52
"""Office takes no longer name of a user."""
_WIDE_AT: Final = (55, 54)
"""Where the UTF-16 copy begins: in files of Excel and PowerPoint, in files of Word."""
_CUT_TWO_FROM: Final = 8
_LONG_AGO: Final = dt.timedelta(hours=12)
_ONE_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True)
class Owner:
    """A person who has the workbook open, and the file that says so."""

    name: str
    file: Path

    def sentence(self, path: Path) -> str:
        """What to do about it."""
        said = f"“{path.name}” is open on the screen of {self.name}."
        age = self._age()
        if age is None or age < _LONG_AGO:
            return f"{said} Ask them to save and close it; the row is added then."
        days = age // _ONE_DAY
        since = f"{days} days" if days > 1 else f"{age // dt.timedelta(hours=1)} hours"
        return (
            f"{said} That was noted {since} ago, so their program may have ended without "
            f"tidying up: if nobody has it open, delete the hidden file “{self.file.name}” in "
            f"{self.file.parent}; the row is added then."
        )

    def _age(self) -> dt.timedelta | None:
        try:
            written = self.file.stat().st_mtime
        except OSError:
            return None
        return clock.now() - dt.datetime.fromtimestamp(written, tz=dt.UTC)


def person_inside(path: Path) -> Owner | None:
    """Who has the workbook open; None when no program says that anyone has."""
    for file in _owner_files(path):
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            continue
        except OSError:
            return Owner("someone", file)
        read = _of_libreoffice if file.name.endswith("#") else _of_office
        return Owner(read(data) or "someone", file)
    return None


def _owner_files(path: Path) -> Iterator[Path]:
    """Those beside the workbook; where the folder may not be listed, those there could be."""
    whole = (f"~${path.name}", f".~lock.{path.name}#", f".~{path.name}")
    cut = _cut(path)
    try:
        there = {_folded(file.name): file.name for file in path.parent.iterdir()}
    except OSError:
        yield from map(path.with_name, whole)
        return
    spellings = list(whole)
    if cut and _folded(cut) not in there:
        spellings += [f"~${cut}", f".~{cut}"]
    for spelling in spellings:
        name = there.get(_folded(spelling))
        if name is not None:
            yield path.with_name(name)


def _cut(path: Path) -> str:
    length = len(path.stem)
    if length >= _CUT_TWO_FROM:
        return path.name[2:]
    return path.name[1:] if length == _CUT_TWO_FROM - 1 else ""


def _folded(name: str) -> str:
    """As shares see names: without regard to case and to how accents are composed."""
    return unicodedata.normalize("NFC", name).casefold()


def _of_office(data: bytes) -> str:
    """A length and the name in one byte a letter, then the same in UTF-16."""
    for at in _WIDE_AT:
        length = int.from_bytes(data[at : at + 2], "little")
        wide = data[at + 2 :][: length * 2].decode("utf-16-le", "ignore").strip("\0 ")
        if 0 < length <= _NAME_BYTES and wide:
            return wide
    narrow = data[1 : 1 + min(data[0], _NAME_BYTES)] if data else b""
    return narrow.decode("cp1252", "replace").strip("\0 ")


def _of_libreoffice(data: bytes) -> str:
    """`name,account,machine,time,profile;`."""
    name, account, *_rest = [*data.decode("utf-8", "replace").split(","), "", ""]
    return name.strip() or account.strip()
