"""The API key is sent to Billsby and shown nowhere else."""

import logging
import traceback

import httpx
import pytest
import structlog

from canceldesk.billsby import BillsbyError, HttpBillsby

from .helpers import BASE, KEY, MovedClock, Script, client, customer_details

ANSWERS: list[httpx.Response | Exception] = [
    httpx.Response(400, json={"message": f"key {KEY} may not do this while unpaid"}),
    httpx.Response(401, text=f"Invalid ApiKey: {KEY}"),
    httpx.Response(403, json={"error": {"key": KEY}}),
    httpx.Response(404, text=KEY),
    httpx.Response(409, text=KEY),
    httpx.Response(429, text=KEY),
    httpx.Response(500, text=f"<pre>ApiKey: {KEY}</pre>"),
    httpx.Response(302, headers={"Location": f"https://elsewhere.example.com/?{KEY}"}, text=KEY),
    httpx.Response(200, text=f"<html>{KEY}</html>"),
    httpx.Response(200, json={"customerUniqueId": KEY}),
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("bad reply"),
]
CALLS = {
    "read": lambda billsby: billsby.customer("6ZY37ULDEF"),
    "list": lambda billsby: list(billsby.customers()),
    "write": lambda billsby: billsby.write_off("6ZY37ULDEF-3"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("answer", ANSWERS, ids=lambda a: getattr(a, "status_code", None))
def test_no_error_traceback_or_log_shows_the_key(call, answer, caplog):
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logs, pytest.raises(BillsbyError) as caught:
        call(client(Script(answer)))
    error = caught.value
    trace = "".join(traceback.format_exception(error))
    for shown in (str(error), repr(error), str(vars(error)), trace, str(logs), caplog.text):
        assert KEY not in shown
    assert logs


def test_what_billsby_said_is_kept_without_the_key():
    with pytest.raises(BillsbyError) as caught:
        CALLS["write"](client(Script(ANSWERS[0])))
    assert caught.value.body == '{"message":"key [API key] may not do this while unpaid"}'


def test_neither_the_client_nor_its_parts_show_the_key():
    billsby = client(Script(httpx.Response(200, json=customer_details())))
    CALLS["read"](billsby)
    assert repr(billsby) == f"HttpBillsby({BASE!r}, 'widgets')"
    parts = [vars(billsby), vars(vars(billsby)["_exchange"])]
    assert KEY not in repr(parts)
    assert KEY not in str(vars(vars(parts[1]["_http"])["_auth"]))
    assert KEY not in repr(vars(parts[1]["_http"])["_headers"])


def test_the_log_holds_no_bodies_and_no_search_words():
    script = Script(httpx.Response(200, json=customer_details()))
    with structlog.testing.capture_logs() as logs:
        CALLS["read"](client(script))
        with pytest.raises(BillsbyError):
            list(client(script).customers(search="Quinn"))
    assert len(logs) == 2
    assert "Quinn" not in str(logs)
    assert "example.com" not in str(logs)


def test_the_key_is_not_sent_where_a_redirect_points():
    hosts = []

    def redirecting(request):
        hosts.append(request.url.host)
        return httpx.Response(307, headers={"Location": "https://elsewhere.example.com/"})

    with pytest.raises(BillsbyError):
        CALLS["write"](client(redirecting))
    assert hosts == ["billsby.example.com"]


def test_each_client_sends_its_own_key():
    keys = []

    def keep(request):
        keys.append(request.headers["ApiKey"])
        return httpx.Response(200, json=customer_details())

    clock = MovedClock()
    for key in ("first_key", "second_key"):
        HttpBillsby(
            base_url=BASE,
            company_domain="widgets",
            api_key=key,
            transport=httpx.MockTransport(keep),
            sleep=clock.sleep,
            monotonic=clock.monotonic,
        ).customer("6ZY37ULDEF")
    assert keys == ["first_key", "second_key"]
