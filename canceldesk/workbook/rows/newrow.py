"""The XML of the new row: the list's look with the client's values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from xml.sax.saxutils import escape

from canceldesk.workbook import text, values
from canceldesk.workbook.moving import relocation
from canceldesk.workbook.ooxml import references
from canceldesk.workbook.ooxml.sheetdata import Formula, attributes_text
from canceldesk.workbook.protocol import NewRow
from canceldesk.workbook.reading import FoundList
from canceldesk.workbook.rows import wording
from canceldesk.workbook.rows.looks import Look, Looks

_PLAIN_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,10})?")


def rows(
    found: FoundList,
    news: Sequence[NewRow],
    looks: Looks,
    formulas: Mapping[int, Formula],
    fill: Mapping[int, str],
    first: int,
) -> bytes:
    """The `row` elements for `news`, the last of them topmost as row `first`.

    `formulas` are those of calculated columns, by column, as they read in the first row under the
    heading; `fill` is text for columns of the company's own.
    """
    lowest = len(news) - 1
    return b"".join(
        _row(found, new, looks, lowest - place, formulas, fill, first + place)
        for place, new in enumerate(reversed(news))
    )


def _row(
    found: FoundList,
    new: NewRow,
    looks: Looks,
    height: int,
    formulas: Mapping[int, Formula],
    fill: Mapping[int, str],
    number: int,
) -> bytes:
    look = looks.at(height)
    contents = _contents(found, new, look, looks.months_examples)
    for column, words in fill.items():
        contents[column] = _filled(found, look.styles.get(column, 0), words)
    pieces = []
    for column in sorted({*look.styles, *contents, *formulas}):
        place = f"{references.column_letters(column)}{number}"
        style = look.styles.get(column, 0)
        if column in contents:
            pieces.append(contents[column].at(place))
        elif column in formulas:
            pieces.append(_calculated(formulas[column], place, style, number))
        else:
            pieces.append(f'<c r="{place}"{_style(style)}/>')
    named = attributes_text(look.attributes)
    return f'<row r="{number}"{named}>{"".join(pieces)}</row>'.encode()


def _calculated(formula: Formula, place: str, style: int, number: int) -> str:
    told = relocation.relocated(formula.text, number - formula.row, 0)
    named = formula.attributes | ({"ref": place} if formula.attributes else {})
    inside = "" if told is None else f"<f{attributes_text(named)}>{escape(told)}</f>"
    return f'<c r="{place}"{_style(style)}>{inside}</c>'


@dataclass(frozen=True)
class _Content:
    style: int
    number: Decimal | None = None
    words: str = ""

    def at(self, place: str) -> str:
        if self.number is not None:
            return f'<c r="{place}"{_style(self.style)}><v>{self.number:f}</v></c>'
        if not self.words:
            return f'<c r="{place}"{_style(self.style)}/>'
        inside = escape(text.escaped(self.words))
        return (
            f'<c r="{place}"{_style(self.style)} t="inlineStr">'
            f'<is><t xml:space="preserve">{inside}</t></is></c>'
        )


def _contents(
    found: FoundList, new: NewRow, look: Look, months_examples: Sequence[str]
) -> dict[int, _Content]:
    columns = found.headings.columns
    serial = values.serial(new.cancelled_on, date1904=found.file.date1904)
    amount = values.amount(new.collected_minor)
    months = wording.months_like(months_examples, new.months)
    contents = {
        columns["cancelled_on"]: _Content(look.date_style, Decimal(serial)),
        columns["collected"]: _Content(look.money_style, amount),
        columns["months"]: _Content(look.months_style, words=months)
        if months
        else _Content(look.months_style, Decimal(new.months)),
    }
    words = {
        "name": new.name,
        "phone": new.phone,
        "reason": new.reason,
        "reference": new.reference,
    }
    for field, value in words.items():
        if field in columns:
            column = columns[field]
            contents[column] = _Content(look.styles[column], words=text.storable(value))
    return contents


def _filled(found: FoundList, style: int, words: str) -> _Content:
    """Text for a column of the company's own; a plain number is one, as if a person typed it."""
    if _PLAIN_NUMBER.fullmatch(words) and not found.file.styles.is_text(style):
        return _Content(style, Decimal(words))
    return _Content(style, words=text.storable(words))


def _style(style: int) -> str:
    return f' s="{style}"' if style else ""
