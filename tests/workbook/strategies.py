"""Workbooks of every kind a company might keep its list in, drawn by hypothesis."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st

from canceldesk.workbook.protocol import NewRow
from tests.workbook.following import LAST_ROW, column_letters
from tests.workbook.surroundings import AROUND

HEADINGS: Final = {
    "name": ("Name", "Client name", "CUSTOMER", "Full Name:"),
    "phone": ("Phone", "Phone number", "Tel.", "Client phone number", "Phone #"),
    "cancelled_on": ("Date of cancellation", "Cancellation Date", "Date", "Cancelled on"),
    "collected": ("Total amount collected", "Total collected", "Amount paid", "Collected (USD)"),
    "months": ("Number of months in the program", "Months in program", "Months", "Tenure"),
    "reason": ("Reason for cancellation", "Reason", "Why?"),
}
EXTRA: Final = ("Agent", "Plan", "Notes", "Region", "E-mail", "Refund?", "Team", "Übergabe")
TABS: Final = (
    "cancellation",
    "Cancellations",
    "Cancelled 2026",
    "Client's cancellations",
    "Cancellation (US) & more",
    "cancel-list",
    "Kündigungen cancellation",
    "CANCELED_1",
)
OTHER_TABS: Final = ("Summary", "Data 2", "Bob's", "Übersicht", "A1", "2026", "Rückruf", "R1C1")
SKELETONS: Final = (
    "SUM({0})",
    "SUM({0},{1})",
    "{0}",
    "{0}+{1}*2",
    'IF(COUNTA({0})>1,"D5 and {{A1}} of A:A",{1})',
    "SUMPRODUCT(({0}>2)*1)",
    "INDEX({0},1)",
    'COUNTIF({0},"it\'s")&"!A5"',
    "VLOOKUP(1,{0},1,FALSE)+LOG10(100)",
    "-{0}^2%",
    "IFERROR(MAX({0})/ROWS({1}),0)",
)
ODD_TEXTS: Final = (
    "Ann O'Hara & <Sons>",
    "=SUM(A1)",
    "+1 (555) 0100",
    "  spaced  out ",
    "two\nlines",
    "_x000D_ literal",
    "日本 太郎",
    "😀 emoji",
    "a]]>b",
    '"quoted"',
    "Zoë\u0301",
    "0012",
    "TRUE",
)


@dataclass(frozen=True)
class Line:
    """One client's line; texts in place of numbers are what people typed."""

    name: str
    phone: str
    cancelled_on: dt.date | str
    collected: float | str
    months: int | str
    reason: str
    height: int | None = None
    hidden: bool = False


@dataclass(frozen=True)
class Spelling:
    """How the very same workbook is written down; all of it is allowed."""

    prefix: str = ""
    inline_strings: bool = False
    without_places: bool = False
    without_spans: bool = False
    comments: bool = False
    cdata: bool = False
    character_references: bool = False
    single_quotes: bool = False
    reversed_attributes: bool = False
    blanks: str = ""
    encoding: str = "utf-8"
    declaration: str = "standalone"
    strict: bool = False
    absolute_targets: bool = False
    odd_part_names: bool = False
    upper_case_targets: bool = False
    exponents: bool = False
    foreign_attributes: bool = False
    without_dimension: bool = False
    blank_row_at_end: bool = False
    compression: str = "deflated"
    order: str = "as it was"


@dataclass(frozen=True)
class Plan:
    """A workbook with a list; rows count from 1, columns are headings from `left` on."""

    tab: str
    others: tuple[str, ...]
    list_at: int
    kind: str
    heading_row: int
    heading_style: str
    left: int
    columns: tuple[str, ...]
    fields: tuple[str, ...]
    lines: tuple[Line, ...]
    totals_gap: int | None
    date1904: bool
    right_to_left: bool
    styled: bool
    hidden_columns: tuple[int, ...]
    merged_title: bool
    rules: bool
    formulas: tuple[tuple[str, str], ...]
    own_formulas: tuple[str, ...]
    row_formulas: tuple[str, ...]
    block_formulas: tuple[str, ...]
    shared_formulas: bool
    covering: tuple[tuple[str, str], ...]
    charted: tuple[str, ...]
    note_below: str
    around: frozenset[str]
    names: tuple[str, ...]
    spelling: Spelling

    @property
    def first(self) -> int:
        """The row under the heading."""
        return self.heading_row + (1 if self.heading_style == "one" else 2)

    @property
    def last(self) -> int:
        """The last row of the list; the heading's for an empty one."""
        return self.first + len(self.lines) - 1

    def column(self, field: str) -> int:
        """The column of a field, A being 1."""
        return self.left + self.fields.index(field) + 1

    @property
    def quoted(self) -> str:
        """The list's tab as formulas write it."""
        return quoted(self.tab)

    @property
    def totals(self) -> int | None:
        """The row of the totals below."""
        return None if self.totals_gap is None else self.last + 1 + self.totals_gap


