"""The parts XlsxWriter cannot make, put into its package by hand."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.workbook.everything.layout import LISTS, OVERVIEW, SUMMARY, Shape
from tests.workbook.everything.listtab import THREAD

MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
MICROSOFT: Final = "http://schemas.microsoft.com/office"
X14: Final = f"{MICROSOFT}/spreadsheetml/2009/9/main"
XM: Final = f"{MICROSOFT}/excel/2006/main"
DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
SHEETS: Final = {SUMMARY: "sheet1", "list": "sheet2", OVERVIEW: "sheet3", LISTS: "sheet4"}
LIST_SHEET: Final = "xl/worksheets/sheet2.xml"
SUMMARY_SHEET: Final = "xl/worksheets/sheet1.xml"
BOOK: Final = "xl/workbook.xml"


class Parts:
    """A package's members, to be changed as text."""

    def __init__(self, members: dict[str, bytes]) -> None:
        self.members = members

    def change(self, name: str, old: str, new: str) -> None:
        """Replace the first `old` in a member."""
        text = self.members[name].decode()
        assert old in text, f"{old} is not in {name}"
        self.members[name] = text.replace(old, new, 1).encode()

    def add(self, name: str, xml: str, content_type: str = "") -> None:
        """Put a new part in; with its type, unless the type goes by its ending."""
        assert name not in self.members
        self.members[name] = (DECLARATION + xml).encode()
        if content_type:
            override = f'<Override PartName="/{name}" ContentType="{content_type}"/>'
            self.change("[Content_Types].xml", "</Types>", override + "</Types>")

    def relate(self, source: str, kind: str, target: str, *, mode: str = "") -> str:
        """Let `source` point at `target`; returns the relationship's id."""
        folder, _, name = source.rpartition("/")
        rels = f"{folder}/_rels/{name}.rels"
        if rels not in self.members:
            self.members[rels] = f'<Relationships xmlns="{PACKAGE}"></Relationships>'.encode()
        made = f"rIdMade{self.members[rels].count(b'<Relationship ') + 1}"
        ending = f' TargetMode="{mode}"' if mode else ""
        arrow = f'<Relationship Id="{made}" Type="{kind}" Target="{target}"{ending}/>'
        self.change(rels, "</Relationships>", arrow + "</Relationships>")
        return made

    def extend(self, sheet: str, uri: str, content: str) -> None:
        """Give a sheet or the workbook an extension."""
        xml = self.members[sheet].decode()
        tag = "workbook" if sheet == BOOK else "worksheet"
        if "</extLst>" not in xml[xml.rindex("</") - 20 :]:
            self.change(sheet, f"</{tag}>", f"<extLst></extLst></{tag}>")
        end = f"</extLst></{tag}>"
        self.change(sheet, end, f'<ext xmlns:x14="{X14}" uri="{uri}">{content}</ext>{end}')


@contextmanager
def opened(path: Path) -> Iterator[Parts]:
    """The package's members, written back in their order at the end."""
    with zipfile.ZipFile(path) as package:
        parts = Parts({name: package.read(name) for name in package.namelist()})
    yield parts
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.members.items():
            package.writestr(name, data)


def add(parts: Parts, shape: Shape) -> None:
    """Everything by hand but the pivot table."""
    _external_link(parts, shape)
    _threaded_comment(parts)
    _custom_xml(parts)
    _data_table(parts)
    _check_box(parts)
    _rules_of_2010(parts, shape)
    if shape is Shape.TABLE:
        _filter_of_table(parts)
        _slicer(parts)
    else:
        _shared_formulas(parts)
    parts.change(BOOK, ' fullCalcOnLoad="1"', "")
    _calculation_chain(parts)


