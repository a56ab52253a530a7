"""Who has the workbook open is understood from every program's file, and said."""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
from pathlib import Path

import pytest

from canceldesk import clock as desk_clock
from canceldesk.workbook.errors import InUse
from canceldesk.workbook.storing import contents, locking, owners
from tests.workbook import disks
from tests.workbook.disks import Clock


@pytest.fixture
def path(tmp_path):
    return disks.plain_file(tmp_path)


def office_file(name, *, wide_at=55, size=165):
    """An owner file as Excel writes it; Word's has 54 and 162."""
    narrow = bytes([len(name)]) + name.encode("cp1252", "replace")
    wide = len(name).to_bytes(2, "little") + name.encode("utf-16-le")
    return (narrow.ljust(wide_at) + wide).ljust(size)


def opened_by(path, name="Ann Agent", spelling=None):
    owner = path.with_name(spelling or f"~${path.name}")
    owner.write_bytes(office_file(name))
    return owner


def who(path):
    person = owners.person_inside(path)
    return person and person.name


def refused(path, clock=None, seconds=0.0):
    with pytest.raises(InUse) as refusal:
        locking.wait_until_closed(path, (clock or Clock()).waiting(seconds))
    return refusal.value


def test_a_workbook_open_in_excel_is_in_use_by_its_user(path):
    opened_by(path)
    clock = Clock()
    refusal = refused(path, clock, 3)
    assert refusal.by == "Ann Agent"
    assert refusal.sentence == (
        "“clients.xlsx” is open on the screen of Ann Agent. Ask them to save and close it; the row "
        "is added then."
    )
    assert 3 <= clock.seconds < 4


def test_a_workbook_that_nobody_has_open_is_nobodys(path):
    assert who(path) is None
    locking.wait_until_closed(path, Clock().waiting(0))


def test_it_is_free_as_soon_as_the_person_closes_it(path):
    owner = opened_by(path)
    clock = Clock(meanwhile=owner.unlink)
    locking.wait_until_closed(path, clock.waiting(5))
    assert clock.slept == 3


def test_a_workbook_open_in_libreoffice_is_in_use_by_its_user(path):
    lock = path.with_name(".~lock.clients.xlsx#")
    lock.write_text("Max Manager,max,desk-3,23.11.2026 10:00,file:///home;")
    assert who(path) == "Max Manager"
    lock.write_text(",max,desk-3,23.11.2026 10:00,file:///home;")
    assert who(path) == "max"
    lock.write_text("")
    assert who(path) == "someone"


@pytest.mark.parametrize(
    ("name", "owner", "is_ours"),
    [
        ("clients.xlsx", "~$clients.xlsx", True),
        ("clients.xlsx", ".~clients.xlsx", True),
        ("clients.xlsx", "~$CLIENTS.XLSX", True),
        ("clients.xlsx", "~$lients.xlsx", True),
        ("cancelled.xlsx", "~$ncelled.xlsx", True),
        ("cancelled.xlsx", ".~ncelled.xlsx", True),
        ("cancelled.xlsx", "~$ancelled.xlsx", False),
        ("stops.xlsx", "~$ops.xlsx", False),
        ("clients.xlsx", "~$other.xlsx", False),
        ("Kündigungen.xlsx", "~$Ku\u0308ndigungen.xlsx", True),
    ],
)
def test_owner_files_are_known_by_all_their_spellings(tmp_path, name, owner, is_ours):
    path = tmp_path / name
    path.write_bytes(b"")
    opened_by(path, spelling=owner)
    assert who(path) == ("Ann Agent" if is_ours else None)


def test_a_shortened_spelling_that_is_another_workbooks_is_not_ours(tmp_path):
    for name in ("cancelled.xlsx", "ncelled.xlsx"):
        (tmp_path / name).write_bytes(b"")
    opened_by(tmp_path / "ncelled.xlsx")
    assert who(tmp_path / "cancelled.xlsx") is None
    assert who(tmp_path / "ncelled.xlsx") == "Ann Agent"


