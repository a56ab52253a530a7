"""Calls that go wrong on purpose: the rules, and what each kind does to a call.

A rule matches by method and by path below the API's base, with `*` for anything:
`PUT` and `/acme/invoices/*/WrittenOff`.
"""

from __future__ import annotations

import fnmatch
import io
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, get_args
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from pydantic import BaseModel, ConfigDict, Field

from billsby_sandbox.errors import ConnectionCut, ReplyNeverCame
from billsby_sandbox.records import Call, Customer, Fault, Subscription
from billsby_sandbox.words import Actor

if TYPE_CHECKING:
    from billsby_sandbox.books import Books

BASE = "/api/v1/rest/core"
"""Where the API lives, as at Billsby's own host."""

Kind = Literal[
    "delay", "timeout", "timeout_after", "drop_before", "drop_after", "status", "rubbish", "stale"
]
KINDS: tuple[str, ...] = get_args(Kind)
DOWN_WAYS = ("no", "503", "refuse")
BODY_KEPT = 2000
"""Characters of a call's body that the record of calls keeps."""

HTML_RUBBISH = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
HALF_JSON = b'{"currentPage": 1, "pageCount": 1, "results": [{"customerUni'


class FaultRule(BaseModel):
    """One rule.

    kind: delay (answer after `seconds`), timeout (take the call, do nothing, cut after `seconds`),
    timeout_after (the same with the change made), drop_before (cut at once, nothing done),
    drop_after (do it, then cut), status (answer `status`, with `retry_after` as header when
    given), rubbish (`html`, `half_json` or `wrong_customer`), stale (a read answers as it did
    before the last change that it would show; other calls go well).
    skip: calls that pass first. times: calls that are hit, 0 for all.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    method: str = "*"
    path: str = "*"
    seconds: float = Field(default=5, ge=0)
    status: int = Field(default=500, ge=400, le=599)
    retry_after: str = ""
    rubbish: Literal["html", "half_json", "wrong_customer"] = "html"
    skip: int = Field(default=0, ge=0)
    times: int = Field(default=0, ge=0)


def add(books: Books, rule: FaultRule) -> Fault:
    """Keep a rule."""
    books.note(Actor.PRACTICE, "fault added", rule.kind, books.now(), after=rule.model_dump())
    return books.store.add(Fault, **rule.model_dump(), seen=0, hit=0)


def set_down(books: Books, how: str) -> None:
    """Take the API down (`503`, `refuse`) or bring it up (`no`); ValueError for other words."""
    if how not in DOWN_WAYS:
        raise ValueError(f"Down is one of {', '.join(DOWN_WAYS)}, not {how!r}.")
    books.note(Actor.PRACTICE, "down set", how, books.now())
    books.store.set_setting("down", how)


def is_down(books: Books) -> str:
    """How the API is down; `no` when it is up."""
    return books.store.setting("down") or "no"


def _pick(books: Books, method: str, path: str) -> Fault | None:
    """The first rule that hits this call; every rule that matches counts the call."""
    picked = None
    for fault in books.store.where(Fault):
        if not (_fits(fault.method, method) and _fits(fault.path, path)):
            continue
        seen = books.store.change(Fault, fault.id, seen=fault.seen + 1)
        exhausted = fault.times and fault.hit >= fault.times
        if picked is None and seen.seen > fault.skip and not exhausted:
            picked = books.store.change(Fault, fault.id, hit=fault.hit + 1)
    return picked


def _fits(pattern: str, text: str) -> bool:
    return fnmatch.fnmatchcase(text.lower(), pattern.lower())


class FaultyApi:
    """WSGI middleware around the API: records each call and makes the picked ones go wrong.

    Raises ConnectionCut or ReplyNeverCame out of the application where the connection is to end
    without a reply.
    """

    def __init__(
        self, inner: WSGIApplication, books: Books, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._inner = inner
        self._books = books
        self._sleep = sleep
        self._recent: deque[float] = deque()
        self._replies = _Replies()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one call."""
        path = environ.get("PATH_INFO", "")
        if not path.startswith(f"{BASE}/"):
            return self._inner(environ, start)
        exchange = _Exchange(self._inner, environ)
        with self._books.store.transaction():
            fault = _pick(self._books, environ["REQUEST_METHOD"], path[len(BASE) :])
        try:
            self._answer(exchange, fault)
        except ConnectionCut:
            self._record(exchange, fault, answer=0)
            raise
        self._record(exchange, fault, answer=int(exchange.status.split()[0]))
        start(exchange.status, exchange.headers)
        return [exchange.body]

    def _answer(self, exchange: _Exchange, fault: Fault | None) -> None:
        down = is_down(self._books)
        if down == "refuse":
            raise ConnectionCut("practice Billsby is down")
        if down == "503":
            exchange.reply("503 Service Unavailable", b"{}")
        elif self._over_limit():
            exchange.reply("429 Too Many Requests", b"{}", retry_after="1")
        elif fault is None or fault.kind == "stale":
            exchange.run()
            earlier = self._replies.heard(exchange)
            if fault is not None:
                exchange.replace_body(earlier)
        else:
            self._go_wrong(exchange, fault)

    def _over_limit(self) -> bool:
        limit = self._books.quirk_number("rate_limit")
        if not limit:
            return False
        now = time.monotonic()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        self._recent.append(now)
        return len(self._recent) > limit

    def _go_wrong(self, exchange: _Exchange, fault: Fault) -> None:
        if fault.kind == "drop_before":
            raise ConnectionCut("the connection was cut before anything was done")
        if fault.kind == "drop_after":
            exchange.run()
            raise ConnectionCut("the connection was cut after the change was made")
        if fault.kind in {"timeout", "timeout_after"}:
            if fault.kind == "timeout_after":
                exchange.run()
            self._sleep(fault.seconds)
            raise ReplyNeverCame("no reply came")
        if fault.kind == "status":
            exchange.reply(f"{fault.status} Practice Fault", b"{}", retry_after=fault.retry_after)
        elif fault.kind == "delay":
            self._sleep(fault.seconds)
            exchange.run()
        elif fault.rubbish == "wrong_customer":
            exchange.environ["PATH_INFO"] = _someone_else(self._books, exchange.path)
            exchange.run()
        elif fault.rubbish == "half_json":
            exchange.reply("200 OK", HALF_JSON)
        else:
            exchange.reply("200 OK", HTML_RUBBISH, kind="text/html")

    def _record(self, exchange: _Exchange, fault: Fault | None, answer: int) -> None:
        with self._books.store.transaction():
            self._books.store.add(
                Call,
                at=self._books.now(),
                method=exchange.environ["REQUEST_METHOD"],
                path=exchange.path[len(BASE) :],
                query=exchange.environ.get("QUERY_STRING", ""),
                body=exchange.sent[:BODY_KEPT].decode(errors="replace"),
                answer=answer,
                fault=fault.kind if fault else "",
            )


