"""Findings: reported once while they stand, resolved once, found anew when they come back."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases import findings, log, waking
from canceldesk.cases.authority import NotAllowedError
from canceldesk.cases.log import Verb
from canceldesk.cases.models import OPEN_STATES, Case, Finding, LogEntry, State
from canceldesk.cases.services import CaseError
from tests.factories import make_case, make_client, make_finding

pytestmark = pytest.mark.usefixtures("frozen_clock", "db")

KIND = Finding.Kind.SWITCHED_BACK_ON


def test_a_finding_is_kept_with_what_it_is_about() -> None:
    case = make_case()
    finding = findings.report(KIND, "SUB1", "Billsby says Active.", case=case, amount_minor=9900)
    finding.refresh_from_db()
    assert (finding.kind, finding.key, str(finding)) == (KIND, "SUB1", "Billsby says Active.")
    assert (finding.case, finding.client) == (case, case.client)
    assert finding.data == {"amount_minor": 9900}
    assert finding.found_at == finding.seen_at == clock.now()
    assert finding.resolved_at is None


def test_a_finding_is_logged_and_shown_on_its_case() -> None:
    case = make_case()
    findings.report(KIND, "SUB1", "Billsby says Active.", case=case)
    entry = LogEntry.objects.get()
    assert (entry.verb, entry.case, entry.client) == (Verb.FINDING_FOUND, case, case.client)
    assert log.sentence(entry) == "found: Billsby says Active."
    assert Case.objects.get().version == 1


def test_a_finding_can_be_about_a_client_without_a_case() -> None:
    client = make_client()
    finding = findings.report(Finding.Kind.STILL_BILLING, "SUB1", "On the list.", client=client)
    assert (finding.case, finding.client) == (None, client)
    assert LogEntry.objects.get().client == client


def test_a_finding_can_be_about_nobody_known() -> None:
    finding = findings.report(Finding.Kind.ROW_TWICE, "row 7", "On the list twice.")
    assert (finding.case, finding.client) == (None, None)


def test_seeing_the_same_again_says_when_and_what_but_is_no_news() -> None:
    case = make_case()
    first = findings.report(KIND, "SUB1", "Charges on 3 May.", case=case, on="3 May")
    found_at = clock.now()
    clock.advance(dt.timedelta(hours=12))
    again = findings.report(KIND, "SUB1", "Charges on 3 June.", case=case, on="3 June")
    assert again == first
    stored = Finding.objects.get()
    assert (stored.found_at, stored.seen_at) == (found_at, clock.now())
    assert (stored.sentence, stored.data) == ("Charges on 3 June.", {"on": "3 June"})
    assert LogEntry.objects.count() == 1
    assert Case.objects.get().version == 1


def test_of_what_stands_the_most_harmful_comes_first_and_of_a_kind_the_newest() -> None:
    assert set(findings.MOST_HARMFUL_FIRST) == set(Finding.Kind)
    for kind in reversed(findings.MOST_HARMFUL_FIRST):
        findings.report(kind, "1", "Wrong.")
    findings.report(KIND, "gone", "Wrong.")
    findings.resolve(KIND, "gone")
    last = findings.MOST_HARMFUL_FIRST[-1]
    newest = findings.report(last, "2", "Wrong.")
    stand = list(findings.standing())
    assert [one.kind for one in stand] == [*findings.MOST_HARMFUL_FIRST, last]
    assert stand[-2] == newest


def test_findings_of_other_kinds_and_keys_stand_beside_each_other() -> None:
    for kind, key in [(KIND, "SUB1"), (KIND, "SUB2"), (Finding.Kind.OPEN_INVOICE, "SUB1")]:
        findings.report(kind, key, "Wrong.")
    assert Finding.objects.filter(resolved_at=None).count() == 3


def test_a_finding_that_is_over_is_resolved_and_logged_once() -> None:
    case = make_case()
    findings.report(KIND, "SUB1", "Billsby says Active.", case=case)
    clock.advance(dt.timedelta(hours=1))
    findings.resolve(KIND, "SUB1")
    resolved_at = clock.now()
    clock.advance(dt.timedelta(hours=1))
    findings.resolve(KIND, "SUB1")
    assert Finding.objects.get().resolved_at == resolved_at
    (entry,) = LogEntry.objects.filter(verb=Verb.FINDING_RESOLVED)
    assert (entry.case, log.sentence(entry)) == (case, "no longer finds: Billsby says Active.")
    assert Case.objects.get().version == 2


def test_resolving_what_nobody_found_is_nothing() -> None:
    findings.resolve(KIND, "SUB1")
    assert not LogEntry.objects.exists()


def test_resolving_one_leaves_the_others() -> None:
    findings.report(KIND, "SUB1", "Wrong.")
    findings.report(KIND, "SUB2", "Wrong.")
    findings.resolve(KIND, "SUB1")
    assert Finding.objects.get(resolved_at=None).key == "SUB2"


def test_what_comes_back_is_found_anew() -> None:
    first = findings.report(KIND, "SUB1", "Wrong.")
    findings.resolve(KIND, "SUB1")
    second = findings.report(KIND, "SUB1", "Wrong.")
    assert second != first
    assert list(Finding.objects.all()) == [second, first]


def test_the_database_keeps_a_finding_from_standing_twice() -> None:
    findings.report(KIND, "SUB1", "Wrong.")
    now = clock.now()
    with pytest.raises(IntegrityError):
        Finding.objects.create(kind=KIND, key="SUB1", sentence="x", found_at=now, seen_at=now)


def test_a_finding_without_its_log_entry_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(log, "record", fail)
    with pytest.raises(RuntimeError):
        findings.report(KIND, "SUB1", "Wrong.")
    assert not Finding.objects.exists()


def test_a_check_overtaken_by_another_resolves_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    findings.report(KIND, "SUB1", "Wrong.")
    now = clock.now()

    def overtaken() -> dt.datetime:
        Finding.objects.update(resolved_at=now)
        return now

    monkeypatch.setattr(clock, "now", overtaken)
    findings.resolve(KIND, "SUB1")
    assert not LogEntry.objects.filter(verb=Verb.FINDING_RESOLVED).exists()


# ---------------------------------------------------------------- settling


def charged(case: Case, invoice: str = "INV-1") -> Finding:
    kind = Finding.Kind.CHARGED_AFTER_REQUEST
    return findings.report(kind, invoice, f"{invoice} was charged.", case=case)


@pytest.mark.parametrize("kind", findings.FOR_PEOPLE_TO_SETTLE)
@pytest.mark.parametrize("state", [s for s in State if s not in OPEN_STATES])
def test_a_manager_settles_what_no_check_sees_put_right(
    manager: User, kind: Finding.Kind, state: State
) -> None:
    case = make_case(state)
    finding = findings.report(kind, "1", "Wrong.", case=case)
    findings.settle(case, by=manager, finding=finding, why=" They agreed. ")
    finding.refresh_from_db()
    assert (finding.settled_at, finding.resolved_at) == (clock.now(), None)
    assert not finding.stands
    assert not findings.standing().exists()
    entry = LogEntry.objects.get(verb=Verb.FINDING_SETTLED)
    assert (entry.by, entry.case, entry.client) == (manager, case, case.client)
    assert log.sentence(entry) == "settled (They agreed.): Wrong."
    assert list(waking.due(clock.now())) == [case]


def test_what_is_settled_is_not_found_again_but_another_is(manager: User) -> None:
    case = make_case(State.CLOSED)
    findings.settle(case, by=manager, finding=charged(case), why="They agreed.")
    clock.advance(dt.timedelta(hours=12))
    assert charged(case).seen_at == clock.now()
    assert not findings.standing().exists()
    other = charged(case, "INV-2")
    assert list(findings.standing()) == [other]
    assert LogEntry.objects.filter(verb=Verb.FINDING_FOUND).count() == 2


def test_what_is_settled_and_put_right_later_is_resolved(manager: User) -> None:
    case = make_case(State.CLOSED)
    finding = charged(case)
    findings.settle(case, by=manager, finding=finding, why="They agreed.")
    findings.resolve(Finding.Kind.CHARGED_AFTER_REQUEST, "INV-1")
    finding.refresh_from_db()
    assert finding.resolved_at == clock.now()
    assert charged(case).stands


def test_settling_twice_is_settling_once(manager: User, admin: User) -> None:
    case = make_case(State.CLOSED)
    finding = charged(case)
    findings.settle(case, by=manager, finding=finding, why="They agreed.")
    at = clock.now()
    clock.advance(dt.timedelta(seconds=1))
    findings.settle(case, by=admin, finding=finding, why="They agreed, I hear.")
    assert LogEntry.objects.get(verb=Verb.FINDING_SETTLED).by == manager
    assert Finding.objects.get().settled_at == at


@pytest.mark.parametrize("state", OPEN_STATES)
def test_nothing_is_settled_before_its_case_has_ended(manager: User, state: State) -> None:
    case = make_case(state)
    assert_not_settled(case, manager, charged(case))


def test_what_the_desk_sees_put_right_is_not_settled_by_hand(manager: User) -> None:
    case = make_case(State.CLOSED)
    assert_not_settled(case, manager, make_finding(case, kind=Finding.Kind.ROW_CHANGED))


def test_what_is_put_right_already_is_not_settled(manager: User) -> None:
    case = make_case(State.CLOSED)
    finding = charged(case)
    findings.resolve(Finding.Kind.CHARGED_AFTER_REQUEST, "INV-1")
    assert_not_settled(case, manager, finding)


def test_a_finding_of_another_case_is_not_settled_in_this_one(manager: User) -> None:
    assert_not_settled(make_case(State.CLOSED), manager, charged(make_case(State.CLOSED)))


def assert_not_settled(case: Case, by: User, finding: Finding) -> None:
    with pytest.raises(CaseError, match=r"cannot be settled by hand.*Look at the case again"):
        findings.settle(case, by=by, finding=finding, why="They agreed.")
    finding.refresh_from_db()
    assert finding.settled_at is None
    assert not LogEntry.objects.filter(verb=Verb.FINDING_SETTLED).exists()


def test_settling_needs_a_reason(manager: User) -> None:
    case = make_case(State.CLOSED)
    finding = charged(case)
    with pytest.raises(CaseError, match="Say why"):
        findings.settle(case, by=manager, finding=finding, why=" ")
    assert list(findings.standing()) == [finding]


def test_an_agent_settles_nothing(agent: User) -> None:
    case = make_case(State.CLOSED)
    finding = charged(case)
    with pytest.raises(NotAllowedError, match=r"settle what was found wrong\. Ask a manager"):
        findings.settle(case, by=agent, finding=finding, why="They agreed.")
    assert list(findings.standing()) == [finding]
