"""Any trouble in any order, for two clients, on any list: each stands there once in the end."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canceldesk.workbook.errors import ListError
from canceldesk.workbook.protocol import matches
from tests.workbook.building import client
from tests.workbook.graph.building import NEW, book, saved, the_list
from tests.workbook.graph.practice.faults import CrashError, Effect, Fault, any_call, error
from tests.workbook.graph.practice.graph import PracticeGraph

ROWS = (NEW, replace(NEW, name="=Omar(1)", phone="0042", months=0))
SHORTEST_PASS = 30

ANSWERS = (
    None,
    error(504, "gatewayTimeout"),
    error(500, "generalException"),
    error(503, "serviceUnavailable"),
)
REFUSALS = (
    error(429, "tooManyRequests", retry_after=4),
    error(503, "serviceUnavailable", retry_after=2),
    error(423, "notAllowed", "resourceLocked"),
    error(409, "conflict", "accessConflict"),
    error(404, "itemNotFound", "invalidSessionReCreatable"),
    error(401, "InvalidAuthenticationToken"),
)

lost_replies = st.builds(
    lambda effect, answer, after, seconds: Fault(
        any_call, effect, answer, after=after, seconds=seconds
    ),
    st.sampled_from(Effect),
    st.sampled_from(ANSWERS),
    st.integers(0, 60),
    st.integers(1, 8),
)
refusals = st.builds(
    lambda answer, after, times: Fault(any_call, answer=answer, after=after, times=times),
    st.sampled_from(REFUSALS),
    st.integers(0, 60),
    st.integers(1, 4),
)
crashes = st.builds(
    lambda effect, after: Fault(any_call, effect, after=after, crash=True),
    st.sampled_from((Effect.NONE, Effect.DONE)),
    st.integers(0, 60),
)
troubles = st.lists(st.one_of(lost_replies, refusals, crashes), max_size=6)


def tell(faults: list[Fault], *, table: bool, count: int, quirks: set[str]) -> None:
    """Passes for both clients in turn, until both were seen on the list or patience is out."""
    graph = PracticeGraph(book(count, table=table), content=saved(count))
    graph.faults = [replace(fault) for fault in faults]
    for quirk in quirks:
        setattr(graph.book, quirk, True)
    with tempfile.TemporaryDirectory() as folder:
        waiting = list(ROWS)
        for _ in range(40):
            if not waiting:
                break
            row = waiting.pop(0)
            desk = the_list(graph, Path(folder))
            try:
                view = desk.read()
                if not any(matches(listed, row) for listed in view.rows):
                    waiting.append(row)
                    desk.add(row, expected_fingerprint=view.fingerprint)
            except (ListError, CrashError):
                if row not in waiting:
                    waiting.append(row)
            graph.clock.at += SHORTEST_PASS
        graph.faults = []
        rows = the_list(graph, Path(folder)).read().rows
    assert not waiting
    assert [sum(matches(listed, row) for listed in rows) for row in ROWS] == [1, 1]
    assert [row.name for row in rows[2:]] == [client(n + 1).name for n in range(count)]
    assert [row.row_number for row in rows] == list(range(5, 7 + count))


quirky = st.sets(
    st.sampled_from(("keeps_apostrophe", "formats_after_values", "new_table_rows_are_plain"))
)


@settings(max_examples=40)
@given(faults=troubles, table=st.booleans(), count=st.integers(0, 3), quirks=quirky)
def test_two_clients_stand_there_once_each(
    faults: list[Fault], table: bool, count: int, quirks: set[str]
) -> None:
    tell(faults, table=table, count=count, quirks=quirks)


@pytest.mark.chaos
@settings(max_examples=600)
@given(faults=troubles, table=st.booleans(), count=st.integers(0, 3), quirks=quirky)
def test_two_clients_stand_there_once_each_in_many_stories(
    faults: list[Fault], table: bool, count: int, quirks: set[str]
) -> None:
    tell(faults, table=table, count=count, quirks=quirks)
