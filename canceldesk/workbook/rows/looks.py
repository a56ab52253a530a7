"""How the list's top rows look, for a new row above them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from lxml import etree

from canceldesk.workbook.cellvalues import shown_text
from canceldesk.workbook.ooxml import markup, styles
from canceldesk.workbook.ooxml.sheetdata import Cell, Row, cells
from canceldesk.workbook.reading import FoundList, tells_more_than_name
from canceldesk.workbook.rows import wording

_ROWS_LOOKED_AT: Final = 20
_ROWS_THAT_TELL_A_BAND: Final = 4
_TEXT_KINDS: Final = frozenset(("s", "inlineStr", "str"))
_NOT_COPIED: Final = frozenset(("r", "hidden", "collapsed", "spans"))


@dataclass(frozen=True)
class Look:
    """What one new row copies: a row's own attributes and, by column, its cells' styles."""

    attributes: Mapping[str, str]
    styles: Mapping[int, int]
    date_style: int
    money_style: int
    months_style: int


@dataclass(frozen=True)
class Looks:
    """The look of new rows, and how the rows below write the months where they use words.

    Rows in bands take two looks by turns, the lowest new row the first of them.
    """

    by_turns: Sequence[Look]
    months_examples: Sequence[str]

    def at(self, height: int) -> Look:
        """The look of the new row that is `height` rows above the lowest new one."""
        return self.by_turns[height % len(self.by_turns)]


def of_list(found: FoundList, frame: etree._Element) -> Looks:
    """The look of the list: of its top rows, or of an empty list's prepared row or columns.

    Dates get a date format and amounts a money format where there is none to copy; the workbook's
    styles are added to for that.
    """
    top = _top_rows(found)
    turns = _by_turns(found, top)
    columns = found.headings.columns
    return Looks(
        by_turns=[_look(found, frame, row, top) for row in turns],
        months_examples=_texts(found, top, columns["months"]),
    )


def _top_rows(found: FoundList) -> Sequence[Row]:
    """The topmost lines about clients; a line with nothing but a name may be a sub-heading."""
    listed = list(islice(found.rows_from_the_top(), _ROWS_LOOKED_AT))
    numbers = {row.row_number for row in listed if tells_more_than_name(row)}
    numbers = numbers or {row.row_number for row in listed}
    last = max(numbers, default=0)
    rows = []
    for row in found.sheet.rows():
        if row.number > last:
            break
        if row.number in numbers:
            rows.append(row)
    return rows


def _by_turns(found: FoundList, top: Sequence[Row]) -> Sequence[Row | None]:
    """The rows whose looks the new rows take by turns."""
    if not top:
        return [_prepared_row(found)]
    if len(top) < _ROWS_THAT_TELL_A_BAND:
        return [top[0]]
    first, second, third, fourth = (
        _fills(found, row) for row in islice(top, _ROWS_THAT_TELL_A_BAND)
    )
    if first != second and (first, second) == (third, fourth):
        return [top[1], top[0]]
    differing = sum(one != other for one, other in zip(first, second, strict=True))
    if second == third == fourth and 2 * differing >= len(first):
        return [top[1]]  # somebody coloured the first row by hand
    return [top[0]]


def _fills(found: FoundList, row: Row) -> Sequence[str]:
    styled = {cell.column: cell.style for cell in cells(row.cells)}
    columns = range(found.headings.left, found.headings.right + 1)
    return [found.file.styles.fill(styled.get(column, 0)) for column in columns]


def _prepared_row(found: FoundList) -> Row | None:
    """The row under the heading of an empty list, unless it holds something else."""
    for row in found.sheet.rows():
        if row.number >= found.first_row:
            filled = any(cell.content for cell in cells(row.cells))
            return row if row.number == found.first_row and not filled else None
    return None


def _look(found: FoundList, frame: etree._Element, model: Row | None, top: Sequence[Row]) -> Look:
    by_column = {} if model is None else {cell.column: cell.style for cell in cells(model.cells)}
    columns = found.headings.columns
    for column in columns.values():
        by_column.setdefault(column, _column_style(frame, column))
    months = by_column[columns["months"]]
    known = found.file.styles
    return Look(
        attributes={} if model is None else _row_attributes(model),
        styles=by_column,
        date_style=_date_style(found, by_column[columns["cancelled_on"]], model, top),
        money_style=_money_style(found, by_column[columns["collected"]], top),
        months_style=known.with_format(months, styles.GENERAL) if known.is_date(months) else months,
    )


def _row_attributes(model: Row) -> dict[str, str]:
    dropped = set(_NOT_COPIED)
    if markup.is_true(model.attributes.get("hidden")):
        dropped.add("outlineLevel")
    if not float(model.attributes.get("ht") or 1):
        dropped |= {"ht", "customHeight"}
    return {name: value for name, value in model.attributes.items() if name not in dropped}


def _column_style(frame: etree._Element, column: int) -> int:
    for described in markup.named(frame, "col"):
        if int(described.get("min", "0")) <= column <= int(described.get("max", "0")):
            return int(described.get("style") or 0)
    return 0


def _date_style(found: FoundList, style: int, model: Row | None, top: Sequence[Row]) -> int:
    known = found.file.styles
    if known.is_date(style):
        return style
    column = found.headings.columns["cancelled_on"]
    dated = [
        (row, cell.style)
        for row in top
        if (cell := _cell(row, column)) is not None and known.is_date(cell.style)
    ]
    for row, date_style in dated:
        if model is not None and _fills_beside(found, row) == _fills_beside(found, model):
            return date_style
    if dated:
        return known.with_format(style, known.number_format(dated[0][1]))
    code = wording.date_code_like(_texts(found, top, column))
    return known.with_code(style, code) if code else known.with_format(style, styles.DATE_FORMAT)


def _fills_beside(found: FoundList, row: Row) -> Sequence[str]:
    """The row's colours but for the date's."""
    date = found.headings.columns["cancelled_on"] - found.headings.left
    fills = _fills(found, row)
    return [*fills[:date], *fills[date + 1 :]]


def _money_style(found: FoundList, style: int, top: Sequence[Row]) -> int:
    known = found.file.styles
    if not known.is_date(style) and not known.is_plain(style):
        return style
    texts = _texts(found, top, found.headings.columns["collected"])
    code = wording.money_code_like(texts, found.currency) if texts else ""
    if code:
        return known.with_code(style, code)
    if top and not texts and known.is_plain(style):
        return style
    return known.with_format(style, styles.MONEY_FORMAT)


def _texts(found: FoundList, top: Sequence[Row], column: int) -> Sequence[str]:
    """The texts in a column of these rows, the topmost first; none where most are no text."""
    texts, others = [], 0
    for row in top:
        cell = _cell(row, column)
        if cell is None or not (words := shown_text(found.file, cell).strip()):
            continue
        if cell.kind in _TEXT_KINDS:
            texts.append(words)
        else:
            others += 1
    return texts if len(texts) > others else []


def _cell(row: Row, column: int) -> Cell | None:
    return next((cell for cell in cells(row.cells) if cell.column == column), None)
