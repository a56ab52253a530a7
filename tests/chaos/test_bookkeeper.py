"""The person with the workbook: their edits can be found again, and they never lose others'."""

from __future__ import annotations

import datetime as dt
import json
import random
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from tests.chaos import saving_by_hand, workbook_hands
from tests.chaos.bookkeeper import Bookkeeper
from tests.chaos.interfaces import Stage
from tests.chaos.saving_by_hand import Changed, Way, fingerprint, on_screen, owner_file, save
from tests.chaos.workbook_hands import Marks, OpenBook

HEADINGS = (
    workbook_hands.NAME,
    workbook_hands.PHONE,
    workbook_hands.DATE,
    workbook_hands.TOTAL,
    workbook_hands.MONTHS,
    workbook_hands.REASON,
    workbook_hands.CASE,
    workbook_hands.NOTES,
)


@pytest.fixture(autouse=True)
def _workbook(stage: Stage) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "cancellation"
    sheet.append(["Cancelled clients"])
    sheet.append([])
    sheet.append(HEADINGS)
    day = dt.date(2026, 3, 1)
    for number in range(4):
        sheet.append((f"Former {number}", "5550100", day, 99, 1, "Other", None))
    sheet.append(("Desk Client", "5550101", day, 99, 4, "Moved", "C-00007"))
    book.create_sheet("Notes").append(["Ask the manager."])
    book.save(stage.workbook)


