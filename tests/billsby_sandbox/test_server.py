"""The real server on loopback: sockets, threads, and a process that is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import httpx
import pytest
from waitress.server import BaseWSGIServer

from billsby_sandbox import server
from billsby_sandbox.company import Company
from billsby_sandbox.faults import BASE

from .conftest import KEY, NOON

pytestmark = pytest.mark.loopback


def _port_of(running: BaseWSGIServer) -> int:
    return int(running.effective_port)  # type: ignore[attr-defined]


@pytest.fixture
def served(tmp_path) -> Iterator[tuple[Company, httpx.Client]]:
    company = Company.open(tmp_path / "c.sqlite3", domain="acme", api_key=KEY, clock=lambda: NOON)
    running = server.build(company, "127.0.0.1", 0)
    closing = threading.Event()

    def run() -> None:
        try:
            running.run()
        except OSError:  # closed under its hands, as this fixture does at the end
            if not closing.is_set():
                raise

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    with httpx.Client(
        base_url=f"http://127.0.0.1:{_port_of(running)}{BASE}",
        headers={"ApiKey": KEY},
        trust_env=False,
        timeout=20,
    ) as client:
        yield company, client
    closing.set()
    running.close()
    thread.join(timeout=10)
    company.close()


def test_a_dropped_reply_closes_the_socket_without_a_byte(served):
    company, client = served
    number = company.add_invoice(company.add_customer().uid).number
    company.add_fault("drop_after", "PUT", "*/WrittenOff", times=1)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        client.put(f"/acme/invoices/{number}/WrittenOff")
    assert company.invoice(number).status == "WrittenOff"
    assert client.put(f"/acme/invoices/{number}/WrittenOff").json() == "success"


def test_a_timeout_makes_the_caller_wait_in_vain(served):
    company, client = served
    company.add_fault("timeout", seconds=1, times=1)
    with pytest.raises(httpx.ReadTimeout):
        client.get("/acme/customers?page=1&pageSize=1", timeout=0.2)
    assert client.get("/acme/customers?page=1&pageSize=1").status_code == 200


def test_many_calls_at_once_are_all_answered_and_none_is_lost(served):
    company, client = served
    uid = company.add_customer().uid
    body = {"amount": 100, "currencyCode": "USD", "description": "x"}
    answers: list[int] = []

    def charge() -> None:
        answers.extend(
            client.post(f"/acme/customers/{uid}/invoices", json=body).status_code for _ in range(5)
        )

    threads = [threading.Thread(target=charge) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 30
    assert sorted(int(one.number.split("-")[1]) for one in company.invoices()) == list(range(1, 31))


def test_billing_and_webhooks_run_by_themselves_while_it_lives(company):
    arrived = threading.Event()

    def sender(url, headers, body):
        arrived.set()
        return 200

    company.set_webhook("http://desk.example.com/", "s", sender)
    subscription = company.add_subscription(company.add_customer().uid, next_billing_at=NOON)
    with server.living(company, seconds=0.01):
        assert arrived.wait(timeout=10)
    company.tick()
    assert company.subscription(subscription.uid).next_billing_at > NOON


def test_a_receiver_that_breaks_does_not_end_the_webhooks(company, caplog):
    tried = threading.Event()
    arrived = threading.Event()

    def sender(url, headers, body):
        if not tried.is_set():
            tried.set()
            raise RuntimeError("broken receiver")
        arrived.set()
        return 200

    company.set_webhook("http://desk.example.com/", "s", sender)
    company.add_customer()
    with server.living(company, seconds=0.01):
        assert arrived.wait(timeout=10)
    assert "stumbled and goes on" in caplog.text


def test_serving_binds_runs_and_lets_go(company, monkeypatch):
    ran: list[str] = []

    class Quick:
        def run(self) -> None:
            ran.append("ran")

    monkeypatch.setattr(server, "build", lambda *_: Quick())
    server.serve(company, "127.0.0.1", 0)
    assert ran == ["ran"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _started(db, port) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from billsby_sandbox.cli import main; main()",
            *("serve", "--port", str(port), "--db", str(db), "--company", "acme", "--key", KEY),
            *("--quirk", "search_matches_email=yes", "--fault", "kind=status,path=*/none,times=1"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    for _ in range(3):
        process.stdout.readline()
    transport = httpx.HTTPTransport(retries=8)
    with httpx.Client(transport=transport, trust_env=False, timeout=20) as client:
        client.get(f"http://127.0.0.1:{port}/_practice/state").raise_for_status()
    return process


def _kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_what_was_answered_outlives_kill_9(tmp_path):
    db, port = tmp_path / "c.sqlite3", _free_port()
    process = _started(db, port)
    base = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=base, trust_env=False, headers={"ApiKey": KEY}) as client:
        unpaid = client.get(f"{BASE}/acme/companies/invoices?page=1&pageSize=9&isUnpaid=true")
        number = unpaid.json()["results"][0]["invoiceNumber"]
        assert client.put(f"{BASE}/acme/invoices/{number}/WrittenOff").json() == "success"
        client.post("/_practice/clock", json={"hours": 3})
    _kill(process)
    again = _started(db, port)
    with httpx.Client(base_url=base, trust_env=False, headers={"ApiKey": KEY}) as client:
        assert client.get(f"{BASE}/invoices/{number}").json()["amount"] == "0"
        state = client.get("/_practice/state").json()
        assert client.get("/_practice/quirks").status_code == 200
        assert len(client.get("/_practice/faults").json()) == 1
    _kill(again)
    assert state["offset_seconds"] == 3 * 3600
    assert state["customers"] == 64
