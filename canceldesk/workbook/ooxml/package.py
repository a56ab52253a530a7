"""The zip package a workbook is: read with limits, rewritten with unchanged members left as bytes.

Part names, relationships and content types follow ECMA-376 part 2 (Open Packaging Conventions).
"""

from __future__ import annotations

import hashlib
import io
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from lxml import etree

from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.ooxml import markup, zipwriter
from canceldesk.workbook.ooxml.zipwriter import Deflated

LARGEST_FILE: Final = 512 * 1024 * 1024
LARGEST_MEMBER: Final = 1024 * 1024 * 1024
LARGEST_CONTENT: Final = 2 * LARGEST_MEMBER
MOST_MEMBERS: Final = 20_000
LARGEST_TREE: Final = 64 * 1024 * 1024
"""Bytes of XML made into a tree, which needs up to thirty times as much memory."""

_COMPOUND_FILE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_CONTENT_TYPES: Final = "[Content_Types].xml"
_PIECE: Final = 256 * 1024
_DIRECTORY_ENTRY: Final = b"PK\x01\x02"
_DIRECTORY_END: Final = b"PK\x05\x06"
_IN_ZIP64: Final = 0xFFFF
"""Stands for a number of members that is told elsewhere."""
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The only ones a package may use (ECMA-376 part 2, B.4); others unpack without a limit."""
_NOT_UNPACKED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    struct.error,
)
"""What `zipfile` raises for a damaged file, names and places that cannot be included."""


@dataclass(frozen=True)
class Relationship:
    """One arrow from a part; `kind` is the last word of its type, the same in strict files."""

    kind: str
    target: str
    external: bool
    id: str


class Package:
    """The members of one workbook file held in memory, with the changes made to them.

    With `checking`, a member that is streamed is also checked to be well-formed XML, in the same
    go, if its name says that it is XML.
    """

    def __init__(self, data: bytes, name: str, *, checking: bool = False) -> None:
        self._data = data
        self._name = name
        self._zip = _opened(data, name)
        self._members = {_part_name(info.filename): info for info in self._zip.infolist()}
        self._by_folded = {_folded(part): part for part in self._members}
        self._changed: dict[str, Deflated] = {}
        self._removed: set[str] = set()
        self._checking = checking
        self._digests: dict[str, bytes] = {}
        self._check_limits()

    @property
    def parts(self) -> list[str]:
        """The names of all members, without a leading slash."""
        return [part for part in self._members if part not in self._removed]

    @property
    def changed(self) -> frozenset[str]:
        """The members that will differ from the file that was read, removed ones included."""
        return frozenset(self._changed) | frozenset(self._removed)

    def has(self, part: str) -> bool:
        """Whether there is such a member."""
        known = self._by_folded.get(_folded(part))
        return known is not None and known not in self._removed

    def size(self, part: str) -> int:
        """How many bytes a member unpacks to; 0 for one that is not there."""
        known = self._by_folded.get(_folded(part), "")
        if known in self._changed:
            return self._changed[known].size
        return self._members[known].file_size if known else 0

    def read(self, part: str) -> bytes:
        """The bytes of a member, as changed so far."""
        known = self._known(part)
        if known in self._changed:
            return self._changed[known].content()
        try:
            return self._zip.read(self._members[known])
        except _NOT_UNPACKED as error:
            raise self._not_unpacked(part) from error

    def stream(self, part: str, *, checking: bool = False) -> Iterator[bytes]:
        """The bytes of a member piece by piece, so that a huge one is never held.

        The first time, its digest is kept, and its XML checked, if this or all are to be.
        """
        known = self._known(part)
        if known in self._changed:
            yield self._changed[known].content()
        elif known in self._digests:
            yield from self._unpacked(known)
        else:
            digest = hashlib.sha256()
            check = self._check_of(known, checking=checking)
            for piece in self._unpacked(known):
                digest.update(piece)
                check.feed(piece)
                yield piece
            check.close()
            self._digests[known] = digest.digest()

    def _check_of(self, part: str, *, checking: bool) -> markup.Check:
        is_xml = part.casefold().endswith((".xml", ".rels"))
        what = f"“{self._name}” (part “{part}”)"
        return (
            markup.WellFormed(what) if checking or (self._checking and is_xml) else markup.Check()
        )

    def _unpacked(self, known: str) -> Iterator[bytes]:
        try:
            with self._zip.open(self._members[known]) as member:
                while piece := member.read(_PIECE):
                    yield piece
        except _NOT_UNPACKED as error:
            raise self._not_unpacked(known) from error

    def _known(self, part: str) -> str:
        known = self._by_folded.get(_folded(part))
        if known is None or known in self._removed:
            raise CannotRead(
                f"“{self._name}” is damaged: its part “{part}” is missing. "
                "Open it in Excel, let Excel repair it, save it and try again."
            )
        return known

    def _not_unpacked(self, part: str) -> CannotRead:
        return CannotRead(
            f"“{self._name}” is damaged: its part “{part}” cannot be unpacked. "
            "Open it in Excel, let Excel repair it, save it and try again."
        )

    def tree(self, part: str) -> etree._Element:
        """The XML of a member; raises `CannotRead` when it is not well-formed."""
        if self.size(part) > LARGEST_TREE:
            raise CannotRead(
                f"The part “{part}” of “{self._name}” is larger than the desk will open "
                f"({LARGEST_TREE // 2**20} MB). Move the cancellation tab to a workbook of its own."
            )
        return markup.parsed(self.read(part), f"“{self._name}” (part “{part}”)")

    def write(self, part: str, content: bytes) -> None:
        """Give an existing member other bytes; nothing is changed when they are the same."""
        if content != self.read(part):
            self.write_stream(part, (content,))

    def write_stream(self, part: str, pieces: Iterable[bytes]) -> None:
        """Give an existing member the bytes that `pieces` make up; only their compressed form is
        held.
        """
        self.put(part, zipwriter.deflated(pieces))

    def put(self, part: str, made: Deflated) -> None:
        """Give an existing member other content, compressed already."""
        self._changed[self._known(part)] = made

    def write_tree(self, part: str, root: etree._Element) -> None:
        """Give a member other XML."""
        self.write(part, markup.serialised(root))

    def remove(self, part: str, relationships_of: str) -> None:
        """Take out a member together with the arrow to it and its content type."""
        known = self._known(part)
        arrows = _relationships_part(relationships_of)
        tree = self.tree(arrows)
        for relation in list(tree.iterchildren("{*}Relationship")):
            target = _resolved(relationships_of, relation.get("Target", ""))
            if relation.get("TargetMode") != "External" and _folded(target) == _folded(known):
                tree.remove(relation)
        self.write_tree(arrows, tree)
        types = self.tree(_CONTENT_TYPES)
        for override in list(types.iterchildren("{*}Override")):
            if _folded(override.get("PartName", "").lstrip("/")) == _folded(known):
                types.remove(override)
        self.write_tree(_CONTENT_TYPES, types)
        self._removed.add(known)

    def relationships(self, part: str) -> list[Relationship]:
        """Where a part points to; the package's own arrows for the empty name."""
        arrows = _relationships_part(part)
        if not self.has(arrows):
            return []
        return [
            Relationship(
                kind=relation.get("Type", "").rsplit("/", 1)[-1],
                target=(
                    relation.get("Target", "")
                    if relation.get("TargetMode") == "External"
                    else self._named(_resolved(part, relation.get("Target", "")))
                ),
                external=relation.get("TargetMode") == "External",
                id=relation.get("Id", ""),
            )
            for relation in self.tree(arrows)
            if markup.local(relation) == "Relationship"
        ]

    def _named(self, part: str) -> str:
        """A part's name as the file spells it, where it holds such a part."""
        return self._by_folded.get(_folded(part), part)

    def content_types(self) -> dict[str, str]:
        """Content type by part name: a part's own, or that of its name's ending."""
        own, by_ending = {}, {}
        for described in self.tree(_CONTENT_TYPES):
            kind = described.get("ContentType", "")
            if markup.local(described) == "Override":
                own[_folded(described.get("PartName", "").lstrip("/"))] = kind
            elif markup.local(described) == "Default":
                by_ending[described.get("Extension", "").casefold()] = kind
        return {
            part: own.get(folded, by_ending.get(folded.rpartition(".")[2], ""))
            for folded, part in self._by_folded.items()
        }

    def packed(self) -> bytes:
        """The new file: changed members compressed anew, all others copied as they lie."""
        changed = {self._members[part].filename: made for part, made in self._changed.items()}
        removed = {self._members[part].filename for part in self._removed}
        try:
            return zipwriter.rewritten(self._data, self._zip.infolist(), changed, removed)
        except zipfile.BadZipFile as error:
            raise CannotRead(
                f"“{self._name}” is damaged ({error}). "
                "Open it in Excel, let Excel repair it, save it and try again."
            ) from error

    def differs(self, packed: Package) -> str:
        """In which member `packed` is not this package as changed; "" when it is.

        Members that were not changed must lie in both files byte for byte.
        """
        if packed.parts != self.parts:
            return "the list of parts"
        for part in self.parts:
            changed = self._changed.get(part)
            same = self._lies_in(packed, part) if changed is None else packed.holds(part, changed)
            if not same:
                return part
        return ""

    def holds(self, part: str, content: Deflated) -> bool:
        """Whether the member as it lies in the file unpacks to exactly this content."""
        if part not in self._digests:
            for _ in self.stream(part):
                pass
        return self._digests[part] == content.digest

    def _lies_in(self, packed: Package, part: str) -> bool:
        own, other = self._members[part], packed._members[part]
        return (
            (own.CRC, own.file_size, own.compress_type)
            == (other.CRC, other.file_size, other.compress_type)
        ) and zipwriter.lying(self._data, own) == zipwriter.lying(packed._data, other)

    def _check_limits(self) -> None:
        infos = self._zip.infolist()
        if len(self._by_folded) != len(infos):
            raise CannotRead(
                f"“{self._name}” holds two parts of the same name, which no spreadsheet program "
                "writes. Save it again from Excel and try again."
            )
        if not self.has(_CONTENT_TYPES):
            raise CannotRead(
                f"“{self._name}” is not an Excel workbook (.xlsx or .xlsm). "
                "Open it in Excel and save it as an Excel Workbook."
            )
        packed_twice = sum(info.compress_size for info in infos) > len(self._data)
        if packed_twice or any(info.compress_type not in _METHODS for info in infos):
            raise CannotRead(
                f"“{self._name}” is packed in a way that no spreadsheet program uses. "
                "Save it again from Excel and try again."
            )
        sizes = [info.file_size for info in infos]
        if max(sizes) > LARGEST_MEMBER or sum(sizes) > LARGEST_CONTENT:
            raise CannotRead(
                f"“{self._name}” unpacks to more than the desk will open "
                f"({sum(sizes) // 1_000_000} MB). Move the cancellation tab to a workbook of its "
                "own."
            )
        if any(info.flag_bits & 1 for info in infos):
            raise CannotRead(_encrypted_sentence(self._name))


