"""What a call to Microsoft Graph can come to, sorted by what is known of its effect.

Codes and what to do about them are those of the Graph pages “Error handling for Excel APIs”,
“Error codes for Excel APIs” and “Microsoft Graph error responses”. Messages of Microsoft's are
never shown to people: the pages say that they are for developers and change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final


class Problem(Exception):
    """A call that did not succeed. `code` is the most specific error code Graph gave, if any."""

    def __init__(self, *, status: int | None = None, code: str = "") -> None:
        super().__init__(f"{type(self).__name__} ({status or 'no reply'}{code and f', {code}'})")
        self.status = status
        self.code = code


class NothingDone(Problem):
    """It is certain that the call changed nothing."""


class NotReached(NothingDone):
    """Microsoft could not be reached; nothing was sent."""


class SignInProblem(NothingDone):
    """Microsoft does not let the desk in; `sentence` says what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(status=401, code="signIn")
        self.sentence = sentence


class Throttled(NothingDone):
    """Microsoft asks to wait; `wait` is for how many seconds, None when it does not say."""

    def __init__(self, wait: float | None, *, status: int, code: str) -> None:
        super().__init__(status=status, code=code)
        self.wait = wait


class Held(NothingDone):
    """Someone else has the workbook locked, or is changing the same thing."""


class SessionLost(NothingDone):
    """The workbook session has ended; a new one can be opened."""


class Refused(NothingDone):
    """Microsoft refuses the call itself."""


class OutcomeUnknown(Problem):
    """No reply came, or one that does not tell whether the call had its effect."""


_LOCKED: Final = 423
_CONFLICT: Final = 409
_BUSY: Final = frozenset({429, 509})
_UNAVAILABLE: Final = 503
_TIMED_OUT: Final = frozenset({408, 499})
_SERVER_FAULTS: Final = 500
_NOT_IMPLEMENTED: Final = 501
_SESSION_CODES: Final = frozenset(
    {
        "invalidsession",
        "invalidsessionrecreatable",
        "deploymentinvalideditsession",
        "invalidortimedoutsession",
    }
)
_HELD_CODES: Final = frozenset(
    {
        "accessconflict",
        "invalidsessionaccessconflict",
        "resourcelocked",
        "locked",
        "lockmismatch",
        "conflictuncategorized",
        "editmodecannotacquirelock",
        "editmodecannotacquirelockunknown",
    }
)
_IN_THE_WAY: Final = frozenset({"insertdeleteconflict", "filteredrangeconflict"})
_BUSY_CODES: Final = frozenset({"toomanyrequestsuncategorized"})


def of_reply(status: int, body: object, wait: float | None) -> Problem:
    """The problem a reply of `status` with the decoded `body` tells of.

    503 with a time to wait is a refusal to begin; without one nothing is known. 500 ends the
    session, too (“further access to the session is not expected”).
    """
    codes = tuple(_codes(body))
    code = codes[-1] if codes else ""
    known = {one.casefold() for one in codes}
    told_to_wait = status == _UNAVAILABLE and wait is not None
    if status in _BUSY or told_to_wait or known & _BUSY_CODES:
        return Throttled(wait, status=status, code=code)
    kind: type[Problem] = Refused
    if known & _SESSION_CODES:
        kind = SessionLost
    elif known & _IN_THE_WAY or status == _NOT_IMPLEMENTED:
        kind = Refused
    elif status in (_LOCKED, _CONFLICT) or known & _HELD_CODES:
        kind = Held
    elif status in _TIMED_OUT or status >= _SERVER_FAULTS:
        kind = OutcomeUnknown
    return kind(status=status, code=code)


def _codes(body: object) -> Iterator[str]:
    """The error's codes from the outermost in; `innererror` is spelled both ways."""
    error = body.get("error") if isinstance(body, Mapping) else None
    while isinstance(error, Mapping):
        code = error.get("code")
        if isinstance(code, str) and code:
            yield code[:80]
        inner: Any = error.get("innerError", error.get("innererror"))
        error = inner
