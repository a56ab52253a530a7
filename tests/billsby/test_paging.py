"""A list is walked to its real end, whatever moves meanwhile, and a lying list is found out."""

import math

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.billsby import Nonsense, paging
from canceldesk.billsby.bodies import Unreadable
from canceldesk.billsby.paging import PagedList
from canceldesk.billsby.rows import PageRow, read_row

from .helpers import Script, client, customer_row, envelope


def page_of(rows, pages, count):
    return read_row(PageRow, {"pageCount": pages, "rowCount": count, "results": rows})


class MovingList:
    """A server's list that changes between pages: before page n, ``changes[n]`` is applied."""

    def __init__(self, rows, size, changes=()):
        self.rows, self.size, self.changes = list(rows), size, dict(changes)
        self.asked = []

    def page(self, number):
        change = self.changes.pop(len(self.asked) + 1, None)
        if change:
            change(self.rows)
        self.asked.append(number)
        start = (number - 1) * self.size
        return page_of(
            self.rows[start : start + self.size],
            math.ceil(len(self.rows) / self.size),
            len(self.rows),
        )


def walk(page):
    return list(PagedList(page, str, lambda value: value).walk())


@given(count=st.integers(0, 40), size=st.integers(1, 7))
def test_every_row_is_given_once_and_in_order(count, size):
    server = MovingList(range(count), size)
    assert walk(server.page) == [str(n) for n in range(count)]
    assert server.asked == list(range(1, max(1, math.ceil(count / size)) + 1))


@given(
    count=st.integers(1, 30),
    size=st.integers(2, 7),
    inserted=st.dictionaries(st.integers(2, 6), st.integers(1, 1), max_size=5),
)
def test_rows_added_on_top_while_reading_repeat_and_lose_nothing(count, size, inserted):
    def adding(page):
        return lambda rows: rows.insert(0, f"new-{page}")

    server = MovingList(range(count), size, {page: adding(page) for page in inserted})
    given_rows = walk(server.page)
    assert len(given_rows) == len(set(given_rows))
    assert {str(n) for n in range(count)} <= set(given_rows)


@given(count=st.integers(3, 30), size=st.integers(2, 7), data=st.data())
def test_a_row_removed_while_reading_hides_no_other(count, size, data):
    removed = data.draw(st.integers(0, count - 1))
    before = data.draw(st.integers(1, 5))
    server = MovingList(range(count), size, {before: lambda rows: rows.remove(removed)})
    given_rows = walk(server.page)
    assert len(given_rows) == len(set(given_rows))
    assert {str(n) for n in range(count)} - {str(removed)} <= set(given_rows)


def test_a_list_that_keeps_shrinking_is_not_taken_for_the_whole():
    def remove_first(rows):
        rows.pop(0)

    server = MovingList(range(30), 5, dict.fromkeys(range(2, 40), remove_first))
    with pytest.raises(Unreadable, match="kept shrinking"):
        walk(server.page)


def test_a_page_count_that_is_too_small_is_found_out_by_the_row_count():
    with pytest.raises(Unreadable, match="before its last row"):
        walk(lambda number: page_of(["a", "b"], 1, 5))


def test_a_page_count_that_is_too_large_is_found_out_by_the_empty_page():
    pages = {1: ["a", "b"], 2: []}
    with pytest.raises(Unreadable, match="before its last page"):
        walk(lambda number: page_of(pages[number], 3, 2))


def test_the_same_page_again_is_found_out_in_the_middle():
    with pytest.raises(Unreadable, match="same page"):
        walk(lambda number: page_of(["a", "b"], 9, 18))


def test_the_same_page_again_is_found_out_at_the_end():
    with pytest.raises(Unreadable, match="before its last row"):
        walk(lambda number: page_of(["a", "b"], 2, 4))


def test_two_pages_in_turn_for_ever_are_found_out():
    with pytest.raises(Unreadable, match="same page"):
        walk(lambda number: page_of([number % 2], 1000, 1000))


def test_a_list_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(paging, "MOST_PAGES", 50)
    asked = []

    def page(number):
        asked.append(number)
        return page_of([number], number + 1, number + 1)

    with pytest.raises(Unreadable, match="no end"):
        walk(page)
    assert len(asked) == 50


def test_an_empty_list_is_empty_with_any_page_count():
    assert walk(lambda number: page_of([], 0, 0)) == []
    assert walk(lambda number: page_of([], 1, 0)) == []


def test_rows_on_no_pages_are_nonsense():
    with pytest.raises(Unreadable, match="no pages"):
        walk(lambda number: page_of(["a"], 0, 1))


@pytest.mark.parametrize(("pages", "count"), [(None, 1), (1, None)])
def test_a_list_that_does_not_say_its_length_is_nonsense(pages, count):
    with pytest.raises(Unreadable, match="how long"):
        walk(lambda number: page_of(["a"], pages, count))


def test_a_row_twice_on_one_page_is_given_once():
    assert walk(lambda number: page_of(["a", "a", "b"], 1, 2)) == ["a", "b"]


def test_the_client_asks_for_a_hundred_rows_from_page_one_and_only_when_needed():
    script = Script(
        httpx.Response(200, json=envelope([customer_row("A1")], pages=2, count=2)),
        httpx.Response(200, json=envelope([customer_row("B2")], pages=2, count=2)),
    )
    customers = client(script).customers()
    assert script.asked == []
    assert next(customers).billsby_id == "A1"
    assert len(script.asked) == 1
    assert [customer.billsby_id for customer in customers] == ["B2"]
    assert [dict(request.url.params) for request in script.asked] == [
        {"page": "1", "pageSize": "100"},
        {"page": "2", "pageSize": "100"},
    ]


def test_a_lying_list_is_nonsense_to_the_caller_in_a_sentence():
    script = Script(httpx.Response(200, json=envelope([customer_row("A1")], pages=1, count=7)))
    with pytest.raises(Nonsense, match=r"list the customers.*before its last row") as caught:
        list(client(script).customers())
    assert caught.value.maybe_done is False


@pytest.mark.parametrize(
    "reply",
    [
        [],
        {},
        {"results": []},
        {"pageCount": 1, "rowCount": 1, "results": None},
        {"pageCount": 1, "rowCount": 1, "results": {"customerUniqueId": "A1"}},
        {"pageCount": 1, "rowCount": 1, "results": ["A1"]},
        {"pageCount": 1, "rowCount": 1, "results": [{"firstName": "Mary"}]},
        {"pageCount": "many", "rowCount": 1, "results": []},
        "success",
        None,
    ],
)
def test_what_is_no_page_of_customers_is_nonsense(reply):
    with pytest.raises(Nonsense):
        list(client(Script(httpx.Response(200, json=reply))).customers())
