"""What the list makes of others who save, before, while and after the desk does."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import textwrap

import pytest

from canceldesk.workbook import editing, reading
from canceldesk.workbook.errors import ChangedMeanwhile, InUse, ReadBackDiffers
from canceldesk.workbook.protocol import matches
from canceldesk.workbook.storing import backups, locking, saving
from canceldesk.workbook.storing.locking import Waiting
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import NEW, build, client
from tests.workbook.disks import Clock, leftovers, person_saves


@pytest.fixture
def workbook(tmp_path):
    return build(tmp_path / "list.xlsx")


def add(workbook, row=NEW, **kwargs):
    clock = Clock()
    return WorkbookList(workbook, now=clock.now, sleep=clock.sleep, **kwargs).add(row)


def names(workbook):
    return [row.name for row in WorkbookList(workbook, tab="cancellation").read().rows]


def test_reading_needs_no_lock(workbook):
    with locking.held(workbook, Waiting(0)):
        assert len(WorkbookList(workbook).read().rows) == 5


def test_a_new_file_that_reads_differently_is_never_put_in_place(workbook, monkeypatch):
    before = workbook.read_bytes()
    for spoilt in (before, b"rubbish"):
        monkeypatch.setattr(editing, "insert", lambda *_args, spoilt=spoilt: spoilt)
        with pytest.raises(ReadBackDiffers, match="was not added"):
            WorkbookList(workbook).add(NEW)
        assert workbook.read_bytes() == before
    assert leftovers(workbook) == []


def test_other_rows_that_would_change_are_noticed(workbook, tmp_path, monkeypatch):
    fewer = build(tmp_path / "fewer.xlsx", count=4)
    WorkbookList(fewer).add(NEW)
    monkeypatch.setattr(editing, "insert", lambda *_args: fewer.read_bytes())
    with pytest.raises(ReadBackDiffers, match="is not what was to be written"):
        WorkbookList(workbook).add(NEW)


def test_the_fingerprint_is_of_the_file(workbook):
    expected = hashlib.sha256(workbook.read_bytes()).hexdigest()
    view = WorkbookList(workbook).read()
    assert reading.fingerprint(workbook.read_bytes()) == view.fingerprint == expected


def saving_by_a_person(workbook, monkeypatch, times):
    """Let a person save one more row just before each of the first exchanges."""
    real, left = saving._still_as_read, [times]

    def then_saved(*args):
        answer = real(*args)
        if left[0]:
            left[0] -= 1
            other = build(workbook.with_name("theirs.xlsx"), count=6 + left[0])
            other.replace(workbook)
        return answer

    monkeypatch.setattr(saving, "_still_as_read", then_saved)


def test_a_person_who_saves_meanwhile_has_the_row_added_to_theirs(workbook, monkeypatch):
    saving_by_a_person(workbook, monkeypatch, 2)
    written = add(workbook)
    assert names(workbook)[::6] == ["Nora New", "Client 6"]
    assert written.fingerprint_after == WorkbookList(workbook).read().fingerprint
    assert leftovers(workbook) == []


def test_a_person_who_saves_all_the_time_wins(workbook, monkeypatch):
    saving_by_a_person(workbook, monkeypatch, 99)
    with pytest.raises(ChangedMeanwhile, match="each time"):
        add(workbook)
    assert "Nora New" not in names(workbook)


def test_a_person_who_saves_right_after_is_read_back_too(workbook, monkeypatch):
    real = saving._force_folder

    def force_folder(path):
        real(path)
        monkeypatch.undo()
        other = build(path.with_name("theirs.xlsx"))
        add(other)
        add(other, client(41))
        person_saves(path, other.read_bytes())

    monkeypatch.setattr(saving, "_force_folder", force_folder)
    written = add(workbook)
    assert written.row_number == 6
    assert matches(written.row, NEW)


def test_a_row_that_vanishes_right_after_is_not_called_written(workbook, monkeypatch):
    before = workbook.read_bytes()
    real = saving._force_folder

    def force_folder(path):
        real(path)
        person_saves(path, before)

    monkeypatch.setattr(saving, "_force_folder", force_folder)
    with pytest.raises(ReadBackDiffers, match="older copy"):
        add(workbook)


def test_as_many_earlier_versions_are_kept_as_wanted(workbook):
    for number in range(4):
        add(workbook, client(60 + number), backups=2)
    rows = [len(WorkbookList(backup.file).read().rows) for backup in backups.kept(workbook)]
    assert rows == [7, 8]


ADDING = textwrap.dedent(
    """
    import datetime as dt, sys
    from canceldesk.workbook.protocol import NewRow
    from canceldesk.workbook.workbooklist import WorkbookList

    path, who = sys.argv[1:]
    for number in range(6):
        row = NewRow(f"{who} {number}", "555", dt.date(2026, 11, 23), 1, "USD", 1, "x")
        WorkbookList(path, lock_wait_seconds=60).add(row)
    """
)


def test_two_workers_that_write_all_the_time_never_write_over_each_other(workbook):
    workers = [subprocess.Popen([sys.executable, "-c", ADDING, str(workbook), who]) for who in "AB"]
    assert [worker.wait() for worker in workers] == [0, 0]
    assert sorted(names(workbook)[:12]) == sorted(f"{who} {n}" for who in "AB" for n in range(6))
    assert leftovers(workbook) == []


def test_another_worker_is_waited_for_and_then_said_to_write(workbook):
    with locking.held(workbook, Waiting(0)):
        clock = Clock()
        with pytest.raises(InUse, match="another worker") as refusal:
            WorkbookList(workbook, lock_wait_seconds=1, now=clock.now, sleep=clock.sleep).add(NEW)
    assert refusal.value.by == "another worker of the desk"
    assert 1 <= clock.seconds < 1.5
