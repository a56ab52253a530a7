from __future__ import annotations

import random
from collections import Counter

from tests.chaos.coverage import MUST_BE_HIT, SELDOM, Coverage
from tests.chaos.mischief import PER_100_SECONDS, plan_mischief


def test_the_same_seed_plans_the_same_mischief():
    assert plan_mischief(7, kills=50, lasts=100) == plan_mischief(7, kills=50, lasts=100)
    assert [e.how for e in plan_mischief(7, kills=50, lasts=100)] == [
        e.how for e in plan_mischief(7, kills=50, lasts=100)
    ]
    assert plan_mischief(7, kills=50, lasts=100) != plan_mischief(8, kills=50, lasts=100)


def test_a_plan_has_every_kind_of_mischief_in_order_and_all_the_kills():
    events = plan_mischief(3, kills=40, lasts=20)
    counted = Counter(event.what for event in events)
    assert set(counted) == {"kill", *PER_100_SECONDS}
    assert counted["kill"] == 40
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert all(0 <= event.at <= 20 for event in events)


def test_coverage_draws_the_same_triggers_for_the_same_seed():
    one, other = (Coverage(random.Random(5)) for _ in range(2))
    kinds = ["worker", "web", "billsby"] * 10
    assert [one.arm(kind) for kind in kinds] == [other.arm(kind) for kind in kinds]


def test_what_was_hit_is_no_longer_missing():
    coverage = Coverage(random.Random(5))
    assert len(coverage.missing()) == sum(map(len, MUST_BE_HIT.values()))
    for kind, names in MUST_BE_HIT.items():
        for name in names:
            coverage.note(kind, name)
    assert coverage.missing() == []
    assert not any(coverage.arm_for_missing(kind) for kind in MUST_BE_HIT)
    assert all(len(coverage.arm(kind)) == 1 for kind in MUST_BE_HIT)


def test_most_of_the_newborn_live_for_the_last_point_that_is_missing():
    coverage = Coverage(random.Random(5))
    for name in MUST_BE_HIT["worker"][1:]:
        coverage.note("worker", name)
    last = MUST_BE_HIT["worker"][0]

    armed = [coverage.arm("worker") for _ in range(100)]

    assert all(last in triggers for triggers in armed)
    assert sum(set(triggers) == {last} for triggers in armed) > 50


def test_all_of_the_newborn_wait_for_what_comes_by_seldom():
    coverage = Coverage(random.Random(5))
    assert all(coverage.arm("worker").keys() >= SELDOM for _ in range(100))
    for name in SELDOM:
        coverage.note("worker", name)
    assert not any(coverage.arm("worker").keys() & SELDOM for _ in range(30))
