"""A worker that really runs, with passes that only say that they were made."""

from __future__ import annotations

import datetime as dt
import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy.exc
from dbos import DBOS
from django.db import OperationalError, connection, connections

from canceldesk import clock, engine, outside
from canceldesk.billsby import Unreachable
from canceldesk.cases import lease
from canceldesk.checks.services import Report
from canceldesk.clients import refreshing
from canceldesk.clients.models import Refresh
from canceldesk.configuration import services as configuration
from canceldesk.engine import housekeeping, place, queueing, signs, work
from canceldesk.engine import worker as workers
from canceldesk.outside import NotSetUpError
from tests.factories import make_case

pytestmark = pytest.mark.loopback  # an event loop needs a socket pair

PATIENCE = 20


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> queue.Queue[tuple[int, str]]:
    """The passes a worker makes, as they happen."""
    passes: queue.Queue[tuple[int, str]] = queue.Queue()

    def make_passes(case_id: int, *, owner: str) -> int:
        passes.put((case_id, owner))
        if case_id == 13:
            raise RuntimeError("thirteen breaks")
        return 1

    def nothing(*_arguments: Any) -> None:
        return None

    monkeypatch.setattr(work, "make_passes", make_passes)
    monkeypatch.setattr(work, "close_old_connections", nothing)
    monkeypatch.setattr(connections, "close_all", nothing)
    monkeypatch.setattr(configuration, "whole", lambda _name: 2)
    monkeypatch.setattr(housekeeping.Housekeeping, "run", nothing)
    monkeypatch.setattr(workers, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(workers, "CHORES_POLL_SECONDS", 0.02)
    return passes


def test_a_worker_does_what_was_queued_before_and_after_it_started(
    made: queue.Queue[tuple[int, str]],
) -> None:
    engine.enqueue(13)
    worker = engine.Worker()
    worker.start()
    try:
        assert made.get(timeout=PATIENCE) == (13, worker.executor_id)
        engine.enqueue(14)
        assert made.get(timeout=PATIENCE) == (14, worker.executor_id)
    finally:
        worker.stop()

    assert engine.check() == 0
    finished = {one.workflow_id.split("-")[1] for one in place.client().list_workflows()}
    assert finished == {"13", "14"}


def test_who_was_woken_goes_first_however_long_others_have_waited(
    made: queue.Queue[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "HANDED_OUT", 1)
    monkeypatch.setattr(configuration, "whole", lambda _name: 1)
    for case_id in (21, 22):
        engine.enqueue(case_id, after_the_woken=True)
    for case_id in (23, 22):
        engine.enqueue(case_id)
    worker = engine.Worker()
    worker.start()
    try:
        order = [made.get(timeout=PATIENCE)[0] for _ in range(4)]
    finally:
        worker.stop()

    assert order == [23, 22, 21, 22]


def test_a_stopped_worker_takes_no_more_work(made: queue.Queue[tuple[int, str]]) -> None:
    worker = engine.Worker()
    worker.start()
    worker.stop()

    engine.enqueue(15)

    assert made.empty()
    assert engine.check() == 1


@pytest.fixture
def drained_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "DRAIN_SECONDS", 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("drained_at_once")
def test_what_is_still_under_way_when_the_time_is_over_is_handed_back(
    made: queue.Queue[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    case, may_end = make_case(next_pass_at=clock.now()), threading.Event()
    held: queue.Queue[lease.Lease | None] = queue.Queue()

    def hangs(case_id: int, *, owner: str) -> int:
        held.put(lease.take(case_id, owner))
        connection.close()
        may_end.wait(PATIENCE)
        return 0

    monkeypatch.setattr(work, "make_passes", hangs)
    worker = engine.Worker()
    worker.start()
    engine.enqueue(case.pk)
    mine = held.get(timeout=PATIENCE)
    assert mine is not None
    try:
        worker.stop()
        assert lease.owners() == set()
        with pytest.raises(lease.LostLeaseError):
            lease.renew(mine)
        assert engine.sweep() == 1
    finally:
        may_end.set()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("drained_at_once", "made")
def test_a_chore_that_is_still_under_way_when_the_time_is_over_is_left_to_another_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, may_end = queue.Queue[str](), threading.Event()

    def lasts(_billsby: object) -> Refresh:
        begun.put(DBOS.executor_id)
        may_end.wait(PATIENCE)
        return Refresh(clients=1)

    monkeypatch.setattr(refreshing, "refresh_all", lasts)
    monkeypatch.setattr(outside, "billsby", object)
    queueing.enqueue_refresh()
    one, other = engine.Worker(), engine.Worker()
    one.start()
    try:
        assert begun.get(timeout=PATIENCE) == one.executor_id
        assert queueing.enqueue_refresh() is False
        one.stop()
        assert queueing.enqueue_refresh() is True
        other.start()
        assert begun.get(timeout=PATIENCE) == other.executor_id
    finally:
        may_end.set()
        other.stop()


def test_a_worker_ends_also_when_it_can_hand_nothing_back(
    made: queue.Queue[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_owners: object) -> int:
        raise OperationalError("the database is away")

    monkeypatch.setattr(lease, "revoke", away)
    worker = engine.Worker()
    worker.start()
    worker.stop()
    assert made.empty()


def test_no_more_passes_are_made_at_once_than_the_setting_says(
    made: queue.Queue[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most, guard = [0], [0], threading.Lock()
    both, enough = threading.Barrier(2), queue.Queue[int]()

    def counted(case_id: int, *, owner: str) -> int:
        with guard:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        both.wait(PATIENCE)
        with guard:
            at_once[0] -= 1
        enough.put(case_id)
        return 1

    monkeypatch.setattr(work, "make_passes", counted)
    for case_id in range(21, 29):
        engine.enqueue(case_id)
    worker = engine.Worker()
    worker.start()
    try:
        assert sorted(enough.get(timeout=PATIENCE) for _ in range(8)) == list(range(21, 29))
    finally:
        worker.stop()
    assert most == [2]
    assert made.empty()


def test_who_waits_for_a_place_when_a_worker_stops_is_left_to_another(
    made: queue.Queue[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = queue.Queue[int](), threading.Event()

    def hangs(case_id: int, *, owner: str) -> int:
        begun.put(case_id)
        may_end.wait(PATIENCE)
        return 1

    monkeypatch.setattr(work, "make_passes", hangs)
    for case_id in (31, 32, 33, 34):
        engine.enqueue(case_id)
    worker = engine.Worker()
    worker.start()
    first = {begun.get(timeout=PATIENCE), begun.get(timeout=PATIENCE)}
    threading.Timer(0.2, may_end.set).start()
    worker.stop()
    assert begun.empty()
    assert len(first) == 2
    assert made.empty()


def test_the_queue_has_the_size_the_setting_says(made: queue.Queue[tuple[int, str]]) -> None:
    worker = engine.Worker()
    worker.start()
    try:
        registered = place.client().retrieve_queue(queueing.PASSES)
        assert registered is not None
        assert registered.worker_concurrency == 2 * workers.HANDED_OUT
    finally:
        worker.stop()
    assert made.empty()


def test_a_worker_has_threads_for_what_it_is_handed_and_never_more(
    made: queue.Queue[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, make_passes = threading.Event(), work.make_passes

    def hangs(case_id: int, *, owner: str) -> int:
        may_end.wait(PATIENCE)
        return make_passes(case_id, owner=owner)

    monkeypatch.setattr(work, "make_passes", hangs)
    of_others = threading.enumerate()  # an earlier worker's may still be ending
    worker = engine.Worker()
    worker.start()
    try:
        passes = [DBOS.start_workflow(work._one_pass, case_id) for case_id in range(20, 40)]
        begun = [one for one in threading.enumerate() if one not in of_others]
        threads = [one for one in begun if one.name.startswith("dbos-executor")]
        may_end.set()
        for one in passes:
            one.get_result()
    finally:
        worker.stop()

    assert len(threads) == 2 * workers.HANDED_OUT + workers.THREADS_BESIDE
    assert made.qsize() == 20


class Chores(queue.Queue[str]):
    """Says which chores were done; what `goes_wrong` is raised by each."""

    goes_wrong: Exception | None = None

    def __init__(self) -> None:
        super().__init__()
        self.may_end = threading.Event()
        self.may_end.set()

    def refresh_all(self, _billsby: object) -> Refresh:
        self.may_end.wait(PATIENCE)
        self.put("refresh")
        if self.goes_wrong:
            raise self.goes_wrong
        return Refresh(clients=3)

    def compare_book(self, _billsby: object, _the_list: object) -> Report:
        self.may_end.wait(PATIENCE)
        self.put("compare")
        if self.goes_wrong:
            raise self.goes_wrong
        return Report(rows=3, of_cases=0, unmatched=3, unclear=0, unreadable=0, wrong={})


@pytest.fixture
def chores(monkeypatch: pytest.MonkeyPatch) -> Chores:
    done = Chores()
    monkeypatch.setattr(refreshing, "refresh_all", done.refresh_all)
    monkeypatch.setattr(work, "compare_book", done.compare_book)
    monkeypatch.setattr(outside, "billsby", object)
    monkeypatch.setattr(outside, "the_list", object)
    return done


def statuses() -> dict[str, str]:
    return {one.name: one.status for one in place.client().list_workflows()}


def compare_at_noon() -> bool:
    return queueing.enqueue_comparison(dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC))


def do_both(chores: Chores) -> None:
    queueing.enqueue_refresh()
    compare_at_noon()
    worker = engine.Worker()
    worker.start()
    try:
        assert {chores.get(timeout=PATIENCE), chores.get(timeout=PATIENCE)} == {
            "refresh",
            "compare",
        }
    finally:
        worker.stop()


@pytest.mark.usefixtures("made")
def test_a_worker_refreshes_the_clients_and_compares_the_book(chores: Chores) -> None:
    do_both(chores)

    assert statuses() == {"refresh_clients": "SUCCESS", "compare_book": "SUCCESS"}


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("enqueue", [queueing.enqueue_refresh, compare_at_noon])
def test_a_chore_gives_signs_of_life_while_it_is_under_way(
    chores: Chores, enqueue: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signs, "SIGN_SECONDS", 0.01)
    given, give = queue.Queue[str](), place.client().update_workflow_attributes

    def sign(chore: str, attributes: dict[str, Any]) -> None:
        give(chore, attributes)
        given.put(chore)

    monkeypatch.setattr(place.client(), "update_workflow_attributes", sign)
    chores.may_end.clear()
    enqueue()
    worker, watch = engine.Worker(), signs.ChoreWatch()
    worker.start()
    try:
        for _ in range(2 * signs.LOOKS):
            given.get(timeout=PATIENCE)
            assert watch.let_go_of_silent() == 0
    finally:
        chores.may_end.set()
        worker.stop()

    assert set(statuses().values()) == {"SUCCESS"}


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    "trouble",
    [
        Unreachable("Billsby did not answer."),
        NotSetUpError("Not set up."),
        RuntimeError("a fault of the desk's own"),
    ],
)
def test_a_comparison_that_could_not_be_made_is_kept_as_failed(
    chores: Chores, trouble: Exception
) -> None:
    chores.goes_wrong = trouble
    do_both(chores)

    assert statuses() == {"refresh_clients": "SUCCESS", "compare_book": "ERROR"}


@pytest.fixture
def launches(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happens when a worker is launched while its database is away once."""
    told: list[str] = []
    launch = DBOS.launch
    destroy = DBOS.destroy

    def away_once() -> None:
        told.append("launch")
        if told.count("launch") == 1:
            raise sqlalchemy.exc.OperationalError("SELECT 1", None, Exception("server closed"))
        launch()

    def destroyed(**named: Any) -> None:
        told.append("destroy")
        destroy(**named)

    monkeypatch.setattr(DBOS, "launch", away_once)
    monkeypatch.setattr(DBOS, "destroy", destroyed)
    monkeypatch.setattr(workers, "LAUNCH_RETRY_SECONDS", 0)
    return told


def test_a_worker_is_launched_again_when_the_database_was_away(
    made: queue.Queue[tuple[int, str]], launches: list[str]
) -> None:
    engine.enqueue(14)
    worker = engine.Worker()
    worker.start()
    try:
        assert made.get(timeout=PATIENCE) == (14, worker.executor_id)
    finally:
        worker.stop()
    assert launches == ["launch", "destroy", "launch", "destroy"]


def test_a_worker_whose_database_stays_away_says_so(
    made: queue.Queue[tuple[int, str]], launches: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "LAUNCH_TRIES", 1)
    with pytest.raises(sqlalchemy.exc.OperationalError):
        engine.Worker().start()
    assert launches == ["launch", "destroy"]
    assert made.empty()
