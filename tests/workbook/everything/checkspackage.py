"""Checks of the file as a whole: its parts, its bytes, and whether other readers open it."""

from __future__ import annotations

import itertools
import shutil
import struct
import subprocess
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Final

import openpyxl
from lxml import etree

from tests.workbook.everything import layout
from tests.workbook.everything.features import Pair, feature
from tests.workbook.everything.layout import ARCHIVE, LISTS, OVERVIEW, PIVOT, Shape
from tests.workbook.everything.looking import Book, all_named, same

LIBREOFFICE: Final = "reopens in LibreOffice"
_MACRO_TYPE: Final = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
_MAY_CHANGE: Final = (
    "[Content_Types].xml",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/styles.xml",
    "xl/calcChain.xml",
    "xl/comments2.xml",
    "xl/ctrlProps/ctrlProp1.xml",
    "xl/drawings/drawing1.xml",
    "xl/drawings/drawing2.xml",
    "xl/drawings/vmlDrawing2.vml",
    "xl/pivotCache/pivotCacheDefinition1.xml",
    "xl/tables/table1.xml",
    "xl/tables/table2.xml",
    "xl/threadedComments/threadedComment1.xml",
    "xl/worksheets/sheet1.xml",
    "xl/worksheets/sheet2.xml",
    "xl/worksheets/sheet3.xml",
    *(f"xl/charts/chart{number}.xml" for number in range(1, 5)),
)
"""Members that hold something about the list; all others must stay as they are on the disk."""


def _stored(path: Path) -> dict[str, bytes]:
    """The members' bytes as they lie in the file, still compressed."""
    data = path.read_bytes()
    found = {}
    with zipfile.ZipFile(path) as package:
        for info in package.infolist():
            name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
            begin = info.header_offset + 30 + name + extra
            found[info.filename] = data[begin : begin + info.compress_size]
    return found


@feature("disk bytes of untouched members identical")
def untouched_members(pair: Pair) -> None:
    before, after = _stored(pair.before.path), _stored(pair.after.path)
    untouched = before.keys() - set(_MAY_CHANGE)
    assert len(untouched) > 30
    assert {name: after.get(name) for name in untouched} == {n: before[n] for n in untouched}


@feature("no part lost, none added")
def parts(pair: Pair) -> None:
    chain = {"xl/calcChain.xml"}
    assert pair.after.members.keys() - chain == pair.before.members.keys() - chain


@feature("every part has a type, every relationship its part")
def whole_package(pair: Pair) -> None:
    types = pair.after.tree("[Content_Types].xml")
    overridden = {e.get("PartName", "").lstrip("/") for e in all_named(types, "Override")}
    endings = {e.get("Extension", "").casefold() for e in all_named(types, "Default")}
    assert overridden <= pair.after.members.keys()
    for name in pair.after.members:
        ending = name.rpartition(".")[2].casefold()
        assert name == "[Content_Types].xml" or name in overridden or ending in endings
        for arrow in pair.after.arrows(name):
            if not arrow.external and not arrow.target.startswith("#"):
                assert arrow.target in pair.after.members
    assert len(pair.after.members) >= len(pair.before.members) - 1


@feature("custom XML part")
def custom_xml(pair: Pair) -> None:
    (part,) = pair.after.parts_of(pair.after.main, "customXml")
    assert pair.after.members[part] == pair.before.members["customXml/item1.xml"]
    assert len(pair.after.parts_of(part, "customXmlProps")) == 1


@feature("custom properties")
def custom_properties(pair: Pair) -> None:
    def properties(book: Book) -> dict[str, str]:
        (part,) = book.parts_of("", "custom-properties")
        return {
            str(one.get("name")): "".join(map(str, one.itertext())).replace("true", "1")
            for one in all_named(book.tree(part), "property")
        }

    assert properties(pair.before)["Owner"] == "the office"
    assert properties(pair.after) == properties(pair.before)


@feature("sheet list/order")
def sheet_list(pair: Pair) -> None:
    def sheets(book: Book) -> list[tuple[str, str]]:
        return [(tab.name, tab.state) for tab in book.tabs]

    assert sheets(pair.after) == sheets(pair.before)
    assert (ARCHIVE, "hidden") in sheets(pair.before)


@feature("VBA project byte-identical", Shape.MACRO)
def vba_project(pair: Pair) -> None:
    (part,) = pair.after.parts_of(pair.after.main, "vbaProject")
    assert pair.after.members[part] == pair.before.members["xl/vbaProject.bin"]


@feature("macro content type", Shape.MACRO)
def macro_content_type(pair: Pair) -> None:
    types = {
        e.get("PartName", "").lstrip("/"): e.get("ContentType")
        for e in all_named(pair.after.tree("[Content_Types].xml"), "Override")
    }
    assert types[pair.after.main] == _MACRO_TYPE


@feature("VBA code names", Shape.MACRO)
def code_names(pair: Pair) -> None:
    properties = all_named(pair.after.tree(pair.after.main), "workbookPr")[0]
    assert properties.get("codeName") == "ThisBook"
    sheet = all_named(pair.after.tab(pair.tab).root, "sheetPr")[0]
    assert sheet.get("codeName") == "CancelSheet"


@feature("workbook's own settings")
def workbook_settings(pair: Pair) -> None:
    def settings(book: Book) -> list[object]:
        kept = ("workbookPr", "workbookView", "fileVersion", "externalReference", "pivotCache")
        return [same(element) for element in all_named(book.tree(book.main), *kept)]

    assert settings(pair.after) == settings(pair.before)


@feature("reopens in openpyxl")
def openpyxl_reopens(pair: Pair) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        workbook = openpyxl.load_workbook(pair.after.path)
    sheet = workbook[pair.tab]
    assert sheet["A5"].value == layout.NEW.name
    assert sheet["C5"].value.date() == layout.NEW.cancelled_on
    assert [sheet.cell(row, 1).value for row in range(6, 26)] == [
        client.name for client in layout.clients()
    ]
    for tab in (LISTS, OVERVIEW, PIVOT):
        assert tab in workbook.sheetnames


@feature(LIBREOFFICE)
def libreoffice_reopens(pair: Pair) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy = folder / f"book{pair.after.path.suffix}"
        shutil.copyfile(pair.after.path, copy)
        command = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless"]
        command += ["--convert-to", "fods", "--outdir", str(folder), str(copy)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        shown = etree.parse(folder / "book.fods", etree.XMLParser(huge_tree=True)).getroot()
    tables = {
        next(str(v) for k, v in table.attrib.items() if str(k).endswith("}name")): table
        for table in all_named(shown, "table")
    }
    texts = ["".join(map(str, p.itertext())) for p in all_named(tables[pair.tab], "p")]
    first = list(itertools.pairwise(texts)).index((layout.NEW.name, layout.NEW.phone))
    names = [text for text in texts[first:] if text.startswith("Client ")]
    assert names[:20] == [client.name for client in layout.clients()]
    assert [tab.name for tab in pair.before.tabs if tab.name in tables] == [
        tab.name for tab in pair.before.tabs
    ]
