"""Checks of cells, rows and formulas."""

from __future__ import annotations

import datetime as dt

from tests.workbook.everything import layout
from tests.workbook.everything.features import Pair, feature
from tests.workbook.everything.layout import (
    ARCHIVE,
    FORMULAS,
    LISTS,
    NEW,
    OVERVIEW,
    PIVOT,
    SUMMARY,
    TOTALS,
    Shape,
)
from tests.workbook.everything.listtab import GROUPED_ROWS, HEIGHT
from tests.workbook.everything.looking import Book, Cell, all_named, down, moved, split

_PLAIN = (Shape.RANGE, Shape.MACRO)


def _moved_cells(book: Book, tab: str) -> dict[str, Cell]:
    """The cells of the list's tab under the addresses they must have afterwards."""
    cells = {}
    for place, cell in book.cells(tab).items():
        column, row = split(place)
        cells[f"{column}{down(row)}"] = cell
    return cells


@feature("new values")
def new_values(pair: Pair) -> None:
    cells = pair.after.cells(pair.tab)
    words = {"A5": NEW.name, "B5": NEW.phone, "F5": NEW.reason}
    assert {place: cells[place].value for place in words} == words
    assert all(cells[place].type == "text" for place in words)
    day = (NEW.cancelled_on - dt.date(1899, 12, 30)).days
    numbers = {"C5": day, "D5": layout.NEW_COLLECTED, "E5": NEW.months}
    assert {place: float(cells[place].value) for place in numbers} == numbers
    assert all(cells[place].type == "n" for place in numbers)


@feature("data shifted by one")
def data_shifted(pair: Pair) -> None:
    def values(cells: dict[str, Cell]) -> dict[str, tuple[str, str]]:
        return {
            place: (cell.type, _number(cell))
            for place, cell in cells.items()
            if cell.formula is None and cell.value
        }

    expected = values(_moved_cells(pair.before, pair.tab))
    found = values(pair.after.cells(pair.tab))
    for column in "ABCDEF":
        found.pop(f"{column}5")
    assert found == expected


def _number(cell: Cell) -> str:
    return repr(float(cell.value)) if cell.type == "n" and cell.value else cell.value


@feature("rows and cells in order")
def in_order(pair: Pair) -> None:
    last = 0
    for row in all_named(pair.after.tab(pair.tab).root, "sheetData")[0]:
        number = int(row.get("r", "0"))
        assert number > last
        last = number
        columns = [split(cell.get("r", "")) for cell in all_named(row, "c")]
        assert all(at == number for _, at in columns)
        letters = [(len(column), column) for column, _ in columns]
        assert letters == sorted(set(letters))
    assert last == max(down(row) for row in pair.before.rows(pair.tab))


@feature("new row: styles of list")
def new_row_styles(pair: Pair) -> None:
    before, after = pair.before.cells(pair.tab), pair.after.cells(pair.tab)
    for column in "ABCDEFGH":
        old = pair.before.looks[before[f"{column}5"].style]
        assert pair.after.looks[after[f"{column}5"].style] == old


@feature("new row: height")
def new_row_height(pair: Pair) -> None:
    assert float(pair.after.rows(pair.tab)[5]["ht"]) == HEIGHT
    assert pair.after.rows(pair.tab)[5].get("hidden", "0") in ("0", "false")


@feature("styles of existing cells")
def styles_of_existing_cells(pair: Pair) -> None:
    for tab in pair.before.tabs:
        moved_here = tab.name == pair.tab
        cells = _moved_cells(pair.before, tab.name) if moved_here else pair.before.cells(tab.name)
        expected = {place: pair.before.looks[cell.style] for place, cell in cells.items()}
        found = pair.after.cells(tab.name)
        looks = {place: pair.after.looks[found[place].style] for place in expected}
        assert looks == expected


@feature("row heights follow rows")
def row_heights(pair: Pair) -> None:
    def heights(rows: dict[int, dict[str, str]]) -> dict[int, float]:
        return {row: float(named["ht"]) for row, named in rows.items() if "ht" in named}

    expected = {down(row): ht for row, ht in heights(pair.before.rows(pair.tab)).items()}
    found = heights(pair.after.rows(pair.tab))
    found.pop(5)
    assert found == expected
    assert heights(pair.after.rows(ARCHIVE)) == heights(pair.before.rows(ARCHIVE))


@feature("hidden row follows")
def hidden_row(pair: Pair) -> None:
    rows = pair.after.rows(pair.tab)
    hidden = [row for row, named in rows.items() if named.get("hidden") in ("1", "true")]
    assert hidden == [layout.FILTERED_ROW + 1]


@feature("outline group follows")
def outline(pair: Pair) -> None:
    rows = pair.after.rows(pair.tab)
    grouped = [row for row, named in rows.items() if named.get("outlineLevel", "0") != "0"]
    assert grouped == [row + 1 for row in GROUPED_ROWS]


