"""Whatever is wrong with a workbook, it is edited soundly or refused in words, never harmed."""

from __future__ import annotations

import re
import warnings
import zipfile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canceldesk.workbook.errors import ListError
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import NEW, build, members, rewrite


def rich(path):
    """A workbook with a bit of everything."""

    def more(workbook, sheet):
        other = workbook.get_worksheet_by_name("Other")
        red = workbook.add_format({"bg_color": "red"})
        sheet.merge_range("A1:F1", "Cancelled")
        sheet.autofilter("A4:F9")
        sheet.write_comment("B6", "a comment")
        sheet.write_formula("H6", "=SUM($D$5:D6)")
        sheet.conditional_format("D5:D9", {"type": "data_bar", "data_bar_2010": True})
        sheet.conditional_format("A5:F9", {"type": "formula", "criteria": "=$D5>9", "format": red})
        sheet.data_validation("F5:F9", {"validate": "list", "source": "=$J$5:$J$9"})
        sheet.add_sparkline("I6", {"range": "cancellation!D6:E6"})
        sheet.print_area("A1:F9")
        sheet.set_h_pagebreaks([7])
        other.add_table("A4:B9", {"name": "Aside"})
        other.write_formula("D1", "=SUM(cancellation!D5:D9)")
        chart = workbook.add_chart({"type": "line"})
        chart.add_series({"values": "=cancellation!$D$5:$D$9"})
        other.insert_chart("F8", chart)

    return build(path, more=more)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return rich(tmp_path_factory.mktemp("damage") / "rich.xlsx")


def sound(path):
    """Every part is well-formed XML and an independent reader opens the whole."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*extension is not supported", module="openpyxl")
        openpyxl.load_workbook(path)
    assert WorkbookList(path).read().rows[0].name == "Nora New"


def added_or_refused(path):
    """The refusal, or None where the row was added; anything else that is raised is a defect."""
    try:
        WorkbookList(path).add(NEW)
    except ListError as refusal:
        return refusal
    return None


VALUES = ["", "#REF!", "A0", "-1", "x", "99999999999999", "A5:A9 B5", "1e999", "&amp;", "NaN"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_nonsensical_value_anywhere_is_refused_or_survived(tmp_path, original, data):
    path = tmp_path / "rich.xlsx"
    path.write_bytes(original.read_bytes())
    parts = {name: part for name, part in members(path).items() if b"<" in part}
    name = data.draw(st.sampled_from(sorted(parts)))
    text = parts[name].decode()
    places = [match.span(1) for match in re.finditer(r"=\"([^\"<>]*)\"", text)]
    places += [match.span(1) for match in re.finditer(r">([^<>]+)</", text)]
    begin, end = data.draw(st.sampled_from(places))
    value = data.draw(st.sampled_from(VALUES))
    rewrite(path, {name: (text[:begin] + value + text[end:]).encode()})
    before = path.read_bytes()
    refusal = added_or_refused(path)
    if refusal is None:
        assert WorkbookList(path).read().rows[0].name == "Nora New"
    else:
        assert path.read_bytes() == before
        assert refusal.sentence.endswith(".")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0), st.binary(min_size=1, max_size=30))
def test_a_file_with_spoilt_bytes_is_refused_or_survived(tmp_path, original, place, noise):
    path = tmp_path / "rich.xlsx"
    whole = original.read_bytes()
    place %= len(whole)
    path.write_bytes(whole[:place] + noise + whole[place + len(noise) :])
    before = path.read_bytes()
    if added_or_refused(path) is None:
        assert WorkbookList(path).read().rows[0].name == "Nora New"
    else:
        assert path.read_bytes() == before


def test_the_whole_bit_of_everything_is_edited_soundly(tmp_path, original):
    path = tmp_path / "rich.xlsx"
    path.write_bytes(original.read_bytes())
    WorkbookList(path).add(NEW)
    sound(path)
    assert zipfile.ZipFile(path).testzip() is None
