"""Rows that come at once are saved together; a list is read anew only when its file changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from canceldesk import go_ahead
from canceldesk.workbook import editing, reading, workbooklist
from canceldesk.workbook.errors import (
    CannotEdit,
    CannotRead,
    CannotSave,
    ChangedMeanwhile,
    InUse,
    ListError,
    ReadBackDiffers,
)
from canceldesk.workbook.gathering import Gathering
from canceldesk.workbook.storing import saving
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import NEW, build, client, rewrite, write_list
from tests.workbook.test_gathering import LONG, Arrivals

NAMES = ("Ann First", "Bea Second", "Cid Third", "Dan Fourth")
ROWS = [replace(NEW, name=name, months=number) for number, name in enumerate(NAMES)]


class Meeting:
    """One gathering for all; nobody writes before `expected` writers have come."""

    def __init__(self, expected):
        self.arrivals = Arrivals(expected)
        self.gathering = Gathering(_waiting=self.arrivals)

    @contextmanager
    def at(self, _place) -> Iterator[Any]:
        yield self.gathering


class Counting:
    """A function that counts its calls."""

    def __init__(self, function):
        self.function = function
        self.times = 0

    def __call__(self, *args, **kwargs):
        self.times += 1
        return self.function(*args, **kwargs)


@pytest.fixture
def path(tmp_path):
    return build(tmp_path / "clients.xlsx")


@pytest.fixture
def meeting(monkeypatch):
    meeting = Meeting(len(ROWS))
    monkeypatch.setattr(workbooklist, "_gatherings", meeting)
    return meeting


@pytest.fixture
def savings(monkeypatch):
    counting = Counting(saving.replace)
    monkeypatch.setattr(saving, "replace", counting)
    return counting


def open_until(meeting, path):
    """A workbook open on somebody's screen until all writers have come."""
    owner = path.with_name(f"~${path.name}")
    owner.write_bytes(b"\x03Pat")

    def sleep(_seconds):
        assert meeting.arrivals.all_here.wait(LONG)
        owner.unlink(missing_ok=True)

    return WorkbookList(path, now=lambda: 0.0, sleep=sleep)


def all_added(book, rows=ROWS, expected=None):
    """What comes of adding these rows in as many threads; refusals as values."""

    def added(row):
        try:
            fingerprint = (expected or {}).get(row.name)
            return book.add(row, expected_fingerprint=fingerprint)
        except ListError as refusal:
            return refusal

    with ThreadPoolExecutor(len(rows)) as pool:
        return list(pool.map(added, rows))


def names(path):
    return [row.name for row in WorkbookList(path).read().rows]


def test_rows_that_wait_are_saved_together_each_above_the_one_before(path, meeting, savings):
    before = reading.fingerprint(path.read_bytes())
    told = all_added(open_until(meeting, path))
    came = [ticket.wanted.row.name for ticket in meeting.arrivals]
    assert savings.times == 1
    assert names(path)[:4] == came[::-1]
    assert sorted(came) == sorted(NAMES)
    assert names(path)[4:] == [client(number).name for number in range(1, 6)]
    for written, row in zip(told, ROWS, strict=True):
        assert written.row.name == row.name
        assert written.row.months == row.months
        assert written.row_number == 5 + came[::-1].index(row.name)
        assert written.fingerprint_before == before
        assert written.fingerprint_after == reading.fingerprint(path.read_bytes())


def test_one_that_expects_another_file_is_told_so_and_the_others_are_added(path, meeting, savings):
    expected = {NAMES[1]: "another", NAMES[2]: reading.fingerprint(path.read_bytes())}
    told = all_added(open_until(meeting, path), expected=expected)
    assert isinstance(told[1], ChangedMeanwhile)
    assert [one.row.name for place, one in enumerate(told) if place != 1] == [
        NAMES[0],
        NAMES[2],
        NAMES[3],
    ]
    assert savings.times == 1
    assert sorted(names(path)[:3]) == sorted([NAMES[0], NAMES[2], NAMES[3]])


