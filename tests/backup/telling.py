"""Having a story told in a process of its own, on a database of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.databases import migrated_database

ROOT = Path(__file__).parents[2]


def told(work: Path, story: str, **how: object) -> Any:
    """What came of a story of `tests.backup.stories`, begun on a migrated database."""
    with migrated_database(work / "desk") as url:
        done = subprocess.run(
            [sys.executable, "-m", "tests.backup.stories", work, story, json.dumps(how)],
            env={**own_environment(work), "CANCELDESK_DATABASE_URL": url},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def own_environment(work: Path) -> dict[str, str]:
    """The environment without what this run was told about its own desk."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CANCELDESK_")}
    return {
        **kept,
        "CANCELDESK_DATA": str(work / "desk"),
        "CANCELDESK_WORKBOOK_PATH": str(work / "list.xlsx"),
    }
