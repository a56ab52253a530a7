"""Putting one file in the place of another on every kind of disk."""

from __future__ import annotations

import ctypes
import errno
import os

import pytest

from canceldesk.workbook.storing import exchange
from tests.workbook import disks
from tests.workbook.disks import NEW_DATA, OLD, THEIRS

DISKS = ["exchanging", "without_exchange", "without_links"]


@pytest.fixture
def files(tmp_path):
    new = tmp_path / "new"
    new.write_bytes(NEW_DATA)
    return disks.plain_file(tmp_path), new, tmp_path / "old"


@pytest.fixture
def disk(request, monkeypatch):
    if request.param != "exchanging":
        getattr(disks, request.param)(monkeypatch)
    return request.param


@pytest.mark.parametrize("disk", DISKS, indirect=True)
def test_the_new_file_is_in_place_and_the_old_one_is_kept(files, disk):
    path, new, old = files
    inode = path.stat().st_ino
    replaced = exchange.put_in_place(path, new, old)
    assert path.read_bytes() == NEW_DATA
    assert (replaced.read_bytes(), replaced.stat().st_ino) == (OLD, inode)
    assert replaced == (new if disk == "exchanging" else old)
    assert {path, replaced} == set(path.parent.iterdir())


@pytest.mark.parametrize("disk", DISKS, indirect=True)
def test_a_workbook_that_is_gone_is_not_replaced(files, disk):
    path, new, old = files
    path.unlink()
    with pytest.raises(FileNotFoundError):
        exchange.put_in_place(path, new, old)
    assert list(path.parent.iterdir()) == [new]


def test_without_exchange_a_save_after_the_second_name_was_made_wins(files, monkeypatch):
    path, new, old = files
    disks.without_exchange(monkeypatch)
    real = os.link

    def link(*args, **named):
        real(*args, **named)
        disks.person_saves(path)

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(exchange.Overtaken):
        exchange.put_in_place(path, new, old)
    assert path.read_bytes() == THEIRS
    assert old.read_bytes() == OLD


def test_without_links_a_save_into_the_empty_place_wins(files, monkeypatch):
    path, new, old = files
    disks.without_links(monkeypatch)
    real = type(path).rename

    def rename(self, target):
        moved = real(self, target)
        if self == path:
            path.write_bytes(THEIRS)
        return moved

    monkeypatch.setattr(type(path), "rename", rename)
    with pytest.raises(exchange.Overtaken):
        exchange.put_in_place(path, new, old)
    assert path.read_bytes() == THEIRS
    assert old.read_bytes() == OLD


@pytest.mark.parametrize("disk", DISKS, indirect=True)
def test_moving_never_replaces(files, disk):
    path, new, old = files
    with pytest.raises(exchange.Overtaken):
        exchange.move(new, path)
    assert (path.read_bytes(), new.read_bytes()) == (OLD, NEW_DATA)
    exchange.move(new, old)
    assert old.read_bytes() == NEW_DATA
    assert not new.exists()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_share_that_says_it_cannot_exchange_keeps_the_old_file_by_a_second_name(
    files, monkeypatch, number
):
    path, new, old = files

    def call(*_args):
        ctypes.set_errno(number)
        return -1

    monkeypatch.setattr(exchange, "_function", lambda _name: call)
    assert exchange.put_in_place(path, new, old) == old
    assert path.read_bytes() == NEW_DATA


def test_a_system_without_the_call_keeps_the_old_file_by_a_second_name(files, monkeypatch):
    path, new, old = files
    monkeypatch.setattr(exchange, "_function", lambda _name: None)
    assert exchange.put_in_place(path, new, old) == old


def test_a_disk_that_breaks_is_not_taken_for_one_that_cannot(files, monkeypatch):
    path, new, old = files
    disks.without_exchange(monkeypatch)
    monkeypatch.setattr(os, "link", disks.failing(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        exchange.move(new, old)
    with pytest.raises(OSError, match="Input/output error"):
        exchange.put_in_place(path, new, old)
    assert (path.read_bytes(), new.read_bytes()) == (OLD, NEW_DATA)
