"""Having a story told in a process of its own, on a database of its own."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.databases import migrated_database

ROOT = Path(__file__).parents[2]


def told(work: Path, story: str, **how: object) -> Any:
    """What came of a story of `tests.backup.stories`, begun on a migrated database."""
    with migrated_database(work / "desk") as url:
        environment = {**own_environment(work), "CANCELDESK_DATABASE_URL": url}
        arguments = [str(work), story, json.dumps(how)]
        done = forked("tests.backup.stories", arguments, environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def forked(
    module: str, arguments: list[str], environment: dict[str, str], typed: str = ""
) -> subprocess.CompletedProcess[str]:
    """`python -m module arguments` as a process of its own that has `environment` alone and reads
    `typed`; it starts sooner than a new Python does.
    """
    with TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("in", "out", "err")]
        files[0].write_text(typed)
        asked = {
            "module": module,
            "arguments": arguments,
            "environment": environment,
            "files": list(map(str, files)),
        }
        teller = _teller()
        assert teller.stdin is not None
        assert teller.stdout is not None
        teller.stdin.write(json.dumps(asked) + "\n")
        teller.stdin.flush()
        ended = int(teller.stdout.readline())
        said, complained = (file.read_text() for file in files[1:])
    return subprocess.CompletedProcess([module, *arguments], ended, said, complained)


@lru_cache(maxsize=1)
def _teller() -> subprocess.Popen[str]:
    """One for all stories of this worker of the run."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.backup.teller"],
        cwd=ROOT,
        env=own_environment(ROOT),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.communicate)
    return process


def own_environment(work: Path) -> dict[str, str]:
    """The environment without what this run was told about its own desk."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CANCELDESK_")}
    return {
        **kept,
        "CANCELDESK_DATA": str(work / "desk"),
        "CANCELDESK_WORKBOOK_PATH": str(work / "list.xlsx"),
    }