@pytest.fixture
def bookkeeper(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Bookkeeper:
    monkeypatch.setattr("tests.chaos.bookkeeper._THINKS", (0.0, 0.0))
    monkeypatch.setattr("tests.chaos.bookkeeper._PAUSE", 0.0)
    return Bookkeeper(stage, random.Random(1))


def written(stage: Stage, what: str) -> list[dict[str, Any]]:
    return [entry for entry in stage.journal.entries() if entry["what"] == what]


def everything_in(path: Path) -> str:
    """Every text, comment and colour of a workbook."""
    said = []
    for sheet in load_workbook(path).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                note = cell.comment.text if cell.comment else ""
                said.append(f"{cell.value} {note} {cell.fill.start_color.rgb}")
    return json.dumps(said)


@pytest.mark.parametrize("way", Way)
def test_every_edit_is_in_the_workbook_whatever_way_it_is_saved(
    stage: Stage, bookkeeper: Bookkeeper, way: Way
) -> None:
    marks = Marks(9, random.Random(way))
    assert all(bookkeeper.edit(marks.any(), marks.any(), way=way) for _ in range(8))
    said = everything_in(stage.workbook)
    edits = written(stage, "edited")
    assert len(edits) == 16
    assert all(edit["mark"] in said for edit in edits)
    assert all(f"Former {number}" in said for number in range(4))


def test_the_same_seed_makes_the_same_edits(stage: Stage) -> None:
    def marks() -> list[object]:
        book = OpenBook.opened(stage.workbook.read_bytes())
        maker = Marks(3, random.Random(3))
        return [maker.any()(book) for _ in range(12)]

    assert marks() == marks()


def test_only_rows_that_stay_are_written_into(stage: Stage, bookkeeper: Bookkeeper) -> None:
    def notes_beside_the_desks_row() -> object:
        book = OpenBook.opened(stage.workbook.read_bytes())
        return book.cell(book.row_of("C-00007"), workbook_hands.NOTES).value

    marks = Marks(9, random.Random(9))
    assert all(bookkeeper.edit(marks.note) for _ in range(20))
    assert notes_beside_the_desks_row() is None
    marks.staying.add("C-00007")
    assert all(bookkeeper.edit(marks.note) for _ in range(40))
    assert notes_beside_the_desks_row() is not None


@pytest.mark.parametrize("way", Way)
def test_nobody_saves_over_what_another_saved_meanwhile(stage: Stage, way: Way) -> None:
    opened = fingerprint(b"an earlier version")
    theirs = stage.workbook.read_bytes()
    with pytest.raises(Changed):
        save(stage.workbook, way, opened, b"mine")
    assert stage.workbook.read_bytes() == theirs
    assert [file.name for file in stage.folder.iterdir() if file.suffix != ".jsonl"] == [
        "list.xlsx"
    ]


def test_an_edit_is_made_anew_on_what_another_saved_meanwhile(
    stage: Stage, bookkeeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = Marks(4, random.Random(4))
    saves: list[Way] = []

    def another_first(path: Path, way: Way, opened: str, data: bytes) -> None:
        saves.append(way)
        if len(saves) == 1:
            book = OpenBook.opened(path.read_bytes())
            others.row_on_top(book)
            path.write_bytes(book.saved())
        save(path, way, opened, data)

    monkeypatch.setattr("tests.chaos.bookkeeper.save", another_first)
    assert bookkeeper.edit(Marks(5, random.Random(5)).row_on_top)
    assert len(saves) == 2
    assert "By Hand mark-4-0001" in everything_in(stage.workbook)
    (edit,) = written(stage, "edited")
    assert edit["mark"] in everything_in(stage.workbook)


def test_the_owner_file_is_there_while_the_workbook_is_open(stage: Stage) -> None:
    with on_screen(stage.workbook, Way.EXCEL):
        said = owner_file(stage.workbook).read_bytes()
        assert said[1 : 1 + said[0]] == b"Rosa Example"
    assert not owner_file(stage.workbook).exists()


def test_what_a_crashed_program_left_is_tidied_away(stage: Stage, bookkeeper: Bookkeeper) -> None:
    saving_by_hand.leave_owner_file(stage.workbook)
    assert bookkeeper.tidy()
    assert not bookkeeper.tidy()
    assert not owner_file(stage.workbook).exists()


def test_a_row_of_the_desks_is_deleted_when_it_is_there(
    stage: Stage, bookkeeper: Bookkeeper
) -> None:
    assert not bookkeeper.delete_row("C-00099")
    assert bookkeeper.delete_row("C-00007")
    assert not bookkeeper.delete_row("C-00007")
    assert [entry["case"] for entry in written(stage, "row_deleted")] == ["C-00007"]
    assert "Desk Client" not in everything_in(stage.workbook)


def test_a_changed_row_is_put_right(stage: Stage, bookkeeper: Bookkeeper) -> None:
    assert bookkeeper.change_row("C-00007")
    book = OpenBook.opened(stage.workbook.read_bytes())
    assert book.cell(book.row_of("C-00007"), workbook_hands.MONTHS).value == 5
    assert bookkeeper.put_row_right("C-00007")
    book = OpenBook.opened(stage.workbook.read_bytes())
    assert book.cell(book.row_of("C-00007"), workbook_hands.MONTHS).value == 4


def test_a_row_written_by_hand_is_taken_out_when_the_desk_asks(
    stage: Stage, bookkeeper: Bookkeeper
) -> None:
    on = dt.date(2026, 11, 27)
    assert bookkeeper.write_by_hand("case-0001", "Ada Abara", "2065550100", on)
    (edit,) = written(stage, "edited")
    assert edit["mark"] in everything_in(stage.workbook)
    assert bookkeeper.take_out_by_hand("case-0001")
    assert [entry["mark"] for entry in written(stage, "unedited")] == [edit["mark"]]
    assert edit["mark"] not in everything_in(stage.workbook)
    assert not bookkeeper.take_out_by_hand("case-0001")


@pytest.mark.parametrize("is_built_on_mine", [True, False])
def test_what_came_in_with_somebody_elses_save_in_between_is_noted(
    stage: Stage,
    bookkeeper: Bookkeeper,
    monkeypatch: pytest.MonkeyPatch,
    is_built_on_mine: bool,
) -> None:
    theirs = Marks(4, random.Random(4))
    swaps: list[Path] = []
    swap = saving_by_hand._swap

    def swapped_and_saved_by_another(one: Path, other: Path) -> None:
        if not swaps:
            other.write_bytes(other.read_bytes() + b" changed since it was opened")
        swap(one, other)
        swaps.append(one)
        if len(swaps) == 1:
            book = OpenBook.opened(other.read_bytes() if is_built_on_mine else original)
            theirs.row_on_top(book)
            other.unlink()
            other.write_bytes(book.saved())

    original = stage.workbook.read_bytes()
    monkeypatch.setattr(saving_by_hand, "_swap", swapped_and_saved_by_another)
    monkeypatch.setattr("tests.chaos.bookkeeper._RESTED", 0.0)
    mine = Marks(5, random.Random(5))

    assert bookkeeper.edit(mine.row_on_top, way=Way.SYNC)
    assert bookkeeper.edit(mine.row_on_top, way=Way.SYNC)

    once, undisturbed = (
        everything_in(stage.workbook).count(edited["mark"]) for edited in written(stage, "edited")
    )
    assert once == undisturbed > 0
    refused = [entry for entry in written(stage, "saved") if not entry["ok"]]
    assert len(refused) == (0 if is_built_on_mine else 1)