def test_when_all_expect_another_file_nothing_is_saved(path, meeting, savings):
    before = path.read_bytes()
    told = all_added(open_until(meeting, path), expected=dict.fromkeys(NAMES, "another"))
    assert [type(one) for one in told] == [ChangedMeanwhile] * 4
    assert savings.times == 0
    assert path.read_bytes() == before


def test_a_disk_that_refuses_refuses_all_of_them_once(path, meeting, monkeypatch):
    def full(*_args, **_kwargs):
        raise CannotSave("The disk is full.")

    refusing = Counting(full)
    monkeypatch.setattr(saving, "replace", refusing)
    before = path.read_bytes()
    told = all_added(open_until(meeting, path))
    assert {type(one) for one in told} == {CannotSave}
    assert refusing.times == 1
    assert path.read_bytes() == before


def test_a_workbook_that_stays_open_keeps_nobody_longer_than_it_keeps_the_first(path, meeting):
    path.with_name(f"~${path.name}").write_bytes(b"\x03Pat")
    seconds = threading.local()

    def sleep(_seconds):
        assert meeting.arrivals.all_here.wait(LONG)
        seconds.passed = getattr(seconds, "passed", 0) + 100

    book = WorkbookList(path, now=lambda: getattr(seconds, "passed", 0), sleep=sleep)
    told = all_added(book)
    assert {type(one) for one in told} == {InUse}
    assert {one.by for one in told} == {"Pat"}


def test_a_person_who_saves_meanwhile_keeps_their_change_and_all_rows_are_added(
    path, meeting, monkeypatch, tmp_path
):
    theirs = build(tmp_path / "theirs.xlsx", count=6).read_bytes()
    saved_before(monkeypatch, path, theirs, times=1)
    told = all_added(open_until(meeting, path))
    assert {one.fingerprint_before for one in told} == {reading.fingerprint(theirs)}
    assert len(names(path)) == 6 + 4
    assert sorted(names(path)[:4]) == sorted(NAMES)


def test_rows_of_several_lists_in_one_workbook_are_not_mixed(tmp_path):
    def more(workbook, _sheet):

        write_list(workbook, workbook.add_worksheet("Second"), 2)

    path = build(tmp_path / "clients.xlsx", more=more)
    books = [WorkbookList(path, tab="cancellation"), WorkbookList(path, tab="Second")]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: books[number % 2].add(client(20 + number)), range(8)))
    for place, book in enumerate(books):
        found = [row.name for row in book.read().rows]
        own = {client(20 + number).name for number in range(8) if number % 2 == place}
        assert set(found[:4]) == own
        assert len(found) == 4 + (5, 2)[place]


def test_a_row_without_name_and_phone_is_refused_before_anything_else(path):
    with pytest.raises(CannotEdit, match="needs the client's name or phone"):
        WorkbookList(path.with_name("nothing.xlsx")).add(replace(NEW, name=" ", phone="\x00"))


def test_a_file_that_did_not_change_is_not_read_again(path, monkeypatch):
    finding = Counting(reading.find_list)
    monkeypatch.setattr(reading, "find_list", finding)
    first = WorkbookList(path).read()
    assert WorkbookList(path).read() is first
    assert finding.times == 1
    WorkbookList(path, headings={"reason": "Reason"}).read()
    assert finding.times == 2
    rewrite(path, {"xl/more.xml": b"<a/>"})
    assert WorkbookList(path).read().fingerprint != first.fingerprint
    assert finding.times == 3


def test_only_a_few_lists_are_remembered(tmp_path):
    paths = [build(tmp_path / f"{number}.xlsx", count=1) for number in range(6)]
    for path in paths:
        WorkbookList(path).read()
    remembered = " ".join(map(str, workbooklist._seen))
    assert len(workbooklist._seen) == workbooklist._MOST_SEEN
    assert str(paths[-1]) in remembered
    assert str(paths[0]) not in remembered


@pytest.mark.parametrize("odd", [ValueError("odd"), KeyError("odd"), OverflowError("odd")])
def test_what_the_desk_does_not_understand_is_refused_in_words(path, monkeypatch, odd):
    def fails(*_args, **_kwargs):
        raise odd

    before = path.read_bytes()
    with monkeypatch.context() as patching:
        patching.setattr(editing, "insert", fails)
        with pytest.raises(CannotEdit, match="does not understand .*odd.* so nothing was written"):
            WorkbookList(path).add(NEW)
    monkeypatch.setattr(reading, "find_list", fails)
    with pytest.raises(CannotRead, match="does not understand .*odd"):
        WorkbookList(path).add(NEW)
    assert path.read_bytes() == before


