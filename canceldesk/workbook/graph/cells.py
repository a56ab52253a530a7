"""A client's row between the desk's words and the cells of a workbook in the cloud.

The same rules as for a file (`reading`, `newrow`), for values as Graph gives and takes them (page
“workbookRange resource type”): a text, a number or a Boolean, `""` for an empty cell, dates as the
numbers the workbook stores, and a number format beside each.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from canceldesk.workbook import text, values
from canceldesk.workbook.ooxml import styles
from canceldesk.workbook.protocol import ListedRow, NewRow, matches

TEXT_FORMAT: Final = "@"
GENERAL: Final = "General"

_SPECIAL_AT_START: Final = ("=", "+", "-", "@", "'", "#", "\N{FULLWIDTH EQUALS SIGN}")
_MAY_BE_READ_AS_VALUE: Final = re.compile(r"\d|^\s*(?:true|false)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """One row of cells as Graph gives it, from column A on; shorter than the tab may be."""

    values: Sequence[Any]
    formats: Sequence[Any]
    formulas: Sequence[Any]

    def value(self, column: int) -> Any:  # noqa: ANN401 - text, number, Boolean
        """What is in `column` (1 is A); `""` for nothing."""
        return _at(self.values, column)

    def number_format(self, column: int) -> str:
        """The number format of `column`."""
        return str(_at(self.formats, column) or GENERAL)

    def formula(self, column: int) -> str:
        """The formula of `column` with its `=`; `""` where there is none."""
        written = _at(self.formulas, column)
        # A text that begins with `=` is shown here, too, but then its value is that very text.
        is_formula = isinstance(written, str) and written.startswith("=")
        return str(written) if is_formula and written != self.value(column) else ""


@dataclass(frozen=True)
class Entry:
    """What to put in one cell, and the number format it is to have.

    `bare` is for the second try, when a text came back with the mark of typing.
    """

    value: str | int | float
    number_format: str
    bare: bool = False

    def typed(self, *, formatted: bool) -> str | int | float:
        """The value as it is to be sent: a text that Excel could read as something else is marked
        by an apostrophe, as a person would when typing, unless the cell is a cell for text.

        `formatted`: the cell has its number format already.
        """
        if not isinstance(self.value, str):
            return self.value
        in_text_cell = formatted and self.number_format == TEXT_FORMAT
        if in_text_cell and (self.bare or not self.value.startswith("'")):
            return self.value
        return typed(self.value)


def shown(line: Line, column: int, *, date1904: bool) -> str:
    """What a person would roughly see in the cell: text as it is, dates in ISO form."""
    value = line.value(column)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if not _is_number(value):
        return str(value)
    number = str(value)
    if styles.is_date_code(line.number_format(column)):
        date = values.date_from_serial(number, date1904=date1904)
        if date is not None:
            return date.isoformat()
    return format(Decimal(number), "f") if "E" in number.upper() else number.removesuffix(".0")


def listed(
    number: int, line: Line, columns: Mapping[str, int], *, date1904: bool, currency: str
) -> ListedRow:
    """The line with the number `number` as a row of the list."""

    def seen(field: str) -> str:
        return shown(line, columns[field], date1904=date1904) if field in columns else ""

    understood = {
        "cancelled_on": _date(line.value(columns["cancelled_on"]), date1904=date1904),
        "collected": _collected(line.value(columns["collected"]), currency),
        "months": _months(line.value(columns["months"])),
    }
    raw = {
        field: seen(field)
        for field, value in understood.items()
        if value is None and seen(field).strip()
    }
    date, collected, months = understood.values()
    return ListedRow(
        row_number=number,
        name=seen("name"),
        phone=seen("phone"),
        cancelled_on=date if isinstance(date, dt.date) else None,
        collected_minor=collected if isinstance(collected, int) else None,
        months=months if isinstance(months, int) else None,
        reason=seen("reason"),
        reference=seen("reference"),
        raw=raw,
    )


def typed(words: str) -> str:
    """`words` so that Excel takes them as text: behind an apostrophe where it could take them for
    a formula, a number, a date or a Boolean. Excel shows and gives back the text without it.
    """
    doubtful = words.lstrip().startswith(_SPECIAL_AT_START) or _MAY_BE_READ_AS_VALUE.search(words)
    return f"'{words}" if doubtful else words


def is_beginning_of(line: Line, there: ListedRow, new: NewRow, columns: Mapping[str, int]) -> bool:
    """Whether the line, read as `there`, holds a part of `new` and nothing else: half written."""
    filled = [field for field, column in columns.items() if not _is_empty(line.value(column))]
    return (
        len(filled) > 0
        and not matches(there, new)
        and all(
            _compared(getattr(there, _NAMES.get(field, field)))
            == _compared(getattr(new, _NAMES.get(field, field)))
            for field in filled
        )
    )


def is_misread(there: ListedRow, new: NewRow, *, date1904: bool) -> bool:
    """Whether the row is `new` with the marks of typing still in it: apostrophes before its texts,
    or the date as the text of its number.
    """
    if there.collected_minor != new.collected_minor or there.months != new.months:
        return False
    number = str(values.serial(new.cancelled_on, date1904=date1904))
    day = new.cancelled_on if there.raw.get("cancelled_on") == number else there.cancelled_on
    read = replace(
        there,
        cancelled_on=day,
        **{field: getattr(there, field).removeprefix("'") for field in TEXTS},
    )
    return matches(read, new) and not matches(there, new)


TEXTS: Final = ("name", "phone", "reason", "reference")
_NAMES: Final = {"collected": "collected_minor"}
"""Fields whose attribute has another name."""


def is_vacant(line: Line, columns: Iterable[int]) -> bool:
    """Whether nothing but formulas stands in these columns of the line."""
    return all(_is_empty(line.value(column)) or line.formula(column) for column in columns)


def _at(cells: Sequence[Any], column: int) -> Any:  # noqa: ANN401 - text, number, Boolean
    if not 0 < column <= len(cells):
        return ""
    value = cells[column - 1]
    return "" if value is None else value


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _compared(value: object) -> object:
    return text.normalised(value) if isinstance(value, str) else value


def _date(value: object, *, date1904: bool) -> dt.date | None:
    if _is_number(value):
        return values.date_from_serial(str(value), date1904=date1904)
    return values.date_from_text(str(value))


def _collected(value: object, currency: str) -> int | None:
    if _is_number(value):
        return values.minor(str(value))
    return values.minor_from_text(str(value), currency)


def _months(value: object) -> int | None:
    return values.months_from_text(str(value))
