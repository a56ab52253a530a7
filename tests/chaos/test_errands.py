"""The steps of a planned case, and who is sent on errands."""

from __future__ import annotations

import threading
import time
from collections import deque

import pytest

from tests.chaos.crew import Agenda
from tests.chaos.errands import Errand, Ways, script
from tests.chaos.interfaces import SeededClient
from tests.chaos.plan import Approval, Click, PlannedCase, Row, make_plan

EASY = Ways(True, True)
CLIENT = SeededClient("CLIENT1", "Ada", "Abara", "a@example.com", "", "suspend", ())


def planned(**changed: object) -> PlannedCase:
    plain = {
        "turns": ("suspend",),
        "attempts": 0,
        "approval": Approval.NONE,
        "click": Click.SOON,
        "row": Row.KEPT,
        "after": "",
    }
    return PlannedCase(**vars(make_plan(1, 1).cases[0]) | plain | changed)


def steps(case: PlannedCase, ways: Ways = EASY) -> list[str]:
    return [step.name for step in script(case, ways)]


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, ["file", "decide", "click"]),
        ({"attempts": 2}, ["file", "attempt", "attempt", "decide", "click"]),
        ({"turns": ("cancel",), "click": Click.NONE}, ["file", "decide"]),
        ({"turns": ("changed_mind",)}, ["file", "withdraw"]),
        (
            {"turns": ("suspend", "taken_back", "retained")},
            ["file", "decide", "take back", "decide"],
        ),
        (
            {"approval": Approval.AGENT_IS_REFUSED},
            ["file", "decide", "try to approve above the limit", "approve", "click"],
        ),
        ({"click": Click.EARLY}, ["file", "click early", "decide", "click"]),
        ({"click": Click.TWICE}, ["file", "decide", "click", "click"]),
        ({"click": Click.RELEASE_FIRST}, ["file", "decide", "release the hold", "click"]),
        (
            {"click": Click.WRONG_FIRST},
            ["file", "decide", "click for another service", "undo that", "click"],
        ),
        (
            {"row": Row.DELETED},
            ["file", "decide", "delete the row", "write the row again", "click"],
        ),
        ({"row": Row.BY_HAND}, ["file", "write the row by hand", "decide", "click"]),
        (
            {"row": Row.PUT_BACK},
            ["file", "decide", "click", "take the row off", "put the row back"],
        ),
        ({"after": "case-0001"}, ["wait for the case before", "file", "decide", "click"]),
    ],
)
def test_the_steps_of_a_case_follow_its_plan(changed: dict[str, object], wanted: list[str]) -> None:
    assert steps(planned(**changed)) == wanted


def test_where_paused_services_cannot_be_suspended_the_hold_is_released_first() -> None:
    stubborn = Ways(False, True)
    assert steps(planned(), stubborn) == ["file", "decide", "release the hold", "click"]


def test_a_click_that_comes_after_the_mischief_is_marked() -> None:
    assert script(planned(click=Click.IN_PEACE), EASY)[-1].in_peace


def errand(key: str) -> Errand:
    return Errand(planned(key=key), CLIENT, deque())


def test_errands_are_taken_when_they_are_due_and_the_first_first() -> None:
    agenda = Agenda()
    one, other = errand("one"), errand("other")
    agenda.put(0.0, other)
    agenda.put(-1.0, one)
    assert agenda.take() is one
    assert not agenda.is_empty
    agenda.done(None, one)
    assert agenda.take() is other
    agenda.done(1.0, other)
    assert agenda.take() is other
    agenda.done(None, other)
    assert agenda.is_empty


def test_who_waits_for_an_errand_is_sent_home_at_the_end() -> None:
    agenda = Agenda()
    agenda.put(time.monotonic() + 1000, errand("later"))
    taken: list[Errand | None] = []
    waiting = threading.Thread(target=lambda: taken.append(agenda.take()))
    waiting.start()
    agenda.close()
    waiting.join(10)
    assert taken == [None]
