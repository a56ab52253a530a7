"""What `compare` says of two workbooks."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
import xlsxwriter
from typer.testing import CliRunner

from canceldesk.workbook.comparing import Comparison, verify, verify_command
from canceldesk.workbook.errors import CannotPlace, CannotRead
from tests.workbook.building import HEADINGS, members, patch, rewrite

HEADING_ROW = 3
SHEET, SUMMARY = "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"


def clients(count: int) -> list[tuple[object, ...]]:
    """Invented lines of the list, newest first."""
    return [
        (f"Client {n}", f"0555 01{n:02d}", dt.date(2026, 1, n), 100.5 + n, n, f"Reason {n}")
        for n in range(count, 0, -1)
    ]


def build(path: Path, lines: list[tuple[object, ...]], *, last: int | None = None) -> Path:
    """A workbook as a person would have it with these lines on the list.

    Everything in it means the whole list from its first row, as it does in a well-kept one; so a
    workbook built with one line more is what adding that line must come to.
    """
    first = HEADING_ROW + 1
    last = HEADING_ROW + len(lines) if last is None else last
    with xlsxwriter.Workbook(str(path)) as workbook:
        workbook.set_properties({"created": dt.datetime(2026, 1, 1)})  # noqa: DTZ001
        sheet = workbook.add_worksheet("cancellation")
        date = workbook.add_format({"num_format": "yyyy-mm-dd"})
        money = workbook.add_format({"num_format": "#,##0.00", "italic": True})
        sheet.write("A1", "Who left")
        sheet.write_row(HEADING_ROW - 1, 0, HEADINGS)
        for row, line in enumerate(lines, HEADING_ROW):
            for column, value in enumerate(line):
                look = {2: date, 3: money}.get(column)
                sheet.write(row, column, value, look)
            sheet.set_row(row, 21 if line[0] == "Client 2" else None)
        sheet.write_formula(last + 1, 3, f"SUM(D{first}:D{last})", money, 7)
        sheet.merge_range(last + 3, 0, last + 3, 2, "Kept by the office")
        sheet.conditional_format(
            first - 1, 3, last - 1, 3, {"type": "formula", "criteria": f"=$E{first}>3"}
        )
        sheet.data_validation(
            first - 1, 5, last - 1, 5, {"validate": "list", "source": ["Reason 1", "Moved"]}
        )
        sheet.write_comment(last, 0, "Was called", {"author": "Office"})
        sheet.set_h_pagebreaks([last + 1])
        sheet.autofilter(HEADING_ROW - 1, 0, last - 1, 5)
        other = workbook.add_worksheet("Summary")
        other.write_formula("B4", f"SUM(cancellation!D{first}:D{last})", None, 7)
        chart = workbook.add_chart({"type": "column"})
        chart.add_series({"values": f"=cancellation!$D${first}:$D${last}"})
        sheet.insert_chart(last + 5, 1, chart)
        workbook.define_name("paid", f"=cancellation!$D${first}:$D${last}")
    chart_xml = members(path)["xl/charts/chart1.xml"].decode()
    without = re.sub(r"<c:numCache>.*?</c:numCache>", "", chart_xml)
    return rewrite(path, {"xl/charts/chart1.xml": without.encode()})


@pytest.fixture
def before(tmp_path: Path) -> Path:
    return build(tmp_path / "before.xlsx", clients(5))


@pytest.fixture
def after(tmp_path: Path) -> Path:
    return build(tmp_path / "after.xlsx", clients(6))


def told(comparison: Comparison) -> list[str]:
    """The differences as lines."""
    return [f"{one.place}: {one.sentence}" for one in comparison.differences]


def test_one_line_more_with_everything_grown_is_no_difference(before: Path, after: Path) -> None:
    comparison = verify(before, after)
    assert comparison.inserted_rows == (4,)
    assert comparison.tab == "cancellation"
    assert told(comparison) == []


def test_the_same_workbook_twice_is_the_same(before: Path) -> None:
    comparison = verify(before, before)
    assert comparison.inserted_rows == ()
    assert told(comparison) == []


def test_several_lines_more_are_counted(before: Path, tmp_path: Path) -> None:
    comparison = verify(before, build(tmp_path / "more.xlsx", clients(8)))
    assert comparison.inserted_rows == (4, 5, 6)
    assert told(comparison) == []


def test_a_first_line_on_an_empty_list_is_found(tmp_path: Path) -> None:
    empty = build(tmp_path / "empty.xlsx", [], last=4)
    one = build(tmp_path / "one.xlsx", clients(1), last=5)
    assert verify(empty, one).inserted_rows == (4,)


def test_a_line_with_the_same_values_twice_is_one_row_more(before: Path, tmp_path: Path) -> None:
    again = clients(5)
    comparison = verify(before, build(tmp_path / "twice.xlsx", [again[0], *again]))
    assert comparison.inserted_rows == (4,)


def test_a_line_taken_out_is_told_in_the_other_order(before: Path, tmp_path: Path) -> None:
    lines = clients(5)
    less = build(tmp_path / "less.xlsx", [*lines[:2], *lines[3:]])
    comparison = verify(before, less, removed=True)
    assert comparison.inserted_rows == (6,)
    assert told(comparison) == []


def test_a_line_in_the_middle_is_no_line_on_top(before: Path, tmp_path: Path) -> None:
    lines = clients(5)
    line = ("Nora New", "0555 0199", dt.date(2026, 2, 1), 1, 1, "Moved")
    comparison = verify(before, build(tmp_path / "middle.xlsx", [*lines[:2], line, *lines[2:]]))
    assert any("Nora New" in one for one in told(comparison))


def tampered(after: Path, member: str, pattern: str, replacement: str) -> Path:
    return patch(after, member, pattern, replacement)


@pytest.mark.parametrize(
    ("member", "pattern", "replacement", "expected"),
    [
        (
            SUMMARY,
            r"D4:D9",
            "D5:D10",
            "tab “Summary”, cell B4: the formula was SUM(cancellation!D4:D8), "
            "is SUM(cancellation!D5:D10), should be SUM(cancellation!D4:D9)",
        ),
        (
            SUMMARY,
            r"D4:D9",
            "D5:D9",
            "tab “Summary”, cell B4: the formula was SUM(cancellation!D4:D8), "
            "is SUM(cancellation!D5:D9), should be SUM(cancellation!D4:D9)",
        ),
        (SUMMARY, r"<v>7</v>", "<v>8</v>", "tab “Summary”, cell B4: the stored result was 7, is 8"),
        (
            SHEET,
            r"<v>105.5</v>",
            "<v>105.6</v>",
            "tab “cancellation”, cell D5: the value was 105.5, is 105.6",
        ),
        (
            SHEET,
            r'(?<=r="D5" s=")2(?=")',
            "1",
            "tab “cancellation”, cell D5: the number format, font changed",
        ),
        (
            SHEET,
            r' ht="21"',
            ' ht="22"',
            "tab “cancellation”, row 8: its height was 21, is 22",
        ),
        (
            SHEET,
            r'<conditionalFormatting sqref="D4:D9"',
            '<conditionalFormatting sqref="D5:D9"',
            "tab “cancellation”, a conditional format: sqref was D4:D8, is D5:D9, should be D4:D9",
        ),
        (
            SHEET,
            r"<formula>\$E4",
            "<formula>$E5",
            "tab “cancellation”, a conditional format: was $E4>3, is $E5>3, should be $E4>3",
        ),
        (
            SHEET,
            r'sqref="F4:F9"',
            'sqref="F5:F9"',
            "tab “cancellation”, a data validation: sqref was F4:F8, is F5:F9, should be F4:F9",
        ),
        (
            SHEET,
            r'<mergeCell ref="A13:C13"',
            '<mergeCell ref="A12:C12"',
            "tab “cancellation”, merged cells: ref was A12:C12, is A12:C12, should be A13:C13",
        ),
        (
            SHEET,
            r'<brk id="10"',
            '<brk id="9"',
            "tab “cancellation”, a page break: id was 9, is 9, should be 10",
        ),
        (
            SHEET,
            r'<autoFilter ref="A3:F9"',
            '<autoFilter ref="A3:F8"',
            "tab “cancellation”, the filter: ref was A3:F8, is A3:F8, should be A3:F9",
        ),
        (
            SHEET,
            r'<c r="B6"',
            '<c r="B7"',
            "tab “cancellation”, cell B6: its marks were nothing, are rows off 1",
        ),
        (
            SHEET,
            r'<c r="B4"',
            '<c r="B5"',
            "tab “cancellation”, new cell B4: says that it stands in another row",
        ),
        (
            SHEET,
            r'<dimension ref="A1:F13"',
            '<dimension ref="A1:F12"',
            "tab “cancellation”, the used range: is said to end in row 12, but ends in row 13",
        ),
        (
            "xl/workbook.xml",
            r"cancellation!\$D\$4:\$D\$9",
            "cancellation!$D$5:$D$9",
            "the workbook, a defined name: was cancellation!$D$4:$D$8, "
            "is cancellation!$D$5:$D$9, should be cancellation!$D$4:$D$9",
        ),
        (
            "xl/workbook.xml",
            r' fullCalcOnLoad="1"',
            "",
            "the workbook, calculation: Excel is not asked to calculate when it opens the file",
        ),
        (
            "xl/charts/chart1.xml",
            r"cancellation!\$D\$4:\$D\$9",
            "cancellation!$D$4:$D$8",
            "part xl/charts/chart1.xml, chartSpace: was cancellation!$D$4:$D$8, "
            "is cancellation!$D$4:$D$8, should be cancellation!$D$4:$D$9",
        ),
        (
            "xl/drawings/drawing1.xml",
            r"<xdr:row>14</xdr:row>",
            "<xdr:row>13</xdr:row>",
            "part xl/drawings/drawing1.xml, a drawing: was 13, is 13, should be 14",
        ),
        (
            "xl/comments1.xml",
            r'ref="A10"',
            'ref="A9"',
            "part xl/comments1.xml, a comment: ref was A9, is A9, should be A10",
        ),
        (
            "xl/drawings/vmlDrawing1.vml",
            r"<x:Row>9</x:Row>",
            "<x:Row>8</x:Row>",
            "part xl/drawings/vmlDrawing1.vml: Row of a box or button was 8, is 8, should be 9",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r'<Relationship Id="rId3"[^>]*theme[^>]*/>',
            "",
            "part xl/_rels/workbook.xml.rels, rId3: the arrow to theme/theme1.xml is gone or new",
        ),
        (
            "[Content_Types].xml",
            r'<Override PartName="/xl/comments1.xml"[^>]*/>',
            "",
            "the package, xl/comments1.xml: was declared as application/vnd.openxmlformats-"
            "officedocument.spreadsheetml.comments+xml, is declared as application/xml",
        ),
    ],
)
def test_what_was_not_brought_along_is_named(
    before: Path, after: Path, member: str, pattern: str, replacement: str, expected: str
) -> None:
    comparison = verify(before, tampered(after, member, pattern, replacement))
    assert comparison.inserted_rows == (4,)
    assert told(comparison) == [expected]


def test_formats_that_were_changed_in_place_are_named(before: Path, after: Path) -> None:
    tampered(after, "xl/styles.xml", r'(?<=numFmtId="165" fontId=")1(?=")', "0")
    differences = told(verify(before, after))
    assert differences[0] == "formats, cellXfs: entry 2 is another, or its place in the list is"
    assert "tab “cancellation”, cell D5: the font changed" in differences


def test_a_new_row_that_stands_out_is_named(before: Path, after: Path) -> None:
    tampered(after, SHEET, r'(?<=<c r="A4")', ' s="3"')
    odd = '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0"/></cellXfs>'
    tampered(after, "xl/styles.xml", r"</cellXfs>", odd)
    assert told(verify(before, after)) == [
        "tab “cancellation”, new cell A4: does not look like the ones under it: font"
    ]


def test_values_kept_in_a_chart_may_follow_its_source(before: Path, after: Path) -> None:
    def kept(count: int, first: int) -> bytes:
        points = "".join(f'<c:pt idx="{first + n}"><c:v>{n}</c:v></c:pt>' for n in range(5))
        cache = f'<c:numCache><c:ptCount val="{count}"/>{points}</c:numCache></c:numRef>'
        return cache.encode()

    chart = "xl/charts/chart1.xml"
    for path, cache in ((before, kept(5, 0)), (after, kept(6, 1))):
        rewrite(path, {chart: members(path)[chart].replace(b"</c:numRef>", cache)})
    assert told(verify(before, after)) == []
    tampered(after, chart, r'<c:pt idx="3">', '<c:pt idx="9">')
    assert len(told(verify(before, after))) == 1


def test_a_lost_part_is_named(before: Path, after: Path) -> None:
    differences = told(verify(before, rewrite(after, {}, drop=["xl/theme/theme1.xml"])))
    assert "part xl/theme/theme1.xml: is missing" in differences
    assert any("which is not there" in one for one in differences)


def test_a_new_part_is_named(before: Path, after: Path) -> None:
    extra = rewrite(after, {"xl/media/note.png": b"picture"})
    assert told(verify(before, extra)) == [
        "part xl/media/note.png: is new",
        "the package, xl/media/note.png: has no content type",
    ]


def test_other_bytes_in_a_picture_are_named(before: Path, after: Path) -> None:
    for path, content in ((before, b"one"), (after, b"two")):
        types = members(path)["[Content_Types].xml"].replace(
            b"<Override", b'<Default Extension="png" ContentType="image/png"/><Override', 1
        )
        rewrite(path, {"xl/media/image1.png": content, "[Content_Types].xml": types})
    assert told(verify(before, after)) == ["part xl/media/image1.png: its bytes differ"]


def test_many_differences_are_counted_not_listed(before: Path, after: Path) -> None:
    sheet = members(after)[SUMMARY].decode()
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(10, 60))
    sheet = re.sub(r"<dimension[^>]*/>", "", sheet)
    rewrite(after, {SUMMARY: sheet.replace("</sheetData>", f"{rows}</sheetData>").encode()})
    differences = told(verify(before, after))
    assert differences[0] == "tab “Summary”, cell A10: the value was nothing, is 10"
    assert differences[-1] == "tab “Summary”: 25 more differences"


def test_a_text_with_other_formats_inside_is_a_difference(before: Path, after: Path) -> None:
    strings = "xl/sharedStrings.xml"
    plain, bold = "<t>Who left</t>", "<r><rPr><b/></rPr><t>Who left</t></r>"
    rewrite(after, {strings: members(after)[strings].replace(plain.encode(), bold.encode())})
    assert told(verify(before, after)) == [
        "tab “cancellation”, cell A1: the text Who left has other formats inside"
    ]


def test_text_kept_in_the_cell_or_shared_is_the_same_text(before: Path, after: Path) -> None:
    inline = '<c r="A1" t="inlineStr"><is><t>Who left</t></is></c>'
    tampered(after, SHEET, r'<c r="A1" t="s"><v>0</v></c>', inline)
    assert told(verify(before, after)) == []


def test_formulas_shared_or_spelled_out_are_the_same(before: Path, after: Path) -> None:
    def rows(first: int, *, shared: bool) -> str:
        texts = [f"D{first}*2", "" if shared else f"D{first + 1}*2"]
        named = [f' t="shared" si="0" ref="H{first}:H{first + 1}"', ' t="shared" si="0"']
        return "".join(
            f'<row r="{first + n}"><c r="H{first + n}"><f{named[n] if shared else ""}>{texts[n]}'
            "</f><v>1</v></c></row>"
            for n in range(2)
        )

    for path, first, shared in ((before, 40, True), (after, 41, False)):
        sheet = members(path)[SHEET].decode()
        sheet = sheet.replace("</sheetData>", f"{rows(first, shared=shared)}</sheetData>")
        sheet = re.sub(r"<dimension[^>]*/>", "", sheet)
        rewrite(path, {SHEET: sheet.encode()})
    assert told(verify(before, after)) == []


def test_a_workbook_without_a_list_is_compared_as_it_is(tmp_path: Path) -> None:
    paths = [tmp_path / "a.xlsx", tmp_path / "b.xlsx"]
    for path, value in zip(paths, (1, 2), strict=True):
        with xlsxwriter.Workbook(str(path)) as workbook:
            workbook.set_properties({"created": dt.datetime(2026, 1, 1)})  # noqa: DTZ001
            workbook.add_worksheet("Plan").write("A1", value)
    comparison = verify(*paths)
    assert comparison.inserted_rows == ()
    assert told(comparison) == ["tab “Plan”, cell A1: the value was 1, is 2"]


def test_a_tab_that_is_not_there_cannot_be_compared(before: Path, after: Path) -> None:
    with pytest.raises(CannotPlace, match="There is no tab “Nowhere”"):
        verify(before, after, tab="Nowhere")


def test_what_is_no_workbook_cannot_be_compared(before: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"no workbook")
    with pytest.raises(CannotRead, match="not an Excel workbook"):
        verify(before, broken)


@pytest.fixture
def run() -> Callable[..., Any]:
    app = typer.Typer()
    app.command()(verify_command)
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


def test_the_command_ends_with_0_when_only_the_row_is_new(
    run: Callable[..., Any], before: Path, after: Path
) -> None:
    result = run(before, after)
    assert result.exit_code == 0
    assert result.output == "Row 4 was put into the tab “cancellation”; nothing else differs.\n"


def test_the_command_ends_with_1_and_says_what_differs(
    run: Callable[..., Any], before: Path, after: Path
) -> None:
    tampered(after, SUMMARY, r"<v>7</v>", "<v>8</v>")
    result = run(before, after)
    assert result.exit_code == 1
    assert re.search(r"This differs beyond that:\n.*the stored result was 7, is 8", result.output)


def test_the_command_ends_with_2_when_a_file_is_missing(
    run: Callable[..., Any], before: Path, tmp_path: Path
) -> None:
    result = run(before, tmp_path / "gone.xlsx")
    assert result.exit_code == 2
    assert "cannot be read" in result.output


def test_the_command_prints_json(run: Callable[..., Any], before: Path, after: Path) -> None:
    printed = json.loads(run(before, after, "--json").output)
    assert printed == {
        "same": True,
        "removed": False,
        "tab": "cancellation",
        "inserted_rows": [4],
        "differences": [],
    }


def test_the_command_tells_a_row_taken_out(
    run: Callable[..., Any], before: Path, after: Path
) -> None:
    result = run(after, before, "--removed")
    assert result.exit_code == 0
    assert "Row 4 was taken out of the tab “cancellation”" in result.output


def test_the_command_knows_headings_of_the_companys_own(
    run: Callable[..., Any], before: Path, after: Path
) -> None:
    for path in (before, after):
        tampered(path, "xl/sharedStrings.xml", "<t>Name</t>", "<t>Party of the first part</t>")
    assert "Row 4" not in run(before, after).output
    result = run(before, after, "--heading", "name=Party of the first part")
    assert result.output == "Row 4 was put into the tab “cancellation”; nothing else differs.\n"


def test_the_command_says_how_a_heading_is_named(
    run: Callable[..., Any], before: Path, after: Path
) -> None:
    result = run(before, after, "--heading", "Client")
    assert result.exit_code == 2
    assert "name=Client" in result.output
