"""How the commands answer: words for people, JSON for machines, and never a traceback."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final, NoReturn

import typer

from canceldesk.workbook import values
from canceldesk.workbook.errors import CannotRead, ListError
from canceldesk.workbook.protocol import ListedRow, ListView

REFUSED: Final = 1
CANNOT_READ: Final = 2
_PLAIN: Final = str.maketrans({"“": '"', "”": '"', "\u2019": "'", "…": "...", "→": "->"})
_UTF_8: Final = "utf-8"


@contextmanager
def answering(*, as_json: bool) -> Iterator[None]:
    """Turn what goes wrong inside into a sentence and an exit code."""
    try:
        yield
    except ListError as error:
        code = CANNOT_READ if isinstance(error, CannotRead) else REFUSED
        end(error.sentence, code, kind=type(error).__name__, as_json=as_json)
    except MemoryError:
        end(
            "The workbook needs more memory than this machine has. Close other programs, or move "
            "the cancellation tab to a workbook of its own.",
            CANNOT_READ,
            kind="MemoryError",
            as_json=as_json,
        )
    except BrokenPipeError:
        raise  # whoever read the output has gone; the command line ends quietly
    except (OSError, ValueError) as error:
        end(
            f"The file could not be used ({error}). Check its path and that it can be reached.",
            CANNOT_READ,
            kind=type(error).__name__,
            as_json=as_json,
        )


def end(sentence: str, code: int, *, kind: str, as_json: bool) -> NoReturn:
    """End the command with a sentence and an exit code."""
    if as_json:
        say_json({"done": False, "error": kind, "sentence": sentence})
    else:
        say(sentence, err=True)
    raise typer.Exit(code)


def say(words: str, *, err: bool = False) -> None:
    """Print words, whatever letters the terminal can show."""
    typer.echo(_showable(words, sys.stderr if err else sys.stdout), err=err)


def say_json(value: dict[str, Any]) -> None:
    """Print a value as JSON; letters the terminal cannot show are escaped."""
    ascii_only = not _encoding(sys.stdout).startswith(_UTF_8)
    typer.echo(_showable(json.dumps(value, ensure_ascii=ascii_only, indent=2), sys.stdout))


def _showable(words: str, stream: Any) -> str:  # noqa: ANN401 - whatever stands for a terminal
    encoding = _encoding(stream)
    try:
        words.encode(encoding)
    except UnicodeEncodeError:
        return words.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return words


def _encoding(stream: Any) -> str:  # noqa: ANN401 - whatever stands for a terminal
    return (getattr(stream, "encoding", None) or _UTF_8).lower()


def view_as_json(view: ListView, rows: tuple[ListedRow, ...]) -> dict[str, Any]:
    """The list for machines with some of its rows; `count` is of all."""
    return {
        "path": str(view.path),
        "tab": view.tab,
        "heading_row": view.heading_row,
        "headings": dict(view.headings),
        "columns": dict(view.columns),
        "others": dict(view.others),
        "count": len(view.rows),
        "rows": [row_as_json(row) for row in rows],
        "fingerprint": view.fingerprint,
    }


def row_as_json(row: ListedRow) -> dict[str, Any]:
    """One row for machines; its date in ISO form."""
    date = None if row.cancelled_on is None else row.cancelled_on.isoformat()
    return {**asdict(row), "cancelled_on": date}


def line(row: ListedRow) -> str:
    """One row for people, on one line."""
    shown = {
        "cancelled_on": "" if row.cancelled_on is None else row.cancelled_on.isoformat(),
        "collected": "" if row.collected_minor is None else str(values.amount(row.collected_minor)),
        "months": "" if row.months is None else str(row.months),
    }
    understood = {**shown, **row.raw}
    written = (
        f"{row.row_number:>6}  {row.name}  {row.phone}  {understood['cancelled_on']}  "
        f"{understood['collected']}  {understood['months']}  {row.reason}"
    )
    # What a cell holds must not move the cursor of who looks at it.
    return "".join(letter if letter.isprintable() else " " for letter in written)
