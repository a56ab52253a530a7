"""Finding the list in the workbook before, and the rows that the workbook after has more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from canceldesk.workbook import headings
from canceldesk.workbook.comparing.expectation import Expectation, area
from canceldesk.workbook.comparing.nodes import Node
from canceldesk.workbook.comparing.sheets import Row, Sheet
from canceldesk.workbook.comparing.workbooks import Tab, Workbook, plain_text
from canceldesk.workbook.errors import CannotPlace
from canceldesk.workbook.headings import Headings

_ROWS_TRIED: Final = 400
_MOST_INSERTED: Final = 200
_TOTALS: Final = frozenset(
    ("total", "totals", "grand total", "subtotal", "sum", "count", "average")
)


def expectation(
    before: Workbook,
    after: Workbook,
    *,
    tab: str | None,
    overrides: Mapping[str, str],
    anywhere: bool,
) -> Expectation:
    """Which rows the list has more in `after`; with no list, that nothing was inserted.

    `anywhere`: they may also stand further down in the list. Raises `CannotPlace` when the tab
    that was asked for is missing or holds no list.
    """
    tabs = tuple(one.name for one in before.tabs)
    nothing = Expectation("", 1, 0, False, 0, 1, 1, tabs)
    try:
        chosen = _tab(before, tab)
        found = _Found(before, chosen, overrides)
    except CannotPlace:
        if tab is not None:
            raise
        return nothing
    twin = next((one for one in after.tabs if one.name == chosen.name), None)
    if twin is None or not after.has(twin.part):
        return nothing
    row, block = found.first_row, found.headings
    now = {one.number: _sign(one) for one in Sheet(after, twin.part).rows() if not one.is_blank}
    place, count = _inserted(found.signs, now, row, anywhere=anywhere)
    last = found.last_row
    return Expectation(
        chosen.name,
        place,
        count,
        at_top=place == row,
        last_row=last,
        left=block.left,
        right=block.right,
        tabs=tabs,
        far_row=found.far_row,
    )


def _tab(workbook: Workbook, wanted: str | None) -> Tab:
    sheets = [tab for tab in workbook.tabs if wanted is not None or not tab.hidden]
    name = headings.choose_tab([tab.name for tab in sheets], wanted, workbook.name)
    chosen = next(tab for tab in sheets if tab.name == name)
    if chosen.kind != "worksheet" or not workbook.has(chosen.part):
        raise CannotPlace(f"The tab “{name}” of “{workbook.name}” is not a sheet with cells.")
    return chosen


class _Found:
    """The list in the workbook before, found in one pass: `signs` are of all filled rows."""

    def __init__(self, workbook: Workbook, tab: Tab, overrides: Mapping[str, str]) -> None:
        self._where = (overrides, tab.name, workbook.name)
        self._top: list[Row] = []
        self._listed: set[int] = set()
        self._telling: set[int] = set()
        self._headings: Headings | None = None
        self.signs: dict[int, int] = {}
        sheet = Sheet(workbook, tab.part)
        for row in sheet.rows():
            self._take(row)
        self._bottom = _bottom_of(self.headings, sheet.frame)

    @property
    def headings(self) -> Headings:
        """The headings; found as soon as all rows were taken that may hold them."""
        if self._headings is None:
            overrides, tab, file = self._where
            texts = ((row.number, _texts(row)) for row in self._top)
            self._headings = headings.find(texts, overrides, tab=tab, file=file)
            for row in self._top:
                self._list(row, self._headings)
        return self._headings

    @property
    def first_row(self) -> int:
        """The row directly under the heading."""
        return self._bottom + 1

    @property
    def last_row(self) -> int:
        """The last of the unbroken rows under the heading; what comes after a gap is none."""
        last, telling = self._bottom, False
        while last + 1 in self._listed:
            last += 1
            telling = telling or last in self._telling
        return last if telling else self._bottom

    @property
    def far_row(self) -> int:
        """The last row that tells of somebody, wherever it stands."""
        return max(self._telling, default=0)

    def _take(self, row: Row) -> None:
        if not row.is_blank:
            self.signs[row.number] = _sign(row)
        if row.number <= headings.ROWS_SEARCHED:
            self._top.append(row)
        else:
            self._list(row, self.headings)

    def _list(self, row: Row, found: Headings) -> None:
        texts = {field: _text(row, column) for field, column in found.columns.items()}
        is_total = headings.normalised(texts["name"]) in _TOTALS
        if texts["phone"] or (texts["name"] and not is_total):
            self._listed.add(row.number)
            if texts["phone"] or sum(bool(text) for text in texts.values()) > 1:
                self._telling.add(row.number)


def _bottom_of(found: Headings, frame: Node) -> int:
    """The heading's last row, with what is merged downwards from it."""
    bottom = found.row
    for merge in (one for one in frame.walk() if one.name == "mergeCell"):
        span = area(merge.get("ref"))
        if span is not None and span.top <= found.row <= span.bottom:
            columns = range(span.left, span.right + 1)
            if any(column in columns for column in found.columns.values()):
                bottom = max(bottom, span.bottom)
    return bottom


def _sign(row: Row) -> int:
    """A number that is the same for rows with the same values; formulas count without text."""
    return hash(
        tuple(
            (cell.column, "=" if cell.formula else cell.value)
            for cell in row.cells.values()
            if not cell.is_blank
        )
    )


def _texts(row: Row) -> dict[int, str]:
    texts = {column: _text(row, column) for column in row.cells}
    return {column: text for column, text in texts.items() if text}


def _text(row: Row, column: int) -> str:
    cell = row.cells.get(column)
    return "" if cell is None else plain_text(cell.value).strip()


def _inserted(
    before: Mapping[int, int], after: Mapping[int, int], row: int, *, anywhere: bool
) -> tuple[int, int]:
    """Where rows were put in and how many: what leaves the fewest rows without their equal."""
    places = [row]
    if anywhere:
        last = max((*before, *after, row))
        differs = (n for n in range(row, last + 1) if before.get(n) != after.get(n))
        places.append(next(differs, row))
    best = (row, 0)
    fewest = _unequal(before, after, row, 0)
    for place in dict.fromkeys(places):
        for count in range(1, _MOST_INSERTED + 1):
            if fewest == 0:
                return best
            left = _unequal(before, after, place, count)
            if left < fewest:
                best, fewest = (place, count), left
    return best


def _unequal(before: Mapping[int, int], after: Mapping[int, int], place: int, count: int) -> int:
    """How many of the first rows from `place` on differ, were `count` rows put in there."""
    old = sorted(number for number in before if number >= place)[:_ROWS_TRIED]
    if not old:
        filled = sum(number >= place + count for number in after)
        empty = sum(number not in after for number in range(place, place + count))
        return filled + empty
    last = old[-1]
    changed = sum(before[number] != after.get(number + count) for number in old)
    new = sum(
        number - count not in before for number in range(place + count, last + count + 1)
        if number in after
    )  # fmt: skip
    empty = sum(number not in after for number in range(place, place + count))
    beyond = max(after, default=0) > max(before) + count
    return changed + new + empty + beyond
