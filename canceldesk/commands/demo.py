"""`canceldesk demo`: a desk to try out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from canceldesk.commands.answering import cannot


def demo(
    *,
    data: Annotated[Path, typer.Option(help="The folder everything is kept in.")] = Path(
        "demo-data"
    ),
    port: Annotated[int, typer.Option(help="Port of the desk.")] = 8800,
    billsby_port: Annotated[int, typer.Option(help="Port of the practice Billsby.")] = 8900,
    reset: Annotated[bool, typer.Option("--reset", help="Start over.")] = False,
) -> None:
    """Serve a desk with a practice Billsby, a sample workbook and cases in every state."""
    from canceldesk.demo.practice import CannotStartError
    from canceldesk.demo.running import CannotRunError, Demo

    running = Demo(data.resolve(), port, billsby_port)
    try:
        if reset:
            running.remove()
        running.run()
    except (CannotRunError, CannotStartError) as problem:
        cannot(str(problem))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    from canceldesk import serving

    serving.leave(0)