class _Exchange:
    """One call and the reply it will get."""

    def __init__(self, inner: WSGIApplication, environ: WSGIEnvironment) -> None:
        self._inner = inner
        self.environ = environ
        self.path = str(environ["PATH_INFO"])
        self.sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(self.sent)
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.body = b""

    def run(self) -> None:
        """Let the API answer."""

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: object = None
        ) -> Callable[[bytes], object]:
            self.status, self.headers = status, headers
            return lambda _chunk: None

        self.body = b"".join(self._inner(self.environ, start))

    def replace_body(self, body: bytes) -> None:
        """Answer the same with another body."""
        self.body = body
        self.headers = [pair for pair in self.headers if pair[0].lower() != "content-length"]
        self.headers.append(("Content-Length", str(len(body))))

    def reply(
        self, status: str, body: bytes, retry_after: str = "", kind: str = "application/json"
    ) -> None:
        """Answer in the API's place."""
        self.status, self.body = status, body
        self.headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
        if retry_after:
            self.headers.append(("Retry-After", retry_after))


class _Replies:
    """What each read was answered since the server started, now and before it last changed.

    Once told what a read is answered now, it gives what it was answered before.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, bytes]] = {}

    def heard(self, exchange: _Exchange) -> bytes:
        """Keep the reply of one call, and give what a stale one would have been."""
        if exchange.environ["REQUEST_METHOD"] != "GET" or not exchange.status.startswith("200"):
            return exchange.body
        read = f"{exchange.path}?{exchange.environ.get('QUERY_STRING', '')}"
        now, before = self._kept.get(read, (exchange.body, exchange.body))
        if exchange.body != now:
            now, before = exchange.body, now
        self._kept[read] = (now, before)
        return before


def _someone_else(books: Books, path: str) -> str:
    """The path with each customer or subscription id changed for another one's."""
    parts = path.split("/")
    for index, part in enumerate(parts):
        parts[index] = _other_uid(books, Customer, part) or _other_uid(books, Subscription, part)
        parts[index] = parts[index] or part
    return "/".join(parts)


def _other_uid(books: Books, record: type[Customer] | type[Subscription], uid: str) -> str:
    """Another one's id, or nothing when `uid` is not one of these or the only one."""
    if not books.store.where(record, "uid = ?", uid):
        return ""
    others = books.store.where(record, "uid <> ?", uid, tail="ORDER BY id LIMIT 1")
    return others[0].uid if others else ""