def quoted(tab: str) -> str:
    """A tab's name as formulas write it, with quotes where Excel would put them."""
    plain = re.fullmatch(r"[^\W\d][\w.]*", tab) and not re.fullmatch(r"[A-Za-z]{1,3}\d+.*", tab)
    return tab if plain else "'" + tab.replace("'", "''") + "'"


def _texts() -> st.SearchStrategy[str]:
    letters = st.characters(
        codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co"), exclude_characters="\ufeff"
    )
    ordinary = st.from_regex(r"[A-Z][a-z]{1,9}( [A-Z][a-z]{1,12})?", fullmatch=True)
    return st.one_of(
        ordinary, st.sampled_from(ODD_TEXTS), st.text(letters, min_size=1, max_size=20)
    ).filter(_is_a_text)


def _is_a_text(value: str) -> bool:
    """Not what XlsxWriter or a reader takes for blank, and no line of totals."""
    return any(c.isalnum() for c in value) and not re.match(r"(?i)\W*(grand |sub)?total", value)


def _days() -> st.SearchStrategy[dt.date]:
    return st.dates(dt.date(2005, 1, 1), dt.date(2030, 12, 31))


@st.composite
def new_rows(draw: st.DrawFn) -> NewRow:
    """A client to be put on top."""
    return NewRow(
        name=draw(_texts()),
        phone=draw(st.from_regex(r"\+?[0-9][0-9 ]{3,12}[0-9]", fullmatch=True)),
        cancelled_on=draw(_days()),
        collected_minor=draw(st.integers(0, 10_000_000)),
        currency="USD",
        months=draw(st.integers(0, 400)),
        reason=draw(_texts()),
    )


@st.composite
def _lines(draw: st.DrawFn) -> Line:
    day: st.SearchStrategy[dt.date | str] = _days()
    amounts: tuple[float | str, ...] = (19.9, 100, 1234.56, 0, 250.25, "$1,200.50", "")
    months: tuple[int | str, ...] = (1, 7, 12, 36, "six", "1 year", "")
    return Line(
        name=draw(_texts()),
        phone=draw(st.sampled_from(("0555 0100", "+44 555 0101", "5550102", "(555) 0103"))),
        cancelled_on=draw(st.one_of(day, day, day.map(str), st.just("3 May 2026"), st.just(""))),
        collected=draw(st.sampled_from(amounts)),
        months=draw(st.sampled_from(months)),
        reason=draw(st.one_of(_texts(), st.just(""))),
        height=draw(st.sampled_from((None, None, None, 25, 40))),
        hidden=draw(st.sampled_from((False, False, False, True))),
    )


@st.composite
def _references(draw: st.DrawFn, first: int, last: int, right: int, tab: str) -> str:
    """A reference to cells around the list, in one of the many ways to write one."""
    tops = (1, max(first - 1, 1), first, first, first, first + 1, max(last, 1), last + 1, last + 9)
    top = draw(st.sampled_from(tops))
    bottoms = (top, last, last, last, last + 1, last + 5, first, LAST_ROW)
    bottom = max(top, draw(st.sampled_from(bottoms)))
    begin = draw(st.integers(1, right + 3))
    end = max(begin, draw(st.sampled_from((begin, begin, begin + 1, right))))
    sign = st.sampled_from(("", "$"))
    one, other = column_letters(begin), column_letters(end)
    form = draw(st.sampled_from(("area", "area", "area", "cell", "columns", "rows")))
    if form == "columns":
        area = f"{draw(sign)}{one}:{draw(sign)}{other}"
    elif form == "rows":
        area = f"{draw(sign)}{top}:{draw(sign)}{bottom}"
    else:
        area = f"{draw(sign)}{one}{draw(sign)}{top}"
        if form == "area":
            area += f":{draw(sign)}{other}{draw(sign)}{bottom}"
    return f"{tab}{area}"


@st.composite
def _formulas(draw: st.DrawFn, first: int, last: int, right: int, tabs: tuple[str, ...]) -> str:
    skeleton = draw(st.sampled_from(SKELETONS))
    tab = st.sampled_from(tabs)
    one, other = (draw(_references(first, last, right, draw(tab))) for _ in range(2))
    return skeleton.format(one, other)


