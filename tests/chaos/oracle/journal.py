"""What the driver of the run wrote down: deeds of people, mischief, and steps of the clocks."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.chaos.oracle import values
from tests.chaos.oracle.violation import UnreadableError

DONE = 303


@dataclass(frozen=True)
class Deed:
    """One line of the journal; `at` is the real time."""

    at: dt.datetime
    who: str
    what: str
    facts: dict[str, Any]

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in self.facts.items())
        return f"journal {self.at.isoformat()} {self.who} {self.what}: {told}"

    @property
    def succeeded(self) -> bool:
        """Whether the person was told that it was done. A new request leads on to its case, and
        so does everything on a case's page; to somebody signed out all leads to the door.
        """
        if self.what == "filed":
            return bool(self.facts.get("case"))
        return self.facts.get("status") == DONE and not self.facts.get("refused")


class Journal:
    """The whole journal, oldest first."""

    def __init__(self, deeds: list[Deed]) -> None:
        self.deeds = deeds

    @classmethod
    def read(cls, path: Path) -> Journal:
        """Raises UnreadableError. A last line that was cut off is left out."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as problem:
            raise UnreadableError(f"The journal cannot be read: {problem}") from problem
        found = []
        for number, line in enumerate(lines, start=1):
            try:
                found.append(_deed(json.loads(line)))
            except (ValueError, KeyError) as problem:
                if number == len(lines):
                    break
                raise UnreadableError(f"Line {number} of the journal: {problem}") from problem
        return cls(found)

    def of(self, *whats: str) -> Iterator[Deed]:
        """The deeds of some kinds, oldest first."""
        return (deed for deed in self.deeds if deed.what in whats)

    @cached_property
    def skew(self) -> dt.timedelta:
        """How far single processes' clocks were set apart from the desk's."""
        apart = [abs(float(deed.facts.get("skew") or 0)) for deed in self.of("started")]
        return dt.timedelta(seconds=max(apart, default=0))

    @cached_property
    def desk_clock(self) -> list[tuple[dt.datetime, dt.timedelta]]:
        """From which real moment on the desk's clock was how far from the real one."""
        start = (values.LONG_AGO, dt.timedelta(0))
        steps = [
            (deed.at, dt.timedelta(seconds=float(deed.facts["offset_seconds"])))
            for deed in self.of("clock")
        ]
        return [start, *steps]

    def desk_time(self, real: dt.datetime) -> dt.datetime:
        """What the desk's clock showed at a real moment."""
        return real + [offset for at, offset in self.desk_clock if at <= real][-1]

    @cached_property
    def end_of_work(self) -> dt.datetime | None:
        """The real moment up to which the desk's processes were at work."""
        peace = [deed.at for deed in self.of("peace")]
        ends = [deed.at for deed in self.of("billing", "end") if not peace or deed.at >= peace[-1]]
        return min(ends, default=self.deeds[-1].at if self.deeds else None)


def _deed(entry: dict[str, Any]) -> Deed:
    at = values.certain(entry.pop("at"))
    return Deed(at, str(entry.pop("who", "")), str(entry.pop("what")), entry)
