"""`canceldesk list`: the list of a workbook file, with no database and no Django.

Exit codes: 0 done, 1 refused with a reason, 2 cannot read (and wrong usage).
"""

from __future__ import annotations

import typer

from canceldesk.workbook.commands import adding, creating, removing, showing
from canceldesk.workbook.comparing.commands import verify_command
from canceldesk.workbook.graph.commands import sign_in

list_app = typer.Typer(
    help="Show the cancellation list of a workbook, and put rows on top of it or take them out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
list_app.command()(showing.show)
list_app.command()(adding.add)
list_app.command()(removing.remove)
list_app.command("verify")(verify_command)
list_app.command()(creating.create)
list_app.command("sign-in")(sign_in)

__all__ = ["list_app"]
