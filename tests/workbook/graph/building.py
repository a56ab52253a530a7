"""Lists to practise on, and a desk that reaches them."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import xlsxwriter

from canceldesk.workbook.graph.exchange import Exchange
from canceldesk.workbook.graph.graphlist import GraphList
from canceldesk.workbook.protocol import NewRow
from tests.workbook.building import HEADINGS, client, write_list
from tests.workbook.graph.practice.book import Book, Tab, Table
from tests.workbook.graph.practice.graph import LINK, Clock, PracticeGraph
from tests.workbook.graph.practice.typing_in import Cell

NEW = NewRow(
    "Nora New", "+1 555 0199", dt.date(2026, 11, 23), 123450, "USD", 7, "Too expensive, =sum(1)"
)
EPOCH = dt.date(1899, 12, 30)
EPOCH_1904 = dt.date(1904, 1, 1)
DATE, MONEY = "dd.mm.yyyy", '"$"#,##0.00'
HEADING_LOOK = {"bold": True, "fill": "#4472C4", "color": "#FFFFFF"}


def put(
    tab: Tab, row: int, left: int, new: NewRow, *, epoch: dt.date = EPOCH, reference: bool = False
) -> None:
    """A client's row as a person left it."""
    values: list[tuple[Any, str]] = [
        (new.name, "General"),
        (new.phone, "@"),
        ((new.cancelled_on - epoch).days, DATE),
        (new.collected_minor / 100, MONEY),
        (new.months, "General"),
        (new.reason, "General"),
    ]
    if reference:
        values.append((new.reference, "General"))
    for column, (value, number_format) in enumerate(values, start=left):
        look = {"EdgeBottom": "Continuous"} | ({"italic": True} if column == left + 3 else {})
        tab.cells[row, column] = Cell(value, number_format=number_format, look=look)


def book(
    count: int = 3,
    *,
    table: bool = False,
    name: str = "Cancellations",
    heading_row: int = 4,
    left: int = 1,
    headings: tuple[str, ...] = HEADINGS,
    date1904: bool = False,
) -> Book:
    """A workbook with the list of `count` clients and another tab that sums it up."""
    tab = Tab("{list}", name)
    if heading_row > 1:
        tab.cells[1, left] = Cell("Clients who left us")
    for column, heading in enumerate(headings, start=left):
        tab.cells[heading_row, column] = Cell(heading, look=dict(HEADING_LOOK))
    for number in range(1, count + 1):
        put(
            tab,
            heading_row + number,
            left,
            replace(client(number), reference=f"C-{number}"),
            epoch=EPOCH_1904 if date1904 else EPOCH,
            reference=len(headings) > len(HEADINGS),
        )
    bottom = heading_row + max(count, 1)
    if table:
        right = left + len(headings) - 1
        tab.tables.append(Table("{table}", (left, heading_row, right, bottom)))
    other = Tab("{other}", "Other")
    other.cells[1, 1] = Cell(formula=f"=SUM({name}!D{heading_row}:D{bottom})")
    return Book([other, tab], date1904=date1904)


@cache
def saved(count: int = 3, *, merged: bool = False) -> bytes:
    """The file as it was last saved, with its headings in row 4, or in rows 4 and 5 merged."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet("Cancellations")
        write_list(workbook, sheet, count)
        for column, heading in enumerate(HEADINGS if merged else ()):
            sheet.merge_range(3, column, 4, column, heading)
    return file.getvalue()


class PracticeSignIn:
    """A sign-in that gives the practice Graph's tokens."""

    def __init__(self, graph: PracticeGraph, *, acts_as_app: bool = True) -> None:
        self.acts_as_app = acts_as_app
        self.renewals = 0
        self._graph = graph
        self._token = graph.token()

    def token(self) -> str:
        return self._token

    def renewed(self) -> str:
        self.renewals += 1
        self._token = self._graph.token()
        return self._token


def the_list(
    graph: PracticeGraph,
    folder: Path,
    *,
    link: str = LINK,
    sign_in: PracticeSignIn | None = None,
    **named: Any,
) -> GraphList:
    """The desk's list in the practice Graph."""
    clock: Clock = graph.clock
    exchange = Exchange(
        sign_in or PracticeSignIn(graph),
        transport=httpx.MockTransport(graph),
        now=lambda: dt.datetime(2026, 11, 23, tzinfo=dt.UTC),
    )
    return GraphList(link, exchange, lock_folder=folder, now=clock.now, sleep=clock.sleep, **named)
