"""Writers that wait for the same place are served together, each told what came of its wish."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from canceldesk.workbook.gathering import Gathering, Gatherings, Ticket

LONG = 30.0
"""Seconds after which something that never comes is a failure; nothing waits for them to pass."""


class Arrivals(list[Any]):
    """The waiting ones; `all_here` is set when `expected` of them have come."""

    def __init__(self, expected):
        super().__init__()
        self.expected = expected
        self.all_here = threading.Event()

    def append(self, ticket):
        super().append(ticket)
        if len(self) == self.expected:
            self.all_here.set()


class Server:
    """Serves whoever waits once all have come, and remembers with whom."""

    def __init__(self, arrivals, trouble=None, before=None):
        self.arrivals = arrivals
        self.trouble = trouble
        self.before = before
        self.groups = []
        self.times = 0

    def __call__(self, gathering):
        self.times += 1
        assert self.arrivals.all_here.wait(LONG)
        if self.before is not None:
            raise self.before
        tickets = gathering.those_waiting()
        self.groups.append([ticket.wanted for ticket in tickets])
        if self.trouble is not None:
            raise self.trouble
        for ticket in tickets:
            ticket.given = ticket.wanted * 2


def together(gathering, server, wishes):
    """What comes of wishes uttered at the same time; exceptions as values."""

    def uttered(wish):
        try:
            return gathering.served(wish, server)
        except (Exception, KeyboardInterrupt) as error:
            return error

    with ThreadPoolExecutor(len(wishes)) as pool:
        return list(pool.map(uttered, wishes))


@pytest.fixture
def arrivals():
    return Arrivals(3)


@pytest.fixture
def gathering(arrivals):
    return Gathering(_waiting=arrivals)


def test_one_alone_serves_itself(gathering, arrivals):
    arrivals.all_here.set()
    server = Server(arrivals)
    assert gathering.served(4, server) == 8
    assert server.groups == [[4]]


def test_those_who_come_meanwhile_are_served_together_in_their_order(gathering, arrivals):
    server = Server(arrivals)
    assert together(gathering, server, [1, 2, 3]) == [2, 4, 6]
    (group,) = server.groups
    assert group == [ticket.wanted for ticket in arrivals]
    assert sorted(group) == [1, 2, 3]
    assert server.times == 1


def test_who_comes_after_the_taking_is_served_next(gathering, arrivals):
    arrivals.all_here.set()
    taken, late = threading.Event(), threading.Event()

    def serve(own):
        tickets = own.those_waiting()
        taken.set()
        assert late.wait(LONG)
        for ticket in tickets:
            ticket.given = ticket.wanted

    class Late(list[Any]):
        def append(self, ticket):
            super().append(ticket)
            late.set()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(gathering.served, "first", serve)
        assert taken.wait(LONG)
        gathering._waiting = Late()
        server = Server(arrivals)
        assert gathering.served("late", server) == "latelate"
        assert first.result(LONG) == "first"
    assert server.groups == [["late"]]


def test_the_trouble_of_one_is_its_own(gathering, arrivals):
    arrivals.all_here.set()
    trouble = ValueError("not this one")

    def serve(own):
        (ticket,) = own.those_waiting()
        ticket.trouble = trouble

    with pytest.raises(ValueError, match="not this one") as raised:
        gathering.served(1, serve)
    assert raised.value is trouble


def test_trouble_in_the_serving_is_everybodys_and_nobody_tries_again(gathering, arrivals):
    trouble = OSError("no disk")
    server = Server(arrivals, trouble=trouble)
    assert together(gathering, server, [1, 2, 3]) == [trouble] * 3
    assert server.times == 1


def test_who_waited_as_long_as_one_who_gave_up_does_not_wait_again(gathering, arrivals):
    trouble = TimeoutError("somebody has it open")
    server = Server(arrivals, before=trouble)
    gone: list[Ticket[int, int]] = [Ticket(0)]
    gathering._waiting.extend(gone)
    told = together(gathering, server, [1, 2])
    assert gone[0].trouble is trouble
    assert told[0] is trouble or told[1] is trouble
    assert server.groups == []
    assert gathering.those_waiting() == []


def test_one_who_was_stopped_leaves_nobody_waiting_in_vain(gathering, arrivals):
    server = Server(arrivals, trouble=KeyboardInterrupt())
    told = together(gathering, server, [1, 2, 3])
    assert sorted(type(one).__name__ for one in told) == [
        "KeyboardInterrupt",
        "RuntimeError",
        "RuntimeError",
    ]
    assert server.times == 1


def test_what_was_given_before_the_trouble_stays_given(gathering, arrivals):
    def serve(own):
        assert arrivals.all_here.wait(LONG)
        first, *_others = own.those_waiting()
        first.given = "yes"
        raise OSError("no disk")

    told = together(gathering, serve, [1, 2, 3])
    assert sorted(str(one) for one in told) == ["no disk", "no disk", "yes"]


def test_a_ticket_that_was_forgotten_says_so(gathering):
    with pytest.raises(RuntimeError, match="not served"):
        gathering.served(1, lambda own: own._waiting.clear())


def test_each_place_has_its_gathering_while_anyone_is_there():
    gatherings: Gatherings[str, str] = Gatherings()
    with gatherings.at("a") as first, gatherings.at("b") as other:
        with gatherings.at("a") as second:
            assert second is first
            assert other is not first
        with gatherings.at("a") as third:
            assert third is first
    assert gatherings._known == {}
    with gatherings.at("a") as later:
        assert later is not first
    with pytest.raises(ValueError, match="trouble"), gatherings.at("a"):
        raise ValueError("trouble")
    assert gatherings._known == {}
