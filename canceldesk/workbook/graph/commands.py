"""`canceldesk list sign-in`: let the desk act for a person in OneDrive or SharePoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from canceldesk.workbook.graph.problems import NotReached, SignInProblem

_REFUSED: Final = 1


def sign_in(
    *,
    tenant: Annotated[
        str,
        typer.Option(
            envvar="CANCELDESK_MICROSOFT_TENANT", help="The directory (tenant): its ID or domain."
        ),
    ],
    client_id: Annotated[
        str,
        typer.Option(envvar="CANCELDESK_MICROSOFT_CLIENT_ID", help="The application (client) ID."),
    ],
    data: Annotated[
        Path,
        typer.Option(envvar="CANCELDESK_DATA", help="The desk's data folder."),
    ] = Path("data"),
) -> None:
    """Sign the desk in at Microsoft as a person, with a code typed on a page of Microsoft's.

    Needed once, where the workbook is in OneDrive or SharePoint and the desk has no client secret.
    """
    # It takes a while to load, and the other commands need not wait for it.
    from canceldesk.workbook.graph.signin import CACHE_NAME, PersonSignIn

    data.mkdir(parents=True, exist_ok=True)
    person = PersonSignIn(tenant=tenant, client_id=client_id, cache=data / CACHE_NAME)
    try:
        begun = person.begin()
        typer.echo(f"Open {begun.page} in a browser and type the code {begun.code}. Waiting ...")
        name = person.finish(begun)
    except SignInProblem as problem:
        _refuse(problem.sentence)
    except NotReached:
        _refuse("Microsoft could not be reached. Check the network, then try again.")
    typer.echo(f"Signed in as {name}. The desk now reads and writes the workbook as this person.")


def _refuse(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(_REFUSED)
