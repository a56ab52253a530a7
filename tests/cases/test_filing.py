"""Filing: no request is lost, none is stored twice, and none by halves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import TestCase

from canceldesk import clock
from canceldesk.accounts.models import Role, User
from canceldesk.cases import log, waking
from canceldesk.cases import services as cases
from canceldesk.cases.authority import NotAllowedError
from canceldesk.cases.log import Verb
from canceldesk.cases.models import (
    Case,
    CaseSubscription,
    Channel,
    LogEntry,
    Message,
    State,
    Wish,
)
from canceldesk.cases.services import AlreadyOpenError, CaseError
from canceldesk.clients.models import Client, Subscription
from tests.cases.conftest import file
from tests.factories import make_case, make_client, make_subscription, make_user

pytestmark = pytest.mark.usefixtures("frozen_clock")


def nothing_was_stored() -> bool:
    return not any(kind.objects.exists() for kind in (Case, CaseSubscription, Message, LogEntry))


def test_a_request_becomes_a_new_case(agent: User, client_record: Client) -> None:
    case = file(agent, client_record, wish=Wish.CANCEL, reason_words="  costs too much ")
    case.refresh_from_db()
    assert case.state == State.NEW
    assert case.wish == Wish.CANCEL
    assert case.channel == Channel.CALL
    assert case.reason.key == "too_expensive"
    assert case.reason_words == "costs too much"
    assert case.filed_by == agent
    assert case.received_at == case.filed_at == clock.now()
    assert case.ended_at is None
    assert case.form_token is None
    assert case.number == f"C-{case.pk:05d}"
    assert str(case) == f"{case.number} Nora Field"


@pytest.mark.parametrize("role", Role)
def test_everybody_may_file(client_record: Client, role: Role) -> None:
    assert file(make_user(role), client_record).is_open


def test_somebody_switched_off_files_nothing(client_record: Client) -> None:
    with pytest.raises(NotAllowedError):
        file(make_user(is_active=False), client_record)
    assert nothing_was_stored()


def test_the_log_says_what_was_asked_and_by_whom(agent: User, client_record: Client) -> None:
    case = file(agent, client_record)
    entry = LogEntry.objects.get()
    assert (entry.verb, entry.by, entry.case) == (Verb.CASE_FILED, agent, case)
    assert entry.client == client_record
    assert entry.at == clock.now()
    assert entry.data["subscriptions"] == [client_record.subscriptions.get().billsby_id]
    assert entry.data["reason"] == "Too expensive"
    assert log.sentence(entry) == "filed the request (Call): Stop for now (suspend)"


def test_a_note_becomes_the_first_message(agent: User, client_record: Client) -> None:
    heard_at = clock.now() - dt.timedelta(hours=3)
    case = file(
        agent, client_record, note=" Please stop.\n", channel=Channel.EMAIL, received_at=heard_at
    )
    message = case.messages.get()
    assert (message.body, message.channel) == ("Please stop.", Channel.EMAIL)
    assert (message.direction, message.at, message.by) == (Message.Direction.IN, heard_at, agent)


def test_an_empty_note_is_no_message(agent: User, client_record: Client) -> None:
    assert not file(agent, client_record, note=" \n").messages.exists()


def test_the_case_starts_with_the_earliest_charge_of_its_scope(agent: User) -> None:
    client = make_client()
    soon, later = (clock.now() + dt.timedelta(days=days) for days in (2, 9))
    make_subscription(client, next_billing_at=later, next_billing_minor=100)
    make_subscription(client, next_billing_at=soon, next_billing_minor=200, currency="GBP")
    make_subscription(client, next_billing_at=None)
    stopped = make_subscription(client, Subscription.Status.SUSPENDED)
    Subscription.objects.filter(pk=stopped.pk).update(next_billing_at=clock.now())
    case = file(agent, client)
    assert (case.next_charge_at, case.next_charge_minor, case.currency) == (soon, 200, "GBP")


def test_a_scope_that_is_not_charged_has_no_next_charge(agent: User) -> None:
    client = make_client()
    make_subscription(client, Subscription.Status.SUSPENDED)
    case = file(agent, client)
    assert (case.next_charge_at, case.next_charge_minor, case.currency) == (None, None, "")


# ---------------------------------------------------------------- when it came


def test_a_request_can_have_come_earlier(agent: User, client_record: Client) -> None:
    yesterday = clock.now() - dt.timedelta(days=1)
    case = file(agent, client_record, received_at=yesterday)
    assert (case.received_at, case.filed_at) == (yesterday, clock.now())


def test_a_request_can_have_come_this_very_moment(agent: User, client_record: Client) -> None:
    assert file(agent, client_record, received_at=clock.now()).received_at == clock.now()


def test_a_request_cannot_come_from_the_future(agent: User, client_record: Client) -> None:
    with pytest.raises(CaseError, match="cannot have come in the future"):
        file(agent, client_record, received_at=clock.now() + dt.timedelta(seconds=1))
    assert nothing_was_stored()


# ---------------------------------------------------------------- its scope


def test_a_request_without_a_subscription_is_refused(agent: User, client_record: Client) -> None:
    with pytest.raises(CaseError, match="at least one subscription"):
        file(agent, client_record, subscriptions=[])
    assert nothing_was_stored()


def test_a_subscription_of_another_client_is_refused(agent: User, client_record: Client) -> None:
    strange = make_subscription(make_client("Otto", "Grove"))
    with pytest.raises(CaseError, match="belongs to another client"):
        file(agent, client_record, subscriptions=[client_record.subscriptions.get(), strange])
    assert nothing_was_stored()


def test_what_is_cancelled_already_is_refused_by_name(agent: User) -> None:
    client = make_client()
    live = make_subscription(client)
    gone = make_subscription(client, Subscription.Status.CANCELLED)
    with pytest.raises(CaseError, match=f"{gone.billsby_id}.*already cancelled"):
        file(agent, client, subscriptions=[live, gone])
    assert nothing_was_stored()


@pytest.mark.parametrize(
    "status", [one for one in Subscription.Status if one != Subscription.Status.CANCELLED]
)
def test_whatever_else_billsby_says_can_be_filed(agent: User, status: Any) -> None:
    client = make_client()
    make_subscription(client, status)
    assert file(agent, client).scope.get().is_open


@pytest.mark.parametrize("wish", [Wish.SUSPEND, Wish.UNSURE])
def test_what_a_closed_case_has_suspended_is_not_asked_for_again(agent: User, wish: Wish) -> None:
    client = make_client()
    live = make_subscription(client)
    stopped = make_subscription(client, Subscription.Status.SUSPENDED)
    case = make_case(State.CLOSED, client=client, subscriptions=[stopped])
    for scope in ([stopped], [live, stopped]):
        with pytest.raises(CaseError, match=f"{case.number} stopped it.*wish to cancel for good"):
            file(agent, client, subscriptions=scope, wish=wish, is_read_now=True)
    assert Case.objects.get() == case
    assert file(agent, client, subscriptions=[live], wish=wish, is_read_now=True).is_open


def test_what_is_suspended_only_by_an_old_copy_can_be_filed(agent: User) -> None:
    client = make_client()
    stopped = make_subscription(client, Subscription.Status.SUSPENDED)
    make_case(State.CLOSED, client=client, subscriptions=[stopped])
    assert file(agent, client).is_open


def test_what_a_closed_case_has_suspended_can_still_be_cancelled_for_good(agent: User) -> None:
    client = make_client()
    stopped = make_subscription(client, Subscription.Status.SUSPENDED)
    make_case(State.CLOSED, client=client, subscriptions=[stopped])
    assert file(agent, client, wish=Wish.CANCEL, is_read_now=True).is_open


@pytest.mark.parametrize("ended", [State.RETAINED, State.WITHDRAWN])
def test_what_was_suspended_without_a_closed_case_can_be_filed(agent: User, ended: State) -> None:
    client = make_client()
    stopped = make_subscription(client, Subscription.Status.SUSPENDED)
    make_case(ended, client=client, subscriptions=[stopped])
    assert file(agent, client, is_read_now=True).is_open


def test_what_was_switched_on_again_after_a_closed_case_can_be_filed(agent: User) -> None:
    client = make_client()
    make_case(State.CLOSED, client=client, subscriptions=[make_subscription(client)])
    assert file(agent, client, is_read_now=True).is_open


def test_of_two_closed_cases_the_newer_one_stopped_it(db: None) -> None:
    client = make_client()
    stopped = make_subscription(client, Subscription.Status.SUSPENDED)
    make_case(State.CLOSED, client=client, subscriptions=[stopped])
    newer = make_case(State.CLOSED, client=client, subscriptions=[stopped])
    assert cases.stopped_by([stopped]) == {stopped.pk: newer}


def test_a_subscription_named_twice_counts_once(agent: User, client_record: Client) -> None:
    once = client_record.subscriptions.get()
    case = file(agent, client_record, subscriptions=[once, Subscription.objects.get(pk=once.pk)])
    assert case.scope.count() == 1


# ---------------------------------------------------------------- one open case each


def test_a_subscription_is_in_one_open_case_at_most(agent: User, client_record: Client) -> None:
    standing = file(agent, client_record)
    with pytest.raises(AlreadyOpenError) as refused:
        file(agent, client_record, form_token="another")
    assert refused.value.case == standing
    assert str(refused.value) == (
        f"Nora Field already has an open case, {standing.number}. Open it instead."
    )
    assert Case.objects.count() == LogEntry.objects.count() == 1


def test_one_taken_subscription_refuses_the_whole_request(agent: User) -> None:
    client = make_client()
    first, second = make_subscription(client), make_subscription(client)
    file(agent, client, subscriptions=[first])
    with pytest.raises(AlreadyOpenError):
        file(agent, client, subscriptions=[second, first])
    assert cases.open_case_of([second]) is None


def test_two_subscriptions_can_have_a_case_each(agent: User) -> None:
    client = make_client()
    first, second = make_subscription(client), make_subscription(client)
    cases_made = [file(agent, client, subscriptions=[each]) for each in (first, second)]
    assert [cases.open_case_of([each]) for each in (first, second)] == cases_made


@pytest.mark.parametrize("ended", [State.CLOSED, State.RETAINED, State.WITHDRAWN])
def test_an_ended_case_does_not_stand_in_the_way(
    agent: User, client_record: Client, ended: State
) -> None:
    subscriptions = list(client_record.subscriptions.all())
    make_case(ended, client=client_record, subscriptions=subscriptions)
    assert file(agent, client_record).state == State.NEW


def test_the_database_itself_refuses_a_second_open_case(agent: User, client_record: Client) -> None:
    file(agent, client_record)
    other = make_case(client=client_record)
    with pytest.raises(IntegrityError):
        CaseSubscription.objects.create(
            case=other, subscription=client_record.subscriptions.earliest("pk")
        )


# ---------------------------------------------------------------- the same form again


def test_the_same_form_again_is_the_same_case(agent: User, client_record: Client) -> None:
    first = file(agent, client_record, form_token="t1", note="Stop.")
    again = file(agent, client_record, form_token="t1", note="Stop.")
    assert again == first
    assert Message.objects.count() == LogEntry.objects.count() == 1


def test_the_same_form_is_the_same_case_even_when_it_has_ended(
    agent: User, client_record: Client
) -> None:
    first = file(agent, client_record, form_token="t1")
    cases.withdraw(first, by=agent, because=cases.WithdrawBecause.NOT_A_CANCELLATION)
    assert file(agent, client_record, form_token="t1") == first


def test_a_form_gone_back_to_for_another_subscription_is_another_request(agent: User) -> None:
    client = make_client()
    first, second = make_subscription(client), make_subscription(client)
    one = file(agent, client, subscriptions=[first], form_token="t1")
    other = file(agent, client, subscriptions=[second], form_token="t1")
    assert other != one
    assert other.scope.get().subscription == second
    assert other.form_token is None


def test_a_form_gone_back_to_for_more_says_what_is_open(agent: User) -> None:
    client = make_client()
    first, second = make_subscription(client), make_subscription(client)
    one = file(agent, client, subscriptions=[first], form_token="t1")
    with pytest.raises(AlreadyOpenError) as refused:
        file(agent, client, subscriptions=[first, second], form_token="t1")
    assert refused.value.case == one


def test_forms_without_a_token_are_not_each_other(agent: User) -> None:
    clients = [make_client(), make_client()]
    for client in clients:
        make_subscription(client)
    assert len({file(agent, client, form_token="").pk for client in clients}) == 2
    assert cases.posted_before("", []) is None
    assert cases.posted_before(None, []) is None


def in_between(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen between the look for a standing case and the writing."""
    check = cases._check_scope

    def check_and_be_overtaken(*args: Any) -> None:
        monkeypatch.setattr(cases, "_check_scope", check)
        check(*args)
        happens()

    monkeypatch.setattr(cases, "_check_scope", check_and_be_overtaken)


