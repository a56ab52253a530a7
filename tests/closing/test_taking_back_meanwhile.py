"""A row that leaves the list while processes die or sleep, people edit it, and equal rows come."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from canceldesk.billsby import CustomerSubscription
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, Decision, WaitsFor
from canceldesk.closing import listing, services
from canceldesk.closing.advance import advance
from canceldesk.closing.models import Facts, Intent, Step
from canceldesk.workbook.errors import InUse
from canceldesk.workbook.protocol import ListedRow, NewRow, RowRemoved, RowWritten
from tests.closing.conftest import Desk, due_now
from tests.closing.test_taking_back import another, listed_case, said, state_of_row, take_back

# ------------------------------------------------------------------ crashes and sleepers


def test_a_row_taken_out_before_a_crash_is_adopted_as_gone(desk: Desk) -> None:
    case = listed_case(desk)
    take_back(desk, case)
    desk.the_list.after_write = RuntimeError("power cut")
    desk.advance(case)
    assert case.attention
    desk.later(minutes=1)
    desk.advance(case)
    assert state_of_row(case) == Intent.State.REMOVED
    assert desk.the_list.removed == 1
    assert said(case)[-2:] == [Verb.ROW_REMOVAL_INTENDED, Verb.ROW_REMOVAL_ADOPTED]


def test_a_row_that_a_person_took_out_first_is_adopted_as_gone(desk: Desk) -> None:
    case = listed_case(desk)
    take_back(desk, case)
    desk.the_list.rows.clear()
    desk.advance(case)
    assert state_of_row(case) == Intent.State.REMOVED
    assert desk.the_list.removed == 0
    assert said(case)[-1] == Verb.ROW_REMOVAL_ADOPTED


def test_an_open_workbook_is_waited_for(desk: Desk) -> None:
    case = listed_case(desk)
    take_back(desk, case)
    desk.the_list.trouble = InUse("Pat has the workbook open.", by="Pat")
    desk.advance(case)
    assert "Pat has the workbook open" in case.waits_sentence
    desk.the_list.trouble = None
    desk.later(minutes=1)
    assert due_now(case)
    desk.advance(case)
    assert not desk.the_list.rows
    assert said(case).count(Verb.ROW_REMOVAL_INTENDED) == 1


def test_a_workbook_that_was_never_reached_troubles_nobody_after_taking_back(desk: Desk) -> None:
    desk.the_list.trouble = InUse("Pat has the workbook open.", by="Pat")
    case = listed_case(desk)
    take_back(desk, case)
    desk.advance(case)
    assert "Pat" not in case.waits_sentence
    assert not Intent.objects.filter(case=case).exists()


def test_a_row_is_not_written_once_the_decision_is_taken_back(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    add = desk.the_list.add

    def meanwhile(row: NewRow, **named: Any) -> RowWritten:
        take_back(desk, case)
        return add(row, **named)

    desk.the_list.add = meanwhile  # type: ignore[method-assign]
    assert not advance(case.pk, owner="worker")
    assert not desk.the_list.rows


def test_a_row_whose_decision_is_taken_back_at_the_last_moment_leaves_again(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.the_list.at_last_moment = lambda: take_back(desk, case)
    assert not advance(case.pk, owner="worker")
    assert len(desk.the_list.rows) == 1
    desk.advance(case)
    assert not desk.the_list.rows
    assert said(case) == [Verb.ROW_INTENDED, Verb.ROW_REMOVAL_INTENDED, Verb.ROW_REMOVED]


def test_a_row_that_was_found_leaves_also_when_its_pass_is_overtaken(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The desk never sent it, but it knows that it is there."""
    desk.the_list.trouble = InUse("Pat has the workbook open.", by="Pat")
    case = listed_case(desk)
    desk.the_list.trouble = None
    desk.the_list.put([listing.row_for(Facts.objects.get(case=case))])
    honest = desk.billsby.customer_subscriptions

    def meanwhile(client_id: str) -> list[CustomerSubscription]:
        if state_of_row(case) == Intent.State.CONFIRMED:
            take_back(desk, case)
        return honest(client_id)

    with monkeypatch.context() as busy:
        busy.setattr(desk.billsby, "customer_subscriptions", meanwhile)
        desk.later(seconds=30)
        assert not advance(case.pk, owner="worker")
    desk.advance(case)
    assert not desk.the_list.rows
    assert Verb.ROW_FOUND in said(case)


