"""Backups are made while the desk works; old ones go, and nothing else."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from canceldesk.backup import archive, belongings, databases, files, keeping, making
from canceldesk.backup.making import Made
from canceldesk.backup.manifest import Counted
from canceldesk.workbook.creating import create_list
from tests.backup.telling import told
from tests.backup.test_archive import AT, manifest


@pytest.mark.database
def test_backups_of_a_desk_that_is_written_to_all_the_time_are_whole(tmp_path: Path) -> None:
    came = told(tmp_path, "while_others_write", backups=4)

    assert came["entries"] == sorted(came["entries"])
    assert came["entries"][0] >= 5
    assert came["entries"][-1] > came["entries"][0]
    assert len(came["left"]) == 4


def a_backup(folder: Path, name: str, *, days: int = 0, began: int = 0) -> Made:
    told = manifest(())
    counted = Counted(**told.counted.model_dump() | {"began_at": AT + dt.timedelta(days=began)})
    told = told.model_copy(update={"made_at": AT + dt.timedelta(days=days), "counted": counted})
    with files.new_file(folder / name) as into:
        archive.pack(into, {}, lambda _: told)
    return Made(folder / name, told)


def test_only_the_newest_are_kept_of_this_desks_own(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        a_backup(tmp_path, f"canceldesk-2026-03-0{day}T030000Z.zip", days=day)
    a_backup(tmp_path, "canceldesk-2026-03-01T030000Z-2.zip", days=1, began=1)
    a_backup(tmp_path, "canceldesk-before-restore-2026-03-01T030000Z.zip")
    a_backup(tmp_path, "before-we-moved.zip")
    (tmp_path / "canceldesk-2026-02-01T030000Z.zip").write_text("no backup at all")
    made = a_backup(tmp_path, "canceldesk-2026-03-04T030000Z.zip", days=4)

    dropped = keeping.drop_older(made, 2)

    assert sorted(file.name for file in dropped) == [
        "canceldesk-2026-03-01T030000Z.zip",
        "canceldesk-2026-03-02T030000Z.zip",
    ]
    assert len(list(tmp_path.iterdir())) == 6


def test_the_one_just_made_stays_even_if_the_clock_went_back(tmp_path: Path) -> None:
    a_backup(tmp_path, "canceldesk-2026-03-09T030000Z.zip", days=9)
    made = a_backup(tmp_path, "canceldesk-2026-03-01T030000Z.zip", days=1)

    keeping.drop_older(made, 1)

    assert made.file.exists()


def test_one_stamped_by_a_clock_that_was_ahead_takes_nobodys_place(tmp_path: Path) -> None:
    a_backup(tmp_path, "canceldesk-2027-03-09T030000Z.zip", days=365)
    a_backup(tmp_path, "canceldesk-2026-03-01T030000Z.zip", days=1)
    a_backup(tmp_path, "canceldesk-2026-03-02T030000Z.zip", days=2)
    made = a_backup(tmp_path, "canceldesk-2026-03-03T030000Z.zip", days=3)

    dropped = keeping.drop_older(made, 2)

    assert [file.name for file in dropped] == ["canceldesk-2026-03-01T030000Z.zip"]


@pytest.mark.django_db
def test_what_is_done_while_a_backup_is_made_is_in_the_workbook_if_in_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def copy(target: Path) -> Counted:
        target.write_text("database")
        done.append("database")
        return manifest(()).counted

    def read_workbook() -> belongings.Workbook:
        done.append("workbook")
        return belongings.Workbook(b"workbook")

    monkeypatch.setenv("CANCELDESK_SECRET_KEY", "k")
    monkeypatch.setattr(databases.of_the_desk().__class__, "prove", lambda *_: "")
    making.pack(tmp_path, "b.zip", copy=copy, read_workbook=read_workbook)

    assert done == ["database", "workbook"]


@pytest.mark.django_db
def test_what_could_not_be_proven_is_told_beside_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy(target: Path) -> Counted:
        target.write_text("database")
        return manifest(()).counted

    monkeypatch.setenv("CANCELDESK_SECRET_KEY", "k")
    monkeypatch.setattr(databases.of_the_desk().__class__, "prove", lambda *_: "Nobody read it.")
    there = belongings.Workbook(b"workbook")
    gone = belongings.Workbook(why="It is gone.", is_missed=True)
    made = [
        making.pack(tmp_path, f"{number}.zip", copy=copy, read_workbook=lambda it=it: it)  # type: ignore[misc]
        for number, it in enumerate([there, gone])
    ]

    assert [one.missed for one in made] == [
        "Nobody read it.",
        "The workbook is not in the backup: It is gone. Nobody read it.",
    ]


def workbook_bytes(folder: Path) -> bytes:
    create_list(folder / "made.xlsx")
    return (folder / "made.xlsx").read_bytes()


@pytest.mark.django_db
def test_a_workbook_that_is_just_being_saved_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "list.xlsx"
    content = workbook_bytes(tmp_path)
    whole.write_bytes(content[:-100])
    monkeypatch.setenv("CANCELDESK_WORKBOOK_PATH", str(whole))
    waited: list[float] = []

    def saved_meanwhile(seconds: float) -> None:
        waited.append(seconds)
        whole.write_bytes(content)

    assert belongings.read_workbook(sleep=saved_meanwhile).content == content
    assert len(waited) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "why", "missed"),
    [
        ("", "None is set up", False),
        ("https://contoso.sharepoint.com/:x:/s/desk/abc", "OneDrive or SharePoint", False),
        ("gone.xlsx", "There is no workbook at", True),
        ("half.xlsx", "is damaged, or was being saved", True),
    ],
)
def test_why_there_is_no_workbook_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, why: str, *, missed: bool
) -> None:
    (tmp_path / "half.xlsx").write_bytes(workbook_bytes(tmp_path)[:-100])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CANCELDESK_WORKBOOK_PATH", path)

    found = belongings.read_workbook(sleep=lambda _: None)

    assert found.content is None
    assert why in found.why
    assert found.is_missed is missed
