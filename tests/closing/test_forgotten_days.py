"""The desk was put back to a backup. Rows and holds of the days since are there, and it knows of
neither.
"""

from __future__ import annotations

import datetime as dt

import pytest

from canceldesk import clock, outside
from canceldesk.cases import log
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, Finding
from canceldesk.checks.services import compare_book
from canceldesk.closing.models import Step
from canceldesk.workbook.protocol import NewRow
from tests.closing.conftest import START, Desk

DAY = dt.timedelta(days=1)
YESTERDAY = START.date() - DAY


def put_back(*, days_ago: int = 2) -> None:
    since = (clock.now() - days_ago * DAY).isoformat()
    log.record(Verb.DESK_RESTORED, since=since, made_at="then", next_number="C-09000")


def written(desk: Desk, *, on: dt.date = YESTERDAY, number: str = "", name: str = "") -> None:
    """A row that the desk wrote on a day it has forgotten."""
    row = NewRow(
        name or "Nora Field", "(202) 555-0143", on, 49500, "USD", 4, "Too expensive", number
    )
    desk.the_list.has_reference = desk.the_list.has_reference or bool(number)
    desk.the_list.rows.insert(0, desk.the_list.listed(row))


def document(desk: Desk, case: Case) -> str:
    return desk.step(case, Step.Name.DOCUMENT).sentence


def test_a_row_of_a_forgotten_day_is_not_doubled_and_a_person_is_told_what_to_do(
    desk: Desk,
) -> None:
    put_back()
    written(desk)
    case = desk.decided(desk.client()[1])

    desk.advance(case)

    assert len(desk.the_list.rows) == 1
    said = document(desk, case)
    assert said.startswith('Row 4 of the tab "cancellation" is about this client, but its date')
    assert said.endswith("Correct or delete that row in the workbook; the desk goes on by itself.")


def test_deleting_it_lets_the_desk_go_on(desk: Desk) -> None:
    put_back()
    written(desk)
    case = desk.decided(desk.client()[1])
    desk.advance(case)

    desk.the_list.rows.clear()
    desk.advance(case)

    assert [row.cancelled_on for row in desk.the_list.rows] == [START.date()]


@pytest.mark.parametrize("on", [YESTERDAY, START.date()])
def test_a_row_with_the_number_of_a_forgotten_case_is_taken_for_this_clients(
    desk: Desk, on: dt.date
) -> None:
    put_back()
    written(desk, number="C-00777", on=on)
    case = desk.decided(desk.client()[1])

    desk.advance(case)

    assert len(desk.the_list.rows) == 1
    assert "case number" in document(desk, case)


def test_a_row_with_the_number_of_a_case_that_is_known_is_that_cases(desk: Desk) -> None:
    put_back()
    other = desk.not_due_yet(desk.decided(desk.client("Other", "Person")[1]))
    written(desk, number=other.number)
    case = desk.decided(desk.client()[1])

    desk.advance(case)

    assert len(desk.the_list.rows) == 2


@pytest.mark.parametrize(("restored", "on"), [(False, YESTERDAY), (True, YESTERDAY - 30 * DAY)])
def test_an_old_row_of_a_client_who_came_back_keeps_nobody_waiting(
    desk: Desk, *, restored: bool, on: dt.date
) -> None:
    if restored:
        put_back()
    written(desk, on=on)
    case = desk.decided(desk.client()[1])

    desk.advance(case)

    assert len(desk.the_list.rows) == 2


def held_for_nobody(desk: Desk) -> str:
    """A client paused as the desk pauses, without a case."""
    _, subscription = desk.client()
    until = (clock.now() + 180 * DAY).date()
    desk.billsby.set_renewal_date(subscription.uid, until, pause=True)
    return subscription.uid


def found() -> list[str]:
    compare_book(outside.billsby(), outside.the_list())
    return [one.sentence for one in Finding.objects.filter(resolved_at=None)]


def test_a_client_held_for_a_forgotten_case_is_found(desk: Desk) -> None:
    put_back()
    held_for_nobody(desk)

    (sentence,) = found()

    assert "is paused in Billsby until" in sentence
    assert "file their request again" in sentence


def test_once_their_request_is_filed_again_it_is_no_longer_found(desk: Desk) -> None:
    put_back()
    uid = held_for_nobody(desk)
    assert found()

    desk.file(desk.company.subscription(uid))

    assert found() == []


def test_who_is_paused_in_a_desk_that_was_never_put_back_is_nobodys_business(desk: Desk) -> None:
    held_for_nobody(desk)

    assert found() == []


def test_a_pause_of_another_length_is_a_persons_own(desk: Desk) -> None:
    put_back()
    _, subscription = desk.client()
    until = (clock.now() + 60 * DAY).date()
    desk.billsby.set_renewal_date(subscription.uid, until, pause=True)

    assert found() == []
