"""What putting rows into a list and taking one out have in common: where everything stands then."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.ooxml import references
from canceldesk.workbook.ooxml.references import LAST_ROW, Corner, Reference, Span

LOST = "#REF!"
"""What Excel writes where the cells referred to are gone."""


@dataclass(frozen=True)
class Shift(ABC):
    """A change of the rows of `tab` at `row`.

    `last_row` is the last row of the list before; `left` and `right` are its outermost columns, A
    being 1; `tabs` are all tabs in order.
    """

    tab: str
    row: int
    last_row: int
    left: int
    right: int
    tabs: tuple[str, ...] = ()

    by_hand: ClassVar[str]
    """The sentence that sends a person to Excel."""
    impossible: ClassVar[str]
    """What cannot be done, as in “so … without changing what the formula means”."""

    @abstractmethod
    def moved(self, row: int) -> int:
        """Where the row numbered `row` stands now; where a lost one stood."""

    @abstractmethod
    def rows_moved(self, first: int, last: int) -> tuple[int, int] | None:
        """Where a run of rows stands now; None when it is gone."""

    @abstractmethod
    def straddled_by(self, span: Span) -> bool:
        """Whether a rectangle would be torn or squeezed by the change."""

    @abstractmethod
    def special(
        self, text: str, found: Sequence[Reference], *, here: bool, place: Place, block: int
    ) -> set[int]:
        """Which references (`begin`) of those found in a formula do not merely move.

        `block` is how many rows the formula fills at once, 0 for an ordinary one. A reference that
        does not begin at the row of the change is never special unless another one is.
        """

    @abstractmethod
    def special_rows(self, first: int, last: int) -> tuple[int, int]:
        """The rows of a special reference now."""

    @abstractmethod
    def range_grown(self, text: str, *, even_single: bool = False) -> str:
        """The range as a format or validation that meant the whole list means it now."""

    @abstractmethod
    def _with_base(
        self, text: str, found: Sequence[Reference], base: Base
    ) -> Callable[[Reference], str | None]:
        """How to change a rule's references when the rule's own cells moved."""

    @abstractmethod
    def _tears(self, first: int, height: int) -> bool:
        """Whether a cell seen from `height` more rows would move for only some of them."""

    def keeps(self, row: int) -> bool:
        """Whether the row is still there."""
        return self.rows_moved(row, row) is not None

    def span_moved(self, span: Span) -> Span | None:
        """Where a rectangle stands now; None when it is gone."""
        rows = self.rows_moved(span.top, span.bottom)
        return None if rows is None else Span(rows[0], span.left, rows[1], span.right)

    def range_moved(self, text: str) -> str:
        """`span_moved` for `A1:B2` as text; empty when it is gone."""
        return references.rewritten(text, lambda found: self._plain(found, lost=""))

    def ranges_moved(self, text: str) -> str:
        """`range_moved` for several ranges with spaces between."""
        return " ".join(filter(None, (self.range_moved(part) for part in text.split())))

    def ranges_grown(self, text: str, *, even_single: bool = False) -> str:
        """`range_grown` for several ranges with spaces between."""
        grown = (self.range_grown(part, even_single=even_single) for part in text.split())
        return " ".join(filter(None, grown))

    def overlaps(self, reference: Reference) -> bool:
        """Whether a reference has columns of the list."""
        if not reference.top.letters:
            return True
        ends = [reference.top, reference.bottom or reference.top]
        columns = [references.column_number(corner.letters) for corner in ends]
        return min(columns) <= self.right and max(columns) >= self.left

    def means(self, reference: Reference, *, here: bool) -> bool:
        """Whether a reference is to the list's sheet; `here`: the formula stands on that sheet."""
        if reference.elsewhere:
            return False
        if reference.sheet is None:
            return here
        if reference.sheet in self.tabs:
            return reference.sheet == self.tab
        if ":" in reference.sheet:
            self._check_across_tabs(reference)
            return False
        return folded(reference.sheet) == folded(self.tab)

    def _check_across_tabs(self, reference: Reference) -> None:
        """Refuse where `Jan:Dec!A9` would have to move on one of its tabs only."""
        begin, _, end = folded(reference.sheet or "").partition(":")
        tabs = [folded(tab) for tab in self.tabs]
        if begin not in tabs or end not in tabs:
            return
        first, last = sorted((tabs.index(begin), tabs.index(end)))
        if folded(self.tab) in tabs[first : last + 1] and self._plain(reference) is not None:
            raise CannotEdit(
                f"A formula adds up several tabs at once ({begin} to {end}), so {self.impossible} "
                f"“{self.tab}” alone without changing what the formula means. "
                f"Change that formula, or {self.by_hand}."
            )

    def formula(
        self,
        text: str,
        *,
        here: bool,
        row: int | None = None,
        column: int | None = None,
        block: int = 0,
    ) -> str:
        """The formula of a cell (or of a chart, a pivot source, ...) after the change.

        `here`: it stands on the list's sheet; `row` and `column`: where it stood; `block`: how
        many rows an array formula fills.
        """
        if not here and "!" not in text:
            return text
        found = references.found(text, elsewhere=True)
        mine = [reference for reference in found if self.means(reference, here=here)]
        if not mine:
            return text
        place = self.place(row, column, here=here)
        change = self._changed(text, found, here=here, place=place, block=block)
        return references.rewritten(text, change, mine)

    def formulas(self, texts: Sequence[str]) -> list[str]:
        """Formulas of another place whose ranges belong together, as those of a chart's series."""
        joined = f"TOGETHER({','.join(texts)})"
        found = references.found(joined, elsewhere=True)
        mine = [reference for reference in found if self.means(reference, here=False)]
        change = self._changed(joined, found, here=False, place=OUTSIDE, block=0)
        after, begin = [], len("TOGETHER(")
        for text in texts:
            end = begin + len(text)
            pieces: list[str] = []
            done = begin
            for reference in mine:
                inside = begin <= reference.begin < end
                replacement = change(reference) if inside else None
                if replacement is not None:
                    pieces += (joined[done : reference.begin], replacement)
                    done = reference.end
            after.append("".join((*pieces, joined[done:end])))
            begin = end + 1
        return after

    def name(self, text: str, *, here: bool = False) -> str:
        """The formula of a defined name, where rows not fixed are relative to the user's cell.

        `here`: the name belongs to the list's sheet.
        """
        found = references.found(text, elsewhere=True)
        mine = [
            reference
            for reference in found
            if self.means(reference, here=here)
            and reference.upper.row_fixed
            and reference.lower.row_fixed
        ]
        change = self._changed(text, found, here=here, place=OUTSIDE, block=0)
        return references.rewritten(text, change, mine)

    def merely_moved(self, text: str) -> str:
        """A formula of another place with its references moved and none of them grown."""
        found = references.found(text)
        mine = [reference for reference in found if self.means(reference, here=False)]
        return references.rewritten(text, self._plain, mine)

    def rule(self, text: str, *, here: bool, before: Span, after: Span) -> str:
        """The formula of a conditional format or validation that covers `before`, now `after`.

        Rows that are not fixed are relative to the top of the covered cells.
        """
        found = references.found(text, elsewhere=True)
        mine = [reference for reference in found if self.means(reference, here=here)]
        if here and before.bottom >= self.row:
            base = Base(moved_by=after.top - before.top, height=before.bottom - before.top)
            change = self._with_base(text, found, base)
        else:
            for reference in mine:
                self._check_uniform(reference, before)
            grown = self._changed(text, found, here=here, place=OUTSIDE, block=0)
            one_row = before.top == before.bottom

            def change(reference: Reference) -> str | None:
                fixed = reference.upper.row_fixed and reference.lower.row_fixed
                return grown(reference) if one_row or fixed else self._plain(reference)

        return references.rewritten(text, change, mine)

    def _changed(
        self, text: str, found: Sequence[Reference], *, here: bool, place: Place, block: int
    ) -> Callable[[Reference], str | None]:
        """How to change the references to the list's sheet among those found in a formula."""
        special = self.special(text, found, here=here, place=place, block=block)

        def change(reference: Reference) -> str | None:
            if reference.begin in special:
                rows = self.special_rows(reference.upper.row, reference.lower.row)
                return reference.at(*rows)
            return self._plain(reference)

        return change

    def place(self, row: int | None, column: int | None, *, here: bool) -> Place:
        """Where a formula stands, seen from the list."""
        if not here or row is None or not self.row <= row <= self.last_row:
            return OUTSIDE
        return Place(
            in_rows=True,
            in_columns=column is None or self.left <= column <= self.right,
            row=row,
            column=column or 0,
        )

    def _plain(self, reference: Reference, *, lost: str = LOST) -> str | None:
        """The reference moved with its cells; None when it stays as it is."""
        before = (reference.upper.row, reference.lower.row)
        rows = self.rows_moved(*before)
        if rows is None:
            return reference.prefix + lost if lost else ""
        return None if rows == before else reference.at(*rows)

    def _based(self, corner: Corner, base: Base) -> int:
        """A row counted from the top of a rule's cells: it goes with them, unless what all of them
        look at lies above the change and stays.
        """
        if base.moved_by and corner.row + base.height < self.row:
            return corner.row
        return min(max(corner.row + base.moved_by, 1), LAST_ROW)

    def _check_uniform(self, reference: Reference, covered: Span) -> None:
        """Refuse where one formula for many cells would have to move for only some of them."""
        for corner in (reference.top, reference.bottom):
            if corner is None or corner.row_fixed:
                continue
            if self._tears(corner.row, covered.bottom - covered.top):
                raise CannotEdit(
                    "A conditional format or a validation outside the list looks row by row into "
                    f"“{self.tab}”, across the row in question, and cannot be kept as it is. "
                    f"Change that rule to fixed rows ($), or {self.by_hand}."
                )


@dataclass(frozen=True)
class Base:
    """How far the cells that a rule covers moved, and how many rows they have beyond the first."""

    moved_by: int
    height: int


@dataclass(frozen=True)
class Place:
    """Where a formula stands: among the list's rows, among its columns; 0 for what is not known."""

    in_rows: bool
    in_columns: bool
    row: int = 0
    column: int = 0


OUTSIDE = Place(in_rows=False, in_columns=False)


def folded(tab: str) -> str:
    """A tab's name for comparing as Excel does: letter by letter, large or small."""
    return "".join(upper if len(upper := letter.upper()) == 1 else letter for letter in tab)
