"""What a story is drawn from: accounts, settings, clients, faults and spans of time.

The plainest comes first in every choice, because that is what a failing story shrinks to.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from billsby_sandbox import faults, quirks
from canceldesk.workbook.errors import CannotSave, InUse, ListError
from tests.model.workers import MOST_POINTS

NUMBERS = {
    "max_renewal_days": ("20", "40", "100"),
    "dunning_retry_hours": ("1", "24"),
    "dunning_max_attempts": ("0", "1"),
    "dunning_write_off_delay_hours": ("1",),
    "webhook_duplicates": ("2",),
    "webhook_loss": ("50", "100"),
    "rate_limit": ("2", "10"),
}
NEVER_MET = {
    "invoice_query_matches": "the desk never searches invoices by words",
    "is_active_means": "the desk never asks for active subscriptions alone",
    "event_log_types": "the desk never reads a subscription's event log",
}
"""What the desk never comes upon in Billsby, so that no story can tell of it; and why."""
QUIRKS = [
    (name, value)
    for name, quirk in quirks.REGISTRY.items()
    if name not in NEVER_MET
    for value in (quirk.values or NUMBERS[name])
    if value != quirk.default
]
ACCOUNT = st.lists(st.sampled_from(QUIRKS), unique_by=lambda pair: pair[0], max_size=12)
NO_STOP_BY_PAUSING = {
    ("max_renewal_days", "20"),
    ("paused_shown", "active"),
    ("paused_shown", "on_hold"),
}
SETTINGS = [
    ("STOP_BY", "pause"),
    ("HOLD_FIRST", "no"),
    ("MONTHS_COUNTED", "started"),
    ("MONTHS_COUNTED", "paid"),
    ("HOLD_DAYS", "60"),
    ("AGENT_WRITE_OFF_LIMIT", "20.00"),
]
OTHER_WAYS = [
    ("STOP_BY", "suspend"),
    ("STOP_BY", "pause"),
    ("HOLD_FIRST", "no"),
    ("HOLD_FIRST", "yes"),
    ("MONTHS_COUNTED", "started"),
]
SPANS = {
    "a second": dt.timedelta(seconds=1),
    "half a minute": dt.timedelta(seconds=31),
    "two minutes": dt.timedelta(minutes=2),
    "a quarter of an hour": dt.timedelta(minutes=16),
    "seven hours": dt.timedelta(hours=7),
    "three days": dt.timedelta(days=3),
    "five weeks": dt.timedelta(days=35),
}
# Workers that run look at least so often. A client nobody has decided about is held three days
# before a charge, so that this leaves the desk time.
STEP = dt.timedelta(days=2)
TROUBLES: list[ListError] = [
    InUse("Pat has the workbook open. Nothing was written.", by="Pat"),
    CannotSave("The disk is full. Nothing was written."),
]
SOUGHT = ["Nora", "Field", "NORA", "nora.field@example.com", "Omar Reed"]
WHICH = st.integers(0, 3)
POINT = st.integers(1, MOST_POINTS)


@dataclass(frozen=True)
class Someone:
    """A client as they are when the story begins. `asked` is what was decided about a wish of
    theirs already ("filed": nothing yet). `owes` are open invoices: for which service (2: for
    none), how much, and their status.
    """

    asked: str = ""
    services: int = 1
    is_twin: bool = False
    charged_in_days: int = 10
    pays: bool = True
    status: str = "Active"
    owes: tuple[tuple[int, int, str], ...] = ()


SOMEONE = st.builds(
    Someone,
    asked=st.sampled_from(["suspend", "", "filed", "cancel"]),
    services=st.integers(1, 2),
    is_twin=st.booleans(),
    charged_in_days=st.sampled_from([10, 1, 4, 45]),
    pays=st.booleans().map(lambda fails: not fails),
    status=st.sampled_from(["Active", "InTrial", "Paused"]),
    owes=st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from([2000, 9900]),
            st.sampled_from(["Unpaid", "Pending", "ToBeWrittenOff"]),
        ),
        max_size=2,
    ).map(tuple),
)
FAULT = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(faults.KINDS),
        "status": st.sampled_from([500, 400, 404, 409, 429, 503]),
        "retry_after": st.sampled_from(["", "7"]),
        "rubbish": st.sampled_from(["html", "half_json", "wrong_customer"]),
        "skip": st.integers(0, 5),
        "times": st.integers(1, 3),
    }
)
CALLS = [
    ("*", "*"),
    ("GET", "*"),
    ("PUT", "*/renewaldate"),
    ("PUT", "*/WrittenOff"),
    ("DELETE", "*"),
    ("GET", "*/subscriptions/*"),
    ("GET", "*/invoices"),
]


def told(fault: dict[str, Any]) -> str:
    """A fault in words."""
    how = {"status": f"status {fault['status']}", "rubbish": f"rubbish ({fault['rubbish']})"}
    times = f"{fault['times']} after {fault['skip']}"
    return f"{how.get(fault['kind'], fault['kind'])}, {times}"
