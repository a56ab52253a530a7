"""One call to Microsoft Graph and its reply: token, time limits, what became of it, log.

Nothing that writes is repeated here: whoever wrote looks first. A reply of 401 means that nothing
was done, so it is answered once with a new token and the same call.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx
import structlog

from canceldesk.workbook.graph.patience import Patience
from canceldesk.workbook.graph.problems import (
    Held,
    NotReached,
    OutcomeUnknown,
    Problem,
    SignInProblem,
    Throttled,
    of_reply,
)
from canceldesk.workbook.graph.signin import SignIn

BASE: Final = "https://graph.microsoft.com/v1.0"
LARGEST_REPLY: Final = 60_000_000
"""Bytes. A block of 20,000 cells is about 1 MB; a whole workbook is read only to tell merges."""

_CONNECT_SECONDS: Final = 5.0
_READ_SECONDS: Final = 25.0
_NOTHING_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_PASSING: Final = (Throttled, Held, OutcomeUnknown, NotReached)

_log = structlog.get_logger("canceldesk.workbook.graph")


@dataclass(frozen=True)
class Reply:
    """A reply of success: its status, its JSON (numbers as they were written), where it points."""

    status: int
    body: dict[str, Any]
    location: str = ""


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: httpx.Headers
    content: bytes


class _Bearer(httpx.Auth):
    """Puts the token on each request as it leaves, so that nothing else has to hold it."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._sign_in.token()}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            request.headers["Authorization"] = f"Bearer {self._sign_in.renewed()}"
            yield request


class Exchange:
    """Sends calls to Graph as `sign_in` lets it. `transport`, `clock` and `now` are for tests."""

    def __init__(
        self,
        sign_in: SignIn,
        *,
        base: str = BASE,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.acts_as_app = sign_in.acts_as_app
        self.base = base
        self._now = now
        self._http = httpx.Client(
            auth=_Bearer(sign_in),
            headers={"Accept": "application/json"},
            timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def read(
        self, path: str, patience: Patience, *, doing: str, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """The body of a GET, asked for again while that may help and patience lasts."""
        while True:
            try:
                return self.send("GET", path, doing=doing, headers=headers).body
            except _PASSING as problem:
                if not patience.wait_after(problem):
                    raise

    def pages(
        self, path: str, patience: Patience, *, doing: str, headers: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """Everything of a collection, whichever way Graph pages it (`@odata.nextLink`)."""
        found: list[dict[str, Any]] = []
        next_page = path
        while next_page:
            body = self.read(next_page, patience, doing=doing, headers=headers)
            found += members(body)
            link = str(body.get("@odata.nextLink") or "")
            next_page = self.own_path(link) if link else ""
        return found

    def own_path(self, link: str) -> str:
        """The path of a link Graph gave. The token is sent to no other place."""
        if not link.startswith(f"{self.base}/"):
            raise OutcomeUnknown(code="foreignLink")
        return link.removeprefix(self.base)

    def send(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = _READ_SECONDS,
    ) -> Reply:
        """Send one call, once, and wait `seconds` for the reply at most.

        Raises the problems of `problems`; `doing` names it in the log.
        """
        timeout = httpx.Timeout(min(seconds, _READ_SECONDS), connect=_CONNECT_SECONDS)
        answer = self._answer(method, path, doing, json=body, headers=headers, timeout=timeout)
        if httpx.codes.is_success(answer.status):
            return Reply(answer.status, _decoded(answer), answer.headers.get("Location", ""))
        raise self._problem(answer)

    def file(self, path: str, *, doing: str) -> bytes:
        """The bytes of a file, wherever Graph keeps them (it answers with a short-lived link)."""
        answer = self._answer("GET", path, doing, follow_redirects=True)
        if httpx.codes.is_success(answer.status):
            return answer.content
        raise self._problem(answer)

    def _problem(self, answer: _Answer) -> Problem:
        if answer.status == httpx.codes.UNAUTHORIZED:
            return SignInProblem(
                "Microsoft does not take the desk's sign-in, not even a new one. Sign in again, or "
                "check the client ID and secret under Settings → Workbook."
            )
        wait = _seconds(answer.headers.get("Retry-After"), self._now)
        return of_reply(answer.status, _leniently(answer), wait)

    def _answer(self, method: str, path: str, doing: str, **named: Any) -> _Answer:  # noqa: ANN401 - httpx's own
        started = time.monotonic()
        outcome: int | str = "no reply"
        try:
            with self._http.stream(method, self.base + path, **named) as response:
                outcome = response.status_code
                return _Answer(response.status_code, response.headers, _content(response))
        except _NOTHING_SENT as problem:
            outcome = type(problem).__name__
            raise NotReached(code=outcome) from None
        except httpx.HTTPError as problem:
            outcome = type(problem).__name__
            raise OutcomeUnknown(code=outcome) from None
        except Problem as problem:
            outcome = problem.code
            raise
        finally:
            # Neither path nor body: a share link is as good as a key, and rows are about people.
            took = round((time.monotonic() - started) * 1000)
            _log.info("graph_call", method=method, doing=doing, outcome=outcome, ms=took)


def members(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The members of one page of a collection. Raises `OutcomeUnknown` when it is none."""
    found = body.get("value")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise OutcomeUnknown(code="notJson")
    return found


def _content(response: httpx.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > LARGEST_REPLY:
            raise OutcomeUnknown(status=response.status_code, code="replyTooLarge")
    return bytes(content)


def _decoded(answer: _Answer) -> dict[str, Any]:
    if not answer.content:
        return {}
    try:
        body = json.loads(answer.content, parse_float=Decimal)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise OutcomeUnknown(status=answer.status, code="notJson")
    return body


def _leniently(answer: _Answer) -> object:
    try:
        return json.loads(answer.content)
    except ValueError:
        return None


def _seconds(header: str | None, now: Callable[[], datetime]) -> float | None:
    """`Retry-After` as seconds: given as such, or as a date (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - now()).total_seconds())
    except (ValueError, TypeError):
        return None
