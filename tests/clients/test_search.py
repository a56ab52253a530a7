"""Finding a client while somebody is on the phone."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from canceldesk import clock
from canceldesk.clients import search
from tests.factories import make_client, make_subscription

pytestmark = pytest.mark.django_db


def names(query: str, limit: int = 8) -> list[str]:
    return [client.name for client in search.find(query, limit)]


@pytest.mark.parametrize(
    "query",
    ["nunez", "Núñez", "maria nun", "nunez maria", "MARIA", "ría", "Núñez, María", "maria.nunez@"],
)
def test_a_name_is_found_by_any_part_in_any_order_without_accents(query: str) -> None:
    make_client("María", "Núñez", email="maria.nunez@example.com")
    make_client("Anna", "Berg", email="anna.berg@example.com")
    assert names(query) == ["María Núñez"]


@pytest.mark.parametrize("query", ["obrien", "o'brien", "O\u2019BRIEN", "brien"])
def test_an_apostrophe_makes_no_difference(query: str) -> None:
    make_client("Kate", "O'Brien")
    assert names(query) == ["Kate O'Brien"]


@pytest.mark.parametrize(
    "query",
    [
        "(202) 555-0143",
        "+1 202 555 0143",
        "202.555.0143",
        "2025550143",
        "1-202-555-0143",
        "555 0143",
        "0143",
        "555-01",
        "+1 202",
    ],
)
@pytest.mark.parametrize("kept", ["2025550143", "+1 2025550143", "(202) 555-0143", "1 202 5550143"])
def test_a_number_is_found_in_any_written_form(query: str, kept: str) -> None:
    make_client(phone=kept)
    make_client("Anna", "Berg", phone="+1 312 444 0199")
    assert names(query) == ["Nora Field"]


@pytest.mark.parametrize("query", ["020 7946 0958", "+44 20 7946 0958", "011 44 20 7946 0958"])
def test_a_number_from_abroad_is_found_as_people_there_write_it(query: str) -> None:
    make_client(phone="+44 2079460958")
    assert names(query) == ["Nora Field"]


def test_the_last_digits_come_before_digits_elsewhere() -> None:
    make_client("Anna", "Adams", phone="+1 202 014 3999")
    make_client("Zoe", "Zimmer", phone="+1 202 555 0143")
    assert names("0143") == ["Zoe Zimmer", "Anna Adams"]


def test_digits_that_are_a_billsby_id_are_found_too() -> None:
    make_client(billsby_id="20250001", phone="")
    assert names("20250001") == ["Nora Field"]


def test_a_name_with_a_part_of_the_number_narrows_down() -> None:
    make_client("Anna", "Berg", phone="+1 202 555 0143", billsby_id="ONE", email="a@example.com")
    make_client("Anna", "Berg", phone="+1 202 555 0199", billsby_id="TWO", email="b@example.com")
    assert [client.phone for client in search.find("anna 0199")] == ["+1 202 555 0199"]


@pytest.mark.parametrize("query", ["", "   ", "%", "_", "|", "'", "\x00", "-", "000"])
def test_nothing_sensible_typed_finds_nobody(query: str) -> None:
    make_client(billsby_id="NORAFIELD")
    assert names(query) == []


def test_zeros_alone_are_not_everybody() -> None:
    make_client(phone="+1 202 555 0143")
    assert names("00000000") == []


def test_who_is_meant_exactly_comes_first_however_many_fit() -> None:
    for number in range(60):
        make_client("Annabel", f"Aaron{number:02d}")
    make_client("Ann", "Zorn", billsby_id="ZED9", email="ann@example.com")
    make_client("Johanna", "Ann")
    assert names("ann@example.com") == ["Ann Zorn"]
    assert names("zed9") == ["Ann Zorn"]
    assert names("ann")[0] == "Ann Zorn", "a whole first name before names that begin with it"
    assert "Johanna Ann" not in names("ann")


def test_a_word_that_begins_a_name_comes_before_one_inside() -> None:
    make_client("Joanna", "Able")
    make_client("Lee", "Anders")
    assert names("an") == ["Lee Anders", "Joanna Able"]


def test_two_clients_of_one_name_are_both_there_with_what_tells_them_apart() -> None:
    gold = make_client("Anna", "Berg", phone="+1 202 555 0143", email="a1@example.com")
    blue = make_client("Anna", "Berg", phone="+1 312 555 0199", email="a2@example.com")
    make_subscription(gold, plan_name="Gold plan")
    make_subscription(blue, plan_name="Blue plan")
    found = search.find("anna berg")
    assert {client.phone for client in found} == {gold.phone, blue.phone}
    assert {client.email for client in found} == {"a1@example.com", "a2@example.com"}
    assert {s.plan_name for client in found for s in client.subscriptions.all()} == {
        "Gold plan",
        "Blue plan",
    }


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("kowalsky", "Liam Kowalski"),
        ("jon smyth", "John Smith"),
        ("katherin willams", "Katherine Williams"),
        ("smiht", "John Smith"),
    ],
)
def test_a_misspelled_name_is_offered(typed: str, meant: str) -> None:
    for first, last in [("Liam", "Kowalski"), ("John", "Smith"), ("Katherine", "Williams")]:
        make_client(first, last)
    assert names(typed)[0] == meant


@pytest.mark.parametrize("typed", ["zzqqxx", "1234567", "jx"])
def test_what_is_like_nobody_offers_nobody(typed: str) -> None:
    make_client("John", "Smith")
    assert names(typed) == []


def test_an_address_is_not_what_makes_a_name_alike() -> None:
    make_client("John", "Smith", email="kowalsky99@example.net")
    assert search.alike("kowalski", 8) == []


def test_who_left_billsby_is_not_found() -> None:
    make_client("John", "Smith", gone_at=clock.now())
    assert names("john") == []
    assert names("jonh smith") == []


def test_a_very_long_query_is_cut_instead_of_refused() -> None:
    make_client("Anna", "Berg")
    assert names("anna " * 500) == ["Anna Berg"]


def test_names_are_only_all_read_when_nothing_fits() -> None:
    make_client("Anna", "Berg")
    with CaptureQueriesContext(connection) as plainly:
        search.find("anna")
    assert not any(
        "search_text" in query["sql"].split("FROM")[0] and "LIMIT" not in query["sql"]
        for query in plainly.captured_queries
    )


def test_at_most_as_many_as_asked_are_given() -> None:
    for number in range(12):
        make_client("Anna", f"Berg{number:02d}", read_at=clock.now() - dt.timedelta(days=1))
    assert len(search.find("anna")) == 8
    assert len(search.find("anna", 3)) == 3
    assert search.matching("anna").count() == 12


class AnyName(TestCase):
    @example(first="Anna", last="Berg", typed="Anna\x00")
    @given(
        first=st.text(min_size=1, max_size=20),
        last=st.text(min_size=1, max_size=20),
        typed=st.text(max_size=30),
    )
    def test_any_name_is_found_by_itself_and_any_query_is_answered(
        self, first: str, last: str, typed: str
    ) -> None:
        safe = (first + " " + last).replace("\x00", "")
        client = make_client(safe, "Field")
        assert client in search.find(client.name)
        assert set(search.find(typed)) <= {client}
