"""The XML of the new row: the list's look with the client's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from canceldesk.workbook import markup, references, relocation, styles, text, values
from canceldesk.workbook.protocol import NewRow
from canceldesk.workbook.reading import FoundList
from canceldesk.workbook.sheetdata import Formula, Row, attributes_text, cells

_ROWS_TO_COPY_FROM: Final = 20


@dataclass(frozen=True)
class Look:
    """What the new row copies: the row's own attributes and, by column, the cells' styles."""

    attributes: Mapping[str, str]
    styles: Mapping[int, int]
    date_style: int
    money_style: int


def look(found: FoundList, frame: etree._Element, first_listed: int | None) -> Look:
    """The look of the list: of its first row, or of an empty list's prepared row or columns.

    Dates get a date format and, in an empty list, money a money format if there is none to copy;
    the workbook's styles are added to for that.
    """
    model = _model_row(found, first_listed)
    by_column = {} if model is None else {cell.column: cell.style for cell in cells(model.cells)}
    columns = found.headings.columns
    for column in columns.values():
        by_column.setdefault(column, _column_style(frame, column))
    known = found.file.styles
    date = by_column[columns["cancelled_on"]]
    if not known.is_date(date):
        date = _date_style_below(found, columns["cancelled_on"]) or known.with_format(
            date, styles.DATE_FORMAT
        )
    money = by_column[columns["collected"]]
    if known.is_date(money) or (first_listed is None and known.is_plain(money)):
        money = known.with_format(money, styles.MONEY_FORMAT)
    return Look(_row_attributes(model), by_column, date, money)


def _model_row(found: FoundList, first_listed: int | None) -> Row | None:
    wanted = found.first_row if first_listed is None else first_listed
    for row in found.sheet.rows():
        if row.number >= wanted:
            filled = first_listed is None and any(cell.content for cell in cells(row.cells))
            return row if row.number == wanted and not filled else None
    return None


def _row_attributes(model: Row | None) -> dict[str, str]:
    if model is None:
        return {}
    dropped = {"r", "hidden", "collapsed", "spans"}
    if markup.is_true(model.attributes.get("hidden")):
        dropped.add("outlineLevel")
    return {name: value for name, value in model.attributes.items() if name not in dropped}


def _column_style(frame: etree._Element, column: int) -> int:
    for described in markup.named(frame, "col"):
        if int(described.get("min", "0")) <= column <= int(described.get("max", "0")):
            return int(described.get("style") or 0)
    return 0


def _date_style_below(found: FoundList, column: int) -> int | None:
    """A date style some row near the top already uses in this column."""
    for row in found.sheet.rows():
        if row.number > found.headings.row + _ROWS_TO_COPY_FROM:
            break
        if row.number > found.headings.row:
            for cell in cells(row.cells):
                if cell.column == column and found.file.styles.is_date(cell.style):
                    return cell.style
    return None


def xml(
    found: FoundList, new: NewRow, appearance: Look, formulas: Mapping[int, Formula], number: int
) -> bytes:
    """The `row` element for `new` as row `number`; `formulas` are those of calculated columns, by
    column, as they read in the first row under the heading.
    """
    contents = _contents(found, new, appearance)
    pieces = []
    for column in sorted({*appearance.styles, *contents, *formulas}):
        place = f"{references.column_letters(column)}{number}"
        style = appearance.styles.get(column, 0)
        if column in contents:
            pieces.append(contents[column].at(place))
        elif column in formulas:
            pieces.append(_calculated(formulas[column], place, style, number))
        else:
            pieces.append(f'<c r="{place}"{_style(style)}/>')
    named = attributes_text(appearance.attributes)
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


def _contents(found: FoundList, new: NewRow, appearance: Look) -> dict[int, _Content]:
    columns = found.headings.columns
    serial = values.serial(new.cancelled_on, date1904=found.file.date1904)
    amount = values.amount(new.collected_minor)
    contents = {
        columns["cancelled_on"]: _Content(appearance.date_style, Decimal(serial)),
        columns["collected"]: _Content(appearance.money_style, amount),
        columns["months"]: _Content(appearance.styles[columns["months"]], Decimal(new.months)),
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
            contents[column] = _Content(appearance.styles[column], words=text.storable(value))
    return contents


def _style(style: int) -> str:
    return f' s="{style}"' if style else ""
