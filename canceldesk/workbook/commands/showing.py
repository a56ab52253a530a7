"""`canceldesk list show`."""

from __future__ import annotations

from typing import Annotated

import typer

from canceldesk.workbook.commands import answers, options
from canceldesk.workbook.commands.options import Currency, File, Headings, Json, Tab
from canceldesk.workbook.workbooklist import WorkbookList


def show(
    file: File,
    *,
    tab: Tab = None,
    heading: Headings = None,
    currency: Currency = "USD",
    limit: Annotated[
        int | None, typer.Option(min=0, help="Only so many rows from the top.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the list, newest first."""
    headings = options.headings(heading or [])
    with answers.answering(as_json=as_json):
        view = WorkbookList(file, tab=tab, headings=headings, currency=currency).read()
    rows = view.rows if limit is None else view.rows[:limit]
    if as_json:
        answers.say_json({"done": True, **answers.view_as_json(view, rows)})
        return
    answers.say(
        f"{view.path.name}, tab “{view.tab}”, headings in row {view.heading_row}, "
        f"rows: {len(view.rows)}"
    )
    for row in rows:
        answers.say(answers.line(row))
