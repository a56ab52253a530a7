"""What to put into the cells of a new row: the client's values in the list's own way of writing.

The same rules as for a file (`newrow`, `looks`, `wording`, `filling`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from canceldesk.workbook import text, values
from canceldesk.workbook.graph.cells import GENERAL, TEXT_FORMAT, TEXTS, Entry, Line
from canceldesk.workbook.graph.seeing import ROWS_LOOKED_AT, Seen
from canceldesk.workbook.ooxml import styles
from canceldesk.workbook.protocol import NewRow
from canceldesk.workbook.rows import filling, wording

DATE_FORMAT: Final = "m/d/yyyy"
MONEY_FORMAT: Final = "#,##0.00"
_PLAIN_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,10})?")


def entries(
    seen: Seen, new: NewRow, fill: Mapping[str, str], model: Line, *, as_text: bool
) -> dict[int, Entry]:
    """What to write for `new`, by column, with the number formats of the line `model`.

    `fill` is text for columns of the company's own, by heading; raises `CannotPlace` where there
    is no such column. With `as_text` the cells of texts become cells for text.
    """
    columns = seen.headings.columns
    found = {
        columns["cancelled_on"]: Entry(
            values.serial(new.cancelled_on, date1904=seen.date1904), _date_format(seen, model)
        ),
        columns["collected"]: _collected(new, model.number_format(columns["collected"])),
        columns["months"]: _months(seen, new, model.number_format(columns["months"])),
    }
    words = {columns[field]: getattr(new, field) for field in TEXTS if field in columns}
    for column, value in (words | _filled(seen, fill, model)).items():
        number_format = TEXT_FORMAT if as_text else model.number_format(column)
        found[column] = Entry(text.storable(value), number_format, bare=as_text)
        if column not in words and _PLAIN_NUMBER.fullmatch(value) and number_format != TEXT_FORMAT:
            found[column] = Entry(float(value), number_format)
    return found


def _filled(seen: Seen, fill: Mapping[str, str], model: Line) -> dict[int, str]:
    table = seen.table
    inside = range(0) if table is None else range(table.left, table.right + 1)
    calculated = [column for column in inside if model.formula(column)]
    return filling.by_column(seen, fill, calculated)


def _date_format(seen: Seen, model: Line) -> str:
    """The list's date format; where its dates are text, the one in which a date looks like them."""
    column = seen.headings.columns["cancelled_on"]
    lines = [model, *(seen.line(row.row_number) for row in seen.rows[:ROWS_LOOKED_AT])]
    formats = (line.number_format(column) for line in lines)
    dated = next((code for code in formats if styles.is_date_code(code)), "")
    return dated or wording.date_code_like(seen.texts("cancelled_on")) or DATE_FORMAT


def _collected(new: NewRow, number_format: str) -> Entry:
    amount = values.amount(new.collected_minor)
    if number_format in (GENERAL, TEXT_FORMAT) or styles.is_date_code(number_format):
        number_format = MONEY_FORMAT
    return Entry(int(amount) if amount == int(amount) else float(amount), number_format)


def _months(seen: Seen, new: NewRow, number_format: str) -> Entry:
    """A number, or words where the list has words."""
    if words := wording.months_like(seen.texts("months"), new.months):
        return Entry(words, number_format)
    if number_format == TEXT_FORMAT or styles.is_date_code(number_format):
        number_format = GENERAL
    return Entry(new.months, number_format)