def test_a_form_overtaken_by_itself_is_one_case(
    agent: User, client_record: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_between(monkeypatch, lambda: file(agent, client_record, form_token="t1"))
    late = file(agent, client_record, form_token="t1")
    assert late == Case.objects.get()


def test_a_form_overtaken_by_itself_before_the_look_is_one_case(
    agent: User, client_record: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the look was two looks, a form stored between them was told that it is open."""
    look = cases._named_by

    def look_and_be_overtaken(token: str | None) -> Case | None:
        monkeypatch.setattr(cases, "_named_by", look)
        seen = look(token)
        file(agent, client_record, form_token="t1")
        return seen

    monkeypatch.setattr(cases, "_named_by", look_and_be_overtaken)
    assert file(agent, client_record, form_token="t1") == Case.objects.get()


def test_a_request_overtaken_by_another_is_told_of_it(
    agent: User, client_record: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_between(monkeypatch, lambda: file(agent, client_record, form_token="hers"))
    with pytest.raises(AlreadyOpenError) as refused:
        file(agent, client_record, form_token="his")
    assert refused.value.case == Case.objects.get(form_token="hers")


def test_what_else_the_database_refuses_is_not_hidden(
    agent: User, client_record: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise IntegrityError("something else")

    monkeypatch.setattr(log, "record", refuse)
    with pytest.raises(IntegrityError, match="something else"):
        file(agent, client_record, form_token="t1")
    assert nothing_was_stored()


# ---------------------------------------------------------------- all or nothing


@pytest.mark.parametrize(
    "breaks",
    ["canceldesk.cases.log.record", "canceldesk.cases.waking.wake"],
)
def test_a_failure_half_way_leaves_nothing(
    agent: User, client_record: Client, monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(breaks, fail)
    with pytest.raises(RuntimeError):
        file(agent, client_record, note="Stop.")
    assert nothing_was_stored()


def test_a_filed_case_is_due_at_once(agent: User, client_record: Client, woken: list[int]) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        case = file(agent, client_record)
        assert woken == []
    assert woken == [case.pk]
    assert list(waking.due(clock.now())) == [case]


def test_the_same_form_again_wakes_nobody(
    agent: User, client_record: Client, woken: list[int]
) -> None:
    file(agent, client_record, form_token="t1")
    with TestCase.captureOnCommitCallbacks(execute=True):
        file(agent, client_record, form_token="t1")
    assert woken == []


def test_an_engine_that_cannot_be_told_does_not_unsay_the_request(
    agent: User, client_record: Client, caplog: pytest.LogCaptureFixture
) -> None:
    def unreachable(**_signal: object) -> None:
        raise OSError("no engine")

    waking.case_woken.connect(unreachable)
    try:
        with TestCase.captureOnCommitCallbacks(execute=True):
            case = file(agent, client_record)
    finally:
        waking.case_woken.disconnect(unreachable)
    assert Case.objects.get() == case
    assert "no engine" in caplog.text
