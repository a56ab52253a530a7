"""XML read without trusting it and written as spreadsheet programs expect it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from xml.parsers import expat

from lxml import etree

from canceldesk.workbook.errors import CannotRead

MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONSHIPS: Final = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)


_ENTITY: Final = re.compile(r"&(?:#x([0-9A-Fa-f]+)|#([0-9]+)|([a-z]+));")
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


def parsed(data: bytes, what: str) -> etree._Element:
    """The root of `data`; `what` names it in the sentence of a `CannotRead`."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise CannotRead(damaged(what)) from error
    if getattr(root.getroottree().docinfo, "doctype", ""):
        raise CannotRead(untrusted(what))
    return root


class Check:
    """Something to be told a part's bytes piece by piece, which does not mind what they are."""

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""

    def close(self) -> None:
        """Be told that this was all."""


class WellFormed(Check):
    """Raises `CannotRead` unless the pieces are well-formed XML that declares no document type."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartDoctypeDeclHandler = self._refuse

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        self._parse(piece, is_last=False)

    def close(self) -> None:
        """Be told that this was all."""
        self._parse(b"", is_last=True)

    def _parse(self, piece: bytes, *, is_last: bool) -> None:
        try:
            self._parser.Parse(piece, is_last)
        except (expat.ExpatError, LookupError, ValueError) as error:
            # The latter two mean an encoding that expat does not know.
            raise CannotRead(damaged(self._what)) from error

    def _refuse(self, *_declaration: object) -> None:
        raise CannotRead(untrusted(self._what))


def serialised(root: etree._Element) -> bytes:
    """The XML as a member's bytes."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def unescaped(value: str) -> str:
    """What the text of an XML element or attribute means (XML 1.0, 4.1 and 4.6)."""
    return _ENTITY.sub(_character, value) if "&" in value else value


def _character(match: re.Match[str]) -> str:
    if match[3]:
        return _NAMED.get(match[3], match[0])
    return chr(int(match[1], 16) if match[1] else int(match[2]))


def local(element: etree._Element) -> str:
    """The element's name without its namespace; empty for comments and instructions."""
    tag: object = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def named(root: etree._Element, *names: str) -> Iterator[etree._Element]:
    """All descendants with one of these names, whatever their namespace."""
    for element in root.iter(etree.Element):
        if local(element) in names:
            yield element


def first(root: etree._Element, name: str) -> etree._Element | None:
    """The first descendant of this name, if any."""
    return next(named(root, name), None)


def child(parent: etree._Element, name: str) -> etree._Element | None:
    """The first direct child of this name, if any."""
    return next((element for element in parent if local(element) == name), None)


def relationship_id(element: etree._Element) -> str:
    """The id of the relationship an element points through; empty when it has none."""
    return next(
        (value for ns in RELATIONSHIPS if (value := element.get(f"{{{ns}}}id")) is not None), ""
    )


def is_true(value: str | None, *, default: bool = False) -> bool:
    """An XML boolean attribute as written by any producer."""
    return default if value is None else value.strip().lower() in ("1", "true", "on")


def damaged(what: str) -> str:
    """The sentence for XML that is not well-formed."""
    return (
        f"{what} is damaged: it is not well-formed XML. "
        "Open the workbook in Excel, let Excel repair it, save it and try again."
    )


def untrusted(what: str) -> str:
    """The sentence for XML that declares a document type."""
    return (
        f"{what} declares XML entities, which no spreadsheet program writes, so it is not opened. "
        "Ask whoever sent the workbook for a clean copy."
    )
