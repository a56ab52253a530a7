"""A workbook that holds everything, after a row was put in and taken out again."""

from __future__ import annotations

import re
import shutil
import warnings

import openpyxl
import pytest
from lxml import etree

from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import members, rewrite
from tests.workbook.everything import book
from tests.workbook.everything.layout import NEW, Shape


@pytest.fixture(params=list(Shape), ids=[shape.value for shape in Shape])
def path(request, tmp_path):
    """The workbook, its tab protected but for putting in and deleting rows."""
    made = book.build(tmp_path, request.param)
    sheets = {
        name: re.sub(rb"<sheetProtection ", b'<sheetProtection deleteRows="0" ', data)
        for name, data in members(made).items()
        if name.startswith("xl/worksheets/sheet")
    }
    return rewrite(made, sheets)


def canonical(name: str, data: bytes) -> bytes:
    """XML without what writes the same thing in another way."""
    if not name.endswith((".xml", ".rels")):
        return data
    return etree.tostring(etree.fromstring(data), method="c14n")


def test_every_part_reads_as_before(path, tmp_path):
    edited = tmp_path / f"edited{path.suffix}"
    shutil.copyfile(path, edited)
    the_list = WorkbookList(edited, backups=0)
    the_list.remove(the_list.add(NEW).row)
    before, after = members(path), members(edited)
    assert before.keys() - after.keys() == {"xl/calcChain.xml"}
    differing = {
        name for name in after if canonical(name, before[name]) != canonical(name, after[name])
    }
    assert differing == {"[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"}
    asked_for = before["xl/workbook.xml"].replace(b'calcId="124519"', b'calcId="124519" X')
    expected = canonical("workbook.xml", asked_for.replace(b" X", b' fullCalcOnLoad="1"'))
    assert canonical("workbook.xml", after["xl/workbook.xml"]) == expected


def test_a_row_in_the_middle_leaves_a_workbook_others_open(path):
    the_list = WorkbookList(path, backups=0)
    row = the_list.read().rows[3]
    with pytest.raises(CannotEdit, match="J8"):
        the_list.remove(row)
    beside = rb'<c r="[I-Z]8"[^>]*?(?:/>|>.*?</c>)'
    sheets = {name: data for name, data in members(path).items() if "/worksheets/sheet" in name}
    rewrite(path, {name: re.sub(beside, b"", data) for name, data in sheets.items()})
    the_list.remove(row)
    rows = the_list.read().rows
    assert row.name not in [left.name for left in rows]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sheet = openpyxl.load_workbook(path)[the_list.read().tab]
    assert sheet.cell(rows[3].row_number, 1).value == rows[3].name
