"""Whom a line of the list is about, without guessing."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk import clock
from canceldesk.checks.people import People, name_key
from canceldesk.clients.models import Client
from canceldesk.workbook.protocol import ListedRow
from tests.factories import make_client

pytestmark = pytest.mark.django_db


def line(name: str, phone: str = "") -> ListedRow:
    return ListedRow(5, name, phone, dt.date(2026, 1, 5), 100, 1, "")


def certain(name: str, phone: str = "") -> Client | None:
    pk = People.now().certain(line(name, phone))
    return None if pk is None else Client.objects.get(pk=pk)


@pytest.mark.parametrize(
    ("name", "phone"),
    [
        ("Nora Field", "(202) 555-0143"),
        ("FIELD, Nora", "+1 202.555.0143"),
        ("Nóra Field", ""),
        ("Eleonora Field", "202-555-0143"),
    ],
)
def test_name_and_number_in_any_form_find_the_client(name: str, phone: str) -> None:
    nora = make_client(phone="2025550143")
    make_client("Anna", "Berg", phone="3125550199")
    assert certain(name, phone) == nora


def test_two_of_one_name_are_told_apart_by_number_and_never_by_guessing() -> None:
    make_client(phone="2025550143")
    other = make_client(phone="3125550199")
    assert certain("Nora Field", "312 555 0199") == other
    assert certain("Nora Field") is None
    assert certain("Nora Field", "617 555 0100") is None


def test_two_of_one_name_and_number_are_nobody_for_certain() -> None:
    make_client()
    make_client()
    assert certain("Nora Field", "2025550143") is None


def test_a_shared_number_needs_the_name() -> None:
    nora = make_client("Nora", "Field")
    make_client("Ben", "Field")
    assert certain("Nora Field", "2025550143") == nora
    assert certain("N. Field", "2025550143") is None


def test_a_number_with_quite_another_name_is_nobody() -> None:
    make_client("Nora", "Field")
    assert certain("Anna Berg", "2025550143") is None


def test_a_name_with_a_number_that_contradicts_is_nobody() -> None:
    make_client("Nora", "Field", phone="2025550143")
    assert certain("Nora Field", "617 555 0100") is None


def test_a_name_is_enough_where_billsby_has_no_number() -> None:
    nora = make_client("Nora", "Field", phone="")
    assert certain("Nora Field", "617 555 0100") == nora


def test_somebody_who_left_billsby_still_makes_a_name_ambiguous() -> None:
    make_client(phone="", gone_at=clock.now())
    make_client(phone="")
    assert certain("Nora Field") is None


@pytest.mark.parametrize(("name", "phone"), [("", ""), ("", "no number"), ("-", "-")])
def test_an_empty_line_is_nobody(name: str, phone: str) -> None:
    make_client("", "", phone="", email="", billsby_id="-")
    assert certain(name, phone) is None


def test_a_number_that_is_none_is_compared_by_its_digits() -> None:
    nora = make_client(phone="555 01")
    assert certain("Nora Other", "55501") == nora


@given(st.permutations(["anna", "maria", "berg", "núñez"]))
def test_the_order_of_a_name_makes_no_difference(words: list[str]) -> None:
    assert name_key(" ".join(words)) == "anna berg maria nunez"
