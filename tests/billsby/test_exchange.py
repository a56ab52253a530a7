"""A call is repeated where that is safe, waits as asked, and ends within a minute."""

from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from canceldesk import go_ahead
from canceldesk.billsby import (
    BillsbyError,
    Busy,
    HttpBillsby,
    Nonsense,
    NotFound,
    Refused,
    Unreachable,
    exchange,
)
from canceldesk.billsby.client import BURST

from .helpers import (
    BASE,
    DOMAIN,
    KEY,
    MovedClock,
    Script,
    client,
    customer_details,
    invoice_row,
    sent,
)

FINE = httpx.Response(200, json=customer_details())
DONE = httpx.Response(200, json="success")
NEVER_SENT = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("no answer"),
    httpx.PoolTimeout("no free connection"),
]
LOST = [
    httpx.ReadTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.WriteError("broken pipe"),
    httpx.WriteTimeout("slow"),
    httpx.RemoteProtocolError("server went away"),
]
WRITES = {
    "write_off": lambda billsby: billsby.write_off("6ZY37ULDEF-3"),
    "cancel": lambda billsby: billsby.cancel_subscription("Y7MX4G314L", "6ZY37ULDEF"),
    "hold": lambda billsby: billsby.set_renewal_date(
        "Y7MX4G314L", MovedClock().now().date(), pause=True
    ),
    "refund": lambda billsby: billsby.refund("6ZY37ULDEF", "6ZY37ULDEF-3", 100),
}
writes = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


def read(billsby):
    return billsby.customer("6ZY37ULDEF")


def named(problem):
    return type(problem).__name__


@pytest.mark.parametrize("problem", [*NEVER_SENT, *LOST], ids=named)
def test_a_read_is_repeated_after_any_broken_connection(problem):
    clock, script = MovedClock(), Script(problem, FINE)
    assert read(client(script, clock)).billsby_id == "6ZY37ULDEF"
    assert len(script.asked) == 2
    assert len(clock.naps) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_read_is_repeated_while_billsby_is_out_of_order(status):
    script = Script(httpx.Response(status), httpx.Response(status), FINE)
    assert read(client(script)).name == "Mary Quinn"
    assert len(script.asked) == 3


@pytest.mark.parametrize("answer", [httpx.Response(500, text="oops"), httpx.ReadTimeout("slow")])
def test_a_read_that_never_succeeds_is_unreachable_after_four_tries(answer):
    script = Script(answer)
    with pytest.raises(Unreachable, match="Nothing was changed") as caught:
        read(client(script))
    assert len(script.asked) == 4
    assert caught.value.maybe_done is False


def test_the_waits_between_tries_grow_and_differ():
    naps = []
    for _ in range(20):
        clock = MovedClock()
        with pytest.raises(Unreachable):
            read(client(Script(httpx.Response(500)), clock))
        assert len(clock.naps) == 3
        assert all(0 <= nap <= 0.5 * 2**place for place, nap in enumerate(clock.naps))
        naps.append(tuple(clock.naps))
    assert len(set(naps)) > 1


@writes
@pytest.mark.parametrize("problem", NEVER_SENT, ids=named)
def test_a_write_is_repeated_when_certainly_nothing_reached_billsby(write, problem):
    script = Script(problem, problem, DONE)
    write(client(script))
    assert len(script.asked) == 3
    assert len({(r.method, str(r.url), r.content) for r in script.asked}) == 1


@writes
@pytest.mark.parametrize("problem", NEVER_SENT, ids=named)
def test_a_write_that_never_left_is_surely_not_done(write, problem):
    script = Script(problem)
    with pytest.raises(Unreachable, match="Nothing was sent") as caught:
        write(client(script))
    assert caught.value.maybe_done is False
    assert len(script.asked) == 4


@writes
@pytest.mark.parametrize("problem", LOST, ids=named)
def test_a_lost_reply_to_a_write_is_never_repeated_and_may_have_been_done(write, problem):
    script = Script(problem, DONE)
    with pytest.raises(Unreachable, match="read it back") as caught:
        write(client(script))
    assert len(script.asked) == 1
    assert caught.value.maybe_done is True