@feature("table column formulas", Shape.TABLE)
def table_column_formulas(pair: Pair) -> None:
    cells = pair.after.cells(pair.tab)
    for row in range(6, 26):
        assert cells[f"G{row}"].formula == f"Cancelled[[#This Row],[Total Amount Collected]]/E{row}"


@feature("shared formulas in list", *_PLAIN)
def shared_formulas(pair: Pair) -> None:
    cells = pair.after.cells(pair.tab)
    for row in range(6, 26):
        assert cells[f"G{row}"].formula == f"D{row}/E{row}"
    for row in range(7, 26):
        assert cells[f"J{row}"].formula == f"J{row - 1}+D{row}"


@feature("formulas beside the list")
def formulas_beside(pair: Pair) -> None:
    cells = pair.after.cells(pair.tab)
    assert cells["J6"].formula == "D6"
    assert cells["J7"].formula == "J6+D7"
    assert cells["G2"].formula == "A6"
    assert cells["P16"].formula == "L21*2"
    for row in range(36, 38):
        assert cells[f"C{row}"].formula == pair.before.cells(pair.tab)[f"C{row - 1}"].formula


@feature("array formula")
def array_formula(pair: Pair) -> None:
    cell = pair.after.cells(pair.tab)["O13"]
    assert cell.formula == "D13:D14*2"
    assert cell.formula_attributes == {"t": "array", "ref": "O13:O14"}
    summary = pair.after.cells(SUMMARY)["B20"]
    assert summary.formula_attributes == {"t": "array", "ref": "B20"}
    tab = pair.quoted
    assert summary.formula in {f"SUM(IF({tab}!E{top}:E25>3,{tab}!D{top}:D25,0))" for top in (5, 6)}


@feature("what-if data table")
def data_table(pair: Pair) -> None:
    cell = pair.after.cells(pair.tab)["P17"]
    expected = {"t": "dataTable", "ref": "P17:P19", "r1": "L21"}
    assert {name: cell.formula_attributes.get(name) for name in expected} == expected


@feature("cross-sheet formulas (18)")
def cross_sheet_formulas(pair: Pair) -> None:
    cells = pair.after.cells(SUMMARY)
    for row, formula in enumerate(FORMULAS, start=1):
        allowed = {text.format(T=pair.quoted) for text in (formula.after, formula.excel) if text}
        assert cells[f"B{row}"].formula in allowed


@feature("POLICY: cross-sheet SUM includes new row")
def cross_sheet_policy(pair: Pair) -> None:
    cells = pair.after.cells(SUMMARY)
    for row, formula in enumerate(FORMULAS, start=1):
        assert cells[f"B{row}"].formula == formula.after.format(T=pair.quoted)
    tab = pair.quoted
    assert cells["B20"].formula == f"SUM(IF({tab}!E5:E25>3,{tab}!D5:D25,0))"


@feature("structured reference from another tab", Shape.TABLE)
def structured_reference(pair: Pair) -> None:
    cell = pair.after.cells(SUMMARY)["B21"]
    assert cell.formula == "SUM(Cancelled[Total Amount Collected])"
    assert pair.after.tree("xl/tables/table1.xml").get("ref") == "A4:H25"


@feature("dynamic array kept (cm + array)")
def dynamic_array(pair: Pair) -> None:
    cell = pair.after.cells(pair.tab)["E41"]
    assert cell.attributes.get("cm") == pair.before.cells(pair.tab)["E40"].attributes["cm"]
    assert cell.formula in {f"_xlfn._xlws.SORT(A{top}:A25)" for top in (5, 6)}
    assert cell.formula_attributes == {"t": "array", "ref": "E41:E60"}
    other = pair.after.cells(SUMMARY)["G1"]
    assert other.attributes.get("cm")
    assert other.formula in {f"_xlfn.UNIQUE({pair.quoted}!F{top}:F25)" for top in (5, 6)}
    assert pair.after.members["xl/metadata.xml"] == pair.before.members["xl/metadata.xml"]


@feature("external link kept, not shifted")
def external_link(pair: Pair) -> None:
    formula = "'[1]" + pair.tab.replace("'", "''") + "'!$D$5"
    for tab, place in ((pair.tab, "M21"), (SUMMARY, "C5")):
        assert pair.after.cells(tab)[place].formula == formula
    (part,) = pair.after.parts_of(pair.after.main, "externalLink")
    name = all_named(pair.after.tree(part), "sheetName")[0]
    assert name.get("val") == pair.tab
    (arrow,) = pair.after.arrows(part)
    assert (arrow.target, arrow.external) == ("prices.xlsx", True)


@feature("formula on quoted-name sheet")
def quoted_name(pair: Pair) -> None:
    cells = pair.after.cells(OVERVIEW)
    assert cells["A1"].formula == "'Bob''s Übersicht'!B1"
    allowed = {f"COUNTA({pair.quoted}!B{top}:B25)+B1" for top in (5, 6)}
    assert cells["A2"].formula in allowed


