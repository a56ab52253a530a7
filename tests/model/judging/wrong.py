"""How a broken promise is told."""

from __future__ import annotations


class Verdict(BaseException):
    """A promise is broken; the text says which, and how. The desk turns every Exception of a pass
    into a sentence and goes on; this one it must not catch.
    """


class Wrong(AssertionError):
    """A verdict as a failed test: what a machine raises."""


def wrong_unless(is_right: bool, sentence: str) -> None:
    """Raise a Verdict with the sentence when a promise does not hold."""
    if not is_right:
        raise Verdict(sentence)
