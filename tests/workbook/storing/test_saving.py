"""The file is whole at every moment: other people, full disks, missing rights."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from pathlib import Path
from typing import IO

import pytest

from canceldesk.workbook.errors import CannotRead, CannotSave, InUse, ReadBackDiffers
from canceldesk.workbook.storing import exchange, recovery, saving
from tests.workbook import disks
from tests.workbook.disks import NEW_DATA, OLD, THEIRS, leftovers, person_saves, save

PAGE = 4096


@pytest.fixture
def path(tmp_path):
    return disks.plain_file(tmp_path)


def test_a_file_is_replaced_and_what_it_was_is_kept(path):
    assert save(path) is True
    assert path.read_bytes() == NEW_DATA
    assert leftovers(path) == []


def test_nothing_is_replaced_without_the_lock(path):
    with pytest.raises(InUse, match="another worker"):
        saving.replace(
            path,
            NEW_DATA,
            before=disks.fingerprint(OLD),
            check=lambda _data: None,
            still_wanted=lambda: True,
            backups=5,
        )
    assert path.read_bytes() == OLD


def test_a_lock_lost_at_the_last_moment_stops_the_save(path, monkeypatch):
    real = saving._still_as_read

    def losing(*args):
        (path.parent / f".{path.name}.canceldesk-lock").unlink()
        return real(*args)

    monkeypatch.setattr(saving, "_still_as_read", losing)
    with pytest.raises(InUse):
        save(path)
    assert path.read_bytes() == OLD
    assert leftovers(path) == []


def test_the_new_file_is_checked_as_it_reads_from_the_disk(path):
    seen: list[bytes] = []
    save(path, check=seen.append)
    assert seen == [NEW_DATA]


def test_a_save_of_a_person_before_the_exchange_stays(path):
    assert save(path, check=lambda _data: person_saves(path)) is False
    assert path.read_bytes() == THEIRS
    assert leftovers(path) == []


@pytest.mark.parametrize("disk", ["exchanging", "without_exchange"])
def test_a_save_of_a_person_at_the_very_exchange_is_put_back(path, monkeypatch, disk):
    if disk == "without_exchange":
        disks.without_exchange(monkeypatch)
    real = saving._still_as_read

    def then_saved(*args):
        answer = real(*args)
        person_saves(path)
        return answer

    monkeypatch.setattr(saving, "_still_as_read", then_saved)
    assert save(path) is False
    assert path.read_bytes() == THEIRS
    assert leftovers(path) == []
    assert disks.visible(path) == ["clients.xlsx"]


def test_a_program_that_still_writes_to_what_was_replaced_gets_it_back(path, monkeypatch):
    real = exchange.put_in_place
    writing: list[IO[bytes]] = []

    def exchanged(*args):
        if not writing:
            writing.append(path.open("r+b"))
        return real(*args)

    monkeypatch.setattr(exchange, "put_in_place", exchanged)
    assert save(path) is False
    with writing[0] as file:
        file.write(THEIRS.ljust(len(OLD)))
    assert path.read_bytes() == THEIRS.ljust(len(OLD))
    assert leftovers(path) == []


def test_a_workbook_that_a_program_has_open_for_writing_is_in_use(path):
    with path.open("r+b"), pytest.raises(InUse, match="open in another program"):
        save(path)
    assert path.read_bytes() == OLD
    assert leftovers(path) == []


@pytest.mark.parametrize("instead", ["nothing", "folder", "link"])
def test_a_workbook_that_is_something_else_by_now_is_not_replaced(path, instead):
    def change(_data):
        path.unlink()
        if instead == "folder":
            path.mkdir()
        if instead == "link":
            path.symlink_to("elsewhere.xlsx")

    assert save(path, check=change) is False
    assert leftovers(path) == []


def test_a_link_put_in_its_place_at_the_very_exchange_is_put_back(path, monkeypatch):
    real = saving._still_as_read

    def then_linked(*args):
        answer = real(*args)
        path.rename(path.with_name("moved.xlsx"))
        path.symlink_to("moved.xlsx")
        return answer

    monkeypatch.setattr(saving, "_still_as_read", then_linked)
    assert save(path) is False
    assert path.is_symlink()
    assert path.read_bytes() == OLD


def test_a_vanished_folder_says_so(path, tmp_path):
    def vanish(_data):
        path.parent.rename(tmp_path.with_name(f"{tmp_path.name}-away"))

    with pytest.raises(CannotSave, match="folder is gone"):
        save(path, check=vanish)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "used up"),
        (errno.EFBIG, "no file of that size"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "may not write"),
        (errno.ESTALE, "folder is gone"),
        (errno.EHOSTDOWN, "folder is gone"),
        (errno.ETIMEDOUT, "does not answer"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.EMFILE, "too many files"),
        (errno.EIO, "an error of the disk"),
        (errno.ENOMSG, "an error of the disk \\(No message"),
    ],
)
def test_a_disk_that_refuses_leaves_the_old_file(path, monkeypatch, number, words):
    monkeypatch.setattr(os, "fsync", disks.failing(number))
    with pytest.raises(CannotSave, match=words):
        save(path)
    assert path.read_bytes() == OLD
    assert leftovers(path) == []


def test_a_share_where_it_is_open_says_it_is_in_use(path, monkeypatch):
    monkeypatch.setattr(exchange, "put_in_place", disks.failing(errno.EBUSY))
    with pytest.raises(InUse, match="open in another program"):
        save(path)
    assert path.read_bytes() == OLD
    assert leftovers(path) == []


def test_what_cannot_be_cleared_away_does_not_hide_what_went_wrong(path, monkeypatch):
    monkeypatch.setattr(os, "fsync", disks.failing(errno.EIO))
    monkeypatch.setattr(Path, "unlink", disks.failing(errno.EIO))
    with pytest.raises(CannotSave, match="an error of the disk"):
        save(path)


def test_a_disk_with_any_room_left_takes_the_new_file_whole_or_keeps_the_old_one(tmp_path):
    folder = tmp_path / "small"
    disks.mounted("tmpfs", "none", folder, "size=200k")
    try:
        path = disks.plain_file(folder)
        outcomes, said = [], set()
        for pages in range(8):
            data = os.urandom(4 * PAGE)
            before = path.read_bytes()
            free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
            (folder / "filling").write_bytes(bytes(free - pages * PAGE))
            try:
                outcomes.append(save(path, data, before=before, backups=1))
            except CannotSave as refusal:
                outcomes.append(False)
                said.add("the disk is full" in refusal.sentence)
            assert path.read_bytes() == (data if outcomes[-1] else before)
            assert leftovers(path) == []
            (folder / "filling").unlink()
        assert outcomes == sorted(outcomes)
        assert (set(outcomes), said) == ({False, True}, {True})
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_mounted_read_only_says_so(tmp_path):
    folder = tmp_path / "small"
    disks.mounted("tmpfs", "none", folder, "size=200k")
    try:
        path = disks.plain_file(folder)
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        with pytest.raises(CannotSave, match="the disk is read-only"):
            save(path)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EACCES])
def test_a_share_that_cannot_force_folders_is_good_enough(path, monkeypatch, number):
    real = os.fsync
    is_folder = lambda descriptor: stat.S_ISDIR(os.fstat(descriptor).st_mode)  # noqa: E731
    monkeypatch.setattr(os, "fsync", disks.failing(number, real, when=is_folder))
    assert save(path) is True


def test_a_disk_that_fails_after_the_exchange_leaves_it_unknown(path, monkeypatch):
    real = os.fsync
    is_folder = lambda descriptor: stat.S_ISDIR(os.fstat(descriptor).st_mode)  # noqa: E731
    monkeypatch.setattr(os, "fsync", disks.failing(errno.EIO, real, when=is_folder))
    with pytest.raises(ReadBackDiffers, match="not known until the list is read"):
        save(path)


def test_a_stumble_while_ending_the_exchange_is_made_good(path, monkeypatch):
    real, stumbles = recovery.settle, iter([True, False])
    once = disks.failing(errno.EIO, real, when=lambda *_args: next(stumbles))
    monkeypatch.setattr(recovery, "settle", once)
    assert save(path) is True
    assert path.read_bytes() == NEW_DATA
    assert leftovers(path) == []


def test_a_disk_that_fails_while_ending_the_exchange_leaves_it_unknown(path, monkeypatch):
    monkeypatch.setattr(recovery, "settle", disks.failing(errno.EIO))
    with pytest.raises(ReadBackDiffers, match="not known"):
        save(path)
    monkeypatch.undo()
    assert path.read_bytes() == NEW_DATA
    assert save(path, b"next", before=NEW_DATA) is True
    assert leftovers(path) == []


def test_a_person_who_saves_while_the_end_is_found_out_leaves_it_unknown(path, monkeypatch):
    def fails(*_args):
        monkeypatch.undo()
        person_saves(path)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(recovery, "settle", fails)
    with pytest.raises(ReadBackDiffers, match="not known"):
        save(path)
    assert path.read_bytes() == THEIRS


@pytest.mark.parametrize("problem", [exchange.Overtaken(), FileNotFoundError(errno.ENOENT, "gone")])
def test_a_person_who_is_faster_than_the_exchange_wins(path, monkeypatch, problem):
    def overtaken(*_args):
        raise problem

    monkeypatch.setattr(exchange, "put_in_place", overtaken)
    assert save(path) is False
    assert path.read_bytes() == OLD
    assert leftovers(path) == []


def test_others_who_save_all_the_while_are_said_to(path, monkeypatch):
    def overtaken(*_args):
        raise exchange.Overtaken

    monkeypatch.setattr(recovery, "settle", overtaken)
    with pytest.raises(ReadBackDiffers, match="others saved at that moment"):
        save(path)


def test_a_read_only_file_is_not_replaced(path):
    path.chmod(0o444)
    with pytest.raises(CannotSave, match="read-only for the desk"):
        save(path)
    assert path.read_bytes() == OLD


def test_a_link_is_followed_and_stays_a_link(path, tmp_path):
    link = tmp_path / "elsewhere" / "link.xlsx"
    link.parent.mkdir()
    link.symlink_to(path)
    assert save(link) is True
    assert link.is_symlink()
    assert path.read_bytes() == NEW_DATA
    assert saving.read(link) == NEW_DATA


def test_a_second_name_of_the_file_keeps_the_version_it_had(path):
    second = path.with_name("second.xlsx")
    second.hardlink_to(path)
    assert save(path) is True
    assert (path.read_bytes(), second.read_bytes()) == (NEW_DATA, OLD)


@pytest.mark.parametrize("name", ["c" * 245 + ".xlsx", "кл" * 60 + ".xlsx"])
def test_a_workbook_with_the_longest_name_can_be_saved(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(OLD)
    assert save(path) is True
    assert save(path, b"next", before=NEW_DATA) is True
    assert max(len(os.fsencode(file.name)) for file in tmp_path.rglob(".*")) < 143


def test_a_path_that_is_too_long_says_so(tmp_path):
    with pytest.raises(CannotRead, match="File name too long"):
        saving.read(tmp_path / ("c" * 300))


def test_a_folder_is_no_workbook(tmp_path):
    with pytest.raises(CannotRead, match="is a folder, not a workbook"):
        saving.read(tmp_path)


def test_a_missing_workbook_says_where_it_was_looked_for(path):
    with pytest.raises(CannotRead, match="There is no workbook at .*missing.xlsx"):
        saving.read(path.with_name("missing.xlsx"))


def test_a_missing_folder_is_said_to_be_missing(tmp_path):
    with pytest.raises(CannotRead, match="nor a folder .*away"):
        saving.read(tmp_path / "away" / "clients.xlsx")


def test_a_workbook_that_is_too_large_is_not_read(path, monkeypatch):
    monkeypatch.setattr(saving, "LARGEST_FILE", len(OLD) - 1)
    with pytest.raises(CannotRead, match="larger than the desk will open"):
        saving.read(path)


def test_links_that_lead_in_a_circle_are_no_workbook(path):
    path.unlink()
    path.symlink_to(path)
    with pytest.raises(CannotRead, match="symbolic links"):
        saving.read(path)


def test_a_file_that_may_not_be_read(path, monkeypatch):
    monkeypatch.setattr(Path, "read_bytes", disks.failing(errno.EACCES))
    with pytest.raises(CannotRead, match="could not be read \\(Permission denied\\)"):
        saving.read(path)


@pytest.mark.parametrize("code", [32, 33])
def test_a_sharing_violation_means_someone_has_it_open(path, monkeypatch, code):
    class Violation(PermissionError):
        winerror = code

    def fails(_self):
        raise Violation(errno.EACCES, "used by another process")

    monkeypatch.setattr(Path, "read_bytes", fails)
    with pytest.raises(InUse, match="open in another program") as refusal:
        saving.read(path)
    assert refusal.value.by == "someone"


def test_a_new_workbook_is_put_where_nothing_is(tmp_path):
    path = tmp_path / "new.xlsx"
    assert saving.create(path, NEW_DATA) is True
    assert path.read_bytes() == NEW_DATA
    assert leftovers(path) == []


@pytest.mark.parametrize("disk", ["exchanging", "without_exchange", "without_links"])
def test_a_new_workbook_never_replaces_one(path, monkeypatch, disk):
    if disk != "exchanging":
        getattr(disks, disk)(monkeypatch)
    assert saving.create(path, NEW_DATA) is False
    assert path.read_bytes() == OLD
    assert leftovers(path) == []


def test_a_new_workbook_that_no_disk_takes_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", disks.failing(errno.ENOSPC))
    with pytest.raises(CannotSave, match="could not be made in .* because the disk is full"):
        saving.create(tmp_path / "new.xlsx", NEW_DATA)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_wanted_any_more_at_the_last_moment_is_not_saved(path):
    seen: list[bytes] = []

    def no() -> bool:
        seen.append(path.read_bytes())
        return False

    assert save(path, still_wanted=no) is False
    assert seen == [OLD]
    assert path.read_bytes() == OLD
    assert leftovers(path) == []


def test_whoever_may_not_write_any_more_leaves_the_file_and_nothing_beside_it(path):
    def taken_over() -> bool:
        raise LookupError("the case was taken over")

    with pytest.raises(LookupError):
        save(path, still_wanted=taken_over)
    assert path.read_bytes() == OLD
    assert leftovers(path) == []
