"""Moving what charts point at, and the values they keep of it for readers that do not calculate.

A series that takes in new rows keeps its old points, with their looks and labels, at the places
they have then; the new rows' points have no kept value, so a reader that does not calculate shows
a gap there until the workbook is calculated (ECMA-376 part 1, 21.2; [MS-ODRAWXML] for `cx`).
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from canceldesk.workbook.moving.shift import Shift
from canceldesk.workbook.ooxml import markup, references

_SERIES: Final = ("ser", "data")
_KEPT: Final = ("numCache", "strCache", "multiLvlStrCache", "dlblRangeCache", "lvl")
_POINTED: Final = ("dPt", "dLbl", "dataPt")
_VALUES: Final = ("val", "yVal", "numDim")


def move(root: etree._Element, shift: Shift, here: bool) -> None:
    """Move the formulas of a chart, those of one series together."""
    done = set()
    for series in markup.named(root, *_SERIES):
        formulas = [one for one in markup.named(series, "f") if one.text]
        before = [one.text or "" for one in formulas]
        for one, text, moved in zip(formulas, before, shift.formulas(before), strict=True):
            one.text = moved
            _move_points(one, text, shift)
        done.update(formulas)
    for element in markup.named(root, "f", "sqref"):
        if element.text and element not in done:
            element.text = shift.formula(element.text, here=False)


def _move_points(formula: etree._Element, before: str, shift: Shift) -> None:
    """Bring a formula's kept values, and the looks of single points, to where they now belong."""
    first, count = _change_of_points(before, formula.text or "", shift)
    if not count:
        return
    holder = formula.getparent()
    if holder is None:
        return
    for kept in holder:
        if markup.local(kept) in _KEPT:
            _move_kept(kept, first, count)
    of_values = holder if markup.local(holder) in _VALUES else holder.getparent()
    if of_values is not None and markup.local(of_values) in _VALUES:
        series = of_values.getparent()
        if series is not None:
            _move_indexed(series, first, count, _POINTED)


def _change_of_points(before: str, after: str, shift: Shift) -> tuple[int, int]:
    """At which point of a series in one column how many points come in (or go, if below 0)."""
    ranges = [references.found(text) for text in (before, after)]
    if any(len(found) != 1 or not found[0].one_column for found in ranges):
        return 0, 0
    (old,), (new,) = ranges
    if old.begin or old.end != len(before):
        return 0, 0
    return max(shift.row - old.upper.row, 0), new.height - old.height


def _move_kept(kept: etree._Element, first: int, count: int) -> None:
    _move_indexed(kept, first, count, ("pt",))
    for number in markup.named(kept, "ptCount"):
        number.set("val", str(int(number.get("val") or 0) + count))
    for level in markup.named(kept, "lvl"):
        if level.get("ptCount"):
            level.set("ptCount", str(int(level.get("ptCount") or 0) + count))


def _move_indexed(parent: etree._Element, first: int, count: int, names: tuple[str, ...]) -> None:
    """Renumber points from `first` on; those that go are taken out."""
    for point in list(markup.named(parent, *names)):
        index = markup.child(point, "idx")
        holder, name = (point, "idx") if index is None else (index, "val")
        number = holder.get(name)
        if number is None or int(number) < first:
            continue
        owner = point.getparent()
        if int(number) < first - count and owner is not None:
            owner.remove(point)
        else:
            holder.set(name, str(int(number) + count))