@writes
def test_a_lost_reply_after_a_refused_connection_still_may_have_been_done(write):
    script = Script(httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), DONE)
    with pytest.raises(Unreachable) as caught:
        write(client(script))
    assert len(script.asked) == 2
    assert caught.value.maybe_done is True


@writes
@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_write_answered_by_a_broken_server_is_not_repeated_and_may_be_done(write, status):
    script = Script(httpx.Response(status, headers={"Retry-After": "1"}), DONE)
    with pytest.raises(Unreachable, match="read it back") as caught:
        write(client(script))
    assert len(script.asked) == 1
    assert (caught.value.maybe_done, caught.value.status) == (True, status)


@writes
def test_a_write_is_repeated_after_a_429_that_says_when(write):
    clock = MovedClock()
    script = Script(httpx.Response(429, headers={"Retry-After": "7"}), DONE)
    write(client(script, clock))
    assert len(script.asked) == 2
    assert 7 <= clock.at - 1000 <= 8


@writes
def test_a_write_is_not_repeated_after_a_429_that_does_not_say_when(write):
    script = Script(httpx.Response(429), DONE)
    with pytest.raises(Busy) as caught:
        write(client(script))
    assert len(script.asked) == 1
    assert (caught.value.retry_after, caught.value.maybe_done) == (None, False)


@pytest.mark.parametrize("status", [429, 503])
def test_a_read_waits_as_long_as_billsby_asks_in_seconds(status):
    clock = MovedClock()
    read(client(Script(httpx.Response(status, headers={"Retry-After": "20"}), FINE), clock))
    assert 20 <= clock.at - 1000 <= 21


def test_a_read_waits_until_the_http_date_that_billsby_names():
    clock = MovedClock()
    until = format_datetime(clock.now() + timedelta(seconds=12), usegmt=True)
    read(client(Script(httpx.Response(429, headers={"Retry-After": until}), FINE), clock))
    assert 12 <= clock.at - 1000 <= 13


def test_a_read_is_repeated_after_a_429_without_a_time():
    script = Script(httpx.Response(429), FINE)
    read(client(script))
    assert len(script.asked) == 2


def test_a_wait_longer_than_a_call_may_last_is_given_back_to_the_caller():
    clock = MovedClock()
    script = Script(httpx.Response(429, headers={"Retry-After": "300"}), FINE)
    with pytest.raises(Busy, match="too busy") as caught:
        read(client(script, clock))
    assert caught.value.retry_after == 300
    assert (len(script.asked), clock.naps) == (1, [])


@given(
    waits=st.lists(st.integers(0, 120), min_size=1, max_size=5),
    slowness=st.floats(min_value=0, max_value=15),
)
def test_no_call_lasts_longer_than_the_limit(waits, slowness):
    clock = MovedClock()
    script = Script(*[httpx.Response(429, headers={"Retry-After": str(wait)}) for wait in waits])

    def slow(request):
        clock.at += slowness
        return script(request)

    with pytest.raises(Busy):
        read(client(slow, clock))
    assert clock.at - 1000 <= exchange.LONGEST_CALL + 15


def test_the_time_given_to_one_answer_shrinks_with_what_is_left_of_the_limit():
    clock = MovedClock()
    allowed = []

    def slow(request):
        allowed.append(request.extensions["timeout"])
        clock.at += 17
        raise httpx.ReadTimeout("slow")

    with pytest.raises(Unreachable):
        read(client(slow, clock))
    assert [limits["read"] for limits in allowed[:2]] == [15.0, 15.0]
    assert all(limits["connect"] == 5.0 for limits in allowed[:2])
    assert all(limits["read"] < 15 for limits in allowed[2:])
    assert clock.at - 1000 < exchange.LONGEST_CALL + 17


