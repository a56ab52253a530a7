"""What a step of a pass can come to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from canceldesk.cases.models import WaitsFor


@dataclass(frozen=True)
class Done:
    """Reached and read back."""

    sentence: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NotNeeded:
    """There is nothing to do here for this case."""

    sentence: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Waits:
    """Not reached yet: what the desk waits for, in a sentence a person can act on.

    `again` is how long until the desk looks again by itself. `attention` flags the case for a
    person; `is_unknown` says that something may have happened that could not be read back;
    `is_failure` makes the time between looks grow.
    """

    what: WaitsFor
    sentence: str
    again: dt.timedelta
    attention: bool = False
    is_unknown: bool = False
    is_failure: bool = False
    evidence: Mapping[str, Any] = field(default_factory=dict)


Result = Done | NotNeeded | Waits


def all_of(results: Sequence[Result]) -> Result:
    """Several subscriptions' results as one: what waits comes first, and of that what needs
    attention; the next look is the earliest any of them wants.
    """
    waiting = sorted(
        (result for result in results if isinstance(result, Waits)),
        key=lambda waits: not waits.attention,
    )
    if waiting:
        return replace(
            waiting[0],
            again=min(waits.again for waits in waiting),
            is_failure=any(waits.is_failure for waits in waiting),
            evidence={k: v for waits in reversed(waiting) for k, v in waits.evidence.items()},
        )
    sentence = " ".join(result.sentence for result in results)
    evidence = {"parts": [dict(result.evidence) for result in results]}
    if all(isinstance(result, NotNeeded) for result in results):
        return NotNeeded(sentence, evidence)
    return Done(sentence, evidence)
