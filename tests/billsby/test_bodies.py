"""Bodies are read through their disguises, and rubbish is called rubbish."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.billsby.bodies import Unreadable, read_json, says_success

objects = st.dictionaries(st.text(), st.integers() | st.text() | st.none() | st.booleans())


@given(value=objects | st.lists(objects))
def test_json_is_the_same_whether_plain_or_inside_a_json_string(value):
    plain = json.dumps(value)
    assert read_json(plain.encode()) == value
    assert read_json(json.dumps(plain).encode()) == value


def test_a_byte_order_mark_does_not_matter():
    assert read_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_a_plain_json_string_stays_a_string():
    assert read_json(b'"success"') == "success"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Sign in</body></html>",
        b'{"cut": ',
        b'{companyCurrency: "USD"}',
        b"NaN",
        b'{"amount": Infinity}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'"{broken"',
        b"9" * 5000,
    ],
)
def test_what_is_not_json_is_unreadable(body):
    with pytest.raises(Unreadable):
        read_json(body)


@given(body=st.binary())
def test_any_bytes_are_read_or_unreadable_and_never_something_worse(body):
    with suppress(Unreadable):
        assert says_success(body) in (True, False)
    with suppress(Unreadable):
        assert json.dumps(read_json(body))


@pytest.mark.parametrize(
    "body",
    [
        b'"success"',
        b'"Success"',
        b'"Success\\n"',
        b"Success\n",
        b"success",
        b"SUCCESS",
        b"true",
        b'"true"',
        b"{}",
        b" {} ",
        b'"{}"',
        b"",
        b"  \n",
        b'""',
    ],
)
def test_all_of_billsbys_ways_to_say_success_are_understood(body):
    assert says_success(body)


@pytest.mark.parametrize(
    "body",
    [
        b"false",
        b"null",
        b"[]",
        b"0",
        b"1",
        b'"failed"',
        b'{"message": "no"}',
        b"<html></html>",
        b"success?",
        b'{"success": true',
    ],
)
def test_nothing_else_counts_as_success(body):
    assert not says_success(body)


def test_bytes_that_are_no_text_say_nothing():
    with pytest.raises(Unreadable):
        says_success(b"\xff\xff")
