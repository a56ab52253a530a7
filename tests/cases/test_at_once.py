"""Two people, or two machines, at the very same moment, each with a connection of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from canceldesk import clock
from canceldesk.accounts.models import Role, User
from canceldesk.cases import findings
from canceldesk.cases import lease as leases
from canceldesk.cases import services as cases
from canceldesk.cases.lease import Lease
from canceldesk.cases.log import Verb
from canceldesk.cases.models import (
    Case,
    CaseSubscription,
    Channel,
    Decision,
    Finding,
    LogEntry,
    State,
)
from canceldesk.cases.services import AlreadyOpenError, MovedOnError, WithdrawBecause
from canceldesk.clients.models import Client
from canceldesk.closing import services as closing
from canceldesk.closing.models import Intent
from canceldesk.closing.notes import Notes
from canceldesk.closing.work import Work
from canceldesk.retention import services as retention
from canceldesk.retention.models import Attempt
from tests.cases.conftest import at_once, elsewhere, file
from tests.factories import make_case, make_client, make_subscription, make_user

pytestmark = pytest.mark.usefixtures("contended_database")


def a_client() -> Client:
    client = make_client()
    make_subscription(client)
    return client


def filing(by: User, client: Client, token: str) -> Callable[[], Case]:
    return lambda: file(by, client, form_token=token)


def kinds(outcomes: list[Any]) -> list[str]:
    return sorted(type(outcome).__name__ for outcome in outcomes)


def test_a_form_posted_by_several_threads_is_one_case() -> None:
    agent, client = elsewhere(make_user), elsewhere(a_client)
    outcomes = at_once(*[filing(agent, client, "t1")] * 4)
    assert kinds(outcomes) == ["Case"] * 4
    assert len({case.pk for case in outcomes}) == 1
    assert elsewhere(LogEntry.objects.filter(verb=Verb.CASE_FILED).count) == 1


def test_of_several_requests_at_once_one_is_stored_and_the_others_are_told() -> None:
    agent, client = elsewhere(make_user), elsewhere(a_client)
    outcomes = at_once(*(filing(agent, client, f"t{number}") for number in range(4)))
    assert kinds(outcomes) == ["AlreadyOpenError"] * 3 + ["Case"]
    stored = next(outcome for outcome in outcomes if isinstance(outcome, Case))
    assert {o.case for o in outcomes if isinstance(o, AlreadyOpenError)} == {stored}
    assert elsewhere(CaseSubscription.objects.filter(is_open=True).count) == 1


def test_of_two_who_decide_and_withdraw_at_once_one_wins() -> None:
    case, manager = elsewhere(make_case), elsewhere(lambda: make_user(Role.MANAGER))

    def decide() -> str:
        retention.decide(Case.objects.get(pk=case.pk), by=manager, decision=Decision.SUSPEND)
        return "decided"

    def withdraw() -> str:
        why = WithdrawBecause.CHANGED_MIND
        cases.withdraw(Case.objects.get(pk=case.pk), by=manager, because=why)
        return "withdrawn"

    outcomes = at_once(decide, withdraw, decide)
    assert kinds(outcomes) == ["MovedOnError", "MovedOnError", "str"]
    after = elsewhere(lambda: Case.objects.get(pk=case.pk))
    won = {"decided": State.CLOSING, "withdrawn": State.WITHDRAWN}
    assert after.state == won[next(o for o in outcomes if isinstance(o, str))]
    assert elsewhere(LogEntry.objects.count) == 1


def a_row_of(case: Case) -> Intent:
    now = clock.now()
    return Intent.objects.create(
        case=case,
        kind=Intent.Kind.ROW,
        target="row",
        state=Intent.State.CONFIRMED,
        created_at=now,
        sent_at=now,
        confirmed_at=now,
    )


def test_of_several_who_take_a_decision_back_at_once_one_wins_and_the_row_leaves_once() -> None:
    case, manager = elsewhere(lambda: make_case(State.CLOSING)), elsewhere(manages)
    elsewhere(lambda: a_row_of(case))

    def take_back() -> str:
        closing.take_back(Case.objects.get(pk=case.pk), by=manager, why="They called again")
        return "taken back"

    outcomes = at_once(take_back, take_back, take_back)
    assert kinds(outcomes) == ["MovedOnError", "MovedOnError", "str"]
    assert elsewhere(lambda: Case.objects.get(pk=case.pk).state) == State.RETENTION
    assert elsewhere(lambda: Intent.objects.get().state) == Intent.State.UNWANTED
    assert elsewhere(LogEntry.objects.count) == 1


def test_of_several_who_have_a_row_taken_off_at_once_one_has_asked() -> None:
    case, manager = elsewhere(lambda: make_case(State.CLOSED)), elsewhere(manages)
    elsewhere(lambda: a_row_of(case))

    def take_off() -> str:
        closing.take_off_list(Case.objects.get(pk=case.pk), by=manager, why="Another client")
        return "asked"

    outcomes = at_once(take_off, take_off, take_off)
    assert kinds(outcomes) == ["CaseError", "CaseError", "str"]
    assert elsewhere(LogEntry.objects.filter(verb=Verb.ROW_REMOVAL_ASKED).count) == 1


def test_a_decision_is_not_taken_back_between_an_intent_and_its_write_off() -> None:
    """Either the pass has begun to write off and the decision stands, or the pass ends."""
    case, manager = elsewhere(lambda: make_case(State.CLOSING)), elsewhere(manages)
    lease = elsewhere(lambda: leases.take(case.pk, "worker"))
    assert isinstance(lease, Lease)
    work = elsewhere(lambda: a_pass(case, lease))

    def take_back() -> str:
        closing.take_back(Case.objects.get(pk=case.pk), by=manager, why="They called again")
        return "taken back"

    def intend_to_write_off() -> str:
        with work.fenced():
            Intent.objects.create(
                case=case, kind=Intent.Kind.WRITE_OFF, target="INV1", created_at=clock.now()
            )
        return "intended"

    outcomes = at_once(take_back, intend_to_write_off)
    assert [type(outcome) for outcome in outcomes].count(str) == 1
    is_intended = elsewhere(Intent.objects.exists)
    state = elsewhere(lambda: Case.objects.get(pk=case.pk).state)
    assert state == (State.CLOSING if is_intended else State.RETENTION)


def manages() -> User:
    return make_user(Role.MANAGER)


def a_pass(case: Case, lease: Lease) -> Work:
    nothing: Any = None
    mine = Case.objects.get(pk=case.pk)
    return Work(mine, lease, Notes(mine), nothing, nothing)


def test_an_attempt_posted_twice_at_once_is_one_attempt() -> None:
    case, manager = elsewhere(make_case), elsewhere(lambda: make_user(Role.MANAGER))

    def attempt() -> Attempt:
        return retention.attempt(
            Case.objects.get(pk=case.pk),
            by=manager,
            channel=Channel.CALL,
            offer=Attempt.Offer.PAUSE,
            answer=Attempt.Answer.REFUSED,
            form_token="t1",
        )

    outcomes = at_once(attempt, attempt, attempt)
    assert kinds(outcomes) == ["Attempt"] * 3
    assert elsewhere(Attempt.objects.count) == 1


def test_a_finding_reported_by_several_checks_at_once_stands_once() -> None:
    case = elsewhere(make_case)

    def report() -> Finding:
        return findings.report(Finding.Kind.ROW_TWICE, "row 7", "Twice.", case=case)

    outcomes = at_once(report, report, report)
    assert kinds(outcomes) == ["Finding"] * 3
    assert elsewhere(Finding.objects.count) == 1
    assert elsewhere(LogEntry.objects.count) == 1


def test_a_finding_settled_by_several_at_once_is_logged_once() -> None:
    case, manager = elsewhere(lambda: make_case(State.CLOSED)), elsewhere(manages)
    kind = Finding.Kind.CHARGED_AFTER_REQUEST
    finding = elsewhere(lambda: findings.report(kind, "INV-1", "Charged.", case=case))

    def settle() -> str:
        mine = Finding.objects.get(pk=finding.pk)
        findings.settle(mine.case or case, by=manager, finding=mine, why="They agreed.")
        return "settled"

    assert kinds(at_once(settle, settle, settle)) == ["str"] * 3
    assert elsewhere(LogEntry.objects.filter(verb=Verb.FINDING_SETTLED).count) == 1


def test_a_finding_resolved_by_several_checks_at_once_is_logged_once() -> None:
    elsewhere(lambda: findings.report(Finding.Kind.ROW_TWICE, "row 7", "Twice."))
    at_once(*[lambda: findings.resolve(Finding.Kind.ROW_TWICE, "row 7")] * 3)
    assert elsewhere(LogEntry.objects.filter(verb=Verb.FINDING_RESOLVED).count) == 1


def test_of_several_workers_at_once_one_takes_the_case() -> None:
    case = elsewhere(make_case)
    outcomes = at_once(*[lambda: leases.take(case.pk, "worker")] * 4)
    assert [type(outcome) for outcome in outcomes].count(Lease) == 1
    assert outcomes.count(None) == 3


def test_attention_reported_at_once_is_logged_once() -> None:
    case = elsewhere(make_case)

    def flag() -> None:
        cases.set_attention(Case.objects.get(pk=case.pk), "Approve the write-offs.")

    assert at_once(flag, flag, flag) == [None] * 3
    assert elsewhere(LogEntry.objects.count) == 1


def test_the_loser_of_a_race_is_told_where_the_case_stands() -> None:
    case = elsewhere(make_case)

    def withdraw() -> None:
        cases.move(Case.objects.get(pk=case.pk), State.WITHDRAWN, only_from=[State.NEW])

    (lost,) = [o for o in at_once(withdraw, withdraw) if isinstance(o, MovedOnError)]
    assert str(lost) == f"{case.number} is already withdrawn. Look at it again before you go on."
