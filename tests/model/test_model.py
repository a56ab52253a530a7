"""Whatever happens in whatever order: the promises hold, and in peace every case comes to its end.

`CANCELDESK_MODEL_EXAMPLES` is how many stories are tried; without it a few, always the same.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Machine
from tests.model.world import stage

EXAMPLES = int(os.environ.get("CANCELDESK_MODEL_EXAMPLES", "0"))
A_FEW = 25

_ANY = settings(
    print_blob=False,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    stateful_step_count=30,
)
BRIEFLY = settings(
    _ANY,
    max_examples=A_FEW,
    derandomize=True,
    database=None,
    phases=[Phase.generate, Phase.shrink],
)
AT_LENGTH = settings(_ANY, max_examples=max(EXAMPLES, 1))


def test_no_story_breaks_a_promise(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with stage(monkeypatch) as made:
        machine = type("Story", (Machine,), {"stage": made})
        run_state_machine_as_test(machine, settings=AT_LENGTH if EXAMPLES else BRIEFLY)
