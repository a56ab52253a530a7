"""`canceldesk list`: show the list and add to it, with no database and no Django."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

from canceldesk.workbook import values
from canceldesk.workbook.errors import CannotRead, ListError
from canceldesk.workbook.protocol import ListedRow, ListView, NewRow
from canceldesk.workbook.workbooklist import WorkbookList

REFUSED: Final = 1
CANNOT_READ: Final = 2

list_app = typer.Typer(
    help="Show the cancellation list of a workbook, or add a row on top of it.",
    no_args_is_help=True,
)

_File = Annotated[Path, typer.Argument(help="The workbook (.xlsx or .xlsm).")]
_Tab = Annotated[str | None, typer.Option(help="The tab, if not found by its name.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Currency = Annotated[str, typer.Option(help="Currency of the amounts (ISO 4217).")]


@list_app.command()
def show(
    file: _File, *, tab: _Tab = None, currency: _Currency = "USD", as_json: _Json = False
) -> None:
    """Print the list, newest first."""
    try:
        view = WorkbookList(file, tab=tab, currency=currency).read()
    except ListError as error:
        _refuse(error, as_json=as_json)
    if as_json:
        _print_json({"done": True, **_view(view)})
        return
    typer.echo(f"{view.path.name}, tab “{view.tab}”, headings in row {view.heading_row}")
    for row in view.rows:
        typer.echo(_line(row))


@list_app.command()
def add(
    file: _File,
    *,
    name: Annotated[str, typer.Option(help="The client's name.")],
    phone: Annotated[str, typer.Option(help="The phone number, kept as written.")],
    date: Annotated[str, typer.Option(help="Date of cancellation, YYYY-MM-DD.")],
    collected: Annotated[str, typer.Option(help="Total amount collected, such as 1234.50.")],
    months: Annotated[int, typer.Option(min=0, help="Months in the program.")],
    reason: Annotated[str, typer.Option(help="Reason for cancellation.")],
    tab: _Tab = None,
    currency: _Currency = "USD",
    reference: Annotated[str, typer.Option(help="Written if the list has a column for it.")] = "",
    as_json: _Json = False,
) -> None:
    """Add a row directly under the heading."""
    row = NewRow(
        name=name,
        phone=phone,
        cancelled_on=_date(date),
        collected_minor=_minor(collected),
        currency=currency.upper(),
        months=months,
        reason=reason,
        reference=reference,
    )
    try:
        written = WorkbookList(file, tab=tab, currency=currency).add(row)
    except ListError as error:
        _refuse(error, as_json=as_json)
    if as_json:
        _print_json({"done": True, **asdict(written), "row": _row(written.row)})
        return
    typer.echo(f"Added and read back in row {written.row_number}: {_line(written.row)}")


def _refuse(error: ListError, *, as_json: bool) -> NoReturn:
    if as_json:
        _print_json({"done": False, "error": type(error).__name__, "sentence": error.sentence})
    else:
        typer.echo(error.sentence, err=True)
    raise typer.Exit(CANNOT_READ if isinstance(error, CannotRead) else REFUSED)


def _date(written: str) -> dt.date:
    try:
        return dt.date.fromisoformat(written)
    except ValueError as error:
        raise typer.BadParameter(
            f"“{written}” is no date; write it as 2026-11-23.", param_hint="--date"
        ) from error


def _minor(written: str) -> int:
    try:
        scaled = Decimal(written).scaleb(2)
    except InvalidOperation:
        scaled = Decimal("NaN")
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise typer.BadParameter(
            f"“{written}” is no amount; write it as 1234.50.",
            param_hint="--collected",
        )
    return int(scaled)


def _view(view: ListView) -> dict[str, Any]:
    return {
        "path": str(view.path),
        "tab": view.tab,
        "heading_row": view.heading_row,
        "headings": dict(view.headings),
        "columns": dict(view.columns),
        "rows": [_row(row) for row in view.rows],
        "fingerprint": view.fingerprint,
    }


def _row(row: ListedRow) -> dict[str, Any]:
    date = None if row.cancelled_on is None else row.cancelled_on.isoformat()
    return {**asdict(row), "cancelled_on": date}


def _line(row: ListedRow) -> str:
    shown = {
        "cancelled_on": "" if row.cancelled_on is None else row.cancelled_on.isoformat(),
        "collected": "" if row.collected_minor is None else str(values.amount(row.collected_minor)),
        "months": "" if row.months is None else str(row.months),
    }
    understood = {**shown, **row.raw}
    return (
        f"{row.row_number:>6}  {row.name}  {row.phone}  {understood['cancelled_on']}  "
        f"{understood['collected']}  {understood['months']}  {row.reason}"
    )


def _print_json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
