"""Putting rows under the list's heading, or taking one out: the whole change to the package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from lxml import etree

from canceldesk.workbook import (
    cellformulas,
    filling,
    looks,
    markup,
    newrow,
    obstacles,
    otherparts,
    sheetdata,
    sheetframe,
)
from canceldesk.workbook.cellformulas import CellFormulas
from canceldesk.workbook.insertion import Insertion
from canceldesk.workbook.protocol import NewRow
from canceldesk.workbook.reading import FoundList
from canceldesk.workbook.references import LAST_ROW, Span
from canceldesk.workbook.sheetdata import Formula
from canceldesk.workbook.workbookfile import Tab
from canceldesk.workbook.worksheet import Worksheet, holds_rows
from canceldesk.workbook.zipwriter import deflated

_LONGEST_MENTION: Final = 512
"""Bytes of a tab's name with all around it that could lie across two pieces."""


def insert(
    found: FoundList, news: Sequence[NewRow], fill: Mapping[str, str] = MappingProxyType({})
) -> bytes:
    """The workbook file with `news` put on top of the list one after the other, so that the last
    of them is the topmost; raises `CannotEdit` if that would harm.

    `fill` is text for columns of the company's own, by heading (`CannotPlace` for a wrong one).
    Only members that must change differ from the file `found` was read from. `found` is used up.
    """
    first = next((row.row_number for row in found.rows_from_the_top()), None)
    insertion = _insertion(found, len(news))
    frame = markup.parsed(found.sheet.frame, found.what)
    obstacles.check(found, frame, insertion)
    model = _calculated(found, insertion, first)
    filled = filling.by_column(found, fill, model)
    rows = newrow.rows(found, news, looks.of_list(found, frame), model, filled, insertion.row)
    _move_list(found, frame, insertion, rows)
    _move_the_rest(found, insertion)
    return found.file.package.packed()


def _insertion(found: FoundList, count: int) -> Insertion:
    return Insertion(
        tab=found.tab.name,
        row=found.first_row,
        last_row=found.last_row,
        left=found.headings.left,
        right=found.headings.right,
        tabs=tuple(tab.name for tab in found.file.tabs),
        count=count,
    )


def _move_list(
    found: FoundList, frame: etree._Element, insertion: Insertion, new_rows: bytes
) -> None:
    sheet = found.sheet
    formulas = _learned(sheet, insertion, here=True)
    sheetframe.move(frame, insertion, here=True)
    sheetframe.add_merges_of_row(frame, insertion.row, insertion.count)
    last_row = sheet.last_row_up_to(LAST_ROW - insertion.count)
    sheetframe.extend_dimension(frame, max(last_row + insertion.count, insertion.row))
    chunks = _with_rows(sheet, insertion, formulas, new_rows)
    found.file.package.write_stream(found.tab.part, sheet.pieces(markup.serialised(frame), chunks))


def _with_rows(
    sheet: Worksheet, insertion: Insertion, formulas: CellFormulas, new_rows: bytes
) -> Iterator[bytes]:
    put = False
    for chunk in sheet.chunks():
        rows = formulas.moved(sheetdata.up_to(chunk, LAST_ROW - insertion.count))
        begin = None if put else sheetdata.begin_of(rows, insertion.row)
        if begin is None:
            yield sheetdata.renumbered(rows, insertion.moved) if put else rows
        else:
            yield rows[:begin]
            yield new_rows
            yield sheetdata.renumbered(rows[begin:], insertion.moved)
            put = True
    if not put:
        yield new_rows


def _learned(sheet: Worksheet, insertion: Insertion, *, here: bool) -> CellFormulas:
    formulas = CellFormulas(insertion, here=here)
    for chunk in sheet.chunks() if sheet.shares_formulas else ():
        formulas.learn(chunk)
    return formulas


