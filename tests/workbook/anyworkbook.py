"""Comparing a drawn workbook with what it is after one row was added, by its raw XML."""

from __future__ import annotations

import datetime as dt
import re
import zipfile

from tests.workbook import following
from tests.workbook.addition import Addition, area_moved
from tests.workbook.everything.looking import Book, Cell, split
from tests.workbook.following import column_letters, down
from tests.workbook.strategies import Plan

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_SPAN = re.compile(
    r"(?:(?P<years>[\w-]+) years?)?(?: and |, | )?(?:(?P<months>[\w-]+)(?: months?)?)?"
)
_NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_FAR_DOWN = 1_048_000


def may_be_refused(plan: Plan) -> bool:
    """Whether something is in the way of the new row that nobody could move faithfully."""
    return False


def known_to_openpyxl(plan: Plan) -> bool:
    """Whether openpyxl knows the ways this workbook is written in."""
    spelling = plan.spelling
    return not (spelling.strict or spelling.odd_part_names or spelling.upper_case_targets)


def check_new_row(addition: Addition) -> None:
    """The client's values stand under the heading, as text, dates and numbers."""
    plan, new = addition.plan, addition.new
    cells = addition.after.cells(plan.tab)

    def at(field: str) -> Cell:
        return cells[f"{column_letters(plan.column(field))}{plan.first}"]

    for field, text in (("name", new.name), ("phone", new.phone), ("reason", new.reason)):
        assert at(field).type in ("text", "str")
        assert _shown(at(field).value) == text
    epoch = dt.date(1904, 1, 1) if plan.date1904 else dt.date(1899, 12, 30)
    assert float(at("cancelled_on").value) == (new.cancelled_on - epoch).days
    assert round(float(at("collected").value) * 100) == new.collected_minor
    assert _months(at("months"), plan) == new.months
    assert {at(field).type for field in ("cancelled_on", "collected")} == {"n"}
    date_format = str(addition.after.looks[at("cancelled_on").style][0])  # type: ignore[index]
    assert re.search("[dmy]", date_format)
    filled = {place for place, cell in cells.items() if cell.value or cell.formula}
    ours = {f"{column_letters(plan.column(field))}{plan.first}" for field in plan.fields if field}
    others = {place for place in filled if split(place)[1] == plan.first} - ours
    assert {cells[place].formula for place in others} <= {_calculated(plan)}


def _months(cell: Cell, plan: Plan) -> float:
    """The months of a cell; in words only where the list has words."""
    if cell.type == "n":
        return float(cell.value)
    assert any(isinstance(line.months, str) and line.months for line in plan.lines)
    match = _SPAN.fullmatch(cell.value)
    assert match is not None, cell.value
    counts = [_count(part or "0") for part in (match["years"], match["months"])]
    return counts[0] * 12 + counts[1]


def _count(written: str) -> int:
    if written.isdigit():
        return int(written)
    tens, _, ones = written.rpartition("-")
    if ones in _TENS:
        return _TENS.index(ones) * 10
    return (_TENS.index(tens) * 10 if tens else 0) + _NUMBERS.index(ones)


def _calculated(plan: Plan) -> str | None:
    """The formula of the table's calculated column, if it has one."""
    months = plan.columns[plan.fields.index("months")]
    return f"LEN(Listed[[#This Row],[{months}]])"


def _shown(value: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), value)


def _expected(addition: Addition, tab: str) -> dict[str, Cell]:
    """The cells of a tab under the addresses they must have afterwards."""
    cells = addition.before.cells(tab)
    if tab != addition.plan.tab:
        return dict(cells)
    moved = {}
    for place, cell in cells.items():
        column, row = split(place)
        moved[f"{column}{down(row, addition.plan.first)}"] = cell
    return moved


def check_cells(addition: Addition) -> None:
    """Every other cell of every tab holds what it held and looks as it looked."""
    first = addition.plan.first
    for tab in addition.before.tabs:
        expected, found = _expected(addition, tab.name), addition.after.cells(tab.name)
        extra = {
            place
            for place in found.keys() - expected.keys()
            if tab.name != addition.plan.tab or split(place)[1] != first
        }
        assert not extra
        for place, cell in expected.items():
            now = found[place]
            assert (now.type, now.value, now.rich) == (cell.type, cell.value, cell.rich), place
            assert (now.formula is None) == (cell.formula is None), place
            assert now.attributes == cell.attributes
            looks = addition.after.looks[now.style], addition.before.looks[cell.style]
            assert looks[0] == looks[1], place


