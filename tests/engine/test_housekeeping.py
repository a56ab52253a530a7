from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable

import pytest

from canceldesk import clock, engine, outside
from canceldesk.cases import lease, log
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, LogEntry
from canceldesk.clients.models import Refresh
from canceldesk.engine import housekeeping, place, queueing
from canceldesk.outside import NotSetUpError
from tests.engine.conftest import cases_queued, queued, rewrite
from tests.factories import make_case
from tests.fakes import FakeList

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

MINUTE = dt.timedelta(minutes=1)


# ------------------------------------------------------------------ sweeping


def test_every_due_case_is_queued_the_longest_waiting_first() -> None:
    later = make_case(next_pass_at=clock.now() - MINUTE)
    sooner = make_case(next_pass_at=clock.now() - 2 * MINUTE)
    make_case(next_pass_at=clock.now() + MINUTE)
    make_case(next_pass_at=None)

    assert engine.sweep() == 2
    assert cases_queued() == [sooner.pk, later.pk]


def test_who_is_woken_after_a_sweep_goes_before_what_it_found_themselves_included() -> None:
    case = make_case(next_pass_at=clock.now())
    engine.sweep()
    assert engine.enqueue(case.pk) is True

    swept, woken = (one.priority for one in queued())
    assert swept is not None
    assert woken is not None
    assert woken < swept  # the smaller number goes first
    assert engine.sweep() == 0


def test_a_second_sweep_finds_everything_queued() -> None:
    make_case(next_pass_at=clock.now())
    engine.sweep()

    assert engine.sweep() == 0


def test_a_case_somebody_works_on_is_not_queued() -> None:
    case = make_case(next_pass_at=clock.now())
    lease.take(case.pk, "a living worker")

    assert engine.sweep() == 0


def test_a_case_of_a_dead_worker_is_queued_when_its_lease_has_run_out() -> None:
    case = make_case(next_pass_at=clock.now())
    lease.take(case.pk, "a dead worker")
    clock.advance(lease.LENGTH + dt.timedelta(seconds=1))

    assert engine.sweep() == 1
    assert cases_queued() == [case.pk]
    assert lease.LENGTH.total_seconds() + housekeeping.SWEEP_SECONDS < 60


def test_a_sweep_asks_the_engine_nothing_while_nothing_is_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(housekeeping, "client", _nobody)

    assert engine.sweep() == 0


def _taken_from_the_queue(ago: dt.timedelta) -> None:
    rewrite(
        status="PENDING", executor_id="another-machine", started_at_epoch_ms=_milliseconds_ago(ago)
    )


@pytest.mark.parametrize("ago", [queueing.PASS_LIMIT + dt.timedelta(seconds=1), -60 * MINUTE])
def test_a_case_of_a_machine_that_died_is_queued_whatever_its_clock_said(
    ago: dt.timedelta,
) -> None:
    case = make_case(next_pass_at=clock.now())
    engine.sweep()
    _taken_from_the_queue(ago)
    rewrite(workflow_deadline_epoch_ms=_milliseconds_ago(-60 * MINUTE))

    assert engine.sweep() == 1
    assert cases_queued() == [case.pk]


def test_a_pass_that_has_just_been_taken_from_the_queue_is_left_to_who_took_it() -> None:
    make_case(next_pass_at=clock.now())
    engine.sweep()
    _taken_from_the_queue(dt.timedelta(seconds=40))

    assert engine.sweep() == 0


def test_a_long_pass_of_a_case_that_somebody_works_on_is_left_alone() -> None:
    case = make_case(next_pass_at=clock.now())
    engine.sweep()
    _taken_from_the_queue(10 * MINUTE)
    lease.take(case.pk, "another machine")

    assert engine.sweep() == 0
    assert engine.enqueue(case.pk, after_the_woken=True) is False


# ------------------------------------------------------------------ tidying


def _milliseconds_ago(ago: dt.timedelta) -> int:
    return int((dt.datetime.now(tz=dt.UTC) - ago).timestamp() * 1000)


@pytest.mark.parametrize("status", ["SUCCESS", "ERROR", "CANCELLED"])
def test_finished_passes_are_forgotten_after_a_while(status: str) -> None:
    engine.enqueue(7)
    rewrite(status=status, completed_at=_milliseconds_ago(11 * MINUTE))

    assert engine.tidy() == 1
    assert place.client().list_workflows() == []


def test_however_many_have_finished_they_are_forgotten_a_few_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together: list[int] = []
    delete = place.client().delete_workflows

    def counted(names: list[str]) -> None:
        together.append(len(names))
        delete(names)

    monkeypatch.setattr(housekeeping, "FORGOTTEN_TOGETHER", 2)
    monkeypatch.setattr(place.client(), "delete_workflows", counted)
    for case_id in range(5):
        engine.enqueue(case_id)
    rewrite(status="SUCCESS", completed_at=_milliseconds_ago(11 * MINUTE))

    assert engine.tidy() == 5
    assert together == [2, 2, 1]
    assert place.client().list_workflows() == []


