"""A new file is put in place only when it is, member by member and row by row, as planned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from canceldesk.workbook import editing, reading
from canceldesk.workbook.errors import CannotRead, ReadBackDiffers
from canceldesk.workbook.proving import Adding, Removing
from tests.workbook.building import NEW, build, client, members, rewrite

SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def path(tmp_path):
    return build(tmp_path / "clients.xlsx")


def found(data):
    return reading.find_list(
        data, name="clients.xlsx", tab=None, overrides={}, currency="USD", checking=True
    )


def added(path, *news):
    """A plan for these rows and the file as it was made."""
    before = found(path.read_bytes())
    plan = Adding(before, news)
    return plan, editing.insert(before, news)


def taken_out(path, number):
    before = found(path.read_bytes())
    row = next(row for row in before.listed if row.row_number == number)
    plan = Removing(before, row)
    return plan, editing.remove(before, number)


def changed(path, data, member, old, new):
    """The file with other bytes in one member."""
    path.write_bytes(data)
    content = members(path)[member]
    assert old in content
    rewrite(path, {member: content.replace(old, new, 1)})
    return path.read_bytes()


def test_the_file_as_planned_is_proved_and_the_new_rows_are_known(path):
    other = replace(NEW, name="Second New")
    plan, made = added(path, NEW, other)
    plan.check(found(made))
    assert [(row.name, row.row_number) for row in plan.rows] == [("Nora New", 6), ("Second New", 5)]
    assert plan.last_row == 11


def test_rows_for_an_empty_list_are_proved(tmp_path):
    plan, made = added(build(tmp_path / "empty.xlsx", count=0), NEW)
    plan.check(found(made))
    assert plan.last_row == plan.row == 5


@pytest.mark.parametrize(
    ("member", "old", "new"),
    [
        (SHEET, b"Nora New", b"Nora Old"),
        (SHEET, b'<c r="A9"', b'<c r="A8"'),
        ("xl/worksheets/sheet2.xml", b"<v>", b"<v>1"),
        ("xl/styles.xml", b"<fonts", b"<fonts "),
        ("xl/sharedStrings.xml", b"Client 1", b"Client 9"),
    ],
)
def test_any_other_byte_in_any_member_is_noticed(path, member, old, new):
    plan, made = added(path, NEW)
    other = changed(path, made, member, old, new)
    with pytest.raises(ReadBackDiffers, match=f"not added.* {member} is not what was") as why:
        plan.check(found(other))
    assert "The workbook is as it was" in why.value.sentence
    assert plan.rows == ()


def test_a_member_too_many_is_noticed(path):
    plan, made = added(path, NEW)
    path.write_bytes(made)
    rewrite(path, {"xl/more.xml": b"<a/>"})
    with pytest.raises(ReadBackDiffers, match="the list of parts is not what was to be written"):
        plan.check(found(path.read_bytes()))


@pytest.mark.parametrize(
    ("news", "wanted"),
    [
        ([NEW], [replace(NEW, name="Somebody Else")]),
        ([NEW], [replace(NEW, collected_minor=1)]),
        ([NEW, client(7)], [client(7), NEW]),
        ([NEW], [NEW, client(7)]),
    ],
)
def test_rows_that_read_otherwise_than_meant_are_noticed(path, news, wanted):
    before = found(path.read_bytes())
    plan = Adding(before, wanted)
    made = editing.insert(before, news)
    with pytest.raises(ReadBackDiffers, match="the new row reads differently"):
        plan.check(found(made))


def test_rows_lost_at_the_lists_end_are_noticed(path):
    plan, made = added(path, NEW)
    plan.last_row += 1
    with pytest.raises(ReadBackDiffers, match="the list ends in another row than meant"):
        plan.check(found(made))


def test_xml_that_was_made_badly_is_noticed_while_it_is_read(path):
    before = found(path.read_bytes())
    sheet = before.file.package.read(SHEET)
    before.file.package.write(SHEET, sheet.replace(b"</worksheet>", b"</worksheeet>"))
    with pytest.raises(CannotRead, match="not well-formed"):
        found(before.file.package.packed())


def test_a_row_taken_out_as_planned_is_proved(path):
    plan, made = taken_out(path, 7)
    plan.check(found(made))
    assert [row.row_number for row in found(made).listed] == [5, 6, 7, 8]


def test_another_row_taken_out_than_planned_is_noticed(path):
    before = found(path.read_bytes())
    plan = Removing(before, before.listed[2])
    made = editing.remove(before, 6)
    with pytest.raises(ReadBackDiffers, match="Client 3 was not taken out.*other rows would"):
        plan.check(found(made))


def test_another_byte_after_taking_out_is_noticed(path):
    plan, made = taken_out(path, 7)
    other = changed(path, made, "xl/styles.xml", b"<fonts", b"<fonts ")
    with pytest.raises(ReadBackDiffers, match="Client 3 was not taken out.*xl/styles.xml is not"):
        plan.check(found(other))
