"""Where everything stands in the workbook that holds every feature, and who is on its list."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Final

from canceldesk.workbook.protocol import NewRow


class Shape(enum.Enum):
    """The three ways the list is kept."""

    TABLE = "table"
    RANGE = "range"
    MACRO = "macro"

    @property
    def tab(self) -> str:
        """The list's tab; each way has another spelling."""
        return _TABS[self]

    @property
    def quoted(self) -> str:
        """The tab as formulas write it."""
        return self.tab if self.tab.isalpha() else "'" + self.tab.replace("'", "''") + "'"

    @property
    def file_name(self) -> str:
        """A name with the ending that fits."""
        return f"{self.value}.{'xlsm' if self is Shape.MACRO else 'xlsx'}"


_TABS: Final = {
    Shape.TABLE: "Cancellation",
    Shape.RANGE: "Client's Cancellations Büro",
    Shape.MACRO: "Cancelled 2026",
}
SUMMARY: Final = "Summary"
OVERVIEW: Final = "Bob's Übersicht"
PICTURE: Final = "Picture"
LISTS: Final = "Lists"
PIVOT: Final = "Pivot"
ARCHIVE: Final = "Archive"

HEADING_ROW: Final = 4
FIRST: Final = 5
LAST: Final = 24
TOTALS: Final = {Shape.TABLE: 26, Shape.RANGE: 26, Shape.MACRO: 25}
"""The row with the sums; in the macro file it is right under the list."""

TITLE_ROW: Final = 2
HEADINGS: Final = (
    "Name",
    "Phone",
    "Date of Cancellation",
    "Total Amount Collected",
    "Months in the Program",
    "Reason",
    "Per month",
    "Sent",
)
REASONS: Final = ("Too expensive", "Moved away", "No time")
FILTERED_OUT: Final = "Went elsewhere"
FILTERED_ROW: Final = 9
NEW: Final = NewRow(
    "Nora Ñandú & Söhne",
    "+1 555 0199",
    dt.date(2026, 11, 23),
    123450,
    "USD",
    7,
    "Too expensive",
)
NEW_COLLECTED: Final = 1234.5


@dataclass(frozen=True)
class Client:
    """One invented line of the list."""

    row: int
    name: str
    phone: str
    cancelled_on: dt.date
    collected: float
    months: int
    reason: str


def clients() -> list[Client]:
    """The lines of the list from the top."""
    lines = []
    for row in range(FIRST, LAST + 1):
        number = row - FIRST + 1
        reason = FILTERED_OUT if row == FILTERED_ROW else REASONS[number % len(REASONS)]
        day = dt.date(2026, 11, 1) - dt.timedelta(days=5 * number)
        collected = 150.25 * number + 20
        phone = f"0555 01{number:02d}"
        lines.append(Client(row, f"Client {number}", phone, day, collected, number + 1, reason))
    return lines


def total_collected() -> float:
    """The sum of the list before."""
    return sum(client.collected for client in clients())


@dataclass(frozen=True)
class Formula:
    """A formula on another tab, and how it must read after the insertion.

    `{T}` is the list's tab. `excel` is what Excel's own insertion would make of it, where that
    leaves the new row out.
    """

    before: str
    after: str
    excel: str = ""


FORMULAS: Final = (
    Formula("SUM({T}!D5:D24)", "SUM({T}!D5:D25)", "SUM({T}!D6:D25)"),
    Formula("{T}!A5", "{T}!A6"),
    Formula("{T}!$D$10", "{T}!$D$11"),
    Formula("SUM({T}!D:D)", "SUM({T}!D:D)"),
    Formula("COUNTA({T}!A4:A24)-1", "COUNTA({T}!A4:A25)-1"),
    Formula(
        'VLOOKUP("Client 3",{T}!A5:G24,4,FALSE)',
        'VLOOKUP("Client 3",{T}!A5:G25,4,FALSE)',
        'VLOOKUP("Client 3",{T}!A6:G25,4,FALSE)',
    ),
    Formula("INDEX({T}!$A$4:$A$24,3)", "INDEX({T}!$A$4:$A$25,3)"),
    Formula(
        'SUMIFS({T}!$D$5:$D$24,{T}!$E$5:$E$24,">3")',
        'SUMIFS({T}!$D$5:$D$25,{T}!$E$5:$E$25,">3")',
        'SUMIFS({T}!$D$6:$D$25,{T}!$E$6:$E$25,">3")',
    ),
    Formula(
        "SUMPRODUCT(({T}!E5:E24>2)*{T}!D5:D24)",
        "SUMPRODUCT(({T}!E5:E25>2)*{T}!D5:D25)",
        "SUMPRODUCT(({T}!E6:E25>2)*{T}!D6:D25)",
    ),
    Formula("OFFSET({T}!$A$4,1,0)", "OFFSET({T}!$A$4,1,0)"),
    Formula("{T}!D30*2", "{T}!D31*2"),
    Formula(
        'IF({T}!B7="0555 0103","see D7 or {T}!D7","no")',
        'IF({T}!B8="0555 0103","see D7 or {T}!D7","no")',
    ),
    Formula("SUM({T}!6:6)", "SUM({T}!7:7)"),
    Formula("SUM({T}!D8:D9,{T}!$D20)", "SUM({T}!D9:D10,{T}!$D21)"),
    Formula(
        "MAX({T}!$C$5:$C$24)",
        "MAX({T}!$C$5:$C$25)",
        "MAX({T}!$C$6:$C$25)",
    ),
    Formula('COUNTIF({T}!E:E,">1")+ROWS({T}!A1:A4)', 'COUNTIF({T}!E:E,">1")+ROWS({T}!A1:A4)'),
    Formula("SUM(AmountsCollected)+D5", "SUM(AmountsCollected)+D5"),
    Formula("{T}!A9&\", \"&'Bob''s Übersicht'!A9", "{T}!A10&\", \"&'Bob''s Übersicht'!A9"),
)
