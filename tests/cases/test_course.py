"""The course of a case, whoever does whatever: people never close one, nothing that has ended
comes back, and a subscription is in one open case at most.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from canceldesk import clock
from canceldesk.accounts.models import Role, User
from canceldesk.cases import log
from canceldesk.cases import services as cases
from canceldesk.cases.authority import Act, NotAllowedError, may
from canceldesk.cases.filed_twice import others_open
from canceldesk.cases.models import (
    OPEN_STATES,
    UNDECIDED_STATES,
    Case,
    CaseSubscription,
    Channel,
    Decision,
    LogEntry,
    Message,
    State,
)
from canceldesk.cases.services import AlreadyOpenError, CaseError, MovedOnError, WithdrawBecause
from canceldesk.closing import services as closing
from canceldesk.retention import services as retention
from canceldesk.retention.models import Attempt
from tests.cases.conftest import file
from tests.factories import make_case, make_client, make_subscription, make_user

NEXT = {
    State.NEW: {State.RETENTION, State.CLOSING, State.RETAINED, State.WITHDRAWN},
    State.RETENTION: {State.CLOSING, State.RETAINED, State.WITHDRAWN},
    State.CLOSING: {State.RETENTION},  # a decision taken back; only the desk itself closes
    State.CLOSED: set(),
    State.RETAINED: set(),
    State.WITHDRAWN: set(),
}
ROLES = st.sampled_from(Role)
WHICH = st.integers(0, 7)


class Desk(RuleBasedStateMachine):
    """Three people and one who was switched off, one client, two subscriptions."""

    @initialize()
    def begin(self) -> None:
        self.rollback = transaction.atomic()
        self.rollback.__enter__()
        self.users = {role: make_user(role) for role in Role}
        self.switched_off = make_user(Role.ADMIN, is_active=False)
        self.record = make_client()
        self.subscriptions = [make_subscription(self.record) for _ in range(2)]
        self.states: dict[int, State] = {}
        self.logged: list[tuple[int, str]] = []

    def teardown(self) -> None:
        if hasattr(self, "rollback"):
            transaction.set_rollback(True)
            self.rollback.__exit__(None, None, None)

    def case(self, which: int) -> Case:
        made = Case.objects.order_by("pk")
        return made[which % made.count()]

    def has_cases(self) -> bool:
        return Case.objects.exists()

    def attempt(self, act: Act, by: User, do: Callable[[], Any], *, in_order: bool) -> None:
        """Do something; it must work exactly if the person may and the case is there for it."""
        before = self.everything()
        try:
            with transaction.atomic():
                do()
        except NotAllowedError:
            assert not may(by, act)
            assert self.everything() == before
        except CaseError:
            assert may(by, act)
            assert not in_order
            assert self.everything() == before
        else:
            assert may(by, act)
            assert in_order
            assert LogEntry.objects.count() == before[-1] + 1

    def everything(self) -> tuple[Any, ...]:
        return (
            list(Case.objects.order_by("pk").values()),
            list(CaseSubscription.objects.order_by("pk").values()),
            Message.objects.count(),
            Attempt.objects.count(),
            LogEntry.objects.count(),
        )

    @rule(role=ROLES, chosen=st.sampled_from([(0,), (1,), (0, 1)]))
    def file(self, role: Role, chosen: tuple[int, ...]) -> None:
        scope = [self.subscriptions[index] for index in chosen]
        is_free = cases.open_case_of(scope) is None
        by = self.users[role]
        self.attempt(
            Act.FILE, by, lambda: file(by, self.record, subscriptions=scope), in_order=is_free
        )

    @precondition(has_cases)
    @rule(role=ROLES, which=WHICH, because=st.sampled_from(list(WithdrawBecause.LABELS)))
    def withdraw(self, role: Role, which: int, because: str) -> None:
        by, case = self.users[role], self.case(which)
        of_reason = {
            WithdrawBecause.CHANGED_MIND: Act.WITHDRAW_CHANGED_MIND,
            WithdrawBecause.DUPLICATE: Act.WITHDRAW_DUPLICATE,
        }
        in_retention = case.state == State.RETENTION
        of_state = Act.WITHDRAW_FROM_RETENTION if in_retention else Act.WITHDRAW
        is_true = because != WithdrawBecause.DUPLICATE or bool(others_open(case))
        self.attempt(
            of_reason.get(because, of_state),
            by,
            lambda: cases.withdraw(case, by=by, because=because),
            in_order=case.state in UNDECIDED_STATES and is_true,
        )

    @precondition(has_cases)
    @rule(role=ROLES, which=WHICH, offer=st.sampled_from(Attempt.Offer))
    def retain(self, role: Role, which: int, offer: Attempt.Offer) -> None:
        by, case = self.users[role], self.case(which)
        self.attempt(
            Act.RETAIN,
            by,
            lambda: retention.attempt(
                case, by=by, channel=Channel.CALL, offer=offer, answer=Attempt.Answer.THINKING
            ),
            in_order=case.state in UNDECIDED_STATES,
        )

    @precondition(has_cases)
    @rule(role=ROLES, which=WHICH, decision=st.sampled_from(Decision), knows_id=st.booleans())
    def decide(self, role: Role, which: int, decision: Decision, knows_id: bool) -> None:
        by, case = self.users[role], self.case(which)
        typed = self.record.billsby_id if knows_id else "something"
        self.attempt(
            Act.DECIDE,
            by,
            lambda: retention.decide(case, by=by, decision=decision, typed_id=typed),
            in_order=case.state in UNDECIDED_STATES
            and (knows_id or decision is not Decision.CANCEL),
        )

    @precondition(has_cases)
    @rule(role=ROLES, which=WHICH)
    def take_back(self, role: Role, which: int) -> None:
        by, case = self.users[role], self.case(which)
        self.attempt(
            Act.TAKE_BACK,
            by,
            lambda: closing.take_back(case, by=by, why="The client called."),
            in_order=case.state == State.CLOSING,
        )

    @precondition(has_cases)
    @rule(role=ROLES, which=WHICH)
    def talk(self, role: Role, which: int) -> None:
        by, case = self.users[role], self.case(which)
        self.attempt(
            Act.NOTE,
            by,
            lambda: cases.add_message(
                case,
                by=by,
                direction=Message.Direction.OUT,
                channel=Channel.CALL,
                body="Hello.",
            ),
            in_order=True,
        )

    @precondition(has_cases)
    @rule(role=ROLES, which=WHICH)
    def retry(self, role: Role, which: int) -> None:
        by, case = self.users[role], self.case(which)
        self.attempt(Act.RETRY, by, lambda: cases.retry(case, by=by), in_order=True)

    @precondition(has_cases)
    @rule(which=WHICH)
    def somebody_switched_off_tries(self, which: int) -> None:
        by, case = self.switched_off, self.case(which)
        before = self.everything()
        for forbidden in (
            lambda: file(by, self.record),
            lambda: cases.withdraw(case, by=by, because=WithdrawBecause.DUPLICATE),
            lambda: retention.decide(case, by=by, decision=Decision.SUSPEND),
            lambda: closing.take_back(case, by=by, why="x"),
            lambda: closing.take_off_list(case, by=by, why="x"),
            lambda: closing.rewrite_row(case, by=by),
            lambda: cases.retry(case, by=by),
        ):
            with pytest.raises(NotAllowedError):
                forbidden()
        assert self.everything() == before

    @rule(minutes=st.integers(0, 3000))
    def time_passes(self, minutes: int) -> None:
        clock.advance(dt.timedelta(minutes=minutes))

    @invariant()
    def the_course_is_kept(self) -> None:
        if not hasattr(self, "states"):
            return
        for case in Case.objects.all():
            state = State(case.state)
            earlier = self.states.get(case.pk, State.NEW)
            assert state == earlier or state in NEXT[earlier]
            assert state != State.CLOSED
            assert case.is_open is (state in OPEN_STATES)
            assert (case.ended_at is not None) is (state not in OPEN_STATES)
            assert bool(case.decision) is (state in {State.CLOSING, State.RETAINED})
            assert bool(case.decision) is (case.decided_by is not None)
            assert {scope.is_open for scope in case.scope.all()} == {case.is_open}
            self.states[case.pk] = state

    @invariant()
    def a_subscription_is_in_one_open_case_at_most(self) -> None:
        is_open = CaseSubscription.objects.filter(case__state__in=OPEN_STATES)
        count = Counter(is_open.values_list("subscription_id", flat=True))
        assert all(times == 1 for times in count.values())

    @invariant()
    def the_log_only_grows_and_reads_well(self) -> None:
        if not hasattr(self, "logged"):
            return
        entries = [(entry.pk, log.sentence(entry)) for entry in LogEntry.objects.all()]
        assert entries[: len(self.logged)] == self.logged
        assert not any("?" in sentence for _, sentence in entries)
        self.logged = entries


@pytest.fixture
def moving_clock() -> Iterator[None]:
    with clock.frozen(dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)):
        yield


@pytest.mark.usefixtures("moving_clock", "db")
def test_no_course_of_events_breaks_a_promise() -> None:
    run_state_machine_as_test(Desk, settings=settings(max_examples=30, stateful_step_count=20))


@pytest.mark.parametrize("state", [State.CLOSING, State.CLOSED])
@pytest.mark.parametrize("decision", ["", Decision.RETAINED])
def test_the_database_lets_nothing_close_that_nobody_decided_to_stop(
    db: None, state: State, decision: str
) -> None:
    case = make_case()
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(
            state=state, decision=decision, decided_by=case.filed_by, decided_at=clock.now()
        )
    assert Case.objects.get().state == State.NEW


@pytest.mark.parametrize("missing", ["decided_by", "decided_at"])
def test_the_database_wants_to_know_who_decided_and_when(db: None, missing: str) -> None:
    case = make_case()
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(
            **{
                "decision": Decision.SUSPEND,
                "decided_by": case.filed_by,
                "decided_at": clock.now(),
                missing: None,
            }
        )


def test_a_subscription_is_in_a_scope_once(db: None) -> None:
    scope = make_case(State.WITHDRAWN).scope.get()
    assert str(scope) == f"{scope.subscription} in {scope.case_id}"
    with pytest.raises(IntegrityError):
        CaseSubscription.objects.create(
            case=scope.case, subscription=scope.subscription, is_open=False
        )


def test_what_was_asked_is_told_apart_by_its_errors() -> None:
    assert issubclass(AlreadyOpenError, CaseError)
    assert issubclass(MovedOnError, CaseError)
    assert not issubclass(NotAllowedError, CaseError)
