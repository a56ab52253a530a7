"""Formulas in cells: plain, shared, array, in the list's tab and in others."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.moving import cellformulas
from canceldesk.workbook.moving.cellformulas import CellFormulas
from canceldesk.workbook.moving.insertion import Insertion
from canceldesk.workbook.moving.relocation import relocated
from canceldesk.workbook.moving.removal import Removal
from canceldesk.workbook.ooxml.references import Span

LIST = Insertion("cancellation", row=5, last_row=8, left=1, right=6, tabs=("cancellation",))


def sheet(*cells: tuple[str, str]) -> bytes:
    """Rows holding these (place, XML of `f`) cells."""
    by_row: dict[int, str] = {}
    for place, formula in cells:
        number = int(re.sub(r"\D", "", place))
        by_row[number] = by_row.get(number, "") + f'<c r="{place}">{formula}<v>1</v></c>'
    return "".join(f'<row r="{n}">{by_row[n]}</row>' for n in sorted(by_row)).encode()


def moved(rows: bytes, *, here: bool) -> bytes:
    """The rows in one chunk."""
    formulas = CellFormulas(LIST, here=here)
    formulas.learn(rows)
    return formulas.moved(rows)


def texts(rows: bytes) -> dict[str, str]:
    found = re.findall(r'<c r="(\w+)"><f([^>]*?)(?:/>|>([^<]*)</f>)', rows.decode())
    return {place: attributes.strip() + "|" + text for place, attributes, text in found}


def test_a_formula_that_need_not_change_keeps_its_bytes():
    rows = sheet(("H2", "<f >A1&amp;'x'</f>"), ("H9", "<f>A2</f>"))
    assert moved(rows, here=True) == rows


def test_escapes_in_formulas_are_read_and_written():
    rows = sheet(("H2", "<f>A9&amp;&quot;A9&quot;&lt;B9</f>"))
    assert texts(moved(rows, here=True)) == {"H2": '|A10&amp;"A9"&lt;B10'}


def test_a_shared_formula_over_the_lists_rows_stays_shared():
    rows = sheet(
        ("G5", '<f t="shared" ref="G5:G7" si="0">D5*2+$D$5</f>'),
        ("G6", '<f t="shared" si="0"/>'),
        ("G7", '<f t="shared" si="0"/>'),
    )
    assert texts(moved(rows, here=True)) == {
        "G5": 't="shared" ref="G6:G8" si="0"|D6*2+$D$6',
        "G6": 't="shared" si="0"|',
        "G7": 't="shared" si="0"|',
    }


def test_a_shared_formula_that_looks_across_the_heading_is_spelled_out():
    rows = sheet(
        ("G5", '<f t="shared" ref="G5:G6" si="0">D4-D5</f>'), ("G6", '<f t="shared" si="0"/>')
    )
    assert texts(moved(rows, here=True)) == {"G5": "|D4-D6", "G6": "|D6-D7"}


def test_a_shared_formula_on_both_sides_of_the_new_row_stays_shared_if_it_may():
    rows = sheet(
        ("G4", '<f t="shared" ref="G4:G5" si="3">D4</f>'),
        ("G5", '<f t="shared" si="3"/>'),
        ("H4", '<f t="shared" ref="H4:H5" si="4">D9</f>'),
        ("H5", '<f t="shared" si="4"/>'),
    )
    assert texts(moved(rows, here=True)) == {
        "G4": 't="shared" ref="G4:G6" si="3"|D4',
        "G5": 't="shared" si="3"|',
        "H4": "|D10",
        "H5": "|D11",
    }


def test_a_shared_formula_elsewhere_is_moved_or_spelled_out():
    rows = sheet(
        ("A1", '<f t="shared" ref="A1:A2" si="0">cancellation!D6</f>'),
        ("B1", '<f t="shared" ref="B1:B2" si="1">cancellation!D4</f>'),
        ("A2", '<f t="shared" si="0"/>'),
        ("B2", '<f t="shared" si="1"/>'),
    )
    assert texts(moved(rows, here=False)) == {
        "A1": 't="shared" ref="A1:A2" si="0"|cancellation!D7',
        "A2": 't="shared" si="0"|',
        "B1": "|cancellation!D4",
        "B2": "|cancellation!D6",
    }


def test_the_number_of_a_shared_formula_may_be_used_again():
    rows = sheet(
        ("G5", '<f t="shared" ref="G5:G6" si="0">D5</f>'),
        ("G6", '<f t="shared" si="0"/>'),
        ("G7", '<f t="shared" ref="G7:G8" si="0">E7+F3</f>'),
        ("G8", '<f t="shared" si="0"/>'),
    )
    after = texts(moved(rows, here=True))
    assert after["G5"].endswith("|D6")
    assert after["G7"] == 't="shared" ref="G8:G9" si="0"|E8+F3'


def test_a_follower_without_its_shared_formula_is_refused():
    rows = sheet(("G6", '<f t="shared" si="9"/>'))
    with pytest.raises(CannotEdit, match="G6"):
        moved(rows, here=True)


def test_an_array_formula_moves_with_its_block():
    rows = sheet(
        ("F6", '<f t="array" ref="F6:F8">SUM(D5:D8)</f>'),
        ("H6", '<f t="array" ref="H6">SUM(D5:D8*E5:E8)</f>'),
    )
    assert texts(moved(rows, here=True)) == {
        "F6": 't="array" ref="F7:F9"|SUM(D6:D9)',
        "H6": 't="array" ref="H7"|SUM(D5:D9*E5:E9)',
    }


def test_an_array_formula_stays_as_tall_as_the_cells_it_fills():
    rows = sheet(("H15", '<f t="array" ref="H15:H18">D5:D8*2+SUM($E$5:$E$8)</f>'))
    assert texts(moved(rows, here=True)) == {
        "H15": 't="array" ref="H16:H19"|D6:D9*2+SUM($E$5:$E$9)'
    }


def test_a_formula_that_spills_takes_in_the_new_row_and_may_lie_across_it():
    rows = (
        b'<row r="3"><c r="H3" cm="1"><f t="array" ref="H3:H6">_xlfn._xlws.SORT(D5:D8)</f></c>'
        b"</row>"
        b'<row r="9"><c cm="1" r="J9"><f t="array" ref="J9">SUM(D5:D8*2)</f></c></row>'
    )
    after = moved(rows, here=True).decode()
    assert '<f t="array" ref="H3:H7">_xlfn._xlws.SORT(D5:D9)</f>' in after
    assert '<f t="array" ref="J10">SUM(D5:D9*2)</f>' in after


def test_a_data_table_moves_with_its_input_cells():
    rows = sheet(("H6", '<f t="dataTable" ref="H6:H8" dt2D="0" r1="B9" r2="B2"/>'))
    assert texts(moved(rows, here=True)) == {
        "H6": 't="dataTable" ref="H7:H9" dt2D="0" r1="B10" r2="B2"|'
    }


def test_an_array_across_the_new_row_is_refused():
    rows = sheet(("H2", '<f t="array" ref="H2:H8">D2:D8</f>'))
    with pytest.raises(CannotEdit, match="H2:H8"):
        moved(rows, here=True)


def test_the_formulas_of_a_row_are_spelled_out():
    rows = sheet(
        ("G5", '<f t="shared" ref="G5:G6" si="0">D5*2</f>'),
        ("G6", '<f t="shared" si="0"/>'),
        ("H6", "<f>E6</f>"),
    )
    found = cellformulas.formulas_of_row([rows], 6)
    assert {column: formula.text for column, formula in found.items()} == {7: "D6*2", 8: "E6"}


def in_chunks(rows: bytes, *, here: bool) -> bytes:
    """The rows moved one at a time, each a chunk of its own."""
    chunks = re.findall(rb"<row.*?</row>", rows)
    formulas = CellFormulas(LIST, here=here)
    for chunk in chunks:
        formulas.learn(chunk)
    return b"".join(formulas.moved(chunk) for chunk in chunks)


def test_a_shared_formula_is_followed_from_chunk_to_chunk():
    rows = sheet(
        ("G3", '<f t="shared" ref="G3:G5" si="0">D3+D9</f>'),
        ("G4", '<f t="shared" si="0"/>'),
        ("G5", '<f t="shared" si="0"/>'),
        ("G6", '<f t="shared" ref="G6:G7" si="0">D6</f>'),
        ("G7", '<f t="shared" si="0"/>'),
        ("G8", "<v>7</v>"),
    )
    assert in_chunks(rows, here=True) == moved(rows, here=True)
    assert texts(in_chunks(rows, here=True)) == {
        "G3": "|D3+D10",
        "G4": "|D4+D11",
        "G5": "|D6+D12",
        "G6": 't="shared" ref="G7:G8" si="0"|D7',
        "G7": 't="shared" si="0"|',
    }


def test_the_formulas_of_a_row_are_found_through_the_chunks_and_no_further():
    def chunks():
        yield sheet(("G5", '<f t="shared" ref="G5:G6" si="0">D5*2</f>'))
        yield sheet(("G6", '<f t="shared" si="0"/>'))
        yield sheet(("G7", "<f>1</f>"))
        raise AssertionError("read too far")

    found = cellformulas.formulas_of_row(chunks(), 6)
    assert {column: formula.text for column, formula in found.items()} == {7: "D6*2"}


def test_a_follower_that_spells_itself_out_needs_no_leader():
    rows = sheet(("G6", '<f t="shared" si="9">D6</f>'))
    assert texts(moved(rows, here=True)) == {"G6": "|D7"}


corners = st.tuples(st.integers(-4, 4), st.booleans())
ranges = st.tuples(st.sampled_from("DGH"), corners, st.none() | corners)
shifts = st.sampled_from(
    [
        LIST,
        Insertion("cancellation", row=5, last_row=8, left=1, right=6, count=3),
        Insertion("cancellation", row=5, last_row=4, left=1, right=6),
        Removal("cancellation", row=5, last_row=8, left=1, right=6, first_row=5),
        Removal("cancellation", row=7, last_row=8, left=1, right=6, first_row=5),
    ]
)


@given(
    shifts,
    st.integers(2, 12),
    st.integers(0, 5),
    st.integers(0, 2),
    st.lists(ranges, min_size=1, max_size=2),
    st.booleans(),
    st.sampled_from(["", "cancellation!"]),
    st.sampled_from(["{0}", "SUM({0})", "SUMPRODUCT({0},{1})", "{0}-{1}"]),
)
def test_a_shared_formula_means_the_same_as_the_same_formulas_written_out(
    shift, top, height, width, pieces, here, prefix, pattern
):
    """The model: spell every member out first, then move each as a formula of its own."""

    def written(column: str, corner: tuple[int, bool]) -> str:
        offset, fixed = corner
        return f"{column}{'$' if fixed else ''}{max(top + offset, 1)}"

    texts_of = [
        prefix + ":".join(written(column, corner) for corner in filter(None, ends))
        for column, *ends in pieces
    ]
    text = pattern.format(*texts_of, *texts_of)
    places = [(row, 6 + by) for row in range(top, top + height + 1) for by in range(width + 1)]
    last = f"{'FGH'[width]}{top + height}"
    shared = [(f"F{top}", f'<f t="shared" ref="F{top}:{last}" si="0">{text}</f>')]
    shared += [(f"{'FGH'[col - 6]}{row}", '<f t="shared" si="0"/>') for row, col in places[1:]]
    rows = sheet(*shared)
    try:
        alone = {place: relocated(text, place[0] - top, place[1] - 6) for place in places}
        expected = {
            place: shift.formula(formula or "", here=here, row=place[0], column=place[1])
            for place, formula in alone.items()
        }
        formulas = CellFormulas(shift, here=here)
        formulas.learn(rows)
        after = texts(formulas.moved(rows))
    except CannotEdit:
        assert None in alone.values()
        return

    def now(row: int) -> int:
        return shift.moved(row) if here else row

    leader = (0, 0, "")
    block = Span(0, 0, 0, 0)
    for row, column in places:
        if here and not shift.keeps(row):
            continue
        attributes, _, formula = after[f"{'FGH'[column - 6]}{row}"].partition("|")
        if "ref=" in attributes:
            leader = (row, column, formula)
            block = Span.of(re.findall('ref="([^"]*)"', attributes)[0])
        if "shared" not in attributes:
            assert formula == expected[row, column]
            continue
        first_row, first_column, first = leader
        offset = (now(row) - now(first_row), column - first_column)
        assert relocated(first, *offset) == expected[row, column]
        assert block.top <= now(row) <= block.bottom
