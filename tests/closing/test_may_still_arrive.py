"""What was sent may still be carried out when who sent it is gone: it is waited for."""

from __future__ import annotations

import pytest
from django.db import DataError, OperationalError

from canceldesk.cases.log import Verb, sentence
from canceldesk.cases.models import Case, Decision, State
from canceldesk.cases.services import withdraw
from canceldesk.closing import listing, notes, services, taking_out
from canceldesk.closing.advance import advance
from canceldesk.closing.models import Hold, Intent, Step
from canceldesk.workbook.protocol import ListedRow
from tests.closing.conftest import Desk
from tests.closing.test_watch import closed_case


class KilledError(BaseException):
    """The process ended here."""


def killed(*_: object, **__: object) -> None:
    raise KilledError


def a_hold_on_its_way(desk: Desk) -> Case:
    """A case withdrawn while its hold is on the way to Billsby."""
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)
    honest = desk.billsby.set_renewal_date

    def leaves(*given: object, **named: object) -> None:
        desk.company.add_fault("status", "PUT", "*", status=503, times=1)
        try:
            honest(*given, **named)  # type: ignore[arg-type]
        finally:
            desk.company.clear_faults()
            raise KilledError

    desk.billsby.set_renewal_date = leaves  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        advance(case.pk, owner="killed")
    desk.billsby.set_renewal_date = honest  # type: ignore[method-assign]
    withdraw(case, by=desk.agent, because="not_a_cancellation")
    return case


def killed_at_the_list(desk: Desk, case: Case) -> None:
    """A worker dies when what it sends to the list in the cloud has just left."""
    desk.the_list.settles_late = True
    desk.the_list.at_last_moment = killed
    with pytest.raises(KilledError):
        advance(case.pk, owner="killed")


def a_row_on_its_way(desk: Desk) -> Case:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    killed_at_the_list(desk, case)
    return case


def test_a_hold_that_comes_after_the_case_was_withdrawn_is_given_back(desk: Desk) -> None:
    case = a_hold_on_its_way(desk)
    scope = case.scope.select_related("subscription").get()
    original = desk.company.subscription(scope.subscription.billsby_id).next_billing_at
    desk.advance(case)
    assert "was being held when the case ended" in case.waits_sentence
    until = Hold.objects.get().tried_until
    assert until is not None
    desk.billsby.set_renewal_date(scope.subscription.billsby_id, until, pause=True)
    desk.settle(case)
    there = desk.company.subscription(scope.subscription.billsby_id)
    assert (there.next_billing_at.date(), there.status) == (original.date(), "Active")
    assert case.log.filter(verb=Verb.HOLD_RETURNED).count() == 1


def test_the_log_tells_of_a_late_hold_even_if_the_worker_dies_giving_it_back(desk: Desk) -> None:
    case = a_hold_on_its_way(desk)
    uid = case.scope.get().subscription.billsby_id
    until = Hold.objects.get().tried_until
    assert until is not None
    honest = desk.billsby.set_renewal_date
    honest(uid, until, pause=True)

    def dies(*given: object, **named: object) -> None:
        honest(*given, **named)  # type: ignore[arg-type]
        raise KilledError

    desk.billsby.set_renewal_date = dies  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        advance(case.pk, owner="killed")
    desk.billsby.set_renewal_date = honest  # type: ignore[method-assign]
    desk.settle(case)
    told = case.log.filter(verb__in=[Verb.HOLD_INTENDED, Verb.HOLD_RETURNED])
    assert [entry.verb for entry in told] == [Verb.HOLD_INTENDED, Verb.HOLD_RETURNED]


def test_a_hold_that_never_comes_is_waited_for_a_minute_and_then_said_not_to_stand(
    desk: Desk,
) -> None:
    case = a_hold_on_its_way(desk)
    desk.later(minutes=1)
    desk.advance(case)
    assert case.next_pass_at is None
    assert "is not held any more" in sentence(case.log.get(verb=Verb.HOLD_RETURNED))
    assert len(desk.writes("renewaldate")) == 1


def test_a_hold_that_another_case_has_taken_over_is_not_given_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    first = desk.file(subscription)
    desk.advance(first)
    withdraw(first, by=desk.agent, because="not_a_cancellation")
    second = desk.file(subscription)
    honest = desk.billsby.set_renewal_date

    def the_other_is_quicker(*given: object, **named: object) -> None:
        monkeypatch.setattr(desk.billsby, "set_renewal_date", honest)
        desk.decide(second, Decision.SUSPEND)
        desk.advance(second)
        honest(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.billsby, "set_renewal_date", the_other_is_quicker)
    assert advance(first.pk, owner="worker") is False
    assert desk.company.subscription(subscription.uid).status == "Paused"
    assert len(desk.writes("renewaldate")) == 2, "each case has held, nobody has given back"


def test_a_row_on_its_way_to_the_cloud_is_not_sent_again_at_once(desk: Desk) -> None:
    case = a_row_on_its_way(desk)
    desk.advance(case)
    note = case.steps.get(name="document")
    assert note.state == "unknown"
    assert "does not show yet" in note.sentence
    desk.later(minutes=1)
    desk.advance(case)
    assert desk.the_list.written == 1


def test_a_row_that_comes_late_to_the_cloud_is_adopted(desk: Desk) -> None:
    case = a_row_on_its_way(desk)
    desk.advance(case)
    desk.the_list.rows.insert(0, late_row(desk, case))
    desk.later(minutes=1)
    desk.advance(case)
    assert len(desk.the_list.rows) == 1
    assert desk.the_list.written == 0


def late_row(desk: Desk, case: Case) -> ListedRow:
    return desk.the_list.listed(listing.row_for(case.facts))


def test_a_row_being_taken_out_of_the_cloud_is_not_taken_out_twice(desk: Desk) -> None:
    case = closed_case(desk)
    services.take_off_list(case, by=desk.manager, why="It was another Nora Field")
    killed_at_the_list(desk, case)
    desk.advance(case)
    assert desk.the_list.removed == 0
    assert case.next_pass_at == desk.company.now() + taking_out.SOON
    assert Intent.objects.get(case=case, kind="row").state == Intent.State.LEAVING
    desk.later(minutes=1)
    desk.advance(case)
    assert not desk.the_list.rows
    assert desk.the_list.removed == 1


def test_a_database_that_is_busy_is_no_defect(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)

    def busy(*_: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as broken:
        broken.setattr(desk.billsby, "customer_invoices", busy)
        desk.advance(case)
    assert "database was busy" in case.waits_sentence
    assert not case.attention
    desk.settle(case, rounds=3)
    assert len(desk.the_list.rows) == 1


def test_what_cannot_be_stored_is_told_and_not_tried_again_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)

    def too_much(changed: dict[str, Step]) -> None:
        if changed:
            raise DataError("value too long")

    monkeypatch.setattr(notes, "_store", too_much)
    desk.advance(case)
    assert "reference" in case.attention
    assert case.failures == 1
    assert case.next_pass_at is not None
    assert case.next_pass_at > desk.company.now()
    assert case.state == State.CLOSING
