"""Whatever an account may be like, some story is told of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import canceldesk
from billsby_sandbox import quirks
from billsby_sandbox.quirks import Quirk
from tests.model import draws

# A call that comes upon the quirk, as the desk's code would make it.
CALLS = {
    "invoice_query_matches": r"company_invoices\([^)]*\bquery\b",
    "is_active_means": r"\bsubscriptions\([^)]*\bis_active\b",
    "event_log_types": r"\bsubscription_log\(",
}


@pytest.mark.parametrize("quirk", quirks.REGISTRY.values(), ids=lambda quirk: quirk.name)
def test_every_value_of_every_quirk_is_drawn_unless_the_desk_never_meets_it(quirk: Quirk) -> None:
    drawn = [value for name, value in draws.QUIRKS if name == quirk.name]
    if quirk.name in draws.NEVER_MET:
        assert not drawn
    elif quirk.values:
        assert {*drawn, quirk.default} == set(quirk.values)
    else:
        assert drawn
        assert quirk.default not in drawn
    assert all(quirks.checked(quirk.name, value) == value for value in drawn)


@pytest.mark.parametrize("name", draws.NEVER_MET)
def test_the_desk_makes_no_call_that_would_come_upon_what_is_never_drawn(name: str) -> None:
    assert draws.NEVER_MET[name]
    assert name in quirks.REGISTRY
    making = [path for path in _the_desks_code() if re.search(CALLS[name], path.read_text())]
    assert not making


def _the_desks_code() -> list[Path]:
    """All of it but the client, which can make every published call."""
    room = Path(canceldesk.__file__).parent
    return [path for path in room.rglob("*.py") if room / "billsby" not in path.parents]
