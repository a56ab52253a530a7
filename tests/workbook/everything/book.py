"""The workbook that holds every feature at once, in three shapes."""

from __future__ import annotations

import io
from pathlib import Path

import xlsxwriter

from tests.workbook.everything import handmade, handmadepivot, listtab, othertabs
from tests.workbook.everything.layout import (
    ARCHIVE,
    LISTS,
    OVERVIEW,
    PICTURE,
    PIVOT,
    SUMMARY,
    Shape,
)
from tests.workbook.everything.media import macros


def build(folder: Path, shape: Shape) -> Path:
    """Make the workbook of that shape in `folder`."""
    path = folder / shape.file_name
    with xlsxwriter.Workbook(str(path)) as workbook:
        summary = workbook.add_worksheet(SUMMARY)
        listed = workbook.add_worksheet(shape.tab)
        overview = workbook.add_worksheet(OVERVIEW)
        picture = workbook.add_chartsheet(PICTURE)
        lists = workbook.add_worksheet(LISTS)
        workbook.add_worksheet(PIVOT)
        archive = workbook.add_worksheet(ARCHIVE)
        listtab.write(workbook, listed, shape)
        othertabs.write_summary(workbook, summary, shape)
        othertabs.write_overview(workbook, overview, shape)
        othertabs.write_picture(workbook, picture, shape)
        othertabs.write_lists(workbook, lists)
        othertabs.write_archive(archive)
        othertabs.names(workbook, shape)
        workbook.set_properties({"title": "Cancelled clients", "company": "Example Ltd"})
        workbook.set_custom_property("Owner", "the office")
        workbook.set_custom_property("Reviewed", True)
        if shape is Shape.MACRO:
            workbook.add_vba_project(io.BytesIO(macros()), is_stream=True)
            workbook.set_vba_name("ThisBook")
            listed.set_vba_name("CancelSheet")
        listed.activate()
    with handmade.opened(path) as package:
        handmade.add(package, shape)
        handmadepivot.add(package, shape)
    return path
