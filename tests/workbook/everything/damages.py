"""One small damage for each feature that neither openpyxl nor doing nothing harms."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Final

_LIST: Final = "xl/worksheets/sheet2.xml"

DAMAGES: Final[dict[str, tuple[str, bytes, bytes]]] = {
    "calculated column def + style kept": ("xl/tables/table1.xml", rb"/E5</", rb"/E6</"),
    "charts present": ("xl/charts/chart4.xml", rb"c:scatterChart", rb"c:areaChart"),
    "numbers kept in charts": ("xl/charts/chart2.xml", rb"<c:v>[^<]*</c:v>", rb"<c:v>0</c:v>"),
    "pivot table and its records kept": ("xl/pivotTables/pivotTable1.xml", rb"A3:B8", rb"A4:B9"),
    "new row: styles of list": (_LIST, rb'r="C5" s="\d+"', rb'r="C5" s="0"'),
    "new row: height": (_LIST, rb'(r="5"[^>]* ht=")21"', rb'\g<1>15"'),
    "untouched sheets same cells": ("xl/worksheets/sheet6.xml", rb"D5:D10", rb"D5:D11"),
    "calculation chain not stale": (_LIST, rb"<f>A5</f>", rb""),
    "custom properties": ("docProps/custom.xml", rb"the office", rb"nobody"),
    "sheet list/order": ("xl/workbook.xml", rb' state="hidden"', rb""),
    "freeze panes": (_LIST, rb'ySplit="4"', rb'ySplit="3"'),
    "column widths": (_LIST, rb'width="28\.7109375"', rb'width="9"'),
    "page setup/header": (_LIST, rb"Page &amp;P", rb"Page"),
    "sheet protection kept": (_LIST, rb' insertRows="0"', rb""),
    "VBA project byte-identical": ("xl/vbaProject.bin", rb"^\xd0\xcf", rb"CF"),
    "macro content type": ("[Content_Types].xml", rb"macroEnabled\.main", rb"main"),
    "VBA code names": (_LIST, rb'codeName="CancelSheet"', rb'codeName="Sheet2"'),
}
"""By feature: the member, what to find in it (a regular expression) and what to put instead."""


def damage(path: Path, feature: str) -> None:
    """Do the feature's damage to the workbook."""
    member, old, new = DAMAGES[feature]
    with zipfile.ZipFile(path) as package:
        members = {name: package.read(name) for name in package.namelist()}
    members[member], count = re.subn(old, new, members[member])
    assert count, f"{old!r} is not in {member}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in members.items():
            package.writestr(name, data)
