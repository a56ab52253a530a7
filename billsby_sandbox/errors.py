"""What can go wrong, from a refusal to a connection that is cut on purpose."""

from __future__ import annotations


class Refused(Exception):
    """The call is understood and not done. `code` is the HTTP status the API answers with."""

    def __init__(self, words: str, code: int = 400) -> None:
        super().__init__(words)
        self.words = words
        self.code = code


class NotFound(Refused):
    """Nothing of this company has that id or number."""

    def __init__(self, words: str) -> None:
        super().__init__(words, code=404)


class PanelRefused(Refused):
    """The control panel does not do it; the words are what the person at it reads."""


class UnknownQuirk(ValueError):
    """No quirk has that name, or the quirk has no such value."""


class ConnectionCut(ConnectionResetError):
    """The connection ends without a reply.

    An OSError because waitress closes the socket unanswered when the application raises one.
    """


class ReplyNeverCame(ConnectionCut):
    """The call was accepted, and no reply came in any time the caller would wait."""
