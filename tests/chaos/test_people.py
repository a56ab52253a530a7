"""The people of a chaos run at the real pages, in this process: what they read there, what they do,
and what they write into the journal.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from billsby_sandbox.app import create_app
from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases.models import Case, State
from canceldesk.clients.models import Client
from canceldesk.closing.models import WriteOffApproval
from canceldesk.web.wsgi import application
from tests.chaos import plan
from tests.chaos.asked import do_what_is_asked
from tests.chaos.bookkeeper import Bookkeeper
from tests.chaos.errands import ROW_GONE, ROW_OFF, Company, Errand, Ways
from tests.chaos.interfaces import Person, SeededClient, Stage
from tests.chaos.panel_person import PanelPerson
from tests.chaos.plan import PlannedCase, make_plan
from tests.chaos.staff import NotNow, Staff
from tests.closing.conftest import Desk
from tests.fakes import FakeList

PASSWORD = "quiet-harbour-42"


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """A request leaves the test's connection open, as with Django's own test client."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def person(stage: Stage, user: User) -> Staff:
    user.set_password(PASSWORD)
    user.save()
    who = Person(user.role, user.name, user.email, PASSWORD)
    return Staff(stage, who, random.Random(1), httpx.WSGITransport(application))


@pytest.fixture
def agent(stage: Stage, desk: Desk) -> Iterator[Staff]:
    staff = person(stage, desk.agent)
    yield staff
    staff.close()


@pytest.fixture
def manager(stage: Stage, desk: Desk) -> Iterator[Staff]:
    staff = person(stage, desk.manager)
    yield staff
    staff.close()


@pytest.fixture
def panel(stage: Stage, desk: Desk) -> Iterator[PanelPerson]:
    staff = PanelPerson(stage, httpx.WSGITransport(create_app(desk.company)))
    yield staff
    staff.close()


def written(stage: Stage, what: str) -> list[dict[str, Any]]:
    return [entry for entry in stage.journal.entries() if entry["what"] == what]


def wish(desk: Desk, **changed: Any) -> PlannedCase:
    """A planned case of a new client of the desk's."""
    customer, subscription = desk.client()
    desk.mirrored(customer.uid)
    known = vars(make_plan(1, 1).cases[0]) | {"files_twice": False, "words": "said so"}
    return PlannedCase(**known | {"client": customer.uid, "scope": (subscription.uid,)} | changed)


def decided(desk: Desk) -> tuple[Case, str]:
    """A case that waits for the click, and the service."""
    _, subscription = desk.client()
    return desk.advance(desk.decided(subscription)), subscription.uid


def test_a_wish_is_filed_with_what_was_planned(desk: Desk, stage: Stage, agent: Staff) -> None:
    planned = wish(desk, wish="cancel", channel="text")
    case = Case.objects.get(pk=agent.file(planned))
    assert (case.client.billsby_id, case.wish, case.channel) == (planned.client, "cancel", "text")
    assert case.reason_words == "said so"
    (filed,) = written(stage, "filed")
    assert (filed["status"], filed["case"]) == (302, case.number)
    assert filed["subscriptions"] == list(planned.scope)
    assert filed["token"]


def test_who_finds_nobody_asks_billsby(desk: Desk, stage: Stage, agent: Staff) -> None:
    planned = wish(desk)
    Client.objects.update(gone_at=clock.now())
    assert Case.objects.get(pk=agent.file(planned)).client.billsby_id == planned.client
    (asked,) = written(stage, "asked_billsby")
    assert asked["found"]


def test_who_files_again_finds_the_case_that_stands(
    desk: Desk, stage: Stage, agent: Staff, manager: Staff
) -> None:
    planned = wish(desk)
    assert agent.file(planned) == manager.file(planned)
    assert len(written(stage, "filed")) == 1


