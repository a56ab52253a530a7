"""A small run on each database; `make chaos` makes the large ones."""

from __future__ import annotations

import pytest

from tests.chaos.running import run


@pytest.mark.chaos
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_nothing_is_lost_and_nothing_doubled_in_a_small_run(tmp_path, database):
    outcome = run(
        tmp_path / "run", seed=1, cases=25, kills=20, database=database, workers=3, lasts=20
    )
    assert not outcome.violations, outcome.report()
