"""Where everything stands after one row was inserted directly under a list's heading.

Everything at or below the new row moves down by one. A reference that means the whole list, that
is a range whose first row was the first data row, grows to take the new row in; Excel itself would
only move it. Rows *inside* the list that look at their own or neighbouring rows are no such
references and just move.
"""

from __future__ import annotations

from dataclasses import dataclass

from canceldesk.workbook import references
from canceldesk.workbook.errors import CannotEdit
from canceldesk.workbook.references import LAST_ROW, Corner, Reference, Span


@dataclass(frozen=True)
class Insertion:
    """A row put in at `row` (the first data row until now) of `tab`.

    `last_row` is the last row of the list before (`row - 1` for an empty list); `left` and `right`
    are its outermost columns, A being 1; `tabs` are all tabs in order.
    """

    tab: str
    row: int
    last_row: int
    left: int
    right: int
    tabs: tuple[str, ...] = ()
    count: int = 1

    @property
    def single(self) -> bool:
        """Whether the list held at most one row, so that one cell could mean the whole list."""
        return self.last_row <= self.row

    def moved(self, row: int) -> int:
        """Where the row numbered `row` stands now; nothing falls off the sheet's end."""
        return min(row + self.count, LAST_ROW) if row >= self.row else row

    def span_moved(self, span: Span) -> Span:
        """Where a rectangle stands now, stretched if the new row is inside."""
        return Span(self.moved(span.top), span.left, self.moved(span.bottom), span.right)

    def range_moved(self, text: str) -> str:
        """`span_moved` for `A1:B2` as text."""
        return references.rewritten(text, self._plain)

    def range_grown(self, text: str, *, even_single: bool = False) -> str:
        """The range with the new row taken in if it covered the list from its first row.

        With `even_single` a range over only the first row grows too.
        """

        def change(found: Reference) -> str | None:
            bottom = found.bottom or found.top
            starts = found.top.row == self.row and self.overlaps(found)
            if starts and (bottom.row > self.row or even_single or self.single):
                top = str(found.top)
                return f"{top}:{_with_row(bottom, self.moved(bottom.row))}"
            return self._plain(found)

        return references.rewritten(text, change)

    def ranges_moved(self, text: str) -> str:
        """`range_moved` for several ranges with spaces between."""
        return " ".join(self.range_moved(part) for part in text.split())

    def ranges_grown(self, text: str, *, even_single: bool = False) -> str:
        """`range_grown` for several ranges with spaces between."""
        return " ".join(self.range_grown(part, even_single=even_single) for part in text.split())

    def straddled_by(self, span: Span) -> bool:
        """Whether a rectangle lies on both sides of the new row."""
        return span.top < self.row <= span.bottom

    def overlaps(self, reference: Reference) -> bool:
        """Whether a reference has columns of the list."""
        if not reference.top.letters:
            return True
        left = references.column_number(reference.top.letters)
        right = references.column_number((reference.bottom or reference.top).letters)
        return left <= self.right and right >= self.left

    def means(self, reference: Reference, *, here: bool) -> bool:
        """Whether a reference is to the list's sheet; `here`: the formula stands on that sheet."""
        if reference.sheet is None:
            return here
        if ":" in reference.sheet:
            self._check_across_tabs(reference)
            return False
        return reference.sheet.casefold() == self.tab.casefold()

    def _check_across_tabs(self, reference: Reference) -> None:
        """Refuse where `Jan:Dec!A9` would have to move on one of its tabs only."""
        begin, _, end = (reference.sheet or "").casefold().partition(":")
        folded = [tab.casefold() for tab in self.tabs]
        if begin not in folded or end not in folded:
            return
        between = folded[folded.index(begin) : folded.index(end) + 1]
        if self.tab.casefold() in between and self._plain(reference) is not None:
            raise CannotEdit(
                f"A formula adds up several tabs at once ({begin} to {end}), so a row cannot be "
                f"put into “{self.tab}” alone without changing what the formula means. "
                "Change that formula, or add this row by hand."
            )

    def formula(self, text: str, *, here: bool, row: int | None = None) -> str:
        """The formula of a cell (or of a chart, a pivot source, ...) after the insertion.

        `here`: it stands on the list's sheet; `row`: the row it stood in.
        """
        inside = here and row is not None and self.row <= row <= self.last_row

        def change(reference: Reference) -> str | None:
            if not self.means(reference, here=here):
                return None
            return self._in_cell(reference, inside=inside)

        return references.rewritten(text, change)

    def name(self, text: str) -> str:
        """The formula of a defined name, where rows not fixed are relative to the user's cell."""

        def change(reference: Reference) -> str | None:
            bottom = reference.bottom or reference.top
            if not self.means(reference, here=False) or not (
                reference.top.row_fixed and bottom.row_fixed
            ):
                return None
            return self._in_cell(reference, inside=False)

        return references.rewritten(text, change)

    def rule(self, text: str, *, here: bool, before: Span, after: Span) -> str:
        """The formula of a conditional format or validation that covers `before`, now `after`.

        Rows that are not fixed are relative to the top of the covered cells.
        """
        travels = here and before.bottom >= self.row

        def change(reference: Reference) -> str | None:
            if not self.means(reference, here=here):
                return None
            if travels:
                return self._with_base(reference, after.top - before.top)
            self._check_uniform(reference, before)
            return self._in_cell(reference, inside=False)

        return references.rewritten(text, change)

    def _in_cell(self, reference: Reference, *, inside: bool) -> str | None:
        top, bottom = reference.top, reference.bottom
        if bottom is None:
            stays = (
                reference.anchors_block
                and top.row == self.row
                and self.overlaps(reference)
                and (top.row_fixed or not inside)
            )
            return None if stays else self._plain(reference)
        if self._grows(reference, inside=inside):
            return reference.moved((top.row, self.moved(bottom.row)))
        return self._plain(reference)

    def _grows(self, reference: Reference, *, inside: bool) -> bool:
        top, bottom = reference.top, reference.bottom
        if bottom is None or top.row != self.row or not self.overlaps(reference):
            return False
        if inside:
            running_total = not bottom.row_fixed and top.letters == bottom.letters
            return top.row_fixed and (bottom.row > self.row or running_total)
        if bottom.row > self.row:
            return True
        return self.single and bottom.row == self.row and top.letters == bottom.letters != ""

    def _plain(self, reference: Reference) -> str | None:
        bottom = reference.bottom or reference.top
        rows = (self.moved(reference.top.row), self.moved(bottom.row))
        return None if rows == (reference.top.row, bottom.row) else reference.moved(rows)

    def _with_base(self, reference: Reference, moved_by: int) -> str:
        bottom = reference.bottom or reference.top
        grows = (
            reference.bottom is not None
            and reference.top.row_fixed
            and reference.top.row == self.row
            and (bottom.row > self.row or not bottom.row_fixed or self.single)
            and self.overlaps(reference)
        )
        top = self._based(reference.top, moved_by)
        return reference.moved((reference.top.row if grows else top, self._based(bottom, moved_by)))

    def _based(self, corner: Corner, moved_by: int) -> int:
        if corner.row_fixed:
            return self.moved(corner.row)
        return min(corner.row + moved_by, LAST_ROW)

    def _check_uniform(self, reference: Reference, covered: Span) -> None:
        """Refuse where one formula for many cells would have to move for only some of them."""
        height = covered.bottom - covered.top
        for corner in (reference.top, reference.bottom):
            if corner is None or corner.row_fixed:
                continue
            if corner.row < self.row <= corner.row + height:
                raise CannotEdit(
                    "A conditional format or a validation outside the list looks row by row into "
                    f"“{self.tab}”, across the place of the new row, and cannot be kept as it is. "
                    "Change that rule to fixed rows ($), or add this row by hand."
                )


def _with_row(corner: Corner, row: int) -> Corner:
    return Corner(corner.letters, corner.column_fixed, row, corner.row_fixed)