def test_a_manager_tries_and_decides(desk: Desk, stage: Stage, manager: Staff) -> None:
    case = manager.file(wish(desk))
    page = manager.look(case)
    assert (page.state, page.number) == ("New", f"C-{case:05d}")
    manager.attempt(page)
    page = manager.look(case)
    assert page.state == "Retention"
    manager.decide(page, "suspend")
    assert manager.look(case).state == "Closing"
    (entry,) = written(stage, "decided")
    assert (entry["decision"], entry["status"]) == ("suspend", 303)


def test_a_full_cancellation_is_decided_with_the_typed_id(desk: Desk, manager: Staff) -> None:
    case = manager.file(wish(desk))
    manager.decide(manager.look(case), "cancel")
    assert Case.objects.get(pk=case).decision == "cancel"


def test_an_agent_may_not_decide(desk: Desk, agent: Staff) -> None:
    page = agent.look(agent.file(wish(desk)))
    with pytest.raises(NotNow):
        agent.decide(page, "suspend")


def test_a_case_is_withdrawn(desk: Desk, agent: Staff) -> None:
    case = agent.file(wish(desk))
    agent.withdraw(agent.look(case), plan.NOT_A_CANCELLATION)
    assert agent.look(case).is_over
    assert Case.objects.get(pk=case).state == State.WITHDRAWN


def test_what_was_filed_twice_is_no_cancellation_once_the_other_case_is_over(
    desk: Desk, stage: Stage, agent: Staff, manager: Staff
) -> None:
    case = agent.file(wish(desk))
    manager.withdraw(manager.look(case), plan.DUPLICATE)
    assert manager.look(case).is_over
    assert [one["because"] for one in written(stage, "withdrawn")] == [plan.NOT_A_CANCELLATION]


def test_only_what_is_offered_is_a_reason(desk: Desk, agent: Staff) -> None:
    case = agent.file(wish(desk))
    with pytest.raises(NotNow, match="cannot be withdrawn as changed_mind"):
        agent.withdraw(agent.look(case), plan.CHANGED_MIND)


def test_a_decision_is_taken_back(desk: Desk, manager: Staff) -> None:
    case, _ = decided(desk)
    manager.take_back(manager.look(case.pk))
    assert manager.look(case.pk).state == "Retention"


def test_an_agent_approves_within_the_limit_only(desk: Desk, stage: Stage, agent: Staff) -> None:
    _, small = desk.client("Ann")
    desk.invoice(small, 9000)
    _, large = desk.client("Bea")
    number = desk.invoice(large, 19000).number
    first, second = (desk.advance(desk.decided(one)) for one in (small, large))
    page = agent.look(first.pk)
    assert page.asks_for_approval
    agent.approve(page)
    page = agent.look(second.pk)
    assert page.asks_for_approval
    assert not page.to_approve
    agent.try_above_limit(page, [f"19000:{number}"])
    assert [one.case_id for one in WriteOffApproval.objects.all()] == [first.pk]
    assert [entry["refused"] for entry in written(stage, "approved")] == [False, True]


def test_a_manager_approves_while_deciding(desk: Desk, stage: Stage, manager: Staff) -> None:
    planned = wish(desk)
    service = desk.company.subscription(planned.scope[0])
    number = desk.invoice(service, 19000).number
    case = manager.file(planned)
    manager.decide(manager.look(case), "suspend", with_write_offs=True)
    assert written(stage, "decided")[0]["invoices"] == [[number, 19000]]
    assert WriteOffApproval.objects.get().invoice_number == number


def test_the_click_that_is_asked_for_is_made(
    desk: Desk, manager: Staff, panel: PanelPerson
) -> None:
    case, service = decided(desk)
    (asked,) = manager.look(case.pk).clicks
    assert (asked.subscription, asked.can_release, asked.is_lifted) == (service, True, False)
    assert panel.suspend(service)
    desk.advance(case)
    assert manager.look(case.pk).state == "Closed"


