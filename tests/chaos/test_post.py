"""The post: what it takes reaches the desk, late and doubled; what it forges is told apart."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tests.chaos.interfaces import SeededClient, SeededSubscription, Stage
from tests.chaos.post import Post

pytestmark = pytest.mark.loopback

PATIENCE = 10.0


@contextmanager
def a_desk() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """The address of something that takes webhooks, and what it has taken: secret and body."""
    taken: list[tuple[str, bytes]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            taken.append((self.headers.get("Secret", ""), body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", taken
    server.shutdown()
    thread.join()
    server.server_close()


def until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < ends
        threading.Event().wait(0.01)


def webhook(number: int) -> bytes:
    return json.dumps({"Type": "SubscriptionUpdated", "Id": f"id-{number}"}).encode()


def written(stage: Stage) -> list[dict[str, Any]]:
    return [entry for entry in stage.journal.entries() if entry["what"] == "webhook"]


@pytest.fixture
def client() -> SeededClient:
    service = SeededSubscription("SUB1", "Coaching", 9900, "")
    return SeededClient("CLIENT1", "Ada", "Abara", "a@example.com", "", "suspend", (service,))


def test_what_is_held_back_arrives_when_there_is_peace(stage: Stage, client: SeededClient) -> None:
    stage.clients = [client]
    with a_desk() as (url, taken):
        stage.pages_url = url
        post = Post(stage, random.Random(2))
        post.start()
        address = f"http://127.0.0.1:{post.port}/post"
        for number in range(40):
            reply = httpx.post(
                address,
                content=webhook(number),
                headers={"Secret": stage.webhook_secret},
                trust_env=False,
            )
            assert reply.status_code == 200
        post.calm()
        httpx.post(address, content=webhook(99), headers={"Secret": "x"}, trust_env=False)
        until(lambda: any(b"id-99" in body for _, body in taken))
        post.stop()
    arrived = [json.loads(body)["Id"] for _, body in taken if b"id-" in body]
    assert len(set(arrived)) < 41  # some are lost on the way
    assert len(set(arrived)) > 30
    assert len(arrived) > len(set(arrived))  # and some are doubled
    kinds = {entry["kind"] for entry in written(stage)}
    assert {"genuine", "dup", "late"} <= kinds
    assert ("between-the-two", webhook(0)) in taken or ("between-the-two", webhook(1)) in taken


def test_the_journal_tells_whether_a_forger_knew_the_secret(
    stage: Stage, client: SeededClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.chaos.post._FORGED_EVERY", 0.0)
    monkeypatch.setattr("tests.chaos.post._FORGED_AT_LEAST", 0.0)
    stage.clients = [client]
    with a_desk() as (url, taken):
        stage.pages_url = url
        post = Post(stage, random.Random(3))
        post.start()
        until(lambda: len(taken) > 30)
        post.stop()
    forged = [entry for entry in written(stage) if entry["kind"] == "forged"]
    assert {entry["secret_ok"] for entry in forged} == {True, False}
    assert all(entry["status"] == 200 for entry in forged)
