"""The judge finds what it is there to find: each test breaks the desk in one way, and a plain story
shows it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from canceldesk import clock
from canceldesk.cases import log
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, State, WaitsFor
from canceldesk.closing import advance, holding, invoices, listing, services, undecided
from canceldesk.closing.models import Step
from canceldesk.closing.results import Done, Waits
from canceldesk.closing.steps import clear, document, stop, verify
from canceldesk.configuration import services as configuration
from tests.model import draws
from tests.model.judging.wrong import Wrong
from tests.model.machine import Machine
from tests.model.outside import ON_ITS_WAY
from tests.model.peace import Peace
from tests.model.workers import MOST_POINTS, Sleeper
from tests.model.world import stage


class Story(Machine):
    """A machine that a test drives by hand."""

    def tell(self, sentence: str) -> None:
        """Nobody listens."""

    def one_client(self, asked: str = "suspend", **someone: Any) -> Case:
        """A client who asked to stop, and what was decided about it."""
        self.uids = []
        with self.happening():
            self.enter(0, draws.Someone(asked=asked, **someone))
        return self.one(0)

    def another_client(self) -> Case:
        """A second one, of whom the same was decided."""
        with self.happening():
            self.enter(1, draws.Someone(asked="suspend"))
        return self.one(0)

    def a_pass(self, case: Case) -> None:
        with self.happening():
            self.world.make_pass(case)

    def peace(self) -> None:
        with self.happening():
            Peace(self.world, self.tell).comes()


@pytest.fixture
def story(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    with stage(monkeypatch) as made:
        told = type("Told", (Story,), {"stage": made})()
        yield told
        told.world.close()


def broken(*_: object, **__: object) -> None:
    """What is planted in the place of something that would have done its work."""


def test_a_desk_that_is_not_broken_comes_to_its_end(story: Story) -> None:
    case = story.one_client(owes=((0, 2000, "Unpaid"),))
    story.another_client()
    story.peace()
    case.refresh_from_db()
    assert case.state == State.CLOSED
    assert len(story.world.the_list.rows) == 2


def test_a_second_row_of_a_case_is_found(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    case = story.one_client()
    monkeypatch.setattr(document, "_confirm", broken)
    monkeypatch.setattr(listing, "mine", lambda *_: [])
    story.a_pass(case)
    with pytest.raises(Wrong, match="now 2 rows say that, for 1 case"):
        story.a_pass(case)


def test_a_row_with_a_wrong_value_is_found(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    case = story.one_client()
    monkeypatch.setattr("canceldesk.closing.steps.facts.months", lambda *_: 1)
    with pytest.raises(Wrong, match="The facts of"):
        story.a_pass(case)


def test_a_row_of_an_undecided_case_is_found(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    case = story.one_client()
    configuration.change("HOLD_FIRST", "no")

    def a_manager_is_quicker(work: Any) -> None:
        row = listing.row_for(work.facts)
        story.desk.take_back(case)
        story.world.the_list.add(row)

    monkeypatch.setattr(document, "_write_unless_there", a_manager_is_quicker)
    monkeypatch.setattr("canceldesk.cases.lease.renew", broken)
    with pytest.raises(Wrong, match="was written, but it is retention"):
        story.a_pass(case)


def test_a_row_taken_out_for_another_is_found(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.world.the_list.has_reference = True
    case = story.one_client()
    story.a_pass(case)
    story.a_pass(story.another_client())
    story.desk.take_back(case)
    monkeypatch.setattr(listing, "mine", lambda view, *_: view.rows[:1])
    monkeypatch.setattr(listing, "differences", lambda *_: "")
    with pytest.raises(Wrong, match="took out the row of"):
        story.a_pass(case)


@pytest.mark.parametrize("half", ["stopped", "listed"])
def test_a_case_closed_too_early_is_found(
    story: Story, monkeypatch: pytest.MonkeyPatch, half: str
) -> None:
    case = story.one_client()
    if half == "listed":
        story.a_pass(case)
        story.workbook.delete(0)
        story.panel.suspend("NORA1")
        there = SimpleNamespace(row_number=4)
        monkeypatch.setattr(listing, "mine", lambda *_: [there])
        monkeypatch.setattr(listing, "differences", lambda *_: "")
    else:
        monkeypatch.setattr(stop, "is_stopped", lambda *_: True)
        monkeypatch.setattr(verify, "is_stopped", lambda *_: True)
    says = {"listed": "does not hold exactly one right row", "stopped": "still runs"}
    with pytest.raises(Wrong, match=says[half]):
        story.a_pass(case)


def test_a_write_off_that_nobody_approved_is_found(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = story.one_client(owes=((0, 2000, "Unpaid"),))
    word = SimpleNamespace(by_id=story.world.agent.pk, at=clock.now())
    monkeypatch.setattr(invoices, "approval_for", lambda *_: word)
    monkeypatch.setattr(invoices, "is_in_force", lambda *_: True)
    log.record(Verb.WRITE_OFF_APPROVED, case=case, by=story.world.agent)
    with pytest.raises(Wrong, match="but nothing was approved"):
        story.a_pass(case)


def test_a_write_off_sent_again_is_found(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    case = story.one_client(owes=((0, 2000, "Unpaid"),))
    story.a_pass(case)
    story.desk.approve(case, by_manager=True)
    read_back = clear._read_back

    def written_off_again(work: Any, intent: Any) -> Any:
        work.billsby.write_off(intent.target)
        return read_back(work, intent)

    monkeypatch.setattr(clear, "_read_back", written_off_again)
    with pytest.raises(Wrong, match=r"again, which it could know to be written off"):
        story.a_pass(case)


def test_a_write_off_sent_again_by_what_billsby_said_is_right(story: Story) -> None:
    case = story.one_client(owes=((0, 2000, "Unpaid"),))
    story.a_pass(case)
    story.desk.approve(case, by_manager=True)
    story.world.company.add_fault("stale", "GET", "*/customers/*/invoices", skip=2, times=3)
    story.a_pass(case)
    with story.happening():
        story.world.let_pass(dt.timedelta(minutes=2))
    story.a_pass(case)
    assert _write_offs(story) == 2


@pytest.mark.parametrize("asleep", ["before Billsby's write_off", f"{ON_ITS_WAY} PUT"])
def test_a_write_off_sent_again_by_one_who_has_overslept_is_not_to_be_helped(
    story: Story, asleep: str
) -> None:
    case = story.one_client(owes=((0, 2000, "Unpaid"),))
    story.a_pass(case)
    story.desk.approve(case, by_manager=True)
    sleeper = _asleep(story, case, asleep)
    with story.happening():
        story.world.let_pass(dt.timedelta(minutes=2))
    story.a_pass(case)
    with story.happening():
        story.world.end_sleep(sleeper)
    assert _write_offs(story) == (2 if asleep.startswith(ON_ITS_WAY) else 1)


def test_a_decision_taken_back_while_a_worker_slept_after_its_last_word_is_not_its_to_explain(
    story: Story,
) -> None:
    case = story.one_client()
    story.world.company.set_down("503")

    def has_told() -> bool:
        case.refresh_from_db()
        return bool(case.waits_sentence)

    sleeper = _asleep(story, case, "after a commit", when=has_told)
    story.desk.take_back(case)
    with story.happening():
        story.world.end_sleep(sleeper)
    story.peace()


def _asleep(
    story: Story, case: Case, where: str, *, when: Callable[[], bool] = lambda: True
) -> Sleeper:
    """A worker that fell asleep at the first such point."""
    for point in range(1, MOST_POINTS):
        sleeper = story.world.begin_pass(case, sleeps_at=point)
        if sleeper.stopped_at.startswith(where) and when():
            return sleeper
        story.world.end_sleep(sleeper, to_die=True)
        story.world.let_pass(dt.timedelta(minutes=2))
    raise AssertionError(where)


def _write_offs(story: Story) -> int:
    return sum("WrittenOff" in call.path for call in story.world.company.calls())


def test_an_agent_above_the_limit_is_found(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    case = story.one_client(owes=((0, 9900, "Unpaid"), (0, 2000, "Unpaid")))
    story.a_pass(case)
    monkeypatch.setattr(services, "_check_limit", broken)
    with pytest.raises(Wrong, match="An agent approved 11900"), story.happening():
        story.desk.approve(case, by_manager=False)


def test_a_cancellation_that_nobody_decided_is_found(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = story.one_client()
    monkeypatch.setattr(stop, "_ask_for_the_click", stop._cancel)
    with pytest.raises(Wrong, match="The desk cancelled NORA1, but the decision"):
        story.a_pass(case)


def test_a_hand_on_what_stays_is_found(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    case = story.one_client()
    story.another_client()

    def hold_another(work: Any) -> Done:
        work.billsby.set_renewal_date("OMAR1", dt.date(2026, 9, 1), pause=True)
        return Done("It is held.")

    monkeypatch.setitem(advance._STEPS, Step.Name.HOLD, hold_another)
    with pytest.raises(Wrong, match="but the desk touched OMAR1"):
        story.a_pass(case)


def test_a_charge_brought_nearer_is_found(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    case = story.one_client()
    monkeypatch.setattr(holding, "_dates_to_try", lambda *_: [dt.date(2026, 3, 4)])
    with pytest.raises(Wrong, match="brought the next charge of NORA1 nearer"):
        story.a_pass(case)


def test_a_charge_that_a_hold_was_to_keep_off_is_found(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration.change("HOLD_DAYS", "30")
    story.a_pass(story.one_client())
    monkeypatch.setattr(holding, "runs_out", lambda *_: False)
    charged = "NORA1 was charged on 01 Apr although C-"
    with pytest.raises(Wrong, match=charged), story.happening():
        story.world.let_pass(dt.timedelta(days=31))


def test_a_wait_without_a_word_is_found(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    case = story.one_client(asked="filed")
    silent = Waits(WaitsFor.PERSON, "", again=dt.timedelta(hours=1))
    monkeypatch.setattr(undecided, "_decision_awaited", lambda *_: silent)
    with pytest.raises(Wrong, match="nothing says for what"):
        story.a_pass(case)


def test_a_case_that_is_forgotten_is_found(story: Story) -> None:
    case = story.one_client(asked="filed")
    Case.objects.filter(pk=case.pk).update(next_pass_at=None)
    with pytest.raises(Wrong, match="Nobody will ever look at"), story.happening():
        pass


def test_a_log_out_of_order_is_found(story: Story) -> None:
    case = story.one_client()
    with pytest.raises(Wrong, match=r"The log says case\.closed"), story.happening():
        log.record(Verb.CASE_CLOSED, case=case)


def test_a_defect_of_the_desk_is_found(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    case = story.one_client()

    def stumble(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(advance._STEPS, Step.Name.HOLD, stumble)
    with pytest.raises(Wrong, match="something unforeseen"):
        story.a_pass(case)


def test_a_case_that_comes_to_no_end_is_found(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.one_client()
    monkeypatch.setattr(stop, "is_stopped", lambda *_: False)
    with pytest.raises(Wrong, match="come to no end"):
        story.peace()
