"""kill -9 at every step boundary and before and after every outside call: it converges."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

CONVERGED = {
    "state": "closed",
    "rows": 1,
    "others": 6,
    "on_top": True,
    "written_off": 2,
    "written_off_twice": 0,
    "log_closed": 1,
}


@pytest.mark.parametrize(
    ("decision", "status"), [("suspend", "Suspended"), ("cancel", "Cancelled")]
)
def test_a_closing_killed_anywhere_is_finished_by_another_process(
    tmp_path: Path, decision: str, status: str
) -> None:
    story = subprocess.run(
        [sys.executable, "-m", "tests.closing.kill_story", str(tmp_path), decision],
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert story.returncode == 0, story.stderr
    lines = [json.loads(line) for line in story.stdout.splitlines() if line.startswith("{")]
    points, kills = lines[0]["points"], lines[1:]
    assert len(kills) == len(points)
    assert all(kill["killed"] for kill in kills)
    for call in ("set_renewal_date", "write_off", "subscription", "customer_invoices"):
        assert {f"before billsby.{call}", f"after billsby.{call}"} <= set(points)
    assert {"before list.add", "after list.add", "after a commit"} <= set(points)
    strays = [
        kill
        for kill in kills
        if any(kill.get(what) != should for what, should in CONVERGED.items())
        or kill["status"] != status
    ]
    assert not strays
