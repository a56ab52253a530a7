"""What the commands are told, and how it is understood."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Final

import typer

from canceldesk.workbook.headings import normalised
from canceldesk.workbook.protocol import FIELDS
from canceldesk.workbook.rows.pairs import pair

FIRST_YEAR: Final = 1950
LAST_YEAR: Final = 2149
"""What a number in a workbook is taken for a date of; see `values.date_from_serial`."""
MOST_MONTHS: Final = 1200
_LONGEST_EXCERPT: Final = 60
_MOST_DIGITS: Final = 15
"""Excel keeps so many digits of a number (its specifications and limits)."""
_ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_AMOUNT: Final = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Za-z]{3}", re.ASCII)


def excerpt(written: str) -> str:
    """What was written, short and on one line, for a sentence about it."""
    shown = "".join(letter if letter.isprintable() else " " for letter in written)
    return shown if len(shown) <= _LONGEST_EXCERPT else f"{shown[:_LONGEST_EXCERPT]}…"


def readable(written: str) -> str:
    """Text of an argument; refuses bytes that are no text in this terminal's encoding."""
    if any("\ud800" <= letter <= "\udfff" for letter in written):
        raise typer.BadParameter("holds bytes that are no text here; check the terminal's encoding")
    return written


def date(written: str) -> dt.date:
    """A date in ISO form, within what a workbook's numbers are taken for."""
    try:
        day = dt.date.fromisoformat(written) if _ISO_DATE.fullmatch(written) else None
    except ValueError:
        day = None
    if day is None:
        raise typer.BadParameter(f"“{excerpt(written)}” is no date; write it as 2026-11-23.")
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise typer.BadParameter(
            f"{written} is no date of a cancellation: its year must be from {FIRST_YEAR} to "
            f"{LAST_YEAR}."
        )
    return day


def minor(written: str) -> int:
    """An amount such as 1234.50 in minor units (hundredths)."""
    try:
        scaled = Decimal(written if _AMOUNT.fullmatch(written) else "NaN").scaleb(2)
    except InvalidOperation:
        scaled = Decimal("NaN")
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise typer.BadParameter(f"“{excerpt(written)}” is no amount; write it as 1234.50.")
    if len(str(abs(int(scaled)))) > _MOST_DIGITS:
        raise typer.BadParameter("Excel keeps only 15 digits of a number, and this one has more.")
    return int(scaled)


def currency(written: str) -> str:
    """A currency's three letters, in capitals."""
    if not _CURRENCY.fullmatch(written):
        raise typer.BadParameter(
            f"“{excerpt(written)}” is no currency; write its three letters, such as USD."
        )
    return written.upper()


def seconds(given: float) -> float:
    """A time to wait."""
    if not math.isfinite(given):
        raise typer.BadParameter("say a number of seconds, such as 30.")
    return given


def headings(given: Sequence[str]) -> dict[str, str]:
    """Headings by field, from `name=Client` and the like."""
    found = {}
    for written in given:
        field, heading = _pair(written, "--heading")
        if field.casefold() not in FIELDS:
            raise typer.BadParameter(
                f"“{excerpt(field)}” is none of {', '.join(FIELDS)}; write it as name=Client.",
                param_hint="--heading",
            )
        if field.casefold() in found:
            raise typer.BadParameter(f"{field.casefold()} is named twice.", param_hint="--heading")
        found[field.casefold()] = heading
    return found


def fill(given: Sequence[str]) -> dict[str, str]:
    """Text for the company's own columns by heading, from `Status=Cancelled` and the like."""
    found: dict[str, str] = {}
    for written in given:
        heading, words = _pair(written, "--fill")
        if normalised(heading) in {normalised(known) for known in found}:
            raise typer.BadParameter(f"“{excerpt(heading)}” is filled twice.", param_hint="--fill")
        found[heading] = words
    return found


def _pair(written: str, option: str) -> tuple[str, str]:
    try:
        return pair(readable(written))
    except ValueError as error:
        raise typer.BadParameter(f"{excerpt(str(error))}.", param_hint=option) from error


File = Annotated[Path, typer.Argument(help="The workbook (.xlsx or .xlsm).", show_default=False)]
Tab = Annotated[str | None, typer.Option(help="The tab, if it cannot be found by its name.")]
Headings = Annotated[
    list[str] | None,
    typer.Option(
        "--heading",
        metavar="FIELD=TEXT",
        help=f"An unusual heading, such as name=Client; again for more. Fields: "
        f"{', '.join(FIELDS)}.",
    ),
]
Currency = Annotated[
    str, typer.Option(help="Currency of the amounts (ISO 4217).", callback=currency)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Backups = Annotated[
    int, typer.Option(min=0, max=1000, help="How many earlier versions are kept beside the file.")
]
Wait = Annotated[
    float,
    typer.Option(
        min=0,
        max=86_400,
        metavar="SECONDS",
        help="How long to wait for whoever has the workbook open.",
        callback=seconds,
    ),
]
IfFingerprint = Annotated[
    str | None,
    typer.Option(
        "--if-fingerprint",
        metavar="SHA-256",
        help="Only if the file still has this fingerprint (see `list show --json`).",
    ),
]