@pytest.mark.parametrize("name", ["Ann Agent", "Zoë Ünal", "Анна", "x" * 52])
@pytest.mark.parametrize(("wide_at", "size"), [(55, 165), (54, 162)])
def test_names_are_read_as_excel_and_word_write_them(path, name, wide_at, size):
    path.with_name(f"~${path.name}").write_bytes(office_file(name, wide_at=wide_at, size=size))
    assert who(path) == name


def test_a_name_in_one_byte_a_letter_is_enough(path):
    path.with_name(f"~${path.name}").write_bytes(b"\x03Zo\xeb".ljust(54, b" "))
    assert who(path) == "Zoë"


@pytest.mark.parametrize("data", [b"", b"\0" * 165, b"\x03\0"])
def test_an_owner_file_without_a_name_means_someone(path, data):
    path.with_name(f"~${path.name}").write_bytes(data)
    assert who(path) == "someone"


def test_an_owner_file_that_cannot_be_read_means_someone(path):
    path.with_name(f"~${path.name}").mkdir()
    assert who(path) == "someone"


def test_an_owner_file_that_vanishes_while_it_is_looked_at_means_nobody(path, monkeypatch):
    opened_by(path)
    monkeypatch.setattr(Path, "read_bytes", disks.failing(errno.ENOENT))
    assert who(path) is None


def test_a_folder_that_may_not_be_listed_is_asked_for_the_usual_names(path, monkeypatch):
    owner = opened_by(path)
    monkeypatch.setattr(Path, "iterdir", disks.failing(errno.EACCES))
    assert who(path) == "Ann Agent"
    owner.unlink()
    assert who(path) is None


@pytest.mark.parametrize(
    ("hours", "words"),
    [(11, None), (13, "13 hours ago"), (47, "47 hours ago"), (24 * 9, "9 days ago")],
)
def test_an_old_owner_file_is_still_believed_but_says_how_to_tell(path, hours, words):
    owner = opened_by(path)
    written = owner.stat().st_mtime
    moment = dt.datetime.fromtimestamp(written, tz=dt.UTC) + dt.timedelta(hours=hours, minutes=1)
    with desk_clock.frozen(moment):
        sentence = refused(path).sentence
    if words is None:
        assert "delete" not in sentence
    else:
        assert f"That was noted {words}" in sentence
        assert f"delete the hidden file “~$clients.xlsx” in {path.parent}" in sentence


def test_an_owner_file_that_vanishes_is_said_without_its_age(path):
    owner = opened_by(path)
    person = owners.person_inside(path)
    owner.unlink()
    assert person is not None
    assert "Ask them to save and close it" in person.sentence(path)


def test_a_program_that_leaves_no_file_is_noticed_while_it_has_it_open_for_writing(path):
    with path.open("r+b"):
        refusal = refused(path)
    assert refusal.by == "someone"
    assert "open in another program" in refusal.sentence


def test_who_only_reads_is_in_nobodys_way(path):
    with path.open("rb"):
        locking.wait_until_closed(path, Clock().waiting(0))


def test_a_workbook_missing_for_a_moment_while_excel_saves_is_waited_for(path):
    away = path.rename(path.with_name("12345678"))
    clock = Clock(meanwhile=lambda: away.rename(path))
    locking.wait_until_closed(path, clock.waiting(5))
    assert clock.slept == 3


def test_a_workbook_that_stays_missing_is_for_the_reader_to_tell(path):
    path.unlink()
    clock = Clock()
    locking.wait_until_closed(path, clock.waiting(1))
    assert clock.seconds >= 1


def test_a_file_whose_leases_belong_to_others_is_not_called_in_use(path, monkeypatch):
    with path.open("r+b"):
        assert contents.being_written(path)
        monkeypatch.setattr(fcntl, "fcntl", disks.failing(errno.EACCES))
        assert not contents.being_written(path)
