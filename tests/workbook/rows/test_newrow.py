"""The new row is written the way the list's rows are, and still says exactly what was meant."""

from __future__ import annotations

import datetime as dt

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.workbook import values
from canceldesk.workbook.errors import CannotPlace
from canceldesk.workbook.protocol import matches
from canceldesk.workbook.rows import wording
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import DAY, HEADINGS, NEW, build, client


@pytest.fixture
def path(tmp_path):
    return tmp_path / "clients.xlsx"


def added(path, row=NEW, **how):
    """The tab after `row` was added and read back as meant."""
    written = WorkbookList(path, **how).add(row)
    assert matches(written.row, row)
    return openpyxl.load_workbook(path)["cancellation"]


def column_of(letter, *texts):
    """Something for `build` to write into a column from row 5 on."""

    def more(_workbook, sheet):
        for number, words in enumerate(texts):
            sheet.write_string(f"{letter}{5 + number}", words)

    return more


# ------------------------------------------------------------------ months


@pytest.mark.parametrize(
    ("examples", "seven", "one", "twenty_six"),
    [
        (["12 months"], "7 months", "1 month", "26 months"),
        (["1 Month"], "7 Months", "1 Month", "26 Months"),
        (["12 mo."], "7 mo.", "1 mo.", "26 mo."),
        (["5 mos"], "7 mos", "1 mo", "26 mos"),
        (["12m"], "7m", "1m", "26m"),
        (["12 month(s)"], "7 month(s)", "1 month(s)", "26 month(s)"),
        (["twelve"], "seven", "one", "twenty-six"),
        (["Twelve months"], "Seven months", "One month", "Twenty-six months"),
        (["5 months", "1 year 2 months"], "7 months", "1 month", "2 years 2 months"),
        (["1 yr, 2 mos"], "7 mos", "1 mo", "2 yr, 2 mos"),
        (["1y2m"], "7m", "1m", "2y2m"),
        (["2 years"], "7 months", "1 month", "2 years 2 months"),
        (["One year and two months"], "seven months", "one month", "Two years and two months"),
        (["18 months", "1 year"], "7 months", "1 month", "26 months"),
        (["a while", "3 months"], "7 months", "1 month", "26 months"),
        (["12", "3"], "", "", ""),
        (["a while"], "", "", ""),
        ([], "", "", ""),
    ],
)
def test_months_are_worded_as_the_examples_are(examples, seven, one, twenty_six):
    assert wording.months_like(examples, 7) == seven
    assert wording.months_like(examples, 1) == one
    assert wording.months_like(examples, 26) == twenty_six


spans = st.builds(
    "{}{}{}{}{}{}{}".format,
    st.integers(0, 9) | st.sampled_from(["one", "Two", "THREE"]),
    st.sampled_from(["", " "]),
    st.sampled_from(["year", "years", "yr", "yrs.", "Y"]),
    st.sampled_from([" ", ", ", " and ", " & "]),
    st.integers(0, 11) | st.sampled_from(["four", "eleven"]),
    st.sampled_from(["", " "]),
    st.sampled_from(["months", "month", "mo", "mos.", "m", "mths"]),
)


@given(st.lists(spans | st.text(max_size=12), max_size=4), st.integers(0, 400))
def test_worded_months_always_read_back_as_the_same_number(examples, months):
    written = wording.months_like(examples, months)
    assert not written or values.months_from_text(written) == months


@pytest.mark.parametrize("number", range(120))
def test_a_number_in_words_is_read_as_that_number(number):
    assert values.months_from_text(values.in_words(number)) == number
    assert values.months_from_text(f"{values.in_words(number).upper()} months") == number


def test_a_list_of_months_in_words_gets_words(path):
    build(path, more=column_of("E", "3 months", "12 months", "1 month"))
    assert added(path)["E5"].value == "7 months"


def test_a_list_of_months_in_numbers_gets_a_number_even_if_one_is_in_words(path):
    build(path, more=column_of("E", "3 months"))
    assert added(path)["E5"].value == 7


def test_months_formatted_as_dates_by_mistake_are_a_number(path):
    def as_dates(workbook, sheet):
        for row in range(4, 9):
            sheet.write_number(row, 4, 3, workbook.add_format({"num_format": "d/m/yy"}))

    cell = added(build(path, more=as_dates))["E5"]
    assert (cell.value, cell.number_format) == (7, "General")


# ------------------------------------------------------------------ dates and amounts


