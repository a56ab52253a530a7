"""A request is stored, whatever Billsby does meanwhile."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from canceldesk import clock, outside
from canceldesk.accounts.models import User
from canceldesk.cases.authority import NotAllowedError
from canceldesk.cases.models import Case, Channel, Message, Reason, State, Wish
from canceldesk.cases.services import AlreadyOpenError, CaseError
from canceldesk.clients.models import Client
from canceldesk.configuration.reading import BadSettingError
from canceldesk.intake import services as intake
from canceldesk.intake.services import Filed
from tests.closing.conftest import Desk
from tests.factories import make_case, make_client, make_subscription

File = Callable[..., Filed]


@pytest.fixture
def client(desk: Desk) -> Client:
    """Somebody with one running subscription, read a day ago."""
    customer, _ = desk.client()
    client = desk.mirrored(customer.uid)
    desk.later(days=1)
    return client


@pytest.fixture
def file(desk: Desk, client: Client) -> File:
    """Fill in and post the form."""

    def filing(**said: Any) -> Filed:
        by: User = said.pop("by", desk.agent)
        return intake.file_by_form(
            **{
                "by": by,
                "client": client,
                "subscription_ids": [one.pk for one in client.subscriptions.all()],
                "wish": Wish.SUSPEND,
                "channel": Channel.CALL,
                "reason": Reason.objects.get(key="no_results"),
                "form_token": "token-1",
                **said,
            }
        )

    return filing


def calls(desk: Desk) -> int:
    return len(desk.company.calls())


def test_filing_reads_billsby_first_so_that_the_next_charge_is_right(
    desk: Desk, client: Client, file: File
) -> None:
    service = client.subscriptions.get()
    moved = clock.now() + dt.timedelta(days=20)
    desk.company.panel_change_bill_date(service.billsby_id, moved)
    filed = file()
    assert (filed.is_new, filed.problem) == (True, "")
    assert filed.case.next_charge_at == moved
    assert filed.case.next_charge_minor == 9900


def test_everything_said_is_kept(file: File) -> None:
    at = clock.now() - dt.timedelta(hours=14)
    case = file(
        wish=Wish.CANCEL,
        channel=Channel.TEXT,
        reason_words=" It is too much ",
        note="Left a voicemail",
        received_at=at,
    ).case
    case.refresh_from_db()
    assert (case.wish, case.channel, case.reason.key) == ("cancel", "text", "no_results")
    assert (case.reason_words, case.received_at) == ("It is too much", at)
    message = Message.objects.get(case=case)
    assert (message.body, message.at, message.channel) == ("Left a voicemail", at, "text")


def test_what_was_read_just_now_is_not_read_again(desk: Desk, client: Client, file: File) -> None:
    assert intake.look(client) == ""
    before = calls(desk)
    file()
    assert calls(desk) == before


def test_a_copy_goes_stale(client: Client) -> None:
    assert not intake.is_fresh(client), "read a day ago"
    intake.look(client)
    assert intake.is_fresh(client)
    clock.advance(intake.FRESH + dt.timedelta(seconds=1))
    assert not intake.is_fresh(client)


def test_what_only_a_list_told_is_not_fresh(desk: Desk) -> None:
    client = make_client()
    assert not intake.is_fresh(client), "no subscription known at all"
    make_subscription(client)
    assert not intake.is_fresh(client), "its next charge was never read"


@pytest.mark.parametrize("how", ["503", "refuse"])
def test_while_billsby_is_down_the_request_is_stored_from_the_copy(
    desk: Desk, client: Client, file: File, how: str
) -> None:
    next_charge = client.subscriptions.get().next_billing_at
    desk.company.set_down(how)
    filed = file()
    assert filed.is_new
    assert "Billsby" in filed.problem
    assert Case.objects.get() == filed.case
    assert filed.case.next_charge_at == next_charge


@pytest.fixture
def stopped_before(desk: Desk, client: Client) -> Case:
    """Their service was suspended for a case that is closed, and read so a day ago."""
    uid = client.subscriptions.get().billsby_id
    case = make_case(State.CLOSED, client=client, subscriptions=[client.subscriptions.get()])
    desk.company.panel_suspend(uid)
    desk.mirrored(client.billsby_id)
    desk.later(days=1)
    return case


def test_who_came_back_and_asks_again_is_not_turned_away_by_an_old_copy(
    desk: Desk, client: Client, file: File, stopped_before: Case
) -> None:
    desk.company.panel_activate(client.subscriptions.get().billsby_id)
    desk.company.set_down()
    filed = file()
    assert filed.is_new
    assert filed.case.is_open


def test_what_is_suspended_still_is_refused_when_billsby_has_just_said_so(
    file: File, stopped_before: Case
) -> None:
    with pytest.raises(CaseError, match=f"{stopped_before.number} stopped it"):
        file()
    assert Case.objects.get() == stopped_before


@pytest.mark.django_db(transaction=True)  # PostgreSQL's refusal would end a test's own transaction
def test_what_cannot_be_stored_of_billsbys_answer_keeps_no_request_from_it(
    desk: Desk, client: Client, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_charge = client.subscriptions.get().next_billing_at
    honest = desk.billsby.subscription
    monkeypatch.setattr(
        desk.billsby, "subscription", lambda uid: replace(honest(uid), next_billing_minor=10**20)
    )
    filed = file()
    assert filed.problem == "What Billsby says of this client could not be stored."
    assert Case.objects.get() == filed.case
    assert filed.case.next_charge_at == next_charge


def test_nobody_on_the_phone_waits_for_a_billsby_that_hangs(
    client: Client, file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    class Hanging:
        def customer(self, billsby_id: str) -> None:
            released.wait(30)

    monkeypatch.setattr(intake, "PATIENCE_SECONDS", 0.01)
    try:
        with outside.using(billsby=Hanging()):  # type: ignore[arg-type]
            filed = file()
    finally:
        released.set()
    assert filed.problem.startswith("Billsby has not answered within")
    assert Case.objects.count() == 1


@pytest.mark.parametrize(
    "problem",
    [outside.NotSetUpError("Billsby is not set up yet."), BadSettingError("Enter the key again.")],
)
def test_a_desk_that_is_not_set_up_stores_the_request_too(
    client: Client, file: File, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def no_billsby() -> None:
        raise problem

    monkeypatch.setattr(outside, "billsby", no_billsby)
    assert file().problem == str(problem)
    assert Case.objects.count() == 1


def test_a_fault_of_the_desks_own_is_not_hidden(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def customer(self, billsby_id: str) -> None:
            raise ZeroDivisionError

    with outside.using(billsby=Broken()), pytest.raises(ZeroDivisionError):  # type: ignore[arg-type]
        intake.look(client)


def test_the_same_form_posted_twice_is_one_case_even_while_billsby_is_down(
    desk: Desk, file: File
) -> None:
    first = file()
    desk.company.set_down("503")
    clock.advance(dt.timedelta(hours=1))
    second = file()
    assert (first.is_new, second.is_new) == (True, False)
    assert first.case == second.case
    assert second.problem == ""


def test_a_page_gone_back_to_and_filled_in_for_another_service_is_another_request(
    desk: Desk, client: Client, file: File
) -> None:
    first = client.subscriptions.get()
    desk.company.add_subscription(client.billsby_id)
    client = desk.mirrored(client.billsby_id)
    other = client.subscriptions.exclude(pk=first.pk).get()
    one = file(subscription_ids=[first.pk])
    two = file(subscription_ids=[other.pk])
    assert two.is_new
    assert one.case != two.case


def test_another_form_for_the_same_subscription_names_the_open_case(file: File) -> None:
    first = file()
    with pytest.raises(AlreadyOpenError) as refused:
        file(form_token="token-2")
    assert refused.value.case == first.case
    assert Case.objects.count() == 1


def test_what_billsby_has_cancelled_meanwhile_is_refused(
    desk: Desk, client: Client, file: File
) -> None:
    service = client.subscriptions.get()
    desk.company.panel_cancel(service.billsby_id, client.billsby_id)
    with pytest.raises(CaseError, match="already cancelled"):
        file()


def test_somebody_elses_subscription_is_refused(desk: Desk, file: File) -> None:
    other = make_subscription(make_client("Anna", "Berg"))
    with pytest.raises(CaseError, match="belongs to another client"):
        file(subscription_ids=[other.pk])
    assert not Case.objects.exists()


def test_nothing_chosen_is_refused(file: File) -> None:
    with pytest.raises(CaseError, match="at least one"):
        file(subscription_ids=[])


def test_somebody_switched_off_files_nothing(desk: Desk, file: File) -> None:
    desk.agent.is_active = False
    before = calls(desk)
    with pytest.raises(NotAllowedError):
        file()
    assert calls(desk) == before
