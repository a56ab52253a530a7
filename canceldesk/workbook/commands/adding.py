"""`canceldesk list add`."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated, Final

import typer

from canceldesk.workbook.commands import answers, options
from canceldesk.workbook.commands.options import (
    Backups,
    Currency,
    File,
    Headings,
    IfFingerprint,
    Json,
    Tab,
    Wait,
)
from canceldesk.workbook.errors import ChangedMeanwhile
from canceldesk.workbook.protocol import ListedRow, NewRow, RowWritten, matches
from canceldesk.workbook.workbooklist import WorkbookList

TIMES_LOOKED: Final = 5


def add(
    file: File,
    *,
    name: Annotated[str, typer.Option(help="The client's name.", parser=options.readable)],
    phone: Annotated[
        str, typer.Option(help="The phone number, kept as written.", parser=options.readable)
    ],
    date: Annotated[
        dt.date,
        typer.Option(help="Date of cancellation, YYYY-MM-DD.", metavar="DATE", parser=options.date),
    ],
    collected: Annotated[
        int,
        typer.Option(
            help="Total amount collected, such as 1234.50.",
            metavar="AMOUNT",
            parser=options.minor,
        ),
    ],
    months: Annotated[
        int, typer.Option(min=0, max=options.MOST_MONTHS, help="Months in the program.")
    ],
    reason: Annotated[str, typer.Option(help="Reason for cancellation.", parser=options.readable)],
    reference: Annotated[
        str,
        typer.Option(help="Written if the list has a column for it.", parser=options.readable),
    ] = "",
    fill: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HEADING=TEXT",
            help="Text for a column of your own, such as Status=Cancelled; again for more.",
        ),
    ] = None,
    unless_there: Annotated[
        bool,
        typer.Option(
            "--unless-there",
            help="Done, and nothing is written, if a row with just these values is on the list: "
            "so the command can be repeated.",
        ),
    ] = False,
    tab: Tab = None,
    heading: Headings = None,
    currency: Currency = "USD",
    backups: Backups = 5,
    wait: Wait = 10.0,
    if_fingerprint: IfFingerprint = None,
    as_json: Json = False,
) -> None:
    """Put a row on top of the list, save, and read it back."""
    row = NewRow(
        name=name,
        phone=phone,
        cancelled_on=date,
        collected_minor=collected,
        currency=currency,
        months=months,
        reason=reason,
        reference=reference,
    )
    the_list = WorkbookList(
        file,
        tab=tab,
        headings=options.headings(heading or []),
        fill=options.fill(fill or []),
        currency=currency,
        lock_wait_seconds=wait,
        backups=backups,
    )
    with answers.answering(as_json=as_json):
        if unless_there:
            written = _added_unless_there(the_list, row, if_fingerprint)
        else:
            written = the_list.add(row, expected_fingerprint=if_fingerprint)
    if isinstance(written, ListedRow):
        _say_there(written, as_json=as_json)
    else:
        _say_written(written, as_json=as_json)


def _added_unless_there(
    the_list: WorkbookList, row: NewRow, wanted: str | None
) -> RowWritten | ListedRow:
    """The row as it was written, or as it stands on the list already."""
    for times_left in reversed(range(TIMES_LOOKED)):
        view = the_list.read()
        there = next((listed for listed in view.rows if matches(listed, row)), None)
        if there is not None:
            return there
        try:
            return the_list.add(row, expected_fingerprint=wanted or view.fingerprint)
        except ChangedMeanwhile:
            if wanted is not None or not times_left:
                raise
    raise AssertionError("unreachable: the last time returns or raises")  # pragma: no cover


def _say_there(row: ListedRow, *, as_json: bool) -> None:
    if as_json:
        told = {"row_number": row.row_number, "row": answers.row_as_json(row)}
        answers.say_json({"done": True, "written": False, **told})
        return
    answers.say(f"There already, in row {row.row_number}; nothing was written:")
    answers.say(answers.line(row))


def _say_written(written: RowWritten, *, as_json: bool) -> None:
    if as_json:
        told = {**asdict(written), "row": answers.row_as_json(written.row)}
        answers.say_json({"done": True, "written": True, **told})
        return
    answers.say(f"Added and read back in row {written.row_number}:")
    answers.say(answers.line(written.row))
