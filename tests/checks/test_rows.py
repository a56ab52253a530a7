"""Rows of closed cases that nobody watches any more."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from canceldesk import clock
from canceldesk.cases.models import Case, Decision, Finding, State
from canceldesk.checks.services import KINDS, standing
from canceldesk.closing import services
from canceldesk.closing.models import Watch
from canceldesk.workbook.errors import InUse
from tests.checks.test_services import by_hand, compare, found
from tests.closing.conftest import Desk
from tests.closing.test_watch import closed_case

ROW_CHANGED = Finding.Kind.ROW_CHANGED


@pytest.fixture
def older_line(desk: Desk) -> None:
    """A list that reaches back further than the desk."""
    desk.the_list.put([by_hand("Otto Old", "(202) 555-0188")])


def unwatched(desk: Desk) -> Case:
    case = closed_case(desk)
    Watch.objects.filter(case=case).update(result=Watch.Result.CLEAN)
    return case


@pytest.mark.usefixtures("older_line")
@pytest.mark.parametrize("has_reference", [False, True])
def test_a_row_that_is_changed_or_deleted_after_the_watch_is_found(
    desk: Desk, has_reference: bool
) -> None:
    desk.the_list.has_reference = has_reference
    case = unwatched(desk)
    assert compare(desk).wrong == {}
    [written, older] = desk.the_list.rows
    for rows in ([replace(written, months=99), older], [older]):
        desk.the_list.rows = rows
        assert compare(desk).wrong == {ROW_CHANGED: 1}
        assert found(ROW_CHANGED)[0].case == case
        assert f"Put it back as {case.number} shows it." in found(ROW_CHANGED)[0].sentence
    desk.the_list.rows = [written, older]
    assert compare(desk).wrong == {}
    assert found() == []
    assert desk.the_list.written == 1


@pytest.mark.usefixtures("older_line")
def test_what_the_watch_looks_after_is_not_found_twice(desk: Desk) -> None:
    closed_case(desk)
    del desk.the_list.rows[0]
    assert compare(desk).wrong == {}


def test_rows_that_went_with_their_year_are_not_missing(desk: Desk) -> None:
    unwatched(desk)
    desk.the_list.rows.clear()
    assert compare(desk).wrong == {}, "a new list has no lines yet"
    desk.later(days=300)
    desk.the_list.put([by_hand("Nina New", cancelled_on=clock.now().date())])
    assert compare(desk).wrong == {}


@pytest.mark.usefixtures("older_line")
def test_a_row_that_was_taken_off_is_not_missing(desk: Desk) -> None:
    case = unwatched(desk)
    old_copy = list(desk.the_list.rows)
    services.take_off_list(case, by=desk.manager, why="Another client")
    assert compare(desk).of_cases == 1
    desk.advance(case)
    report = compare(desk)
    assert (report.wrong, report.of_cases) == ({}, 0)
    desk.the_list.rows, off = old_copy, desk.the_list.rows
    assert compare(desk).of_cases == 0, "whoever put it there, it is not the case's"
    desk.the_list.rows = off
    services.rewrite_row(case, by=desk.manager)
    desk.advance(case)
    assert compare(desk).of_cases == 1


def test_a_client_who_stays_is_not_called_billing_while_their_row_is_leaving(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.advance(desk.decided(subscription))
    services.take_back(case, by=desk.manager, why="They stay")
    desk.decide(case, Decision.RETAINED)
    trouble = InUse("Pat has it open.", by="Pat")
    desk.the_list.trouble = trouble
    desk.settle(case, rounds=3)
    desk.the_list.trouble = None
    assert case.state == State.RETAINED
    assert compare(desk).wrong == {}
    desk.later(minutes=5)
    desk.advance(case)
    assert not desk.the_list.rows
    assert compare(desk).wrong == {}


def test_what_costs_a_client_money_is_shown_first(desk: Desk) -> None:
    now = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    for kind in reversed(KINDS):
        Finding.objects.create(kind=kind, key=kind, sentence="x", found_at=now, seen_at=now)
    assert [one.kind for one in standing()] == list(KINDS)
