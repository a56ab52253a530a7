"""Only the desk's own reading closes a case: no button, no post, no role, in no state."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from canceldesk.accounts.models import Role, User
from canceldesk.cases.models import Case, Decision, State
from canceldesk.closing.models import Intent, Step
from canceldesk.web.actions import ACTIONS
from tests.factories import (
    make_case,
    make_click_step,
    make_facts,
    make_hold,
    make_invoice,
    make_step,
    make_user,
    make_write_off_step,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]

# Everything any of the forms asks for, and what a tampered one might add.
GIVEN = {
    "state": "closed",
    "ended_at": "2026-11-20",
    "direction": "in",
    "channel": "call",
    "body": "closed",
    "offer": "help",
    "answer": "accepted",
    "note": "closed",
    "because": "not_a_cancellation",
    "words": "closed",
    "why": "closed",
}

# Where a person's action may lead from each state; staying is always possible.
MAY_LEAD_TO = {
    State.NEW: {State.RETENTION, State.CLOSING, State.RETAINED, State.WITHDRAWN},
    State.RETENTION: {State.CLOSING, State.RETAINED, State.WITHDRAWN},
    State.CLOSING: {State.RETENTION},
    State.CLOSED: set(),
    State.RETAINED: set(),
    State.WITHDRAWN: set(),
}


def _ready_for_everything(state: State) -> Case:
    """A case of which one half is done, with every panel it could possibly have."""
    case = make_case(state)
    invoice = make_invoice(case.client, 100)
    if state in {State.CLOSING, State.CLOSED}:
        make_facts(case)
        make_hold(case.scope.get())
        make_click_step(case)
        make_write_off_step(case, invoice)
        make_step(case, Step.Name.DOCUMENT, Step.State.DONE, can_rewrite=True)
    return case


def _given(case: Case, decision: Decision) -> dict[str, str]:
    invoice = case.client.open_invoices.get()
    return GIVEN | {
        "form_token": f"token of {case.pk}",
        "decision": decision,
        "typed_id": case.client.billsby_id,
        "invoice": f"{invoice.amount_minor}:{invoice.number}",
        "scope": str(case.scope.get().pk),
    }


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", ACTIONS)
def test_no_action_closes_a_case_or_opens_a_closed_one(
    client_of: Callable[[User], Browser], action: str, state: State, role: Role
) -> None:
    browser = client_of(make_user(role))
    for decision in Decision if action == "decide" else [Decision.SUSPEND]:
        case = _ready_for_everything(state)
        ended_at = case.ended_at
        for _ in range(2):
            response = browser.post(f"/cases/{case.pk}/{action}/", _given(case, decision))
            assert response.status_code in {303, 403, 409, 422, 503}
        case.refresh_from_db()
        assert case.state == state or State(case.state) in MAY_LEAD_TO[state]
        if state is State.CLOSED:
            assert (case.ended_at, case.decision) == (ended_at, Decision.SUSPEND)
            assert not Intent.objects.filter(case=case).exists()


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", [State.NEW, State.RETENTION, State.CLOSING])
def test_not_even_all_of_them_one_after_the_other(
    client_of: Callable[[User], Browser], state: State, role: Role
) -> None:
    browser = client_of(make_user(role))
    case = _ready_for_everything(state)
    for decision in Decision:
        for action in [*ACTIONS, *reversed(ACTIONS)]:
            browser.post(f"/cases/{case.pk}/{action}/", _given(case, decision))
            case.refresh_from_db()
            assert case.state != State.CLOSED
