from __future__ import annotations

import datetime as dt

import pytest

from canceldesk import clock, engine
from canceldesk.cases import lease, waking
from canceldesk.cases.models import Case
from canceldesk.engine import work
from tests.factories import make_case

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


class Passes:
    """Stands for `advance`: notes who was looked at by whom, and settles the case."""

    def __init__(self) -> None:
        self.made: list[tuple[int, str]] = []
        self.woken_times = 0

    def __call__(self, case_id: int, *, owner: str) -> bool:
        self.made.append((case_id, owner))
        Case.objects.filter(pk=case_id).update(next_pass_at=None)
        if self.woken_times:
            self.woken_times -= 1
            waking.wake(case_id)
        return True


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Passes:
    made = Passes()
    monkeypatch.setattr(work, "advance", made)
    return made


def due_case(minutes_ago: int = 1) -> Case:
    return make_case(next_pass_at=clock.now() - dt.timedelta(minutes=minutes_ago))


def test_a_pass_is_made_in_the_name_of_its_worker(passes: Passes) -> None:
    case = due_case()

    assert engine.make_passes(case.pk, owner="worker-1") == 1
    assert passes.made == [(case.pk, "worker-1")]


def test_a_case_woken_during_its_pass_is_looked_at_again_at_once(passes: Passes) -> None:
    case = due_case()
    passes.woken_times = 1

    assert engine.make_passes(case.pk, owner="worker-1") == 2


def test_a_case_that_is_woken_again_and_again_does_not_keep_a_worker(passes: Passes) -> None:
    case = due_case()
    passes.woken_times = 99

    assert engine.make_passes(case.pk, owner="worker-1") == work.PASSES_IN_A_ROW


def test_a_case_somebody_else_works_on_is_left_alone() -> None:
    case = due_case()
    lease.take(case.pk, "another worker")

    assert engine.make_passes(case.pk, owner="worker-1") == 0


def test_a_pass_that_breaks_does_not_end_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_case_id: int, *, owner: str) -> bool:
        raise RuntimeError(f"broken for {owner}")

    monkeypatch.setattr(work, "advance", broken)
    case = due_case()

    assert engine.make_passes(case.pk, owner="worker-1") == 0
    case.refresh_from_db()
    assert case.next_pass_at is not None


def test_what_is_due_can_be_done_without_any_engine(passes: Passes) -> None:
    later, sooner = due_case(1), due_case(2)
    make_case(next_pass_at=clock.now() + dt.timedelta(minutes=1))

    assert engine.run_due(owner="me") == 2
    assert passes.made == [(sooner.pk, "me"), (later.pk, "me")]


def test_no_more_cases_are_taken_up_than_asked_for(passes: Passes) -> None:
    due_case(1)
    sooner = due_case(2)

    assert engine.run_due(1) == 1
    assert [case_id for case_id, _ in passes.made] == [sooner.pk]
