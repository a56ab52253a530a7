"""What Excel makes of something typed into a cell, as far as a list of clients can meet it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

_NUMBER = re.compile(r"[+-]?\d[\d,]*(\.\d*)?$")
_DATES = ("%m/%d/%Y", "%m/%d/%y", "%Y-%m-%d", "%b-%d-%Y", "%d-%b-%Y", "%d %B %Y", "%B %d, %Y")


@dataclass
class Cell:
    """One cell: a value or a formula, how numbers are shown, and its look by setting."""

    value: Any = ""
    formula: str = ""
    number_format: str = "General"
    look: dict[str, Any] = field(default_factory=dict)

    def like(self) -> Cell:
        """An empty cell of the same look."""
        return Cell(number_format=self.number_format, look=dict(self.look))


def type_into(cell: Cell, entry: Any, *, keeps_apostrophe: bool = False) -> None:
    """Put `entry` into the cell as Excel takes it: numbers in text cells are texts, texts may be
    formulas, numbers, dates or Booleans, and what stands behind an apostrophe is text.
    """
    cell.formula = ""
    is_text_cell = cell.number_format == "@"
    if isinstance(entry, str):
        if entry.startswith("'") and not (is_text_cell and keeps_apostrophe):
            cell.value = entry[1:]
        elif is_text_cell or not entry:
            cell.value = entry
        else:
            _read_as_excel(cell, entry)
    elif is_text_cell and not isinstance(entry, bool):
        cell.value = str(entry)
    else:
        cell.value = entry


def _read_as_excel(cell: Cell, entry: str) -> None:
    words = entry.strip()
    if _NUMBER.match(words):
        cell.value = float(words.replace(",", ""))
    elif words.startswith(("=", "+", "-", "@")):
        cell.formula, cell.value = f"={words.lstrip('=')}", "#NAME?"
    elif words.upper() in ("TRUE", "FALSE"):
        cell.value = words.upper() == "TRUE"
    elif (day := _date(words)) is not None:
        cell.value = (day - dt.date(1899, 12, 30)).days
        if cell.number_format == "General":
            cell.number_format = "m/d/yyyy"
    else:
        cell.value = entry


def _date(words: str) -> dt.date | None:
    for form in _DATES:
        try:
            return dt.datetime.strptime(words, form).replace(tzinfo=dt.UTC).date()
        except ValueError:
            continue
    return None
