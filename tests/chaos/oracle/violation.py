"""What the oracle says when something is not as it was promised."""

from __future__ import annotations

from dataclasses import dataclass


class UnreadableError(Exception):
    """Part of the evidence cannot be read; the text says which and why."""


@dataclass(frozen=True)
class Violation:
    """One broken promise. `rule` names it, `subject` is the case, invoice or subscription it is
    about, `sentence` is for people and `evidence` what it was found in.
    """

    rule: str
    subject: str
    sentence: str
    evidence: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n    ".join([f"{self.rule}: {self.sentence}", *self.evidence])
