"""The plan of a chaos run: repeatable, whole, and possible at the practice Billsby."""

from __future__ import annotations

import pytest

from billsby_sandbox.company import Company
from billsby_sandbox.words import InvoiceStatus
from tests.chaos.plan import (
    CANCEL,
    CHANGED_MIND,
    DUPLICATE,
    NOT_A_CANCELLATION,
    RETAINED,
    STORIES,
    SUSPEND,
    TAKEN_BACK,
    TWO_CASES,
    Approval,
    Click,
    Plan,
    Row,
    make_plan,
)
from tests.chaos.seeding import fill

SEEDS = range(1, 6)


def plans(cases: int) -> list[Plan]:
    return [make_plan(seed, cases) for seed in SEEDS]


def test_the_same_seed_gives_the_same_plan() -> None:
    assert make_plan(7, 60) == make_plan(7, 60)


def test_another_seed_gives_another_plan() -> None:
    assert make_plan(7, 60).cases != make_plan(8, 60).cases


@pytest.mark.parametrize("cases", [1, 2, 19, 20, 73])
def test_a_plan_has_as_many_cases_as_asked_for(cases: int) -> None:
    assert all(len(plan.cases) == cases for plan in plans(cases))


def test_twenty_cases_reach_every_end() -> None:
    for plan in plans(20):
        ends = {case.end for case in plan.cases}
        assert ends == {SUSPEND, CANCEL, RETAINED, NOT_A_CANCELLATION, CHANGED_MIND, DUPLICATE}
        assert any(TAKEN_BACK in case.turns for case in plan.cases)
        assert any(case.approval is Approval.AGENT_IS_REFUSED for case in plan.cases)
        assert any(case.row is Row.DELETED for case in plan.cases)
        assert any(len(case.scope) > 1 for case in plan.cases)


def test_a_hundred_cases_tell_every_story() -> None:
    for plan in plans(100):
        assert set(plan.summary()) == {*STORIES, *TWO_CASES}
        assert {case.click for case in plan.cases} == set(Click)
        assert {case.row for case in plan.cases} == set(Row)


def test_what_is_in_a_scope_is_the_clients_own() -> None:
    for plan in plans(100):
        for case in plan.cases:
            own = {service.id for service in plan.client(case.client).subscriptions}
            assert case.scope
            assert own.issuperset(case.scope)


def test_no_subscription_is_in_two_cases_unless_one_comes_after_the_other() -> None:
    for plan in plans(100):
        seen: dict[str, str] = {}
        for case in plan.cases:
            for service in case.scope:
                assert service not in seen or case.after == seen[service]
                seen[service] = case.key


def test_cases_begin_one_after_the_other_within_the_busy_time() -> None:
    for plan in plans(50):
        begins = [case.begins for case in plan.cases]
        assert begins == sorted(begins)
        assert 0 <= begins[0] < begins[-1] < 1


def test_a_decision_that_is_taken_back_has_nothing_written_off() -> None:
    for plan in plans(100):
        for case in plan.cases:
            assert TAKEN_BACK not in case.turns or case.approval is Approval.NONE


def test_twins_cannot_be_told_apart() -> None:
    plan = make_plan(3, 20)
    one, other = (case for case in plan.cases if case.story == "twins")
    assert (one.reason, one.words, one.turns) == (other.reason, other.words, other.turns)
    first, second = plan.client(one.client), plan.client(other.client)
    assert first.id != second.id
    assert (first.name, first.phone, first.invoices) == (second.name, second.phone, second.invoices)


def test_the_practice_billsby_can_be_filled_with_the_plan() -> None:
    plan = make_plan(2, 80)
    company = Company.open(":memory:", api_key="practice")
    seeded = fill(company, plan)
    assert [client.id for client in seeded] == [client.id for client in plan.clients]
    assert len(company.invoices()) == sum(len(client.invoices) for client in plan.clients)
    assert not company.webhooks()
    assert company.quirks()["status_spelling"] == plan.quirks["status_spelling"]
    owed = [invoice.number for client in seeded for invoice in client.invoices]
    company.advance(hours=12)
    assert all(company.invoice(number).status is not InvoiceStatus.PAID for number in owed)
    company.close()