@pytest.mark.parametrize("is_rewritten", [False, True])
def test_a_row_that_a_sleeper_writes_late_is_waited_for_and_leaves(
    desk: Desk, is_rewritten: bool
) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    if is_rewritten:
        desk.advance(case)
        desk.the_list.rows.clear()
        desk.advance(case)
        services.rewrite_row(case, by=desk.manager)
    seen = []

    def asleep() -> None:
        take_back(desk, case)
        desk.later(seconds=51)
        desk.advance(case)
        seen.append((state_of_row(case), "waits a minute" in case.waits_sentence))

    desk.the_list.at_last_moment = asleep
    assert not advance(case.pk, owner="sleeper")
    assert seen == [(Intent.State.LEAVING, True)], "it may still come"
    assert len(desk.the_list.rows) == 1
    desk.later(seconds=10)
    desk.advance(case)
    assert not desk.the_list.rows
    assert state_of_row(case) == Intent.State.REMOVED


def test_a_sleeper_that_was_taken_over_writes_nothing_however_long_it_slept(desk: Desk) -> None:
    """The file is the same as when it fell asleep: only the lease tells that it is too late."""
    _, subscription = desk.client()
    case = desk.decided(subscription)
    add = desk.the_list.add

    def asleep(row: NewRow, **named: Any) -> RowWritten:
        desk.the_list.add = add  # type: ignore[method-assign]
        take_back(desk, case)
        desk.later(minutes=5)
        desk.advance(case)
        assert state_of_row(case) == Intent.State.REMOVED
        return add(row, **named)

    desk.the_list.add = asleep  # type: ignore[method-assign]
    assert not advance(case.pk, owner="sleeper")
    assert not desk.the_list.rows


def power_cut(*_given: Any, **_named: Any) -> RowWritten:
    raise RuntimeError("power cut")


