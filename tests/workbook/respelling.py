"""Writing the very same package down in other ways that are allowed, and that programs use."""

from __future__ import annotations

import posixpath
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import IO, Final, cast
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from tests.workbook.following import column_letters
from tests.workbook.strategies import Spelling

MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES: Final = "[Content_Types].xml"
_COMPATIBILITY: Final = "http://schemas.openxmlformats.org/markup-compatibility/2006"
_AC: Final = "http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac"
_STRICT: Final = (
    ("spreadsheetml/2006/main", "spreadsheetml/main"),
    ("drawingml/2006/", "drawingml/"),
    (
        "officeDocument/2006/relationships/extended-properties",
        "officeDocument/relationships/extendedProperties",
    ),
    ("officeDocument/2006/extended-properties", "officeDocument/extendedProperties"),
    ("officeDocument/2006/", "officeDocument/"),
)
_LAST_ROW: Final = 1_048_576

Members = dict[str, bytes]


def respell(path: Path, spelling: Spelling) -> None:
    """Write the package anew in that spelling."""
    with zipfile.ZipFile(path) as package:
        members = {name: package.read(name) for name in package.namelist()}
    if spelling.inline_strings:
        _inline_strings(members)
    if spelling.strict:
        _strict(members)
    _targets(members, spelling)
    for name in [name for name in members if name.endswith((".xml", ".rels"))]:
        members[name] = _Writer(spelling, members[name], sheet=_is_sheet(name)).written()
    _zipped(path, members, spelling)


def _is_sheet(name: str) -> bool:
    return "worksheets/" in name and not name.endswith(".rels")


def _inline_strings(members: Members) -> None:
    """Put every text into its cell, as many libraries do, and drop the table of texts."""
    part = "xl/sharedStrings.xml"
    if part not in members:
        return
    strings = list(etree.fromstring(members.pop(part)))
    for name in [name for name in members if name.startswith("xl/worksheets/sheet")]:
        root = etree.fromstring(members[name])
        for cell in root.iter(f"{{{MAIN}}}c"):
            if cell.get("t") == "s":
                text = etree.SubElement(cell, f"{{{MAIN}}}is")
                for value in cell.findall(f"{{{MAIN}}}v"):
                    text.extend(etree.fromstring(etree.tostring(strings[int(value.text or 0)])))
                    cell.remove(value)
                cell.set("t", "inlineStr")
        members[name] = etree.tostring(root)
    _drop(members, "xl/_rels/workbook.xml.rels", "Target", "sharedStrings.xml")
    _drop(members, _TYPES, "PartName", "/xl/sharedStrings.xml")


def _drop(members: Members, name: str, attribute: str, value: str) -> None:
    root = etree.fromstring(members[name])
    for element in list(root):
        if element.get(attribute) == value:
            root.remove(element)
    members[name] = etree.tostring(root)


def _strict(members: Members) -> None:
    """The strict kind of the format, which has namespaces of its own."""
    for name in members:
        if name.endswith((".xml", ".rels")) and name != _TYPES:
            for old, new in _STRICT:
                members[name] = members[name].replace(
                    f"http://schemas.openxmlformats.org/{old}".encode(),
                    f"http://purl.oclc.org/ooxml/{new}".encode(),
                )
    main = members["xl/workbook.xml"]
    members["xl/workbook.xml"] = main.replace(b"<workbook ", b'<workbook conformance="strict" ', 1)


def _targets(members: Members, spelling: Spelling) -> None:
    """Other names of parts, and other ways of pointing at them."""
    renamed = _renamed(members) if spelling.odd_part_names else {}
    absolute = spelling.absolute_targets or spelling.odd_part_names
    for name in [name for name in members if name.endswith(".rels")]:
        root = etree.fromstring(members[name])
        folder = posixpath.dirname(posixpath.dirname(name))
        for arrow in root:
            target = arrow.get("Target", "")
            if arrow.get("TargetMode") == "External" or target.startswith("#"):
                continue
            full = posixpath.normpath(posixpath.join("/", folder, target))
            full = "/" + renamed.get(full.lstrip("/"), full.lstrip("/"))
            if spelling.upper_case_targets and "worksheet" in arrow.get("Type", ""):
                full, target = full.upper(), target.upper()
            arrow.set("Target", full if absolute else target)
        members[name] = etree.tostring(root)
    for old, new in renamed.items():
        rels = posixpath.join(posixpath.dirname(old), "_rels", posixpath.basename(old) + ".rels")
        if rels in members:
            place = posixpath.join(posixpath.dirname(new), "_rels", posixpath.basename(new))
            members[place + ".rels"] = members.pop(rels)
        members[new] = members.pop(old)
        members[_TYPES] = members[_TYPES].replace(f'"/{old}"'.encode(), f'"/{new}"'.encode())


def _renamed(members: Members) -> dict[str, str]:
    sheets = [name for name in members if name.startswith("xl/worksheets/sheet")]
    renamed = {name: f"Data/worksheets/Tab ({n}).xml" for n, name in enumerate(sheets, start=1)}
    if "xl/sharedStrings.xml" in members:
        renamed["xl/sharedStrings.xml"] = "xl/SharedStrings.xml"
    renamed["xl/styles.xml"] = "styles/1.xml"
    return {old: new.replace(" ", "%20") for old, new in renamed.items()}


