"""A restore is all or nothing, refused where it would harm, and keeps what it replaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from canceldesk.backup import restoring
from canceldesk.backup.errors import RefusedError
from tests.backup.telling import told
from tests.backup.test_archive import manifest
from tests.databases import on_postgresql

pytestmark = pytest.mark.database


def test_killed_anywhere_it_leaves_the_old_desk_or_the_restored_one_and_says_which(
    tmp_path: Path,
) -> None:
    came = told(tmp_path, "killed")

    kills = came["kills"]
    assert {"after write", "before finish", "before migrate"} <= {kill["point"] for kill in kills}
    old = [kill for kill in kills if kill["cases"] == kill["before"]]
    new = [kill for kill in kills if kill["cases"] == 1]
    assert old + new == kills
    assert old
    assert new
    assert not any(kill["restored"] for kill in old)
    assert all(kill["restored"] for kill in new)
    assert not any(kill["left"] for kill in kills)
    for kill in kills:
        if kill["warned"]:
            done = "has been finished now" if kill in new else "before anything was changed"
            assert done in kill["said"]
        else:
            assert kill["said"] == ""
    assert (came["cases"], came["queued"]) == (1, 0)


def test_it_is_refused_while_a_process_has_the_database_open(tmp_path: Path) -> None:
    came = told(tmp_path, "while_it_runs")

    assert came["refused"].startswith("RefusedError: The desk is running")
    assert "Stop `canceldesk serve`" in came["refused"]
    assert came["then"] == ""


def test_who_comes_to_write_meanwhile_writes_to_the_restored_desk(tmp_path: Path) -> None:
    came = told(tmp_path, "who_waits_meanwhile")

    assert came == {"ended": 0, "written": 1, "restored": 1}


def test_an_older_backup_is_brought_up_to_date(tmp_path: Path) -> None:
    came = told(tmp_path, "of_an_older_version")

    assert came["last_in_backup"] == "closing.0002_a_hold_that_was_sent"
    assert (came["is_migrated"], came["cases"], came["engine"]) == (True, 1, 0)


@pytest.mark.parametrize(
    ("which", "whose"),
    [("backup", "The backup was made by"), ("database", "The database here is of")],
)
def test_what_is_newer_than_the_code_is_refused(tmp_path: Path, which: str, whose: str) -> None:
    came = told(tmp_path, "of_a_newer_version", which=which)

    assert came["refused"].startswith(f"RefusedError: {whose} a newer version of the desk")
    assert came["log"] == 0


@pytest.mark.skipif(on_postgresql(), reason="a PostgreSQL server keeps its own files whole")
def test_a_damaged_file_is_kept_beside_the_restored_one(tmp_path: Path) -> None:
    came = told(tmp_path, "of_a_damaged_database")

    assert came == {"cases": 1, "aside": None, "kept_as_it_was": [True]}


def test_on_a_new_machine_key_and_workbook_come_back(tmp_path: Path) -> None:
    came = told(tmp_path, "on_a_new_machine")

    assert came["mode"] == "0o600"
    assert came["secret"] == "quite secret"
    assert came["kept_key"] == ["another key"]
    assert "is there again, as it was in the backup" in came["workbook"]
    assert came["rows"] == 1


def test_the_list_is_left_alone_unless_it_is_asked_for(tmp_path: Path) -> None:
    came = told(tmp_path, "with_the_workbook")

    assert (came["left_alone"], came["rows"]) == (2, 1)
    assert len(came["kept"]) == 1
    assert came["kept"][0] in came["said"]


def test_a_backup_that_lacks_something_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="Nothing was changed; restore another one"):
        restoring._staged(tmp_path / "b.zip", manifest(()), "canceldesk.sqlite3", tmp_path / "x")
