"""The formulas that the list's table puts into every row."""

from __future__ import annotations

from collections.abc import Mapping

from canceldesk.workbook.moving import cellformulas
from canceldesk.workbook.moving.insertion import Insertion
from canceldesk.workbook.ooxml import markup, tables
from canceldesk.workbook.ooxml.references import Span
from canceldesk.workbook.ooxml.sheetdata import Formula
from canceldesk.workbook.reading import FoundList


def by_column(
    found: FoundList, insertion: Insertion, first_listed: int | None
) -> Mapping[int, Formula]:
    """The formulas by column, as they read in the first data row after the insertion: as the row
    that was the first one has them, else as the table describes them.
    """
    columns = _columns(found, insertion)
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


def _columns(found: FoundList, insertion: Insertion) -> dict[int, tuple[str, bool]]:
    columns = {}
    for table in tables.on(found.file.package, found.tab.part):
        span = tables.cells(table)
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