def _external_link(parts: Parts, shape: Shape) -> None:
    """Another workbook with a tab of the very same name; its cells do not move."""
    name = "xl/externalLinks/externalLink1.xml"
    tab = shape.tab
    parts.add(
        name,
        f'<externalLink xmlns="{MAIN}"><externalBook xmlns:r="{OFFICE}" r:id="rIdMade1">'
        f'<sheetNames><sheetName val="{tab}"/></sheetNames><sheetDataSet><sheetData sheetId="0">'
        '<row r="5"><cell r="D5"><v>77</v></cell></row></sheetData></sheetDataSet>'
        "</externalBook></externalLink>",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.externalLink+xml",
    )
    parts.relate(name, f"{OFFICE}/externalLinkPath", "prices.xlsx", mode="External")
    made = parts.relate(BOOK, f"{OFFICE}/externalLink", "externalLinks/externalLink1.xml")
    references = f'<externalReferences><externalReference r:id="{made}"/></externalReferences>'
    parts.change(BOOK, "</sheets>", "</sheets>" + references)
    quoted = "'[1]" + tab.replace("'", "''") + "'"
    linked = f"<f>{quoted}!$D$5</f><v>77</v></c>"
    for sheet, left, cell in ((LIST_SHEET, "L20", "M20"), (SUMMARY_SHEET, "B5", "C5")):
        found = re.search(rf'<c r="{left}">.*?</c>', parts.members[sheet].decode())
        assert found is not None
        parts.change(sheet, found[0], f'{found[0]}<c r="{cell}">{linked}')


def _threaded_comment(parts: Parts) -> None:
    person = "{11111111-2222-4333-8444-555555555555}"
    space = f"{MICROSOFT}/spreadsheetml/2018/threadedcomments"
    name = "xl/threadedComments/threadedComment1.xml"
    parts.add(
        name,
        f'<ThreadedComments xmlns="{space}"><threadedComment ref="B7" dT="2026-10-01T09:00:00.00" '
        f'personId="{person}" id="{THREAD}"><text>Called twice, see B7</text></threadedComment>'
        "</ThreadedComments>",
        "application/vnd.ms-excel.threadedcomments+xml",
    )
    parts.relate(
        LIST_SHEET,
        f"{MICROSOFT}/2017/10/relationships/threadedComment",
        "../threadedComments/threadedComment1.xml",
    )
    parts.add(
        "xl/persons/person.xml",
        f'<personList xmlns="{space}"><person displayName="Pat Agent" id="{person}" '
        'userId="pat@example.com" providerId="None"/></personList>',
        "application/vnd.ms-excel.person+xml",
    )
    parts.relate(BOOK, f"{MICROSOFT}/2017/10/relationships/person", "persons/person.xml")


def _custom_xml(parts: Parts) -> None:
    parts.add("customXml/item1.xml", '<policy xmlns="urn:example:policy"><keep>A5</keep></policy>')
    parts.add(
        "customXml/itemProps1.xml",
        '<ds:datastoreItem xmlns:ds="http://schemas.openxmlformats.org/officeDocument/2006/'
        'customXml" ds:itemID="{22222222-3333-4444-8555-666666666666}"/>',
        "application/vnd.openxmlformats-officedocument.customXmlProperties+xml",
    )
    parts.relate("customXml/item1.xml", f"{OFFICE}/customXmlProps", "itemProps1.xml")
    parts.relate(BOOK, f"{OFFICE}/customXml", "../customXml/item1.xml")


def _data_table(parts: Parts) -> None:
    """Cells P16:P18 as a one-variable what-if table over L20."""
    table = '<f t="dataTable" ref="P16:P18" dt2D="0" dtr="0" r1="L20"/>'
    parts.change(LIST_SHEET, '<c r="P16"><v>', f'<c r="P16">{table}<v>')


def _shared_formulas(parts: Parts) -> None:
    """Columns G and J as Excel stores formulas that were filled down."""
    text = parts.members[LIST_SHEET].decode()
    for column, first, number in (("G", 5, 0), ("J", 6, 1)):
        for row in range(first, 25):
            found = re.search(rf'(<c r="{column}{row}"[^>]*>)<f>([^<]*)</f>', text)
            assert found is not None
            kept = f' ref="{column}{first}:{column}24"' if row == first else ""
            body = f">{found[2]}</f>" if row == first else "/>"
            formula = f'{found[1]}<f t="shared"{kept} si="{number}"{body}'
            text = text.replace(found[0], formula, 1)
    parts.members[LIST_SHEET] = text.encode()


def _filter_of_table(parts: Parts) -> None:
    names = ("Too expensive", "Moved away", "No time")
    filters = "".join(f'<filter val="{name}"/>' for name in names)
    parts.change(
        "xl/tables/table1.xml",
        '<autoFilter ref="A4:H24"/>',
        '<autoFilter ref="A4:H24"><filterColumn colId="5"><filters>'
        f"{filters}</filters></filterColumn></autoFilter>",
    )