def test_what_has_just_finished_is_kept() -> None:
    engine.enqueue(7)
    rewrite(status="SUCCESS", completed_at=_milliseconds_ago(9 * MINUTE))

    assert engine.tidy() == 0


def test_finished_chores_are_kept_for_a_day_and_more() -> None:
    queueing.enqueue_refresh()
    rewrite(status="SUCCESS", completed_at=_milliseconds_ago(dt.timedelta(hours=30)))
    assert engine.tidy() == 0

    rewrite(completed_at=_milliseconds_ago(dt.timedelta(hours=49)))
    assert engine.tidy() == 1


def test_what_waits_is_never_forgotten() -> None:
    engine.enqueue(7)
    rewrite(created_at=_milliseconds_ago(dt.timedelta(days=9)))

    assert engine.tidy() == 0
    assert cases_queued() == [7]


# ------------------------------------------------------------------ taking over


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> str:
    """A worker of this machine that has died."""
    monkeypatch.setattr(housekeeping, "is_dead", "dead-worker".__eq__)
    return "dead-worker"


def test_what_a_dead_process_of_this_machine_held_can_be_queued_again(dead: str) -> None:
    engine.enqueue(7)
    rewrite(status="PENDING", executor_id=dead)
    assert engine.enqueue(7) is False

    engine.tidy()

    assert engine.enqueue(7) is True


@pytest.mark.usefixtures("dead")
@pytest.mark.parametrize("executor", ["a-living-worker", "another-machine", "local", None])
def test_what_the_living_and_other_machines_hold_is_left_to_them(executor: str | None) -> None:
    engine.enqueue(7)
    rewrite(status="PENDING", executor_id=executor)

    engine.tidy()

    assert engine.enqueue(7) is False


def test_a_case_that_died_with_a_process_of_this_machine_is_due_at_once(dead: str) -> None:
    case = make_case(next_pass_at=clock.now())
    slept = lease.take(case.pk, dead)
    engine.enqueue(case.pk)
    rewrite(status="PENDING", executor_id=dead)
    assert engine.sweep() == 0

    assert engine.take_over() == 1

    assert engine.sweep() == 1
    assert slept is not None
    with pytest.raises(lease.LostLeaseError):
        lease.renew(slept)


@pytest.mark.usefixtures("dead")
def test_cases_of_living_workers_are_not_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_case(next_pass_at=clock.now())
    lease.take(case.pk, "a living worker")
    monkeypatch.setattr(housekeeping, "client", _nobody)

    assert engine.take_over() == 0

    assert lease.owners() == {"a living worker"}


