"""The one file a backup is: a zip with a manifest that knows every other member's content."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Final

from pydantic import ValidationError

from canceldesk.backup import manifest as manifests
from canceldesk.backup.errors import CannotError, DamagedError
from canceldesk.backup.manifest import Manifest, Member

_CHUNK: Final = 1 << 20
_LARGEST_MANIFEST: Final = 1 << 20
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    ValidationError,
    NotImplementedError,
    RuntimeError,
)
"""What the zip module raises for a file that is cut short, altered, encrypted or no zip at all."""


def pack(
    into: BinaryIO, parts: Mapping[str, Path], about: Callable[[tuple[Member, ...]], Manifest]
) -> Manifest:
    """Write the files `parts` (by their names in the backup) and, last, the manifest that `about`
    makes of them.
    """
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        members = []
        for name, path in parts.items():
            with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
                members.append(_copied(source, target.write, name))
        told = about(tuple(members))
        archive.writestr(manifests.NAME, told.model_dump_json(indent=2))
    return told


def read_manifest(file: Path) -> Manifest:
    """What a backup says of itself, unproven. Raises CannotError, DamagedError."""
    with _opened(file) as archive:
        return _manifest(archive)


def verify(file: Path) -> Manifest:
    """Read the whole backup and compare it with its manifest. Raises CannotError, DamagedError."""
    with _opened(file) as archive:
        told = _manifest(archive)
        names = sorted(archive.namelist())
        if names != sorted([manifests.NAME, *(member.name for member in told.members)]):
            raise _damaged(file, "it does not hold what its manifest says")
        for member in told.members:
            with archive.open(member.name) as source:
                _compare(file, _copied(source, len, member.name), member)
    return told


def unpack(file: Path, member: Member, target: BinaryIO) -> None:
    """Write one member out, compared on the way. Raises CannotError, DamagedError."""
    with _opened(file) as archive, archive.open(member.name) as source:
        _compare(file, _copied(source, target.write, member.name), member)


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except _BROKEN as problem:
        raise _damaged(file, "it is cut short, altered, or no backup at all") from problem
    except OSError as problem:
        raise CannotError(
            f"{file} cannot be read: {problem.strerror or problem}. Check the path."
        ) from problem


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    with archive.open(manifests.NAME) as source:
        return Manifest.model_validate_json(source.read(_LARGEST_MANIFEST))


def _copied(source: IO[bytes], write: Callable[[bytes], object], name: str) -> Member:
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        write(chunk)
    return Member(name=name, sha256=digest.hexdigest(), size=size)


def _compare(file: Path, found: Member, told: Member) -> None:
    if found != told:
        raise _damaged(file, f"{told.name} in it is not what was put in")


def _damaged(file: Path, why: str) -> DamagedError:
    return DamagedError(f"{file.name} is not a whole backup of the desk: {why}. Take another one.")
