"""What can go wrong between the desk and Microsoft, to be chosen for single calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import httpx

Chosen = Callable[[httpx.Request], bool]


class CrashError(BaseException):
    """The desk's own process dies at this moment."""


class Effect(Enum):
    """What becomes of the call itself when its reply goes wrong."""

    NONE = "none"
    DONE = "done"
    LATE = "late"


@dataclass
class Fault:
    """A wrong answer to calls that `chosen` picks, `times` times, the first `after` let through.

    `answer` None is a cut connection, or with `crash` the end of the desk's process. A late effect
    comes `seconds` after.
    """

    chosen: Chosen
    effect: Effect = Effect.NONE
    answer: httpx.Response | None = None
    times: int = 1
    after: int = 0
    seconds: float = 0.0
    crash: bool = False

    def picks(self, request: httpx.Request) -> bool:
        """Whether this call goes wrong; counts down."""
        if self.times <= 0 or not self.chosen(request):
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True


def error(
    status: int, code: str, inner: str = "", *, retry_after: float | str | None = None
) -> httpx.Response:
    """An error as the page “Error handling for Excel APIs” shows it."""
    body: dict[str, Any] = {"code": code, "message": "For developers only."}
    if inner:
        body["innerError"] = {"code": inner, "message": "For developers only."}
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return httpx.Response(status, json={"error": body}, headers=headers)


def any_call(_request: httpx.Request) -> bool:
    """Every call."""
    return True


def writes(request: httpx.Request) -> bool:
    """Calls that change the workbook."""
    path = request.url.path
    asks = path.endswith(("createSession", "closeSession")) or "/functions/" in path
    return request.method != "GET" and not asks


def ending(end: str, method: str = "") -> Chosen:
    """Calls whose path ends so."""
    return lambda request: (
        request.url.path.endswith(end) and (not method or request.method == method)
    )


def holding(part: str, method: str = "") -> Chosen:
    """Calls whose path holds this."""
    return lambda request: part in request.url.path and (not method or request.method == method)
