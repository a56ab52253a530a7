"""What a killed worker left is finished or undone, and no person's edit is ever removed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.storing import (
    backups,
    companions,
    contents,
    exchange,
    locking,
    recovery,
    saving,
)
from canceldesk.workbook.storing.locking import Waiting
from canceldesk.workbook.storing.oslock import OsLock
from tests.workbook import disks
from tests.workbook.disks import LATER, NEW_DATA, OLD, THEIRS, begun, leftovers, save, set_aside


@pytest.fixture
def path(tmp_path):
    return disks.plain_file(tmp_path)


def kept(path):
    return [backup.file.read_bytes() for backup in backups.kept(path)]


def finish(path, number=5):
    recovery.finish(path, number)
    return path.read_bytes()


def test_a_new_file_that_was_being_written_is_removed(path):
    begun(path).new.write_bytes(b"half")
    assert finish(path) == OLD
    assert leftovers(path) == []


def test_a_new_file_that_was_not_exchanged_is_removed(path):
    begun(path).swap.write_bytes(NEW_DATA)
    assert finish(path) == OLD
    assert leftovers(path) == []
    assert kept(path) == []


@pytest.mark.parametrize("stage", ["swap", "old"])
def test_what_was_replaced_becomes_a_backup(path, stage):
    getattr(begun(path), stage).write_bytes(OLD)
    path.write_bytes(NEW_DATA)
    assert finish(path) == NEW_DATA
    assert leftovers(path) == []
    assert kept(path) == [OLD]


@pytest.mark.parametrize("stage", ["swap", "old"])
@pytest.mark.parametrize("disk", ["exchanging", "without_exchange", "without_links"])
def test_a_persons_save_that_was_taken_out_is_put_back(path, monkeypatch, stage, disk):
    if disk != "exchanging":
        getattr(disks, disk)(monkeypatch)
    getattr(begun(path), stage).write_bytes(THEIRS)
    path.write_bytes(NEW_DATA)
    assert finish(path) == THEIRS
    assert leftovers(path) == []
    assert set_aside(path) == []


def test_a_persons_save_is_set_aside_when_a_later_one_is_in_place(path):
    begun(path).swap.write_bytes(THEIRS)
    path.write_bytes(LATER)
    assert finish(path) == LATER
    assert set_aside(path) == [THEIRS]
    assert leftovers(path) == []


def test_a_save_while_another_is_put_back_stays_and_the_earlier_one_is_set_aside(path, monkeypatch):
    begun(path).swap.write_bytes(THEIRS)
    path.write_bytes(NEW_DATA)
    real, first = exchange.put_in_place, [True]

    def put_in_place(*args):
        if first.pop() if first else False:
            disks.person_saves(path, LATER)
        return real(*args)

    monkeypatch.setattr(exchange, "put_in_place", put_in_place)
    assert finish(path) == LATER
    assert set_aside(path) == [THEIRS]
    assert leftovers(path) == []


def test_a_workbook_that_was_moved_away_and_not_replaced_comes_back(path):
    path.rename(begun(path).old)
    begun(path).swap.write_bytes(NEW_DATA)
    assert finish(path) == OLD
    assert leftovers(path) == []


def test_a_second_name_made_for_an_exchange_that_did_not_happen_is_removed(path):
    begun(path).old.hardlink_to(path)
    assert finish(path) == OLD
    assert leftovers(path) == []
    assert kept(path) == []


def test_several_stages_of_one_exchange_are_ended_in_their_order(path):
    path.write_bytes(NEW_DATA)
    begun(path).swap.hardlink_to(path)
    begun(path).old.write_bytes(THEIRS)
    assert finish(path) == THEIRS
    assert leftovers(path) == []


def test_files_of_other_workbooks_are_left_alone(path):
    other = begun(path.with_name("other.xlsx")).swap
    other.write_bytes(NEW_DATA)
    finish(path)
    assert other.exists()


def test_reading_puts_a_persons_save_back_first(path):
    begun(path).swap.write_bytes(THEIRS)
    path.write_bytes(NEW_DATA)
    assert saving.read(path) == THEIRS


def test_reading_with_the_lock_held_puts_it_back_too(path):
    begun(path).swap.write_bytes(THEIRS)
    path.write_bytes(NEW_DATA)
    with locking.held(path, Waiting(0)):
        assert saving.read(path) == THEIRS


def test_reading_brings_a_workbook_back_that_was_moved_away(path):
    path.rename(begun(path).old)
    assert saving.read(path) == OLD


def test_reading_leaves_versions_to_keep_for_the_next_save(path):
    begun(path).swap.write_bytes(OLD)
    path.write_bytes(NEW_DATA)
    begun(path, after=LATER).new.write_bytes(b"half")
    assert saving.read(path) == NEW_DATA
    assert begun(path).swap.read_bytes() == OLD
    assert save(path, LATER, before=NEW_DATA) is True
    assert kept(path) == [OLD, NEW_DATA]


def test_reading_does_not_wait_for_a_worker_that_is_at_it(path, monkeypatch):
    begun(path).swap.write_bytes(THEIRS)
    path.write_bytes(NEW_DATA)
    monkeypatch.setattr(OsLock, "take", lambda _lock: False)
    assert saving.read(path) == NEW_DATA


def test_reading_goes_on_where_a_person_was_faster_than_the_putting_back(path, monkeypatch):
    begun(path).swap.write_bytes(THEIRS)
    path.write_bytes(NEW_DATA)

    def overtaken(*_args):
        raise exchange.Overtaken

    monkeypatch.setattr(exchange, "put_in_place", overtaken)
    assert saving.read(path) == NEW_DATA
    assert begun(path).swap.read_bytes() == THEIRS


def test_a_folder_that_may_not_be_listed_may_be_read_from(path, monkeypatch):
    monkeypatch.setattr(Path, "iterdir", disks.failing(errno.EACCES))
    assert saving.read(path) == OLD


def test_a_person_faster_than_the_putting_back_before_a_save_wins(path, monkeypatch):
    begun(path).swap.write_bytes(THEIRS)
    path.write_bytes(NEW_DATA)

    def overtaken(*_args):
        raise exchange.Overtaken

    monkeypatch.setattr(exchange, "put_in_place", overtaken)
    assert save(path, LATER, before=NEW_DATA) is False
    assert (path.read_bytes(), begun(path).swap.read_bytes()) == (NEW_DATA, THEIRS)


def test_a_disk_that_does_not_let_a_save_be_put_back_is_not_read_as_if_it_had(path, monkeypatch):
    begun(path).swap.write_bytes(THEIRS)
    path.write_bytes(NEW_DATA)
    monkeypatch.setattr(exchange, "put_in_place", disks.failing(errno.EIO))
    with pytest.raises(CannotRead, match="could not be read"):
        saving.read(path)


@pytest.mark.parametrize("end", [lambda path: recovery.finish(path, 5), recovery.undo])
def test_a_file_that_vanished_since_it_was_listed_is_nothing_to_end(path, monkeypatch, end):
    begun(path).swap.write_bytes(NEW_DATA)
    real = companions.unfinished

    def then_gone(where):
        for exchanged, file in list(real(where)):
            file.unlink()
            yield exchanged, file

    monkeypatch.setattr(recovery, "unfinished", then_gone)
    end(path)
    assert path.read_bytes() == OLD


def test_a_version_that_no_disk_keeps_makes_way_for_the_next_one(path, monkeypatch):
    begun(path).swap.write_bytes(OLD)
    path.write_bytes(NEW_DATA)
    monkeypatch.setattr(Path, "mkdir", disks.failing(errno.ENOSPC))
    assert save(path, LATER, before=NEW_DATA) is True
    left = [file.read_bytes() for file in path.parent.iterdir() if file.suffix == ".swap"]
    assert left == [NEW_DATA]


@pytest.mark.parametrize("stage", ["swap", "old"])
def test_a_file_that_is_being_written_is_never_removed(path, stage):
    """Whatever it holds at this moment: soon it may be the only copy of an edit."""
    for data in (OLD, NEW_DATA):
        left = getattr(begun(path), stage)
        left.write_bytes(data)
        with left.open("r+b") as file:
            finish(path)
            file.write(LATER)
        everything = [file.read_bytes() for file in path.parent.rglob("*.xlsx")]
        assert any(content.startswith(LATER) for content in everything)
        assert leftovers(path) == []


def test_under_a_lease_others_may_open_the_file_right_after(path):
    contents.look(path)
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    os.close(descriptor)
