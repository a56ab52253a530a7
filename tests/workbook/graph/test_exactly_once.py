"""Whatever call goes wrong, and however: one right row in the end, nobody else's touched, and an
error that claims nothing was written only when nothing was.
"""

from __future__ import annotations

import contextlib
import copy
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from canceldesk.workbook.errors import ListError, ReadBackDiffers
from canceldesk.workbook.protocol import NewRow, matches
from tests.workbook.building import client
from tests.workbook.graph.building import NEW, book, saved, the_list
from tests.workbook.graph.practice.faults import (
    Chosen,
    CrashError,
    Effect,
    Fault,
    any_call,
    error,
    writes,
)
from tests.workbook.graph.practice.graph import PracticeGraph

PASSES = 6

KINDS: dict[str, Fault] = {
    "cut before": Fault(any_call),
    "cut after": Fault(any_call, Effect.DONE),
    "crash before": Fault(any_call, crash=True),
    "crash after": Fault(any_call, Effect.DONE, crash=True),
    "504 before": Fault(any_call, answer=error(504, "gatewayTimeout")),
    "504 after": Fault(any_call, Effect.DONE, error(504, "gatewayTimeout")),
    "504, late": Fault(any_call, Effect.LATE, error(504, "gatewayTimeout"), seconds=4),
    "500 after": Fault(any_call, Effect.DONE, error(500, "generalException")),
    "503 before": Fault(any_call, answer=error(503, "serviceUnavailable")),
    "503 after": Fault(any_call, Effect.DONE, error(503, "serviceUnavailable")),
    "429": Fault(any_call, answer=error(429, "tooManyRequests", retry_after=3), times=2),
    "429 for long": Fault(any_call, answer=error(429, "tooManyRequests", retry_after=900)),
    "423": Fault(any_call, answer=error(423, "notAllowed", "resourceLocked")),
    "409": Fault(any_call, answer=error(409, "conflict", "accessConflict"), times=2),
    "session lost": Fault(any_call, answer=error(404, "itemNotFound", "invalidSession")),
    "401": Fault(any_call, answer=error(401, "InvalidAuthenticationToken")),
    "403": Fault(any_call, answer=error(403, "accessDenied")),
    "nonsense": Fault(any_call, Effect.DONE, httpx.Response(200, text="<html>")),
}
MOST_CALLS = 60


def a_pass(graph: PracticeGraph, folder: Path, row: NewRow) -> bool:
    """What the desk does each time: look, and add the row if it is not there."""
    desk = the_list(graph, folder)
    view = desk.read()
    if any(matches(listed, row) for listed in view.rows):
        return True
    desk.add(row, expected_fingerprint=view.fingerprint)
    return False


def faulty_pass(graph: PracticeGraph, folder: Path, row: NewRow) -> None:
    before = copy.deepcopy(graph.book)
    try:
        with contextlib.suppress(CrashError, ReadBackDiffers):
            a_pass(graph, folder, row)
    except ListError:
        assert graph.book == before


@pytest.mark.parametrize("shape", ["table", "range"])
@pytest.mark.parametrize("kind", KINDS)
def test_one_right_row_whichever_write_goes_wrong(tmp_path: Path, kind: str, shape: str) -> None:
    assert one_right_row_whichever(writes, kind, shape, tmp_path) >= 1


@pytest.mark.parametrize("shape", ["empty table", "empty range"])
@pytest.mark.parametrize("kind", ["cut before", "cut after", "429", "409"])
def test_one_right_row_whichever_write_to_an_empty_list_goes_wrong(
    tmp_path: Path, kind: str, shape: str
) -> None:
    assert one_right_row_whichever(writes, kind, shape, tmp_path) == 2


@pytest.mark.parametrize("shape", ["table", "range"])
@pytest.mark.parametrize("kind", ["crash after", "session lost"])
def test_one_right_row_whichever_call_goes_wrong(tmp_path: Path, kind: str, shape: str) -> None:
    assert one_right_row_whichever(any_call, kind, shape, tmp_path) > 15


@pytest.mark.chaos
@pytest.mark.parametrize("shape", ["table", "range", "empty table", "empty range"])
@pytest.mark.parametrize("kind", KINDS)
def test_one_right_row_whatever_goes_wrong_wherever(tmp_path: Path, kind: str, shape: str) -> None:
    assert one_right_row_whichever(any_call, kind, shape, tmp_path) > 15


def one_right_row_whichever(chosen: Chosen, kind: str, shape: str, folder: Path) -> int:
    """Let each chosen call go wrong once, in a story of its own; how many there were."""
    count = 0 if "empty" in shape else 3
    for at in range(MOST_CALLS):
        graph = PracticeGraph(book(count, table="table" in shape), content=saved(count))
        fault = replace(KINDS[kind], chosen=chosen, after=at)
        graph.faults = [fault]

        faulty_pass(graph, folder, NEW)
        if fault.times == KINDS[kind].times:
            return at
        for _ in range(PASSES):
            graph.clock.at += 30
            with contextlib.suppress(ReadBackDiffers):
                if a_pass(graph, folder, NEW):
                    break

        rows = the_list(graph, folder).read().rows
        assert [matches(row, NEW) for row in rows] == [True] + [False] * count, at
        assert [row.name for row in rows[1:]] == [client(n + 1).name for n in range(count)]
        assert [row.row_number for row in rows] == list(range(5, 6 + count)), at
    raise AssertionError("adding a row takes too many calls")
