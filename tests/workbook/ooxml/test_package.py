"""The zip package of a workbook: whatever its spelling it is read, whatever its tricks refused."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.ooxml import package as packages
from canceldesk.workbook.ooxml import zipwriter
from canceldesk.workbook.ooxml.package import Package, Relationship

TYPES = b"""<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><!-- c -->
<Default Extension="XML" ContentType="plain"/><Override PartName="/xl/B%20c.xml" ContentType="own"/>
<Override PartName="/xl/z.xml" ContentType="z"/>
<Other PartName="/xl/d.xml" ContentType="none"/></Types>"""
TARGETS = (
    "worksheets/Sheet 1.xml",
    "worksheets/sheet%201.xml",
    "/xl/worksheets/Sheet%201.xml",
    "../xl/./worksheets/SHEET 1.XML",
    "worksheets\\Sheet%201.xml",
)
CENTRAL = struct.Struct("<4s6H3L5H2L")
FIELDS = ("sign", "made", "needed", "flags", "method", "time", "day", "crc", "packed", "size")


def zipped(members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as package:
        for name, data in members:
            package.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def members(**more):
    return [("[Content_Types].xml", TYPES), ("xl/a.xml", b"<a>" + b"x" * 500 + b"</a>")] + [
        (name.replace("__", "/") + ".xml", data) for name, data in more.items()
    ]


def told(data, name, **fields):
    """The file with another story in its directory about one member."""
    place = zipfile.ZipFile(io.BytesIO(data)).start_dir
    while True:
        entry = list(CENTRAL.unpack_from(data, place))
        own = data[place + CENTRAL.size : place + CENTRAL.size + entry[10]]
        if own == name.encode():
            break
        place += CENTRAL.size + sum(entry[10:13])
    for field, value in fields.items():
        entry[FIELDS.index(field)] = value
    return data[:place] + CENTRAL.pack(*entry) + data[place + CENTRAL.size :]


def book(*more, **named):
    return Package(zipped([*members(**named), *more]), "clients.xlsx")


def refused(data, why):
    with pytest.raises(CannotRead, match=why) as refusal:
        Package(data, "clients.xlsx")
    assert refusal.value.sentence.endswith(".")


@pytest.mark.parametrize("target", TARGETS)
def test_an_arrow_finds_its_part_however_it_is_spelled(target):
    arrows = f'<R><!-- c --><Relationship Id="r1" Type="a/b/sheet" Target="{target}"/></R>'
    for name in ("xl/worksheets/Sheet 1.xml", "xl\\worksheets\\sheet%201.xml"):
        package = book(("xl/_rels/workbook.xml.rels", arrows), (name, b"<s/>"))
        (arrow,) = package.relationships("xl/workbook.xml")
        assert package.has(arrow.target)
        assert arrow.target in package.parts
        assert (arrow.kind, arrow.id, arrow.external) == ("sheet", "r1", False)
        assert package.read(arrow.target) == b"<s/>"


def test_arrows_to_the_outside_are_left_as_they_are():
    arrows = '<R><Relationship Id="r1" Type="link" Target="a%20b\\c" TargetMode="External"/></R>'
    package = book(("_rels/.rels", arrows))
    assert package.relationships("") == [Relationship("link", "a%20b\\c", True, "r1")]
    assert package.relationships("xl/a.xml") == []


def test_content_types_are_a_parts_own_or_that_of_its_ending():
    package = book(("xl/b c.xml", b""), ("xl/e.bin", b""), ("xl/", b""))
    assert package.content_types() == {
        "[Content_Types].xml": "plain",
        "xl/a.xml": "plain",
        "xl/b c.xml": "own",
        "xl/e.bin": "",
        "xl/": "",
    }


def test_content_types_are_found_in_any_spelling():
    package = Package(zipped([("\\[content_types].XML", TYPES), ("x.xml", b"")]), "clients.xlsx")
    assert package.content_types()["x.xml"] == "plain"
    assert package.parts == ["[content_types].XML", "x.xml"]


@given(
    st.lists(st.binary(max_size=50), min_size=1, max_size=4),
    st.sampled_from([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED]),
    st.data(),
)
def test_what_is_packed_is_what_was_changed_and_all_else_as_it_lay(contents, method, data):
    parts = [(f"xl/p{index}.bin", content) for index, content in enumerate(contents)]
    before = zipped([("[Content_Types].xml", TYPES), *parts], method)
    package = Package(before, "clients.xlsx")
    expected = dict(parts)
    for name, _ in parts:
        if data.draw(st.booleans()):
            expected[name] = data.draw(st.binary(max_size=50))
            package.write(name.upper(), expected[name])
    packed = Package(package.packed(), "clients.xlsx")
    assert {name: packed.read(name) for name in expected} == expected
    assert package.changed == {name for name, content in parts if expected[name] != content}
    assert package.differs(packed) == ""
    assert {name: package.read(name) for name in expected} == expected
    assert [package.size(name) for name in expected] == [len(one) for one in expected.values()]


def test_a_huge_member_comes_in_pieces_and_goes_in_pieces(monkeypatch):
    monkeypatch.setattr(packages, "_PIECE", 100)
    package = book()
    pieces = list(package.stream("xl/a.xml"))
    assert [len(piece) for piece in pieces] == [100] * 5 + [7]
    package.write_stream("xl/a.xml", (b"new", b"er"))
    assert list(package.stream("xl/a.xml")) == [b"newer"]
    assert package.size("xl/a.xml") == 5


def test_what_is_not_there_has_no_size_and_cannot_be_read():
    package = book()
    assert package.size("xl/nothing.xml") == 0
    assert not package.has("xl/nothing.xml")
    for use in (package.read, package.tree, lambda part: list(package.stream(part))):
        with pytest.raises(CannotRead, match="“xl/nothing.xml” is missing"):
            use("xl/nothing.xml")


def test_a_part_is_taken_out_with_its_arrow_and_its_type():
    arrows = (
        '<R xmlns="urn:r"><!-- c --><Relationship Target="b%20C.xml"/><Relationship/><Relationship '
        'Target="http://example.com/xl/b c.xml" TargetMode="External"/></R>'
    )
    package = book(("xl/_rels/w.xml.rels", arrows), ("xl/b c.xml", b"<b/>"))
    package.remove("XL/B C.xml", "xl/w.xml")
    assert not package.has("xl/B c.xml")
    assert "xl/b c.xml" not in package.parts
    assert [arrow.external for arrow in package.relationships("xl/w.xml")] == [False, True]
    assert b"own" not in package.read("[Content_Types].xml")
    assert b"none" in package.read("[Content_Types].xml")
    assert "xl/b c.xml" in package.changed
    packed = Package(package.packed(), "clients.xlsx")
    assert packed.parts == package.parts
    assert package.differs(packed) == ""
    with pytest.raises(CannotRead, match="missing"):
        package.remove("xl/b c.xml", "xl/w.xml")


def test_a_file_with_other_parts_differs():
    package = book()
    assert package.differs(book(xl__b=b"")) == "the list of parts"


def test_a_changed_part_that_holds_something_else_differs():
    package, other = book(), book()
    package.write("xl/a.xml", b"<a/>")
    other.write("xl/a.xml", b"<b/>")
    packed = Package(other.packed(), "clients.xlsx")
    assert package.differs(packed) == "xl/a.xml"
    assert list(packed.stream("xl/a.xml")) == [b"<b/>"]
    assert package.differs(packed) == "xl/a.xml"
    assert other.differs(packed) == ""


def test_an_unchanged_part_that_lies_there_otherwise_differs():
    content = dict(members())["xl/a.xml"]
    plain = zipped(members(), zipfile.ZIP_STORED)
    again = zipped([members()[0], ("xl/a.xml", content.replace(b"x", b"y"))])
    for other in (plain, again, told(zipped(members()), "xl/a.xml", size=7)):
        assert book().differs(Package(other, "clients.xlsx")) in ("[Content_Types].xml", "xl/a.xml")
    lying = told(zipped(members()), "xl/a.xml", size=7)
    assert book().differs(Package(lying, "clients.xlsx")) == "xl/a.xml"


def test_xml_is_checked_while_it_streams_where_that_is_asked_for():
    data = zipped([*members(), ("xl/bad.xml", b"<a>"), ("xl/bad.vml", b"<a>")])
    assert list(Package(data, "clients.xlsx").stream("xl/bad.xml")) == [b"<a>"]
    checking = Package(data, "clients.xlsx", checking=True)
    assert list(checking.stream("xl/bad.vml")) == [b"<a>"]
    assert b"".join(checking.stream("xl/a.xml")) == b"".join(checking.stream("xl/a.xml"))
    with pytest.raises(CannotRead, match="part “xl/bad.xml”. is damaged"):
        list(checking.stream("xl/bad.xml"))


def test_a_tree_of_absurd_size_is_not_built(monkeypatch):
    monkeypatch.setattr(packages, "LARGEST_TREE", 100)
    package = book(("xl/small.xml", b"<a/>"))
    assert etree.tostring(package.tree("xl/small.xml")) == b"<a/>"
    with pytest.raises(CannotRead, match="larger than the desk will open"):
        package.tree("xl/a.xml")


def test_a_member_whose_checksum_is_wrong_cannot_be_unpacked():
    package = Package(told(zipped(members()), "xl/a.xml", crc=5), "clients.xlsx")
    for use in (package.read, package.tree, lambda part: list(package.stream(part))):
        with pytest.raises(CannotRead, match="“xl/a.xml” cannot be unpacked"):
            use("xl/a.xml")


def test_a_member_that_unpacks_to_more_than_it_says_is_cut_there():
    bomb = b"<a>" + b" " * 50_000_000
    lying = told(zipped([*members(), ("xl/b.xml", bomb)]), "xl/b.xml", size=10)
    with pytest.raises(CannotRead, match="cannot be unpacked"):
        Package(lying, "clients.xlsx").read("xl/b.xml")
    forged = told(lying, "xl/b.xml", crc=zlib.crc32(bomb[:10]))
    assert Package(forged, "clients.xlsx").read("xl/b.xml") == bomb[:10]


def test_a_member_that_says_it_unpacks_to_too_much_is_refused(monkeypatch):
    data = zipped(members(xl__b=b"<b/>"))
    refused(told(data, "xl/a.xml", size=packages.LARGEST_MEMBER + 1), "unpacks to more")
    huge = told(data, "xl/a.xml", size=packages.LARGEST_MEMBER)
    huge = told(huge, "xl/b.xml", size=packages.LARGEST_MEMBER)
    refused(huge, "unpacks to more")
    monkeypatch.setattr(packages, "MOST_MEMBERS", 2)
    refused(data, "more than 2 parts")


def test_members_that_lie_over_each_other_are_refused():
    data = zipped(members(xl__b=b"<b/>"))
    refused(told(data, "xl/b.xml", packed=len(data)), "packed in a way")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_packed_by_another_method_is_refused(method):
    refused(zipped(members(), method), "packed in a way that no spreadsheet program uses")


def test_an_encrypted_member_is_refused():
    refused(told(zipped(members()), "xl/a.xml", flags=1), "encrypted with a password")


@pytest.mark.parametrize("twin", ["XL/A.xml", "xl\\a.xml", "/xl/a.xml", "xl/%61.xml"])
def test_two_parts_of_the_same_name_are_refused(twin):
    refused(zipped([*members(), (twin, b"<a/>")]), "two parts of the same name")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not an Excel workbook"),
        (b"Name,Phone\n", "not an Excel workbook"),
        (zipped([("a.xml", b"")]), "not an Excel workbook"),
        (bytes.fromhex("d0cf11e0a1b11ae1"), "old Excel format"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
    ],
)
def test_what_is_no_package_is_refused(data, why):
    refused(data, why)


@given(st.integers(0, 10**6))
def test_a_truncated_file_is_refused(length):
    whole = zipped(members())
    refused(whole[: length % len(whole)], "not an Excel workbook")


@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=12))
def test_a_file_with_spoilt_bytes_is_read_or_refused_in_words(place, noise):
    whole = zipped(members())
    place %= len(whole)
    read = []
    with contextlib.suppress(CannotRead):
        package = Package(whole[:place] + noise + whole[place + len(noise) :], "clients.xlsx")
        read = [package.read(part) for part in package.parts]
        assert len(Package(package.packed(), "clients.xlsx").parts) == len(read)
    assert len(read) in (0, len(members()))


def test_a_directory_that_lost_a_member_is_refused():
    whole = zipped(members())
    end = whole.rindex(b"PK\x05\x06")
    first = CENTRAL.size + len("[Content_Types].xml")
    size = int.from_bytes(whole[end + 12 : end + 16], "little")
    spoilt = whole[: end + 12] + (size - first).to_bytes(4, "little") + whole[end + 16 :]
    refused(spoilt, "not an Excel workbook")
    untold = whole[: end + 10] + b"\xff\xff" + whole[end + 12 :]
    assert len(Package(untold, "clients.xlsx").parts) == 2


def test_a_name_that_differs_between_directory_and_member_cannot_be_unpacked():
    whole = zipped([*members(), ("xl/é.xml", b"<a/>")])
    place = whole.index("é".encode())
    package = Package(whole[:place] + b"\xff\xff" + whole[place + 2 :], "clients.xlsx")
    with pytest.raises(CannotRead, match="cannot be unpacked"):
        package.read("xl/é.xml")


def test_a_damaged_package_says_so_when_it_is_packed():
    package = book()
    package._zip.infolist()[1].header_offset = 5
    with pytest.raises(CannotRead, match="damaged"):
        package.packed()


def test_a_member_kept_in_memory_is_the_same_when_put_back():
    package = book()
    package.put("xl/a.xml", zipwriter.deflated([b"<b/>"]))
    assert package.read("xl/a.xml") == b"<b/>"
    package.write_tree("xl/a.xml", etree.fromstring(b"<c/>"))
    assert b"<c/>" in package.read("xl/a.xml")
