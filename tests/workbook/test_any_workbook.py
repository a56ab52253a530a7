"""Whatever the workbook looks like: the row is added faithfully, or refused and nothing touched.

`CANCELDESK_EXAMPLES=5000` looks at that many workbooks instead of a few.
"""

from __future__ import annotations

import datetime as dt
import os
import warnings
from pathlib import Path

import openpyxl
from hypothesis import HealthCheck, event, given, settings

from canceldesk.workbook.errors import ListError
from canceldesk.workbook.protocol import NewRow
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook import anyranges, anyworkbook
from tests.workbook.addition import Addition
from tests.workbook.planned import build
from tests.workbook.strategies import Plan, new_rows, plans

EXAMPLES = int(os.environ.get("CANCELDESK_EXAMPLES", "0"))
MANY = settings(
    max_examples=EXAMPLES or 60,
    deadline=None,
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


@MANY
@given(plan=plans(), new=new_rows())
def test_a_row_is_added_faithfully_or_refused(tmp_path, plan, new):
    before = build(plan, tmp_path / "before.xlsx")
    after = tmp_path / "after.xlsx"
    after.write_bytes(before.read_bytes())
    if added(after, plan, new):
        addition = Addition(plan, new, before, after)
        anyworkbook.check(addition)
        anyranges.check(addition)


@FEW
@given(plan=plans(), first=new_rows(), second=new_rows())
def test_two_rows_stand_in_the_order_they_were_added(tmp_path, plan, first, second):
    path = build(plan, tmp_path / "twice.xlsx")
    if not added(path, plan, first):
        return
    middle = tmp_path / "middle.xlsx"
    middle.write_bytes(path.read_bytes())
    assert added(path, plan, second)
    anyworkbook.check_new_row(Addition(plan, second, middle, path))
    anyworkbook.check_cells(Addition(plan, second, middle, path))


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
    assert sheet.cell(plan.first, plan.column("months")).value == new.months
