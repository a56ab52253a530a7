"""The new workbook has everything that belonged to the old one besides its contents."""

from __future__ import annotations

import errno
import os
import stat
import struct

import pytest

from canceldesk.workbook.errors import CannotSave
from canceldesk.workbook.storing import attributes
from tests.workbook import disks
from tests.workbook.disks import OLD, leftovers, save

as_administrator = pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")


@pytest.fixture
def path(tmp_path):
    return disks.plain_file(tmp_path)


def only_the_owner_may(monkeypatch):
    """Be a worker that may not give files away, in no group of theirs unless allowed."""
    monkeypatch.setattr(os, "chown", disks.failing(errno.EPERM))


def access_list(*entries):
    """A POSIX access list as the kernel keeps it: tag, rights and id of each entry."""
    packed = (struct.pack("<HHI", tag, rights, who) for tag, rights, who in entries)
    return struct.pack("<I", 2) + b"".join(packed)


NOBODY = 0xFFFFFFFF
FOR_USER_4321 = access_list(
    (0x01, 6, NOBODY), (0x02, 4, 4321), (0x04, 4, NOBODY), (0x10, 6, NOBODY), (0x20, 0, NOBODY)
)


def set_attribute(file, name, value):
    try:
        os.setxattr(file, name, value)
    except OSError:
        pytest.skip(f"this file system keeps no {name}")


@as_administrator
def test_owner_group_and_mode_stay_and_the_time_is_new(path):
    path.chmod(0o640)
    os.chown(path, 1234, 2345)
    os.utime(path, (1, 1))
    assert save(path) is True
    after = path.stat()
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (1234, 2345, 0o640)
    assert after.st_mtime > 1


def test_what_is_being_written_is_not_open_to_more_people(path):
    path.chmod(0o600)
    modes = []

    def look(_data):
        (new,) = path.parent.glob(".*.new")
        modes.append(stat.S_IMODE(new.stat().st_mode))

    before = os.umask(0)
    try:
        assert save(path, check=look) is True
    finally:
        os.umask(before)
    assert modes == [0o600]


def test_access_lists_and_attributes_stay(path):
    set_attribute(path, "user.project", b"cancellations")
    set_attribute(path, "system.posix_acl_access", FOR_USER_4321)
    assert save(path) is True
    assert os.getxattr(path, "user.project") == b"cancellations"
    assert os.getxattr(path, "system.posix_acl_access") == FOR_USER_4321


def test_an_access_list_that_the_folder_gives_to_new_files_is_taken_off(path):
    set_attribute(path.parent, "system.posix_acl_default", FOR_USER_4321)
    assert save(path) is True
    assert "system.posix_acl_access" not in os.listxattr(path)


def test_a_disk_without_attributes_is_good_enough(path, monkeypatch):
    monkeypatch.setattr(os, "listxattr", disks.failing(errno.ENOTSUP))
    assert save(path) is True


@as_administrator
@pytest.mark.parametrize("mode", [0o664, 0o466, 0o606])
def test_a_file_of_someone_else_may_become_the_desks_if_they_can_go_on(path, monkeypatch, mode):
    os.chown(path, 1234, os.getgid())
    path.chmod(mode)
    only_the_owner_may(monkeypatch)
    assert save(path) is True
    assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (0, mode)


@as_administrator
@pytest.mark.parametrize(
    ("group", "mode"),
    [(0, 0o644), (0, 0o620), (2345, 0o660)],
    ids=["may only read", "may only write", "other group"],
)
def test_a_file_that_would_be_closed_to_its_owner_is_not_replaced(path, monkeypatch, group, mode):
    os.chown(path, 1234, group)
    path.chmod(mode)
    only_the_owner_may(monkeypatch)
    with pytest.raises(CannotSave, match="belongs to user 1234, who could not open it any more"):
        save(path)
    assert path.read_bytes() == OLD
    assert leftovers(path) == []


def test_an_owner_is_called_by_name():
    assert attributes._name_of(0) == "root"