def test_the_hold_is_released_for_the_click(
    desk: Desk, stage: Stage, manager: Staff, panel: PanelPerson
) -> None:
    desk.company.set_quirk("suspend_offered_while_paused", "no")
    case, service = decided(desk)
    assert panel.status(service) == "Paused"
    assert not panel.suspend(service)
    page = manager.look(case.pk)
    manager.release(page, page.clicks[0].scope)
    desk.advance(case)
    assert manager.look(case.pk).clicks[0].is_lifted
    assert panel.suspend(service)
    assert [entry["offered"] for entry in written(stage, "clicked")] == [False, True]


def test_a_pause_that_no_call_lifts_is_lifted_by_hand(desk: Desk, panel: PanelPerson) -> None:
    case, service = decided(desk)
    before = desk.company.subscription(service).next_billing_at
    assert panel.lift_pause(service)
    assert panel.status(service) == "Active"
    assert desk.company.subscription(service).next_billing_at.date() == before.date()
    assert case.is_open


def test_a_refused_click_tells_what_is_owed_and_that_is_settled(
    desk: Desk, stage: Stage, panel: PanelPerson
) -> None:
    customer, subscription = desk.client()
    number = desk.invoice(subscription, 9900).number
    assert not panel.suspend(subscription.uid)
    assert panel.owed(customer.uid) == [(number, "Unpaid")]
    assert panel.settle(number)
    assert panel.owed(customer.uid) == []
    assert panel.suspend(subscription.uid)
    assert [entry["done"] for entry in written(stage, "clicked")] == [False, True]


def test_a_row_that_somebody_deleted_is_written_again(desk: Desk, manager: Staff) -> None:
    case, _ = decided(desk)
    assert isinstance(desk.the_list, FakeList)
    desk.the_list.rows.clear()
    desk.advance(case)
    page = manager.look(case.pk)
    assert page.row == ROW_GONE
    manager.rewrite(page)
    desk.advance(case)
    assert len(desk.the_list.rows) == 1


def test_a_row_is_taken_off_and_put_back(desk: Desk, manager: Staff) -> None:
    case, service = decided(desk)
    desk.company.panel_suspend(service)
    desk.advance(case)
    manager.take_off(manager.look(case.pk))
    desk.advance(case)
    page = manager.look(case.pk)
    assert page.row == ROW_OFF
    assert page.is_over
    manager.rewrite(page)
    desk.advance(case)
    assert len(desk.the_list.rows) == 1


def test_what_the_page_asks_for_is_done_sentence_by_sentence(
    desk: Desk, stage: Stage, agent: Staff, manager: Staff, panel: PanelPerson
) -> None:
    customer, subscription = desk.client()
    desk.invoice(subscription, 19000)
    case = desk.advance(desk.decided(subscription))
    client = SeededClient(customer.uid, "Nora", "Field", "", "", "suspend", ())
    errand = Errand(make_plan(1, 1).cases[0], client, deque(), case=case.pk)
    bookkeeper = Bookkeeper(stage, random.Random(1))
    company = Company({"agent": [agent], "manager": [manager]}, panel, bookkeeper)
    rounds: list[int] = []
    while not errand.is_over and len(rounds) < 5:
        rounds.append(do_what_is_asked(company, errand, Ways(True, True)))
        desk.advance(case)
    assert rounds == [1, 1, 0]  # approve, click, nothing more
    assert [entry["by"] for entry in written(stage, "approved")] == ["manager"]


def test_who_loses_an_answer_looks_whether_it_was_filed(desk: Desk, stage: Stage) -> None:
    honest = httpx.WSGITransport(application)
    losses = iter([True, False])

    class Losing(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = honest.handle_request(request)
            if request.method == "POST" and request.url.path == "/new/" and next(losses):
                raise httpx.RemoteProtocolError("cut after it was done")
            return response

    user = desk.agent
    user.set_password(PASSWORD)
    user.save()
    who = Person(user.role, user.name, user.email, PASSWORD)
    agent = Staff(stage, who, random.Random(1), Losing())
    planned = wish(desk)
    case = agent.file(planned)
    agent.close()
    assert Case.objects.get().pk == case
    assert [(entry["status"], entry["case"]) for entry in written(stage, "filed")] == [(0, "")]
