"""Phone numbers in every written form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.clients import phones

FORMS = [
    "({area}) {first}-{last}",
    "+1 {area} {first} {last}",
    "+1{area}{first}{last}",
    "{area}.{first}.{last}",
    "1-{area}-{first}-{last}",
    "{area} {first} {last}",
    "  {area}{first}{last} ",
]
areas = st.sampled_from(["202", "312", "404", "512", "617", "702"])
lines = st.integers(min_value=100, max_value=199).map(lambda line: f"0{line}")


@given(area=areas, line=lines, form=st.sampled_from(FORMS))
def test_however_a_number_is_written_it_is_the_same_number(area: str, line: str, form: str) -> None:
    written = form.format(area=area, first="555", last=line)
    assert phones.e164(written, "US") == f"+1{area}555{line}"
    assert phones.shown(written, "US") == f"({area}) 555-{line}"


@pytest.mark.parametrize("written", ["", "ask his wife", "12", "n/a", "+", "99999999999999999999"])
def test_what_is_no_number_stays_as_it_came(written: str) -> None:
    assert phones.e164(written, "US") == ""
    assert phones.shown(f" {written} ", "US") == written


def test_a_number_from_abroad_is_shown_with_its_country() -> None:
    assert phones.e164("+44 20 7946 0958", "US") == "+442079460958"
    assert phones.shown("+442079460958", "US") == "+44 20 7946 0958"
    assert phones.shown("+442079460958", "GB") == "020 7946 0958"


@given(st.text())
def test_only_plain_digits_are_left_of_any_text(text: str) -> None:
    left = phones.digits(text)
    assert left == "" or (left.isascii() and left.isdecimal())
    assert len(left) <= len(text)


def test_digits_of_another_script_are_digits_and_a_square_is_not() -> None:
    assert phones.digits("\u0662\u0660\u0662 5\u00b2") == "2025"
