"""Putting rows under the list's heading, or taking one out: the whole change to the package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypedDict

from lxml import etree

from canceldesk.workbook.moving import obstacles, otherparts, othertabs, sheetframe
from canceldesk.workbook.moving.cellformulas import CellFormulas, learned
from canceldesk.workbook.moving.insertion import Insertion
from canceldesk.workbook.moving.removal import Removal
from canceldesk.workbook.moving.shift import Shift
from canceldesk.workbook.ooxml import markup, sheetdata
from canceldesk.workbook.ooxml.references import LAST_ROW
from canceldesk.workbook.protocol import NewRow
from canceldesk.workbook.reading import FoundList
from canceldesk.workbook.rows import calculated, filling, looks, newrow


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
    model = calculated.by_column(found, insertion, first)
    filled = filling.by_column(found, fill, model)
    rows = newrow.rows(found, news, looks.of_list(found, frame), model, filled, insertion.row)
    _put_into_list(found, frame, insertion, rows)
    _move_the_rest(found, insertion)
    return found.file.package.packed()


def remove(found: FoundList, number: int) -> bytes:
    """The workbook file without the list's row `number`; raises `CannotEdit` if that would harm.

    The only row of a table is emptied instead, as Excel does. Only members that must change differ
    from the file `found` was read from. `found` is used up.
    """
    removal = Removal(**_place(found, number), first_row=found.first_row)
    frame = markup.parsed(found.sheet.frame, found.what)
    obstacles.check(found, frame, removal)
    if obstacles.is_last_of_table(found, removal):
        _empty(found, removal)
    else:
        _take_out_of_list(found, frame, removal)
        _move_the_rest(found, removal)
    return found.file.package.packed()


def _insertion(found: FoundList, count: int) -> Insertion:
    return Insertion(**_place(found, found.first_row), count=count)


def _place(found: FoundList, row: int) -> _Place:
    return {
        "tab": found.tab.name,
        "row": row,
        "last_row": found.last_row,
        "left": found.headings.left,
        "right": found.headings.right,
        "tabs": tuple(tab.name for tab in found.file.tabs),
    }


class _Place(TypedDict):
    tab: str
    row: int
    last_row: int
    left: int
    right: int
    tabs: tuple[str, ...]


def _put_into_list(
    found: FoundList, frame: etree._Element, insertion: Insertion, new_rows: bytes
) -> None:
    sheet = found.sheet
    formulas = _formulas(found, insertion)
    sheetframe.move(frame, insertion, here=True)
    sheetframe.add_merges_of_row(frame, insertion.row, insertion.count)
    new_bottom = insertion.row + insertion.count - 1
    last_row = sheet.last_row_up_to(LAST_ROW - insertion.count) + insertion.count
    sheetframe.move_dimension(frame, insertion, least=new_bottom, most=last_row)
    _write(found, frame, _with_rows(found, insertion, formulas, new_rows))


def _with_rows(
    found: FoundList, insertion: Insertion, formulas: CellFormulas, new_rows: bytes
) -> Iterator[bytes]:
    put = False
    for chunk in found.sheet.chunks():
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


def _take_out_of_list(found: FoundList, frame: etree._Element, removal: Removal) -> None:
    formulas = _formulas(found, removal)
    sheetframe.move(frame, removal, here=True)
    sheetframe.move_dimension(
        frame, removal, least=found.headings.row, most=found.sheet.last_row - 1
    )
    _write(found, frame, _without_row(found, removal, formulas))


def _without_row(found: FoundList, removal: Removal, formulas: CellFormulas) -> Iterator[bytes]:
    for chunk in found.sheet.chunks():
        rows = sheetdata.without(formulas.moved(chunk), removal.row)
        begin = sheetdata.begin_of(rows, removal.row)
        if begin is None:
            yield rows
        else:
            yield rows[:begin]
            yield sheetdata.renumbered(rows[begin:], removal.moved)


def _empty(found: FoundList, removal: Removal) -> None:
    chunks = (sheetdata.emptied(chunk, removal.row) for chunk in found.sheet.chunks())
    frame = found.sheet.frame
    found.file.package.write_stream(found.tab.part, found.sheet.pieces(frame, chunks))


def _formulas(found: FoundList, shift: Shift) -> CellFormulas:
    sheet = found.sheet
    return learned(sheet.chunks() if sheet.shares_formulas else (), shift, here=True)


def _write(found: FoundList, frame: etree._Element, chunks: Iterator[bytes]) -> None:
    pieces = found.sheet.pieces(markup.serialised(frame), chunks)
    found.file.package.write_stream(found.tab.part, pieces)


def _move_the_rest(found: FoundList, shift: Shift) -> None:
    othertabs.move(found, shift)
    _move_other_parts(found, shift)
    if found.file.styles.changed:
        _write_styles(found)


def _move_other_parts(found: FoundList, shift: Shift) -> None:
    file, package = found.file, found.file.package
    arrows = package.relationships(found.tab.part)
    own = {arrow.target for arrow in arrows if not arrow.external}
    otherparts.move_formula_parts(package, own, shift)
    otherparts.move_parts_of_sheet(package, arrows, shift)
    otherparts.move_vml(package, own, shift)
    otherparts.move_hyperlinks_in_relationships(package, shift)
    otherparts.move_workbook(file.root, shift)
    package.write_tree(file.part, file.root)
    chain = file.part_of_kind("calcChain")
    if chain is not None:
        package.remove(chain, file.part)


def _write_styles(found: FoundList) -> None:
    part = found.file.part_of_kind("styles")
    root = found.file.styles.root
    if part is not None and root is not None:
        found.file.package.write_tree(part, root)
