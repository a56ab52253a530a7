"""Parts of a workbook nobody here knows: harmless unless they point at the list's cells."""

from __future__ import annotations

import re
from typing import Final

from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.moving import otherparts
from canceldesk.workbook.moving.shift import Shift
from canceldesk.workbook.ooxml.markup import unescaped
from canceldesk.workbook.ooxml.package import Package

_KNOWN: Final = (
    ".main+xml",
    "worksheet+xml",
    "chartsheet+xml",
    "dialogsheet+xml",
    "macrosheet+xml",
    "intlmacrosheet+xml",
    "sharedStrings+xml",
    "styles+xml",
    "theme+xml",
    "themeOverride+xml",
    "calcChain+xml",
    "comments+xml",
    "threadedcomments+xml",
    "person+xml",
    "table+xml",
    "queryTable+xml",
    "pivotTable+xml",
    "pivotCacheDefinition+xml",
    "pivotCacheRecords+xml",
    "externalLink+xml",
    "connections+xml",
    "drawing+xml",
    "chart+xml",
    "chartex+xml",
    "chartshapes+xml",
    "chartstyle+xml",
    "chartcolorstyle+xml",
    "controlproperties+xml",
    "slicer+xml",
    "slicerCache+xml",
    "timeline+xml",
    "timelineCache+xml",
    "sheetMetadata+xml",
    "tableSingleCells+xml",
    "namedsheetviews+xml",
    "activeX+xml",
    "core-properties+xml",
    "extended-properties+xml",
    "custom-properties+xml",
    "relationships+xml",
    "customXmlProperties+xml",
    "volatileDependencies+xml",
    "revisionHeaders+xml",
    "revisionLog+xml",
    "userNames+xml",
)
_XML: Final = re.compile(rb"\s*(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*<")
_WITH_CELL: Final = re.compile(r"(?:'(?:[^'<>]|'')+'|[^\s'\"<>!]+)!\$?[A-Za-z]{1,3}\$?[0-9]+")


def check(package: Package, shift: Shift) -> None:
    """Raise `CannotEdit` when a part nobody knows names cells that move."""
    types = package.content_types()
    for part in package.parts:
        kind = types.get(part, "")
        if kind.endswith(_KNOWN) or not _may_be_xml(part, kind):
            continue
        data = package.read(part)
        if not _XML.match(data) or not otherparts.mentions(data, shift.tab):
            continue
        text = unescaped(
            data.decode("utf-16" if data[:1] in (b"\xff", b"\xfe") else "utf-8", "replace")
        )
        for found in _WITH_CELL.findall(text):
            if shift.formula(found, here=False) != found:
                raise CannotEdit(
                    f"The workbook holds a part the desk does not know ({part}) that points at "
                    f"cells of “{shift.tab}” ({found}); it might be harmed. "
                    f"{shift.by_hand.capitalize()}."
                )


def _may_be_xml(part: str, kind: str) -> bool:
    ending = part.casefold().rpartition(".")[2]
    return ending == "xml" or kind.endswith(("+xml", "/xml"))
