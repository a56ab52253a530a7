"""Charts, comments, tables, names and what else knows the list follow rows put in and taken out."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from canceldesk.workbook.moving import anchors, charts, comments, otherparts, tableparts, vml
from canceldesk.workbook.moving.insertion import Insertion
from canceldesk.workbook.moving.removal import Removal

TABS = ("cancellation", "Other")
ADDED = Insertion("cancellation", 5, 9, 1, 6, TABS)
TAKEN = Removal("cancellation", 7, 9, 1, 6, TABS, first_row=5)
BACK = Removal("cancellation", 5, 10, 1, 6, TABS, first_row=5)
NAMESPACES = (
    'xmlns:c="urn:c" xmlns:c15="urn:c15" xmlns:cx="urn:cx" xmlns:xdr="urn:xdr" xmlns:r='
    '"http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)


def changed(content, move, *rest):
    """The content of a part after `move`."""
    root = etree.fromstring(f"<root {NAMESPACES}>{content}</root>")
    move(root, *rest)
    return re.sub(r"^<root[^>]*?/?>|</root>$", "", etree.tostring(root).decode())


def charted(content, *shifts):
    for shift in shifts:
        content = changed(content, charts.move, shift, False)
    return content


def series(first, last, points, look=""):
    """A series over these rows; `points` are the kept values by their place."""
    count = last - first + 1
    kept = "".join(f'<c:pt idx="{at}"><c:v>{value}</c:v></c:pt>' for at, value in points.items())
    names = kept.replace("<c:v>", "<c:v>n")
    return (
        f"<c:ser><c:tx><c:f>cancellation!$D$4</c:f></c:tx>{look}<c:cat><c:strRef>"
        f"<c:f>cancellation!$A${first}:$A${last}</c:f><c:strCache>"
        f'<c:ptCount val="{count}"/>{names}</c:strCache></c:strRef></c:cat><c:val><c:numRef>'
        f'<c:f>cancellation!$D${first}:$D${last}</c:f><c:numCache><c:ptCount val="{count}"/>{kept}'
        "</c:numCache></c:numRef></c:val></c:ser>"
    )


def test_a_series_that_takes_in_the_new_row_keeps_its_points_and_their_looks():
    look = '<c:dPt><c:idx val="{}"/></c:dPt><c:dLbls><c:dLbl><c:idx val="{}"/></c:dLbl></c:dLbls>'
    before = series(5, 9, {0: 7, 2: 8}, look.format(0, 2))
    added = series(5, 10, {1: 7, 3: 8}, look.format(1, 3))
    assert charted(before, ADDED) == added
    assert charted(before, ADDED, BACK) == before
    lost = series(5, 8, {0: 7}, look.split("<c:dLbls>", maxsplit=1)[0].format(0) + "<c:dLbls/>")
    assert charted(before, TAKEN) == lost


def test_a_series_that_starts_at_the_heading_keeps_that_point_in_front():
    assert charted(series(4, 9, {0: 1, 1: 2}), ADDED) == series(4, 10, {0: 1, 2: 2})


def test_a_series_below_the_list_keeps_its_points_as_they_are():
    assert charted(series(20, 22, {0: 1, 1: 2}), ADDED) == series(21, 23, {0: 1, 1: 2})
    assert charted(series(20, 22, {0: 1, 1: 2}), TAKEN) == series(19, 21, {0: 1, 1: 2})


def test_a_series_whose_names_stand_elsewhere_moves_with_its_values_still_beside_them():
    before = (
        "<c:ser><c:cat><c:f>Other!$A$5:$A$9</c:f></c:cat>"
        "<c:val><c:f>cancellation!$D${}:$D${}</c:f></c:val></c:ser>"
    )
    assert charted(before.format(5, 9), ADDED) == before.format(6, 10)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (
            "(cancellation!$A$5:$A$9,cancellation!$C$5:$C$9)",
            "(cancellation!$A$5:$A$10,cancellation!$C$5:$C$10)",
        ),
        ("cancellation!$A$7:$F$7", "cancellation!$A$8:$F$8"),
        ("[1]cancellation!$A$5:$A$9", "[1]cancellation!$A$5:$A$9"),
        ("[0]!SomeName", "[0]!SomeName"),
        ("Other!$A$5:$A$9", "Other!$A$5:$A$9"),
        ("cancellation!$A:$A", "cancellation!$A:$A"),
    ],
)
def test_other_references_of_series_follow_and_leave_kept_values_alone(before, expected):
    kept = '<c:numCache><c:ptCount val="6"/><c:pt idx="0"/></c:numCache>'
    content = f"<c:ser><c:val><c:numRef><c:f>{{}}</c:f>{kept}</c:numRef></c:val></c:ser>"
    assert charted(content.format(before), ADDED) == content.format(expected)


def test_what_a_filtered_series_and_data_labels_point_at_follows():
    before = (
        "<c15:ser><c:val><c:f>cancellation!$D$5:$D${0}</c:f></c:val><c15:fullRef>"
        "<c15:sqref>cancellation!$D$5:$D${0}</c15:sqref></c15:fullRef></c15:ser>"
        "<c15:sqref>cancellation!$A${0}</c15:sqref><c:f>cancellation!$A${0}</c:f>"
    )
    assert charted(before.format(9), ADDED) == before.format(10)


def test_charts_of_the_newer_kind_keep_their_points_too():
    before = (
        '<cx:data id="0"><cx:strDim type="cat"><cx:f>cancellation!$A$5:$A${}</cx:f>'
        '<cx:lvl ptCount="{}"><cx:pt idx="{}">a</cx:pt></cx:lvl></cx:strDim></cx:data>'
    )
    assert charted(before.format(9, 5, 0), ADDED) == before.format(10, 6, 1)
    assert charted(before.format(9, 5, 0), ADDED, BACK) == before.format(9, 5, 0)


def test_kept_names_of_several_levels_move_together():
    before = (
        "<c:ser><c:cat><c:f>cancellation!$A$5:$A${}</c:f><c:multiLvlStrCache>"
        '<c:ptCount val="{}"/><c:lvl><c:pt idx="{}"/></c:lvl><c:lvl><c:pt idx="{}"/></c:lvl>'
        "</c:multiLvlStrCache></c:cat></c:ser>"
    )
    assert charted(before.format(9, 5, 0, 4), ADDED) == before.format(10, 6, 1, 5)


def test_comments_go_with_their_cells():
    def listed(*comments_at):
        return "".join(
            f'<comment ref="A{row}"><text/><commentPr><anchor><from><xdr:row>{top}</xdr:row></from>'
            f"<to><xdr:row>{top + 3}</xdr:row></to></anchor></commentPr></comment>"
            for row, top in comments_at
        )

    before = listed((4, 2), (7, 5), (9, 7))
    assert changed(before, comments.move, ADDED) == listed((4, 2), (8, 6), (10, 8))
    assert changed(before, comments.move, TAKEN) == listed((4, 2), (8, 6))
    threaded = '<threadedComment ref="A7"/><threadedComment ref="A7" parentId="1"/>'
    assert changed(threaded, comments.move, TAKEN) == ""


NOTE = (
    '<v:shape id="s{0}"><v:fill/><x:ClientData ObjectType="Note"><x:MoveWithCells/>'
    "<x:Anchor>1, 15, {1}, 2, 3, 31, {2}, 1</x:Anchor><x:Row>{0}</x:Row><x:Column>1</x:Column>"
    "</x:ClientData></v:shape>"
)


def test_the_box_of_a_comment_goes_with_it():
    before = NOTE.format(3, 2, 6) + "\r\n  " + NOTE.format(6, 5, 9) + "\r\n" + NOTE.format(8, 7, 11)
    kept = NOTE.format(3, 2, 6) + "\r\n  " + NOTE.format(8, 7, 11)
    expected = kept.replace("Row>8", "Row>7").replace(" 7, 2, 3, 31, 11,", " 6, 2, 3, 31, 10,")
    assert vml.moved(before, TAKEN, here=True) == expected
    assert vml.moved(before, TAKEN, here=False) == before
    empty = '<v:shape id="empty"/>'
    assert vml.moved(empty + NOTE.format(6, 5, 9), TAKEN, here=True) == empty


def test_a_button_over_the_lost_row_shrinks():
    button = (
        '<v:shape><x:ClientData ObjectType="Button"><x:Anchor>1, 0, {}, 5, 2, 0, {}, {}</x:Anchor>'
        "<x:FmlaMacro>[0]!A7</x:FmlaMacro><x:FmlaPict>{}</x:FmlaPict></x:ClientData></v:shape>"
    )
    before = button.format(3, 6, 8, "$A$5:$B$9")
    assert vml.moved(before, TAKEN, here=True) == button.format(3, 6, 0, "$A$5:$B$8")
    assert vml.moved(before, ADDED, here=True) == button.format(3, 7, 8, "$A$5:$B$10")


@pytest.mark.parametrize(
    ("held", "ends", "shift", "expected"),
    [
        ("twoCell", (3, 8), TAKEN, (3, 1, 7, 1)),
        ("twoCell", (6, 8), TAKEN, (6, 0, 7, 1)),
        ("twoCell", (3, 6), TAKEN, (3, 1, 6, 0)),
        ("twoCell", (6, 6), TAKEN, (6, 0, 6, 0)),
        ("twoCell", (8, 9), TAKEN, (7, 1, 8, 1)),
        ("oneCell", (3, 8), TAKEN, (3, 1, 8, 1)),
        ("oneCell", (8, 9), TAKEN, (7, 1, 8, 1)),
        ("absolute", (8, 9), TAKEN, (8, 1, 9, 1)),
        ("twoCell", (3, 8), ADDED, (3, 1, 9, 1)),
        ("oneCell", (3, 8), ADDED, (3, 1, 8, 1)),
    ],
)
def test_drawings_move_and_shrink_as_they_are_set_to(held, ends, shift, expected):
    content = (
        '<xdr:twoCellAnchor editAs="{}"><xdr:from><xdr:row>{}</xdr:row><xdr:rowOff>{}</xdr:rowOff>'
        "</xdr:from><xdr:to><xdr:row>{}</xdr:row><xdr:rowOff>{}</xdr:rowOff></xdr:to>"
        "</xdr:twoCellAnchor>"
    )
    before = content.format(held, ends[0], 1, ends[1], 1)
    assert changed(before, anchors.move_drawing, shift) == content.format(held, *expected)


def table(ref, data, extra="", totals=0):
    return (
        f'<table ref="{ref}" totalsRowCount="{totals}"><autoFilter ref="{ref}"/>'
        f'<sortState ref="{data}"><sortCondition ref="{data}"/></sortState>{extra}</table>'
    )


def tabled(content, *shifts):
    for shift in shifts:
        root = etree.fromstring(content)
        tableparts.move_formulas(root, shift, True)
        tableparts.move(root, shift)
        content = etree.tostring(root).decode()
    return content


def test_a_table_grows_shrinks_and_comes_back():
    before = table("A4:F9", "A5:F9")
    assert tabled(before, ADDED) == table("A4:F10", "A5:F10")
    assert tabled(before, ADDED, BACK) == before
    assert tabled(before, TAKEN) == table("A4:F8", "A5:F8")
    below = table("A20:F29", "A21:F29")
    assert tabled(below, TAKEN) == table("A19:F28", "A20:F28")


def test_a_tables_formulas_follow_from_its_first_row():
    formula = "<calculatedColumnFormula>{}</calculatedColumnFormula>"
    total = "<totalsRowFormula>{}</totalsRowFormula>"
    own = table("A4:F10", "A5:F9", formula.format("D5/$H$30") + total.format("SUM(D5:D9)"), 1)
    assert tabled(own, ADDED) == table(
        "A4:F11", "A5:F10", formula.format("D5/$H$31") + total.format("SUM(D5:D10)"), 1
    )
    assert tabled(own, ADDED, BACK) == own
    below = table("A20:B22", "A21:B22", formula.format("A21+A20+cancellation!$D$9"))
    assert tabled(below, TAKEN) == table(
        "A19:B21", "A20:B21", formula.format("A20+A19+cancellation!$D$8")
    )


def named(*names):
    return "".join(f"<definedName {key}>{text}</definedName>" for key, text in names)


def test_names_of_the_sheet_and_of_persons_own_views():
    before = named(
        ('name="_xlnm.Print_Area" localSheetId="0"', "cancellation!$A$5:$F$9"),
        ('name="own" localSheetId="0"', "$A$5:$F$9"),
        ('name="others" localSheetId="1"', "$A$5:$F$9"),
        ('name="Z_1_.wvu.Rows" hidden="1"', "cancellation!$5:$9,cancellation!$20:$22"),
        ('name="Z_1_.wvu.PrintArea" hidden="1"', "cancellation!$A$5:$F$9"),
        ('name="_xlnm.Criteria" hidden="1"', "cancellation!$H$1:$H$2"),
        ('name="_xlnm.Print_Titles" localSheetId="0"', "cancellation!A:B,cancellation!1:9"),
        ('name="relative"', "cancellation!A9:A20"),
        ('name="R1C1"', "cancellation!$A$9"),
        ('name="Function" function="1"', "#REF!"),
        ('name="Text"', '"cancellation!$A$9"'),
    )
    expected = named(
        ('name="_xlnm.Print_Area" localSheetId="0"', "cancellation!$A$5:$F$10"),
        ('name="own" localSheetId="0"', "$A$5:$F$10"),
        ('name="others" localSheetId="1"', "$A$5:$F$9"),
        ('name="Z_1_.wvu.Rows" hidden="1"', "cancellation!$6:$10,cancellation!$21:$23"),
        ('name="Z_1_.wvu.PrintArea" hidden="1"', "cancellation!$A$5:$F$10"),
        ('name="_xlnm.Criteria" hidden="1"', "cancellation!$H$1:$H$2"),
        ('name="_xlnm.Print_Titles" localSheetId="0"', "cancellation!A:B,cancellation!1:10"),
        ('name="relative"', "cancellation!A9:A20"),
        ('name="R1C1"', "cancellation!$A$10"),
        ('name="Function" function="1"', "#REF!"),
        ('name="Text"', '"cancellation!$A$9"'),
    )

    def book(content, shift):
        moved = changed(f"<definedNames>{content}</definedNames>", otherparts.move_workbook, shift)
        return re.sub(r"<(?:\w+:)?calcPr[^>]*>|</?definedNames>", "", moved)

    assert book(before, ADDED) == expected
    assert book(expected, BACK) == before


@pytest.mark.parametrize(
    ("data", "tab", "expected"),
    [
        (b"<f>Cancellation!A1</f>", "cancellation", True),
        (b"<f>Other!A1</f>", "cancellation", False),
        (b"<f>&#1057;&#1087;!A1</f>", "Список", True),
        (b"<f>&#99;&#97;ncellation!A1</f>", "cancellation", True),
        (b"a&#10;b&#x0D;&#39;&#x3c;", "cancellation", False),
        (b"<f>Jan:Dec!A1</f>", "Mar", True),
        ("<f>ОТМЕНЫ!A1</f>".encode(), "Отмены", True),
        ("<f>x!A1</f>".encode("utf-16"), "cancellation", True),
        (b"<f>anything</f>", "😀", True),
    ],
)
def test_a_part_that_may_mention_the_list_is_looked_at(data, tab, expected):
    assert otherparts.mentions(data, tab) is expected
