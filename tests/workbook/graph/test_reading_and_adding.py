from __future__ import annotations

from pathlib import Path

import pytest

from canceldesk.workbook.protocol import matches
from tests.workbook.building import client
from tests.workbook.graph.building import NEW, book, the_list
from tests.workbook.graph.practice.graph import PracticeGraph


@pytest.mark.parametrize("table", [False, True])
def test_the_list_is_read_newest_first(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(3, table=table))

    view = the_list(graph, tmp_path).read()

    assert (str(view.path), view.tab, view.heading_row) == ("Clients.xlsx", "Cancellations", 4)
    assert [matches(row, client(n)) for n, row in enumerate(view.rows, 1)] == [True] * 3
    assert [row.row_number for row in view.rows] == [5, 6, 7]
    assert graph.sessions == {}


@pytest.mark.parametrize("table", [False, True])
def test_a_row_is_added_directly_under_the_heading(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(3, table=table))
    desk = the_list(graph, tmp_path)
    before = desk.read()

    written = desk.add(NEW, expected_fingerprint=before.fingerprint)

    after = desk.read()
    assert (written.row_number, written.fingerprint_before) == (5, before.fingerprint)
    assert written.fingerprint_after == after.fingerprint != before.fingerprint
    assert matches(after.rows[0], NEW)
    assert [row.name for row in after.rows[1:]] == [row.name for row in before.rows]
    assert graph.sessions == {}
    assert graph.clock.naps == []
