"""Whatever the workbook looks like: the row is added faithfully, or refused and nothing touched.

The same few each time; `CANCELDESK_EXAMPLES=5000` looks at that many other ones.
"""

from __future__ import annotations

import datetime as dt
import os
import warnings
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, event, given, settings

from canceldesk.workbook.errors import ListError
from canceldesk.workbook.protocol import NewRow
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook import anyranges, anyworkbook
from tests.workbook.addition import Addition
from tests.workbook.planned import build
from tests.workbook.strategies import Line, Plan, Spelling, new_rows, plans

EXAMPLES = int(os.environ.get("CANCELDESK_EXAMPLES", "0"))
MANY = settings(
    max_examples=EXAMPLES or 60,
    derandomize=not EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
FEW = settings(MANY, max_examples=EXAMPLES or 20)


def added(path: Path, plan: Plan, new: NewRow) -> bool:
    """Whether the row was added; a refusal must leave the file as it is."""
    before = path.read_bytes()
    try:
        WorkbookList(path, tab=plan.tab, backups=0).add(new)
    except ListError as error:
        refusal = error
    else:
        return True
    event(f"refused: {type(refusal).__name__}")
    assert path.read_bytes() == before
    assert anyworkbook.may_be_refused(plan), refusal.sentence
    return False


SAMPLE = Plan(
    tab="Cancelled 2026",
    others=("Summary",),
    list_at=0,
    kind="filtered",
    heading_row=3,
    heading_style="one",
    left=1,
    columns=("Name", "Phone", "Date", "Notes", "Amount paid", "Months", "Reason"),
    fields=("name", "phone", "cancelled_on", "", "collected", "months", "reason"),
    lines=tuple(
        Line(f"Client {n}", "0555 0100", dt.date(2026, 1, n), 10.5 * n, n, "Moved", height=20 + n)
        for n in range(1, 5)
    ),
    totals_gap=1,
    date1904=False,
    right_to_left=False,
    styled=True,
    hidden_columns=(),
    merged_title=True,
    rules=True,
    formulas=(("Summary", "SUM('Cancelled 2026'!F4:F7)"),),
    own_formulas=("SUM(F4:F7)",),
    row_formulas=("F4*2",),
    block_formulas=(),
    shared_formulas=True,
    covering=(("B4:H7", "$F4>$F$7"),),
    charted=("'Cancelled 2026'!$F$4:$F$7",),
    note_below="",
    around=frozenset(("merged across the new row", "grouped rows", "sparkline")),
    names=("'Cancelled 2026'!$F$4:$F$7",),
    spelling=Spelling(),
)


@pytest.mark.parametrize("compared", [*anyworkbook.CHECKS, *anyranges.CHECKS])
def test_each_comparison_sees_when_openpyxl_or_nobody_adds_the_row(tmp_path, compared):
    new = NewRow("Nora New", "+1 555 0199", dt.date(2026, 11, 23), 123450, "USD", 7, "Moved")
    before = build(SAMPLE, tmp_path / "before.xlsx")
    after = tmp_path / "after.xlsx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        workbook = openpyxl.load_workbook(before)
        workbook[SAMPLE.tab].insert_rows(SAMPLE.first)
        workbook.save(after)
    harmed = 0
    for path in (before, after):
        try:
            compared(Addition(SAMPLE, new, before, path))
        except (AssertionError, LookupError):
            harmed += 1
    assert harmed


@MANY
@given(plan=plans(), new=new_rows())
def test_a_row_is_added_faithfully_or_refused(tmp_path, plan, new):
    before = build(plan, tmp_path / "before.xlsx")
    after = tmp_path / "after.xlsx"
    after.write_bytes(before.read_bytes())
    if added(after, plan, new):
        addition = Addition(plan, new, before, after)
        for compared in (*anyworkbook.CHECKS, *anyranges.CHECKS):
            compared(addition)


@FEW
@given(plan=plans(), first=new_rows(), second=new_rows())
def test_two_rows_stand_in_the_order_they_were_added(tmp_path, plan, first, second):
    path = build(plan, tmp_path / "twice.xlsx")
    if not added(path, plan, first):
        return
    middle = tmp_path / "middle.xlsx"
    middle.write_bytes(path.read_bytes())
    assert added(path, plan, second)
    addition = Addition(plan, second, middle, path)
    anyworkbook.check_new_row(addition)
    anyworkbook.check_cells(addition)


@FEW
@given(plan=plans(), new=new_rows())
def test_openpyxl_opens_the_workbook_and_reads_the_new_row(tmp_path, plan, new):
    if not anyworkbook.known_to_openpyxl(plan):
        return
    path = build(plan, tmp_path / "book.xlsx")
    assert added(path, plan, new)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sheet = openpyxl.load_workbook(path)[plan.tab]
    shown = sheet.cell(plan.first, plan.column("cancelled_on")).value
    assert isinstance(shown, dt.datetime)
    assert shown.date() == new.cancelled_on
    months = sheet.cell(plan.first, plan.column("months")).value
    in_words = any(isinstance(line.months, str) and line.months for line in plan.lines)
    assert months == new.months or (in_words and isinstance(months, str))
