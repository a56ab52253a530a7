"""Running the desk, and what has to be done beside."""

from __future__ import annotations

from typing import Annotated

import typer

from canceldesk.commands.answering import AsJson, answering, cannot, say_json

_Listen = Annotated[
    str,
    typer.Option(metavar="HOST:PORT", help="Where the pages are served; else CANCELDESK_LISTEN."),
]


def serve(listen: _Listen = "") -> None:
    """Serve the pages and do the work, in one process, until Ctrl-C."""
    _run(with_pages=True, with_worker=True, listen=listen)


def web(listen: _Listen = "") -> None:
    """Serve only the pages; `canceldesk worker` does the work."""
    _run(with_pages=True, with_worker=False, listen=listen)


def worker() -> None:
    """Do only the work; any number of these may run, on any number of machines."""
    _run(with_pages=False, with_worker=True)


def _run(*, with_pages: bool, with_worker: bool, listen: str = "") -> None:
    with answering(migrated=False):
        from canceldesk import processlog, serving

        processlog.configure()
        serving.prepare()
        try:
            serving.serve(with_pages=with_pages, with_worker=with_worker, listen=listen)
        except serving.CannotListenError as problem:
            cannot(str(problem))
        serving.leave(0)


def migrate() -> None:
    """Create the database, or bring it up to date."""
    with answering(migrated=False):
        from canceldesk import serving

        serving.migrate()
        typer.echo("The database is up to date.")


def refresh(as_json: AsJson = False) -> None:
    """Bring the desk's copy of Billsby's clients up to date now."""
    with answering(as_json=as_json):
        from canceldesk import outside
        from canceldesk.clients.refreshing import refresh_all

        run = refresh_all(outside.billsby())
        if run.problem:
            cannot(run.problem, as_json=as_json)
        if as_json:
            say_json({"done": True, "clients": run.clients})
            return
        typer.echo(f"{run.clients} clients read from Billsby.")
