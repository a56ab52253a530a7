"""What the desk writes to clients."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """A message: subject and body, plain text."""

    subject: str
    body: str


def confirmation(
    *,
    name: str,
    company: str,
    on: dt.date,
    suspended: Sequence[str] = (),
    cancelled: Sequence[str] = (),
) -> Text:
    """Tells a client that services have been stopped: those on the plans `suspended`, and those on
    the plans `cancelled`, for good. `on` is the date it counts from.
    """
    suspended, cancelled = _services(suspended), _services(cancelled)
    stopped = [
        *_stopped(suspended, "suspended", company),
        *_stopped(cancelled, "cancelled", company),
    ]
    them = "them" if len(suspended) + len(cancelled) > 1 else "it"
    day = f"{on.day} {on:%B %Y}"
    return Text(
        subject=f"Your {' and your '.join(subject for subject, _ in stopped)}",
        body=(
            f"Hello {name},\n\n"
            f"as you asked, your {' and your '.join(body for _, body in stopped)} as of {day}. "
            f"You will not be charged for {them} again.\n\n"
            f"If you see a charge for {them} after this date, please tell us and we will put it "
            "right.\n\n"
            f"{company}\n"
        ),
    )


def _services(plans: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(plan or "service" for plan in plans))


def _stopped(services: list[str], done: str, company: str) -> Iterator[tuple[str, str]]:
    """What became of some services, without the company and with it; nothing of none."""
    if services:
        *others, last = services
        names = f"{', '.join(others)} and {last}" if others else last
        became = f"{'have' if others else 'has'} been {done}"
        yield f"{names} {became}", f"{names} with {company} {became}"
