"""Zip files are rewritten with unchanged members copied as they lie."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.workbook import zipwriter
from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.package import Package
from tests.workbook.building import build

NAMES = st.text(alphabet="abcÜß/._", min_size=1, max_size=12)


def packed(members, method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as package:
        for name, data in members.items():
            package.writestr(name, data)
    return file.getvalue()


def opened(data):
    return zipfile.ZipFile(io.BytesIO(data))


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
    result = opened(zipwriter.rewritten(original, opened(original).infolist(), changed, removed))
    assert result.testzip() is None
    expected = {
        name: content for name, content in (members | changed).items() if name not in removed
    }
    assert {name: result.read(name) for name in result.namelist()} == expected
    assert result.namelist() == [name for name in members if name not in removed]


def test_kept_members_are_not_compressed_again():
    original = packed({"a": b"x" * 1000, "b": b"y" * 1000})
    result = zipwriter.rewritten(original, opened(original).infolist(), {"b": b"z"}, set())
    before, after = (opened(data).getinfo("a") for data in (original, result))
    start = before.header_offset + 30 + len("a")
    assert original[start : start + before.compress_size] in result
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
    result = zipwriter.rewritten(stream.data, opened(stream.data).infolist(), {"b": b"z"}, set())
    assert opened(result).read("a") == b"x" * 500
    assert opened(result).testzip() is None


@pytest.mark.parametrize(("field", "value"), [("header_offset", 9), ("header_offset", 10**9)])
def test_a_member_that_is_not_where_the_directory_says_is_noticed(field, value):
    original = packed({"a": b"x"})
    (info,) = opened(original).infolist()
    setattr(info, field, value)
    with pytest.raises(zipfile.BadZipFile, match="not where"):
        zipwriter.rewritten(original, [info], {}, set())


def test_a_member_that_is_cut_off_is_noticed():
    original = packed({"a": b"x"})
    (info,) = opened(original).infolist()
    info.compress_size = 10**9
    with pytest.raises(zipfile.BadZipFile, match="cut off"):
        zipwriter.rewritten(original, [info], {}, set())


def test_a_damaged_package_says_so_when_it_is_packed(tmp_path):
    data = build(tmp_path / "clients.xlsx").read_bytes()
    package = Package(data, "clients.xlsx")
    package._zip.infolist()[3].header_offset = 5
    with pytest.raises(CannotRead, match="damaged"):
        package.packed()
