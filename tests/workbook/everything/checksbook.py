"""Checks of names, tables, charts, drawings, comments and pivot tables."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from lxml import etree

from tests.workbook.everything import layout
from tests.workbook.everything.features import Pair, feature
from tests.workbook.everything.layout import (
    ARCHIVE,
    LISTS,
    OVERVIEW,
    PICTURE,
    PIVOT,
    SUMMARY,
    Shape,
)
from tests.workbook.everything.looking import Book, all_named, down, local, same, text_in

_GROWING: Final = {
    ("AmountsCollected", ""): "{T}!$D$5:$D$25",
    ("Both", ""): "{T}!$D$5:$D$25,{T}!$L$21",
    ("Local", SUMMARY): "{T}!$E$5:$E$25",
}
_NAMES: Final = {
    ("OneClient", ""): "{T}!$A$10",
    ("Headings", ""): "{T}!$A$4:$H$4",
    ("Rate", ""): "0.19",
    ("Growing", ""): "OFFSET({T}!$A$4,1,0,COUNTA({T}!$B:$B)-1,1)",
    ("Elsewhere", ""): "Lists!$A$1:$A$5",
}


def _named(book: Book) -> dict[tuple[str, str], str]:
    return {key: text for key, text in book.names().items() if not key[0].startswith("_xlnm")}


@feature("defined names")
def defined_names(pair: Pair) -> None:
    found = _named(pair.after)
    assert found.keys() == _named(pair.before).keys()
    for key, text in _NAMES.items():
        assert found[key] == text.format(T=pair.quoted)
    for key, text in _GROWING.items():
        excels = re.sub(r"\$5:", "$6:", text)
        assert found[key] in {text.format(T=pair.quoted), excels.format(T=pair.quoted)}


@feature("POLICY: name includes new row")
def names_policy(pair: Pair) -> None:
    found = _named(pair.after)
    for key, text in _GROWING.items():
        assert found[key] == text.format(T=pair.quoted)


@feature("print area + titles")
def print_area(pair: Pair) -> None:
    names, tab = pair.after.names(), pair.quoted
    assert names["_xlnm.Print_Area", pair.tab] == f"{tab}!$A$1:$H$27"
    assert names["_xlnm.Print_Titles", pair.tab] == f"{tab}!$1:$4"
    assert names["_xlnm.Print_Area", OVERVIEW] == "'Bob''s Übersicht'!$A$1:$C$9"


@feature("autofilter", Shape.RANGE)
def autofilter(pair: Pair) -> None:
    before, after = (
        all_named(book.tab(pair.tab).root, "autoFilter")[0] for book in (pair.before, pair.after)
    )
    assert after.get("ref") == "A4:H25"
    assert [same(column) for column in after] == [same(column) for column in before]
    assert len(before) == 1
    assert all_named(pair.after.tab(ARCHIVE).root, "autoFilter")[0].get("ref") == "A4:F10"


@feature("filter database name", Shape.RANGE)
def filter_database(pair: Pair) -> None:
    names = pair.after.names()
    assert names["_xlnm._FilterDatabase", pair.tab] == f"{pair.quoted}!$A$4:$H$25"
    assert names["_xlnm._FilterDatabase", ARCHIVE] == "Archive!$A$4:$F$10"


def _table(book: Book, name: str) -> etree._Element:
    return next(
        book.tree(part)
        for tab in book.tabs
        for part in book.parts_of(tab.part, "table")
        if book.tree(part).get("displayName") == name
    )


@feature("table ref grows + autofilter", Shape.TABLE)
def table_grows(pair: Pair) -> None:
    table, before = _table(pair.after, "Cancelled"), _table(pair.before, "Cancelled")
    assert table.get("ref") == "A4:H25"
    after_filter, before_filter = (all_named(one, "autoFilter")[0] for one in (table, before))
    assert after_filter.get("ref") == "A4:H25"
    assert [same(column) for column in after_filter] == [same(column) for column in before_filter]


@feature("table below shifts")
def table_below(pair: Pair) -> None:
    table = _table(pair.after, "Below")
    assert table.get("ref") == "A35:C38"
    assert all_named(table, "autoFilter")[0].get("ref") == "A35:C37"
    assert table.get("totalsRowCount") == "1"
    assert pair.after.cells(pair.tab)["A35"].value == "Year"
    assert _table(pair.after, "Codes").get("ref") == "E4:F8"


@feature("calculated column def + style kept", Shape.TABLE)
def calculated_column(pair: Pair) -> None:
    table, before = _table(pair.after, "Cancelled"), _table(pair.before, "Cancelled")
    (formula,) = all_named(table, "calculatedColumnFormula")
    assert formula.text == "Cancelled[[#This Row],[Total Amount Collected]]/E5"
    assert same(all_named(table, "tableStyleInfo")[0]) == same(
        all_named(before, "tableStyleInfo")[0]
    )
    columns = [column.get("name") for column in all_named(table, "tableColumn")]
    assert columns == list(layout.HEADINGS)
    assert _column_looks(pair.after, table) == _column_looks(pair.before, before)


def _column_looks(book: Book, table: etree._Element) -> list[object]:
    looks = [same(one) for one in all_named(book.styles, "dxfs")[0]]
    numbers = [column.get("dataDxfId") for column in all_named(table, "tableColumn")]
    assert any(numbers)
    return [None if number is None else looks[int(number)] for number in numbers]


@feature("POLICY: new row gets calculated formula", Shape.TABLE)
def calculated_formula(pair: Pair) -> None:
    cell = pair.after.cells(pair.tab)["G5"]
    assert cell.formula == "Cancelled[[#This Row],[Total Amount Collected]]/E5"


def _charts(book: Book, tab: str) -> list[etree._Element]:
    return [
        book.tree(part)
        for drawing in book.parts_of(book.tab(tab).part, "drawing")
        for part in book.parts_of(drawing, "chart")
    ]


_CHARTS: Final = {
    "list": ("barChart", ("{T}!$D$4", "{T}!$D$4", "{T}!$A$5:$A$25", "{T}!$D$5:$D$25")),
    SUMMARY: (
        "lineChart",
        ("{T}!$D$4", "{T}!$C$5:$C$25", "{T}!$D$5:$D$25", "{T}!$E$11:$E$25"),
    ),
    OVERVIEW: ("pieChart", ("{T}!$F$5:$F$25", "({T}!$E$5:$E$9,{T}!$E$11)")),
    PICTURE: ("scatterChart", ("{T}!$E$5:$E$25", "{T}!$D$5:$D$25")),
}


@feature("charts present")
def charts_present(pair: Pair) -> None:
    for place, (kind, _) in _CHARTS.items():
        (chart,) = _charts(pair.after, pair.tab if place == "list" else place)
        assert len(all_named(chart, kind)) == 1


def _series(pair: Pair) -> list[tuple[list[str], list[str]]]:
    """For each chart the references it has and those it must have."""
    found = []
    for place, (_, expected) in _CHARTS.items():
        (chart,) = _charts(pair.after, pair.tab if place == "list" else place)
        texts = [element.text or "" for element in all_named(chart, "f")]
        found.append((texts, [text.format(T=pair.quoted) for text in expected]))
    return found


@feature("chart series refs")
def chart_series(pair: Pair) -> None:
    for found, expected in _series(pair):
        excels = [re.sub(r"\$5:", "$6:", text) for text in expected]
        assert len(found) == len(expected)
        for text, one, other in zip(found, expected, excels, strict=True):
            assert text in (one, other)


@feature("POLICY: chart series include new row")
def chart_policy(pair: Pair) -> None:
    for found, expected in _series(pair):
        assert found == expected


@feature("numbers kept in charts")
def chart_caches(pair: Pair) -> None:
    for tab in (pair.tab, SUMMARY, PICTURE):
        (before,), (after,) = _charts(pair.before, tab), _charts(pair.after, tab)
        numbers = [e.text for e in all_named(before, "v")]
        assert len(numbers) > 20
        assert [e.text for e in all_named(after, "v")] == numbers


def _anchors(book: Book, tab: str) -> dict[str, tuple[str, int, int | None]]:
    """How the objects of a sheet are held, and the first and last row (from 0) they cover."""
    anchors = {}
    for anchor in book.only(tab, "drawing"):
        name = all_named(anchor, "cNvPr")[0].get("name", "")
        rows = [int(e.text or 0) for e in all_named(anchor, "row")]
        held = anchor.get("editAs", "twoCell" if local(anchor) == "twoCellAnchor" else "oneCell")
        anchors[name] = (held, rows[0], rows[1] if len(rows) > 1 else None)
    return anchors


@feature("image/shape/chart anchors")
def anchors(pair: Pair) -> None:
    expected = {}
    for name, (held, top, bottom) in _anchors(pair.before, pair.tab).items():
        begin = top if held == "absolute" else down(top + 1) - 1
        end = bottom
        if bottom is not None and held == "oneCell":
            end = bottom + begin - top
        elif bottom is not None and held == "twoCell":
            end = down(bottom + 1) - 1
        expected[name] = (held, begin, end)
    assert _anchors(pair.after, pair.tab) == expected
    assert len(expected) >= 7
    for tab in (SUMMARY, OVERVIEW, LISTS):
        assert _anchors(pair.after, tab) == _anchors(pair.before, tab)


@feature("images/shapes present")
def shapes_present(pair: Pair) -> None:
    def kinds(book: Book, tab: str) -> Counter[str]:
        root = book.only(tab, "drawing")
        return Counter(local(e) for e in all_named(root, "pic", "sp", "graphicFrame"))

    for tab in (pair.tab, SUMMARY, OVERVIEW, LISTS):
        assert kinds(pair.after, tab) == kinds(pair.before, tab)
    assert kinds(pair.before, pair.tab)["pic"] == 5


@feature("media bytes identical")
def media(pair: Pair) -> None:
    def pictures(book: Book) -> set[bytes]:
        return {data for name, data in book.members.items() if "/media/" in name}

    assert pictures(pair.after) == pictures(pair.before)
    assert len(pictures(pair.before)) == 2


@feature("text boxes linked to cells")
def text_links(pair: Pair) -> None:
    expected = {pair.tab: "$D$11", SUMMARY: f"{pair.quoted}!$D$11"}
    for tab, link in expected.items():
        root = pair.after.only(tab, "drawing")
        links = [e.get("textlink") for e in all_named(root, "sp") if e.get("textlink")]
        assert links == [link]


def _comments(book: Book, tab: str) -> dict[str, str]:
    return {
        str(comment.get("ref")): "".join(t.text or "" for t in all_named(comment, "t"))
        for comment in all_named(book.only(tab, "comments"), "comment")
    }


@feature("comments")
def comments(pair: Pair) -> None:
    before = _comments(pair.before, pair.tab)
    expected = {"A4": before["A4"], "B8": before["B7"], "D27": before["D26"]}
    assert _comments(pair.after, pair.tab) == expected
    assert list(_comments(pair.after, SUMMARY)) == ["A3"]
    assert list(_comments(pair.after, LISTS)) == ["A5"]


def _boxes(book: Book, tab: str) -> list[list[int]]:
    """Row and column of each comment's cell, then how far above it its box begins, its height."""
    found = []
    for part in book.parts_of(book.tab(tab).part, "vmlDrawing"):
        for note in all_named(book.tree(part), "ClientData"):
            if note.get("ObjectType") == "Note":
                row, column = int(text_in(note, "Row")), int(text_in(note, "Column"))
                place = [int(n) for n in text_in(note, "Anchor").split(",")]
                found.append([row, column, row - place[2], place[6] - place[2]])
    return sorted(found)


