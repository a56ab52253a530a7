"""A row is taken out only while nothing of people's stands in it, where that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from canceldesk.workbook.errors import SomethingBeside
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import HEADINGS, NEW, build, members, rewrite
from tests.workbook.test_features import picture

WIDER = (*HEADINGS, "Status", "Notes")
STATUS, NOTES = 6, 7
"""Columns G and H, from 0."""
TOP = 4
"""Row 5, the first one of the list, from 0."""
NAMES = [f"Client {number}" for number in range(1, 6)]
More = Callable[[Any, Any], None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clients.xlsx"


def names(path: Path) -> list[str]:
    return [row.name for row in WorkbookList(path).read().rows]


def take_out(path: Path, *, place: int = 0, fill: dict[str, str] | None = None) -> None:
    book = WorkbookList(path, fill=fill)
    book.remove(book.read().rows[place], if_alone=True)


def refused(path: Path, *, place: int = 0, fill: dict[str, str] | None = None) -> str:
    """What is said to stand there; nothing is written, and the other rows can leave."""
    before = path.read_bytes()
    with pytest.raises(SomethingBeside, match=f"Row {TOP + place + 1} of “clients.xlsx”") as told:
        take_out(path, place=place, fill=fill)
    assert path.read_bytes() == before
    assert f"there: {told.value.what}. Move" in told.value.sentence
    take_out(path, place=place - 1 if place else 4, fill=fill)
    return told.value.what


def with_table(formula: str = "") -> More:
    """The list as a table, whose notes are `formula` if there is one."""

    def more(_workbook: Any, sheet: Any) -> None:
        columns: list[dict[str, str]] = [{"header": heading} for heading in WIDER]
        if formula:
            columns[NOTES]["formula"] = formula
        sheet.add_table(TOP - 1, 0, TOP + 4, NOTES, {"columns": columns})

    return more


KINDS = pytest.mark.parametrize("kind", [None, with_table()], ids=["range", "table"])


def built(path: Path, *mores: More | None, count: int = 5) -> Path:
    def more(workbook: Any, sheet: Any) -> None:
        for one in mores:
            if one is not None:
                one(workbook, sheet)

    return build(path, headings=WIDER, more=more, count=count)


# ------------------------------------------------------------------ what the desk put there


@KINDS
def test_a_row_of_the_desks_is_taken_out(path: Path, kind: More | None) -> None:
    built(path, kind)
    book = WorkbookList(path, fill={"status": "Cancelled  by desk", "Notes": "5.10"})
    written = book.add(NEW)
    book.remove(written.row, if_alone=True)
    assert names(path) == NAMES


@KINDS
def test_formats_validation_and_rules_are_nobodys_words(path: Path, kind: More | None) -> None:
    def more(workbook: Any, sheet: Any) -> None:
        yellow = workbook.add_format({"bg_color": "yellow"})
        sheet.write_blank(TOP, NOTES, None, yellow)
        sheet.write_string(TOP, STATUS, "  ", yellow)
        sheet.set_row(TOP, 40)
        sheet.data_validation(TOP, NOTES, TOP, NOTES, {"validate": "list", "source": ["a"]})
        rule = {"type": "cell", "criteria": ">", "value": 1, "format": yellow}
        sheet.conditional_format(TOP, 3, TOP, 3, rule)

    take_out(built(path, kind, more))
    assert names(path) == NAMES[1:]


def test_a_tables_own_formula_is_the_desks(path: Path) -> None:
    built(path, with_table("=[@[Total Amount Collected]]*2"))
    book = WorkbookList(path)
    written = book.add(NEW)
    book.remove(written.row, if_alone=True)
    take_out(path, place=2)
    assert names(path) == ["Client 1", "Client 2", "Client 4", "Client 5"]


def test_a_tables_own_formula_is_the_desks_in_its_only_row(path: Path) -> None:
    def more(_workbook: Any, sheet: Any) -> None:
        columns: list[dict[str, str]] = [{"header": heading} for heading in WIDER]
        columns[NOTES]["formula"] = "=D5*2"
        sheet.add_table(TOP - 1, 0, TOP, NOTES, {"columns": columns})

    take_out(built(path, more, count=1))
    assert names(path) == []


@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_formula_filled_down_is_nobodys_words(path: Path, place: int) -> None:
    def more(_workbook: Any, sheet: Any) -> None:
        for row in range(TOP + 1, TOP + 6):
            sheet.write_formula(row - 1, NOTES, f"=SUM(D$5:D{row})", None, 7)

    take_out(built(path, more), place=place)
    assert names(path) == NAMES[:place] + NAMES[place + 1 :]


def test_a_formula_written_once_for_many_cells_is_nobodys_words(path: Path) -> None:
    def more(_workbook: Any, sheet: Any) -> None:
        for row in range(TOP, TOP + 3):
            sheet.write_string(row, NOTES, f"here {row}")

    built(path, more)
    xml = members(path)["xl/worksheets/sheet1.xml"].decode()
    for row in (5, 6, 7):
        at = xml.index(f'<c r="H{row}"')
        end = xml.index("</c>", at) + len("</c>")
        inside = '<f t="shared" ref="H5:H7" si="0">D5*2</f>' if row == 5 else ""
        follower = inside or '<f t="shared" si="0"/>'
        xml = f'{xml[:at]}<c r="H{row}">{follower}<v>1</v></c>{xml[end:]}'
    rewrite(path, {"xl/worksheets/sheet1.xml": xml.encode()})
    take_out(path, place=1)
    assert names(path) == ["Client 1", "Client 3", "Client 4", "Client 5"]


# ------------------------------------------------------------------ what people put there


@KINDS
@pytest.mark.parametrize("place", [0, 3])
def test_words_in_a_column_of_the_companys_own(path: Path, kind: More | None, place: int) -> None:
    built(path, kind, lambda _, sheet: sheet.write_string(TOP + place, NOTES, "called\nback"))
    assert refused(path, place=place) == f"“Notes” (H{TOP + place + 1}) holds “called back”"


def test_numbers_dates_and_ticks(path: Path) -> None:
    def more(workbook: Any, sheet: Any) -> None:
        sheet.write_number(TOP, STATUS, 46000, workbook.add_format({"num_format": "d.m.yyyy"}))
        sheet.write_boolean(TOP, NOTES, False)

    assert refused(built(path, more)) == (
        "“Status” (G5) holds “2025-12-09”; “Notes” (H5) holds “FALSE”"
    )


@pytest.mark.parametrize("words", ["Cancelled?", "Cancelled, called back", "0"])
def test_other_words_in_a_column_that_the_desk_fills(path: Path, words: str) -> None:
    built(path, lambda _, sheet: sheet.write_string(TOP, STATUS, words))
    fill = {"Status": "Cancelled", "Gone from the list": "x"}
    assert refused(path, fill=fill) == f"“Status” (G5) holds “{words}”"


def test_the_words_that_the_desk_fills_in_stand_for_their_own_column_only(path: Path) -> None:
    built(path, lambda _, sheet: sheet.write_string(TOP, NOTES, "Cancelled"))
    assert refused(path, fill={"Status": "Cancelled"}) == "“Notes” (H5) holds “Cancelled”"


def test_words_beside_the_list_are_told_before_all_else(path: Path) -> None:
    built(path, lambda _, sheet: sheet.write_string(TOP, 10, "x" * 60))
    assert refused(path) == f"K5 holds “{'x' * 40}…”"


@KINDS
@pytest.mark.parametrize("formula", ["=120+35", "=D5-50", '="called "&A5'])
def test_a_formula_that_stands_there_alone(path: Path, kind: More | None, formula: str) -> None:
    def more(_workbook: Any, sheet: Any) -> None:
        sheet.write_formula(TOP, NOTES, formula, None, 1)
        sheet.write_formula(TOP + 2, NOTES, "=D7*2", None, 1)

    assert refused(built(path, kind, more)) == f"“Notes” (H5) holds “{formula}”"


def test_a_formula_typed_over_the_tables_own(path: Path) -> None:
    def more(_workbook: Any, sheet: Any) -> None:
        sheet.write_formula(TOP + 1, NOTES, "=D6-50", None, 1)

    built(path, with_table("=D5*2"), more)
    assert refused(path, place=1) == "“Notes” (H6) holds “=D6-50”"


@KINDS
def test_a_comment(path: Path, kind: More | None) -> None:
    built(path, kind, lambda _, sheet: sheet.write_comment(TOP, 3, "Paid in cash"))
    assert refused(path) == "somebody's comment is on D5"


def test_a_threaded_comment_is_told_once(path: Path) -> None:
    built(path, lambda _, sheet: sheet.write_comment(TOP, 3, "[Threaded comment]"))
    arrow = (
        '<Relationship Id="rId99" Type="http://schemas.microsoft.com/office/2017/10/relationships/'
        'threadedComment" Target="../threadedComments/threadedComment1.xml"/></Relationships>'
    )
    rels = "xl/worksheets/_rels/sheet1.xml.rels"
    told = members(path)[rels].decode().replace("</Relationships>", arrow)
    comments = (
        '<ThreadedComments xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/'
        'threadedcomments"><threadedComment ref="D5" id="{1}"><text>Paid</text></threadedComment>'
        '<threadedComment ref="A5" id="{2}"><text>Who?</text></threadedComment></ThreadedComments>'
    )
    part = "xl/threadedComments/threadedComment1.xml"
    rewrite(path, {rels: told.encode(), part: comments.encode()})
    assert set(refused(path).split("; ")) == {
        "somebody's comment is on D5",
        "somebody's comment is on A5",
    }


@KINDS
def test_a_link(path: Path, kind: More | None) -> None:
    def more(_workbook: Any, sheet: Any) -> None:
        sheet.write_url(TOP, 0, "internal:Other!A1", string="Client 1")

    assert refused(built(path, kind, more)) == "a link is on A5"


def test_a_link_over_several_rows_stays(path: Path) -> None:
    built(
        path, lambda _, sheet: sheet.write_url(TOP + 1, 0, "internal:Other!A1", string="Client 2")
    )
    xml = members(path)["xl/worksheets/sheet1.xml"].decode()
    assert '<hyperlink ref="A6"' in xml
    wider = xml.replace('<hyperlink ref="A6"', '<hyperlink ref="A5:A6"')
    rewrite(path, {"xl/worksheets/sheet1.xml": wider.encode()})
    take_out(path)
    assert '<hyperlink ref="A5"' in members(path)["xl/worksheets/sheet1.xml"].decode()


@pytest.mark.parametrize("scale", [1, 100], ids=["in the row", "larger than the row"])
def test_a_picture(path: Path, scale: int) -> None:
    def more(_workbook: Any, sheet: Any) -> None:
        picture_of_it = path.with_name("pixel.png")
        picture_of_it.write_bytes(picture())
        sheet.insert_image(TOP, 2, str(picture_of_it), {"x_scale": scale, "y_scale": scale})

    assert refused(built(path, more)) == "a picture or the like lies on C5"


def test_a_text_box_that_ends_in_the_row_but_no_chart_that_goes_on(path: Path) -> None:
    def more(workbook: Any, sheet: Any) -> None:
        sheet.insert_textbox(TOP, 5, "back on Monday", {"height": 15, "object_position": 2})
        chart = workbook.add_chart({"type": "line"})
        chart.add_series({"values": "=cancellation!$D$5:$D$9"})
        sheet.insert_chart(TOP + 1, 10, chart)

    built(path, more)
    assert refused(path) == "a picture or the like lies on F5"
    take_out(path, place=1)
    assert names(path) == ["Client 1", "Client 3", "Client 4"]


def test_of_much_that_stands_there_the_first_is_told(path: Path) -> None:
    def more(_workbook: Any, sheet: Any) -> None:
        for column in range(10, 18):
            sheet.write_number(TOP, column, column)

    assert refused(built(path, more)).endswith("O5 holds “14”; and 3 more")


def test_what_stands_in_other_rows_keeps_no_row(path: Path) -> None:
    def more(_workbook: Any, sheet: Any) -> None:
        sheet.write_string(TOP + 1, NOTES, "called back")
        sheet.write_comment(TOP + 2, 0, "who?")
        sheet.write_url(TOP + 3, 0, "internal:Other!A1", string="Client 4")

    take_out(built(path, more))
    assert names(path) == NAMES[1:]


def test_without_being_asked_all_goes(path: Path) -> None:
    def more(_workbook: Any, sheet: Any) -> None:
        sheet.write_string(TOP, NOTES, "called back")
        sheet.write_comment(TOP, 0, "who?")

    book = WorkbookList(built(path, more))
    book.remove(book.read().rows[0])
    assert names(path) == NAMES[1:]
