"""What a file holds is told only when nobody is writing to it."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os

import pytest

from canceldesk.workbook.storing import contents
from tests.workbook import disks
from tests.workbook.disks import OLD


@pytest.fixture
def path(tmp_path):
    return disks.plain_file(tmp_path)


def test_a_file_that_nobody_writes_to_surely_is_what_it_holds(path):
    found = contents.look(path)
    assert found.surely(disks.fingerprint(OLD)[:16])
    assert not found.surely(disks.fingerprint(b"something else")[:16])


def test_a_file_that_is_open_for_writing_is_not_surely_what_it_holds(path):
    with path.open("r+b"):
        assert not contents.look(path).surely(disks.fingerprint(OLD)[:16])


def test_a_network_share_that_gives_no_leases_does_not_make_every_file_open(path, monkeypatch):
    monkeypatch.setattr(fcntl, "fcntl", disks.failing(errno.EAGAIN))
    assert contents.being_written(path)
    monkeypatch.setattr(contents, "_LOCAL", frozenset())
    assert not contents.being_written(path)
    assert contents.look(path).surely(disks.fingerprint(OLD))


def test_a_file_that_changes_while_it_is_looked_at_is_being_written(path, monkeypatch):
    real = hashlib.file_digest

    def digest(*args):
        with path.open("ab") as file:
            file.write(b"more")
        return real(*args)

    monkeypatch.setattr(fcntl, "fcntl", disks.failing(errno.EACCES))
    assert contents.look(path) == contents.Contents(disks.fingerprint(OLD))
    monkeypatch.setattr(hashlib, "file_digest", digest)
    assert contents.look(path).being_written


def test_a_file_that_is_not_there_is_not_being_written(path):
    assert not contents.being_written(path.with_name("missing.xlsx"))


def test_a_special_file_has_no_contents(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert contents.look(tmp_path / "pipe") == contents.Contents(None)
