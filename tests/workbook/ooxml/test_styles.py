"""Formats of cells: what shows as a date, and adding one."""

from __future__ import annotations

import pytest
from lxml import etree

from canceldesk.workbook.ooxml import styles
from canceldesk.workbook.ooxml.styles import Styles

SHEET = """<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<numFmts count="1"><numFmt numFmtId="170" formatCode="mmm\\ d"/></numFmts>
<cellXfs count="3"><xf numFmtId="0" fontId="0"/><xf numFmtId="170" fontId="1"/>
<xf numFmtId="22" fontId="1"/></cellXfs></styleSheet>"""


@pytest.fixture
def known():
    return Styles(etree.fromstring(SHEET))


@pytest.mark.parametrize(
    ("code", "date"),
    [
        ("yyyy-mm-dd", True),
        ("d. mmmm yyyy", True),
        ("[$-409]h:mm AM/PM;@", True),
        ("[h]:mm", True),
        ("[Red]0.00", False),
        ('#,##0.00" days"', False),
        ("#,##0\\d", False),
        ("General", False),
        ("0.00E+00", False),
        ("@", False),
        ("_-* #,##0.00_-", False),
    ],
)
def test_a_format_code_shows_dates_or_not(code, date):
    assert styles.is_date_code(code) is date


def test_own_and_built_in_formats_are_known(known):
    assert [known.is_date(style) for style in (0, 1, 2, 99)] == [False, True, True, False]
    assert [known.is_plain(style) for style in (0, 1)] == [True, False]


def test_a_format_is_added_once_and_the_rest_of_the_look_kept(known):
    first = known.with_format(1, styles.DATE_FORMAT)
    assert known.changed
    assert known.with_format(1, styles.DATE_FORMAT) == first == 3
    cells = known.root.find("{*}cellXfs")
    assert cells.get("count") == "4"
    assert (cells[3].get("fontId"), cells[3].get("numFmtId")) == ("1", "14")


def test_a_workbook_without_styles_has_plain_cells():
    none = Styles(None)
    assert not none.is_date(0)
    assert none.with_format(0, styles.DATE_FORMAT) == 0
    bare = Styles(etree.fromstring('<styleSheet xmlns="urn:x"/>'))
    assert bare.number_format(0) == styles.GENERAL
