"""What a pass notes is stored with its next writing, whatever becomes of that one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from canceldesk.cases import log
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case
from canceldesk.closing.models import Step
from canceldesk.closing.notes import Notes
from canceldesk.closing.results import Done
from tests.factories import make_case

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def case() -> Case:
    return make_case()


def refused(notes: Notes, within: Callable[[], object] = lambda: None) -> None:
    """A writing that the database refuses after all has gone with it."""

    def store() -> None:
        with transaction.atomic(), notes.written():
            within()
            raise IntegrityError("another case's row looks the same")

    with pytest.raises(IntegrityError):
        store()


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


def test_what_is_logged_in_one_writing_is_added_in_order_with_one_statement(case: Case) -> None:
    notes = Notes(case)
    with transaction.atomic(), notes.written():
        notes.log(log.entry(Verb.CASE_RETRIED, case=case))
        notes.log(log.entry(Verb.CASE_CLOSED, case=case))
        assert not case.log.exists()
    with CaptureQueriesContext(connection) as asked:
        notes.along(lambda: notes.log(log.entry(Verb.VERIFIED, case=case)))
        with transaction.atomic(), notes.written():
            notes.log(log.entry(Verb.WATCH_ENDED, case=case))
    assert [entry.verb for entry in case.log.all()] == [
        Verb.CASE_RETRIED,
        Verb.CASE_CLOSED,
        Verb.VERIFIED,
        Verb.WATCH_ENDED,
    ]
    assert sum("INSERT" in one["sql"] for one in asked.captured_queries) == 1


def test_what_is_logged_goes_with_its_writing_or_not_at_all(case: Case) -> None:
    notes = Notes(case)
    notes.along(lambda: notes.log(log.entry(Verb.VERIFIED, case=case)))
    refused(notes, lambda: notes.log(log.entry(Verb.CASE_CLOSED, case=case)))
    write(notes)
    assert [entry.verb for entry in case.log.all()] == [Verb.VERIFIED]


def test_nothing_can_be_logged_that_no_writing_would_take_along(case: Case) -> None:
    notes = Notes(case)
    with pytest.raises(RuntimeError, match="nothing is being written"):
        notes.log(log.entry(Verb.CASE_CLOSED, case=case))
    write(notes)
    with pytest.raises(RuntimeError, match="nothing is being written"):
        notes.log(log.entry(Verb.CASE_CLOSED, case=case))
    assert not case.log.exists()