def _opened(data: bytes, name: str) -> zipfile.ZipFile:
    if data.startswith(_COMPOUND_FILE):
        if _ENCRYPTED in data:
            raise CannotRead(_encrypted_sentence(name))
        raise CannotRead(
            f"“{name}” is in the old Excel format (.xls). Open it in Excel, save it as an Excel "
            "Workbook (.xlsx) and point the desk at the new file."
        )
    if data.count(_DIRECTORY_ENTRY) > MOST_MEMBERS:
        raise CannotRead(
            f"“{name}” holds more than {MOST_MEMBERS} parts, which is more than the desk will "
            "open. Move the cancellation tab to a workbook of its own."
        )
    try:
        opened = zipfile.ZipFile(io.BytesIO(data))
        if _members_told(data) not in (len(opened.infolist()), _IN_ZIP64):
            raise zipfile.BadZipFile("some members are not in the directory")
        return opened
    except _NOT_UNPACKED as error:
        raise CannotRead(
            f"“{name}” is not an Excel workbook (.xlsx or .xlsm), or it is damaged. "
            "Check that the right file is set, or restore it from a copy."
        ) from error


def _members_told(data: bytes) -> int:
    """How many members the directory's end says there are, which `zipfile` does not compare."""
    end = data.rfind(_DIRECTORY_END)
    return int.from_bytes(data[end + 10 : end + 12], "little")


def _encrypted_sentence(name: str) -> str:
    return (
        f"“{name}” is encrypted with a password, so the desk cannot open it. Remove the password "
        "in Excel (File, Info, Protect Workbook) or use another workbook for the list."
    )


def _part_name(filename: str) -> str:
    return filename.replace("\\", "/").lstrip("/")


def _folded(part: str) -> str:
    """A part's name as it is compared: without regard to case, or to what is percent-encoded.

    ECMA-376 part 2, 6.2.2; and a zip item may have the name either way.
    """
    return unquote(part).casefold()


def _relationships_part(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _resolved(part: str, target: str) -> str:
    """The member a relationship's target means: relative to the part's folder, or absolute."""
    joined = posixpath.join("/", posixpath.dirname(part), unquote(target).replace("\\", "/"))
    return posixpath.normpath(joined).lstrip("/")
