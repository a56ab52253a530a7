"""The shared strings of any spelling read as a parser reads them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canceldesk.workbook import text
from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.ooxml import markup, package
from canceldesk.workbook.ooxml.strings import SharedStrings, text_inside
from tests.workbook.spelling import MAIN, packed, string_tables, tree, words_of

PART = "xl/sharedStrings.xml"


def strings(data):
    return SharedStrings(packed({PART: data}), PART, "The part")


def table(items):
    return f'<?xml version="1.0"?><sst xmlns="{MAIN}" count="9">{items}</sst>'.encode()


def read_by_lxml(data):
    items = []
    for item in tree(data).iter(f"{{{MAIN}}}si"):
        runs = [t for t in item.iter("{*}t") if markup.local(t.getparent()) != "rPh"]
        items.append("".join(text.unescaped(words_of(t)) for t in runs))
    return items


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(string_tables(), st.sampled_from([1, 5, 256 * 1024]))
def test_any_spelling_reads_as_a_parser_reads_it(data, piece):
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(package, "_PIECE", piece)
        found = strings(data)
    assert [found[index] for index in range(len(found))] == read_by_lxml(data)


@pytest.mark.parametrize(
    "items",
    [
        "<si><t>note:since</t></si><si/><si><t/></si><si ><t xml:space='preserve'> a </t ></si>",
        '<si><t note="a>b">x</t></si><si><t note=\'"\'>c>d</t></si>',
        "<si><t>a&#13;b\r\nc\rd&#x1F600;&amp;amp;</t></si>",
        "<si><r><t>_x00</t></r><r><t>0D_</t></r></si><si><t>_x000d__x005F_x0041_</t></si>",
        '<si><rPh sb="0" eb="0"/><r><t>Abe</t></r><rPh sb="0" eb="2"><t>x</t></rPh></si>',
        f'<si><x:t xmlns:x="{MAIN}">own</x:t></si><si><q:t xmlns:q="urn:q">other</q:t></si>',
        "<si><t>a<!-- c -->b</t></si><si><t><![CDATA[<t>c</t>]]></t></si><si><?x <si>?></si>",
        "<si>\n  <t>pretty</t>\n</si>\n",
    ],
)
def test_odd_items_read_as_a_parser_reads_them(items):
    data = table(items)
    found = strings(data)
    read = [found[index] for index in range(len(found))]
    expected = [
        "".join(
            text.unescaped(words_of(t))
            for t in item.iter(f"{{{MAIN}}}t")
            if markup.local(t.getparent()) != "rPh"
        )
        for item in tree(data)
    ]
    assert read == expected


@pytest.mark.parametrize("declared", ['encoding="UTF-16"', "encoding = 'UTF-16'"])
def test_strings_in_utf_16_are_read_with_and_without_a_mark(declared):
    words = f'<?xml version="1.0" {declared}?><sst><si><t>é日</t></si></sst>'
    for data in (words.encode("utf-16"), b"\xfe\xff" + words.encode("utf-16-be")):
        assert strings(data)[0] == "é日"
    without_mark = f"<sst xmlns='{MAIN}'><si><t>é</t></si></sst>".encode("utf-16-le")
    assert strings(without_mark)[0] == "é"


def test_strings_in_an_old_encoding_are_read():
    data = '<?xml version="1.0" encoding = "ISO-8859-1"?><sst><si><t>é</t></si></sst>'
    assert strings(data.encode("latin-1"))[0] == "é"


def test_a_number_that_is_no_items_reads_as_nothing():
    found = strings(table("<si><t>a</t></si>"))
    assert (found[0], found[1], found[-1]) == ("a", "", "")
    assert len(found) == 1
    none = SharedStrings(packed({}), None, "The part")
    assert (len(none), none[0]) == (0, "")


def test_texts_that_many_cells_share_are_decoded_once(monkeypatch):
    found = strings(table("<si><t>a</t></si><si><t>b</t></si>"))
    monkeypatch.setattr("canceldesk.workbook.ooxml.strings._MOST_KNOWN", 1)
    assert found[0] is found[0]
    assert (found[1], found[1]) == ("b", "b")
    assert list(found._known) == [0]


def test_no_text_is_longer_than_a_cell_can_hold():
    assert len(text_inside(b"<t>" + b"a" * 40_000 + b"</t>")) == text.LONGEST_CELL_TEXT


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (table("<si><t>a</si>"), "not well-formed"),
        (b'<!DOCTYPE sst [<!ENTITY a "b">]><sst><si><t>&a;</t></si></sst>', "entities"),
        (b'<?xml version="1.0" encoding="nonsense"?><sst/>', "not well-formed"),
    ],
)
def test_a_damaged_table_of_strings_is_refused(data, why):
    with pytest.raises(CannotRead, match=why):
        strings(data)


def test_phonetic_hints_without_ends_do_not_take_for_ever():
    assert text_inside(b'<rPh sb="0" eb="1">' * 40_000 + b"<t>a</t>") == "a"
