"""kill -9 at every step boundary and before and after every outside call: it converges."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.databases import migrated_database

pytestmark = pytest.mark.database

CONVERGED = {
    "state": "closed",
    "rows": 1,
    "others": 6,
    "on_top": True,
    "written_off": 2,
    "write_off_calls": 2,
    "log_closed": 1,
}

ONE_RIGHT_ROW = {
    "state": "closed",
    "rows": ["2026-03-03"],
    "others": 6,
    "on_top": True,
    "taken_back": 1,
    "taken_out": 1,
    "written": 2,
    "log_closed": 1,
}


@pytest.mark.parametrize(
    ("decision", "status"), [("suspend", "Suspended"), ("cancel", "Cancelled")]
)
def test_a_closing_killed_anywhere_is_finished_by_another_process(
    tmp_path: Path, decision: str, status: str
) -> None:
    points, kills = told_by("kill_story", tmp_path, decision)
    for call in ("set_renewal_date", "write_off", "subscription", "customer_invoices"):
        assert {f"before billsby.{call}", f"after billsby.{call}"} <= set(points)
    assert {"before list.add", "after list.add", "after a commit"} <= set(points)
    assert not strays(kills, CONVERGED | {"status": status})


@pytest.mark.parametrize("decided_again", ["when_out", "at_once"])
def test_a_row_taken_out_and_written_anew_is_there_once_wherever_it_was_killed(
    tmp_path: Path, decided_again: str
) -> None:
    points, kills = told_by("kill_taking_back", tmp_path, decided_again)
    assert {"before list.remove", "after list.remove", "after list.add"} <= set(points)
    assert not strays(kills, ONE_RIGHT_ROW)


def told_by(story: str, work: Path, *given: object) -> tuple[list[str], list[dict[str, Any]]]:
    """The points of a story, and what became of it when it was killed at each of them."""
    with migrated_database(work / "desk") as url:
        run = subprocess.run(
            [sys.executable, "-m", f"tests.closing.{story}", str(work), *map(str, given)],
            env=os.environ | {"CANCELDESK_DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    points, kills = lines[0]["points"], lines[1:]
    assert [point for kill in kills for point in kill["points"]] == points
    assert all(kill["killed"] for kill in kills)
    return points, kills


def strays(kills: list[dict[str, Any]], should: dict[str, Any]) -> list[dict[str, Any]]:
    """Those that did not come to what they should."""
    return [kill for kill in kills if any(kill.get(what) != end for what, end in should.items())]
