"""A refusal becomes the error a caller can act on, in a sentence, with Billsby's words kept."""

import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.billsby import (
    BillsbyError,
    Blocked,
    Busy,
    Nonsense,
    NotAuthorised,
    NotFound,
    Refused,
    Unreachable,
)
from canceldesk.billsby.replies import LONGEST_RETRY_AFTER, Reply, refusal, seconds_to_wait

from .helpers import Script, client, says

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DOING = "write off invoice 6ZY37ULDEF-3"


def no(status, body="", *, writes=True, retry_after=None):
    reply = Reply(status=status, body=body.encode(), retry_after=retry_after)
    return refusal(reply, DOING, writes=writes)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, NotAuthorised),
        (402, Refused),
        (403, NotAuthorised),
        (404, NotFound),
        (405, Refused),
        (408, Unreachable),
        (409, Blocked),
        (410, NotFound),
        (422, Refused),
        (429, Busy),
        (500, Unreachable),
        (503, Unreachable),
        (302, Nonsense),
        (304, Nonsense),
    ],
)
@pytest.mark.parametrize("body", ["", "{}"])
def test_the_status_decides_when_billsby_says_nothing(status, kind, body):
    error = no(status, body)
    assert type(error) is kind
    assert (error.status, error.body) == (status, body)


@pytest.mark.parametrize("status", [400, 409, 422])
@pytest.mark.parametrize(
    "body",
    [
        '{"message": "Customer has unpaid invoices"}',
        '"There are Pending invoices"',
        "must be written off first",
        '{"reason": "please write-off"}',
        '{"errors": {"subscription": ["has UNPAID items"]}}',
    ],
)
def test_a_body_that_speaks_of_invoices_means_blocked(status, body):
    error = no(status, body)
    assert isinstance(error, Blocked)
    assert error.body == body


def test_a_read_that_is_refused_is_not_blocked_whatever_it_says():
    assert type(no(400, '"no such invoice"', writes=False)) is Refused


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_wrong_key_or_id_is_never_taken_for_blocked(status):
    assert not isinstance(no(status, '"unpaid invoice"'), Blocked)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"message": "Not while\\n  unpaid"}', "Not while unpaid"),
        ('{"Message": "Capital"}', "Capital"),
        ('{"error": {"message": "deep"}}', "deep"),
        ('{"errors": ["one", "two"]}', "one two"),
        ('{"title": "Bad", "status": 400, "errors": {"x": ["unpaid"]}}', "unpaid"),
        ('{"reason": "odd name"}', "odd name"),
        ('"a JSON string"', "a JSON string"),
        ("plain text", "plain text"),
        ("{}", ""),
        ("", ""),
        ("[]", ""),
        ("17", ""),
        ("<html><body>Bad Request</body></html>", ""),
        ('{"message": ""}', ""),
        ("[" * 3000, "[" * 200),
    ],
)
def test_billsbys_words_are_found_in_its_many_bodies(body, words):
    assert Reply(status=400, body=body.encode()).words() == words


def test_the_words_stand_in_the_sentence_shortened_and_the_body_is_kept_for_evidence():
    error = no(400, '{"message": "' + "unpaid " * 1000 + '"}')
    assert "Billsby says: “unpaid unpaid" in str(error)
    assert len(str(error)) < 500
    assert len(error.body) == 2000


def test_no_words_leave_no_empty_quotation():
    assert "“" not in str(no(400, "{}"))


def test_a_body_that_is_no_text_is_still_kept():
    reply = Reply(status=400, body=b"\xff\xfeno")
    assert reply.text.endswith("no")
    assert isinstance(refusal(reply, DOING, writes=True), Refused)


@pytest.mark.parametrize("status", [302, 400, 401, 404, 408, 409, 429, 500, 503])
@pytest.mark.parametrize("writes", [True, False])
def test_every_error_is_a_plain_sentence_with_what_to_do(status, writes):
    text = str(no(status, '{"message": "why"}', writes=writes))
    assert DOING in text
    assert "Billsby" in text
    assert any(word in text for word in ("Check", "Clear", "Look", "ry again", "read it back"))
    assert "\n" not in text
    assert "HTTP" not in text


@pytest.mark.parametrize("status", [302, 408, 500, 502, 503, 504])
def test_only_a_write_with_an_unclear_answer_may_have_been_done(status):
    assert no(status, writes=True).maybe_done is True
    assert no(status, writes=False).maybe_done is False


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 429])
def test_a_clear_no_is_certainly_not_done(status):
    assert no(status, writes=True).maybe_done is False


def test_a_read_told_to_come_back_later_is_busy_and_a_write_is_not_sure():
    assert isinstance(no(503, writes=False, retry_after=3.0), Busy)
    error = no(503, writes=True, retry_after=3.0)
    assert isinstance(error, Unreachable)
    assert error.maybe_done is True


@given(seconds=st.integers(0, 10**30))
def test_retry_after_in_seconds_is_honoured_up_to_an_hour(seconds):
    assert seconds_to_wait(str(seconds), lambda: NOW) == min(seconds, LONGEST_RETRY_AFTER)


@given(seconds=st.integers(-(10**6), 10**6))
def test_retry_after_as_an_http_date_is_the_time_until_then(seconds):
    header = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert seconds_to_wait(header, lambda: NOW) == min(max(seconds, 0), LONGEST_RETRY_AFTER)


def test_an_http_date_without_a_zone_is_utc():
    assert seconds_to_wait("Tue, 01 Jan 2030 00:00:09 -0000", lambda: NOW) == 9


@pytest.mark.parametrize(
    "header", [None, "", "soon", "-5", "1.5", "Tue, 99 Jan 2030 00:00:09 GMT", "\u0663"]
)
def test_a_retry_after_that_is_none_says_nothing(header):
    assert seconds_to_wait(header, lambda: NOW) is None


@given(header=st.text(max_size=60))
def test_no_header_breaks_the_reading(header):
    seconds = seconds_to_wait(header, lambda: NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER


@pytest.mark.parametrize("status", [201, 202, 204])
def test_any_2xx_without_a_word_is_success(status):
    script = Script(httpx.Response(status))
    client(script).write_off("6ZY37ULDEF-3")
    assert len(script.asked) == 1


def test_html_with_status_200_is_nonsense_for_reads_and_writes():
    billsby = says("<html>Sign in</html>", content_type="text/html")
    with pytest.raises(Nonsense, match="not JSON") as caught:
        billsby.customer("6ZY37ULDEF")
    assert (caught.value.status, caught.value.maybe_done) == (200, False)
    assert caught.value.body == "<html>Sign in</html>"
    with pytest.raises(Nonsense, match="read it back") as caught:
        billsby.write_off("6ZY37ULDEF-3")
    assert caught.value.maybe_done is True


@pytest.mark.parametrize(
    "error",
    [
        Refused("a", status=400, body="b"),
        Busy("a", status=429, body="b", retry_after=3.0),
        Unreachable("a", maybe_done=True),
        Nonsense("a", status=200, body="b", maybe_done=True),
    ],
)
def test_an_error_survives_being_stored_by_the_engine(error):
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is type(error)
    assert isinstance(again, BillsbyError)
    assert (str(again), vars(again)) == (str(error), vars(error))


@pytest.mark.parametrize("body", ['{"message": "No\\u0000 way\\ud800."}', "No\x00 way."])
def test_what_no_database_can_store_is_left_out_of_billsbys_words(body):
    problem = no(400, body)
    assert "“No way.”" in str(problem)
    assert "\x00" not in problem.body
