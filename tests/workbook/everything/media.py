"""Small binary files that a workbook can hold: pictures and a macro project."""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import Final

_SECTOR: Final = 512
_END: Final = 0xFFFFFFFE
_FREE: Final = 0xFFFFFFFF
_TABLE: Final = 0xFFFFFFFD
_NOBODY: Final = 0xFFFFFFFF


def picture(red: int) -> bytes:
    """A PNG of 60 by 60 pixels in one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    line = b"\0" + bytes((red, 90, 120)) * 60
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 60, 60, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(line * 60))
        + chunk(b"IEND", b"")
    )


def macros() -> bytes:
    """A compound file as Excel keeps macros in, with the streams' names and invented contents.

    Layout after [MS-CFB]: header, one sector of the allocation table, two of the directory, then
    the streams, each long enough not to need the small-stream table.
    """
    project, names = _noise("project", 4096), _noise("names", 4608)
    table = [_TABLE, 2, _END]
    for content in (project, names):
        table += [*range(len(table) + 1, len(table) + len(content) // _SECTOR), _END]
    table += [_FREE] * (_SECTOR // 4 - len(table))
    entries = [
        _entry("Root Entry", 5, child=1),
        _entry("PROJECT", 2, begin=3, size=len(project), left=3, right=2),
        _entry("PROJECTwm", 2, begin=3 + len(project) // _SECTOR, size=len(names)),
        _entry("VBA", 1),
        *[_entry("", 0)] * 4,
    ]
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        bytes(16),
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        bytes(6),
        0,
        1,
        1,
        0,
        4096,
        _END,
        0,
        _END,
        0,
    )
    header += struct.pack("<109I", 0, *[_FREE] * 108)
    return header + struct.pack("<128I", *table) + b"".join(entries) + project + names


def _entry(
    name: str,
    kind: int,
    *,
    begin: int = 0,
    size: int = 0,
    left: int = _NOBODY,
    right: int = _NOBODY,
    child: int = _NOBODY,
) -> bytes:
    encoded = name.encode("utf-16-le")
    length = len(encoded) + 2 if name else 0
    start = _END if kind == 5 else begin
    return struct.pack(
        "<64sHBBIII16sIQQIQ",
        encoded,
        length,
        kind,
        1,
        left,
        right,
        child,
        bytes(16),
        0,
        0,
        0,
        start,
        size,
    )


def _noise(seed: str, size: int) -> bytes:
    blocks = (hashlib.sha256(f"{seed}{number}".encode()).digest() for number in range(size // 32))
    return b"".join(blocks)
