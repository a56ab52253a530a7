"""`canceldesk list remove`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from canceldesk.workbook import text
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
from canceldesk.workbook.errors import ChangedMeanwhile, ListError
from canceldesk.workbook.protocol import ListedRow, ListView
from canceldesk.workbook.workbooklist import WorkbookList

_MOST_NAMED = 5


def remove(
    file: File,
    *,
    row: Annotated[
        int | None,
        typer.Option(min=1, help="The row's number; beside it say the name, as a guard."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The client's name on that row.")] = None,
    phone: Annotated[str | None, typer.Option(help="The phone number on that row.")] = None,
    date: Annotated[
        dt.date | None,
        typer.Option(help="The date on that row.", metavar="DATE", parser=options.date),
    ] = None,
    collected: Annotated[
        int | None,
        typer.Option(help="The amount on that row.", metavar="AMOUNT", parser=options.minor),
    ] = None,
    months: Annotated[int | None, typer.Option(min=0, help="The months on that row.")] = None,
    reason: Annotated[str | None, typer.Option(help="The reason on that row.")] = None,
    reference: Annotated[str | None, typer.Option(help="The reference on that row.")] = None,
    tab: Tab = None,
    heading: Headings = None,
    currency: Currency = "USD",
    backups: Backups = 5,
    wait: Wait = 10.0,
    if_fingerprint: IfFingerprint = None,
    as_json: Json = False,
) -> None:
    """Take out the one row that has everything you say, save, and read the list back.

    The whole row goes, with all that stands in it: columns of your own, comments, links. A row's
    number alone is not enough, since rows move when one is added.
    """
    wanted = _Wanted(row, name, phone, date, collected, months, reason, reference)
    if not wanted.says_a_value and (row is None or if_fingerprint is None):
        raise typer.BadParameter(
            "Say a value of the row as well, such as --name: rows move when one is added.",
            param_hint="--row",
        )
    the_list = WorkbookList(
        file,
        tab=tab,
        headings=options.headings(heading or []),
        currency=currency,
        lock_wait_seconds=wait,
        backups=backups,
    )
    with answers.answering(as_json=as_json):
        view = the_list.read()
        if if_fingerprint not in (None, view.fingerprint):
            raise ChangedMeanwhile(
                f"“{view.path.name}” is not the file with that fingerprint any more. Look at the "
                "list again. Nothing was taken out."
            )
        standing = _the_one(view, wanted)
        removed = the_list.remove(standing, expected_fingerprint=view.fingerprint)
    if as_json:
        told = {**asdict(removed), "row": answers.row_as_json(removed.row)}
        answers.say_json({"done": True, **told})
        return
    answers.say(f"Taken out of row {removed.row_number}:")
    answers.say(answers.line(removed.row))


class NoSuchRow(ListError):
    """No row of the list has all that was said. Nothing was taken out."""


class SeveralRows(ListError):
    """More than one row of the list has all that was said. Nothing was taken out."""


@dataclass(frozen=True)
class _Wanted:
    row: int | None
    name: str | None
    phone: str | None
    date: dt.date | None
    collected: int | None
    months: int | None
    reason: str | None
    reference: str | None

    @property
    def says_a_value(self) -> bool:
        """Whether anything but the row's number is said."""
        return any(value is not None for name, value in asdict(self).items() if name != "row")

    def means(self, listed: ListedRow) -> bool:
        """Whether the row has everything that is said; texts compare as the list compares them."""
        return (
            self.row in (None, listed.row_number)
            and self.date in (None, listed.cancelled_on)
            and self.collected in (None, listed.collected_minor)
            and self.months in (None, listed.months)
            and _alike(self.name, listed.name)
            and _alike(self.phone, listed.phone)
            and _alike(self.reason, listed.reason)
            and _alike(self.reference, listed.reference)
        )


def _alike(said: str | None, listed: str) -> bool:
    return said is None or text.normalised(said) == text.normalised(listed)


def _the_one(view: ListView, wanted: _Wanted) -> ListedRow:
    meant = [listed for listed in view.rows if wanted.means(listed)]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise SeveralRows(
            f"{len(meant)} rows of “{view.path.name}” have what you say ({_numbers(meant)}). Say "
            "more, or --row. Nothing was taken out."
        )
    there = [listed for listed in view.rows if listed.row_number == wanted.row]
    found = f"No row of “{view.path.name}” has what you say."
    if there:
        found = (
            f"Row {wanted.row} of “{view.path.name}” is about {options.excerpt(there[0].name)}, "
            "and has not all that you say."
        )
    raise NoSuchRow(f"{found} Look at the list again. Nothing was taken out.")


def _numbers(rows: Sequence[ListedRow]) -> str:
    named = ", ".join(str(row.row_number) for row in rows[:_MOST_NAMED])
    return f"rows {named}{', …' if len(rows) > _MOST_NAMED else ''}"