def _check_box(parts: Parts) -> None:
    """A form's check box over U24:V26, linked to L22."""
    parts.add(
        "xl/ctrlProps/ctrlProp1.xml",
        f'<formControlPr xmlns="{X14}" objectType="CheckBox" checked="Checked" '
        'fmlaLink="$L$22" lockText="1" noThreeD="1"/>',
        "application/vnd.ms-excel.controlproperties+xml",
    )
    made = parts.relate(LIST_SHEET, f"{OFFICE}/ctrlProp", "../ctrlProps/ctrlProp1.xml")
    place = (
        "<from><xdr:col>20</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>23</xdr:row>"
        "<xdr:rowOff>0</xdr:rowOff></from><to><xdr:col>21</xdr:col><xdr:colOff>0</xdr:colOff>"
        "<xdr:row>25</xdr:row><xdr:rowOff>0</xdr:rowOff></to>"
    )
    spaces = (
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        f'xmlns:x14="{X14}" '
        'xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"'
    )
    control = (
        f'<mc:AlternateContent {spaces}><mc:Choice Requires="x14"><controls>'
        f'<control shapeId="2049" r:id="{made}" name="Check Box 1">'
        '<controlPr defaultSize="0" autoFill="0" autoLine="0" autoPict="0">'
        f'<anchor moveWithCells="1">{place}</anchor></controlPr></control>'
        "</controls></mc:Choice></mc:AlternateContent>"
    )
    text = parts.members[LIST_SHEET].decode()
    after = re.findall(r"<legacyDrawingHF [^>]*/>", text)[0]
    parts.change(LIST_SHEET, after, after + control)
    parts.change(
        "xl/drawings/vmlDrawing2.vml",
        "</xml>",
        '<v:shape id="_x0000_s2049" type="#_x0000_t201" style="position:absolute">'
        '<x:ClientData ObjectType="Checkbox"><x:SizeWithCells/>'
        "<x:Anchor>20, 0, 23, 0, 21, 0, 25, 0</x:Anchor><x:Checked>1</x:Checked>"
        "<x:FmlaLink>$L$22</x:FmlaLink></x:ClientData></v:shape></xml>",
    )


def _rules_of_2010(parts: Parts, shape: Shape) -> None:
    """Conditional formats and validation of the kind that may look at other tabs."""
    tab = shape.quoted
    rule = (
        '<x14:conditionalFormatting xmlns:xm="{xm}"><x14:cfRule type="{kind}" priority="{priority}"'
        ' id="{{9A4B0000-0000-4000-8000-00000000000{priority}}}">{body}</x14:cfRule>'
        "<xm:sqref>{cells}</xm:sqref></x14:conditionalFormatting>"
    )
    icons = (
        '<x14:iconSet iconSet="3Stars"><x14:cfvo type="percent"><xm:f>0</xm:f></x14:cfvo>'
        '<x14:cfvo type="formula"><xm:f>$D$10</xm:f></x14:cfvo>'
        '<x14:cfvo type="num"><xm:f>2000</xm:f></x14:cfvo></x14:iconSet>'
    )
    made = rule.format(xm=XM, kind="iconSet", priority=8, body=icons, cells="D5:D24")
    end = "</x14:conditionalFormattings>"
    parts.change(LIST_SHEET, end, made + end)
    fill = '<x14:dxf><fill><patternFill><bgColor rgb="FFFFEB9C"/></patternFill></fill></x14:dxf>'
    looks = f"<xm:f>$A1={tab}!$A$9</xm:f>{fill}"
    made = rule.format(xm=XM, kind="expression", priority=9, body=looks, cells="A1:A18")
    parts.extend(
        SUMMARY_SHEET,
        "{78C0D931-6437-407d-A8EE-F0AAD7539E65}",
        f"<x14:conditionalFormattings>{made}{end}",
    )
    validation = (
        f'<x14:dataValidations xmlns:xm="{XM}" count="1"><x14:dataValidation type="list" '
        'allowBlank="1"><x14:formula1><xm:f>{source}</xm:f></x14:formula1>'
        "<xm:sqref>{cells}</xm:sqref></x14:dataValidation></x14:dataValidations>"
    )
    uri = "{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}"
    parts.extend(LIST_SHEET, uri, validation.format(source="Lists!$A$1:$A$5", cells="B5:B24"))
    source = f"{tab}!$B$5:$B$24"
    parts.extend(SUMMARY_SHEET, uri, validation.format(source=source, cells="E3"))