class _Writer:
    """Writes one part's XML."""

    def __init__(self, spelling: Spelling, data: bytes, *, sheet: bool) -> None:
        self.spelling, self.sheet = spelling, sheet
        self.root = etree.fromstring(data)
        self.main = self.root.nsmap.get(None)
        self.prefixes = self._prefixes()
        self.quote = "'" if spelling.single_quotes else '"'
        self.between = " \n\t" if spelling.blanks == "in tags" else " "
        self.equals = " = " if spelling.blanks == "in tags" else "="

    def _prefixes(self) -> dict[str, str]:
        prefixes = {"http://www.w3.org/XML/1998/namespace": "xml"}
        for element in self.root.iter(etree.Element):
            for prefix, uri in element.nsmap.items():
                prefixes.setdefault(uri, prefix or self.spelling.prefix)
        return prefixes

    def written(self) -> bytes:
        """The part in its encoding."""
        if self.sheet:
            self._change_rows()
        encoding = self.spelling.encoding
        spoken = "UTF-16" if encoding == "utf-16" else "UTF-8"
        declaration = {
            "standalone": f'<?xml version="1.0" encoding="{spoken}" standalone="yes"?>\n',
            "plain": f"<?xml version='1.0' encoding='{spoken}'?>",
            "none": "",
        }[self.spelling.declaration]
        aside = "<!-- <c r='A1'><v>1</v></c> -->" if self.spelling.comments else ""
        return (declaration + aside + self._element(self.root)).encode(encoding)

    def _change_rows(self) -> None:
        if self.spelling.without_dimension:
            for element in list(self.root.iter("{*}dimension")):
                self.root.remove(element)
        row_number = 0
        data = next(self.root.iter("{*}sheetData"))
        for row in data:
            row_number = self._change_row(row, row_number)
        if self.spelling.blank_row_at_end and self.main:
            style = {"r": str(_LAST_ROW), "ht": "30", "customHeight": "1"}
            etree.SubElement(data, f"{{{self.main}}}row", style)
        if self.spelling.foreign_attributes:
            self.prefixes[_COMPATIBILITY], self.prefixes[_AC] = "mc", "x14ac"
            self.root.set(f"{{{_COMPATIBILITY}}}Ignorable", "x14ac")

    def _change_row(self, row: etree._Element, before: int) -> int:
        number = int(row.get("r", "0"))
        without = self.spelling.without_places
        for position, cell in enumerate(row, start=1):
            without = without and cell.get("r") == f"{column_letters(position)}{number}"
            if without:
                del cell.attrib["r"]
            if self.spelling.exponents and cell.get("t", "n") == "n":
                for value in cell.iter("{*}v"):
                    value.text = f"{Decimal(value.text or 0):E}"
        if self.spelling.without_places and number == before + 1:
            del row.attrib["r"]
        if self.spelling.without_spans:
            row.attrib.pop("spans", "")
        if self.spelling.foreign_attributes:
            row.set(f"{{{_AC}}}dyDescent", "0.25")
        return number

    def _name(self, name: str) -> str:
        uri, _, local = name.rpartition("}")
        prefix = self.prefixes[uri[1:]] if uri else ""
        return f"{prefix}:{local}" if prefix else local

    def _element(self, element: etree._Element) -> str:
        name = self._name(element.tag)
        attributes = [(self._name(str(k)), str(v)) for k, v in element.attrib.items()]
        if self.spelling.reversed_attributes:
            attributes.reverse()
        if element is self.root:
            attributes = self._declared() + attributes
        opened = name + "".join(self._attribute(*pair) for pair in attributes)
        inside = self._inside(element)
        end = self.between if self.spelling.blanks == "in tags" else ""
        return f"<{opened}{end}>{inside}</{name}{end}>" if inside else f"<{opened}{end}/>"

    def _declared(self) -> list[tuple[str, str]]:
        return [
            (f"xmlns:{prefix}" if prefix else "xmlns", uri)
            for uri, prefix in self.prefixes.items()
            if prefix != "xml"
        ]

    def _attribute(self, name: str, value: str) -> str:
        blanks = {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}
        if self.quote == "'":
            written = "'" + escape(value, {"'": "&apos;", **blanks}) + "'"
        else:
            written = quoteattr(value, blanks)
        return f"{self.between}{name}{self.equals}{written}"

    def _inside(self, element: etree._Element) -> str:
        text = element.text or ""
        if len(element) == 0:
            return self._text(element, text)
        gap = "\n  " if self.spelling.blanks == "between" and not text.strip() else ""
        aside = "<!--,--><?go on?>" if self.spelling.comments and self.sheet else ""
        pieces = [escape(text), aside]
        for child in element:
            pieces += [gap, self._element(child), escape(child.tail or "")]
        return "".join(pieces) + gap

    def _text(self, element: etree._Element, text: str) -> str:
        local = etree.QName(element).localname
        if local not in ("t", "v", "f") or not text:
            return escape(text, {"\r": "&#13;"})
        if self.spelling.cdata:
            return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"
        if self.spelling.character_references:
            return f"&#x{ord(text[0]):x};" + escape(text[1:], {"\r": "&#13;"})
        return escape(text, {"\r": "&#13;"})


class _Unseekable:
    """A target that cannot go back, so that sizes are written after the contents."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target

    def write(self, data: bytes) -> int:
        return self._target.write(data)

    def flush(self) -> None:
        self._target.flush()


def _zipped(path: Path, members: Members, spelling: Spelling) -> None:
    names = list(members)
    if spelling.order == "reversed":
        names.reverse()
    folders = ["xl/", "docProps/"] if spelling.order == "with folders" else []
    method = zipfile.ZIP_STORED if spelling.compression == "stored" else zipfile.ZIP_DEFLATED
    with path.open("wb") as file:
        target = file if spelling.compression != "streamed" else cast(IO[bytes], _Unseekable(file))
        with zipfile.ZipFile(target, "w", method) as package:
            for folder in folders:
                package.mkdir(folder)
            for name in names:
                big = spelling.compression == "zip64"
                with package.open(name, "w", force_zip64=big) as member:
                    member.write(members[name])