@pytest.mark.parametrize(
    ("examples", "code"),
    [
        (["2026-03-05"], "yyyy-mm-dd"),
        (["2026/3/5"], r"yyyy\/m\/d"),
        (["03/23/2026", "01/02/2026"], r"mm\/dd\/yyyy"),
        (["23.11.26"], r"d\.m\.yy"),
        (["03/04/2026"], ""),
        (["23/11/2026", "11/23/2026"], ""),
        (["Mar 5, 2026"], "mmm d, yyyy"),
        (["March 5 2026", "May 15 2026"], "mmmm d yyyy"),
        (["5-Mar-26"], "d-mmm-yy"),
        (["Thursday, March 5, 2026"], "dddd, mmmm d, yyyy"),
        (["Thu 05 Mar 2026"], "ddd dd mmm yyyy"),
        (["Foo 5, 2026"], ""),
        (["Mar 5, 2026", "soon"], ""),
        ([], ""),
    ],
)
def test_a_date_format_is_found_that_looks_like_the_texts(examples, code):
    assert wording.date_code_like(examples) == code


@pytest.mark.parametrize(
    ("examples", "code"),
    [
        (["$1,234.50", "$99.00"], '"$"#,##0.00'),
        (["1.234,50 €"], '#,##0.00" €"'),
        (["$ 1200"], '"$ "0.00'),
        (["-$5.00", "$7.10"], '"$"#,##0.00'),
        (["(12.00)"], "#,##0.00"),
        (["£5", "$5"], ""),
        (["$5", "free"], ""),
        ([], ""),
    ],
)
def test_a_money_format_is_found_that_looks_like_the_texts(examples, code):
    assert wording.money_code_like(examples, "USD") == code


def test_a_list_of_dates_and_amounts_as_text_gets_real_ones_that_look_the_same(path):
    def texts(_workbook, sheet):
        column_of("C", "23/11/2025", "02/10/2025", "01/09/2025", "1/8/2025", "1/7/2025")(0, sheet)
        column_of("D", "$1,234.50", "$99.00", "$5.00", "$6.00", "$7.00")(0, sheet)

    with_texts = build(path, more=texts)
    book = openpyxl.load_workbook(with_texts)
    for row in range(5, 10):
        for letter in "CD":
            book["cancellation"][f"{letter}{row}"].number_format = "General"
    book.save(path)
    sheet = added(path)
    assert sheet["C5"].value == dt.datetime.combine(DAY, dt.time())
    assert sheet["C5"].number_format == r"dd\/mm\/yyyy"
    assert (sheet["D5"].value, sheet["D5"].number_format) == (1234.5, '"$"#,##0.00')
    assert sheet["C6"].number_format == "General"


def test_amounts_without_any_format_stay_so(path):
    def plain(workbook, sheet):
        for row in range(4, 9):
            sheet.write_number(row, 3, 12.5, workbook.add_format({"num_format": "General"}))

    assert added(build(path, more=plain))["D5"].number_format == "General"


@pytest.mark.parametrize("shown", ["0", "(###) ###-####", "0.00E+00", "@"])
def test_a_phone_keeps_its_plus_and_zeros_whatever_the_columns_format(path, shown):
    def numbers(workbook, sheet):
        for row in range(4, 9):
            sheet.write_number(row, 1, 5550100, workbook.add_format({"num_format": shown}))

    cell = added(build(path, more=numbers))["B5"]
    assert (cell.value, cell.data_type, cell.number_format) == ("+1 555 0199", "s", shown)


# ------------------------------------------------------------------ looks


def coloured(*colours):
    """Rows from 5 on whose cells have these colours; None is no colour."""

    def more(workbook, sheet):
        for number, colour in enumerate(colours):
            form = workbook.add_format({"bg_color": colour} if colour else {"italic": True})
            for column in range(6):
                sheet.write_string(4 + number, column, f"{number}-{column}", form)

    return more


def colours_of(sheet, *rows):
    return [sheet[f"A{row}"].fill.fgColor.rgb for row in rows]


PLAIN, YELLOW, BLUE = "00000000", "FFFFFF00", "FF0000FF"


