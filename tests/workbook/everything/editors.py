"""The two ways of adding the row that are compared."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import openpyxl

from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.everything import book, layout
from tests.workbook.everything.features import Pair
from tests.workbook.everything.layout import FIRST, NEW, Shape
from tests.workbook.everything.looking import Book

Editor = Callable[[Path, Shape], None]


def by_desk(path: Path, shape: Shape) -> None:
    """Add the row with Cancel Desk."""
    WorkbookList(path, backups=0).add(NEW)


def by_openpyxl(path: Path, shape: Shape) -> None:
    """Add the row as one does with openpyxl: insert, write, copy the look, save."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        workbook = openpyxl.load_workbook(path, keep_vba=shape is Shape.MACRO, rich_text=True)
        sheet: Any = workbook[shape.tab]
        sheet.insert_rows(FIRST)
        values = (NEW.name, NEW.phone, NEW.cancelled_on, layout.NEW_COLLECTED, NEW.months)
        for column, value in enumerate((*values, NEW.reason, None, None), start=1):
            cell, model = sheet.cell(FIRST, column), sheet.cell(FIRST + 1, column)
            cell.value = value
            cell._style = copy(model._style)
        sheet.row_dimensions[FIRST].height = sheet.row_dimensions[FIRST + 1].height
        workbook.save(path)


def edited(folder: Path, shape: Shape, edit: Editor) -> Pair:
    """Build the workbook in `folder`, let `edit` add the row to a copy, and read both."""
    before = book.build(folder, shape)
    after = folder / f"edited{before.suffix}"
    shutil.copyfile(before, after)
    edit(after, shape)
    return Pair(shape, Book(before), Book(after))
