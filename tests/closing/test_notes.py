"""What a pass notes is stored with its next writing, whatever becomes of that one."""

from __future__ import annotations

import pytest
from django.db import DataError, IntegrityError, OperationalError, transaction

from canceldesk.cases.models import Case
from canceldesk.closing.models import Step
from canceldesk.closing.notes import Notes
from canceldesk.closing.results import Done
from tests.factories import make_case

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def case() -> Case:
    return make_case()


def refused(notes: Notes) -> None:
    """A writing that the database refuses after all has gone with it."""
    with pytest.raises(IntegrityError), transaction.atomic(), notes.written():
        raise IntegrityError("another case's row looks the same")


def write(notes: Notes) -> None:
    with transaction.atomic(), notes.written():
        pass


def write_without_copies(notes: Notes) -> None:
    with transaction.atomic(), notes.written(with_copies=False):
        pass


def test_what_goes_along_is_stored_once_and_in_order(case: Case) -> None:
    notes, stored = Notes(case), list[str]()
    notes.along(lambda: stored.append("read back"))
    notes.along(lambda: stored.append("logged"))
    write(notes)
    write(notes)
    assert stored == ["read back", "logged"]


def test_what_could_not_be_stored_goes_with_the_next_writing_before_what_came_later(
    case: Case,
) -> None:
    notes, stored = Notes(case), list[str]()
    notes.along(lambda: stored.append("read back"))
    refused(notes)
    stored.clear()
    notes.along(lambda: stored.append("later"))
    write(notes)
    assert stored == ["read back", "later"]


def test_a_step_that_could_not_be_stored_is_stored_by_the_next_writing(case: Case) -> None:
    notes = Notes(case)
    notes.put(Step.Name.HOLD, Done("Held."))
    refused(notes)
    assert not case.steps.exists()
    assert notes.are_new
    write(notes)
    assert case.steps.get().sentence == "Held."
    assert not notes.are_new


def test_a_newer_note_replaces_one_that_could_not_be_stored(case: Case) -> None:
    notes = Notes(case)
    notes.put(Step.Name.HOLD, Done("Held."))
    refused(notes)
    notes.put(Step.Name.HOLD, Done("Held for longer."))
    write(notes)
    assert case.steps.get().sentence == "Held for longer."


def test_of_several_readings_the_newest_is_copied_in_the_order_of_their_names(case: Case) -> None:
    notes, copied = Notes(case), list[str]()
    notes.copy("subscription B", lambda: copied.append("B"))
    notes.copy("subscription A", lambda: copied.append("A, early"))
    notes.copy("invoices", lambda: copied.append("invoices"))
    notes.copy("subscription A", lambda: copied.append("A, late"))
    refused(notes)
    copied.clear()
    notes.copy("subscription B", lambda: copied.append("B, again"))
    write(notes)
    write(notes)
    assert copied == ["invoices", "A, late", "B, again"]


def test_copies_do_not_go_with_what_leaves_and_is_read_again_right_after(case: Case) -> None:
    notes, stored = Notes(case), list[str]()
    notes.copy("invoices", lambda: stored.append("copied, early"))
    notes.along(lambda: stored.append("read back"))
    write_without_copies(notes)
    assert stored == ["read back"]
    notes.copy("invoices", lambda: stored.append("copied, late"))
    write(notes)
    assert stored == ["read back", "copied, late"]


@pytest.mark.parametrize("trouble", [DataError("too long"), OverflowError("too large")])
def test_copies_that_cannot_be_stored_keep_nothing_else_from_being_stored(
    case: Case, trouble: Exception
) -> None:
    notes, stored = Notes(case), list[str]()

    def refuse() -> None:
        Case.objects.filter(pk=case.pk).update(reason_words="half of a copy")
        raise trouble

    notes.copy("invoices", refuse)
    notes.put(Step.Name.HOLD, Done("Held."))
    notes.along(lambda: stored.append("read back"))
    write(notes)
    write(notes)
    case.refresh_from_db()
    assert case.reason_words != "half of a copy"
    assert case.steps.get().sentence == "Held."
    assert stored == ["read back"]


def test_a_database_that_is_away_while_copies_are_stored_is_told(case: Case) -> None:
    notes = Notes(case)

    def away() -> None:
        raise OperationalError("server closed the connection")

    notes.copy("invoices", away)
    with pytest.raises(OperationalError):
        write(notes)
