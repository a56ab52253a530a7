"""A pass that reads for longer than a lease lasts keeps its case, or hears that it has lost it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from canceldesk import outside
from canceldesk.cases import lease as leases
from canceldesk.cases.models import Case, State
from canceldesk.cases.services import withdraw
from canceldesk.closing.advance import advance
from canceldesk.closing.models import Hold
from tests.closing.conftest import Desk, due_now


class SlowBillsby:
    """A Billsby whose every answer takes its time; `meanwhile` happens while it does."""

    def __init__(self, desk: Desk, seconds: float, meanwhile: Callable[[], object]) -> None:
        self.asked: list[str] = []
        self._desk, self._seconds, self._meanwhile = desk, seconds, meanwhile

    def __getattr__(self, name: str) -> Any:
        honest = getattr(self._desk.billsby, name)

        def slow(*given: Any, **named: Any) -> Any:
            self.asked.append(name)
            answer = honest(*given, **named)
            self._desk.later(seconds=self._seconds)
            self._meanwhile()
            return answer

        return slow


def pass_over(desk: Desk, case: Case, billsby: Any) -> bool:
    with outside.using(billsby=billsby, the_list=desk.the_list):
        return advance(case.pk, owner="worker")


@pytest.mark.parametrize("seconds", [9, 14.5])
def test_nobody_takes_a_case_over_whose_billsby_is_slow(desk: Desk, seconds: float) -> None:
    _, subscription = desk.client()
    case = desk.decided(subscription)
    billsby = SlowBillsby(desk, seconds, lambda: due.append(due_now(case)))
    due: list[bool] = []

    assert pass_over(desk, case, billsby)

    assert not any(due)
    assert len(due) * seconds > leases.LENGTH.total_seconds()
    assert Hold.objects.get().state == Hold.State.HELD


def test_nobody_takes_a_case_over_whose_client_has_many_open_invoices(desk: Desk) -> None:
    _, subscription = desk.client()
    for _ in range(60):
        desk.invoice(subscription, 1000)
    case = desk.decided(subscription)
    due: list[bool] = []

    assert pass_over(desk, case, SlowBillsby(desk, 1, lambda: due.append(due_now(case))))

    assert not any(due)
    case.refresh_from_db()
    assert "60" in case.waits_sentence


def test_who_has_lost_a_case_while_reading_reads_no_more_of_it(desk: Desk) -> None:
    _, subscription = desk.client()
    for _ in range(10):
        desk.invoice(subscription, 1000)
    case = desk.decided(subscription)
    desk.settle(case)
    billsby = SlowBillsby(desk, 6, lambda: leases.revoke(["worker"]))

    assert not pass_over(desk, case, billsby)

    assert len(billsby.asked) == 1


def test_a_pass_that_a_person_has_overtaken_while_it_reads_ends_there(desk: Desk) -> None:
    _, subscription = desk.client()
    desk.later(days=8)
    case = desk.file(subscription)

    def withdrawn() -> None:
        if Case.objects.get(pk=case.pk).state != State.WITHDRAWN:
            withdraw(case, by=desk.agent, because="not_a_cancellation")

    billsby = SlowBillsby(desk, 6, withdrawn)

    assert not pass_over(desk, case, billsby)

    assert len(billsby.asked) == 1
    assert not Hold.objects.exists()
    assert due_now(case), "the next pass starts from what is true now"