def _calculated(
    found: FoundList, insertion: Insertion, first_listed: int | None
) -> Mapping[int, Formula]:
    """The formulas that the list's table puts into every row, as they read in the first data row
    after the insertion.
    """
    columns = _calculated_columns(found, insertion)
    existing: Mapping[int, Formula] = {}
    if columns and first_listed is not None:
        existing = cellformulas.formulas_of_row(found.sheet.chunks(), first_listed)
    formulas = {}
    for column, (text, array) in columns.items():
        if column in found.headings.columns.values():
            continue
        model = existing.get(column)
        before = Span(insertion.row, column, insertion.row, column)
        moved = insertion.rule(
            text if model is None else model.text, here=True, before=before, after=before
        )
        named = {"t": "array"} if array else {}
        formulas[column] = Formula(insertion.row, column, named, moved)
    return formulas


def _calculated_columns(found: FoundList, insertion: Insertion) -> dict[int, tuple[str, bool]]:
    package = found.file.package
    columns = {}
    for arrow in package.relationships(found.tab.part):
        if arrow.kind != "table":
            continue
        table = package.tree(arrow.target)
        span = Span.of(table.get("ref", ""))
        if not insertion.straddled_by(span):
            continue
        for offset, described in enumerate(markup.named(table, "tableColumn")):
            formula = markup.child(described, "calculatedColumnFormula")
            if formula is not None and formula.text:
                columns[span.left + offset] = (
                    formula.text,
                    markup.is_true(formula.get("array")),
                )
    return columns


def _move_the_rest(found: FoundList, insertion: Insertion) -> None:
    for tab in found.file.tabs:
        if tab.part != found.tab.part and tab.kind != "chartsheet":
            _move_other_sheet(found, tab, insertion)
    _move_other_parts(found, insertion)
    if found.file.styles.changed:
        _write_styles(found)


def _move_other_sheet(found: FoundList, tab: Tab, insertion: Insertion) -> None:
    package = found.file.package
    if not package.has(tab.part) or not _mentions(package.stream(tab.part), insertion.tab):
        return
    what = f"The tab “{tab.name}” of “{found.file.name}”"
    if not any(holds_rows(piece) for piece in package.stream(tab.part)):
        return
    sheet = Worksheet.of(package, tab.part, what)
    frame = markup.parsed(sheet.frame, what)
    before = etree.tostring(frame)
    sheetframe.move(frame, insertion, here=False)
    after = sheet.frame if etree.tostring(frame) == before else markup.serialised(frame)
    rewriting = _Rewriting(_learned(sheet, insertion, here=False))
    made = deflated(sheet.pieces(after, rewriting.moved(sheet.chunks())))
    if rewriting.changed or after is not sheet.frame:
        package.put(tab.part, made)


class _Rewriting:
    """The formulas of another tab moved; `changed` tells afterwards whether any had to be."""

    def __init__(self, formulas: CellFormulas) -> None:
        self._formulas = formulas
        self.changed = False

    def moved(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            moved = self._formulas.moved(chunk)
            self.changed = self.changed or moved != chunk
            yield moved


def _mentions(pieces: Iterable[bytes], tab: str) -> bool:
    end = b""
    for piece in pieces:
        if otherparts.mentions(end + piece, tab):
            return True
        end = piece[-_LONGEST_MENTION:]
    return False


def _move_other_parts(found: FoundList, insertion: Insertion) -> None:
    file, package = found.file, found.file.package
    arrows = package.relationships(found.tab.part)
    own = {arrow.target for arrow in arrows if not arrow.external}
    otherparts.move_formula_parts(package, own, insertion)
    otherparts.move_parts_of_sheet(package, arrows, insertion)
    otherparts.move_vml(package, own, insertion)
    otherparts.move_hyperlinks_in_relationships(package, insertion)
    otherparts.move_workbook(file.root, insertion)
    package.write_tree(file.part, file.root)
    chain = file.part_of_kind("calcChain")
    if chain is not None:
        package.remove(chain, file.part)


def _write_styles(found: FoundList) -> None:
    part = found.file.part_of_kind("styles")
    root = found.file.styles.root
    if part is not None and root is not None:
        found.file.package.write_tree(part, root)
