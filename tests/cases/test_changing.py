"""What changes a case after it was filed: messages, withdrawing, moving, retrying, attention."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import TestCase

from canceldesk import clock
from canceldesk.accounts.models import Role, User
from canceldesk.cases import log, waking
from canceldesk.cases import services as cases
from canceldesk.cases.authority import NotAllowedError
from canceldesk.cases.log import Verb
from canceldesk.cases.models import (
    OPEN_STATES,
    UNDECIDED_STATES,
    Case,
    Channel,
    LogEntry,
    Message,
    State,
    WaitsFor,
)
from canceldesk.cases.services import CaseError, MovedOnError, WithdrawBecause
from tests.factories import make_case, make_client, make_subscription, make_user

pytestmark = pytest.mark.usefixtures("frozen_clock", "db")

DECIDED_STATES = [state for state in State if state not in UNDECIDED_STATES]


def said(case: Case, by: User, body: str = "Call me tomorrow.", **fields: object) -> Message:
    return cases.add_message(
        case,
        by=by,
        direction=Message.Direction.IN,
        channel=Channel.TEXT,
        body=body,
        **fields,  # type: ignore[arg-type]
    )


def is_due(case: Case) -> bool:
    return waking.due(clock.now()).filter(pk=case.pk).exists()


# ---------------------------------------------------------------- messages


def test_a_note_that_is_sent_twice_is_noted_once(agent: User) -> None:
    case = make_case()
    first = said(case, agent, form_token="t")
    assert said(case, agent, " Call me tomorrow.", form_token="t") == first
    assert (Message.objects.count(), LogEntry.objects.count()) == (1, 1)


def test_other_words_from_the_same_form_are_not_lost(agent: User) -> None:
    case = make_case()
    said(case, agent, form_token="t")
    said(case, agent, "Call me on Friday.", form_token="t")
    said(make_case(), agent, form_token="t")
    said(case, agent)
    said(case, agent)
    assert Message.objects.count() == 5


def test_a_message_is_kept_as_it_was_said(agent: User) -> None:
    case = make_case()
    message = said(case, agent, "  Call me\ntomorrow. \n")
    message.refresh_from_db()
    assert message.body == "Call me\ntomorrow."
    assert (message.case, message.by, message.at) == (case, agent, clock.now())
    assert (message.direction, message.channel) == (Message.Direction.IN, Channel.TEXT)
    assert str(message) == "From the client 2026-11-20 15:00"


def test_a_message_is_logged_and_shown(agent: User) -> None:
    case = make_case()
    said(case, agent)
    entry = LogEntry.objects.get()
    assert (entry.verb, entry.by, entry.case) == (Verb.CASE_MESSAGE, agent, case)
    assert log.sentence(entry) == "noted a message (Text)"
    case.refresh_from_db()
    assert case.version == 1


def test_a_message_can_have_come_earlier(agent: User) -> None:
    earlier = clock.now() - dt.timedelta(days=2)
    assert said(make_case(), agent, at=earlier).at == earlier


@pytest.mark.parametrize("body", ["", " ", "\n\t "])
def test_a_message_with_nothing_in_it_is_refused(agent: User, body: str) -> None:
    with pytest.raises(CaseError, match="Write what was said"):
        said(make_case(), agent, body)
    assert not Message.objects.exists()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("state", State)
def test_clients_go_on_talking_whatever_the_state(agent: User, state: State) -> None:
    case = make_case(state)
    said(case, agent)
    assert case.messages.count() == 1


def test_somebody_switched_off_notes_nothing() -> None:
    with pytest.raises(NotAllowedError):
        said(make_case(), make_user(is_active=False))
    assert not Message.objects.exists()


def test_messages_are_told_in_the_order_they_were_said(agent: User) -> None:
    case = make_case()
    now = clock.now()
    said(case, agent, "second", at=now)
    said(case, agent, "first", at=now - dt.timedelta(hours=1))
    said(case, agent, "third", at=now)
    assert [message.body for message in case.messages.all()] == ["first", "second", "third"]


# ---------------------------------------------------------------- withdrawing


@pytest.mark.parametrize("state", UNDECIDED_STATES)
@pytest.mark.parametrize("because", WithdrawBecause.LABELS)
def test_a_manager_withdraws_what_nobody_has_decided(
    manager: User, state: State, because: str, woken: list[int]
) -> None:
    case = make_case(state)
    make_case(client=case.client)
    with TestCase.captureOnCommitCallbacks(execute=True):
        cases.withdraw(case, by=manager, because=because)
    assert case.state == State.WITHDRAWN
    assert case.ended_at == clock.now()
    assert case.withdrawn_because == WithdrawBecause.LABELS[because]
    assert not case.scope.get().is_open
    assert woken == [case.pk]
    assert is_due(case)


@pytest.mark.parametrize("state", DECIDED_STATES)
def test_what_is_decided_cannot_be_withdrawn(manager: User, state: State) -> None:
    case = make_case(state)
    with pytest.raises(MovedOnError, match=f"is already {state.label.lower()}"):
        cases.withdraw(case, by=manager, because=WithdrawBecause.DUPLICATE)
    case.refresh_from_db()
    assert case.state == state
    assert case.withdrawn_because == ""
    assert not LogEntry.objects.exists()
    assert not is_due(case)


def test_an_agent_withdraws_what_was_no_cancellation(agent: User) -> None:
    case = make_case()
    cases.withdraw(case, by=agent, because=WithdrawBecause.NOT_A_CANCELLATION)
    assert case.state == State.WITHDRAWN


@pytest.mark.parametrize("because", WithdrawBecause.LABELS)
def test_an_agent_may_not_withdraw_what_a_manager_has_taken_up(agent: User, because: str) -> None:
    case = make_case(State.RETENTION)
    make_case(client=case.client)
    with pytest.raises(NotAllowedError, match=r"withdraw a case that is in retention\. Ask a man"):
        cases.withdraw(case, by=agent, because=because)
    case.refresh_from_db()
    assert case.state == State.RETENTION
    assert not LogEntry.objects.exists()


def test_an_agent_who_has_not_seen_the_manager_take_it_up_withdraws_nothing(agent: User) -> None:
    case = make_case()
    cases.move(Case.objects.get(), State.RETENTION, only_from=[State.NEW])
    with pytest.raises(MovedOnError, match="is already in retention"):
        cases.withdraw(case, by=agent, because=WithdrawBecause.NOT_A_CANCELLATION)
    assert case.state == State.RETENTION


@pytest.mark.parametrize("other", [None, State.CLOSED, State.RETAINED, State.WITHDRAWN])
def test_filed_twice_needs_another_open_case_of_the_client(
    manager: User, other: State | None
) -> None:
    case = make_case()
    make_case(client=make_client("Otto", "Grove"))
    if other is not None:
        make_case(other, client=case.client)
    with pytest.raises(CaseError, match="has no other open case") as refused:
        cases.withdraw(case, by=manager, because=WithdrawBecause.DUPLICATE)
    assert case.number in str(refused.value)
    case.refresh_from_db()
    assert case.state == State.NEW
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("other", OPEN_STATES)
def test_of_two_open_cases_of_a_client_one_can_have_been_filed_twice(
    manager: User, other: State
) -> None:
    case = make_case()
    standing = make_case(other, client=case.client)
    cases.withdraw(case, by=manager, because=WithdrawBecause.DUPLICATE)
    standing.refresh_from_db()
    assert (case.state, standing.state) == (State.WITHDRAWN, other)


def test_an_agent_who_says_filed_twice_learns_what_the_other_case_is_about(agent: User) -> None:
    case = make_case()
    other = make_case(client=case.client)
    mine, theirs = (one.scope.get().subscription for one in (case, other))
    with pytest.raises(NotAllowedError) as refused:
        cases.withdraw(case, by=agent, because=WithdrawBecause.DUPLICATE)
    assert str(refused.value) == (
        "An agent may not say that a case was filed twice. Ask a manager or an admin. "
        f"{other.number} is about {theirs}; this case is about {mine}."
    )
    case.refresh_from_db()
    assert case.state == State.NEW
    assert not LogEntry.objects.exists()


def test_an_agent_may_not_say_filed_twice_of_a_clients_only_case(agent: User) -> None:
    case = make_case()
    with pytest.raises(NotAllowedError, match=r"filed twice\. Ask a manager or an admin\.$"):
        cases.withdraw(case, by=agent, because=WithdrawBecause.DUPLICATE)
    case.refresh_from_db()
    assert case.state == State.NEW


def test_an_agent_may_not_say_that_the_client_changed_their_mind(agent: User) -> None:
    case = make_case()
    with pytest.raises(NotAllowedError, match="changed their mind. Ask a manager"):
        cases.withdraw(case, by=agent, because=WithdrawBecause.CHANGED_MIND)
    case.refresh_from_db()
    assert case.state == State.NEW
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("because", ["", "no_such", "It was filed twice"])
def test_withdrawing_needs_one_of_the_reasons(manager: User, because: str) -> None:
    case = make_case()
    with pytest.raises(CaseError, match="Say why"):
        cases.withdraw(case, by=manager, because=because)
    assert case.state == State.NEW


def test_somebody_switched_off_withdraws_nothing() -> None:
    case = make_case()
    with pytest.raises(NotAllowedError):
        cases.withdraw(
            case, by=make_user(Role.ADMIN, is_active=False), because=WithdrawBecause.DUPLICATE
        )
    case.refresh_from_db()
    assert case.is_open


def test_the_words_of_who_withdrew_are_kept(manager: User) -> None:
    case = make_case()
    make_case(client=case.client)
    cases.withdraw(case, by=manager, because=WithdrawBecause.DUPLICATE, words=" see C-00001 ")
    assert case.withdrawn_because == "It was filed twice (see C-00001)"
    entry = LogEntry.objects.get()
    assert log.sentence(entry) == "withdrew the case: It was filed twice (see C-00001)"


def test_a_long_story_is_cut_on_the_case_and_whole_in_the_log(agent: User) -> None:
    case = make_case()
    words = "x" * 300
    cases.withdraw(case, by=agent, because=WithdrawBecause.NOT_A_CANCELLATION, words=words)
    assert len(case.withdrawn_because) == 200
    assert words in LogEntry.objects.get().data["why"]


def test_a_withdrawn_subscription_can_be_filed_anew(agent: User) -> None:
    case = make_case()
    subscription = case.scope.get().subscription
    cases.withdraw(case, by=agent, because=WithdrawBecause.NOT_A_CANCELLATION)
    assert cases.open_case_of([subscription]) is None


# ---------------------------------------------------------------- moving


def test_of_two_who_saw_the_same_state_one_moves_it() -> None:
    mine = make_case()
    theirs = Case.objects.get(pk=mine.pk)
    cases.move(theirs, State.WITHDRAWN, only_from=[State.NEW])
    with pytest.raises(MovedOnError) as refused:
        cases.move(mine, State.RETENTION, only_from=[State.NEW])
    assert str(refused.value) == (
        f"{mine.number} is already withdrawn. Look at it again before you go on."
    )
    assert mine.state == State.WITHDRAWN


def test_who_comes_late_reads_that_a_case_is_in_retention() -> None:
    case = make_case(State.RETENTION)
    with pytest.raises(MovedOnError, match="is already in retention"):
        cases.move(case, State.WITHDRAWN, only_from=[State.NEW])


def test_a_refused_move_changes_nothing() -> None:
    case = make_case(State.CLOSING)
    before = Case.objects.values().get()
    with pytest.raises(MovedOnError):
        cases.move(case, State.WITHDRAWN, only_from=UNDECIDED_STATES, withdrawn_because="x")
    assert Case.objects.values().get() == before
    assert case.scope.get().is_open


@pytest.mark.parametrize("to", [State.RETENTION, State.WITHDRAWN])
def test_the_scope_is_open_exactly_as_long_as_the_case(to: State) -> None:
    client = make_client()
    case = make_case(client=client, subscriptions=[make_subscription(client) for _ in range(2)])
    cases.move(case, to, only_from=[State.NEW])
    assert case.is_open is (to in OPEN_STATES)
    assert {scope.is_open for scope in case.scope.all()} == {case.is_open}
    assert (case.ended_at is None) is case.is_open


def test_moving_takes_its_fields_along_and_shows() -> None:
    case = make_case()
    cases.move(case, State.WITHDRAWN, only_from=[State.NEW], withdrawn_because="a test")
    stored = Case.objects.get()
    assert (stored.withdrawn_because, stored.version) == ("a test", 1)
    assert case.withdrawn_because == "a test"


def test_a_case_that_was_moved_is_as_it_is_stored_but_for_what_pages_compare() -> None:
    case = make_case(waits_for=WaitsFor.PERSON, waits_sentence="Suspend it in Billsby.")
    cases.move(case, State.WITHDRAWN, only_from=[State.NEW], withdrawn_because="a test")
    stored = Case.objects.get()
    for field in {one.attname for one in Case._meta.concrete_fields} - {"version"}:
        assert getattr(case, field) == getattr(stored, field), field
    assert (stored.waits_for, stored.waits_sentence) == (WaitsFor.NOTHING, "")


# ---------------------------------------------------------------- retrying


@pytest.mark.parametrize("state", State)
def test_anybody_can_have_the_desk_try_again(agent: User, state: State, woken: list[int]) -> None:
    case = make_case(state)
    with TestCase.captureOnCommitCallbacks(execute=True):
        cases.retry(case, by=agent)
    assert woken == [case.pk]
    assert is_due(case)
    entry = LogEntry.objects.get()
    assert (entry.verb, entry.by) == (Verb.CASE_RETRIED, agent)


def test_somebody_switched_off_retries_nothing() -> None:
    case = make_case()
    with pytest.raises(NotAllowedError):
        cases.retry(case, by=make_user(is_active=False))
    assert not is_due(case)


# ---------------------------------------------------------------- attention


def test_attention_is_flagged_with_a_reason_and_a_time() -> None:
    case = make_case()
    cases.set_attention(case, "Close the workbook.")
    for seen in (case, Case.objects.get()):
        assert (seen.attention, seen.attention_since) == ("Close the workbook.", clock.now())
    assert Case.objects.get().version == 1
    entry = LogEntry.objects.get()
    assert (entry.verb, entry.by) == (Verb.CASE_ATTENTION, None)
    assert log.sentence(entry) == "needs attention: Close the workbook."


def test_the_same_attention_is_no_news() -> None:
    case = make_case()
    cases.set_attention(case, "Close the workbook.")
    since = clock.now()
    clock.advance(dt.timedelta(hours=1))
    cases.set_attention(case, "Close the workbook.")
    assert case.attention_since == since
    assert LogEntry.objects.count() == 1
    assert Case.objects.get().version == 1


def test_somebody_with_an_old_copy_of_the_case_reports_no_news() -> None:
    case = make_case()
    old = Case.objects.get()
    cases.set_attention(case, "Close the workbook.")
    cases.set_attention(old, "Close the workbook.")
    assert LogEntry.objects.count() == 1
    assert old.attention_since == case.attention_since


def test_attention_ends_and_says_so_once() -> None:
    case = make_case()
    cases.set_attention(case, "Close the workbook.")
    cases.set_attention(case, "")
    cases.set_attention(case, "")
    assert (case.attention, case.attention_since) == ("", None)
    verbs = list(LogEntry.objects.values_list("verb", flat=True))
    assert verbs == [Verb.CASE_ATTENTION, Verb.CASE_ATTENTION_OVER]


def test_that_a_manager_must_decide_again_stands_until_one_has() -> None:
    case = make_case()
    cases.set_attention(case, cases.DECIDE_AGAIN)
    cases.set_attention(case, "Close the workbook.")
    assert case.attention == f"{cases.DECIDE_AGAIN} Close the workbook."
    cases.set_attention(case, "")
    assert case.attention == cases.DECIDE_AGAIN
    Case.objects.update(state=State.RETAINED)
    case.refresh_from_db()
    cases.set_attention(case, "")
    assert case.attention == ""


def test_another_reason_is_news() -> None:
    case = make_case()
    cases.set_attention(case, "Close the workbook.")
    clock.advance(dt.timedelta(hours=1))
    cases.set_attention(case, "Approve the write-offs.")
    assert case.attention_since == clock.now()
    assert LogEntry.objects.count() == 2


def test_attention_without_its_log_entry_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the power went")

    case = make_case()
    monkeypatch.setattr(log, "record", fail)
    with pytest.raises(RuntimeError):
        cases.set_attention(case, "Close the workbook.")
    assert Case.objects.get().attention == ""


def test_changed_makes_open_pages_look_again() -> None:
    case = make_case()
    cases.changed(case)
    cases.changed(case)
    assert Case.objects.get().version == 2