@feature("comment boxes (VML)")
def comment_boxes(pair: Pair) -> None:
    before, after = _boxes(pair.before, pair.tab), _boxes(pair.after, pair.tab)
    assert len(before) == 3
    assert after == [[down(row + 1) - 1, *rest] for row, *rest in before]
    assert _boxes(pair.after, LISTS) == _boxes(pair.before, LISTS)


@feature("threaded comment + person")
def threaded_comment(pair: Pair) -> None:
    (comment,) = all_named(pair.after.only(pair.tab, "threadedComment"), "threadedComment")
    (before,) = all_named(pair.before.only(pair.tab, "threadedComment"), "threadedComment")
    assert comment.get("ref") == "B8"
    assert text_in(comment, "text") == text_in(before, "text")
    assert comment.get("id") == before.get("id")
    (person,) = pair.after.parts_of(pair.after.main, "person")
    assert pair.after.members[person] == pair.before.members["xl/persons/person.xml"]


def _controls(book: Book, tab: str) -> dict[str, tuple[int, int, str, str]]:
    """Form controls by kind: the rows they cover, the macro and the cell they are linked to."""
    found = {}
    for part in book.parts_of(book.tab(tab).part, "vmlDrawing"):
        for data in all_named(book.tree(part), "ClientData"):
            if data.get("ObjectType") != "Note":
                place = [int(n) for n in text_in(data, "Anchor").split(",")]
                macro, link = text_in(data, "FmlaMacro"), text_in(data, "FmlaLink")
                found[str(data.get("ObjectType"))] = (place[2], place[6], macro, link)
    return found


