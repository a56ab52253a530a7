"""A manager's word."""

from __future__ import annotations

import pytest
from django.test import TestCase

from canceldesk import clock
from canceldesk.accounts.models import Role, User
from canceldesk.cases import log, waking
from canceldesk.cases.authority import NotAllowedError
from canceldesk.cases.log import Verb
from canceldesk.cases.models import UNDECIDED_STATES, Case, Channel, Decision, LogEntry, State
from canceldesk.cases.services import CaseError, MovedOnError
from canceldesk.retention import services as retention
from canceldesk.retention.models import Attempt
from canceldesk.retention.services import WrongIdError
from tests.factories import make_case, make_client, make_user

pytestmark = pytest.mark.usefixtures("frozen_clock", "db")

DECIDED_STATES = [state for state in State if state not in UNDECIDED_STATES]
COMES_TO = {
    Decision.RETAINED: State.RETAINED,
    Decision.SUSPEND: State.CLOSING,
    Decision.CANCEL: State.CLOSING,
}


def decide(case: Case, by: User, decision: Decision, typed_id: str | None = None) -> None:
    typed = case.client.billsby_id if typed_id is None else typed_id
    retention.decide(case, by=by, decision=decision, typed_id=typed)


def nothing_was_decided(case: Case) -> bool:
    case.refresh_from_db()
    return case.decision == "" and case.is_open and not LogEntry.objects.exists()


@pytest.mark.parametrize("state", UNDECIDED_STATES)
@pytest.mark.parametrize("decision", Decision)
@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMIN])
def test_each_decision_brings_the_case_where_it_belongs(
    state: State, decision: Decision, role: Role, woken: list[int]
) -> None:
    case, by = make_case(state), make_user(role)
    with TestCase.captureOnCommitCallbacks(execute=True):
        decide(case, by, decision)
    assert case.state == COMES_TO[decision]
    assert (case.decision, case.decided_by, case.decided_at) == (decision, by, clock.now())
    assert woken == [case.pk]
    assert list(waking.due(clock.now())) == [case]
    entry = LogEntry.objects.get()
    assert (entry.verb, entry.by) == (Verb.CASE_DECIDED, by)
    assert log.sentence(entry) == f"decided: {decision.label}"


def test_retained_ends_the_case_and_frees_its_subscriptions(manager: User) -> None:
    case = make_case()
    decide(case, manager, Decision.RETAINED)
    assert case.ended_at == clock.now()
    assert not case.scope.get().is_open


@pytest.mark.parametrize("decision", [Decision.SUSPEND, Decision.CANCEL])
def test_a_stop_only_begins_the_closing(manager: User, decision: Decision) -> None:
    case = make_case()
    decide(case, manager, decision)
    assert case.ended_at is None
    assert case.scope.get().is_open


@pytest.mark.parametrize("decision", Decision)
def test_an_agent_decides_nothing(agent: User, decision: Decision) -> None:
    case = make_case()
    with pytest.raises(NotAllowedError, match="An agent may not decide a case. Ask a manager"):
        decide(case, agent, decision)
    assert nothing_was_decided(case)


@pytest.mark.parametrize("decision", Decision)
def test_a_manager_switched_off_decides_nothing(decision: Decision) -> None:
    case = make_case()
    with pytest.raises(NotAllowedError):
        decide(case, make_user(Role.MANAGER, is_active=False), decision)
    assert nothing_was_decided(case)


@pytest.mark.parametrize("state", DECIDED_STATES)
@pytest.mark.parametrize("decision", Decision)
def test_nothing_is_decided_twice(manager: User, state: State, decision: Decision) -> None:
    case = make_case(state)
    before = Case.objects.values().get()
    with pytest.raises(MovedOnError):
        decide(case, manager, decision)
    assert Case.objects.values().get() == before
    assert not LogEntry.objects.exists()


def test_of_two_managers_the_second_is_told_what_the_first_decided(
    manager: User, admin: User
) -> None:
    case = make_case()
    hers = Case.objects.get()
    decide(case, manager, Decision.RETAINED)
    with pytest.raises(MovedOnError, match="is already retained"):
        decide(hers, admin, Decision.SUSPEND)
    assert (hers.state, hers.decided_by) == (State.RETAINED, manager)


# ---------------------------------------------------------------- cancelling for good


@pytest.mark.parametrize("typed", ["AB12CD", " AB12CD", "AB12CD \t", "\nAB12CD\r\n"])
def test_the_right_id_cancels_whatever_space_is_around_it(manager: User, typed: str) -> None:
    case = make_case(client=make_client(billsby_id="AB12CD"))
    decide(case, manager, Decision.CANCEL, typed)
    assert case.decision == Decision.CANCEL


@pytest.mark.parametrize("typed", ["", " ", "ab12cd", "AB 12CD", "AB12C", "AB12CDE", "None", "yes"])
def test_any_other_id_cancels_nothing(manager: User, typed: str) -> None:
    case = make_case(client=make_client(billsby_id="AB12CD"))
    with pytest.raises(WrongIdError, match="not this client's Billsby ID.*cannot be undone"):
        decide(case, manager, Decision.CANCEL, typed)
    assert nothing_was_decided(case)


def test_the_id_of_another_client_cancels_nothing(manager: User) -> None:
    other = make_client(billsby_id="OTHER1")
    case = make_case()
    with pytest.raises(CaseError):
        decide(case, manager, Decision.CANCEL, other.billsby_id)
    assert nothing_was_decided(case)


def test_a_decision_as_the_database_spells_it_is_not_a_way_around_the_id(manager: User) -> None:
    case = make_case()
    as_text: Decision = "cancel"  # type: ignore[assignment]
    with pytest.raises(WrongIdError):
        decide(case, manager, as_text, "")
    assert nothing_was_decided(case)


@pytest.mark.parametrize("decision", [Decision.RETAINED, Decision.SUSPEND])
def test_what_can_be_undone_needs_no_id(manager: User, decision: Decision) -> None:
    case = make_case()
    decide(case, manager, decision, "")
    assert case.decision == decision


def test_a_decision_without_its_log_entry_is_not_kept(
    manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the power went")

    case = make_case()
    monkeypatch.setattr(log, "record", fail)
    with pytest.raises(RuntimeError):
        decide(case, manager, Decision.SUSPEND)
    assert nothing_was_decided(case)
    assert case.scope.get().is_open


# ---------------------------------------------------------------- what a colleague did meanwhile


def spoke_with(case: Case, by: User) -> None:
    retention.attempt(
        Case.objects.get(pk=case.pk),
        by=by,
        channel=Channel.CALL,
        offer=Attempt.Offer.DISCOUNT,
        answer=Attempt.Answer.ACCEPTED,
    )


@pytest.mark.parametrize("state", UNDECIDED_STATES)
def test_who_has_not_seen_the_newest_attempt_decides_nothing(
    manager: User, admin: User, state: State
) -> None:
    case = make_case(state)
    spoke_with(case, admin)
    with pytest.raises(MovedOnError, match=r"recorded an attempt to keep Nora Field since.*Look"):
        retention.decide(case, by=manager, decision=Decision.SUSPEND, attempts_seen=0)
    case.refresh_from_db()
    assert (case.state, case.decision) == (State.RETENTION, "")
    assert not LogEntry.objects.filter(verb=Verb.CASE_DECIDED).exists()


def test_who_has_seen_every_attempt_decides(manager: User, admin: User) -> None:
    case = make_case()
    spoke_with(case, admin)
    retention.decide(case, by=manager, decision=Decision.SUSPEND, attempts_seen=1)
    assert case.state == State.CLOSING