def check_rows(addition: Addition) -> None:
    """Heights and hidden rows went down with their rows; the new row is to be seen."""
    plan = addition.plan
    kept = ("ht", "customHeight", "hidden", "outlineLevel", "s", "customFormat")
    for tab in addition.before.tabs:
        here = tab.name == plan.tab
        expected = {
            down(row, plan.first) if here else row: {k: v for k, v in named.items() if k in kept}
            for row, named in addition.before.rows(tab.name).items()
            if row < _FAR_DOWN
        }
        found = {
            row: {k: v for k, v in named.items() if k in kept}
            for row, named in addition.after.rows(tab.name).items()
            if row < _FAR_DOWN
        }
        if here:
            assert found.pop(plan.first).get("hidden", "0") in ("0", "false")
        assert found == expected


def check_formulas(addition: Addition) -> None:
    """Every reference in every formula followed."""
    plan = addition.plan
    for tab in addition.before.tabs:
        here = tab.name == plan.tab
        found = addition.after.cells(tab.name)
        for place, cell in _expected(addition, tab.name).items():
            if cell.formula is not None:
                row = split(place)[1]
                by_row = cell.formula_attributes.get("t") == "array"
                inside = by_row or (here and plan.first < row <= plan.last + 1)
                after = found[place].formula or ""
                block = cell.formula_attributes.get("ref")
                if block and cell.formula_attributes["t"] == "array":
                    expected = area_moved(block, plan.first) if here else block
                    assert found[place].formula_attributes["ref"] == expected
                following.check(cell.formula, after, addition.place, here=here, inside=inside)


def check_sums(addition: Addition) -> None:
    """What is added up over the whole list is more by exactly the new row."""
    plan, new = addition.plan, addition.new
    if len(plan.lines) < 2:
        return
    tab = plan.others[0]
    for place, more in (("Z1", new.collected_minor / 100), ("Z2", 1)):
        before = _evaluated(addition.before, addition.before.cells(tab)[place], plan.tab)
        after = _evaluated(addition.after, addition.after.cells(tab)[place], plan.tab)
        assert round(after - before, 4) == round(more, 4)


def _evaluated(book: Book, cell: Cell, tab: str) -> float:
    """`SUM` or `COUNTA` over one block of cells."""
    formula = cell.formula or ""
    _, (block,) = following.taken_apart(formula)
    covered = [
        one
        for place, one in book.cells(tab).items()
        if block.top <= split(place)[1] <= block.bottom
        and block.left <= following.column_number(split(place)[0]) <= block.right
        and one.value
    ]
    if formula.startswith("COUNTA"):
        return len(covered)
    return sum(float(one.value) for one in covered if one.type == "n")


def check_names(addition: Addition) -> None:
    """Names followed; Excel's own for filters too."""
    plan, before, after = addition.plan, addition.before.names(), addition.after.names()
    assert before.keys() == after.keys()
    for key, text in before.items():
        if key[0] == "_xlnm._FilterDatabase":
            assert after[key] == re.sub(
                r"\$(\d+)", lambda row: f"${down(int(row[1]), plan.first)}", text
            )
        elif re.search(r"(?<![$\d])\d+$|(?<![$\d])\d+:", text.rpartition("!")[2]):
            assert after[key] == text, "a row without $ counts from the cell that uses the name"
        else:
            following.check(text, after[key], addition.place, here=False)


def check_package(addition: Addition) -> None:
    """Only parts that know of the list changed, and the rest is there byte for byte."""
    plan, before, after = addition.plan, addition.before, addition.after
    with zipfile.ZipFile(addition.after_path) as package:
        assert package.testzip() is None
        names = package.namelist()
    assert len(names) == len(set(names))
    assert set(names) == set(before.members)
    assert [(tab.name, tab.state, tab.part) for tab in after.tabs] == [
        (tab.name, tab.state, tab.part) for tab in before.tabs
    ]
    mentioning = {name.casefold() for name, _ in plan.formulas} | {plan.others[0].casefold()}
    may_change = {before.main, before.tab(plan.tab).part}
    may_change |= {tab.part for tab in before.tabs if tab.name.casefold() in mentioning}
    may_change |= set(before.parts_of(before.main, "styles"))
    for arrow in before.arrows(before.tab(plan.tab).part):
        may_change.add(arrow.target)
    may_change |= {name for name in names if "/charts/" in name and plan.charted}
    changed = {name for name in names if before.members[name] != after.members[name]}
    assert changed <= may_change


CHECKS = (
    check_new_row,
    check_cells,
    check_rows,
    check_formulas,
    check_sums,
    check_names,
    check_package,
)
"""All comparisons; each raises `AssertionError` where something is not as it must be."""
