"""Two people, or two machines, at the very same moment, each with a connection of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

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
