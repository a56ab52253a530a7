"""The desk's own limit: a burst, then a steady rate, however many threads ask."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.billsby import Busy
from canceldesk.billsby.ratelimit import TokenBucket

from .helpers import MovedClock, Script, answering, client, customer_details


def bucket(clock, per_second=4.0, burst=4):
    return TokenBucket(
        per_second=per_second, burst=burst, sleep=clock.sleep, monotonic=clock.monotonic
    )


def test_a_burst_goes_at_once_and_then_one_call_each_quarter_second():
    clock = MovedClock()
    limit = bucket(clock)
    for _ in range(4):
        assert limit.take(60) is None
    assert clock.naps == []
    for _ in range(8):
        assert limit.take(60) is None
    assert clock.naps == pytest.approx([0.25] * 8)


def test_a_quiet_time_gives_the_burst_back_but_no_more():
    clock = MovedClock()
    limit = bucket(clock)
    for _ in range(4):
        limit.take(60)
    clock.at += 3600
    for _ in range(4):
        limit.take(60)
    assert clock.naps == []
    limit.take(60)
    assert clock.naps == pytest.approx([0.25])


@given(
    pauses=st.lists(st.floats(min_value=0, max_value=3), max_size=60),
    rate=st.floats(min_value=0.5, max_value=50),
    burst=st.integers(1, 6),
)
def test_no_stretch_of_time_ever_sees_more_than_burst_and_rate_allow(pauses, rate, burst):
    clock = MovedClock()
    limit = bucket(clock, rate, burst)
    times = []
    for pause in pauses:
        clock.at += pause
        assert limit.take(1e9) is None
        times.append(clock.at)
    for first in range(len(times)):
        for last in range(first, len(times)):
            allowed = burst + (times[last] - times[first]) * rate
            assert last - first + 1 <= allowed + 1e-6 * (1 + allowed)


def test_a_turn_that_would_come_too_late_is_not_waited_for_and_not_taken():
    clock = MovedClock()
    limit = bucket(clock, per_second=1, burst=1)
    limit.take(0)
    assert limit.take(0.5) == pytest.approx(1.0)
    assert clock.naps == []
    assert limit.take(1.5) is None
    assert clock.naps == pytest.approx([1.0])


def test_threads_share_one_limit():
    lock = threading.Lock()
    naps = []

    def sleep(seconds):
        with lock:
            naps.append(seconds)

    limit = TokenBucket(per_second=4, burst=4, sleep=sleep, monotonic=lambda: 0.0)
    threads = [
        threading.Thread(target=lambda: [limit.take(1e9) for _ in range(10)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # The clock stands still, so the turns queue up: each of the 36 calls beyond the burst has
    # its own place.
    assert sorted(naps) == pytest.approx([0.25 * place for place in range(1, 37)])


@pytest.mark.parametrize(("per_second", "burst"), [(0, 4), (-1, 4), (4, 0)])
def test_a_limit_that_lets_nothing_through_is_refused(per_second, burst):
    with pytest.raises(ValueError, match="above 0"):
        bucket(MovedClock(), per_second, burst)


def test_the_client_keeps_to_its_rate():
    clock = MovedClock()
    import httpx

    billsby = client(
        Script(httpx.Response(200, json=customer_details())), clock, rate_per_second=4.0
    )
    for _ in range(10):
        billsby.customer("6ZY37ULDEF")
    assert clock.naps == pytest.approx([0.25] * 6)
    assert answering(customer_details()).customer("6ZY37ULDEF").name == "Mary Quinn"


def test_a_call_that_would_wait_too_long_for_its_turn_is_busy_and_not_sent():
    import httpx

    clock = MovedClock()
    script = Script(httpx.Response(200, json=customer_details()))
    billsby = client(script, clock, rate_per_second=0.01)
    for _ in range(4):
        billsby.customer("6ZY37ULDEF")
    with pytest.raises(Busy, match="not asked") as caught:
        billsby.customer("6ZY37ULDEF")
    assert len(script.asked) == 4
    assert caught.value.retry_after == pytest.approx(100)
    assert clock.at < 1060