@feature("totals above and below list")
def totals(pair: Pair) -> None:
    cells = pair.after.cells(pair.tab)
    row = TOTALS[pair.shape] + 1
    assert cells["D2"].formula in {"SUM(D5:D25)", "SUM(D6:D25)"}
    assert cells[f"D{row}"].formula in {"SUM(D5:D25)", "SUM(D6:D25)"}
    assert cells[f"E{row}"].formula in {"SUBTOTAL(101,E5:E25)", "SUBTOTAL(101,E6:E25)"}


@feature("POLICY: totals include new row")
def totals_policy(pair: Pair) -> None:
    cells = pair.after.cells(pair.tab)
    row = TOTALS[pair.shape] + 1
    expected = {
        "D2": "SUM(D5:D25)",
        "E2": "AVERAGE(E5:E25)",
        f"D{row}": "SUM(D5:D25)",
        f"E{row}": "SUBTOTAL(101,E5:E25)",
        f"F{row}": 'COUNTIF($F$5:$F$25,"No time")&" had no time"',
        "E41": "_xlfn._xlws.SORT(A5:A25)",
    }
    assert {place: cells[place].formula for place in expected} == expected


@feature("rich text kept")
def rich_text(pair: Pair) -> None:
    for tab, old, new in ((pair.tab, "F10", "F11"), (pair.tab, "A1", "A1"), (LISTS, "B1", "B1")):
        before = pair.before.cells(tab)[old]
        assert before.rich
        assert pair.after.cells(tab)[new].rich == before.rich


@feature("check boxes in cells and picture in a cell")
def cell_check_boxes(pair: Pair) -> None:
    before, after = pair.before.cells(pair.tab), pair.after.cells(pair.tab)
    for row in range(5, 25):
        assert after[f"H{row + 1}"].value == before[f"H{row}"].value
    assert after["N23"].attributes.get("vm") == before["N22"].attributes["vm"]
    for name in ("featurePropertyBag/featurePropertyBag", "richData/rdrichvalue"):
        assert pair.after.members[f"xl/{name}.xml"] == pair.before.members[f"xl/{name}.xml"]


@feature("untouched sheets same cells")
def untouched_sheets(pair: Pair) -> None:
    for tab in (LISTS, ARCHIVE, PIVOT):
        before, after = pair.before.cells(tab), pair.after.cells(tab)
        assert {place: c.formula or (c.type, _number(c)) for place, c in after.items()} == {
            place: c.formula or (c.type, _number(c)) for place, c in before.items()
        }


@feature("formula results kept for non-Excel readers")
def results_kept(pair: Pair) -> None:
    for tab in (pair.tab, SUMMARY, OVERVIEW, LISTS):
        before = pair.before.cells(tab)
        cells = _moved_cells(pair.before, tab) if tab == pair.tab else before
        for place, cell in cells.items():
            if cell.formula is not None:
                assert pair.after.cells(tab)[place].value == cell.value


@feature("recalc on load requested or values dropped")
def recalculated(pair: Pair) -> None:
    assert not all_named(pair.before.tree(pair.before.main), "calcPr")[0].get("fullCalcOnLoad")
    calculation = all_named(pair.after.tree(pair.after.main), "calcPr")
    asked = bool(calculation) and calculation[0].get("fullCalcOnLoad") in ("1", "true")
    cells = pair.after.cells(SUMMARY).values()
    assert asked or not any(cell.value for cell in cells if cell.formula is not None)


@feature("calculation chain not stale")
def calculation_chain(pair: Pair) -> None:
    assert pair.before.parts_of(pair.before.main, "calcChain")
    for part in pair.after.parts_of(pair.after.main, "calcChain"):
        numbered = {str(number): tab.name for number, tab in enumerate(pair.after.tabs, start=1)}
        for link in all_named(pair.after.tree(part), "c"):
            cells = pair.after.cells(numbered[link.get("i", "")])
            assert cells[link.get("r", "")].formula is not None


@feature("formulas of the list's own tab, all of them")
def every_formula_of_the_list(pair: Pair) -> None:
    """Each formula is the old one moved, or one that means the whole list and grew."""
    found = pair.after.cells(pair.tab)
    for place, cell in _moved_cells(pair.before, pair.tab).items():
        if (
            cell.formula is None
            or "[1]" in cell.formula
            or "dataTable" in str(cell.formula_attributes)
        ):
            continue
        plain = moved(cell.formula)
        grown = plain
        for letter in "ADEF":
            grown = grown.replace(f"{letter}6:{letter}25", f"{letter}5:{letter}25")
            grown = grown.replace(f"${letter}$6:${letter}$25", f"${letter}$5:${letter}$25")
        assert found[place].formula in {plain, grown}
