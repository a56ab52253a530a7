"""How a broken promise is told."""

from __future__ import annotations


class Wrong(AssertionError):
    """A promise is broken; the text says which, and how."""


def wrong_unless(is_right: bool, sentence: str) -> None:
    """Raise Wrong with the sentence when a promise does not hold."""
    if not is_right:
        raise Wrong(sentence)
