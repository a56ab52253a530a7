"""What must become of a reference when a row is put in under a heading: written down twice.

This is the tests' own reading of the rules, with nothing of the code it judges: each reference in
a formula is compared as the block of cells it covers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LAST_ROW: Final = 1_048_576
LAST_COLUMN: Final = 16_384
_TOKEN: Final = re.compile(
    r"""(?P<text>"(?:[^"]|"")*")|(?P<brackets>\w+\[(?:[^\[\]]|\[[^\]]*\])*\])|
    (?P<tab>(?:'(?:[^']|'')+'|[^\W\d][\w.]*)!)?
    (?:(?<![\w.$'])|(?<=!))
    (?P<area>\$?[A-Z]{1,3}\$?\d+(?::\$?[A-Z]{1,3}\$?\d+)?
       |\$?[A-Z]{1,3}:\$?[A-Z]{1,3}|\$?\d+:\$?\d+)(?![\w(])""",
    re.VERBOSE,
)
_CORNER: Final = re.compile(r"(\$?)([A-Z]*)(\$?)(\d*)")


@dataclass(frozen=True)
class Block:
    """A reference: the tab as written, the cells it covers (from 1), its `$` signs."""

    tab: str
    top: int
    left: int
    bottom: int
    right: int
    signs: str

    @property
    def tab_name(self) -> str:
        """The tab without quotes, to compare; "" for none."""
        name = self.tab.removesuffix("!")
        if name.startswith("'"):
            name = name[1:-1].replace("''", "'")
        return name.casefold()


@dataclass(frozen=True)
class Place:
    """Where the list is: the tab, its first and last row, the outermost columns of its fields."""

    tab: str
    first: int
    last: int
    left: int
    right: int


def column_number(letters: str) -> int:
    """`A` is 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """1 is `A`."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def taken_apart(formula: str) -> tuple[str, list[Block]]:
    """A formula with its references blanked out, and these."""
    blocks: list[Block] = []

    def blank(match: re.Match[str]) -> str:
        if match["area"] is None:
            return match[0]
        blocks.append(_block(match["tab"] or "", match["area"]))
        return "#"

    return _TOKEN.sub(blank, formula), blocks


def _block(tab: str, area: str) -> Block:
    begin, _, end = area.partition(":")
    one, other = _corner(begin), _corner(end or begin)
    return Block(
        tab,
        one[1] or 1,
        one[0] or 1,
        other[1] or LAST_ROW,
        other[0] or LAST_COLUMN,
        re.sub(r"[A-Z]+", "A", re.sub(r"\d+", "1", area)),
    )


def _corner(written: str) -> tuple[int, int]:
    match = _CORNER.fullmatch(written)
    assert match is not None, written
    return column_number(match[2]), int(match[4] or 0)


def down(row: int, first: int) -> int:
    """Where the row stands afterwards."""
    return min(row + 1, LAST_ROW) if row >= first else row


def check(before: str, after: str, place: Place, *, here: bool, inside: bool = False) -> None:
    """Raise unless every reference of a formula has followed as it must.

    `here`: the formula is on the list's tab; `inside`: in one of its rows, where a reference may
    mean just its neighbours.
    """
    skeleton, blocks = taken_apart(before)
    after_skeleton, after_blocks = taken_apart(after)
    assert after_skeleton == skeleton, f"{before} became {after}"
    paired = re.search(r"#[-+*/^&=<>]+#", skeleton) is not None
    for old, new in zip(blocks, after_blocks, strict=True):
        meant = old.tab_name == place.tab.casefold() if old.tab else here
        own = {(old.top, old.bottom)}
        allowed = _allowed(old, place, either=inside or paired) if meant else own
        assert (new.tab, new.left, new.right) == (old.tab, old.left, old.right), after
        assert new.signs == old.signs, f"{before} became {after}"
        assert (new.top, new.bottom) in allowed, f"{before} became {after}, allowed: {allowed}"
    torn = any(block.top < place.first <= block.bottom for block in blocks)
    if paired and not torn and _equally_tall(blocks) and blocks[0].bottom > blocks[0].top:
        assert _equally_tall(after_blocks), f"{before} became {after}, paired row by row"


def _equally_tall(blocks: list[Block]) -> bool:
    return len({block.bottom - block.top for block in blocks}) == 1


def _allowed(old: Block, place: Place, *, either: bool) -> set[tuple[int, int]]:
    """The first and last rows that are right for a reference to the list's tab.

    `either`: the reference may mean the whole list or just these rows.
    """
    moved = (down(old.top, place.first), down(old.bottom, place.first))
    grown = (old.top, moved[1])
    if old.top != place.first or ":" not in old.signs:
        return {moved}
    clear = not either and old.left <= place.right and old.right >= place.left
    if clear and old.bottom > place.first:
        return {grown}
    beside = old.right < place.left or old.left > place.right
    return {moved, grown} if either or not beside or _touches(old, place) else {moved}


def _touches(old: Block, place: Place) -> bool:
    """Whether columns beside the fields may still belong to the list."""
    return old.right >= place.left - 8 and old.left <= place.right + 8


def filled(formula: str, by: int) -> str | None:
    """A formula as it reads some rows further down; None where that falls off the sheet."""
    outside = False

    def change(match: re.Match[str]) -> str:
        nonlocal outside
        if match["area"] is None:
            return match[0]
        rows = re.sub(r"(?<![$\d])\d+", lambda row: str(int(row[0]) + by), match["area"])
        outside = outside or any(not 0 < int(n) <= LAST_ROW for n in re.findall(r"\d+", rows))
        return (match["tab"] or "") + rows

    text = _TOKEN.sub(change, formula)
    return None if outside else text
