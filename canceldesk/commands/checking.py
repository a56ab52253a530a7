"""`canceldesk doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from canceldesk.commands.answering import DONE, REFUSED, AsJson, answering, say_json

if TYPE_CHECKING:
    from canceldesk.doctor import Examined

_MARKS = {"well": "[green]✓[/]", "wrong": "[bold red]✗[/]", "not used": "[dim]·[/]"}


def doctor(as_json: AsJson = False) -> None:
    """Examine everything the desk depends on; exit code 1 when something is wrong."""
    with answering(as_json=as_json, migrated=False):
        from canceldesk import doctor as examining

        examined = []
        for one in examining.examine():
            examined.append(one)
            if not as_json:
                _say(one)
        well = examining.is_well(examined)
        if as_json:
            say_json({"well": well, "examined": [vars(one) for one in examined]})
        raise typer.Exit(DONE if well else REFUSED)


def _say(one: Examined) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    console.print(f"{_MARKS[one.verdict]} [bold]{escape(one.part)}[/]  {escape(one.sentence)}")
    for name, value in one.details.items():
        console.print(f"    {name}: {escape(value)}")
