"""What a cell's style number means, so that styles compare across two style lists."""

from __future__ import annotations

from typing import Final

from lxml import etree

from canceldesk.workbook.ooxml import markup

_LISTS: Final = {"fontId": "fonts", "fillId": "fills", "borderId": "borders"}
_LOOKS: Final = ("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs")


class Formats:
    """The formats of one workbook; `root` is None where it has none."""

    def __init__(self, root: etree._Element | None) -> None:
        self._lists: dict[str, list[etree._Element]] = {}
        self._rest: dict[str, str] = {}
        for child in root if root is not None else ():
            name = markup.local(child)
            if name in _LOOKS:
                self._lists[name] = [one for one in child if markup.local(one)]
            elif name:
                self._rest[name] = _plain(child)
        self._numbers = {
            one.get("numFmtId", ""): one.get("formatCode", "")
            for one in self._lists.get("numFmts", [])
        }
        self._known: dict[int, tuple[str, ...]] = {}

    def lost(self, after: Formats) -> list[tuple[str, int]]:
        """What of the lists that looks are made of is another in `after`; new entries may follow.

        Given as name of the list and number of its first entry that differs.
        """
        found = []
        for name in _LOOKS:
            mine = [_plain(one) for one in self._lists.get(name, [])]
            theirs = [_plain(one) for one in after._lists.get(name, [])]
            for number, one in enumerate(mine):
                if theirs[number : number + 1] != [one]:
                    found.append((name, number))
                    break
        return found

    @property
    def rest(self) -> dict[str, str]:
        """What else the styles hold by name: conditional looks, named styles, colours."""
        return self._rest

    def meaning(self, style: int) -> tuple[str, ...]:
        """The look of a style number: number format, font, fill, border, alignment, protection."""
        if style not in self._known:
            self._known[style] = self._resolved(style)
        return self._known[style]

    def _resolved(self, style: int) -> tuple[str, ...]:
        cells = self._lists.get("cellXfs", [])
        if not 0 <= style < len(cells):
            return ("none",) if style else ("plain",)
        xf = cells[style]
        number = xf.get("numFmtId", "0")
        inner = [_plain(child) for child in xf if markup.local(child)]
        flags = [
            f"{name}={xf.get(name)}" for name in ("quotePrefix", "pivotButton") if xf.get(name)
        ]
        return (
            self._numbers.get(number, number),
            *(self._part(xf, name) for name in _LISTS),
            *inner,
            *flags,
        )

    def _part(self, xf: etree._Element, name: str) -> str:
        written = xf.get(name, "0")
        parts = self._lists.get(_LISTS[name], [])
        if written.isdigit() and int(written) < len(parts):
            return _plain(parts[int(written)])
        return written


def difference(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    """In a word or two, in what two meanings differ."""
    names = ("number format", "font", "fill", "border")
    found = [
        name for name, a, b in zip(names, before, after, strict=False) if a != b
    ]  # fmt: skip
    if before[len(names) :] != after[len(names) :]:
        found.append("alignment or protection")
    return ", ".join(found) or "format"


def _plain(element: etree._Element) -> str:
    return etree.tostring(element, method="c14n", with_tail=False).decode()
