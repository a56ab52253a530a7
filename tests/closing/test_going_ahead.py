"""A worker that slept, or was overtaken by a person, changes nothing at Billsby when it goes on."""

from __future__ import annotations

from typing import Any

import pytest

from canceldesk.cases.models import Decision
from canceldesk.closing import services
from canceldesk.closing.advance import advance
from canceldesk.closing.models import Intent
from tests.closing.conftest import Desk

WRITES = {
    "hold": ("set_renewal_date", Decision.SUSPEND),
    "write off": ("write_off", Decision.SUSPEND),
    "cancel": ("cancel_subscription", Decision.CANCEL),
}
SENT_AS = {"hold": "renewaldate", "write off": "WrittenOff", "cancel": "DELETE"}


def decided(desk: Desk, decision: Decision, *, owes: bool) -> Any:
    customer, subscription = desk.client()
    if owes:
        desk.company.add_invoice(customer.uid, 4900, subscription_uid=subscription.uid)
    case = desk.decided(subscription, decision=decision)
    if owes:
        seen = [
            services.Seen(invoice.number, invoice.amount)
            for invoice in desk.company.invoices(customer.uid)
            if invoice.status == "Unpaid"
        ]
        services.approve_write_offs(case, by=desk.manager, seen=seen)
    return case


@pytest.mark.parametrize("write", WRITES)
def test_a_worker_that_slept_before_its_call_does_not_make_it(desk: Desk, write: str) -> None:
    call, decision = WRITES[write]
    case = decided(desk, decision, owes=write == "write off")
    honest = getattr(desk.billsby, call)

    def asleep(*given: Any, **named: Any) -> Any:
        setattr(desk.billsby, call, honest)
        desk.later(seconds=60)
        assert advance(case.pk, owner="another")
        mine_before = len(desk.writes())
        try:
            return honest(*given, **named)
        finally:
            assert len(desk.writes()) == mine_before

    setattr(desk.billsby, call, asleep)
    assert advance(case.pk, owner="sleeper") is False


@pytest.mark.parametrize("write", WRITES)
def test_a_call_is_not_made_once_the_decision_was_taken_back(desk: Desk, write: str) -> None:
    call, decision = WRITES[write]
    case = decided(desk, decision, owes=write == "write off")
    honest = getattr(desk.billsby, call)

    def overtaken(*given: Any, **named: Any) -> Any:
        # By hand: the service refuses once a write-off or a cancellation may be under way.
        type(case).objects.filter(pk=case.pk).update(state="retention", decision="")
        return honest(*given, **named)

    setattr(desk.billsby, call, overtaken)
    assert advance(case.pk, owner="worker") is False
    assert not [sent for sent in desk.writes() if SENT_AS[write] in sent]


def test_what_was_not_sent_is_sent_by_the_next_pass(desk: Desk) -> None:
    case = decided(desk, Decision.CANCEL, owes=False)
    honest = desk.billsby.cancel_subscription

    def asleep(*given: Any, **named: Any) -> Any:
        desk.billsby.cancel_subscription = honest  # type: ignore[method-assign]
        desk.later(seconds=60)
        assert advance(case.pk, owner="another")
        return honest(*given, **named)

    desk.billsby.cancel_subscription = asleep  # type: ignore[method-assign]
    assert advance(case.pk, owner="sleeper") is False
    desk.settle(case)
    assert case.state == "closed"
    assert Intent.objects.get(case=case, kind=Intent.Kind.CANCEL).state == Intent.State.CONFIRMED