def test_a_row_that_never_came_is_not_waited_for_for_ever(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.the_list.at_last_moment = power_cut
    desk.advance(case)
    take_back(desk, case)
    assert state_of_row(case) == Intent.State.LEAVING
    desk.settle(case, rounds=8)
    assert state_of_row(case) == Intent.State.REMOVED


def test_a_row_that_was_never_about_to_be_saved_is_not_waited_for_at_all(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.the_list.add = power_cut  # type: ignore[method-assign]
    desk.advance(case)
    take_back(desk, case)
    assert not Intent.objects.filter(case=case).exists()


def test_a_worker_asleep_while_taking_out_does_not_take_out_the_next_row(desk: Desk) -> None:
    case = listed_case(desk)
    take_back(desk, case)
    remove = desk.the_list.remove

    def asleep(row: ListedRow, **named: Any) -> RowRemoved:
        desk.the_list.remove = remove  # type: ignore[method-assign]
        desk.later(days=1)
        desk.decide(case, Decision.SUSPEND)
        desk.advance(case)
        return remove(row, **named)

    desk.the_list.remove = asleep  # type: ignore[method-assign]
    assert not advance(case.pk, owner="sleeper")
    assert len(desk.the_list.rows) == 1
    assert state_of_row(case) == Intent.State.CONFIRMED


# ------------------------------------------------------------------ what a person did meanwhile


def test_a_row_that_a_person_changed_is_not_taken_out(desk: Desk) -> None:
    case = listed_case(desk)
    desk.the_list.rows[0] = dataclasses.replace(desk.the_list.rows[0], months=99)
    take_back(desk, case)
    desk.advance(case)
    assert "its months is not what the desk wrote" in case.attention
    assert case.waits_for == WaitsFor.PERSON
    assert desk.the_list.removed == 0
    desk.the_list.rows.clear()
    desk.later(seconds=30)
    desk.advance(case)
    assert not case.attention
    assert state_of_row(case) == Intent.State.REMOVED


def test_a_numbered_row_that_a_person_changed_leaves_once_it_is_put_right(desk: Desk) -> None:
    desk.the_list.has_reference = True
    case = listed_case(desk)
    written = desk.the_list.rows[0]
    desk.the_list.rows[0] = dataclasses.replace(written, name="Somebody Else")
    take_back(desk, case)
    desk.advance(case)
    assert "its name is not what the desk wrote" in case.attention
    desk.the_list.rows[0] = written
    desk.later(seconds=30)
    desk.advance(case)
    assert not desk.the_list.rows


def test_a_row_that_a_person_changes_at_the_last_moment_stays(desk: Desk) -> None:
    case = listed_case(desk)
    take_back(desk, case)
    remove = desk.the_list.remove

    def overtaken(row: ListedRow, **named: Any) -> RowRemoved:
        desk.the_list.remove = remove  # type: ignore[method-assign]
        desk.the_list.rows[0] = dataclasses.replace(desk.the_list.rows[0], months=99)
        return remove(row, **named)

    desk.the_list.remove = overtaken  # type: ignore[method-assign]
    desk.advance(case)
    assert len(desk.the_list.rows) == 1
    desk.later(minutes=1)
    desk.advance(case)
    assert "its months is not what the desk wrote" in case.attention


def test_a_row_that_stands_twice_is_left_to_a_person(desk: Desk) -> None:
    case = listed_case(desk)
    desk.the_list.put([listing.row_for(Facts.objects.get(case=case))])
    take_back(desk, case)
    desk.advance(case)
    assert "more than once: rows 4 and 5" in case.attention
    assert desk.the_list.removed == 0
    del desk.the_list.rows[1]
    desk.later(seconds=30)
    desk.advance(case)
    assert not desk.the_list.rows
    assert not case.attention


def test_a_row_that_was_sorted_elsewhere_leaves_from_there(desk: Desk) -> None:
    case = listed_case(desk)
    row = listing.row_for(Facts.objects.get(case=case))
    desk.the_list.rows.insert(0, desk.the_list.listed(another(row)))
    take_back(desk, case)
    desk.advance(case)
    assert [one.name for one in desk.the_list.rows] == ["Otto Other"]
    assert case.log.get(verb=Verb.ROW_REMOVED).data["row_number"] == 5


# ------------------------------------------------------------------ equal rows


def equal_cases(desk: Desk) -> tuple[Case, Case]:
    """Two clients whom the list cannot tell apart."""
    _, first = desk.client()
    _, second = desk.client()
    return desk.decided(first), desk.not_due_yet(desk.decided(second))


def test_of_two_equal_rows_one_leaves_and_the_other_case_keeps_its_own(desk: Desk) -> None:
    one, two = equal_cases(desk)
    desk.advance(one)
    desk.advance(two)
    take_back(desk, one)
    desk.advance(one)
    assert len(desk.the_list.rows) == 1
    desk.advance(two)
    assert desk.step(two, Step.Name.DOCUMENT).state == Step.State.DONE
    desk.later(hours=6)
    desk.advance(one)
    assert len(desk.the_list.rows) == 1


@pytest.mark.parametrize("crash", [False, True])
def test_an_equal_row_is_not_taken_for_the_one_that_leaves(desk: Desk, crash: bool) -> None:
    one, two = equal_cases(desk)
    desk.advance(one)
    take_back(desk, one)
    desk.advance(two)
    assert len(desk.the_list.rows) == 2, "each its own"
    if crash:
        desk.the_list.after_write = RuntimeError("power cut")
    desk.advance(one)
    desk.later(minutes=1)
    desk.advance(two)
    desk.advance(one)
    assert len(desk.the_list.rows) == 1
    assert state_of_row(one) == Intent.State.REMOVED
    assert desk.step(two, Step.Name.DOCUMENT).state == Step.State.DONE
    assert not two.attention


def test_a_row_that_is_just_leaving_is_not_taken_for_a_second_one_of_its_equal(desk: Desk) -> None:
    one, two = equal_cases(desk)
    desk.advance(one)
    desk.advance(two)
    take_back(desk, one)
    remove = desk.the_list.remove

    def killed(row: ListedRow, **named: Any) -> RowRemoved:
        raise RuntimeError("power cut")

    desk.the_list.remove = killed  # type: ignore[method-assign]
    desk.advance(one)
    desk.advance(two)
    assert state_of_row(one) == Intent.State.LEAVING
    assert desk.step(two, Step.Name.DOCUMENT).state == Step.State.DONE
    desk.the_list.remove = remove  # type: ignore[method-assign]
    desk.later(minutes=1)
    desk.advance(one)
    desk.advance(two)
    assert len(desk.the_list.rows) == 1
    assert desk.step(two, Step.Name.DOCUMENT).state == Step.State.DONE


def test_a_worker_asleep_while_taking_out_does_not_take_out_an_equal_row(desk: Desk) -> None:
    one, two = equal_cases(desk)
    desk.advance(one)
    written = listing.row_for(Facts.objects.get(case=one))
    take_back(desk, one)
    remove = desk.the_list.remove

    def asleep(row: ListedRow, **named: Any) -> RowRemoved:
        desk.the_list.remove = remove  # type: ignore[method-assign]
        desk.later(seconds=60)
        desk.advance(one)
        desk.the_list.put([another(written)])
        desk.advance(two)
        return remove(row, **named)

    desk.the_list.remove = asleep  # type: ignore[method-assign]
    assert not advance(one.pk, owner="sleeper")
    assert [listed.name for listed in desk.the_list.rows] == ["Nora Field", "Otto Other"]
    desk.advance(two)
    assert desk.step(two, Step.Name.DOCUMENT).state == Step.State.DONE


def test_a_row_waits_to_leave_while_an_equal_one_is_being_written(desk: Desk) -> None:
    one, two = equal_cases(desk)
    desk.advance(one)
    desk.the_list.trouble = InUse("Pat has it open.", by="Pat")
    desk.advance(two)
    desk.the_list.trouble = None
    take_back(desk, one)
    desk.advance(one)
    assert "very same row" in one.waits_sentence
    assert len(desk.the_list.rows) == 1
    desk.later(minutes=1)
    desk.advance(two)
    desk.advance(one)
    assert len(desk.the_list.rows) == 1
    assert state_of_row(two) == Intent.State.CONFIRMED
    assert state_of_row(one) == Intent.State.REMOVED


def test_an_equal_row_waits_to_be_written_while_one_is_leaving(desk: Desk) -> None:
    one, two = equal_cases(desk)
    desk.advance(one)
    take_back(desk, one)
    desk.the_list.after_write = RuntimeError("power cut")
    desk.advance(one)
    desk.advance(two)
    assert "very same row" in desk.step(two, Step.Name.DOCUMENT).sentence
    assert not desk.the_list.rows
    desk.later(minutes=1)
    desk.advance(one)
    desk.advance(two)
    assert len(desk.the_list.rows) == 1


def test_rows_that_come_meanwhile_do_not_keep_a_row_on_the_list(desk: Desk) -> None:
    case = listed_case(desk)
    take_back(desk, case)
    remove = desk.the_list.remove

    def meanwhile(row: ListedRow, **named: Any) -> RowRemoved:
        above = dataclasses.replace(row, name="Somebody Else", phone="202 555 0177")
        desk.the_list.rows.insert(0, above)
        return remove(row, **named)

    desk.the_list.remove = meanwhile  # type: ignore[method-assign]
    desk.advance(case)
    assert [row.name for row in desk.the_list.rows] == ["Somebody Else"]
    assert state_of_row(case) == Intent.State.REMOVED
    assert not case.attention
