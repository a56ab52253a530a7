"""PostgreSQL's programs are found, told apart by age, and never told a password to see."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from django.db import connection

from canceldesk.backup import programs
from canceldesk.backup.errors import CannotError


def program(folder: Path, version: str, *, does: str = "") -> Path:
    """A stand-in that says its version and does what a shell understands."""
    folder.mkdir(parents=True)
    made = folder / "pg_dump"
    says = f'[ "$1" = --version ] && echo "pg_dump (PostgreSQL) {version}" && exit'
    made.write_text(f"#!/bin/sh\n{says}\n{does}\n")
    made.chmod(0o755)
    return made


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any PostgreSQL yet: `debian` is where Debian puts it, `bin` is the PATH."""
    monkeypatch.setattr(programs, "_FOLDERS", tmp_path / "debian")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")
    monkeypatch.setattr(shutil, "which", lambda name: _on_path(tmp_path / "bin", name))
    return tmp_path


def _on_path(folder: Path, name: str) -> str | None:
    return str(folder / name) if (folder / name).exists() else None


def test_the_newest_one_is_taken_wherever_it_is(machine: Path) -> None:
    program(machine / "bin", "13.4")
    program(machine / "debian" / "9" / "bin", "9.6.2")
    newest = program(machine / "debian" / "16" / "bin", "16.1 (Debian 16.1-1)")

    assert programs.find("pg_dump", at_least=16) == newest


def test_one_older_than_the_server_is_refused_with_what_to_install(machine: Path) -> None:
    program(machine / "bin", "15.18")

    with pytest.raises(CannotError, match="apt-get install postgresql-client-17") as caught:
        programs.find("pg_dump", at_least=17)
    assert "is of PostgreSQL 15, but the server is of 17" in str(caught.value)


def test_where_there_is_none_it_is_said_what_to_install(machine: Path) -> None:
    program(machine / "bin", "nothing it knows")

    with pytest.raises(CannotError, match="pg_dump is not on this machine"):
        programs.find("pg_dump")


def test_a_password_goes_through_the_environment_and_into_no_complaint(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"dbname": "desk", "user": "u", "password": "s3cret", "host": "h", "sslmode": "require"}
    monkeypatch.setattr(connection, "get_connection_params", lambda: told, raising=False)
    failing = program(
        machine / "bin", "15", does='echo "$PGDATABASE $PGUSER $PGHOST $PGSSLMODE ($*)" >&2; exit 1'
    )
    saying = program(machine / "other", "15", does='echo "$PGPASSWORD"')

    with pytest.raises(CannotError) as caught:
        programs.run(failing, "--format=custom")

    assert str(caught.value) == "pg_dump failed: desk u h require (--format=custom)"
    assert programs.run(saying).strip() == "s3cret"
