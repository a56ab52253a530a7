"""The command `canceldesk`.

Exit codes: 0 done, 1 refused with a reason, 2 cannot (not set up, unreachable, not understood).
Django and the engine are imported by the commands that need them, so that `canceldesk list`
works anywhere and at once.
"""

from __future__ import annotations

from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from canceldesk.backup import pending
from canceldesk.commands import backup, cases, checking, demo, running, settings, users
from canceldesk.commands.answering import cannot
from canceldesk.workbook.commands import list_app

app = typer.Typer(
    name="canceldesk",
    help="Handles every request to stop a Billsby subscription to its proven end.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(list_app, name="list")
app.add_typer(cases.app, name="case")
app.add_typer(users.app, name="user")
for command in (
    running.serve,
    running.web,
    running.worker,
    running.migrate,
    running.refresh,
    checking.doctor,
    backup.backup,
    backup.restore,
    settings.settings,
    demo.demo,
):
    app.command()(command)


_NEED_NO_DESK = {"restore", "list", "demo"}


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"canceldesk {installed_version('canceldesk')}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Nothing works on a desk that is half restored."""
    if context.invoked_subcommand not in _NEED_NO_DESK and (why := pending.warning()):
        cannot(why)


def main() -> None:
    """Run the command line."""
    app()
