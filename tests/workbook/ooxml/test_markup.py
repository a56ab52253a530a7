"""XML is not trusted: damage, entities and undeclared prefixes are told, in pieces or whole."""

from __future__ import annotations

import pytest

from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.ooxml import markup


def checked(data: bytes, size: int) -> None:
    check = markup.WellFormed("The part")
    for begin in range(0, len(data), size):
        check.feed(data[begin : begin + size])
    check.close()


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<a><b></a>", "not well-formed"),
        (b"<a>", "not well-formed"),
        (b"", "not well-formed"),
        (b"<a><x:b/></a>", "not well-formed"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "declares XML entities"),
    ],
)
def test_unsound_xml_is_told_however_it_comes_in_pieces(data, why, size):
    with pytest.raises(CannotRead, match=f"The part .*{why}"):
        checked(data, size)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_sound_xml_is_let_pass(size):
    checked('<?xml version="1.0"?><a xmlns:x="urn:x"><x:b>é</x:b></a>'.encode(), size)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a &lt;b&gt; &amp;amp; &quot;c&apos;", "a <b> &amp; \"c'"),
        ("&#65;&#x42;&#128;", "AB\x80"),
        ("no entity", "no entity"),
        ("&unknown;", "&unknown;"),
    ],
)
def test_entities_mean_what_xml_says_they_mean(written, meant):
    assert markup.unescaped(written) == meant
