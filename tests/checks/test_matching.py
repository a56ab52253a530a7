"""Which case each line of the list belongs to."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace

import pytest

from canceldesk.cases.models import State
from canceldesk.checks.matching import listed_facts, match
from canceldesk.closing import listing
from canceldesk.closing.models import Facts
from canceldesk.workbook.protocol import ListedRow
from tests.closing.conftest import Desk
from tests.factories import make_case, make_client, make_facts
from tests.fakes import FakeList


def facts(last_name: str = "Field", **fields: object) -> Facts:
    case = make_case(State.CLOSED, client=make_client("Nora", last_name))
    return make_facts(case, **fields)


def listed(the_list: FakeList, one: Facts) -> ListedRow:
    return the_list.listed(listing.row_for(one))


def numbers(the_list: FakeList) -> list[str]:
    matched = match(the_list.read(), listed_facts())
    return [
        matched.case_of[row.row_number].number if row.row_number in matched.case_of else ""
        for row in the_list.read().rows
    ]


def test_without_a_column_for_it_equal_values_tell(desk: Desk) -> None:
    one = facts()
    row = listed(desk.the_list, one)
    desk.the_list.rows = [replace(row, reason="Something else"), row]
    assert numbers(desk.the_list) == ["", one.case.number]


def test_spacing_makes_no_difference(desk: Desk) -> None:
    one = facts(reason="Too  expensive\nfor us")
    desk.the_list.rows = [replace(listed(desk.the_list, one), reason=" Too expensive for us ")]
    assert numbers(desk.the_list) == [one.case.number]


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Anna Berg"},
        {"phone": "1"},
        {"cancelled_on": dt.date(2020, 1, 1)},
        {"cancelled_on": None},
        {"collected_minor": 1},
        {"months": None},
        {"reason": "No"},
    ],
)
def test_a_line_with_any_other_value_is_somebody_elses(
    desk: Desk, other: dict[str, object]
) -> None:
    desk.the_list.rows = [replace(listed(desk.the_list, facts()), **other)]  # type: ignore[arg-type]
    assert numbers(desk.the_list) == [""]


def test_with_a_column_for_it_the_case_number_tells_whatever_else_stands_there(desk: Desk) -> None:
    desk.the_list.has_reference = True
    one, other = facts(), facts("Berg")
    row = listed(desk.the_list, one)
    desk.the_list.rows = [
        replace(row, reference=f" {one.case.number} ", reason="Changed by hand"),
        replace(listed(desk.the_list, other), reference=""),
    ]
    assert numbers(desk.the_list) == [one.case.number, ""]


def test_each_line_has_at_most_one_case_and_each_case_at_most_one_line(desk: Desk) -> None:
    older, newer = facts(), facts()
    row = listed(desk.the_list, older)
    desk.the_list.rows = [row, row, row]
    assert numbers(desk.the_list) == [newer.case.number, older.case.number, ""]
    matched = match(desk.the_list.read(), listed_facts())
    assert len(matched.row_of) == len(matched.case_of) == 2
    desk.the_list.rows = [row]
    assert numbers(desk.the_list) == [newer.case.number]


def test_only_cases_that_stop_have_a_line(desk: Desk) -> None:
    one = facts()
    desk.the_list.rows = [listed(desk.the_list, one)]
    type(one.case).objects.filter(pk=one.case.pk).update(state=State.RETAINED)
    assert numbers(desk.the_list) == [""]


def test_a_long_list_is_matched_in_no_time(desk: Desk) -> None:
    one = facts()
    row = listed(desk.the_list, one)
    desk.the_list.rows = [replace(row, name=f"Client {number}") for number in range(5000)]
    view = desk.the_list.read()
    many = [Facts(case=one.case, **{**_values(one), "name": f"Client {n}"}) for n in range(5000)]
    began = time.process_time()
    assert len(match(view, many).case_of) == 5000
    assert time.process_time() - began < 2


def _values(one: Facts) -> dict[str, object]:
    names = ("phone", "cancelled_on", "collected_minor", "months", "reason")
    return {name: getattr(one, name) for name in names}
