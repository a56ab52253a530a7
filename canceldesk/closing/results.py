"""What a step of a pass can come to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
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
