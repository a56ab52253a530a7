"""One call to Billsby and its reply: key, limit, timeouts, repeats, log.

A call is repeated by itself only where that is safe: a read always, a write only when it is
certain that nothing reached Billsby (no connection) or that Billsby did nothing (429 with a
``Retry-After``). A write whose reply was lost is never repeated; the caller reads back.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
import structlog
from pydantic import SecretStr
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    wait_random_exponential,
)

from canceldesk import go_ahead

from .errors import BillsbyError, Busy, Nonsense, Refused, Unreachable
from .ratelimit import TokenBucket
from .replies import Reply, refusal, seconds_to_wait, what_now

LONGEST_CALL = 40.0
"""Seconds one call may last with all its waits and repeats. Less than the lease a pass holds on
its case, so that a worker that lives can still write down the answer when it comes. No more rests
on it: who takes a case over reads back what may have been sent."""

SHORTEST_ATTEMPT = 5.0
"""Seconds that must be left for one more try to be worth it."""

MOST_ATTEMPTS = 4
LARGEST_BODY = 20_000_000
"""Bytes. A page of 100 rows is below 100 kB."""

LONGEST_ID = 200
"""Characters. Billsby's IDs have about ten."""

_CONNECT_TIMEOUT = 5.0
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

_log = structlog.get_logger("canceldesk.billsby")
_backoff = wait_random_exponential(multiplier=0.5, max=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What to ask of Billsby.

    path: made by :func:`path_of`. doing: the call as the end of the sentence "Billsby could
    not ...".
    """

    method: str
    path: str
    doing: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None

    @property
    def writes(self) -> bool:
        """Whether the call changes something at Billsby."""
        return self.method != "GET"


def checked_id(text: str) -> str:
    """Give ``text`` back when it can be an ID of Billsby's.

    Raises Refused, so that nothing is sent, for nothing, for dots (which would be another path
    even when quoted), for control characters and for anything too long.
    """
    if not text.strip(" .") or not text.isprintable() or len(text) > LONGEST_ID:
        raise Refused("This is not an ID of Billsby's. Nothing was sent; check the ID.")
    return text


def path_of(*segments: str) -> str:
    """Join the segments of a path, each quoted so that an ID can't reach another path.

    Raises Refused as :func:`checked_id` does.
    """
    return "".join(f"/{quote(checked_id(segment), safe='')}" for segment in segments)


class _ApiKey(httpx.Auth):
    """Puts the key on each request as it leaves, so that nothing else has to hold it."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["ApiKey"] = self._key.get_secret_value()
        yield request


class Exchange:
    """Sends calls to one Billsby company, one after another or from many threads.

    See :class:`canceldesk.billsby.client.HttpBillsby` for the parameters.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        rate_per_second: float,
        burst: int,
        timeout: float,
        transport: httpx.BaseTransport | None,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise ValueError("The Billsby API key must be one word of plain characters.")
        address = httpx.URL(base_url)
        if address.scheme not in ("http", "https") or not address.host:
            raise ValueError("Billsby's address must begin with https:// and name a host.")
        self.base_url = base_url.rstrip("/")
        self._key = SecretStr(api_key)
        self._timeout = timeout
        self._sleep = sleep
        self._monotonic = monotonic
        self._now = now
        self._limit = TokenBucket(
            per_second=rate_per_second, burst=burst, sleep=sleep, monotonic=monotonic
        )
        self._http = httpx.Client(
            auth=_ApiKey(self._key),
            headers={"Accept": "application/json"},
            follow_redirects=False,
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, call: Call) -> Reply:
        """Give the 2xx reply to ``call``, after repeats where they are safe.

        Lasts about LONGEST_CALL at most. A call that writes asks for its go-ahead before every
        attempt. Raises the errors of :mod:`canceldesk.billsby.errors`, and what is said no with.
        """
        deadline = self._monotonic() + LONGEST_CALL

        def enough(state: RetryCallState) -> bool:
            left = deadline - self._monotonic() - state.upcoming_sleep
            return state.attempt_number >= MOST_ATTEMPTS or left < SHORTEST_ATTEMPT

        retrying = Retrying(
            sleep=self._sleep,
            retry=retry_if_exception(lambda error: _may_be_repeated(error, call)),
            wait=_wait,
            stop=enough,
            reraise=True,
        )
        return retrying(self._attempt, call, deadline)

    def _attempt(self, call: Call, deadline: float) -> Reply:
        wait = self._limit.take(deadline - self._monotonic() - SHORTEST_ATTEMPT)
        if wait is not None:
            raise Busy(
                f"Too many of the desk's calls to Billsby are waiting, so it was not asked to "
                f"{call.doing}. Try again in a moment.",
                retry_after=wait,
            )
        if call.writes:
            go_ahead.assure()
        started = self._monotonic()
        reply: Reply | None = None
        trouble: str | None = None
        try:
            reply = self._exchange(call, deadline)
        except httpx.HTTPError as problem:
            trouble = type(problem).__name__
            raise _no_reply(problem, call) from None
        finally:
            _log.info(
                "billsby_call",
                method=call.method,
                path=call.path,
                status=None if reply is None else reply.status,
                ms=round((self._monotonic() - started) * 1000),
                trouble=trouble,
            )
        if not 200 <= reply.status < 300:  # noqa: PLR2004  the range of success in HTTP
            raise refusal(reply, call.doing, writes=call.writes)
        return reply

    def _exchange(self, call: Call, deadline: float) -> Reply:
        left = max(deadline - self._monotonic(), 0.1)
        timeout = httpx.Timeout(
            min(self._timeout, left), connect=min(_CONNECT_TIMEOUT, self._timeout, left)
        )
        with self._http.stream(
            call.method,
            self.base_url + call.path,
            params=call.query or None,
            json=call.body,
            timeout=timeout,
        ) as response:
            body = self._read(response, call, deadline)
            return Reply(
                status=response.status_code,
                body=self._without_key(body),
                retry_after=seconds_to_wait(response.headers.get("Retry-After"), self._now),
            )

    def _read(self, response: httpx.Response, call: Call, deadline: float) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise Nonsense(
                    f"Asked to {call.doing}, Billsby sent a reply without end. "
                    f"{what_now(writes=call.writes)}",
                    status=response.status_code,
                    maybe_done=call.writes,
                )
            if self._monotonic() > deadline:
                raise httpx.ReadTimeout("the whole call took too long")
        return bytes(body)

    def _without_key(self, body: bytes) -> bytes:
        return body.replace(self._key.get_secret_value().encode(), b"[API key]")


def _no_reply(problem: httpx.HTTPError, call: Call) -> BillsbyError:
    if isinstance(problem, _NOTHING_SENT):
        return Unreachable(
            f"Billsby could not be reached to {call.doing}. Nothing was sent; check the network "
            "and Billsby's address, then try again."
        )
    if isinstance(problem, httpx.DecodingError):
        return Nonsense(
            f"Asked to {call.doing}, Billsby sent a reply that can't be unpacked. "
            f"{what_now(writes=call.writes)}",
            maybe_done=call.writes,
        )
    return Unreachable(
        f"Billsby did not answer when asked to {call.doing}. {what_now(writes=call.writes)}",
        maybe_done=call.writes,
    )


def _may_be_repeated(error: BaseException, call: Call) -> bool:
    if isinstance(error, Unreachable):
        return not error.maybe_done
    if isinstance(error, Busy):
        return not call.writes or error.retry_after is not None
    return False


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, Busy) else None
    return (asked or 0.0) + _backoff(state)
