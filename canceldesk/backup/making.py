"""Making a backup: one file, whole, proven, or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path

from django.conf import settings

from canceldesk import clock
from canceldesk.backup import archive, belongings, databases, files
from canceldesk.backup.belongings import Workbook
from canceldesk.backup.errors import RefusedError
from canceldesk.backup.manifest import FORMAT, Counted, Manifest, Member

PREFIX = "canceldesk-"
SUFFIX = ".zip"
_KEY_IS_ELSEWHERE = "The secret key comes from the settings, so it is not in the backup."


@dataclass(frozen=True)
class Made:
    """A backup that was made and read back. `missed` says what should be in it and is not, or what
    of it could not be proven.
    """

    file: Path
    manifest: Manifest
    missed: str = ""


def default_folder() -> Path:
    """Where backups go when nobody says where."""
    return Path(settings.DATA) / "backups"


def make(target: Path | None = None) -> Made:
    """Back up the desk while it runs: into the folder `target`, or as the file `target` when that
    ends with .zip. Raises BackupError.
    """
    folder, name = _place(target)
    database = databases.of_the_desk()
    return pack(folder, name, copy=database.copy, read_workbook=belongings.read_workbook)


def pack(
    folder: Path,
    name: str,
    *,
    copy: Callable[[Path], Counted],
    read_workbook: Callable[[], Workbook],
) -> Made:
    """Make a backup of what `copy` copies of the desk's database and, then, of the workbook."""
    database = databases.of_the_desk()
    files.make_folder(folder)
    with files.scratch(folder) as scratch:
        made_at = clock.now()
        parts = {database.member: scratch / "database"}
        counted = copy(parts[database.member])
        # After the database: a row that is written in between is on the list of the backup and not
        # known to be, so it is found and taken over. The other way round it would be missed.
        workbook = read_workbook()
        left_out = []
        if workbook.content is None:
            left_out.append(f"The workbook is not in the backup: {workbook.why}")
        else:
            parts[belongings.WORKBOOK] = _kept(scratch, belongings.WORKBOOK, workbook.content)
        if belongings.is_key_given():
            left_out.append(_KEY_IS_ELSEWHERE)
        else:
            key = belongings.secret_key_file().read_bytes()
            parts[belongings.SECRET_KEY] = _kept(scratch, belongings.SECRET_KEY, key)

        def about(members: tuple[Member, ...]) -> Manifest:
            return Manifest(
                format=FORMAT,
                made_by=f"canceldesk {installed_version('canceldesk')}",
                made_at=made_at,
                database=database.kind,
                database_version=database.version(),
                counted=counted,
                left_out=tuple(left_out),
                members=members,
            )

        whole = scratch / "whole"
        with files.new_file(whole) as into:
            told = archive.pack(into, parts, about)
        archive.verify(whole)
        unproven = database.prove(parts[database.member])
        file = files.name(whole, folder / name)
    missed = left_out[0] if workbook.is_missed else ""
    return Made(file, told, " ".join(filter(None, [missed, unproven])))


def _kept(scratch: Path, name: str, content: bytes) -> Path:
    file = scratch / name
    with files.new_file(file) as into:
        into.write(content)
    return file


def _place(target: Path | None) -> tuple[Path, str]:
    if target is not None and target.suffix.lower() == SUFFIX:
        if target.exists():
            raise RefusedError(f"{target} is there already. Give another name.")
        return target.parent, target.name
    return target or default_folder(), f"{PREFIX}{files.stamp(clock.now())}{SUFFIX}"


def check(file: Path) -> tuple[Manifest, str]:
    """Prove that a backup can be read, without restoring it; its manifest, and what could not be
    shown ("" when everything could). Raises BackupError.
    """
    told = archive.verify(file)
    database = databases.of_kind(told.database)
    member = told.member(database.member)
    if member is None:
        raise RefusedError(f"{file.name} holds no database.")
    data = Path(settings.DATA)
    files.make_folder(data)
    with files.scratch(data) as scratch:
        copy = scratch / "database"
        with files.new_file(copy) as into:
            archive.unpack(file, member, into)
        return told, database.prove(copy)
