"""Verify trusts nothing that a step remembered, not even from the same pass."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import DataError

from canceldesk.cases.models import Case, State
from canceldesk.closing import watching
from canceldesk.closing.models import Step
from canceldesk.closing.steps import verify
from canceldesk.closing.work import Work
from tests.closing.conftest import Desk, due_now


@pytest.fixture
def stopped(desk: Desk) -> Case:
    """A case whose halves are both done, one pass before it closes."""
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.company.panel_suspend(subscription.uid)
    return case


def meanwhile(monkeypatch: pytest.MonkeyPatch, what: Callable[[], object]) -> None:
    """Let something happen between the last step and the verification."""
    honest = verify.run

    def run(work: object) -> object:
        monkeypatch.setitem(_steps(), Step.Name.VERIFY, honest)
        what()
        return honest(work)  # type: ignore[arg-type]

    monkeypatch.setitem(_steps(), Step.Name.VERIFY, run)


def _steps() -> dict[Step.Name, object]:
    from canceldesk.closing import advance

    return advance._STEPS  # type: ignore[return-value]


def test_a_row_that_vanishes_at_the_last_moment_keeps_the_case_open(
    desk: Desk, stopped: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(monkeypatch, desk.the_list.rows.clear)
    desk.advance(stopped)
    assert stopped.state == State.CLOSING
    assert "exactly one right row" in desk.step(stopped, Step.Name.VERIFY).sentence


def test_a_service_switched_on_at_the_last_moment_keeps_the_case_open(
    desk: Desk, stopped: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = stopped.scope.get().subscription.billsby_id
    meanwhile(monkeypatch, lambda: desk.company.panel_activate(uid))
    desk.advance(stopped)
    assert stopped.state == State.CLOSING
    assert "Active in Billsby" in desk.step(stopped, Step.Name.VERIFY).sentence


def test_an_invoice_at_the_last_moment_keeps_the_case_open(
    desk: Desk, stopped: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = stopped.scope.get().subscription.billsby_id
    meanwhile(
        monkeypatch,
        lambda: desk.company.add_invoice(stopped.client.billsby_id, 4900, subscription_uid=uid),
    )
    desk.advance(stopped)
    assert stopped.state == State.CLOSING
    assert "asks for money" in desk.step(stopped, Step.Name.VERIFY).sentence


def test_what_was_right_is_verified_with_its_evidence(desk: Desk, stopped: Case) -> None:
    desk.advance(stopped)
    assert stopped.state == State.CLOSED
    evidence = desk.step(stopped, Step.Name.VERIFY).evidence
    assert evidence["row_number"] == 4
    assert set(evidence["statuses"].values()) == {"Suspended"}
    assert stopped.log.filter(verb="closing.verified").count() == 1


def test_a_closing_that_cannot_be_stored_is_told_and_not_tried_again_at_once(
    desk: Desk, stopped: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(work: Work) -> None:
        raise DataError("out of range")

    with monkeypatch.context() as at_the_end:
        at_the_end.setattr(watching, "start", broken)
        desk.advance(stopped)
    assert stopped.state == State.CLOSING
    assert "not made for" in stopped.attention
    assert stopped.failures == 1
    assert not due_now(stopped)
    assert not stopped.log.filter(verb="case.closed").exists()
    desk.settle(stopped)
    assert (stopped.state, stopped.attention) == (State.CLOSED, "")
