"""The last versions are kept, the newest never lost, and nobody's edit dropped."""

from __future__ import annotations

import datetime as dt
import errno
import os
import stat
import subprocess
from pathlib import Path

import pytest

from canceldesk import clock
from canceldesk.workbook.storing import backups, exchange
from canceldesk.workbook.storing.companions import companion
from tests.workbook import disks
from tests.workbook.disks import LATER, NEW_DATA, OLD, leftovers, save, set_aside

MOMENT = dt.datetime(2026, 11, 23, 14, 5, 9, tzinfo=dt.UTC)


@pytest.fixture
def path(tmp_path):
    return disks.plain_file(tmp_path)


def versions(path, count, keeping):
    """Save `count` times; version 0 is the first file."""
    before = OLD
    for number in range(1, count + 1):
        data = f"version {number}".encode()
        assert save(path, data, before=before, backups=keeping)
        before = data


def kept(path):
    return [backup.file.read_bytes() for backup in backups.kept(path)]


def test_a_backup_is_the_very_file_that_was_replaced_and_says_when_and_what(path):
    inode = path.stat().st_ino
    with clock.frozen(MOMENT):
        save(path)
    (backup,) = backups.kept(path)
    beginning = disks.fingerprint(OLD)[:16]
    assert backup.file.name == f"clients-0001-2026-11-23T140509Z-{beginning}.xlsx"
    assert backup.file.stat().st_ino == inode
    assert (backup.number, backup.fingerprint) == (1, beginning)


def test_people_do_not_see_the_folder_of_backups(path):
    save(path)
    assert disks.visible(path) == ["clients.xlsx"]
    assert backups.folder_of(path).name == ".clients.xlsx.canceldesk-backups"


def test_the_oldest_are_dropped(path):
    versions(path, 5, keeping=3)
    assert kept(path) == [b"version 2", b"version 3", b"version 4"]
    assert [backup.number for backup in backups.kept(path)] == [3, 4, 5]


def test_they_keep_their_order_when_the_clock_is_set_back(path):
    with clock.frozen(MOMENT):
        versions(path, 1, keeping=2)
    with clock.frozen(MOMENT - dt.timedelta(days=400)):
        assert save(path, LATER, before=b"version 1", backups=2)
    assert kept(path) == [OLD, b"version 1"]


def test_none_are_kept_when_none_are_wanted(path):
    versions(path, 2, keeping=2)
    assert save(path, LATER, before=b"version 2", backups=0)
    assert kept(path) == []
    assert leftovers(path) == []


def test_there_are_none_before_the_first_save(path):
    assert backups.kept(path) == []


def test_something_else_in_the_folder_is_left_alone(path):
    folder = backups.folder_of(path)
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    versions(path, 3, keeping=1)
    assert (folder / "notes.txt").read_text() == "mine"
    assert kept(path) == [b"version 2"]


def test_a_file_in_the_place_of_the_folder_does_not_stop_the_save(path):
    backups.folder_of(path).write_text("in the way")
    assert save(path) is True
    assert path.read_bytes() == NEW_DATA


def test_a_backup_whose_name_is_taken_waits_for_the_next_save(path, monkeypatch):
    def taken(*_args):
        raise exchange.Overtaken

    replaced = path.rename(path.with_name("replaced"))
    with monkeypatch.context() as patch:
        patch.setattr(exchange, "move", taken)
        assert backups.keep(path, replaced, "0" * 16, 5) is False
    assert replaced.read_bytes() == OLD
    assert backups.keep(path, replaced, "0" * 16, 5) is True


@pytest.mark.parametrize("call", ["mkdir", "rename"])
def test_a_disk_too_full_for_a_backup_does_not_harm_the_save(path, monkeypatch, call):
    if call == "mkdir":
        monkeypatch.setattr(Path, "mkdir", disks.failing(errno.ENOSPC))
    else:
        into_folder = lambda _file, target: target.parent == backups.folder_of(path)  # noqa: E731
        full = disks.failing(errno.ENOSPC, exchange.move, when=into_folder)
        monkeypatch.setattr(exchange, "move", full)
    assert save(path) is True
    assert path.read_bytes() == NEW_DATA
    assert [name for name in leftovers(path) if name.endswith(".swap")]
    monkeypatch.undo()
    assert save(path, LATER, before=NEW_DATA) is True
    assert kept(path) == [OLD, NEW_DATA]
    assert leftovers(path) == []


