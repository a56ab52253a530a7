"""Exactly one right row on the list, whatever happened in between."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from canceldesk.cases.authority import NotAllowedError
from canceldesk.cases.models import Case, State, WaitsFor
from canceldesk.cases.services import CaseError
from canceldesk.clients.models import Subscription
from canceldesk.closing import listing, services
from canceldesk.closing.advance import advance
from canceldesk.closing.models import Facts, Intent, Step
from canceldesk.workbook.errors import CannotPlace, CannotSave, ChangedMeanwhile, InUse
from canceldesk.workbook.protocol import NewRow, RowWritten
from tests.closing.conftest import Desk


def listed_case(desk: Desk) -> Case:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    return desk.advance(case)


def my_row(case: Case) -> NewRow:
    return listing.row_for(Facts.objects.get(case=case))


def test_the_row_is_written_on_top(desk: Desk) -> None:
    old = NewRow("Old Client", "(202) 555-0199", Facts().cancelled_on, 100, "USD", 1, "Other")
    desk.the_list.put([dataclasses.replace(old, cancelled_on=desk.company.now().date())])
    case = listed_case(desk)
    assert [row.name for row in desk.the_list.rows] == ["Nora Field", "Old Client"]
    assert desk.step(case, Step.Name.DOCUMENT).evidence["row_number"] == 4


def test_a_crash_after_writing_does_not_write_again(desk: Desk) -> None:
    desk.the_list.after_write = RuntimeError("power cut")
    case = listed_case(desk)
    assert case.attention
    desk.settle(case, rounds=2)
    assert desk.the_list.written == 1
    assert Intent.objects.get(kind="row").state == Intent.State.CONFIRMED


def test_what_the_row_is_about_to_be_written_to_is_noted_before(desk: Desk) -> None:
    before = desk.the_list.read().fingerprint
    desk.the_list.after_write = RuntimeError("power cut")
    listed_case(desk)
    intent = Intent.objects.get(kind="row")
    assert intent.state == Intent.State.SENT
    assert intent.answer == {"fingerprint_before": before}


def test_while_the_row_is_written_pages_show_what_billsby_has_just_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    add, shown = desk.the_list.add, list[str]()

    def add_slowly(*args: Any, **how: Any) -> RowWritten:
        shown.append(Subscription.objects.get().status_raw)
        return add(*args, **how)

    monkeypatch.setattr(desk.the_list, "add", add_slowly)
    desk.advance(case)
    assert shown == ["Paused"]


def test_a_row_written_by_hand_with_the_same_values_is_adopted(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.the_list.trouble = InUse("It is open.", by="Pat")
    desk.advance(case)
    desk.the_list.trouble = None
    desk.the_list.put([my_row(case)])
    desk.later(seconds=30)
    desk.advance(case)
    assert len(desk.the_list.rows) == 1
    assert desk.the_list.written == 0
    assert desk.step(case, Step.Name.DOCUMENT).state == Step.State.DONE


def test_a_row_a_person_sorted_away_from_the_top_is_still_found(desk: Desk) -> None:
    case = listed_case(desk)
    others = [
        dataclasses.replace(my_row(case), name=f"Other {n}", phone=f"(202) 555-01{n}")
        for n in range(10, 14)
    ]
    for row in others:
        desk.the_list.rows.insert(0, desk.the_list.listed(row))
    desk.advance(case)
    assert desk.step(case, Step.Name.DOCUMENT).evidence["row_number"] == 8


def test_two_clients_with_the_same_values_have_two_rows(desk: Desk) -> None:
    cases = []
    for _ in range(2):
        _, subscription = desk.client()
        cases.append(desk.not_due_yet(desk.decided(subscription)))
    for case in cases:
        desk.advance(case)
    assert desk.the_list.written == 2
    for case in cases:
        desk.advance(case)
        assert desk.step(case, Step.Name.DOCUMENT).state == Step.State.DONE
    del desk.the_list.rows[0]
    desk.advance(cases[1])
    assert desk.step(cases[1], Step.Name.DOCUMENT).state == Step.State.WAITING


def test_equal_rows_take_turns_so_that_a_crash_leaves_no_doubt(desk: Desk) -> None:
    _, first = desk.client()
    _, second = desk.client()
    one, two = desk.decided(first), desk.not_due_yet(desk.decided(second))
    desk.the_list.trouble = InUse("It is open.", by="Pat")
    desk.advance(one)
    desk.the_list.trouble = None
    desk.advance(two)
    assert "very same row" in desk.step(two, Step.Name.DOCUMENT).sentence
    desk.later(seconds=30)
    desk.advance(one)
    desk.advance(two)
    assert len(desk.the_list.rows) == 2


@pytest.mark.parametrize(
    ("trouble", "attention"),
    [
        (InUse("Pat has the workbook open.", by="Pat"), False),
        (ChangedMeanwhile("Somebody saved it meanwhile."), False),
        (CannotPlace("The tab has no column for the phone."), True),
        (CannotSave("The disk is full."), True),
    ],
)
def test_trouble_with_the_workbook_is_said_and_tried_again(
    desk: Desk, trouble: Exception, attention: bool
) -> None:
    desk.the_list.trouble = trouble  # type: ignore[assignment]
    case = listed_case(desk)
    sentence = desk.step(case, Step.Name.DOCUMENT).sentence
    assert str(trouble) in sentence
    assert bool(case.attention) is attention
    assert case.state == State.CLOSING
    desk.the_list.trouble = None
    desk.later(minutes=1)
    desk.advance(case)
    assert len(desk.the_list.rows) == 1
    assert not case.attention


def test_a_workbook_open_for_long_needs_attention(desk: Desk) -> None:
    desk.the_list.trouble = InUse("Pat has the workbook open.", by="Pat")
    case = listed_case(desk)
    for _ in range(4):
        desk.later(minutes=1)
        desk.advance(case)
    assert "Pat has the workbook open" in case.attention


def test_a_stuck_workbook_does_not_keep_billsby_from_being_done(desk: Desk) -> None:
    desk.the_list.trouble = CannotPlace("The tab has no column for the phone.")
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.company.panel_suspend(subscription.uid)
    desk.advance(case)
    assert desk.step(case, Step.Name.STOP).state == Step.State.DONE
    assert case.state == State.CLOSING


def test_a_row_removed_by_a_person_is_not_silently_rewritten(desk: Desk) -> None:
    case = listed_case(desk)
    desk.the_list.rows.clear()
    desk.advance(case)
    assert "not there any more" in case.attention
    assert desk.the_list.written == 1
    with pytest.raises(NotAllowedError):
        services.rewrite_row(case, by=desk.agent)
    services.rewrite_row(case, by=desk.manager)
    desk.advance(case)
    assert desk.the_list.written == 2
    with pytest.raises(CaseError, match="not missing"):
        services.rewrite_row(case, by=desk.manager)


def test_a_row_changed_by_a_person_is_named_with_what_differs(desk: Desk) -> None:
    case = listed_case(desk)
    desk.the_list.rows[0] = dataclasses.replace(desk.the_list.rows[0], months=99)
    desk.advance(case)
    assert "months" in case.attention
    assert case.waits_for == WaitsFor.PERSON
    assert desk.the_list.written == 1


def test_a_similar_row_written_by_hand_is_not_doubled(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.the_list.trouble = InUse("It is open.", by="Pat")
    desk.advance(case)
    desk.the_list.trouble = None
    desk.the_list.put([dataclasses.replace(my_row(case), collected_minor=1)])
    desk.later(seconds=30)
    desk.advance(case)
    assert "total" in case.attention
    assert len(desk.the_list.rows) == 1


def test_a_row_that_stands_twice_is_said(desk: Desk) -> None:
    case = listed_case(desk)
    desk.the_list.put([my_row(case)])
    desk.advance(case)
    assert "rows 4 and 5" in case.attention


def test_a_reference_column_tells_equal_rows_apart(desk: Desk) -> None:
    desk.the_list.has_reference = True
    case = listed_case(desk)
    assert desk.the_list.rows[0].reference == case.number
    desk.the_list.rows[0] = dataclasses.replace(desk.the_list.rows[0], reason="Moved away")
    desk.advance(case)
    assert "its reason is not what the desk wrote" in case.attention


def test_a_worker_asleep_while_adding_does_not_write_a_second_row(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    add = desk.the_list.add

    def asleep(row: NewRow, **named: Any) -> RowWritten:
        desk.the_list.add = add  # type: ignore[method-assign]
        desk.later(seconds=60)
        assert advance(case.pk, owner="another")
        return add(row, **named)

    desk.the_list.add = asleep  # type: ignore[method-assign]
    assert not advance(case.pk, owner="sleeper")
    assert len(desk.the_list.rows) == 1
    desk.later(seconds=60)
    desk.advance(case)
    assert desk.the_list.written == 1
    assert desk.step(case, Step.Name.DOCUMENT).state == Step.State.DONE
    assert not case.attention


def test_a_row_typed_without_the_case_number_is_adopted(desk: Desk) -> None:
    desk.the_list.has_reference = True
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.the_list.trouble = InUse("It is open.", by="Pat")
    desk.advance(case)
    desk.the_list.trouble = None
    desk.the_list.put([dataclasses.replace(my_row(case), reference="")])
    desk.later(seconds=30)
    desk.advance(case)
    assert len(desk.the_list.rows) == 1
    assert desk.step(case, Step.Name.DOCUMENT).state == Step.State.DONE


def test_a_column_for_the_case_number_may_be_added_later(desk: Desk) -> None:
    case = listed_case(desk)
    desk.the_list.has_reference = True
    desk.advance(case)
    assert not case.attention
    desk.company.panel_suspend(case.scope.get().subscription.billsby_id)
    desk.advance(case)
    assert case.state == State.CLOSED
    assert desk.the_list.written == 1


def test_a_numbered_row_of_an_equal_case_leaves_the_typed_one_to_the_other(desk: Desk) -> None:
    desk.the_list.has_reference = True
    _, first = desk.client()
    _, second = desk.client()
    one, two = desk.decided(first), desk.not_due_yet(desk.decided(second))
    desk.advance(one)
    desk.the_list.put([dataclasses.replace(my_row(one), reference="")])
    desk.advance(two)
    assert [row.reference for row in desk.the_list.rows] == [one.number, ""]
    assert desk.step(two, Step.Name.DOCUMENT).state == Step.State.DONE


@pytest.mark.parametrize("has_reference", [False, True])
def test_two_services_of_one_client_stopped_on_one_day_both_get_their_rows(
    desk: Desk, has_reference: bool
) -> None:
    desk.the_list.has_reference = has_reference
    customer, first = desk.client()
    second = desk.company.add_subscription(
        customer.uid, created_at=desk.company.now() - dt.timedelta(days=70)
    )
    one, two = desk.decided(first), desk.decided(second)
    for case in (one, two):
        desk.advance(case)
    for subscription in (first, second):
        desk.company.panel_suspend(subscription.uid)
    for case in (one, two):
        desk.advance(case)
        assert case.state == State.CLOSED
        assert not case.attention
    assert len(desk.the_list.rows) == 2


def test_a_row_cannot_be_asked_for_while_an_equal_one_is_being_written(desk: Desk) -> None:
    one = listed_case(desk)
    desk.the_list.rows.clear()
    desk.advance(one)
    _, subscription = desk.client()
    two = desk.decided(subscription)
    desk.the_list.trouble = InUse("It is open.", by="Pat")
    desk.advance(two)
    with pytest.raises(CaseError, match="very same row"):
        services.rewrite_row(one, by=desk.manager)
    desk.the_list.trouble = None
    desk.later(seconds=30)
    desk.advance(two)
    services.rewrite_row(one, by=desk.manager)
    desk.advance(one)
    assert len(desk.the_list.rows) == 2


def queued_overnight(desk: Desk) -> tuple[Case, Case]:
    """One case decided while the workbook was open, another on the next day."""
    _, subscription = desk.client("Ann", "Earlier")
    earlier = desk.decided(subscription)
    desk.the_list.trouble = InUse("Pat has it open.", by="Pat")
    desk.advance(earlier)
    desk.later(days=1)
    desk.advance(earlier)
    _, subscription = desk.client("Bob", "Later")
    later = desk.decided(subscription)
    desk.the_list.trouble = None
    return earlier, later


def test_a_row_of_an_earlier_day_that_queued_goes_on_the_list_first(desk: Desk) -> None:
    earlier, later = queued_overnight(desk)
    desk.advance(later)
    assert desk.the_list.rows == []
    assert earlier.number in desk.step(later, Step.Name.DOCUMENT).sentence
    earlier.refresh_from_db()
    assert earlier.next_pass_at is not None
    assert earlier.next_pass_at <= desk.company.now()
    desk.advance(earlier)
    desk.later(seconds=10)
    desk.advance(later)
    assert [row.name for row in desk.the_list.rows] == ["Bob Later", "Ann Earlier"]


def test_a_case_that_nobody_gets_to_keeps_no_other_waiting(desk: Desk) -> None:
    _, later = queued_overnight(desk)
    desk.later(minutes=10)
    desk.advance(later)
    assert [row.name for row in desk.the_list.rows] == ["Bob Later"]


def test_a_case_that_waits_for_a_person_keeps_no_other_waiting(desk: Desk) -> None:
    earlier, later = queued_overnight(desk)
    desk.the_list.trouble = CannotPlace("There is no tab.")
    desk.advance(earlier)
    desk.the_list.trouble = None
    desk.advance(later)
    assert [row.name for row in desk.the_list.rows] == ["Bob Later"]


def test_another_row_that_came_meanwhile_keeps_nobody_waiting(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    add = desk.the_list.add

    def meanwhile(row: NewRow, **named: Any) -> RowWritten:
        desk.the_list.put([dataclasses.replace(row, name="Somebody Else", phone="202 555 0177")])
        return add(row, **named)

    desk.the_list.add = meanwhile  # type: ignore[method-assign]
    desk.advance(case)
    assert desk.step(case, Step.Name.DOCUMENT).state == Step.State.DONE
    assert desk.the_list.written == 1


def test_a_row_that_a_person_typed_meanwhile_is_not_written_beside_theirs(desk: Desk) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    add = desk.the_list.add

    def meanwhile(row: NewRow, **named: Any) -> RowWritten:
        desk.the_list.put([dataclasses.replace(row, months=99)])
        return add(row, **named)

    desk.the_list.add = meanwhile  # type: ignore[method-assign]
    desk.advance(case)
    assert desk.the_list.written == 0
    desk.the_list.add = add  # type: ignore[method-assign]
    desk.later(minutes=1)
    desk.advance(case)
    assert desk.the_list.written == 0
    assert "its months differs" in case.attention
