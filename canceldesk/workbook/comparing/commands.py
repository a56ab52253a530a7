"""`canceldesk list verify`: what differs between two workbooks, said in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from canceldesk.workbook.comparing.engine import Comparison, compare
from canceldesk.workbook.errors import CannotPlace, CannotRead
from canceldesk.workbook.protocol import FIELDS

SAME: Final = 0
DIFFERENT: Final = 1
CANNOT_READ: Final = 2


def verify(
    before: Path,
    after: Path,
    *,
    tab: str | None = None,
    headings: Mapping[str, str] | None = None,
    removed: bool = False,
) -> Comparison:
    """Compare two workbook files; see `compare`.

    `removed`: `after` is expected to have rows less, wherever in the list they stood; the rows and
    differences found are then told as if they had been put in. Raises `CannotRead` and
    `CannotPlace`.
    """
    first, second = (after, before) if removed else (before, after)
    return compare(
        _read(first),
        _read(second),
        name_before=first.name,
        name_after=second.name,
        tab=tab,
        headings=headings,
        anywhere=removed,
    )


def verify_command(
    before: Annotated[Path, typer.Argument(help="The workbook as it was.")],
    after: Annotated[Path, typer.Argument(help="The workbook as it is now.")],
    *,
    tab: Annotated[str | None, typer.Option(help="The tab, if not found by its name.")] = None,
    removed: Annotated[
        bool, typer.Option("--removed", help="Expect a row taken out instead of one put in.")
    ] = False,
    heading: Annotated[
        list[str] | None, typer.Option(help="The heading of a field, as in name=Client.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say in words what differs between two workbooks beyond a row put under the heading.

    Ends with 0 when nothing else differs, 1 when something does, 2 when one cannot be read.
    """
    headings = dict(_named(written) for written in heading or [])
    try:
        comparison = verify(before, after, tab=tab, headings=headings, removed=removed)
    except (CannotRead, CannotPlace) as error:
        _refuse(error, as_json=as_json)
        raise typer.Exit(CANNOT_READ) from error
    same = not comparison.differences
    if as_json:
        _print_json({"same": same, "removed": removed, **asdict(comparison)})
    else:
        typer.echo(_told(comparison, removed=removed))
        for difference in comparison.differences:
            typer.echo(f"{difference.place}: {difference.sentence}")
    raise typer.Exit(SAME if same else DIFFERENT)


def _named(written: str) -> tuple[str, str]:
    """A field and its heading from `name=Client`."""
    field, _, text = (part.strip() for part in written.partition("="))
    if field.casefold() not in FIELDS or not text:
        raise typer.BadParameter(
            f"“{written}” names no heading; write one of {', '.join(FIELDS)} as in name=Client.",
            param_hint="--heading",
        )
    return field.casefold(), text


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CannotRead(
            f"“{path}” cannot be read ({error.strerror}). Check the path and the permissions."
        ) from error


def _told(comparison: Comparison, *, removed: bool) -> str:
    """The first line: which rows were found put in or taken out, and whether that was all."""
    rows = comparison.inserted_rows
    verb = "taken out of" if removed else "put into"
    if not rows:
        found = f"No row was {verb} the list"
    elif len(rows) == 1:
        found = f"Row {rows[0]} was {verb} the tab “{comparison.tab}”"
    else:
        found = f"Rows {rows[0]} to {rows[-1]} were {verb} the tab “{comparison.tab}”"
    count = len(comparison.differences)
    if not count:
        return f"{found}; nothing else differs."
    return f"{found}. {'This differs' if count == 1 else 'These differ'} beyond that:"


def _refuse(error: CannotRead | CannotPlace, *, as_json: bool) -> None:
    if as_json:
        _print_json({"same": None, "error": type(error).__name__, "sentence": error.sentence})
    else:
        typer.echo(error.sentence, err=True)


def _print_json(value: dict[str, object]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