def _slicer(parts: Parts) -> None:
    """A slicer over the list's table, column Reason."""
    parts.add(
        "xl/slicerCaches/slicerCache1.xml",
        f'<slicerCacheDefinition xmlns="{X14}" name="Slicer_Reason" sourceName="Reason"><extLst>'
        f'<x:ext xmlns:x="{MAIN}" uri="{{2F2917AC-EB37-4324-AD4E-5DD8C200BD13}}">'
        f'<x15:tableSlicerCache xmlns:x15="{MICROSOFT}/spreadsheetml/2010/11/main" tableId="1" '
        'column="6"/></x:ext></extLst></slicerCacheDefinition>',
        "application/vnd.ms-excel.slicerCache+xml",
    )
    parts.add(
        "xl/slicers/slicer1.xml",
        f'<slicers xmlns="{X14}"><slicer name="Reason" cache="Slicer_Reason" caption="Reason" '
        'rowHeight="241300"/></slicers>',
        "application/vnd.ms-excel.slicer+xml",
    )
    kind = f"{MICROSOFT}/2007/relationships"
    made = parts.relate(BOOK, f"{kind}/slicerCache", "slicerCaches/slicerCache1.xml")
    parts.extend(
        BOOK,
        "{46BE6895-7355-4a93-B00E-2C351335B9C9}",
        f'<x15:slicerCaches xmlns:x15="{MICROSOFT}/spreadsheetml/2010/11/main">'
        f'<x14:slicerCache r:id="{made}"/></x15:slicerCaches>',
    )
    made = parts.relate(LIST_SHEET, f"{kind}/slicer", "../slicers/slicer1.xml")
    parts.extend(
        LIST_SHEET,
        "{3A4CF648-6AED-40f4-86FF-DC5316D8AED3}",
        f'<x14:slicerList><x14:slicer r:id="{made}"/></x14:slicerList>',
    )
    name = '<definedName name="Slicer_Reason">#N/A</definedName>'
    parts.change(BOOK, "</definedNames>", name + "</definedNames>")
    parts.change("xl/drawings/drawing2.xml", "</xdr:wsDr>", _slicer_frame() + "</xdr:wsDr>")


def _slicer_frame() -> str:
    return (
        '<xdr:twoCellAnchor editAs="oneCell"><xdr:from><xdr:col>22</xdr:col>'
        "<xdr:colOff>0</xdr:colOff><xdr:row>27</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:from>"
        "<xdr:to><xdr:col>25</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>35</xdr:row>"
        "<xdr:rowOff>0</xdr:rowOff></xdr:to>"
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/'
        f'2006" xmlns:sle15="{MICROSOFT}/drawing/2012/slicer"><mc:Choice Requires="sle15">'
        '<xdr:graphicFrame macro=""><xdr:nvGraphicFramePr><xdr:cNvPr id="99" name="Reason"/>'
        "<xdr:cNvGraphicFramePr/></xdr:nvGraphicFramePr><xdr:xfrm>"
        '<a:off x="0" y="0"/><a:ext cx="0" cy="0"/></xdr:xfrm><a:graphic>'
        f'<a:graphicData uri="{MICROSOFT}/drawing/2010/slicer">'
        f'<sle:slicer xmlns:sle="{MICROSOFT}/drawing/2010/slicer" name="Reason"/>'
        "</a:graphicData></a:graphic></xdr:graphicFrame></mc:Choice></mc:AlternateContent>"
        "<xdr:clientData/></xdr:twoCellAnchor>"
    )


def _calculation_chain(parts: Parts) -> None:
    """The order Excel calculated in; a stale one makes Excel call the workbook damaged."""
    links = []
    for number, sheet in ((1, SUMMARY_SHEET), (2, LIST_SHEET)):
        cells = re.findall(r'<c r="([A-Z]+\d+)"[^>]*><f[ >/]', parts.members[sheet].decode())
        links += [f'<c r="{cell}" i="{number}"/>' for cell in cells]
    parts.add(
        "xl/calcChain.xml",
        f'<calcChain xmlns="{MAIN}">{"".join(links)}</calcChain>',
        "application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml",
    )
    parts.relate(BOOK, f"{OFFICE}/calcChain", "calcChain.xml")
