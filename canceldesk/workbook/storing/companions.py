"""The files the desk keeps beside the workbook: what they are called.

All begin with a dot, so that people's folders and Samba (“hide dot files”) do not show them.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LONGEST_NAME: Final = 70
"""In bytes. Some encrypted and network file systems take names of no more than 143 bytes."""
_FINGERPRINT_KEPT: Final = 16
_STAGES: Final = ("new", "swap", "old")


def short(fingerprint: str) -> str:
    """So much of a fingerprint as stands in the name of a file."""
    return fingerprint[:_FINGERPRINT_KEPT]


def real(path: Path) -> Path:
    """Where the workbook itself is when `path` is a link; never raises."""
    return Path(os.path.realpath(path))


def shortened(name: str) -> str:
    """`name`, or where it is long its beginning and something that tells it from others."""
    whole = os.fsencode(name)
    if len(whole) <= _LONGEST_NAME:
        return name
    beginning = whole[: _LONGEST_NAME - 9].decode("utf-8", "ignore")
    return f"{beginning}~{hashlib.sha256(whole).hexdigest()[:8]}"


def companion(path: Path, purpose: str) -> Path:
    """The file or folder that serves `purpose` beside the workbook at `path`."""
    return path.with_name(f".{shortened(path.name)}.canceldesk-{purpose}")


@dataclass(frozen=True)
class Exchange:
    """One replacement of the workbook at `path`, told by the names of the files it uses.

    `before` is the (shortened) fingerprint of the file that was read, `after` that of the new one.
    Whoever finds such a file knows from its name what it was for and what it must hold.
    """

    path: Path
    before: str
    after: str

    @property
    def new(self) -> Path:
        """The new workbook while it is being written: never anything but the desk's own."""
        return self._named("new")

    @property
    def swap(self) -> Path:
        """The new workbook once it is whole; after the exchange, what was in its place."""
        return self._named("swap")

    @property
    def old(self) -> Path:
        """What was replaced, where the file system cannot exchange."""
        return self._named("old")

    def _named(self, stage: str) -> Path:
        return companion(self.path, f"{self.before}-{self.after}.{stage}")


def unfinished(path: Path) -> Iterator[tuple[Exchange, Path]]:
    """The files of exchanges that were begun on the workbook at `path`, in the order of work."""
    pattern = re.compile(
        re.escape(companion(path, "").name) + r"([0-9a-f]{16})-([0-9a-f]{16})\.(new|swap|old)"
    )
    matches = [pattern.fullmatch(file.name) for file in path.parent.iterdir()]
    found = [match for match in matches if match is not None]
    for match in sorted(found, key=lambda match: _STAGES.index(match[3])):
        yield Exchange(path, match[1], match[2]), path.with_name(match[0])
