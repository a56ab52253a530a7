"""One spelling for what is searched."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.clients.spelling import plain


@pytest.mark.parametrize(
    ("written", "searched"),
    [
        ("  Anna   BERG ", "anna berg"),
        ("María Núñez", "maria nunez"),
        ("Søren Kjær", "soren kjaer"),
        ("Łukasz Đorđević", "lukasz dordevic"),
        ("Groß", "gross"),
        ("O'Brien", "obrien"),
        ("O\u2019Brien", "obrien"),
        ("Smith-Jones", "smith jones"),
        ("Berg, Anna", "berg anna"),
        ("anna.berg+desk@example.com", "anna berg+desk@example com"),
        ("CUS_0042", "cus 0042"),
        ("a|b", "a b"),
        ("\x00", ""),
        ("", ""),
    ],
)
def test_what_people_write_differently_is_searched_the_same(written: str, searched: str) -> None:
    assert plain(written) == searched


@given(st.text())
def test_spelling_twice_changes_nothing_more(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ", max_size=30))
def test_a_name_composed_or_decomposed_capital_or_not_is_the_same_name(text: str) -> None:
    accented = "".join(unicodedata.normalize("NFC", letter + "\u0301") for letter in text)
    assert plain(accented.upper()) == plain(text)


@given(st.text())
def test_nothing_that_separates_words_in_a_row_survives(text: str) -> None:
    assert "|" not in plain(text)
    assert plain(text) == " ".join(plain(text).split())
