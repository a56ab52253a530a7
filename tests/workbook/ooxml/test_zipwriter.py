"""Zip files are rewritten with unchanged members copied as they lie."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.workbook.ooxml import zipwriter

NAMES = st.text(alphabet="abcÜß/._", min_size=1, max_size=12)


def packed(members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as package:
        for name, data in members.items():
            package.writestr(name, data)
    return file.getvalue()


def opened(data):
    return zipfile.ZipFile(io.BytesIO(data))


def deflated(content):
    return zipwriter.deflated([content])


@given(st.lists(st.binary(max_size=2000), max_size=5))
def test_content_that_came_in_pieces_is_what_it_was(pieces):
    content = b"".join(pieces)
    made = zipwriter.deflated(pieces)
    assert made.content() == content
    assert made.size == len(content)
    assert made.checksum == zlib.crc32(content)
    assert made.digest == hashlib.sha256(content).digest()


def test_the_compressed_form_alone_is_held_while_pieces_come():
    made = zipwriter.deflated(b"x" * 100_000 for _ in range(50))
    assert made.size == 5_000_000
    assert len(made.compressed) < 50_000


@given(
    st.dictionaries(NAMES, st.binary(max_size=300), min_size=1, max_size=6),
    st.sampled_from([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED]),
    st.data(),
)
def test_changed_members_are_new_others_are_the_same_and_removed_ones_gone(members, method, data):
    original = packed(members, method)
    some = st.sets(st.sampled_from(sorted(members)))
    changed = {name: data.draw(st.binary(max_size=300)) for name in data.draw(some)}
    removed = data.draw(some) - changed.keys()
    made = {name: deflated(content) for name, content in changed.items()}
    result = opened(zipwriter.rewritten(original, opened(original).infolist(), made, removed))
    assert result.testzip() is None
    expected = {
        name: content for name, content in (members | changed).items() if name not in removed
    }
    assert {name: result.read(name) for name in result.namelist()} == expected
    assert result.namelist() == [name for name in members if name not in removed]


def test_kept_members_are_not_compressed_again():
    original = packed({"a": b"x" * 1000, "b": b"y" * 1000})
    infos = opened(original).infolist()
    result = zipwriter.rewritten(original, infos, {"b": deflated(b"z")}, set())
    before, after = (opened(data).getinfo("a") for data in (original, result))
    assert zipwriter.lying(original, before) == zipwriter.lying(result, after)
    start = before.header_offset + 30 + len("a")
    assert zipwriter.lying(original, before) == original[start : start + before.compress_size]
    assert after.date_time == before.date_time


class NoSeeking(io.RawIOBase):
    """A stream that makes zipfile write sizes behind the data, as some exporters do."""

    def __init__(self):
        super().__init__()
        self.data = b""

    def writable(self):
        return True

    def write(self, data):
        self.data += bytes(data)
        return len(data)


def test_members_whose_sizes_stand_behind_them_are_kept():
    stream = NoSeeking()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("a", b"x" * 500)
        package.writestr("b", b"y")
    changed = {"b": deflated(b"z")}
    result = zipwriter.rewritten(stream.data, opened(stream.data).infolist(), changed, set())
    assert opened(result).read("a") == b"x" * 500
    assert opened(result).testzip() is None


def test_sizes_in_zip64_fields_are_read_and_written_plainly():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        with package.open("a", "w", force_zip64=True) as member:
            member.write(b"x" * 500)
        package.writestr("b", b"y")
    original = file.getvalue()
    assert opened(original).getinfo("a").extract_version == 45
    result = zipwriter.rewritten(original, opened(original).infolist(), {}, {"b"})
    assert opened(result).read("a") == b"x" * 500
    assert opened(result).getinfo("a").extract_version == 20


def test_a_zip_file_behind_something_else_is_read_and_stands_alone_afterwards():
    original = b"#! something else\n" + packed({"a": b"x" * 500})
    result = zipwriter.rewritten(original, opened(original).infolist(), {}, set())
    assert result.startswith(b"PK")
    assert opened(result).read("a") == b"x" * 500


@pytest.mark.parametrize("offset", [9, 10**9, -1, -53])
def test_a_member_that_is_not_where_the_directory_says_is_noticed(offset):
    original = packed({"a": b"x"}) + b"PK\x03\x04" + bytes(49)
    (info,) = opened(packed({"a": b"x"})).infolist()
    info.header_offset = offset
    with pytest.raises(zipfile.BadZipFile, match="not where"):
        zipwriter.rewritten(original, [info], {}, set())


def test_a_member_that_is_cut_off_is_noticed():
    original = packed({"a": b"x"})
    (info,) = opened(original).infolist()
    info.compress_size = 10**9
    with pytest.raises(zipfile.BadZipFile, match="cut off"):
        zipwriter.rewritten(original, [info], {}, set())
