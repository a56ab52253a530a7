"""Client text as a workbook can hold it."""

from __future__ import annotations

import re
from typing import Final

LONGEST_CELL_TEXT: Final = 32767
"""Characters in one cell (Excel specifications and limits), counted as UTF-16 units."""

_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPED: Final = re.compile("_x([0-9A-Fa-f]{4})_")
_LOOKS_ESCAPED: Final = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


def storable(value: str) -> str:
    """`value` as a cell can hold it: no characters XML forbids, one kind of line end, not too long.

    Too long a text is cut, since Excel calls a workbook with a longer one damaged.
    """
    cleaned = _NOT_IN_XML.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
    encoded = cleaned.encode("utf-16-le")[: LONGEST_CELL_TEXT * 2]
    return encoded.decode("utf-16-le", errors="ignore")


def normalised(value: str) -> str:
    """`value` as it is compared: storable, runs of white space as one space, none at the ends."""
    return " ".join(storable(value).split())


def escaped(value: str) -> str:
    """`value` as it stands in the XML: a literal `_x000D_` must not be read as a line end.

    ECMA-376 part 1, 22.9.2.19 (ST_Xstring).
    """
    return _LOOKS_ESCAPED.sub("_x005F_", value)


def unescaped(value: str) -> str:
    """What the XML text `value` means: `_xHHHH_` is the character HHHH."""
    if "_x" not in value:
        return value
    joined = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), value)
    return joined.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
