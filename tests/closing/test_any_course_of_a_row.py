"""Whatever managers decide and take back, and whatever goes wrong meanwhile: in the end each case
that stops has its own right row and no other case has one, even of clients whom the list cannot
tell apart. Each seed is one course of events.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from canceldesk.cases.models import Case, Decision, State
from canceldesk.closing import listing, services
from canceldesk.closing.advance import advance
from canceldesk.closing.models import Facts, Intent, Step
from canceldesk.workbook.errors import CannotSave, InUse
from tests.closing.conftest import Desk


class Story:
    """Three clients with the same values, their cases, and managers who cannot make up their
    minds.
    """

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk, self.dice = desk, random.Random(seed)
        desk.the_list.has_reference = self.dice.random() < 0.3
        self.cases = [desk.file(desk.client()[1]) for _ in range(3)]
        self.add, self.remove = desk.the_list.add, desk.the_list.remove

    def one(self) -> Case:
        case = self.dice.choice(self.cases)
        case.refresh_from_db()
        return case

    def go_on(self) -> None:
        """One thing happens."""
        self.dice.choice(
            [
                self.change_a_mind,
                self.change_a_mind,
                self.make_a_pass,
                self.make_a_pass,
                self.make_a_pass,
                self.occupy_the_workbook,
                self.lose_power,
                self.change_a_mind_during_a_write,
            ]
        )()
        self.desk.later(seconds=self.dice.choice([1, 5, 30, 61]))

    def change_a_mind(self) -> None:
        case = self.one()
        if case.state == State.CLOSING:
            services.take_back(case, by=self.desk.manager, why="They called again")
        else:
            self.desk.decide(case, Decision.SUSPEND)

    def make_a_pass(self) -> None:
        advance(self.one().pk, owner="worker")

    def occupy_the_workbook(self) -> None:
        troubles = [None, None, InUse("Pat has it open.", by="Pat"), CannotSave("Disk full.")]
        self.desk.the_list.trouble = self.dice.choice(troubles)

    def lose_power(self) -> None:
        """After the next writing, or before it."""
        if self.dice.random() < 0.5:
            self.desk.the_list.after_write = RuntimeError("power cut")
            return
        self.at_the_next_write(self.power_is_gone)

    def change_a_mind_during_a_write(self) -> None:
        self.at_the_next_write(self.change_a_mind)

    def power_is_gone(self) -> None:
        raise RuntimeError("power cut")

    def at_the_next_write(self, happens: Any) -> None:
        def add(*args: Any, **kwargs: Any) -> Any:
            self.as_usual()
            happens()
            return self.add(*args, **kwargs)

        def remove(*args: Any, **kwargs: Any) -> Any:
            self.as_usual()
            happens()
            return self.remove(*args, **kwargs)

        self.desk.the_list.add = add  # type: ignore[method-assign]
        self.desk.the_list.remove = remove  # type: ignore[method-assign]

    def as_usual(self) -> None:
        self.desk.the_list.add = self.add  # type: ignore[method-assign]
        self.desk.the_list.remove = self.remove  # type: ignore[method-assign]

    def come_to_rest(self) -> None:
        self.as_usual()
        self.desk.the_list.trouble = self.desk.the_list.after_write = None
        for _ in range(6):
            for case in self.cases:
                self.desk.later(seconds=31)
                self.desk.advance(case)


@pytest.mark.parametrize("seed", range(30))
def test_every_course_of_events_leaves_the_list_right(desk: Desk, seed: int) -> None:
    story = Story(desk, seed)
    for _ in range(25):
        story.go_on()
    story.come_to_rest()

    stopping = [case for case in story.cases if case.state == State.CLOSING]
    assert len(desk.the_list.rows) == len(stopping)
    view = desk.the_list.read()
    for case in story.cases:
        assert not case.attention
    for case in stopping:
        row = listing.row_for(Facts.objects.get(case=case))
        [mine] = listing.mine(view, case, row)
        assert not listing.differences(mine, row)
        assert desk.step(case, Step.Name.DOCUMENT).state == Step.State.DONE
    states = Intent.objects.filter(kind=Intent.Kind.ROW).values_list("state", flat=True)
    assert set(states) <= {Intent.State.CONFIRMED, Intent.State.REMOVED}
