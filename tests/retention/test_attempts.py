"""Attempts to keep a client."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import TestCase

from canceldesk import clock
from canceldesk.accounts.models import Role, User
from canceldesk.cases import log, waking
from canceldesk.cases.authority import NotAllowedError
from canceldesk.cases.log import Verb
from canceldesk.cases.models import UNDECIDED_STATES, Case, Channel, LogEntry, State
from canceldesk.cases.services import MovedOnError
from canceldesk.retention import services as retention
from canceldesk.retention.models import Attempt
from tests.factories import make_case, make_user

pytestmark = pytest.mark.usefixtures("frozen_clock", "db")

DECIDED_STATES = [state for state in State if state not in UNDECIDED_STATES]


def attempt(case: Case, by: User, **fields: Any) -> Attempt:
    given: dict[str, Any] = {
        "channel": Channel.CALL,
        "offer": Attempt.Offer.PAUSE,
        "answer": Attempt.Answer.THINKING,
    }
    return retention.attempt(case, by=by, **{**given, **fields})


def test_an_attempt_is_kept_with_offer_answer_and_words(manager: User) -> None:
    case = make_case()
    made = attempt(case, manager, note=" Two months free. \n")
    made.refresh_from_db()
    assert (made.case, made.by, made.at) == (case, manager, clock.now())
    assert (made.channel, made.note) == (Channel.CALL, "Two months free.")
    assert str(made) == "A pause: Thinking about it"
    assert made.form_token is None


def test_an_attempt_is_logged(manager: User) -> None:
    case = make_case()
    attempt(case, manager)
    entry = LogEntry.objects.get()
    assert (entry.verb, entry.by, entry.case) == (Verb.CASE_ATTEMPT, manager, case)
    assert log.sentence(entry) == "made a retention attempt: A pause, Thinking about it"


def test_the_first_attempt_moves_a_new_case_into_retention(manager: User) -> None:
    case = make_case()
    attempt(case, manager)
    assert case.state == State.RETENTION
    assert case.scope.get().is_open
    assert Case.objects.get().version > 0


def test_after_an_attempt_the_desk_looks_and_says_anew_what_the_case_waits_for(
    manager: User, woken: list[int]
) -> None:
    case = make_case(waits_sentence="Start it again in Billsby, or decide.")
    with TestCase.captureOnCommitCallbacks(execute=True):
        attempt(case, manager)
    assert woken == [case.pk]
    assert list(waking.due(clock.now())) == [case]


def test_more_attempts_leave_it_there(manager: User, admin: User) -> None:
    case = make_case()
    now = clock.now()
    late = attempt(case, manager)
    early = attempt(case, admin, at=now - dt.timedelta(hours=1))
    assert case.state == State.RETENTION
    assert list(case.attempts.all()) == [early, late]


@pytest.mark.parametrize("offer", Attempt.Offer)
@pytest.mark.parametrize("answer", Attempt.Answer)
def test_no_answer_decides_a_case_by_itself(
    manager: User, offer: Attempt.Offer, answer: Attempt.Answer
) -> None:
    case = make_case()
    attempt(case, manager, offer=offer, answer=answer)
    assert (case.state, case.decision) == (State.RETENTION, "")


@pytest.mark.parametrize("state", DECIDED_STATES)
def test_there_are_no_attempts_once_a_case_is_decided(manager: User, state: State) -> None:
    case = make_case(state)
    with pytest.raises(MovedOnError, match=f"is already {state.label.lower()}"):
        attempt(case, manager)
    assert not Attempt.objects.exists()
    assert not LogEntry.objects.exists()


def test_an_agent_makes_no_attempts(agent: User) -> None:
    case = make_case()
    with pytest.raises(NotAllowedError, match="Ask a manager or an admin"):
        attempt(case, agent)
    case.refresh_from_db()
    assert case.state == State.NEW
    assert not Attempt.objects.exists()


def test_a_manager_switched_off_makes_none_either() -> None:
    with pytest.raises(NotAllowedError):
        attempt(make_case(), make_user(Role.MANAGER, is_active=False))


# ---------------------------------------------------------------- the same form again


def test_the_same_form_again_is_the_same_attempt(manager: User) -> None:
    case = make_case()
    first = attempt(case, manager, form_token="t1")
    assert attempt(case, manager, form_token="t1") == first
    assert Attempt.objects.count() == LogEntry.objects.count() == 1


def test_the_same_form_is_the_same_attempt_even_after_the_decision(manager: User) -> None:
    case = make_case(State.RETENTION)
    first = attempt(case, manager, form_token="t1")
    Case.objects.filter(pk=case.pk).update(state=State.WITHDRAWN)
    assert attempt(case, manager, form_token="t1") == first


def test_attempts_without_a_token_are_not_each_other(manager: User) -> None:
    case = make_case()
    assert attempt(case, manager, form_token="") != attempt(case, manager, form_token="")
    assert Attempt.objects.filter(form_token=None).count() == 2


def test_a_form_overtaken_by_itself_is_one_attempt(
    manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = make_case()
    look = retention._posted_before

    def look_and_be_overtaken(*args: Any) -> None:
        monkeypatch.setattr(retention, "_posted_before", look)
        attempt(Case.objects.get(), manager, form_token="t1")

    monkeypatch.setattr(retention, "_posted_before", look_and_be_overtaken)
    assert attempt(case, manager, form_token="t1") == Attempt.objects.get()
    assert LogEntry.objects.count() == 1


def test_a_token_of_another_case_is_not_taken_for_an_attempt_in_this_one(manager: User) -> None:
    attempt(make_case(), manager, form_token="t1")
    case = make_case()
    with pytest.raises(IntegrityError):
        attempt(case, manager, form_token="t1")
    assert not case.attempts.exists()
    case.refresh_from_db()
    assert case.state == State.NEW


def test_what_else_the_database_refuses_is_not_hidden(
    manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise IntegrityError("something else")

    attempt(make_case(), manager)
    monkeypatch.setattr(log, "record", refuse)
    case = make_case()
    with pytest.raises(IntegrityError, match="something else"):
        attempt(case, manager)
    assert not case.attempts.exists()
    assert Case.objects.get(pk=case.pk).state == State.NEW