class Trickle(httpx.SyncByteStream):
    """A body that comes in small pieces, for ever."""

    def __init__(self, clock, seconds, piece=b" "):
        self.clock, self.seconds, self.piece = clock, seconds, piece

    def __iter__(self):
        while True:
            self.clock.at += self.seconds
            yield self.piece


def test_a_reply_that_trickles_for_ever_ends_with_the_minute():
    clock = MovedClock()
    billsby = client(lambda request: httpx.Response(200, stream=Trickle(clock, 9)), clock)
    with pytest.raises(Unreachable):
        read(billsby)
    assert clock.at - 1000 <= 75


def test_a_trickling_reply_to_a_write_may_have_been_done():
    clock = MovedClock()
    billsby = client(lambda request: httpx.Response(200, stream=Trickle(clock, 9)), clock)
    with pytest.raises(Unreachable) as caught:
        billsby.write_off("6ZY37ULDEF-3")
    assert caught.value.maybe_done is True


def test_a_reply_without_end_is_nonsense(monkeypatch):
    monkeypatch.setattr(exchange, "LARGEST_BODY", 1000)
    clock = MovedClock()
    stream = Trickle(clock, 0, b"x" * 100)
    with pytest.raises(Nonsense, match="without end"):
        read(client(lambda request: httpx.Response(200, stream=stream), clock))


def test_a_reply_that_cannot_be_unpacked_is_nonsense_and_a_write_may_be_done():
    script = Script(httpx.Response(200))

    def packed(request):
        script(request)
        return httpx.Response(
            200,
            headers={"Content-Encoding": "gzip"},
            stream=httpx.ByteStream(b"this is not gzip"),
        )

    with pytest.raises(Nonsense, match="unpacked") as caught:
        client(packed).write_off("6ZY37ULDEF-3")
    assert caught.value.maybe_done is True
    assert len(script.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_with_the_key(status):
    script = Script(
        httpx.Response(status, headers={"Location": "https://elsewhere.example.com/"}), FINE
    )
    with pytest.raises(Nonsense, match="not followed") as caught:
        read(client(script))
    assert len(script.asked) == 1
    assert caught.value.status == status
    with pytest.raises(Nonsense) as caught:
        client(Script(httpx.Response(status))).write_off("6ZY37ULDEF-3")
    assert caught.value.maybe_done is True


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
@pytest.mark.parametrize("call", [read, WRITES["write_off"]], ids=["read", "write"])
def test_a_clear_no_is_never_repeated(status, call):
    script = Script(httpx.Response(status), FINE)
    with pytest.raises(BillsbyError) as caught:
        call(client(script))
    assert len(script.asked) == 1
    assert caught.value.maybe_done is False


def test_every_call_carries_the_key_in_its_header():
    script = Script(httpx.Response(200, json=[invoice_row()]))
    client(script).customer_invoices("6ZY37ULDEF")
    assert script.asked[0].headers["ApiKey"] == KEY
    assert sent(script.asked[0]) is None
    assert script.asked[0].url.host == "billsby.example.com"


NASTY = ["a/b", "../customers", "a?x=1", "a#b", "a%2Fb", "a\\b", "a b", "ä", "a;b", "a&b=c", "//x"]


@pytest.mark.parametrize("billsby_id", NASTY)
def test_an_id_can_never_reach_another_path(billsby_id):
    script = Script(httpx.Response(404))
    with pytest.raises(NotFound):
        client(script).subscription(billsby_id)
    raw = script.asked[0].url.raw_path.decode()
    prefix = f"/api/v1/rest/core/{DOMAIN}/subscriptions/"
    assert raw.startswith(prefix)
    assert not set(raw.removeprefix(prefix)) & set("/?#\\ ")


@given(billsby_id=st.text(max_size=40))
def test_any_text_stays_one_segment_of_its_path_or_is_not_sent(billsby_id):
    script = Script(httpx.Response(404))
    with pytest.raises((NotFound, Refused)) as caught:
        client(script).subscription(billsby_id)
    if isinstance(caught.value, Refused):
        assert script.asked == []
    else:
        assert script.asked[0].url.raw_path.count(b"/") == 7
        assert script.asked[0].url.query == b""


@pytest.mark.parametrize("billsby_id", ["", " ", ".", "..", ". .", "a\nb", "a\x00b", "x" * 201])
def test_what_can_be_no_id_is_refused_and_nothing_is_sent(billsby_id):
    script = Script(FINE)
    billsby = client(script)
    for call in (
        lambda: billsby.customer(billsby_id),
        lambda: billsby.write_off(billsby_id),
        lambda: billsby.cancel_subscription(billsby_id, "6ZY37ULDEF"),
        lambda: billsby.cancel_subscription("Y7MX4G314L", billsby_id),
        lambda: billsby.refund("6ZY37ULDEF", billsby_id, 100),
    ):
        with pytest.raises(Refused, match="Nothing was sent"):
            call()
    assert script.asked == []


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "ключ"])
def test_a_key_that_can_be_none_is_refused_without_showing_it(key):
    with pytest.raises(ValueError, match="one word of plain characters") as caught:
        HttpBillsby(base_url=BASE, company_domain=DOMAIN, api_key=key)
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "billsby.example.com", "ftp://billsby.example.com", "https://"]
)
def test_an_address_that_can_be_none_is_refused(url):
    with pytest.raises(ValueError, match="https://"):
        HttpBillsby(base_url=url, company_domain=DOMAIN, api_key=KEY)


