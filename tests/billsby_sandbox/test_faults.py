from __future__ import annotations

import httpx
import pytest
from pydantic import ValidationError

from billsby_sandbox import faults
from billsby_sandbox.app import create_app
from billsby_sandbox.errors import ConnectionCut, ReplyNeverCame, UnknownQuirk

from .conftest import KEY

LIST = "/acme/customers?page=1&pageSize=9"


@pytest.fixture
def unpaid(company):
    return company.add_invoice(company.add_customer().uid, 4900).number


def write_off(api, number):
    return api.put(f"/acme/invoices/{number}/WrittenOff")


def test_a_dropped_reply_leaves_the_change_made(company, api, unpaid):
    company.add_fault("drop_after", "PUT", "*/WrittenOff", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        write_off(api, unpaid)
    assert company.invoice(unpaid).status == "WrittenOff"
    assert write_off(api, unpaid).status_code == 200


def test_a_connection_cut_before_leaves_nothing_done(company, api, unpaid):
    company.add_fault("drop_before", "PUT", "*/WrittenOff")
    with pytest.raises(httpx.RemoteProtocolError):
        write_off(api, unpaid)
    assert company.invoice(unpaid).status == "Unpaid"


@pytest.mark.parametrize(
    ("kind", "status"), [("timeout", "Unpaid"), ("timeout_after", "WrittenOff")]
)
def test_a_timeout_may_or_may_not_have_made_the_change(company, api, unpaid, kind, status):
    company.add_fault(kind, "PUT", "*/WrittenOff")
    with pytest.raises(httpx.ReadTimeout):
        write_off(api, unpaid)
    assert company.invoice(unpaid).status == status


def test_the_application_itself_raises_what_the_network_would_feel(company):
    company.add_fault("drop_before", path="/acme/customers")
    company.add_fault("timeout", path="/acme/subscriptions")
    transport = httpx.WSGITransport(app=create_app(company))
    with httpx.Client(transport=transport, base_url=f"http://x{faults.BASE}/acme") as raw:
        with pytest.raises(ConnectionCut):
            raw.get("/customers")
        with pytest.raises(ReplyNeverCame):
            raw.get("/subscriptions")


def test_a_stale_read_shows_what_was_before_the_last_change(company, api, unpaid):
    def shown():
        found = api.get(f"/acme/customers/{company.invoice(unpaid).customer_uid}/invoices").json()
        return found[0]["status"]

    assert shown() == "Unpaid"
    assert write_off(api, unpaid).status_code == 200
    company.add_fault("stale", times=2)
    assert [shown() for _ in range(3)] == ["Unpaid", "Unpaid", "WrittenOff"]
    company.add_fault("stale", times=1)
    assert [shown() for _ in range(2)] == ["Unpaid", "WrittenOff"]


def test_staleness_keeps_no_change_from_being_made(company, api, unpaid):
    company.add_fault("stale")
    assert write_off(api, unpaid).status_code == 200
    assert company.invoice(unpaid).status == "WrittenOff"


def test_a_stale_read_needs_the_key_as_any_other(company, api):
    assert api.get(LIST).status_code == 200
    company.add_fault("stale")
    assert api.get(LIST, headers={"ApiKey": "another"}).status_code == 401


def test_a_delay_waits_and_then_answers(company):
    waited: list[float] = []
    company.add_fault("delay", seconds=2.5)
    transport = httpx.WSGITransport(app=create_app(company, sleep=waited.append))
    with httpx.Client(transport=transport, headers={"ApiKey": KEY}) as client:
        assert client.get(f"http://x{faults.BASE}{LIST}").status_code == 200
    assert waited == [2.5]


@pytest.mark.parametrize("retry_after", ["", "7"])
def test_a_status_comes_with_or_without_retry_after(company, api, retry_after):
    company.add_fault("status", status=429, retry_after=retry_after, times=1)
    reply = api.get(LIST)
    assert (reply.status_code, reply.headers.get("Retry-After", "")) == (429, retry_after)
    assert api.get(LIST).status_code == 200


def test_rubbish_calls_itself_a_success(company, api):
    company.add_fault("rubbish", rubbish="html", times=1)
    company.add_fault("rubbish", rubbish="half_json")
    assert api.get(LIST).text.startswith("<!DOCTYPE html>")
    half = api.get(LIST)
    assert half.status_code == 200
    with pytest.raises(ValueError, match="Unterminated string"):
        half.json()


def test_the_wrong_customer_is_somebody_who_exists(company, api):
    anna, bruno = company.add_customer("Anna"), company.add_customer("Bruno")
    subscription = company.add_subscription(anna.uid)
    company.add_fault("rubbish", rubbish="wrong_customer")
    assert api.get(f"/acme/customers/{anna.uid}").json()["customerUniqueId"] == bruno.uid
    own = api.get(f"/acme/subscriptions/{subscription.uid}").json()
    assert own["subscriptionUniqueId"] == subscription.uid


def test_rules_let_calls_by_first_and_wear_out(company, api):
    company.add_fault("status", status=500, skip=2, times=1)
    assert [api.get(LIST).status_code for _ in range(4)] == [200, 200, 500, 200]
    (fault,) = company.faults()
    assert (fault.seen, fault.hit) == (4, 1)


def test_rules_match_method_and_path_only(company, api, unpaid):
    company.add_fault("status", "GET", "/acme/customers/*")
    assert api.get(LIST).status_code == 200
    assert write_off(api, unpaid).status_code == 200


def test_faults_are_dropped_one_by_one_or_all(company, api):
    first = company.add_fault("status")
    company.add_fault("status", status=503)
    company.clear_faults(first.id)
    assert api.get(LIST).status_code == 503
    company.clear_faults()
    assert api.get(LIST).status_code == 200


@pytest.mark.parametrize(
    "rule", [{"kind": "explode"}, {"kind": "status", "status": 200}, {"kind": "delay", "spam": 1}]
)
def test_a_rule_that_makes_no_sense_is_not_kept(company, rule):
    with pytest.raises(ValidationError):
        company.add_fault(**rule)
    assert company.faults() == []


def test_down_is_503_or_a_refused_connection_until_it_is_up(company, api):
    company.set_down("503")
    assert api.get(LIST).status_code == 503
    company.set_down("refuse")
    with pytest.raises(httpx.RemoteProtocolError):
        api.get(LIST)
    company.set_down("no")
    assert api.get(LIST).status_code == 200
    with pytest.raises(ValueError, match="no, 503, refuse"):
        company.set_down("a bit")


def test_the_rate_limit_quirk_answers_429_with_retry_after(company, api, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("billsby_sandbox.faults.time.monotonic", lambda: clock[0])
    company.set_quirk("rate_limit", 2)
    codes = [api.get(LIST) for _ in range(3)]
    assert [reply.status_code for reply in codes] == [200, 200, 429]
    assert codes[-1].headers["Retry-After"] == "1"
    clock[0] += 1.5
    assert api.get(LIST).status_code == 200


def test_every_call_is_on_record_with_how_it_was_answered(company, api, unpaid):
    company.add_fault("drop_after", "PUT", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        write_off(api, unpaid)
    api.get(LIST)
    dropped, listed = company.calls()
    assert (dropped.method, dropped.answer, dropped.fault) == ("PUT", 0, "drop_after")
    assert (listed.path, listed.query, listed.answer) == (
        "/acme/customers",
        "page=1&pageSize=9",
        200,
    )
    assert company.calls(after_id=dropped.id) == [listed]


def test_the_key_is_never_on_record(company, api):
    api.get(LIST)
    assert all(KEY not in repr(call) for call in company.calls())


@pytest.mark.parametrize(
    ("name", "value"),
    [("no_such_quirk", "yes"), ("suspend_offered", "perhaps"), ("rate_limit", -1)],
)
def test_a_quirk_that_does_not_exist_is_not_set(company, name, value):
    before = company.quirks()
    with pytest.raises(UnknownQuirk):
        company.set_quirk(name, value)
    assert company.quirks() == before