@pytest.mark.parametrize(
    ("below", "new"),
    [
        ((None, "#FFFF00", None, "#FFFF00"), YELLOW),
        (("#FFFF00", None, "#FFFF00", None), PLAIN),
        (("#0000FF", "#FFFF00", "#0000FF", "#FFFF00", None), YELLOW),
        (("#FFFF00", None, None, None), PLAIN),
        ((None, None, None, None), PLAIN),
        (("#FFFF00", "#FFFF00", None, None), YELLOW),
        (("#FFFF00", None), YELLOW),
        ((None, "#FFFF00", None), PLAIN),
        (("#FFFF00", "#0000FF", None, None), YELLOW),
    ],
)
def test_bands_go_on_and_a_row_coloured_by_hand_is_no_example(path, below, new):
    build(path, count=0, more=coloured(*below))
    WorkbookList(path).add(NEW)
    sheet = openpyxl.load_workbook(path)["cancellation"]
    assert colours_of(sheet, 5) == [new]


def test_bands_go_on_row_after_row(path):
    build(path, count=0, more=coloured(None, "#FFFF00", None, "#FFFF00"))
    for number in range(3):
        WorkbookList(path).add(client(number + 1))
    sheet = openpyxl.load_workbook(path)["cancellation"]
    assert colours_of(sheet, 5, 6, 7, 8) == [YELLOW, PLAIN, YELLOW, PLAIN]


def test_one_cell_coloured_by_hand_does_not_make_a_row_special(path):
    def one_cell(workbook, sheet):
        sheet.write_string("A5", "Client 1", workbook.add_format({"bg_color": "#FFFF00"}))

    assert colours_of(added(build(path, more=one_cell)), 5) == [YELLOW]


def test_a_sub_heading_in_the_list_is_no_example(path):
    def sub_heading(workbook, sheet):
        bold = workbook.add_format({"bold": True, "bg_color": "#FFFF00"})
        sheet.set_row(4, 40)
        for column in range(6):
            sheet.write_blank(4, column, None, bold)
        sheet.write_string(4, 0, "November", bold)

    sheet = added(build(path, more=sub_heading))
    assert colours_of(sheet, 5, 6) == [PLAIN, YELLOW]
    assert not sheet["A5"].font.b
    assert sheet.row_dimensions[5].height != 40
    assert sheet["C5"].number_format == "dd.mm.yyyy"


def test_a_row_made_invisible_by_its_height_is_no_example_of_one(path):
    sheet = added(build(path, more=lambda _workbook, sheet: sheet.set_row(4, 0)))
    assert sheet.row_dimensions[5].height is None


# ------------------------------------------------------------------ columns of one's own


def with_columns(path, *headings, more=None):
    return build(path, headings=(*HEADINGS, *headings), more=more)


def test_columns_of_ones_own_are_filled_as_told(path):
    def prepared(workbook, sheet):
        for row in range(4, 9):
            sheet.write_string(row, 8, "x", workbook.add_format({"num_format": "@", "bold": True}))

    with_columns(path, "Status", "Fee ", "Agent\nno.", "Untouched", more=prepared)
    fill = {"status": "=Cancelled", "Fee": "12.50", "Agent no": "007"}
    sheet = added(path, fill=fill)
    assert [sheet[f"{letter}5"].value for letter in "GHIJ"] == ["=Cancelled", 12.5, "007", None]
    assert [sheet[f"{letter}5"].data_type for letter in "GHI"] == ["s", "n", "s"]
    assert sheet["I5"].font.b
    assert sheet["G6"].value is None


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        ({"State": "x"}, "has no column headed “State”; beside the desk's own it has “Status”"),
        ({"Note": "x"}, "has several columns headed “Note”"),
        ({"Phone": "x"}, "“Phone” is filled by the desk itself"),
    ],
)
def test_a_column_that_cannot_be_filled_is_refused_and_nothing_written(path, fill, said):
    with_columns(path, "Status", "Note", "Note")
    before = path.read_bytes()
    with pytest.raises(CannotPlace, match=said):
        WorkbookList(path, fill=fill).add(NEW)
    assert path.read_bytes() == before


def test_a_column_with_the_tables_formula_keeps_it(path):
    def table(_workbook, sheet):
        columns = [{"header": heading} for heading in (*HEADINGS, "Double")]
        columns[6]["formula"] = "=[@[Months in the Program]]*2"
        sheet.add_table("A4:G9", {"columns": columns})

    with_columns(path, "Double", more=table)
    with pytest.raises(CannotPlace, match="“Double” is filled by the table's formula"):
        WorkbookList(path, fill={"Double": "2"}).add(NEW)
    assert str(added(path)["G5"].value).startswith("=")
