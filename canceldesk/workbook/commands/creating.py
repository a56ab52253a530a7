"""`canceldesk list create`."""

from __future__ import annotations

from typing import Annotated

import typer

from canceldesk.workbook.commands import answers, options
from canceldesk.workbook.commands.options import Currency, File, Headings, Json


def create(
    file: File,
    *,
    tab: Annotated[str | None, typer.Option(help="The name of the tab.")] = None,
    heading: Headings = None,
    currency: Currency = "USD",
    with_reference: Annotated[
        bool, typer.Option("--with-reference", help="With a column for the case's reference.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a new workbook with an empty list; a file that is there is never replaced."""
    # XlsxWriter takes a while to load, and the other commands need not wait for it.
    from canceldesk.workbook.creating import create_list

    headings = options.headings(heading or [])
    with answers.answering(as_json=as_json):
        view = create_list(
            file, tab=tab, headings=headings, currency=currency, with_reference=with_reference
        )
    if as_json:
        answers.say_json({"done": True, **answers.view_as_json(view, view.rows)})
        return
    answers.say(f"Made {view.path} with an empty list on the tab “{view.tab}”.")