@pytest.fixture
def saved_again(path, monkeypatch):
    """A person saves the workbook in some way right after the desk did."""
    replace_file = saving.replace

    def then(save):
        def replacing(*args, **kwargs):
            assert replace_file(*args, **kwargs)
            save()
            return True

        monkeypatch.setattr(saving, "replace", replacing)

    return then


def test_rows_that_a_person_saved_again_are_proved_from_their_file(path, meeting, saved_again):
    saved_again(lambda: rewrite(path, {"xl/more.xml": b"<a/>"}))
    told = all_added(open_until(meeting, path))
    assert [one.row.name for one in told] == list(NAMES)
    assert {one.fingerprint_after for one in told} == {reading.fingerprint(path.read_bytes())}
    found = {row.name: row.row_number for row in WorkbookList(path).read().rows}
    assert [one.row_number for one in told] == [found[name] for name in NAMES]


def test_rows_that_a_person_saved_an_older_copy_over_are_told_as_gone(path, meeting, saved_again):
    older = path.read_bytes()
    saved_again(lambda: path.write_bytes(older))
    told = all_added(open_until(meeting, path))
    assert {type(one) for one in told} == {ReadBackDiffers}
    assert [name in one.sentence for name, one in zip(NAMES, told, strict=True)] == [True] * 4


def test_one_who_expects_the_file_that_a_person_saved_over_is_told_so(
    path, meeting, monkeypatch, tmp_path
):
    theirs = build(tmp_path / "theirs.xlsx", count=6).read_bytes()
    expected = {NAMES[0]: reading.fingerprint(path.read_bytes())}
    saved_before(monkeypatch, path, theirs, times=1)
    told = all_added(open_until(meeting, path), expected=expected)
    assert isinstance(told[0], ChangedMeanwhile)
    assert {one.fingerprint_before for one in told[1:]} == {reading.fingerprint(theirs)}
    assert len(names(path)) == 6 + 3


def test_a_person_who_saves_each_time_is_left_alone_in_the_end(path, meeting, monkeypatch):
    saved_before(monkeypatch, path, None, times=99)
    told = all_added(open_until(meeting, path))
    assert {type(one) for one in told} == {ChangedMeanwhile}
    assert "each time" in told[0].sentence
    assert not set(NAMES) & set(names(path))


def saved_before(monkeypatch, path, theirs, *, times):
    """A person saves the workbook while the desk works, some times over."""
    insert = editing.insert
    left = list(range(times))

    def inserting(*args):
        made = insert(*args)
        if left:
            number = left.pop()
            if theirs is None:
                rewrite(path, {"xl/more.xml": b"<a>%d</a>" % number})
            else:
                path.write_bytes(theirs)
        return made

    monkeypatch.setattr(editing, "insert", inserting)


def test_a_row_is_taken_out_wherever_it_stands_now(path):
    book = WorkbookList(path)
    row = book.read().rows[1]
    book.add(NEW)
    removed = book.remove(row)
    assert (removed.row_number, removed.row.name) == (7, client(2).name)
    assert removed.fingerprint_after == reading.fingerprint(path.read_bytes())
    assert names(path) == [NEW.name, *(client(number).name for number in (1, 3, 4, 5))]


def test_of_two_equal_rows_the_one_that_was_read_is_taken_out(path):
    book = WorkbookList(path)
    book.add(NEW)
    book.add(NEW)
    removed = book.remove(book.read().rows[1])
    assert removed.row_number == 6
    gone = replace(book.read().rows[0], row_number=99)
    book.add(NEW)
    with pytest.raises(ChangedMeanwhile, match="or has more than one. Nothing was taken out"):
        book.remove(gone)


