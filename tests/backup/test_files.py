from __future__ import annotations

import datetime as dt
import errno
import os
from pathlib import Path

import pytest

from canceldesk import clock
from canceldesk.backup import files
from canceldesk.backup.errors import CannotError

AT = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name).write_text(name)

    given = [files.name(tmp_path / name, tmp_path / "b.zip").name for name in ("one", "two")]

    assert given == ["b.zip", "b-2.zip"]
    assert files.name(tmp_path / "three", tmp_path / "b.zip").read_text() == "three"


@pytest.mark.parametrize("has_links", [True, False])
def test_a_name_that_another_machine_takes_at_that_very_moment_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_links: bool
) -> None:
    (tmp_path / "ours").write_text("ours")
    target = tmp_path / "b.zip"
    link = os.link

    def linked_too_late(source: Path, name: Path) -> None:
        if name == target:
            name.write_text("theirs")
        if not has_links:
            raise OSError(errno.EPERM, "no links here")
        link(source, name)

    monkeypatch.setattr(os, "link", linked_too_late)
    given = files.name(tmp_path / "ours", target)

    assert (target.read_text(), given.name, given.read_text()) == ("theirs", "b-2.zip", "ours")
    assert not (tmp_path / "ours").exists()


def test_half_made_things_of_killed_processes_go_after_a_day(tmp_path: Path) -> None:
    with files.scratch(tmp_path) as young:
        old = tmp_path / ".canceldesk-backup-old"
        old.mkdir()
        (old / "database").write_text("x")
        os.utime(old, (0, 0))
        with files.scratch(tmp_path):
            assert young.is_dir()
            assert not old.exists()
    assert list(tmp_path.iterdir()) == []


def test_what_is_put_in_place_of_another_is_for_the_desk_alone(tmp_path: Path) -> None:
    target = tmp_path / "secret-key"
    target.write_text("old")

    with clock.frozen(AT):
        kept = files.keep_aside(target, target.read_bytes())
    files.put(target, b"new")

    assert (target.read_text(), kept.read_text()) == ("new", "old")
    assert kept.name == "secret-key.before-restore-2026-03-02T150000Z"
    assert {one.stat().st_mode & 0o777 for one in (target, kept)} == {0o600}


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(CannotError, match="cannot be written"):
        files.make_folder(tmp_path / "file" / "folder")
