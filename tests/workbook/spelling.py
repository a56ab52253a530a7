"""Worksheets and string tables spelled in any way that XML allows, drawn by hypothesis."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any, Final

from hypothesis import strategies as st
from lxml import etree

from canceldesk.workbook.ooxml import markup
from canceldesk.workbook.ooxml.package import Package
from canceldesk.workbook.ooxml.references import column_letters

MAIN: Final = markup.MAIN
TEXTS: Final = (
    "",
    "Ann Example",
    'a 5" pipe',
    'r="A5"',
    'see <row r="9"><c r="A9"/></row>',
    "</sheetData>",
    "<!-- no comment -->",
    "]]>",
    "O'Hara & Sons",
    "a = b ='c' =\"d\"",
    "two\nlines",
    "return\rand\r\nline",
    " spaced ",
    "Zoë 日本 😀",
    "_x000D_",
    "xmlns",
    "<si><t>x</t></si>",
    ":si and x:row",
    "a>b",
)
Draw = Callable[..., Any]


class Spelling:
    """One way to spell elements, drawn anew for each of them."""

    def __init__(self, draw: Draw, prefix: str) -> None:
        self._draw = draw
        self._prefix = prefix

    def any_of(self, *choices: str) -> str:
        """One of these."""
        return str(self._draw(st.sampled_from(choices)))

    def element(self, name: str, attributes: dict[str, str], content: str) -> str:
        """An element with its attributes in some order, quotes and spaces."""
        tag = f"{self._prefix}{name}"
        named = self._draw(st.permutations(sorted(attributes.items())))
        begin = "".join(self._attribute(known, value) for known, value in named)
        begin += self.any_of("", "", " ", "\n")
        if not content and self._draw(st.booleans()):
            return f"<{tag}{begin}/>"
        return f"<{tag}{begin}>{content}</{tag}{self.any_of('', '', ' ')}>"

    def _attribute(self, name: str, value: str) -> str:
        quote = self.any_of('"', '"', "'")
        equals = self.any_of("=", "=", " =", "= ", "\n=\t")
        spelled = value.replace("&", "&amp;").replace("<", "&lt;")
        spelled = spelled.replace('"', "&quot;").replace("'", "&apos;")
        return f"{self.any_of(' ', ' ', chr(10), '  ')}{name}{equals}{quote}{spelled}{quote}"

    def text(self, words: str) -> str:
        """Character data, perhaps as CDATA, perhaps with a comment in the middle."""
        escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace("]]>", "]]&gt;")
        escaped = escaped.replace("\r", self.any_of("&#13;", "\r"))
        way = self.any_of("plain", "plain", "plain", "cdata", "comment", "hex")
        if way == "cdata":
            return f"<![CDATA[{words.replace(']]>', ']]]]><![CDATA[>')}]]>"
        if way == "comment":
            return f"<!-- <row r='1'> -->{escaped}<?note </row> ?>"
        return escaped.replace("é", "&#xe9;") if way == "hex" else escaped

    def between(self) -> str:
        """What may stand between two rows or cells."""
        return self.any_of("", "", "", "", "\n  ", "<!-- r -->", "<?p <c> ?>")


def document(draw: Draw, spelling: Spelling, prefix: str, root: str, content: str) -> bytes:
    """A document in some encoding, with or without declaration and byte order mark."""
    bound = f"xmlns:{prefix[:-1]}" if prefix else "xmlns"
    more = draw(st.sampled_from(["", f' xmlns:m="{MAIN}"', ' xmlns:q="urn:q" q:a="&gt;"']))
    encoding = draw(st.sampled_from(["", "UTF-8", "utf-8", "UTF-16", "us-ascii", "iso-8859-1"]))
    equals = spelling.any_of("=", " = ")
    declared = f"<?xml version='1.0' encoding{equals}'{encoding}'?>" if encoding else ""
    before = spelling.any_of(
        "", "<!-- <sheetData><row r='9'/></sheetData> -->", "<?p <sheetData>?>"
    )
    whole = f'{declared}{before}<{prefix}{root} {bound}="{MAIN}"{more}>{content}</{prefix}{root}>'
    if encoding == "UTF-16":
        return whole.encode("utf-16")
    mark = "\ufeff" if encoding in ("", "UTF-8") and draw(st.booleans()) else ""
    return (mark + whole).encode(encoding or "utf-8", "xmlcharrefreplace")


@st.composite
def worksheets(draw: Draw) -> bytes:
    """A worksheet with up to four rows, numbered or not."""
    prefix = draw(st.sampled_from(["", "", "x:"]))
    spelling = Spelling(draw, prefix)
    rows, number = spelling.between(), 0
    for _ in range(draw(st.integers(0, 4))):
        step = draw(st.sampled_from([None, 1, 2, 7, 90]))
        number += step or 1
        attributes = {"ht": "15", "spans": f"1:{number}"} if draw(st.booleans()) else {}
        if step:
            attributes["r"] = str(number)
        rows += spelling.element("row", attributes, _cells(draw, spelling, number))
        rows += spelling.between()
    data = spelling.element("sheetData", {}, rows)
    return document(draw, spelling, prefix, "worksheet", f"<{prefix}cols/>{data}<{prefix}tail/>")


def _cells(draw: Draw, spelling: Spelling, number: int) -> str:
    cells, column = spelling.between(), 0
    for _ in range(draw(st.integers(0, 4))):
        step = draw(st.sampled_from([None, 1, 2, 30]))
        column += step or 1
        attributes = {"s": draw(st.sampled_from(["0", str(number)]))} if draw(st.booleans()) else {}
        if step:
            attributes["r"] = f"{column_letters(column)}{number}"
        words = spelling.text(draw(st.sampled_from(TEXTS)))
        kind = draw(st.sampled_from(["v", "f", "is", ""]))
        content = "" if not kind else spelling.element(kind, {}, words)
        if kind == "f":
            content += spelling.element("v", {"xml:space": "preserve"}, words)
        if kind == "is":
            content = spelling.element("is", {}, spelling.element("t", {}, words))
        cells += spelling.element("c", attributes, content) + spelling.between()
    return cells


@st.composite
def string_tables(draw: Draw) -> bytes:
    """A `sharedStrings` part with up to five items, plain, rich, phonetic or empty."""
    prefix = draw(st.sampled_from(["", "", "x:"]))
    spelling = Spelling(draw, prefix)
    items = spelling.between()
    for _ in range(draw(st.integers(0, 5))):
        items += spelling.element("si", {}, _item(draw, spelling)) + spelling.between()
    return document(draw, spelling, prefix, "sst", items)


def _item(draw: Draw, spelling: Spelling) -> str:
    kind = draw(st.sampled_from(["plain", "rich", "phonetic", "empty"]))
    runs = "" if kind == "empty" else _words(draw, spelling)
    if kind == "rich":
        runs = "".join(
            spelling.element("r", {}, spelling.element("rPr", {}, "") + _words(draw, spelling))
            for _ in range(draw(st.integers(1, 3)))
        )
    if kind == "phonetic":
        runs += spelling.element("rPh", {"sb": "0", "eb": "1"}, _words(draw, spelling))
        runs += spelling.element("phoneticPr", {"fontId": "1"}, "")
    return runs


def _words(draw: Draw, spelling: Spelling) -> str:
    attributes = {"xml:space": "preserve"} if draw(st.booleans()) else {}
    return spelling.element("t", attributes, spelling.text(draw(st.sampled_from(TEXTS))))


def words_of(element: Any) -> str:
    """The text directly inside an element as a parser reads it, comments left out."""
    return "".join(element.xpath("text()"))


def tree(data: bytes) -> Any:
    """The root of a document, by a parser that knows nothing of this project."""
    return etree.fromstring(data)


def packed(members: dict[str, bytes]) -> Package:
    """A package of just these parts and its content types."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in ({"[Content_Types].xml": b"<Types/>"} | members).items():
            package.writestr(name, data)
    return Package(file.getvalue(), "clients.xlsx")