def test_a_row_that_is_not_there_any_more_cannot_be_taken_out(path):
    book = WorkbookList(path)
    row = book.read().rows[1]
    book.remove(row)
    before = path.read_bytes()
    with pytest.raises(ChangedMeanwhile, match="no line any more"):
        book.remove(row)
    with pytest.raises(ChangedMeanwhile, match="saved by someone else since"):
        book.remove(book.read().rows[0], expected_fingerprint="another")
    assert path.read_bytes() == before


def test_a_person_who_saves_while_a_row_is_taken_out_comes_first(path, monkeypatch):
    row = WorkbookList(path).read().rows[1]
    remove = editing.remove
    left = [1, 2, 3, 4, 5]

    def removing(*args):
        made = remove(*args)
        if left:
            rewrite(path, {"xl/more.xml": b"<a>%d</a>" % left.pop()})
        return made

    monkeypatch.setattr(editing, "remove", removing)
    with pytest.raises(ChangedMeanwhile, match="each time"):
        WorkbookList(path).remove(row)
    left.append(6)
    assert WorkbookList(path).remove(row).row_number == 6
    assert client(2).name not in names(path)


def test_a_new_file_that_cannot_be_read_back_is_not_put_in_place(path, monkeypatch):
    before = path.read_bytes()
    monkeypatch.setattr(editing, "insert", lambda *_args: before[:-1])
    with pytest.raises(ReadBackDiffers, match="Nora New was not added.* not an Excel workbook"):
        WorkbookList(path).add(NEW)
    assert path.read_bytes() == before


def test_a_row_that_cannot_be_added_refuses_no_other(path, meeting, monkeypatch):
    real = editing.insert

    def insert(found, news, fill):
        if any(new.name == NAMES[2] for new in news):
            raise CannotEdit("This one cannot be added. Nothing was written.")
        return real(found, news, fill)

    monkeypatch.setattr(editing, "insert", insert)
    told = all_added(open_until(meeting, path))
    refused = [row.name for row, one in zip(ROWS, told, strict=True) if isinstance(one, CannotEdit)]
    assert refused == [NAMES[2]]
    assert set(names(path)[:3]) == set(NAMES) - {NAMES[2]}


def vanishes_after(monkeypatch, path):
    """The share is gone as soon as the new file is in place."""
    real = saving.replace

    def replace_and_vanish(*args, **kwargs):
        saved = real(*args, **kwargs)
        path.rename(path.with_name("elsewhere.xlsx"))
        return saved

    monkeypatch.setattr(saving, "replace", replace_and_vanish)


def test_rows_in_a_file_that_vanished_after_are_not_called_unwritten(path, monkeypatch):
    vanishes_after(monkeypatch, path)
    with pytest.raises(ReadBackDiffers, match="was added in .* could not be read back") as trouble:
        WorkbookList(path).add(NEW)
    assert "Nothing was written" not in trouble.value.sentence


def test_a_removal_from_a_file_that_vanished_after_is_not_called_undone(path, monkeypatch):
    row = WorkbookList(path).read().rows[0]
    vanishes_after(monkeypatch, path)
    with pytest.raises(ReadBackDiffers, match="was taken out in .* could not be read back"):
        WorkbookList(path).remove(row)


def test_of_two_equal_rows_saved_together_the_one_a_person_deleted_is_told_as_gone(
    path, tmp_path, monkeypatch, saved_again
):
    twins = [NEW, NEW]
    meeting = Meeting(len(twins))
    monkeypatch.setattr(workbooklist, "_gatherings", meeting)

    def deleted_by_a_person():
        theirs = tmp_path / "theirs.xlsx"
        theirs.write_bytes(path.read_bytes())
        monkeypatch.undo()
        copy = WorkbookList(theirs)
        copy.remove(copy.read().rows[0])
        path.write_bytes(theirs.read_bytes())

    saved_again(deleted_by_a_person)
    told = all_added(open_until(meeting, path), twins)
    assert sorted(type(one).__name__ for one in told) == ["ReadBackDiffers", "RowWritten"]
    assert names(path).count(NEW.name) == 1


class TakenOverError(Exception):
    """The case of a row is somebody else's now."""


def taken_over() -> None:
    raise TakenOverError


def test_a_row_that_may_not_be_written_any_more_is_not(path):
    before = path.read_bytes()
    with go_ahead.asked_of(taken_over), pytest.raises(TakenOverError):
        WorkbookList(path).add(NEW)
    assert path.read_bytes() == before


