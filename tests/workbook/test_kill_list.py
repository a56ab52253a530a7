"""The proof by killing works, and would notice each of the harms it counts."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def kill_list(monkeypatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("kill_list")


@pytest.fixture
def rows_and_path(kill_list, tmp_path):
    with kill_list.workbook(tmp_path) as (path, rows):
        yield rows, path


def harms(kill_list, path, rows, edits=()):
    figures = kill_list.Figures()
    figures.judge(path, rows, list(edits))
    return figures.destroyed, figures.doubled, figures.lost_rows, figures.lost_edits


def test_a_sound_workbook_does_no_harm(kill_list, rows_and_path):
    rows, path = rows_and_path
    assert harms(kill_list, path, rows) == (0, 0, 0, 0)


def test_a_destroyed_workbook_is_noticed(kill_list, rows_and_path):
    rows, path = rows_and_path
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert harms(kill_list, path, rows) == (1, 0, 0, 0)
    at = whole.index(b"xl/worksheets/sheet1.xml") + 60
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
    assert harms(kill_list, path, rows) == (1, 0, 0, 0)
    path.unlink()
    assert harms(kill_list, path, rows) == (1, 0, 0, 0)


def test_a_lost_and_a_doubled_row_are_noticed(kill_list, rows_and_path):
    rows, path = rows_and_path
    assert harms(kill_list, path, ["One more", *rows])[2] == 1
    assert harms(kill_list, path, rows[1:])[2] == 1
    book = openpyxl.load_workbook(path)
    book["cancellation"].append([rows[0]])
    book.save(path)
    assert harms(kill_list, path, rows)[1] == 1


def test_a_lost_edit_is_noticed_and_one_set_aside_is_not_lost(kill_list, rows_and_path):
    rows, path = rows_and_path
    assert harms(kill_list, path, rows, ["an edit"]) == (0, 0, 0, 1)
    shutil.copy(path, path.with_name("clients (set aside now).xlsx"))
    kill_list.save_by_renaming(path.with_name("clients (set aside now).xlsx"), "an edit")
    assert harms(kill_list, path, rows, ["an edit"]) == (0, 0, 0, 0)


@pytest.mark.parametrize("way", ["save_by_renaming", "save_in_place"])
def test_what_a_person_saves_is_an_edit(kill_list, rows_and_path, way):
    rows, path = rows_and_path
    getattr(kill_list, way)(path, "an edit")
    assert harms(kill_list, path, rows, ["an edit"]) == (0, 0, 0, 0)


@pytest.mark.chaos
def test_killing_and_saving_all_over_does_no_harm():
    if shutil.which("strace") is None:
        pytest.skip("strace is missing: apt-get install strace")
    command = [sys.executable, "kill_list.py", "--kills", "20", "--saves", "20", "--seed", "11"]
    done = subprocess.run(command, cwd=BENCH, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 times harm was done" in done.stdout
    for part in ("killed at each call", "saved, then killed at each call", "without exchange"):
        assert part in done.stdout