@feature("form button kept")
def form_button(pair: Pair) -> None:
    before = _controls(pair.before, pair.tab)["Button"]
    after = _controls(pair.after, pair.tab)["Button"]
    assert after == (before[0] + 1, before[1] + 1, *before[2:])
    assert before[2] == "[0]!SortList"


@feature("form check box and its linked cell")
def form_check_box(pair: Pair) -> None:
    assert _controls(pair.after, pair.tab)["Checkbox"] == (24, 26, "", "$L$23")
    (properties,) = pair.after.parts_of(pair.after.tab(pair.tab).part, "ctrlProp")
    assert pair.after.tree(properties).get("fmlaLink") == "$L$23"
    (control,) = all_named(pair.after.tab(pair.tab).root, "control")
    assert [e.text for e in all_named(control, "row")] == ["24", "26"]


@feature("pivot table and its records kept")
def pivot_kept(pair: Pair) -> None:
    before, table = (book.only(PIVOT, "pivotTable") for book in (pair.before, pair.after))
    assert table.get("name") == before.get("name") == "ByReason"
    assert all_named(table, "location")[0].get("ref") == "A3:B8"
    (cache,) = pair.after.parts_of(pair.after.main, "pivotCacheDefinition")
    (records,) = pair.after.parts_of(cache, "pivotCacheRecords")
    assert len(all_named(pair.after.tree(records), "r")) == 20


@feature("POLICY: pivot source includes new row")
def pivot_source(pair: Pair) -> None:
    (cache,) = pair.after.parts_of(pair.after.main, "pivotCacheDefinition")
    (source,) = all_named(pair.after.tree(cache), "worksheetSource")
    assert (source.get("ref"), source.get("sheet")) == ("A4:H25", pair.tab)


@feature("slicer kept", Shape.TABLE)
def slicer(pair: Pair) -> None:
    sheet = pair.after.tab(pair.tab)
    assert len(pair.after.parts_of(sheet.part, "slicer")) == 1
    (cache,) = pair.after.parts_of(pair.after.main, "slicerCache")
    (link,) = all_named(pair.after.tree(cache), "tableSlicerCache")
    assert link.get("tableId") == _table(pair.after, "Cancelled").get("id")
    listed = all_named(sheet.root, "slicerList")
    assert len(listed) == 1