def test_the_lease_is_kept_until_the_engine_has_let_go(
    dead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case(next_pass_at=clock.now())
    lease.take(case.pk, dead)
    monkeypatch.setattr(housekeeping, "client", _nobody)

    with pytest.raises(AssertionError):
        engine.take_over()

    assert lease.owners() == {dead}


# ------------------------------------------------------------------ leases of other machines


class Here:
    """The time that passes on this machine, whatever any clock says."""

    def __init__(self) -> None:
        self.now = 1000.0

    def passes(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Here:
    made = Here()
    monkeypatch.setattr("time.monotonic", lambda: made.now)
    return made


AHEAD = dt.timedelta(seconds=80)


def _by_a_clock_that_is_ahead(do: Callable[[], lease.Lease | None]) -> lease.Lease:
    clock.advance(AHEAD)
    taken = do()
    clock.advance(-AHEAD)
    assert taken is not None
    return taken


def test_a_machine_that_died_with_its_clock_ahead_is_taken_over_within_a_minute(
    here: Here,
) -> None:
    case = make_case(next_pass_at=clock.now())
    slept = _by_a_clock_that_is_ahead(lambda: lease.take(case.pk, "another machine"))
    watch, ended = housekeeping.LeaseWatch(), 0
    waited = 0.0
    while not ended and waited < 200:
        here.passes(housekeeping.SWEEP_SECONDS)
        clock.advance(dt.timedelta(seconds=housekeeping.SWEEP_SECONDS))
        waited += housekeeping.SWEEP_SECONDS
        ended = watch.end_unrenewed()

    assert ended == 1
    assert waited + housekeeping.SWEEP_SECONDS < 60
    assert engine.sweep() == 1
    with pytest.raises(lease.LostLeaseError):
        lease.renew(slept)


def test_a_lease_that_is_renewed_stays_however_long_it_is_held(here: Here) -> None:
    case = make_case(next_pass_at=clock.now())
    mine = lease.take(case.pk, "another machine")
    assert mine is not None
    watch = housekeeping.LeaseWatch()
    for _ in range(6):
        assert watch.end_unrenewed() == 0
        here.passes(40)
        clock.advance(dt.timedelta(seconds=40))
        lease.renew(mine)

    assert watch.end_unrenewed() == 0
    assert lease.owners() == {"another machine"}


def test_a_lease_that_was_given_back_and_taken_anew_is_another(here: Here) -> None:
    case = make_case(next_pass_at=clock.now())
    watch = housekeeping.LeaseWatch()
    for _ in range(3):
        taken = lease.take(case.pk, "another machine")
        assert taken is not None
        assert watch.end_unrenewed() == 0
        here.passes(30)
        lease.give_back(taken)

    lease.take(case.pk, "another machine")
    assert watch.end_unrenewed() == 0


def test_a_lease_that_is_renewed_at_the_last_moment_is_kept(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case(next_pass_at=clock.now())
    mine = lease.take(case.pk, "another machine")
    assert mine is not None
    watch = housekeeping.LeaseWatch()
    watch.end_unrenewed()
    here.passes(51)
    clock.advance(dt.timedelta(seconds=1))
    seen = lease.held()
    lease.renew(mine)
    monkeypatch.setattr(lease, "held", lambda: seen)

    assert watch.end_unrenewed() == 0
    assert lease.owners() == {"another machine"}


def _nobody() -> None:
    raise AssertionError("the engine was asked")


# ------------------------------------------------------------------ chores by the clock


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "billsby", object)
    monkeypatch.setattr(outside, "the_list", FakeList)


def _refreshed(ago: dt.timedelta, *, problem: str = "", ended: bool = True) -> None:
    at = clock.now() - ago
    Refresh.objects.create(started_at=at, ended_at=at if ended else None, problem=problem)


def test_no_refresh_while_billsby_is_not_set_up() -> None:
    assert housekeeping.refresh_is_due() is False


@pytest.mark.usefixtures("set_up")
def test_an_empty_copy_is_refreshed_at_once() -> None:
    assert housekeeping.refresh_if_due() is True
    assert housekeeping.refresh_if_due() is False


@pytest.mark.usefixtures("set_up")
@pytest.mark.parametrize(("ago", "is_due"), [(14 * MINUTE, False), (15 * MINUTE, True)])
def test_a_copy_is_refreshed_as_often_as_the_setting_says(
    ago: dt.timedelta, *, is_due: bool
) -> None:
    _refreshed(ago)

    assert housekeeping.refresh_is_due() is is_due


@pytest.mark.usefixtures("set_up")
@pytest.mark.parametrize("problem", ["", "Billsby did not answer."])
@pytest.mark.parametrize(("ahead", "is_due"), [(15 * MINUTE, False), (16 * MINUTE, True)])
def test_a_refresh_stamped_by_a_clock_far_ahead_is_not_the_newest_for_ever(
    ahead: dt.timedelta, problem: str, *, is_due: bool
) -> None:
    _refreshed(-ahead, problem=problem)
    assert housekeeping.refresh_is_due() is is_due

    _refreshed(dt.timedelta(0))
    assert housekeeping.refresh_is_due() is False


@pytest.mark.usefixtures("set_up")
def test_a_refresh_that_failed_is_tried_again_sooner() -> None:
    _refreshed(MINUTE, problem="Billsby did not answer.")

    assert housekeeping.refresh_is_due() is True


@pytest.mark.usefixtures("set_up")
def test_a_refresh_that_never_ended_is_made_again() -> None:
    _refreshed(dt.timedelta(seconds=5), ended=False)

    assert housekeeping.refresh_is_due() is True


@pytest.mark.usefixtures("set_up")
def test_the_book_is_compared_once_there_is_a_copy_and_once_a_day() -> None:
    assert housekeeping.compare_if_due() is False

    _refreshed(MINUTE)
    assert housekeeping.compare_if_due() is True
    assert housekeeping.compare_if_due() is False

    rewrite(status="SUCCESS", deduplication_id=None)
    clock.advance(dt.timedelta(hours=3))
    assert housekeeping.compare_if_due() is False

    clock.advance(dt.timedelta(hours=21))
    assert housekeeping.compare_if_due() is True


@pytest.mark.usefixtures("set_up")
def test_a_comparison_that_failed_is_tried_again_within_the_hour_after() -> None:
    _refreshed(MINUTE)
    housekeeping.compare_if_due()
    rewrite(status="ERROR", deduplication_id=None)

    assert housekeeping.compare_if_due() is False
    clock.advance(dt.timedelta(hours=1))
    assert housekeeping.compare_if_due() is True


def test_no_comparison_without_a_workbook(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise NotSetUpError("No workbook is set up yet.")

    monkeypatch.setattr(outside, "billsby", object)
    monkeypatch.setattr(outside, "the_list", missing)

    assert housekeeping.compare_if_due() is False
    assert queued(queueing.CHORES) == []


# ------------------------------------------------------------------ the thread


@pytest.fixture
def chores(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], threading.Event]:
    """Replaces the chores; each fires an event the second time it is done."""
    events = {
        name: threading.Event() for name in ("sweep", "take_over", "tidy", "refresh", "compare")
    }

    def chore(name: str) -> Callable[[], None]:
        calls: list[int] = []

        def do() -> None:
            calls.append(1)
            if len(calls) > 1:
                events[name].set()
            elif name == "sweep":
                raise RuntimeError("the first sweep fails")

        do.__name__ = name
        return do

    monkeypatch.setattr(housekeeping, "sweep", chore("sweep"))
    monkeypatch.setattr(housekeeping, "take_over", chore("take_over"))
    monkeypatch.setattr(housekeeping, "tidy", chore("tidy"))
    monkeypatch.setattr(housekeeping, "refresh_if_due", chore("refresh"))
    monkeypatch.setattr(housekeeping, "compare_if_due", chore("compare"))
    monkeypatch.setattr(housekeeping, "SWEEP_SECONDS", 0.01)
    monkeypatch.setattr(housekeeping, "TIDY_SECONDS", 0.01)
    return events.__getitem__


def test_the_chores_go_on_after_one_of_them_failed(
    chores: Callable[[str], threading.Event],
) -> None:
    thread = housekeeping.Housekeeping()
    thread.start()
    done = [chores(name).wait(10) for name in ("sweep", "take_over", "tidy", "refresh", "compare")]
    thread.end()

    assert done == [True] * 5
    assert not thread.is_alive()


def test_ending_what_never_began_is_no_error() -> None:
    housekeeping.Housekeeping().end()


# ------------------------------------------------------------------ the clock


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes but what the test lets pass."""
    monkeypatch.setattr("time.monotonic", lambda: 1000.0)


@pytest.mark.usefixtures("still")
def test_a_clock_set_back_is_put_right_once() -> None:
    case = make_case(next_pass_at=clock.now() + MINUTE)
    stepping = housekeeping.SteppingClock()
    assert stepping.put_right_if_set_back() is False

    clock.advance(-dt.timedelta(hours=1))

    assert stepping.put_right_if_set_back() is True
    case.refresh_from_db()
    assert case.next_pass_at == clock.now()
    assert stepping.put_right_if_set_back() is False


@pytest.mark.usefixtures("still")
@pytest.mark.parametrize("by", [dt.timedelta(hours=1), dt.timedelta(seconds=-30), dt.timedelta(0)])
def test_a_clock_set_ahead_or_a_little_back_needs_nobody(by: dt.timedelta) -> None:
    stepping = housekeeping.SteppingClock()
    clock.advance(by)
    assert stepping.put_right_if_set_back() is False


@pytest.mark.usefixtures("still")
def test_a_clock_set_back_while_no_worker_ran_is_noticed_at_the_start() -> None:
    log.record(Verb.CASE_FILED, case=make_case())
    clock.advance(-dt.timedelta(hours=1))
    stepping = housekeeping.SteppingClock()
    assert stepping.put_right_if_set_back() is True
    assert stepping.put_right_if_set_back() is False


def _another_machine_writes(case: Case) -> None:
    """By a clock that is an hour ahead of everybody's."""
    LogEntry.objects.create(verb=Verb.CASE_FILED, case=case, at=clock.now() + 60 * MINUTE)


@pytest.mark.usefixtures("still")
def test_what_another_machine_wrote_by_a_clock_ahead_is_put_right_once_it_has_stopped() -> None:
    stepping = housekeeping.SteppingClock()
    stepping.put_right_if_set_back()
    case = make_case(next_pass_at=clock.now() + MINUTE)
    asked = [stepping.put_right_if_another_was()]
    for _ in range(2):
        _another_machine_writes(case)
        asked.append(stepping.put_right_if_another_was())
    asked += [stepping.put_right_if_another_was() for _ in range(3)]

    assert asked == [False, False, False, True, False, False]
    case.refresh_from_db()
    assert case.next_pass_at == clock.now()


@pytest.mark.usefixtures("still")
def test_what_was_put_right_at_the_start_is_not_put_right_again() -> None:
    _another_machine_writes(make_case())
    stepping = housekeeping.SteppingClock()
    assert stepping.put_right_if_set_back() is True
    assert [stepping.put_right_if_another_was() for _ in range(3)] == [False] * 3


def test_time_that_passes_is_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    stepping = housekeeping.SteppingClock()
    later = time.monotonic() + 3600
    monkeypatch.setattr("time.monotonic", lambda: later)
    clock.advance(dt.timedelta(hours=1))
    assert stepping.put_right_if_set_back() is False
