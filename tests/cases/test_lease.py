"""Leases: one worker at a time, and one that slept too long writes nothing when it wakes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from django.db import DataError, transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from pytest_django import DjangoAssertNumQueries

from canceldesk import clock
from canceldesk.cases import lease as leases
from canceldesk.cases.lease import LENGTH, Lease, LostLeaseError
from canceldesk.cases.models import Case
from tests.factories import make_case, make_facts

MOMENT = dt.timedelta(microseconds=1)


@pytest.fixture
def case(frozen_clock: dt.datetime, db: None) -> Case:
    return make_case()


def take(case: Case, owner: str = "one") -> Lease:
    lease = leases.take(case.pk, owner)
    assert lease is not None
    return lease


def write(case: Case, lease: Lease, words: str) -> None:
    with leases.fenced(lease):
        Case.objects.filter(pk=case.pk).update(reason_words=words)


def write_half(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(reason_words="half")
    raise DataError("the power went")


def words(case: Case) -> str:
    return Case.objects.get(pk=case.pk).reason_words


def test_who_takes_a_free_case_has_it_for_a_while(case: Case) -> None:
    take(case, "machine-1")
    case.refresh_from_db()
    assert (case.lease_owner, case.lease_token) == ("machine-1", 1)
    assert case.lease_until == clock.now() + LENGTH


def test_nobody_else_gets_it_meanwhile(case: Case) -> None:
    take(case)
    assert leases.take(case.pk, "two") is None
    assert leases.take(case.pk, "one") is None
    clock.advance(LENGTH)
    assert leases.take(case.pk, "two") is None


def test_it_is_free_again_when_the_lease_has_run_out(case: Case) -> None:
    first = take(case)
    clock.advance(LENGTH + MOMENT)
    second = take(case, "two")
    assert second.token > first.token


def test_what_is_read_along_is_not_asked_for_again(
    case: Case, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    facts = make_facts(case)
    lease = leases.take(case.pk, "one", along=("facts", "watch"))
    assert lease is not None
    with django_assert_num_queries(0):
        assert lease.case.facts == facts
        assert getattr(lease.case, "watch", None) is None


def test_there_is_no_lease_on_a_case_that_does_not_exist(db: None) -> None:
    assert leases.take(0, "one") is None


def test_leases_on_two_cases_do_not_touch_each_other(case: Case) -> None:
    other = make_case()
    mine, theirs = take(case), take(other, "two")
    leases.give_back(theirs)
    leases.renew(mine)
    assert leases.take(case.pk, "two") is None


def test_renewing_pushes_the_end_ahead(case: Case) -> None:
    lease = take(case)
    clock.advance(LENGTH)
    leases.renew(lease)
    clock.advance(LENGTH)
    assert leases.take(case.pk, "two") is None
    clock.advance(MOMENT)
    assert leases.take(case.pk, "two") is not None


def test_a_lease_that_ran_out_is_still_good_while_nobody_wants_the_case(case: Case) -> None:
    lease = take(case)
    clock.advance(LENGTH * 10)
    write(case, lease, "late but alone")
    assert words(case) == "late but alone"
    assert leases.take(case.pk, "two") is None


def test_who_was_overtaken_cannot_renew(case: Case) -> None:
    slept = take(case)
    clock.advance(LENGTH + MOMENT)
    take(case, "two")
    with pytest.raises(LostLeaseError, match=f"Case {case.pk} is being worked on elsewhere"):
        leases.renew(slept)


def test_who_was_overtaken_writes_nothing(case: Case) -> None:
    slept = take(case)
    clock.advance(LENGTH + MOMENT)
    awake = take(case, "two")
    write(case, awake, "from the one awake")
    with pytest.raises(LostLeaseError):
        write(case, slept, "from a dream")
    assert words(case) == "from the one awake"


def test_who_was_overtaken_even_by_a_finished_worker_writes_nothing(case: Case) -> None:
    slept = take(case)
    clock.advance(LENGTH + MOMENT)
    leases.give_back(take(case, "two"))
    with pytest.raises(LostLeaseError):
        write(case, slept, "from a dream")


def test_writing_renews_the_lease(case: Case) -> None:
    lease = take(case)
    clock.advance(LENGTH - MOMENT)
    write(case, lease, "busy")
    case.refresh_from_db()
    assert case.lease_until == clock.now() + LENGTH


def test_a_write_that_fails_leaves_nothing_and_the_lease_as_it_was(case: Case) -> None:
    lease = take(case)
    until = clock.now() + LENGTH
    clock.advance(dt.timedelta(seconds=10))
    with pytest.raises(DataError), leases.fenced(lease):
        write_half(case)
    case.refresh_from_db()
    assert (case.reason_words, case.lease_until) == ("", until)


def test_a_lease_given_back_is_free_at_once(case: Case) -> None:
    leases.give_back(take(case))
    case.refresh_from_db()
    assert (case.lease_until, case.lease_owner) == (None, "")
    take(case, "two")


def test_a_lease_given_back_is_over_for_its_holder_too(case: Case) -> None:
    lease = take(case)
    leases.give_back(lease)
    with pytest.raises(LostLeaseError):
        leases.renew(lease)
    with pytest.raises(LostLeaseError):
        write(case, lease, "afterwards")
    assert leases.take(case.pk, "two") is not None


def test_giving_back_does_not_drop_somebody_elses_lease(case: Case) -> None:
    slept = take(case)
    clock.advance(LENGTH + MOMENT)
    take(case, "two")
    leases.give_back(slept)
    case.refresh_from_db()
    assert case.lease_owner == "two"
    assert leases.take(case.pk, "three") is None


class Workers(RuleBasedStateMachine):
    """Several workers, a clock that jumps, and every lease anybody ever had."""

    held = Bundle("held")

    @initialize()
    def begin(self) -> None:
        self.rollback = transaction.atomic()
        self.rollback.__enter__()
        self.case = make_case()
        self.holder: Lease | None = None
        self.until = clock.now()
        self.ever: list[Lease] = []
        self.written = ""

    def teardown(self) -> None:
        if hasattr(self, "rollback"):
            transaction.set_rollback(True)
            self.rollback.__exit__(None, None, None)

    @rule(target=held, owner=st.sampled_from(["one", "two", "three"]))
    def take(self, owner: str) -> Lease | None:
        is_free = self.holder is None or self.until < clock.now()
        lease = leases.take(self.case.pk, owner)
        assert (lease is not None) is is_free
        if lease is not None:
            assert all(lease.token > earlier.token for earlier in self.ever)
            self.holder, self.until = lease, clock.now() + LENGTH
            self.ever.append(lease)
        return lease

    @rule(seconds=st.sampled_from([0, 1, 20, 49, 50, 51, 120]))
    def wait(self, seconds: int) -> None:
        clock.advance(dt.timedelta(seconds=seconds))

    @rule(lease=held, words=st.text("abc", min_size=1, max_size=5))
    def write(self, lease: Lease | None, words: str) -> None:
        if lease is None:
            return
        try:
            write(self.case, lease, words)
        except LostLeaseError:
            assert lease != self.holder
        else:
            assert lease == self.holder
            self.written, self.until = words, clock.now() + LENGTH

    @rule(lease=held)
    def renew(self, lease: Lease | None) -> None:
        if lease is None:
            return
        try:
            leases.renew(lease)
        except LostLeaseError:
            assert lease != self.holder
        else:
            assert lease == self.holder
            self.until = clock.now() + LENGTH

    @rule(lease=held)
    def give_back(self, lease: Lease | None) -> None:
        if lease is None:
            return
        leases.give_back(lease)
        if lease == self.holder:
            self.holder = None

    @invariant()
    def at_most_one_can_write(self) -> None:
        if not hasattr(self, "ever"):
            return
        able = [lease for lease in self.ever if self.could_write(lease)]
        assert able == ([self.holder] if self.holder else [])
        assert words(self.case) == self.written

    def could_write(self, lease: Lease) -> bool:
        try:
            with transaction.atomic():
                leases.renew(lease)
                transaction.set_rollback(True)
        except LostLeaseError:
            return False
        return True


@pytest.fixture
def moving_clock() -> Iterator[None]:
    with clock.frozen(dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)):
        yield


@pytest.mark.usefixtures("moving_clock", "db")
def test_never_two_holders_whose_writes_both_succeed() -> None:
    run_state_machine_as_test(Workers, settings=settings(max_examples=40, stateful_step_count=25))


# ------------------------------------------------------------------ clocks that differ


@pytest.mark.parametrize("ahead", [dt.timedelta(0), LENGTH])
def test_a_clock_that_is_a_little_behind_does_not_free_a_lease(
    case: Case, ahead: dt.timedelta
) -> None:
    take(case)
    clock.advance(-ahead)
    assert leases.take(case.pk, "two") is None


def test_a_lease_from_before_the_clock_was_set_back_does_not_keep_the_case(case: Case) -> None:
    died = take(case)
    clock.advance(-dt.timedelta(hours=1))
    assert leases.take(case.pk, "two") is not None
    with pytest.raises(LostLeaseError):
        leases.renew(died)


# ------------------------------------------------------------------ workers that are gone


def test_the_leases_of_a_worker_that_is_gone_are_ended_and_fenced_off(case: Case) -> None:
    mine, other = take(case, "gone"), make_case()
    take(other, "living")
    assert leases.owners() == {"gone", "living"}

    assert leases.revoke(["gone", "unknown"]) == 1

    assert leases.owners() == {"living"}
    with pytest.raises(LostLeaseError):
        write(case, mine, "from the grave")
    assert leases.take(case.pk, "two") is not None
    assert leases.take(other.pk, "two") is None


def test_a_lease_that_was_revoked_does_not_come_back_with_the_next_one(case: Case) -> None:
    gone = take(case, "gone")
    leases.revoke(["gone"])
    awake = take(case, "two")
    assert awake.token > gone.token + 1
    with pytest.raises(LostLeaseError):
        leases.renew(gone)
    leases.renew(awake)


def test_nothing_is_revoked_of_those_who_hold_nothing(case: Case) -> None:
    leases.give_back(take(case, "one"))
    assert leases.owners() == set()
    assert leases.revoke(["one"]) == 0