def spellings() -> st.SearchStrategy[Spelling]:
    """Ways of writing a package down."""
    usually_not = st.sampled_from((False, False, False, True))
    return st.builds(
        Spelling,
        prefix=st.sampled_from(("", "", "", "x", "main", "ss1")),
        inline_strings=usually_not,
        without_places=usually_not,
        without_spans=usually_not,
        comments=usually_not,
        cdata=usually_not,
        character_references=usually_not,
        single_quotes=usually_not,
        reversed_attributes=usually_not,
        blanks=st.sampled_from(("", "", "", "between", "in tags")),
        encoding=st.sampled_from(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16")),
        declaration=st.sampled_from(("standalone", "plain", "none")),
        strict=usually_not,
        absolute_targets=usually_not,
        odd_part_names=usually_not,
        upper_case_targets=usually_not,
        exponents=usually_not,
        foreign_attributes=usually_not,
        without_dimension=usually_not,
        blank_row_at_end=usually_not,
        compression=st.sampled_from(("deflated", "deflated", "stored", "streamed", "zip64")),
        order=st.sampled_from(("as it was", "as it was", "reversed", "with folders")),
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A workbook with a list and everything around it."""
    kind = draw(st.sampled_from(("range", "range", "filtered", "table")))
    style = "one" if kind != "range" else draw(st.sampled_from(("one", "one", "two", "merged")))
    fields, columns = draw(_headings(kind))
    lines = tuple(draw(st.lists(_lines(), max_size=8)))
    tab = draw(st.sampled_from(TABS))
    others = tuple(draw(st.lists(st.sampled_from(OTHER_TABS), min_size=1, max_size=3, unique=True)))
    heading_row, left = draw(st.integers(1, 6)), draw(st.integers(0, 2))
    first = heading_row + (1 if style == "one" else 2)
    last, right = first + len(lines) - 1, left + len(columns)
    own = quoted(tab) + "!"
    written = (own, own, own.upper() if tab.isascii() else own, "", f"{quoted(others[0])}!")
    formulas = st.tuples(st.sampled_from(others), _formulas(first, last, right, written))
    references = _references(first, last, right, own)
    own_formulas = _formulas(first, last, right, (own, "", ""))
    return Plan(
        tab=tab,
        others=others,
        list_at=draw(st.integers(0, len(others))),
        kind=kind,
        heading_row=heading_row,
        heading_style=style,
        left=left,
        columns=columns,
        fields=fields,
        lines=lines,
        totals_gap=draw(st.sampled_from((None, None, 0, 1, 2))) if lines else None,
        date1904=draw(st.sampled_from((False, False, False, True))),
        right_to_left=draw(st.booleans()),
        styled=draw(st.booleans()),
        hidden_columns=tuple(draw(st.lists(st.integers(0, len(columns) - 1), max_size=2))),
        merged_title=draw(st.booleans()),
        rules=draw(st.booleans()),
        formulas=tuple(draw(st.lists(formulas, max_size=5))),
        own_formulas=tuple(draw(st.lists(own_formulas, max_size=3))),
        row_formulas=tuple(draw(st.lists(own_formulas, max_size=len(lines)))),
        block_formulas=tuple(draw(st.lists(own_formulas, max_size=2))),
        shared_formulas=draw(st.booleans()),
        covering=tuple(draw(st.lists(_covering(first, last, right), max_size=3))),
        charted=tuple(
            draw(st.lists(_references(first, last, right, own).filter(_is_short), max_size=2))
        ),
        note_below=draw(st.sampled_from(("", "", "see also the archive", "Budget"))),
        around=draw(st.frozensets(st.sampled_from(sorted(AROUND)), max_size=4)),
        names=tuple(draw(st.lists(references, max_size=3))),
        spelling=draw(spellings()),
    )


@st.composite
def _covering(draw: st.DrawFn, first: int, last: int, right: int) -> tuple[str, str]:
    """The cells that a conditional format lies on, and its formula.

    The formula looks at the row of the cell itself or at fixed rows: what looks at other rows from
    there has, for some cells, the new row in between, and no one formula is right for all.
    """
    area = _references(first, last, right, "").filter(_is_an_area)
    areas = [draw(area).replace("$", "") for _ in range(draw(st.sampled_from((1, 1, 2))))]
    top = min(int(row) for row in re.findall(r"\d+", " ".join(areas)))
    own = st.integers(1, right + 3).map(lambda column: f"${column_letters(column)}{top}")
    fixed = area.map(lambda text: re.sub(r"\$?([A-Z]+)\$?(\d+)", r"$\1$\2", text))
    one, other = draw(st.one_of(own, fixed)), draw(st.one_of(own, fixed))
    return " ".join(areas), draw(st.sampled_from(SKELETONS)).format(one, other)


def _is_short(reference: str) -> bool:
    return _is_an_area(reference.rpartition("!")[2]) and str(LAST_ROW) not in reference


def _is_an_area(reference: str) -> bool:
    return all(re.search(r"[A-Z]\$?\d", corner) for corner in reference.split(":"))


@st.composite
def _headings(draw: st.DrawFn, kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields from left to right ("" for other columns) and their headings."""
    fields = draw(st.permutations(list(HEADINGS)))
    columns = [(field, draw(st.sampled_from(HEADINGS[field]))) for field in fields]
    extra = draw(st.lists(st.sampled_from(EXTRA), max_size=3, unique=True))
    if kind == "range" and draw(st.sampled_from((False, False, True))):
        extra.append("")
    for heading in extra:
        columns.insert(draw(st.integers(0, len(columns))), ("", heading))
    while columns[0] == ("", "") or columns[-1] == ("", ""):
        columns.remove(("", ""))
    return tuple(field for field, _ in columns), tuple(heading for _, heading in columns)
