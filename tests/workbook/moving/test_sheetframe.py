"""What stands around a sheet's rows follows a row put in and a row taken out."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.moving import sheetframe
from canceldesk.workbook.moving.insertion import Insertion
from canceldesk.workbook.moving.removal import Removal

TABS = ("cancellation", "Other")
ADDED = Insertion("cancellation", 5, 9, 1, 6, TABS)
TAKEN = Removal("cancellation", 7, 9, 1, 6, TABS, first_row=5)
BACK = Removal("cancellation", 5, 10, 1, 6, TABS, first_row=5)
NAMESPACES = (
    'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" '
    'xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main" '
    'xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"'
)


def after(content: str, *shifts: Insertion | Removal, here: bool = True) -> str:
    """The content of a worksheet after these changes."""
    frame = etree.fromstring(f"<worksheet {NAMESPACES}>{content}</worksheet>")
    for shift in shifts:
        sheetframe.move(frame, shift, here=here)
    written = etree.tostring(frame).decode()
    return re.sub(r"^<worksheet[^>]*?/?>|</worksheet>$", "", written)


def extension(content: str) -> str:
    return f'<extLst><ext uri="some">{content}</ext></extLst>'


EVERYWHERE = [
    ('<mergeCells count="1"><mergeCell ref="A{0}:B{1}"/></mergeCells>', (20, 21)),
    ('<hyperlinks><hyperlink ref="A{0}" r:id="rId1"/></hyperlinks>', (7,)),
    ('<autoFilter ref="A4:F{0}"><filterColumn colId="0"/></autoFilter>', (9,)),
    ('<cellWatches><cellWatch r="D{0}"/></cellWatches>', (9,)),
    ('<protectedRanges><protectedRange sqref="A5:F{0} H{1}" name="n"/></protectedRanges>', (9, 12)),
    ('<ignoredErrors><ignoredError sqref="B5:B{0}" evalError="1"/></ignoredErrors>', (9,)),
    ('<smartTags><cellSmartTags r="D{0}"><x/></cellSmartTags></smartTags>', (9,)),
    (
        '<scenarios current="0" sqref="H{0}"><scenario name="s" count="1">'
        '<inputCells r="D{1}" val="1"/></scenario></scenarios>',
        (12, 9),
    ),
    ('<sheetPr syncVertical="1" syncRef="A{0}"/>', (9,)),
    (
        '<webPublishItems count="1"><webPublishItem id="1" sourceType="range" sourceRef="A1:F{0}"/>'
        "</webPublishItems>",
        (9,),
    ),
    (
        '<customSheetViews><customSheetView guid="g"><pane ySplit="4" topLeftCell="A5"/>'
        '<selection activeCell="A5"/><rowBreaks count="1"><brk id="{0}" man="1"/></rowBreaks>'
        '<autoFilter ref="A4:F{1}"/></customSheetView></customSheetViews>',
        (7, 9),
    ),
    ('<sheetViews><sheetView><selection sqref="A7:B9"/></sheetView></sheetViews>', ()),
    (
        '<conditionalFormatting sqref="A5:F{0}"><cfRule type="dataBar" priority="7"><dataBar>'
        '<cfvo type="formula" val="$H${1}"/></dataBar></cfRule></conditionalFormatting>',
        (9, 12),
    ),
    (
        extension(
            '<x14:conditionalFormattings><x14:conditionalFormatting><x14:cfRule type="iconSet">'
            '<x14:iconSet><x14:cfvo type="num"><xm:f>$H${0}</xm:f></x14:cfvo></x14:iconSet>'
            "</x14:cfRule><xm:sqref>E5:E{1}</xm:sqref></x14:conditionalFormatting>"
            "</x14:conditionalFormattings>"
        ),
        (12, 9),
    ),
    (
        extension(
            '<x14:dataValidations count="1"><x14:dataValidation type="list"><x14:formula1>'
            "<xm:f>cancellation!$A$5:$A${0}</xm:f></x14:formula1><xm:sqref>F5:F{1}</xm:sqref>"
            "</x14:dataValidation></x14:dataValidations>"
        ),
        (9, 9),
    ),
    (
        extension(
            "<x14:ignoredErrors><x14:ignoredError><xm:sqref>B5:B{0}</xm:sqref>"
            "</x14:ignoredError></x14:ignoredErrors>"
        ),
        (9,),
    ),
    (
        extension(
            '<x14:sparklineGroups><x14:sparklineGroup dateAxis="1">'
            "<xm:f>cancellation!C5:C{0}</xm:f><x14:sparklines><x14:sparkline><xm:f>cancellation!D5:D{0}</xm:f><xm:sqref>H1</xm:sqref>"
            "</x14:sparkline><x14:sparkline><xm:f>cancellation!D{1}:E{1}</xm:f>"
            "<xm:sqref>H{1}</xm:sqref></x14:sparkline></x14:sparklines></x14:sparklineGroup>"
            "</x14:sparklineGroups>"
        ),
        (9, 8),
    ),
    ('<colBreaks count="1"><brk id="3" max="{0}" man="1"/></colBreaks>', (9,)),
    ('<colBreaks count="1"><brk id="3" max="1048575" man="1"/></colBreaks>', ()),
    (
        '<dataConsolidate><dataRefs count="2"><dataRef ref="A5:F{0}" sheet="cancellation"/>'
        '<dataRef ref="A5:F9" sheet="cancellation" r:id="rId9"/></dataRefs></dataConsolidate>',
        (9,),
    ),
    (
        '<controls><control shapeId="1"><controlPr linkedCell="$H${0}">'
        '<anchor moveWithCells="1"><from><xdr:row>{1}</xdr:row><xdr:rowOff>9</xdr:rowOff></from>'
        "<to><xdr:row>{2}</xdr:row></to></anchor></controlPr></control></controls>",
        (12, 11, 14),
    ),
]


@pytest.mark.parametrize(("content", "rows"), EVERYWHERE, ids=range(len(EVERYWHERE)))
def test_everything_that_stands_below_or_grows_moves_by_one_and_back(content, rows):
    before = content.format(*rows)
    added = content.format(*(row + 1 for row in rows))
    assert after(before, ADDED) == added
    assert after(before, ADDED, BACK) == before
    assert after(before, ADDED, ADDED) == content.format(*(row + 2 for row in rows))
    three = Insertion("cancellation", 5, 9, 1, 6, TABS, count=2)
    assert after(before, three) == content.format(*(row + 2 for row in rows))


@pytest.mark.parametrize(
    "content",
    [
        '<mergeCells count="1"><mergeCell ref="A7:B7"/></mergeCells>',
        '<hyperlinks><hyperlink ref="A7" r:id="rId1"/></hyperlinks>',
        '<cellWatches><cellWatch r="D7"/></cellWatches>',
        '<protectedRanges><protectedRange sqref="A7:F7 H7" name="n"/></protectedRanges>',
        '<ignoredErrors><ignoredError sqref="B7" evalError="1"/></ignoredErrors>',
        '<scenarios><scenario name="s" count="1"><inputCells r="D7"/></scenario></scenarios>',
        '<conditionalFormatting sqref="A7"><cfRule type="expression"/></conditionalFormatting>',
        '<dataValidations count="1"><dataValidation sqref="F7"/></dataValidations>',
        extension(
            "<x14:conditionalFormattings><x14:conditionalFormatting><xm:sqref>E7</xm:sqref>"
            "</x14:conditionalFormatting></x14:conditionalFormattings>"
        ),
        extension(
            "<x14:sparklineGroups><x14:sparklineGroup><x14:colorSeries/><x14:sparklines>"
            "<x14:sparkline><xm:f>Other!A1:B1</xm:f><xm:sqref>H7</xm:sqref></x14:sparkline>"
            "</x14:sparklines></x14:sparklineGroup></x14:sparklineGroups>"
        ),
        extension(
            "<x14:ignoredErrors><x14:ignoredError><xm:sqref>B7</xm:sqref></x14:ignoredError>"
            "</x14:ignoredErrors>"
        ),
    ],
)
def test_what_lay_only_on_the_lost_row_goes_and_leaves_no_empty_shell(content):
    assert after(content, TAKEN) == ""


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (
            '<mergeCells count="3"><mergeCell ref="A7:B7"/><mergeCell ref="H6:H7"/>'
            '<mergeCell ref="H8:J9"/></mergeCells>',
            '<mergeCells count="1"><mergeCell ref="H7:J8"/></mergeCells>',
        ),
        (
            '<dataValidations count="2"><dataValidation sqref="F7"/><dataValidation sqref="F5:F7">'
            "<formula1>$A$7</formula1></dataValidation></dataValidations>",
            '<dataValidations count="1"><dataValidation sqref="F5:F6"><formula1>#REF!</formula1>'
            "</dataValidation></dataValidations>",
        ),
        (
            '<rowBreaks count="3" manualBreakCount="2"><brk id="6" man="1"/><brk id="7"/>'
            '<brk id="9" man="1"/></rowBreaks>',
            '<rowBreaks count="2" manualBreakCount="2"><brk id="6" man="1"/><brk id="8" man="1"/>'
            "</rowBreaks>",
        ),
        (
            '<scenarios sqref="H7"><scenario count="2"><inputCells r="D7"/><inputCells r="D8"/>'
            "</scenario></scenarios>",
            '<scenarios><scenario count="1"><inputCells r="D7"/></scenario></scenarios>',
        ),
        (
            '<sheetPr syncRef="A7"><tabColor rgb="FF"/></sheetPr>',
            '<sheetPr><tabColor rgb="FF"/></sheetPr>',
        ),
        (
            '<hyperlinks><hyperlink ref="H1" location="cancellation!A7"/></hyperlinks>',
            '<hyperlinks><hyperlink ref="H1" location="cancellation!A7"/></hyperlinks>',
        ),
    ],
)
def test_what_lay_also_on_other_rows_shrinks(before, expected):
    assert after(before, TAKEN) == expected


def test_a_sparkline_whose_cells_are_gone_stays_without_them():
    before = extension(
        "<x14:sparklineGroups><x14:sparklineGroup><x14:sparklines><x14:sparkline>"
        "<xm:f>cancellation!D7:E7</xm:f><xm:sqref>A1</xm:sqref></x14:sparkline></x14:sparklines>"
        "</x14:sparklineGroup></x14:sparklineGroups>"
    )
    gone = before.replace("<xm:f>cancellation!D7:E7</xm:f>", "")
    assert after(before, TAKEN, here=False) == gone


def test_links_lead_on_to_their_place_but_those_into_other_files_are_left_alone():
    before = (
        '<hyperlinks><hyperlink ref="A1" location="cancellation!A{0}"/>'
        '<hyperlink ref="A2" location="\'cancellation\'!A5:F{0}"/>'
        '<hyperlink ref="A3" r:id="rId1" location="cancellation!A9"/></hyperlinks>'
    )
    assert after(before.format(9), ADDED, here=False) == before.format(10)


def test_the_rows_of_another_sheet_stay_where_they_are():
    before = (
        '<mergeCells count="1"><mergeCell ref="A7:B7"/></mergeCells>'
        '<conditionalFormatting sqref="A5:A9"><cfRule><formula>cancellation!$A${0}</formula>'
        '</cfRule></conditionalFormatting><rowBreaks count="1"><brk id="7"/></rowBreaks>'
        '<dataConsolidate><dataRefs count="1"><dataRef ref="A5:F{0}" sheet="CANCELLATION"/>'
        "</dataRefs></dataConsolidate>"
    )
    assert after(before.format(9), ADDED, here=False) == before.format(10)
    assert after(before.format(9), TAKEN, here=False) == before.format(8)


def test_a_web_extension_bound_to_cells_follows():
    before = extension(
        '<x15:webExtensions xmlns:x15="urn:x15"><x15:webExtension appRef="a">'
        "<xm:f>cancellation!$A$5:$F${0}</xm:f></x15:webExtension></x15:webExtensions>"
    )
    assert after(before.format(9), ADDED, here=False) == before.format(10)


KNOWN = [
    '<x14:slicerList><x14:slicer r:id="rId1"/></x14:slicerList>',
    '<x15:timelineRefs xmlns:x15="urn:15"><x15:timelineRef r:id="rId1"/></x15:timelineRefs>',
    "<x14:id>{8C7C0C3B}</x14:id>",
    '<x14:sortCondition sortBy="icon" ref="C5:C9" iconSet="3Arrows"/>',
    '<x14:filter val="1"/>',
    '<go:sheetsCustomData xmlns:go="http://customooxmlschemas.google.com/" r:id="rId9"/>',
    '<mx:PLV xmlns:mx="urn:mx" Mode="0" OnePage="0" WScale="0"/>',
    '<a:b xmlns:a="urn:a" ref="A1:B2" r="5"/>',
]


@pytest.mark.parametrize("content", KNOWN)
def test_extensions_that_point_at_nothing_that_moves_are_in_nobodys_way(content):
    assert content.split(" ", 1)[0] in after(extension(content), ADDED)


@pytest.mark.parametrize(
    ("content", "here"),
    [
        ('<a:b xmlns:a="urn:a"><a:c sqref="A1 A9"/></a:b>', True),
        ('<a:b xmlns:a="urn:a"><xm:f>SUM(D5:D9)</xm:f></a:b>', True),
        ('<a:b xmlns:a="urn:a"><xm:f>SUM(cancellation!D5:D9)</xm:f></a:b>', False),
    ],
)
def test_extensions_nobody_knows_that_point_at_what_moves_are_refused(content, here):
    with pytest.raises(CannotEdit, match=r"does not know \(b\).* Add this row by hand"):
        after(extension(content), ADDED, here=here)


def test_several_new_rows_are_each_given_the_merged_cells_of_the_row_under_them():
    frame = etree.fromstring(
        f'<worksheet {NAMESPACES}><mergeCells count="2"><mergeCell ref="E7:F7"/>'
        '<mergeCell ref="A7:A8"/></mergeCells></worksheet>'
    )
    sheetframe.add_merges_of_row(frame, 5, 2)
    assert re.findall('ref="([^"]*)"', etree.tostring(frame).decode()) == [
        "E7:F7",
        "A7:A8",
        "E5:F5",
        "E6:F6",
    ]
    assert 'count="4"' in etree.tostring(frame).decode()
