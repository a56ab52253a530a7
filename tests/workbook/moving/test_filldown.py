"""Formulas filled down are read once, and each still becomes what it would become alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.moving.filldown import FilledDown
from canceldesk.workbook.moving.insertion import Insertion
from canceldesk.workbook.moving.removal import Removal
from canceldesk.workbook.ooxml import references

TABS = ("cancellation", "Tab 1", "Tab 2")
SHIFTS = [
    Insertion("cancellation", 5, 9, 1, 6, TABS),
    Insertion("cancellation", 5, 4, 1, 6, TABS, count=3),
    Insertion("Tab 1", 5, 9, 1, 6, TABS),
    Removal("cancellation", 5, 9, 1, 6, TABS, first_row=5),
    Removal("Tab 1", 7, 9, 1, 6, TABS, first_row=5),
]
PATTERNS = [
    "D#*2",
    "D#:D#",
    "SUM($D$#:D#)",
    "SUM(D#:D#)+cancellation!A#",
    "SUMPRODUCT(D#:D#,H#:H#)",
    "SUMIFS(cancellation!$D$#:$D$#,cancellation!H#:H#,D#)",
    "COUNTIFS($B$#:$B$#,B#,'Tab #'!$C$#:$C$#,C#)",
    "'Tab #'!D#+[#]cancellation!D#",
    "OFFSET($A$#,0,0,#,1)+A#:INDEX(A:A,#)",
    '"D#"&Cancelled[[#This Row],[D#]]&LOG#(D#)&TAX#&#!REF!',
    "SUM(#:#,$#:$#)",
    "D#E#+R#C#+#E#",
]
numbers = st.sampled_from([0, 1, 4, 5, 6, 7, 8, 9, 10, 44]) | st.integers(1, 60)
written = numbers.map(str) | st.sampled_from(["05", "1048576", "1048577", "12345678"])


@given(
    st.sampled_from(SHIFTS),
    st.booleans(),
    st.sampled_from(PATTERNS),
    st.lists(
        st.tuples(
            st.lists(written, min_size=7, max_size=7),
            st.integers(1, 20),
            st.sampled_from([1, 4, 8]),
            st.sampled_from([0, 0, 5]),
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_each_formula_becomes_what_it_becomes_alone(shift, here, pattern, cells):
    filled = FilledDown(shift, here=here)
    for rows, row, column, block in cells:
        left = iter(rows)
        text = "".join(next(left) if piece == "#" else piece for piece in pattern)
        alone = shift.formula(text, here=here, row=row, column=column, block=block)
        assert filled.moved(text, row, column, block) == alone


def test_a_column_filled_down_is_read_once(monkeypatch):
    reads = []
    found = references.found

    def counted(text, **kwargs):
        reads.append(text)
        return found(text, **kwargs)

    monkeypatch.setattr(references, "found", counted)
    filled = FilledDown(SHIFTS[0], here=True)
    for row in range(5, 105):
        rank = f"RANK(D{row},D$5:D$9)*D{row}"
        assert filled.moved(rank, row, 8) == f"RANK(D{row + 1},D$5:D$10)*D{row + 1}"
    assert len(reads) < 10


def test_a_sum_across_tabs_is_refused_however_often_it_was_read():
    filled = FilledDown(SHIFTS[0], here=False)
    assert filled.moved("SUM('Tab 1:Tab 2'!D9)", 1, 1) == "SUM('Tab 1:Tab 2'!D9)"
    assert filled.moved("SUM('cancellation:Tab 2'!D4)", 1, 1) == "SUM('cancellation:Tab 2'!D4)"
    with pytest.raises(CannotEdit, match="several tabs at once"):
        filled.moved("SUM('cancellation:Tab 2'!D9)", 1, 1)
