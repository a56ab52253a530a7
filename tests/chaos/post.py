"""The post between the practice Billsby and the desk: late, doubled, out of order, lost, forged.

It takes Billsby's genuine webhooks as they come and passes them on as a bad network would. What is
forged knows the secret sometimes and names real clients sometimes, because a hint is never a fact.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import json
import random
import threading
import time
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.chaos.interfaces import Stage

PATIENCE = httpx.Timeout(10.0, connect=3.0)
DEAD = 0
_HUGE = 300_000
_LOST, _DOUBLED, _LATE = 0.08, 0.15, 0.35
_LATEST = 20.0
_CARRIERS = 2
_FORGED_AT_LEAST, _FORGED_EVERY = 0.5, 8.0


@dataclass(frozen=True, order=True)
class _Letter:
    """One delivery that is due at a moment of the monotonic clock."""

    due: float
    place: int
    kind: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Post:
    """Listens on `stage.post_port` from `start` to `stop`; harmless from `calm` on."""

    def __init__(self, stage: Stage, rng: random.Random) -> None:
        self._stage = stage
        self._rng = rng
        self._is_calm = False
        self._count = itertools.count()
        self._letters: list[_Letter] = []
        self._changed = threading.Condition()
        self._stopped = False
        self._client = httpx.Client(timeout=PATIENCE, trust_env=False)
        self._server = _listening(self, stage.post_port)
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True),
            *(threading.Thread(target=self._carry, daemon=True) for _ in range(_CARRIERS)),
            threading.Thread(target=self._forge, daemon=True),
        ]

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def start(self) -> None:
        """Begin to carry."""
        for thread in self._threads:
            thread.start()

    def calm(self) -> None:
        """No more mischief; what is held back is carried now."""
        with self._changed:
            self._is_calm = True
            now = time.monotonic()
            self._letters = [_Letter(now, *_rest(letter)) for letter in self._letters]
            heapq.heapify(self._letters)
            self._changed.notify_all()

    def stop(self) -> None:
        """Stop listening; what is not carried yet is lost."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self._server.server_close()
        self._client.close()

    def take(self, headers: dict[str, str], body: bytes) -> None:
        """Take one genuine webhook from Billsby."""
        kept = tuple((name, value) for name, value in headers.items() if name in _PASSED_ON)
        for kind, seconds in self._fate():
            self._queue(seconds, kind, kept, body)

    def _fate(self) -> list[tuple[str, float]]:
        """How often one webhook is delivered, and how late each time."""
        with self._changed:
            luck, rng = self._rng.random(), self._rng
            if self._is_calm:
                return [("genuine", 0.0)]
            if luck < _LOST:
                return []
            if luck < _LOST + _DOUBLED:
                return [("genuine", 0.0), ("dup", rng.uniform(0, _LATEST))]
            if luck < _LOST + _DOUBLED + _LATE:
                return [("late", rng.uniform(0.5, _LATEST))]
            return [("genuine", rng.uniform(0, 0.3))]

    def _queue(
        self, seconds: float, kind: str, headers: tuple[tuple[str, str], ...], body: bytes
    ) -> None:
        with self._changed:
            due = time.monotonic() + seconds
            heapq.heappush(self._letters, _Letter(due, next(self._count), kind, headers, body))
            self._changed.notify_all()  # a carrier must hear it, not the forger alone

    def _carry(self) -> None:
        while (letter := self._next()) is not None:
            status = DEAD
            with contextlib.suppress(httpx.HTTPError):
                status = self._client.post(
                    self._stage.hook_url, content=letter.body, headers=dict(letter.headers)
                ).status_code
            knows = _knows(letter, self._stage.webhook_secret)
            about = _about(letter)
            self._stage.journal.write("post", "webhook", status=status, secret_ok=knows, **about)

    def _next(self) -> _Letter | None:
        with self._changed:
            while not self._stopped:
                wait = self._letters[0].due - time.monotonic() if self._letters else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._letters)
                self._changed.wait(wait)
        return None

    def _forge(self) -> None:
        while not self._wait(self._rng.uniform(_FORGED_AT_LEAST, _FORGED_EVERY)):
            if self._is_calm:
                continue
            headers, body = self._forgery()
            self._queue(0, "forged", headers, body)

    def _wait(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._stopped, seconds)

    def _forgery(self) -> tuple[tuple[tuple[str, str], ...], bytes]:
        rng, client = self._rng, self._rng.choice(self._stage.clients)
        service = rng.choice(client.subscriptions)
        known = {"Content-Type": "application/json", "Secret": self._stage.webhook_secret}
        body: dict[str, object] = {
            "Type": "SubscriptionUpdated",
            "Id": str(uuid.UUID(int=rng.getrandbits(128))),
            "CustomerUniqueId": client.id,
            "SubscriptionUniqueId": service.id,
            "SubscriptionStatus": rng.choice(("Suspended", "Cancelled", "Active", "Dancing")),
        }
        match rng.randrange(6):
            case 0:
                known["Secret"] = "not-the-secret"
            case 1:
                del known["Secret"]
            case 2:
                return tuple(known.items()), b"\x00\xff{not json" * rng.randint(1, 50)
            case 3:
                body["Padding"] = "x" * _HUGE
            case 4:
                body["CustomerUniqueId"] = rng.choice(self._stage.clients).id
            case _:
                body["Type"] = "InvoiceUpdated"
                body["InvoiceNumber"] = f"{client.id}-1"
        return tuple(known.items()), json.dumps(body).encode()


_PASSED_ON = ("Content-Type", "Secret")


def _rest(letter: _Letter) -> tuple[int, str, tuple[tuple[str, str], ...], bytes]:
    return letter.place, letter.kind, letter.headers, letter.body


def _about(letter: _Letter) -> dict[str, str]:
    try:
        told = json.loads(letter.body)
        about = {"type": str(told["Type"]), "id": str(told["Id"])}
    except (ValueError, KeyError, TypeError):
        about = {"type": "", "id": ""}
    return {"kind": letter.kind, **about}


def _knows(letter: _Letter, secret: str) -> bool:
    return dict(letter.headers).get("Secret") == secret


def _listening(post: Post, port: int) -> ThreadingHTTPServer:
    class Box(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            post.take(dict(self.headers.items()), body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing: the journal tells."""

    return ThreadingHTTPServer(("127.0.0.1", port), Box)
