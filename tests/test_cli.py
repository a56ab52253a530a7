from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from canceldesk.cli import app

COMMANDS = {
    "backup",
    "case",
    "demo",
    "doctor",
    "list",
    "migrate",
    "refresh",
    "restore",
    "serve",
    "settings",
    "user",
    "web",
    "worker",
}


def test_the_version_is_said() -> None:
    said = CliRunner().invoke(app, ["--version"])

    assert said.stdout.startswith("canceldesk 0.")


def test_every_command_has_a_sentence_about_it() -> None:
    about = {}
    for command in app.registered_commands:
        assert command.callback is not None
        about[command.name or command.callback.__name__] = command.callback.__doc__

    assert about.keys() | {group.name for group in app.registered_groups} == COMMANDS
    assert all(about.values())


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(command: str) -> None:
    said = CliRunner().invoke(app, [command, "--help"])

    assert said.exit_code == 0
    assert "Usage" in said.stdout


@pytest.mark.parametrize("command", [["list", "--help"], ["--version"], ["serve", "--help"]])
def test_what_needs_no_desk_imports_neither_django_nor_the_engine(command: list[str]) -> None:
    code = (
        "import sys, contextlib\n"
        f"sys.argv = ['canceldesk', *{command!r}]\n"
        "from canceldesk.cli import main\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "print(sorted(sys.modules.keys() & {'django', 'dbos', 'sqlalchemy'}), file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"