def test_every_try_is_logged_with_method_path_status_and_time():
    with structlog.testing.capture_logs() as logs:
        read(client(Script(httpx.ReadTimeout("slow"), httpx.Response(503), FINE)))
    assert [(entry["status"], entry["trouble"]) for entry in logs] == [
        (None, "ReadTimeout"),
        (503, None),
        (200, None),
    ]
    for entry in logs:
        assert entry["event"] == "billsby_call"
        assert entry["method"] == "GET"
        assert entry["path"] == f"/{DOMAIN}/customers/6ZY37ULDEF"
        assert isinstance(entry["ms"], int)


def test_the_time_in_the_log_is_that_of_the_answer():
    clock = MovedClock()

    def slow(request):
        clock.at += 1.25
        return httpx.Response(200, json=customer_details())

    with structlog.testing.capture_logs() as logs:
        read(client(slow, clock))
    assert logs[0]["ms"] == 1250


def test_a_closed_client_has_closed_its_connections():
    class Transport(httpx.MockTransport):
        closed = False

        def close(self):
            self.closed = True

    transport = Transport(Script(FINE))
    with HttpBillsby(
        base_url=BASE, company_domain=DOMAIN, api_key=KEY, transport=transport
    ) as billsby:
        read(billsby)
        assert not transport.closed
    assert transport.closed


class TakenOverError(Exception):
    """The case is somebody else's now."""


def taken_over() -> None:
    raise TakenOverError


@writes
def test_a_write_that_may_not_be_done_any_more_is_not_sent(write):
    script = Script(DONE)
    with go_ahead.asked_of(taken_over), pytest.raises(TakenOverError):
        write(client(script))
    assert script.asked == []


@writes
def test_a_write_asks_for_its_go_ahead_after_every_wait_and_before_every_try(write):
    clock = MovedClock()
    asked_at: list[float] = []
    script = Script(httpx.ConnectError("refused"), DONE)
    with go_ahead.asked_of(lambda: asked_at.append(clock.at)):
        write(client(script, clock))
    assert len(asked_at) == len(script.asked) == 2
    assert asked_at[1] == clock.at > asked_at[0]


@writes
def test_a_write_waits_for_its_turn_before_it_asks(write):
    clock = MovedClock()
    billsby = client(Script(DONE), clock, rate_per_second=0.1)
    for _ in range(BURST):
        write(billsby)
    asked_at: list[float] = []
    with go_ahead.asked_of(lambda: asked_at.append(clock.at)):
        write(billsby)
    assert asked_at == [1010.0]


def test_a_read_needs_no_go_ahead():
    with go_ahead.asked_of(taken_over):
        read(client(Script(FINE)))
