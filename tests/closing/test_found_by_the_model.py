"""Stories that the model (tests/model) found to end badly, told plainly."""

from __future__ import annotations

import dataclasses

import pytest

from canceldesk.cases.models import Finding, State
from canceldesk.closing import services
from canceldesk.closing.models import Intent, Step
from canceldesk.closing.panel import clicks_for
from canceldesk.configuration import services as configuration
from canceldesk.workbook.errors import InUse
from tests.closing.conftest import Desk


def test_a_row_that_a_person_repeats_without_its_number_is_on_the_list_twice(desk: Desk) -> None:
    desk.the_list.has_reference = True
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    repeated = dataclasses.replace(desk.the_list.rows[0], reference="")
    desk.the_list.rows.append(repeated)
    desk.company.panel_suspend(subscription.uid)
    desk.settle(case)
    assert case.state == State.CLOSING
    assert "more than once: rows 4 and 5" in case.attention
    desk.the_list.rows.remove(repeated)
    desk.settle(case)
    assert case.state == State.CLOSED
    desk.the_list.rows.append(repeated)
    desk.later(hours=12)
    desk.advance(case)
    assert Finding.objects.get(resolved_at=None).kind == Finding.Kind.ROW_TWICE


def test_a_row_that_leaves_leaves_no_copy_without_its_number_behind(desk: Desk) -> None:
    desk.the_list.has_reference = True
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.the_list.rows.append(dataclasses.replace(desk.the_list.rows[0], reference=""))
    services.take_back(case, by=desk.manager, why="They stay")
    desk.advance(case)
    assert "more than once: rows 4 and 5" in case.attention
    del desk.the_list.rows[1]
    desk.advance(case)
    assert not desk.the_list.rows
    assert Intent.objects.get().state == Intent.State.REMOVED


def test_where_pausing_is_the_stop_a_pause_that_a_person_lifts_is_put_back(desk: Desk) -> None:
    configuration.change("STOP_BY", "pause")
    _, subscription = desk.client()
    desk.the_list.trouble = InUse("Pat has it open.", by="Pat")
    case = desk.decided(subscription)
    desk.advance(case)
    far = desk.company.subscription(subscription.uid).next_billing_at
    desk.company.panel_change_bill_date(subscription.uid, far, pause=False)
    desk.the_list.trouble = None
    desk.settle(case)
    assert desk.company.subscription(subscription.uid).status == "Paused"
    assert case.state == State.CLOSED


def test_an_account_that_does_not_show_the_pause_is_not_asked_again_and_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration.change("STOP_BY", "pause")
    _, subscription = desk.client()
    case = desk.decided(subscription)
    honest = desk.billsby.set_renewal_date
    monkeypatch.setattr(
        desk.billsby, "set_renewal_date", lambda uid, on, pause: honest(uid, on, pause=False)
    )
    desk.settle(case)
    assert case.state == State.CLOSING
    assert len(desk.writes("renewaldate")) == 1


@pytest.mark.parametrize("word", ["active", "on_hold"])
def test_where_pausing_is_the_stop_and_the_pause_is_not_shown_a_person_is_asked_to_suspend(
    desk: Desk, word: str
) -> None:
    configuration.change("STOP_BY", "pause")
    desk.company.set_quirk("paused_shown", word)
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.settle(case)
    assert case.state == State.CLOSING
    assert case.attention
    assert "Set it to Suspended in Billsby" in desk.step(case, Step.Name.STOP).sentence
    assert [clicks.subscription for clicks in clicks_for(case)] == [case.scope.get().subscription]
    desk.company.panel_suspend(subscription.uid)
    desk.settle(case)
    assert case.state == State.CLOSED


def test_a_hold_that_billsby_calls_by_an_unknown_word_is_renewed_all_the_same(desk: Desk) -> None:
    desk.company.set_quirk("paused_shown", "on_hold")
    desk.company.set_quirk("max_renewal_days", "40")
    customer, subscription = desk.client()
    case = desk.decided(subscription)
    for _ in range(60):
        desk.advance(case)
        desk.later(days=1)
    assert case.state == State.CLOSING
    assert not [i for i in desk.company.invoices(customer.uid) if i.created_at > case.received_at]
