"""What the desk writes to clients."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """A message: subject and body, plain text."""

    subject: str
    body: str


def confirmation(*, name: str, company: str, plan: str, on: dt.date, is_final: bool) -> Text:
    """Tells a client that the service has been stopped. `on` is the date it counts from."""
    done = "cancelled" if is_final else "suspended"
    service = plan or "service"
    day = f"{on.day} {on:%B %Y}"
    return Text(
        subject=f"Your {service} has been {done}",
        body=(
            f"Hello {name},\n\n"
            f"as you asked, your {service} with {company} has been {done} as of {day}. "
            "You will not be charged for it again.\n\n"
            "If you see a charge for it after this date, please tell us and we will put it "
            "right.\n\n"
            f"{company}\n"
        ),
    )
