"""Formulas in cells: plain, shared, array, in the list's tab and in others."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.workbook import cellformulas, references
from canceldesk.workbook.cellformulas import CellFormulas
from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.insertion import Insertion

LIST = Insertion("cancellation", row=5, last_row=8, left=1, right=6, tabs=("cancellation",))


def sheet(*cells: tuple[str, str]) -> bytes:
    """Rows holding these (place, XML of `f`) cells."""
    by_row: dict[int, str] = {}
    for place, formula in cells:
        number = int(re.sub(r"\D", "", place))
        by_row[number] = by_row.get(number, "") + f'<c r="{place}">{formula}<v>1</v></c>'
    return "".join(f'<row r="{n}">{by_row[n]}</row>' for n in sorted(by_row)).encode()


def texts(rows: bytes) -> dict[str, str]:
    found = re.findall(r'<c r="(\w+)"><f([^>]*?)(?:/>|>([^<]*)</f>)', rows.decode())
    return {place: attributes.strip() + "|" + text for place, attributes, text in found}


def test_a_formula_that_need_not_change_keeps_its_bytes():
    rows = sheet(("H2", "<f >A1&amp;'x'</f>"), ("H9", "<f>A2</f>"))
    assert cellformulas.moved(rows, LIST, here=True) == rows


def test_escapes_in_formulas_are_read_and_written():
    rows = sheet(("H2", "<f>A9&amp;&quot;A9&quot;&lt;B9</f>"))
    assert texts(cellformulas.moved(rows, LIST, here=True)) == {"H2": '|A10&amp;"A9"&lt;B10'}


def test_a_shared_formula_over_the_lists_rows_stays_shared():
    rows = sheet(
        ("G5", '<f t="shared" ref="G5:G7" si="0">D5*2+$D$5</f>'),
        ("G6", '<f t="shared" si="0"/>'),
        ("G7", '<f t="shared" si="0"/>'),
    )
    assert texts(cellformulas.moved(rows, LIST, here=True)) == {
        "G5": 't="shared" ref="G6:G8" si="0"|D6*2+$D$6',
        "G6": 't="shared" si="0"|',
        "G7": 't="shared" si="0"|',
    }


def test_a_shared_formula_that_looks_across_the_heading_is_spelled_out():
    rows = sheet(
        ("G5", '<f t="shared" ref="G5:G6" si="0">D4-D5</f>'), ("G6", '<f t="shared" si="0"/>')
    )
    assert texts(cellformulas.moved(rows, LIST, here=True)) == {"G5": "|D4-D6", "G6": "|D6-D7"}


def test_a_shared_formula_on_both_sides_of_the_new_row_is_spelled_out():
    rows = sheet(
        ("G4", '<f t="shared" ref="G4:G5" si="3">D4</f>'), ("G5", '<f t="shared" si="3"/>')
    )
    assert texts(cellformulas.moved(rows, LIST, here=True)) == {"G4": "|D4", "G5": "|D6"}


def test_a_shared_formula_elsewhere_is_moved_or_spelled_out():
    rows = sheet(
        ("A1", '<f t="shared" ref="A1:A2" si="0">cancellation!D6</f>'),
        ("B1", '<f t="shared" ref="B1:B2" si="1">cancellation!D4</f>'),
        ("A2", '<f t="shared" si="0"/>'),
        ("B2", '<f t="shared" si="1"/>'),
    )
    assert texts(cellformulas.moved(rows, LIST, here=False)) == {
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
    after = texts(cellformulas.moved(rows, LIST, here=True))
    assert after["G5"].endswith("|D6")
    assert after["G7"] == 't="shared" ref="G8:G9" si="0"|E8+F3'


def test_a_follower_without_its_shared_formula_is_refused():
    rows = sheet(("G6", '<f t="shared" si="9"/>'))
    with pytest.raises(CannotEdit, match="G6"):
        cellformulas.moved(rows, LIST, here=True)


def test_an_array_formula_moves_with_its_block():
    rows = sheet(("H6", '<f t="array" ref="H6:H8">SUM(D5:D8)</f>'))
    assert texts(cellformulas.moved(rows, LIST, here=True)) == {
        "H6": 't="array" ref="H7:H9"|SUM(D6:D9)'
    }


def test_a_data_table_moves_with_its_input_cells():
    rows = sheet(("H6", '<f t="dataTable" ref="H6:H8" dt2D="0" r1="B9" r2="B2"/>'))
    assert texts(cellformulas.moved(rows, LIST, here=True)) == {
        "H6": 't="dataTable" ref="H7:H9" dt2D="0" r1="B10" r2="B2"|'
    }


def test_an_array_across_the_new_row_is_refused():
    rows = sheet(("H2", '<f t="array" ref="H2:H8">D2:D8</f>'))
    with pytest.raises(CannotEdit, match="H2:H8"):
        cellformulas.moved(rows, LIST, here=True)


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
        ("G3", '<f t="shared" ref="G3:G5" si="0">D3</f>'),
        ("G4", '<f t="shared" si="0"/>'),
        ("G5", '<f t="shared" si="0"/>'),
        ("G6", '<f t="shared" ref="G6:G7" si="0">D6</f>'),
        ("G7", '<f t="shared" si="0"/>'),
        ("G8", "<v>7</v>"),
    )
    assert in_chunks(rows, here=True) == cellformulas.moved(rows, LIST, here=True)
    assert texts(in_chunks(rows, here=True)) == {
        "G3": "|D3",
        "G4": "|D4",
        "G5": "|D6",
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
    assert texts(cellformulas.moved(rows, LIST, here=True)) == {"G6": "|D7"}


corners = st.tuples(st.integers(-4, 4), st.booleans())


@given(
    st.integers(2, 12),
    st.integers(0, 4),
    corners,
    st.none() | corners,
    st.booleans(),
    st.sampled_from(["", "cancellation!"]),
)
def test_a_shared_formula_means_the_same_as_the_same_formulas_written_out(
    top, height, first, second, here, prefix
):
    """The model: spell every member out first, then move each as a formula of its own."""

    def written(corner: tuple[int, bool]) -> str:
        offset, fixed = corner
        return f"D{'$' if fixed else ''}{max(top + offset, 1)}"

    text = prefix + written(first) + ("" if second is None else f":{written(second)}")
    places = range(top, top + height + 1)
    shared = [(f"G{top}", f'<f t="shared" ref="G{top}:G{top + height}" si="0">{text}</f>')]
    shared += [(f"G{row}", '<f t="shared" si="0"/>') for row in places[1:]]
    moved = texts(cellformulas.moved(sheet(*shared), LIST, here=here))
    attributes, _, master = moved[f"G{top}"].partition("|")
    for row in places:
        alone = references.relocated(text, row - top, 0)
        assert alone is not None
        expected = LIST.formula(alone, here=here, row=row)
        if "shared" in attributes:
            assert references.relocated(master, row - top, 0) == expected
            assert not here or LIST.moved(row) - row == LIST.moved(top) - top
        else:
            assert moved[f"G{row}"] == f"|{expected}"
