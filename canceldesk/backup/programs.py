"""PostgreSQL's own programs for dumping and restoring: finding them, and running them so that no
password is ever seen.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from django.db import connection
from psycopg.pq import Conninfo

from canceldesk.backup.errors import CannotError

_FOLDERS: Final = Path("/usr/lib/postgresql")
_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)")
_LAST_WORDS: Final = 400


def find(name: str, *, at_least: int = 0) -> Path:
    """The newest program of that name on this machine, of PostgreSQL `at_least` that new.

    Raises CannotError with what to install.
    """
    found = [(version, path) for path in _candidates(name) if (version := _version(path))]
    wanted = f"postgresql-client-{at_least}" if at_least else "postgresql-client"
    if not found:
        raise CannotError(
            f"{name} is not on this machine. Install PostgreSQL's client programs (Debian: "
            f"apt-get install {wanted})."
        )
    version, path = max(found)
    if version < at_least:
        raise CannotError(
            f"The newest {name} on this machine is of PostgreSQL {version}, but the server is of "
            f"{at_least}, which it cannot read. Install newer client programs (Debian: apt-get "
            f"install {wanted})."
        )
    return path


def _candidates(name: str) -> Iterator[Path]:
    yield from _FOLDERS.glob(f"*/bin/{name}")
    on_path = shutil.which(name)
    if on_path:
        yield Path(on_path)


def _version(program: Path) -> int | None:
    try:
        said = subprocess.run(  # noqa: S603 - a program found under a fixed name
            [program, "--version"], capture_output=True, text=True, timeout=20, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(said)
    return int(match[1]) if match else None


def run(program: Path, *arguments: str | Path) -> str:
    """Run a program on the desk's database and give what it printed. Raises CannotError."""
    with reading(program, *arguments) as said:
        return said.read().decode(errors="replace")


@contextmanager
def reading(program: Path, *arguments: str | Path) -> Iterator[IO[bytes]]:
    """Run a program on the desk's database and read what it prints.

    Raises CannotError with its last words when it fails.
    """
    with (
        TemporaryFile() as complaints,
        subprocess.Popen(  # noqa: S603 - as above; the arguments are the desk's own
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=_environment(),
        ) as running,
    ):
        assert running.stdout is not None  # noqa: S101 - it was asked for
        try:
            yield running.stdout
        except BaseException:
            running.kill()
            raise
        if running.wait():
            complaints.seek(0)
            words = complaints.read().decode(errors="replace").split()
            raise CannotError(f"{program.name} failed: {' '.join(words)[-_LAST_WORDS:]}")


def _environment() -> dict[str, str]:
    """Where the database is and how to sign in, in libpq's own variables: arguments could be read
    by everybody on the machine.
    """
    told = connection.get_connection_params()
    variables = {
        option.envvar.decode(): str(told[option.keyword.decode()])
        for option in Conninfo.get_defaults()
        if option.envvar and told.get(option.keyword.decode()) not in {None, ""}
    }
    return {**os.environ, **variables}
