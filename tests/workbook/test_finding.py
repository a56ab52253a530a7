"""The tab and its headings are found by what they say, or the row is refused in words."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import xlsxwriter

from canceldesk.workbook import headings
from canceldesk.workbook.errors import CannotPlace
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import HEADINGS, NEW, build, members, patch, row_xml


@pytest.fixture
def path(tmp_path):
    return tmp_path / "clients.xlsx"


def found_in(rows, overrides, *, tab="t", file="f"):
    return headings.find(rows.items(), overrides, tab=tab, file=file)


@pytest.mark.parametrize(
    ("tabs", "wanted", "chosen"),
    [
        (["Clients", "cancellation"], None, "cancellation"),
        (["Clients", " CANCELLATIONS "], None, " CANCELLATIONS "),
        (["Cancelled clients", "Cancellation"], None, "Cancellation"),
        (["Clients", "Cancelled clients 2026"], None, "Cancelled clients 2026"),
        (["Clients", "2026-cancels"], None, "2026-cancels"),
        (["Cancels 2025", "Cancels 2026"], "cancels 2026 ", "Cancels 2026"),
        (["Clients"], "Clients", "Clients"),
        (["Kündigungen", "cancel"], " KÜNDIGUNGEN", "Kündigungen"),
        (["Left\u00a0 2026 "], "left 2026", "Left\u00a0 2026 "),
        (["left ", "Left"], "Left", "Left"),
        (["left ", "Left"], "left ", "left "),
    ],
)
def test_the_tab_is_chosen_by_setting_or_by_name(tabs, wanted, chosen):
    assert headings.choose_tab(tabs, wanted, "book.xlsx") == chosen


@pytest.mark.parametrize(
    ("tabs", "wanted", "said"),
    [
        (["Clients", "Notes"], None, ["No tab", "“Clients”, “Notes”", "Nothing was written"]),
        (
            ["Cancels 2025", "Cancels 2026"],
            None,
            ["Several tabs", "“Cancels 2025”, “Cancels 2026”"],
        ),
        (["cancellation", "Cancellations"], None, ["Several tabs"]),
        (["Clients", "cancellation"], "Gone", ["no tab “Gone”", "“Clients”, “cancellation”"]),
        (["uncancelled", "Scancel"], None, ["No tab"]),
    ],
)
def test_a_tab_that_cannot_be_told_is_refused_by_name(tabs, wanted, said):
    with pytest.raises(CannotPlace) as refusal:
        headings.choose_tab(tabs, wanted, "book.xlsx")
    assert all(words in refusal.value.sentence for words in said)


@pytest.mark.parametrize(
    "row",
    [
        HEADINGS,
        tuple(heading.upper() for heading in HEADINGS),
        (
            "Client",
            "Tel.",
            "Date Cancelled",
            "Total Collected",
            "Tenure",
            "Reason for Cancellation",
        ),
        ("FULL NAME", "mobile", "cancel date", "Collected", "# of Months", "cancellation_reason"),
        ("Customer Name:", "Contact number", "Date", "Total paid", "Program Months", "Reason(s)"),
        (
            "Client's name",
            "Phone  Number",
            "Date of\nCancellation",
            "Total Amount Collected (USD)",
            "Number of months in the program",
            "Reason for cancellation (short)",
        ),
        (
            "1. Name *",
            "2. Phone Number",
            "3.\u00a0Date of\r\nCancellation:",
            "4. Total Amount Collected ($)",
            "5. Number of Months in our Program",
            "6. Reason for the Cancellation*",
        ),
        (
            "\ufeffName",
            "Tele\u00adphone",
            "Date of Cancellation\u200b",
            "\uff34otal collected",
            "Months 1",
            "REASON.",
        ),
    ],
)
def test_headings_are_known_in_the_usual_spellings(row):
    found = found_in({3: dict(enumerate(row, start=1))}, {})
    assert found.row == 3
    assert list(found.columns.values()) == [1, 2, 3, 4, 5, 6]
    assert (found.left, found.right) == (1, 6)


def test_no_row_is_read_further_down_than_right_below_the_headings():
    def rows():
        yield 1, {1: "Left us"}
        yield 2, dict(enumerate(HEADINGS, start=1))
        yield 3, {1: "Ann Example"}
        pytest.fail("a row further down was read")

    assert headings.find(rows(), {}, tab="t", file="f").row == 2


def test_headings_on_two_lines_leave_no_row_between_them():
    upper = {1: "Client", 2: "Phone", 3: "Cancellation", 4: "Total", 5: "Number of", 6: "Reason"}
    lower = {1: "name", 2: "number", 3: "date", 4: "collected", 5: "months"}
    assert found_in({2: upper, 3: lower}, {}).row == 3
    with pytest.raises(CannotPlace):
        found_in({2: upper, 4: lower}, {})


def test_a_surer_heading_wins_over_a_general_one():
    row = dict(enumerate(("Date", "Client name", "Name", *HEADINGS[1:], "Total"), start=1))
    found = found_in({1: row}, {})
    assert found.texts["cancelled_on"] == "Date of Cancellation"
    assert found.texts["name"] == "Client name"
    assert found.texts["collected"] == "Total Amount Collected"


def test_headings_on_two_lines_are_read_together():
    upper = {1: "Client", 2: "Phone", 3: "Date of", 4: "Total amount", 5: "Months in", 6: "Reason"}
    lower = {2: "number", 3: "cancellation", 4: "collected", 5: "the program"}
    found = found_in({2: upper, 3: lower, 4: {1: "Ann"}}, {})
    assert found.row == 3
    assert found.texts["collected"] == "Total amount collected"


def test_the_topmost_of_two_lists_is_the_list():
    row = dict(enumerate(HEADINGS, start=1))
    assert found_in({4: row, 30: row}, {}).row == 4


def test_an_unusual_heading_can_be_named():
    row = dict(enumerate(("Who", *HEADINGS[1:]), start=1))
    found = found_in({1: row}, {"name": "who"})
    assert found.columns["name"] == 1


def test_missing_headings_are_named_with_those_that_were_found():
    with pytest.raises(CannotPlace) as refusal:
        found_in({7: {1: "Name", 2: "Phone", 3: "Reason"}}, {}, tab="Gone", file="b.xlsx")
    sentence = refusal.value.sentence
    assert "row 7 has the headings “Name”, “Phone”, “Reason”" in sentence
    assert "missing: “date of cancellation”, “total amount collected”" in sentence
    assert "Nothing was written." in sentence


def test_two_columns_for_one_heading_are_not_guessed_between():
    row = dict(enumerate((*HEADINGS, "Phone Number"), start=1))
    said = "phone number could be “Phone” (column B), “Phone Number” (column G)"
    with pytest.raises(CannotPlace, match=re.escape(said)):
        found_in({1: row}, {})


def test_two_lists_side_by_side_are_not_guessed_between():
    row = dict(enumerate((*HEADINGS, "", *HEADINGS), start=1))
    with pytest.raises(CannotPlace, match=re.escape("name could be “Name” (column A), “Name” (c")):
        found_in({1: row}, {})


def test_a_client_is_not_taken_for_a_second_line_of_headings():
    upper = {1: "Customer", 20: "Name", **dict(enumerate(HEADINGS[1:], start=21))}
    found = found_in({1: upper, 2: {1: "Acme Ltd"}}, {})
    assert (found.row, found.columns["name"]) == (1, 20)


def test_a_second_line_may_tell_two_columns_apart():
    upper = dict(enumerate(("Name", "Phone", "Date", "Date", "Total", "Months", "Reason"), start=1))
    lower = {3: "of request", 4: "of cancellation"}
    found = found_in({1: upper, 2: lower}, {})
    assert (found.row, found.columns["cancelled_on"]) == (2, 4)


def test_what_stands_beside_the_headings_is_known_too():
    row = dict(enumerate(("No.", *HEADINGS, " Status ", "", "Far away"), start=1))
    found = found_in({1: row}, {})
    assert found.others == {1: "No.", 8: "Status"}
    assert (found.left, found.right) == (1, 8)


def test_one_column_cannot_be_two_fields():
    row = dict(enumerate(HEADINGS, start=1))
    with pytest.raises(CannotPlace, match="could be"):
        found_in({1: row}, {"months": "Phone"})


def test_a_tab_without_headings_is_refused():
    with pytest.raises(CannotPlace, match="No headings were found"):
        found_in({1: {1: "Total"}}, {})
    with pytest.raises(CannotPlace, match="No headings were found"):
        found_in({}, {})


def test_nothing_is_written_where_the_place_is_not_found(path):
    build(path, headings=("Name", "Phone"))
    before = path.read_bytes()
    with pytest.raises(CannotPlace):
        WorkbookList(path).add(NEW)
    assert path.read_bytes() == before


def test_hidden_tabs_are_used_only_when_named(path):
    def more(workbook, sheet):
        sheet.hide()
        workbook.get_worksheet_by_name("Other").activate()

    build(path, more=more)
    very_hidden = build(path.with_name("very.xlsx"), more=more)
    patch(very_hidden, "xl/workbook.xml", 'state="hidden"', 'state="veryHidden"')
    for one in (path, very_hidden):
        with pytest.raises(CannotPlace, match="No tab"):
            WorkbookList(one).read()
        assert len(WorkbookList(one, tab="cancellation").read().rows) == 5


def test_a_chart_tab_is_not_a_list(path):
    def more(workbook, _sheet):
        chart = workbook.add_chart({"type": "line"})
        chart.add_series({"values": "=cancellation!$D$5:$D$9"})
        workbook.add_chartsheet("Chart of cancellations").set_chart(chart)

    build(path, more=more)
    with pytest.raises(CannotPlace, match="not a sheet with cells"):
        WorkbookList(path, tab="Chart of cancellations").read()
    WorkbookList(path).add(NEW)
    assert b"$D$5:$D$10" in members(path)["xl/charts/chart1.xml"]


def test_values_as_people_type_them_are_read_or_shown_as_they_are(path):
    with xlsxwriter.Workbook(str(path)) as workbook:
        sheet = workbook.add_worksheet("cancellation")
        sheet.write_row(0, 0, HEADINGS)
        sheet.write_row(1, 0, ("Ann", 5550101, "Mar 5, 2026", "$1,234.50", "12 months", "moved"))
        sheet.write_row(2, 0, ("Bob", "555", "03/04/2026", "a lot", "a while", True))
        sheet.write_row(3, 0, ("", "", "", "", "", "only a remark"))
        sheet.write_row(5, 0, ("Cid", 1.5550102e10, 46349, 12.5, 3.0))
        sheet.write_formula(6, 0, '="D"&"ee"', None, "Dee")
        sheet.write_row(7, 0, ("Total", "", "", 99))
    ann, bob, cid, dee = WorkbookList(path).read().rows
    assert (ann.phone, ann.cancelled_on, ann.collected_minor, ann.months) == (
        "5550101",
        dt.date(2026, 3, 5),
        123450,
        12,
    )
    assert (bob.cancelled_on, bob.collected_minor, bob.months) == (None, None, None)
    assert bob.raw == {"cancelled_on": "03/04/2026", "collected": "a lot", "months": "a while"}
    assert bob.reason == "TRUE"
    assert (cid.row_number, cid.phone, cid.cancelled_on) == (
        6,
        "15550102000",
        dt.date(2026, 11, 23),
    )
    assert (cid.collected_minor, cid.months) == (1250, 3)
    assert (dee.name, dee.phone, dee.reason, dee.raw) == ("Dee", "", "", {})


def test_a_date_shown_as_a_phone_number_is_shown_as_a_date(path):
    def more(workbook, sheet):
        sheet.write_number("B5", 46349, workbook.add_format({"num_format": "d/m/yy"}))

    assert WorkbookList(build(path, more=more)).read().rows[0].phone == "2026-11-23"


def test_strict_dates_are_read(path):
    build(path)
    patch(
        path,
        "xl/worksheets/sheet1.xml",
        r'<c r="C5" s="(\d+)"><v>[^<]*</v></c>',
        '<c r="C5" t="d"><v>2026-03-05T00:00:00</v></c>',
    )
    assert WorkbookList(path).read().rows[0].cancelled_on == dt.date(2026, 3, 5)


def test_a_pointer_to_a_text_that_is_not_there_reads_as_empty(path):
    build(path)
    patch(
        path,
        "xl/worksheets/sheet1.xml",
        r'<c r="F5" t="s"><v>\d+</v>',
        '<c r="F5" t="s"><v>999</v>',
    )
    assert WorkbookList(path).read().rows[0].reason == ""


@pytest.mark.parametrize("label", ["Summe", "Total collected", "Gesamt", "TOTAL:"])
def test_a_line_that_sums_up_is_no_row_whatever_it_is_called(path, label):
    def more(_workbook, sheet):
        sheet.write_string(9, 0, label)
        sheet.write_formula(9, 3, "=SUM(D5:D9)", None, 510)

    build(path, more=more)
    WorkbookList(path).add(NEW)
    assert [row.row_number for row in WorkbookList(path).read().rows] == [5, 6, 7, 8, 9, 10]
    assert "<f>SUM(D5:D10)</f>" in row_xml(path, 11)


def test_a_note_below_the_list_is_no_row_but_a_name_right_under_it_is(path):
    def more(_workbook, sheet):
        sheet.write_string(9, 0, "Ann Hasty")
        sheet.write_string(11, 0, "Kept by the office")

    build(path, more=more)
    assert [row.row_number for row in WorkbookList(path).read().rows] == [5, 6, 7, 8, 9, 10]


def test_another_table_below_the_list_is_not_the_list(path):
    def more(_workbook, sheet):
        sheet.add_table(12, 0, 14, 2, {"data": [["Year", 2024, 1], ["Year", 2025, 2]]})

    build(path, more=more)
    assert [row.row_number for row in WorkbookList(path).read().rows] == [5, 6, 7, 8, 9]


def test_a_list_of_mere_names_is_a_list(path):
    def more(_workbook, sheet):
        sheet.write_column(4, 0, ("Ann", "Bob"))
        sheet.write_string(8, 0, "Kept by the office")

    build(path, count=0, more=more)
    assert [row.name for row in WorkbookList(path).read().rows] == ["Ann", "Bob"]
    WorkbookList(path).add(NEW)
    assert [row.name for row in WorkbookList(path).read().rows] == ["Nora New", "Ann", "Bob"]


def test_a_table_right_under_headings_that_are_not_its_own_is_not_the_list(path):
    def more(_workbook, sheet):
        columns = [{"header": f"Own {number}"} for number in range(3)]
        sheet.add_table(4, 0, 6, 2, {"columns": columns, "data": [["Ann", "0", 1]]})

    build(path, count=0, more=more)
    assert WorkbookList(path).read().rows == ()


def test_a_table_without_headings_of_its_own_is_the_list_under_ours(path):
    def more(_workbook, sheet):
        sheet.add_table(4, 0, 8, 5, {"header_row": False})
        sheet.write_string(9, 0, "Kept by the office")

    build(path, more=more)
    assert [row.row_number for row in WorkbookList(path).read().rows] == [5, 6, 7, 8, 9]


def test_a_second_name_further_along_the_row_heads_something_else(path):
    def more(_workbook, sheet):
        sheet.write_row(3, 9, ("Name", "Team"))
        sheet.write_row(4, 9, ("Pat", "Desk"))

    build(path, more=more)
    view = WorkbookList(path).read()
    assert view.columns["name"] == "A"
    WorkbookList(path).add(NEW)
    assert WorkbookList(path).read().rows[0].name == "Nora New"


def test_two_names_in_one_run_of_headings_remain_doubtful(path):
    build(path, headings=(*HEADINGS, "Name"))
    with pytest.raises(CannotPlace, match="name could be"):
        WorkbookList(path).read()


def test_the_clients_own_phone_number_is_a_heading_too():
    row = {
        1: "Client's name",
        2: "Client\N{RIGHT SINGLE QUOTATION MARK}s phone number",
        **dict(enumerate(HEADINGS[2:], start=3)),
    }
    found = found_in({1: row}, {})
    assert (found.columns["name"], found.columns["phone"]) == (1, 2)
