from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import pytest

from canceldesk.backup import archive, files
from canceldesk.backup.errors import CannotError, DamagedError
from canceldesk.backup.manifest import FORMAT, Counted, Manifest, Member

AT = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)


def manifest(members: tuple[Member, ...]) -> Manifest:
    counted = Counted(
        began_at=AT, migrations=("cases.0001_initial",), cases=2, highest_case=2, log_entries=9
    )
    return Manifest(
        format=FORMAT,
        made_by="canceldesk 0",
        made_at=AT,
        database="sqlite",
        database_version="3",
        counted=counted,
        left_out=(),
        members=members,
    )


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    part = tmp_path / "part"
    part.write_bytes(b"what the desk knows" * 5000)
    file = tmp_path / "backup.zip"
    with files.new_file(file) as into:
        archive.pack(into, {"database": part}, manifest)
    return file


def test_what_was_packed_is_proven_and_unpacked(packed: Path, tmp_path: Path) -> None:
    told = archive.verify(packed)

    member = told.member("database")
    assert member is not None
    assert member.size == 95_000
    with (tmp_path / "out").open("wb") as out:
        archive.unpack(packed, member, out)
    assert (tmp_path / "out").read_bytes() == (tmp_path / "part").read_bytes()
    assert archive.read_manifest(packed) == told
    assert packed.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_a_file_that_is_cut_short_is_found_out(packed: Path, kept: float) -> None:
    content = packed.read_bytes()
    packed.write_bytes(content[: int(len(content) * kept) if kept < 1 else int(kept)])

    with pytest.raises(DamagedError, match=r"not a whole backup of the desk"):
        archive.verify(packed)


def test_every_changed_byte_is_found_out_or_means_nothing(packed: Path, tmp_path: Path) -> None:
    content, told = packed.read_bytes(), archive.verify(packed)
    caught = 0
    for place in range(0, len(content), 7):
        altered = bytearray(content)
        altered[place] ^= 0x01
        packed.write_bytes(altered)
        try:
            assert archive.verify(packed) == told
        except DamagedError:
            caught += 1
    assert caught > len(content) / 7 / 2


def test_a_member_more_or_less_is_found_out(packed: Path) -> None:
    with zipfile.ZipFile(packed, "a") as opened:
        opened.writestr("more", b"")

    with pytest.raises(DamagedError, match="does not hold what its manifest says"):
        archive.verify(packed)


def test_a_zip_of_something_else_is_no_backup(tmp_path: Path) -> None:
    file = tmp_path / "holiday.zip"
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("beach.txt", b"")

    with pytest.raises(DamagedError, match=r"holiday\.zip is not a whole backup"):
        archive.read_manifest(file)


def test_a_backup_in_a_format_of_the_future_is_not_understood(packed: Path, tmp_path: Path) -> None:
    text = manifest(()).model_dump_json().replace('"format":1', '"format":2')
    file = tmp_path / "newer.zip"
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("manifest.json", text)

    with pytest.raises(DamagedError):
        archive.verify(file)


def test_a_file_that_is_not_there_is_said_to_be_unreadable(tmp_path: Path) -> None:
    with pytest.raises(CannotError, match="cannot be read: No such file or directory"):
        archive.verify(tmp_path / "nothing.zip")
