"""The last question before anything is changed outside."""

from __future__ import annotations

import threading

import pytest

from canceldesk import go_ahead


class NoMoreError(Exception):
    """It may not be done any more."""


def no() -> None:
    raise NoMoreError


def test_who_is_asked_by_nobody_may_go_ahead() -> None:
    go_ahead.assure()


def test_whoever_holds_the_right_is_asked_and_may_say_no() -> None:
    with go_ahead.asked_of(no), pytest.raises(NoMoreError):
        go_ahead.assure()


def test_the_innermost_is_asked_and_afterwards_the_one_before() -> None:
    asked: list[str] = []
    with go_ahead.asked_of(lambda: asked.append("outer")):
        with go_ahead.asked_of(lambda: asked.append("inner")):
            go_ahead.assure()
        go_ahead.assure()
    go_ahead.assure()
    assert asked == ["inner", "outer"]


def test_a_refusal_ends_the_asking_as_well() -> None:
    with pytest.raises(NoMoreError), go_ahead.asked_of(no):
        go_ahead.assure()
    go_ahead.assure()


def test_another_thread_asks_what_it_was_handed_and_not_what_began_there() -> None:
    asked: list[str] = []
    with go_ahead.asked_of(lambda: asked.append("mine")):
        handed = go_ahead.question()

        def elsewhere() -> None:
            go_ahead.assure()
            handed()

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert asked == ["mine"]
