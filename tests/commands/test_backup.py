"""`canceldesk backup` and `canceldesk restore` as cron and people run them: real processes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from canceldesk.workbook.creating import create_list
from tests.backup.telling import forked, own_environment
from tests.databases import database_of_its_own, migrated_database

pytestmark = pytest.mark.database


@dataclass
class Machine:
    """A machine with a desk that was set up, and a list."""

    work: Path
    environment: dict[str, str]

    def say(self, *command: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return forked("canceldesk", [*command], self.environment, typed)

    @property
    def kept(self) -> list[Path]:
        return sorted((self.work / "desk" / "backups").glob("*.zip"))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with migrated_database(tmp_path / "desk") as url:
        create_list(tmp_path / "list.xlsx")
        yield Machine(tmp_path, {**own_environment(tmp_path), "CANCELDESK_DATABASE_URL": url})


def test_one_line_says_what_was_made_and_it_can_be_proven_and_restored(machine: Machine) -> None:
    made = machine.say("backup")

    assert (made.returncode, made.stderr) == (0, "")
    assert len(made.stdout.splitlines()) == 1
    assert "with 0 cases and 0 log entries, the workbook, the secret key" in made.stdout
    (file,) = machine.kept
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700

    proven = machine.say("backup", "--check", str(file), "--json")
    assert proven.returncode == 0
    told = json.loads(proven.stdout)
    assert (told["done"], told["not_shown"]) == (True, "")
    names = {member["name"] for member in told["manifest"]["members"]}
    assert {"workbook", "secret-key"} < names

    declined = machine.say("restore", str(file), typed="no\n")
    assert declined.returncode == 1
    assert "Type restore to go on" in declined.stdout
    assert "Nothing was changed." in declined.stderr

    restored = machine.say("restore", str(file), typed="restore\n")
    assert restored.returncode == 0, restored.stderr
    assert "New cases are numbered from C-01001" in restored.stdout
    assert "canceldesk-before-restore-" in restored.stdout
    assert len(machine.kept) == 2


def test_a_backup_into_a_folder_keeps_as_many_as_asked_and_says_it_in_json(
    machine: Machine,
) -> None:
    folder = machine.work / "elsewhere"
    told = [
        json.loads(machine.say("backup", str(folder), "--keep", "1", "--json").stdout)
        for _ in range(2)
    ]

    assert [one["done"] for one in told] == [True, True]
    assert told[1]["deleted"] == [told[0]["file"]]
    assert [str(file) for file in folder.iterdir()] == [told[1]["file"]]


def test_a_name_of_ones_own_is_never_written_over(machine: Machine) -> None:
    file = machine.work / "before-we-moved.zip"
    assert machine.say("backup", str(file)).returncode == 0
    content = file.read_bytes()

    again = machine.say("backup", str(file))

    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert file.read_bytes() == content


def test_without_its_workbook_the_desk_is_backed_up_and_cron_hears_of_it(
    machine: Machine,
) -> None:
    (machine.work / "list.xlsx").unlink()

    made = machine.say("backup")

    assert made.returncode == 2
    assert "The workbook is not in the backup: There is no workbook at" in made.stderr
    assert len(machine.kept) == 1
    assert machine.say("backup", "--check", str(machine.kept[0])).returncode == 0


def test_an_altered_backup_is_neither_proven_nor_restored(machine: Machine) -> None:
    machine.say("backup")
    (file,) = machine.kept
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)

    for command in (["backup", "--check", str(file)], ["restore", str(file), "--yes"]):
        said = machine.say(*command)
        assert said.returncode == 2
        assert "is not a whole backup of the desk" in said.stderr


def test_a_script_that_does_not_say_yes_is_refused(machine: Machine) -> None:
    machine.say("backup")

    refused = machine.say("restore", str(machine.kept[0]), "--json")

    assert refused.returncode == 1
    assert json.loads(refused.stdout) == {
        "done": False,
        "sentence": "Nobody can be asked here. Say --yes if you mean it.",
    }


def test_nothing_works_on_a_desk_that_is_half_restored_until_that_is_settled(
    machine: Machine,
) -> None:
    folder = machine.work / "desk" / "restoring"
    folder.mkdir()
    plan = {"restore": "abc", "file": "b.zip", "began_at": "2026-03-02T15:00:00Z"}
    (folder / "plan.json").write_text(json.dumps(plan))

    for command in (["serve"], ["case", "list"], ["backup"]):
        stopped = machine.say(*command)
        assert stopped.returncode == 2
        assert "If nobody is restoring it right now, run `canceldesk restore`" in stopped.stderr
    assert machine.say("list", "--help").returncode == 0

    settled = machine.say("restore")
    assert settled.returncode == 0
    assert "was interrupted before anything was changed" in settled.stdout
    assert not folder.exists()
    assert machine.say("restore").returncode == 1
    assert machine.say("case", "list").returncode == 0


def test_a_desk_that_was_never_set_up_has_nothing_to_back_up(tmp_path: Path) -> None:
    with database_of_its_own() as url:
        fresh = Machine(tmp_path, {**own_environment(tmp_path), "CANCELDESK_DATABASE_URL": url})

        said = fresh.say("backup")

    assert said.returncode == 2
    assert "not set up yet" in said.stderr
