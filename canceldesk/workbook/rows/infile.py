"""What stands in one row of a workbook file that the desk did not put there.

Cells, comments, links and what lies on the row would go with it. Formats, validation, merged cells
and rules say nothing of a client, and the desk's own row has them, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from lxml import etree

from canceldesk.workbook import cellvalues
from canceldesk.workbook.moving import cellformulas
from canceldesk.workbook.ooxml import markup, references, sheetdata, tables
from canceldesk.workbook.ooxml.references import Span
from canceldesk.workbook.ooxml.sheetdata import Formula, Row
from canceldesk.workbook.reading import FoundList
from canceldesk.workbook.rows import beside
from canceldesk.workbook.rows.beside import Alike, Written

_FORMULA: Final = re.compile(rb"<f[\s/>]")


def check_alone(found: FoundList, number: int, fill: Mapping[str, str]) -> None:
    """Raise `SomethingBeside` if the row `number` holds anything but the desk's own.

    `fill` is text for columns of the company's own, by heading. Reads the sheet no further than the
    row, unless that has formulas: they are compared with the next ones in their columns.
    """
    row = _row(found, number)
    frame = markup.parsed(found.sheet.frame, found.what)
    stands = [
        *([] if row is None else _cells(found, row, fill)),
        *(f"somebody's comment is on {place}" for place in _comments(found, number)),
        *(f"a link is on {place}" for place in _links(frame, number)),
        *(f"a picture or the like lies on {place}" for place in _lying(found, frame, number)),
    ]
    beside.refuse(number, found.file.name, stands)


def _row(found: FoundList, number: int) -> Row | None:
    for chunk in found.sheet.chunks():
        begin = sheetdata.begin_of(chunk, number)
        if begin is not None:
            row = next(sheetdata.rows(chunk, begin))
            return row if row.number == number else None
    return None


def _cells(found: FoundList, row: Row, fill: Mapping[str, str]) -> list[str]:
    formulas: Mapping[int, Formula] = {}
    alike: Mapping[int, list[Alike]] = {}
    if _FORMULA.search(row.cells):
        formulas, alike = _formulas(found, row.number)
    written = []
    for cell in sheetdata.cells(row.cells):
        shown = cellvalues.shown_text(found.file, cell)
        if cell.column in formulas:
            written.append(Written(cell.column, shown, formulas[cell.column].text))
        elif shown.strip():
            written.append(Written(cell.column, shown))
    return beside.cells(found.headings, row.number, written, fill, alike)


def _formulas(
    found: FoundList, number: int
) -> tuple[Mapping[int, Formula], Mapping[int, list[Alike]]]:
    """The row's formulas by column, and the nearest ones above and below each."""
    above: dict[int, tuple[Formula, Formula | None]] = {}
    below: dict[int, tuple[Formula, Formula | None]] = {}
    here: dict[int, Formula] = {}
    for formula, leader in cellformulas.with_leaders(found.sheet.chunks()):
        if formula.row < number:
            above[formula.column] = formula, leader
        elif formula.row == number:
            here[formula.column] = cellformulas.spelled_out(formula, leader)
        elif here.keys() <= below.keys():
            break
        else:
            below.setdefault(formula.column, (formula, leader))
    alike = {column: _described(found, number, column) for column in here}
    for column in here:
        for formula, leader in (one[column] for one in (above, below) if column in one):
            alike[column].append(Alike(formula.row, cellformulas.spelled_out(formula, leader).text))
    return here, alike


def _described(found: FoundList, number: int, column: int) -> list[Alike]:
    """The formula that a table has for the column, as it reads in its first row of data."""
    described = []
    for table in tables.on(found.file.package, found.tab.part):
        data = tables.rows_of_data(table)
        if data.top <= number <= data.bottom and data.left <= column <= data.right:
            columns = list(markup.named(table, "tableColumn"))[column - data.left :]
            formula = markup.child(columns[0], "calculatedColumnFormula") if columns else None
            if formula is not None and formula.text:
                described.append(Alike(data.top, formula.text))
    return described


def _comments(found: FoundList, number: int) -> list[str]:
    """The cells with comments; one of the threaded kind has one of the old kind, too."""
    package = found.file.package
    places: dict[str, None] = {}
    for arrow in package.relationships(found.tab.part):
        if arrow.kind in ("comments", "threadedComment") and package.has(arrow.target):
            for comment in markup.named(package.tree(arrow.target), "comment", "threadedComment"):
                written = comment.get("ref")
                if written and Span.of(written).top == number:
                    places[written] = None
    return list(places)


def _links(frame: etree._Element, number: int) -> list[str]:
    """The cells with links; one over more rows than this stays."""
    places = [link.get("ref", "") for link in markup.named(frame, "hyperlink")]
    return [ref for ref in places if ref and _is_in_row(Span.of(ref), number)]


def _is_in_row(span: Span, number: int) -> bool:
    return span.top == span.bottom == number


def _lying(found: FoundList, frame: etree._Element, number: int) -> list[str]:
    """The cells on which a picture, a shape or a button of this row begins."""
    package = found.file.package
    anchors = list(markup.named(frame, "anchor"))
    for arrow in package.relationships(found.tab.part):
        if arrow.kind == "drawing" and package.has(arrow.target):
            drawing = package.tree(arrow.target)
            anchors += markup.named(drawing, "twoCellAnchor", "oneCellAnchor")
    places = {_place(anchor): None for anchor in anchors if _lies_in_row(anchor, number)}
    return list(places)


def _lies_in_row(anchor: etree._Element, number: int) -> bool:
    """Whether something is of this row: a picture that begins there, and anything else that ends
    there, too; a chart beside the list may begin anywhere.
    """
    if anchor.get("editAs") == "absolute" or _end(anchor, "from", "row") != number - 1:
        return False
    bottom = _end(anchor, "to", "row")
    ends = bottom == number - 1 or (bottom == number and not _end(anchor, "to", "rowOff"))
    return ends or bottom is None or markup.child(anchor, "pic") is not None


def _place(anchor: etree._Element) -> str:
    column, row = (_end(anchor, "from", what) or 0 for what in ("col", "row"))
    return f"{references.column_letters(column + 1)}{row + 1}"


def _end(anchor: etree._Element, end: str, what: str) -> int | None:
    """A number of one end of an anchor; rows and columns are counted from 0."""
    marker = markup.child(anchor, end)
    told = None if marker is None else markup.child(marker, what)
    return None if told is None else int(told.text or 0)