def test_an_old_one_that_cannot_be_dropped_does_not_harm_the_save(path, monkeypatch):
    versions(path, 2, keeping=2)
    real = Path.unlink
    in_folder = lambda file, **_named: file.parent == backups.folder_of(path)  # noqa: E731
    monkeypatch.setattr(Path, "unlink", disks.failing(errno.EIO, real, when=in_folder))
    assert save(path, LATER, before=b"version 2", backups=2) is True
    monkeypatch.undo()
    assert kept(path) == [OLD, b"version 1", b"version 2"]


def test_an_edit_that_came_after_the_exchange_is_found_and_set_aside(path):
    versions(path, 1, keeping=5)
    with backups.kept(path)[0].file.open("r+b") as file:
        file.write(LATER)
    versions_before = kept(path)
    assert save(path, b"version 2", before=b"version 1") is True
    assert set_aside(path) == versions_before
    assert kept(path) == [b"version 1"]


def test_a_backup_that_is_being_written_is_not_judged_yet(path):
    versions(path, 1, keeping=5)
    with backups.kept(path)[0].file.open("r+b") as file:
        file.write(LATER)
        file.flush()
        backups.check_newest(path)
    assert set_aside(path) == []
    backups.check_newest(path)
    assert len(set_aside(path)) == 1


def test_an_old_backup_that_somebody_wrote_to_is_set_aside_instead_of_dropped(path):
    versions(path, 3, keeping=3)
    backups.kept(path)[0].file.write_bytes(LATER)
    assert save(path, b"version 4", before=b"version 3", backups=1) is True
    assert set_aside(path) == [LATER]
    assert kept(path) == [b"version 3"]


def test_backups_that_cannot_be_checked_do_not_stop_the_save(path, monkeypatch):
    versions(path, 1, keeping=5)
    monkeypatch.setattr(backups, "kept", disks.failing(errno.EACCES))
    assert save(path, LATER, before=b"version 1") is True
    assert path.read_bytes() == LATER


def test_edits_set_aside_at_the_same_moment_get_names_of_their_own(path):
    with clock.frozen(MOMENT):
        for number in range(3):
            theirs = path.with_name(f"theirs-{number}")
            theirs.write_text(str(number))
            backups.set_aside(path, theirs)
    assert disks.visible(path) == [
        "clients (set aside 2026-11-23T140509Z 2).xlsx",
        "clients (set aside 2026-11-23T140509Z 3).xlsx",
        "clients (set aside 2026-11-23T140509Z).xlsx",
        "clients.xlsx",
    ]


def test_an_edit_for_which_there_is_no_name_is_left_where_it_is(path, monkeypatch):
    def taken(*_args):
        raise exchange.Overtaken

    monkeypatch.setattr(exchange, "move", taken)
    with pytest.raises(FileExistsError):
        backups.set_aside(path, path)
    assert path.read_bytes() == OLD


def test_the_folder_is_open_to_whom_the_workbooks_folder_is_open(path):
    path.parent.chmod(0o2770)
    if os.getuid() == 0:
        os.chown(path.parent, 1234, 2345)
    save(path)
    folder = backups.folder_of(path).stat()
    assert stat.S_IMODE(folder.st_mode) == 0o2770
    if os.getuid() == 0:
        assert (folder.st_uid, folder.st_gid) == (1234, 2345)


def test_a_folder_whose_rights_cannot_be_set_still_takes_backups(path, monkeypatch):
    monkeypatch.setattr(os, "chown", disks.failing(errno.EPERM))
    monkeypatch.setattr(Path, "chmod", disks.failing(errno.EPERM))
    backups.keep(path, path.rename(path.with_name("replaced")), "0" * 16, 5)
    assert kept(path) == [OLD]


def test_long_names_are_shortened_and_stay_apart():
    first, second = (Path("/folder") / f"{'ж' * 100}{end}.xlsx" for end in "ab")
    names = {companion(path, "lock").name for path in (first, second)}
    assert len(names) == 2
    assert all(len(os.fsencode(name)) < 100 for name in names)


def test_a_disk_that_is_full_but_for_the_save_keeps_it(tmp_path):
    folder = tmp_path / "small"
    disks.mounted("tmpfs", "none", folder, "size=1m,nr_inodes=6")
    try:
        path = disks.plain_file(folder)
        (folder / "filling").touch()
        # Two locks and the new file take the last places: none is left for a folder of backups.
        assert save(path) is True
        assert path.read_bytes() == NEW_DATA
        assert not backups.folder_of(path).exists()
    finally:
        subprocess.run(["umount", str(folder)], check=True)