def test_a_row_that_may_not_be_taken_out_any_more_stays(path):
    before = path.read_bytes()
    row = WorkbookList(path).read().rows[0]
    with go_ahead.asked_of(taken_over), pytest.raises(TakenOverError):
        WorkbookList(path).remove(row)
    assert path.read_bytes() == before


def test_of_rows_saved_together_only_the_one_that_may_not_be_written_is_left_out(path, meeting):
    book = open_until(meeting, path)

    def added(row):
        question = taken_over if row.name == NAMES[1] else lambda: None
        try:
            with go_ahead.asked_of(question):
                return book.add(row).row.name
        except TakenOverError:
            return "taken over"

    with ThreadPoolExecutor(len(ROWS)) as pool:
        told = list(pool.map(added, ROWS))
    assert told == [NAMES[0], "taken over", NAMES[2], NAMES[3]]
    assert set(names(path)[:3]) == set(NAMES) - {NAMES[1]}
    assert NAMES[1] not in names(path)


def test_the_go_ahead_is_asked_for_when_the_new_file_is_ready_and_the_old_one_in_place(
    path, monkeypatch
):
    said: list[str] = []
    prepare = saving._prepare

    def preparing(*args):
        prepare(*args)
        said.append("ready")

    monkeypatch.setattr(saving, "_prepare", preparing)
    before = path.read_bytes()
    with go_ahead.asked_of(lambda: said.append(f"asked, old {path.read_bytes() == before}")):
        WorkbookList(path).add(NEW)
    assert said == ["ready", "asked, old True"]


def saved_meanwhile(path):
    """The fingerprint of a workbook that a person has saved again since."""
    before = WorkbookList(path).read().fingerprint
    rewrite(path, {"xl/more.xml": b"<a/>"})
    return before


def test_a_row_that_is_still_missing_is_added_to_what_was_saved_meanwhile(path):
    before = saved_meanwhile(path)
    seen = []

    def is_there(view):
        seen.append(view)
        return any(row.name == NEW.name for row in view.rows)

    WorkbookList(path).add(NEW, expected_fingerprint=before, unless=is_there)
    assert names(path)[0] == NEW.name
    assert [view.fingerprint == before for view in seen] == [False]


def test_a_row_that_has_come_meanwhile_is_not_added_again(path):
    before = WorkbookList(path).read().fingerprint
    WorkbookList(path).add(NEW)
    with pytest.raises(ChangedMeanwhile):
        WorkbookList(path).add(NEW, expected_fingerprint=before, unless=lambda _view: True)
    assert names(path).count(NEW.name) == 1


def test_nobody_is_asked_about_a_list_that_is_as_it_was_read(path):
    before = WorkbookList(path).read().fingerprint
    WorkbookList(path).add(NEW, expected_fingerprint=before, unless=lambda _view: True)
    assert names(path)[0] == NEW.name


def test_an_answer_that_cannot_be_had_keeps_that_row_from_being_added_and_no_other(path, meeting):
    before = saved_meanwhile(path)
    book = open_until(meeting, path)

    def no_answer(_view):
        raise LookupError("the database is away")

    def added(row):
        unless = no_answer if row.name == NAMES[2] else (lambda _view: False)
        try:
            return book.add(row, expected_fingerprint=before, unless=unless).row.name
        except LookupError:
            return "no answer"

    with ThreadPoolExecutor(len(ROWS)) as pool:
        told = list(pool.map(added, ROWS))
    assert told == [NAMES[0], NAMES[1], "no answer", NAMES[3]]
    assert NAMES[2] not in names(path)


def test_rows_that_read_the_list_before_others_were_written_are_all_saved(path, meeting, savings):
    before = saved_meanwhile(path)
    book = open_until(meeting, path)

    def added(row):
        return book.add(row, expected_fingerprint=before, unless=lambda _view: False)

    with ThreadPoolExecutor(len(ROWS)) as pool:
        list(pool.map(added, ROWS))
    assert savings.times == 1
    assert set(names(path)[: len(NAMES)]) == set(NAMES)
