"""Putting one row under the list's heading: the whole change to the package, in order."""

from __future__ import annotations

from lxml import etree

from canceldesk.workbook import (
    cellformulas,
    markup,
    newrow,
    obstacles,
    otherparts,
    references,
    sheetdata,
    sheetframe,
)
from canceldesk.workbook.insertion import Insertion
from canceldesk.workbook.protocol import NewRow
from canceldesk.workbook.reading import FoundList
from canceldesk.workbook.references import Span
from canceldesk.workbook.sheetdata import Formula, Worksheet


def insert(found: FoundList, new: NewRow) -> bytes:
    """The workbook file with `new` on top of the list; raises `CannotEdit` if that would harm.

    Only members that must change differ from the file `found` was read from. `found` is used up.
    """
    listed = [row.row_number for row in found.listed]
    insertion = _insertion(found, listed[-1] if listed else 0)
    package = found.file.package
    frame = markup.parsed(found.sheet.frame, f"The tab “{found.tab.name}”")
    obstacles.check(found, frame, insertion)
    sheetdata.check_order(found.sheet.rows, f"The tab “{found.tab.name}” of “{found.file.name}”")
    appearance = newrow.look(found, frame, listed[0] if listed else None)
    formulas = _calculated(found, insertion, listed[0] if listed else None)
    row = newrow.xml(found, new, appearance, formulas)
    package.write(found.tab.part, _sheet_with(found, frame, insertion, row))
    _move_other_sheets(found, insertion)
    _move_other_parts(found, insertion)
    if found.file.styles.changed:
        _write_styles(found)
    return package.packed()


def _insertion(found: FoundList, last_row: int) -> Insertion:
    return Insertion(
        tab=found.tab.name,
        row=found.first_row,
        last_row=max(last_row, found.headings.row),
        left=found.headings.left,
        right=found.headings.right,
        tabs=tuple(tab.name for tab in found.file.tabs),
    )


def _sheet_with(found: FoundList, frame: etree._Element, insertion: Insertion, row: bytes) -> bytes:
    rows = sheetdata.without_blank_end(found.sheet.rows)
    rows = cellformulas.moved(rows, insertion, here=True)
    begin = sheetdata.begin_of(rows, insertion.row)
    rows = b"".join((rows[:begin], row, sheetdata.shifted(rows[begin:])))
    sheetframe.move(frame, insertion, here=True)
    sheetframe.add_merges_of_row(frame, insertion.row)
    sheetframe.extend_dimension(frame, sheetdata.last_number(rows))
    return Worksheet(markup.serialised(frame), rows).joined()


def _calculated(
    found: FoundList, insertion: Insertion, first_listed: int | None
) -> dict[int, Formula]:
    """The formulas that the list's table puts into every row, for the new one."""
    columns = _calculated_columns(found, insertion)
    if not columns:
        return {}
    existing = {}
    if first_listed is not None:
        existing = cellformulas.formulas_of_row([found.sheet.rows], first_listed)
    formulas = {}
    for column, (text, array) in columns.items():
        if column in found.headings.columns.values():
            continue
        model = existing.get(column)
        before = Span(insertion.row, column, insertion.row, column)
        moved = insertion.rule(
            text if model is None else model.text, here=True, before=before, after=before
        )
        place = f"{references.column_letters(column)}{insertion.row}"
        named = {"t": "array", "ref": place} if array else {}
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


def _move_other_sheets(found: FoundList, insertion: Insertion) -> None:
    package = found.file.package
    for tab in found.file.tabs:
        if tab.part == found.tab.part or tab.kind == "chartsheet" or not package.has(tab.part):
            continue
        data = package.read(tab.part)
        if not otherparts.mentions(data, insertion.tab):
            continue
        what = f"The tab “{tab.name}” of “{found.file.name}”"
        if not sheetdata.holds_rows(data):
            continue
        sheet = Worksheet.of(data, what)
        frame = markup.parsed(sheet.frame, what)
        before = etree.tostring(frame)
        rows = cellformulas.moved(sheet.rows, insertion, here=False)
        sheetframe.move(frame, insertion, here=False)
        if etree.tostring(frame) != before:
            package.write(tab.part, Worksheet(markup.serialised(frame), rows).joined())
        elif rows != sheet.rows:
            package.write(tab.part, Worksheet(sheet.frame, rows).joined())


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
