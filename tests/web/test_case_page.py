"""What the page of a case shows, and to whom."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.test import Client as Browser

from canceldesk import clock
from canceldesk.accounts.models import Role, User
from canceldesk.cases import log, services
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Channel, Decision, Message, State
from canceldesk.clients.models import OpenInvoice, Subscription
from canceldesk.closing.models import Step
from canceldesk.retention import services as retention
from canceldesk.retention.models import Attempt
from tests.factories import (
    make_case,
    make_click_step,
    make_client,
    make_facts,
    make_finding,
    make_hold,
    make_invoice,
    make_step,
    make_subscription,
    make_user,
)
from tests.web.casepages import is_shown, page_of, part_of, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def browser(client_of: Callable[[User], Browser], manager: User) -> Browser:
    return client_of(manager)


@pytest.fixture
def agents_browser(client_of: Callable[[User], Browser], agent: User) -> Browser:
    return client_of(agent)


def test_who_it_is_and_how_to_reach_them(browser: Browser) -> None:
    client = make_client("Nora", "Field", email="nora@example.com", billsby_id="NORA1")
    case = make_case(client=client, reason_words="I lost my job")
    page = page_of(browser, case)
    assert "<h1>Nora Field</h1>" in page
    assert case.number in page
    assert 'href="tel:+12025550143"' in page
    assert "(202) 555-0143" in page
    assert 'href="mailto:nora@example.com"' in page
    assert 'data-copy="NORA1"' in page
    assert "I lost my job" in page


def test_a_client_without_phone_and_address_gets_no_empty_links(browser: Browser) -> None:
    page = page_of(browser, make_case(client=make_client(phone="", email="")))
    assert "tel:" not in page
    assert "mailto:" not in page


def test_the_clock_shows_the_next_charge(browser: Browser) -> None:
    head = words_of(part_of(page_of(browser, make_case()), "head"))
    assert "Next charge $99.00 in 10 days" in head
    assert "Owed Nothing" in head


def test_a_hold_says_what_it_replaced(browser: Browser) -> None:
    case = make_case(State.CLOSING)
    make_hold(case.scope.get())
    head = words_of(part_of(page_of(browser, case), "head"))
    assert "Held until 18 May 2027 ; it was due 30 Nov ." in head


def test_a_stopped_client_expects_no_charge(browser: Browser) -> None:
    client = make_client()
    stopped = make_subscription(client, Subscription.Status.SUSPENDED)
    case = make_case(
        State.CLOSED,
        client=client,
        subscriptions=[stopped],
        next_charge_at=clock.now() + dt.timedelta(days=9),
    )
    assert "No charge expected" in part_of(page_of(browser, case), "head")


def test_what_is_owed_is_summed_and_listed(browser: Browser) -> None:
    case = make_case()
    make_invoice(case.client, 9900, number="INV-1")
    make_invoice(case.client, 4550, number="INV-2")
    page = page_of(browser, case)
    assert "$144.50 2 open invoices" in words_of(part_of(page, "head"))
    services_part = words_of(part_of(page, "services"))
    assert "INV-1 $99.00 Unpaid" in services_part
    assert "INV-2 $45.50 Unpaid" in services_part


def test_what_stops_and_what_stays(browser: Browser) -> None:
    client = make_client()
    leaving = make_subscription(client, plan_name="Gold plan")
    make_subscription(client, plan_name="Silver plan")
    make_subscription(client, Subscription.Status.CANCELLED, plan_name="Old plan")
    case = make_case(client=client, subscriptions=[leaving])
    part = words_of(part_of(page_of(browser, case), "services"))
    assert "Gold plan To stop Active" in part
    assert "Silver plan Stays Active" in part
    assert "Old plan" not in part


def test_what_another_case_is_to_stop_does_not_stay(browser: Browser) -> None:
    client = make_client()
    silver = make_subscription(client, plan_name="Silver plan")
    other = make_case(client=client, subscriptions=[silver])
    case = make_case(client=client, subscriptions=[make_subscription(client)])
    part = words_of(part_of(page_of(browser, case), "services"))
    assert f"Silver plan To stop Active {silver.billsby_id}" in part
    assert f"in {other.number}" in part
    assert "Stays" not in part


def test_who_is_retained_is_said_to_be_so_once(browser: Browser) -> None:
    case = make_case(State.RETAINED, decision=Decision.RETAINED)
    chips = words_of(part_of(page_of(browser, case), "head")).split("Stop")[0]
    assert chips.count("Retained") == 1


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_page_for_every_role(
    state: State, client_of: Callable[[User], Browser]
) -> None:
    case = make_case(state)
    for role in Role:
        assert str(state.label) in page_of(client_of(make_user(role)), case)


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (State.NEW, {"retain", "decide", "withdraw"}),
        (State.RETENTION, {"retain", "decide", "withdraw"}),
        (State.CLOSING, {"track", "take-back"}),
        (State.CLOSED, {"track"}),
        (State.RETAINED, set()),
        (State.WITHDRAWN, set()),
    ],
)
def test_a_state_offers_what_belongs_to_it(browser: Browser, state: State, shown: set[str]) -> None:
    page = page_of(browser, make_case(state))
    panels = {"retain", "decide", "withdraw", "track", "take-back", "clicks", "write-offs", "row"}
    assert {name for name in panels if is_shown(page, name)} == shown


def test_an_agent_is_told_who_can_instead_of_being_offered_a_button(
    agents_browser: Browser,
) -> None:
    page = page_of(agents_browser, make_case())
    for part, words in {
        "retain": "An agent may not make a retention attempt. Ask a manager or an admin.",
        "decide": "An agent may not decide a case. Ask a manager or an admin.",
    }.items():
        assert words in part_of(page, part)
        assert "<form" not in part_of(page, part)
    withdraw = part_of(page, "withdraw")
    assert "It was not a wish to stop" in withdraw
    assert "The client changed their mind" not in withdraw
    assert "An agent may not say that the client changed their mind." in withdraw


def test_an_agent_is_not_offered_to_withdraw_what_a_manager_has_taken_up(
    agents_browser: Browser, browser: Browser
) -> None:
    case = make_case(State.RETENTION)
    withdraw = part_of(page_of(agents_browser, case), "withdraw")
    assert "may not withdraw a case that is in retention. Ask a manager or an admin." in withdraw
    assert "<form" not in withdraw
    assert "<form" in part_of(page_of(browser, case), "withdraw")


def test_filed_twice_is_offered_only_beside_another_open_case(browser: Browser) -> None:
    case = make_case()
    withdraw = part_of(page_of(browser, case), "withdraw")
    assert 'value="duplicate"' not in withdraw
    assert "needs another open case of this client; there is none." in withdraw
    make_case(client=case.client)
    withdraw = part_of(page_of(browser, case), "withdraw")
    assert 'value="duplicate"' in withdraw
    assert "there is none" not in withdraw


def test_beside_filed_twice_stands_what_each_case_is_about_and_what_bills_again(
    browser: Browser,
) -> None:
    client = make_client()
    held, unknown, stopped = (
        make_subscription(client, plan_name="Held plan"),
        make_subscription(client, plan_name="Free plan", next_billing_at=None),
        make_subscription(client, Subscription.Status.SUSPENDED, plan_name="Old plan"),
    )
    case = make_case(client=client, subscriptions=[held, unknown, stopped])
    make_hold(
        case.scope.get(subscription=held),
        original_next_billing_at=clock.now() + dt.timedelta(days=1),
    )
    other = make_case(client=client)
    hint = words_of(part_of(page_of(browser, case), "withdraw"))
    assert (
        f"Filed twice? {other.number} is about {other.scope.get().subscription}; this case is "
        f"about {held} and {unknown} and {stopped}. If this case is withdrawn, {held} bills again: "
        f"next on 21 Nov . If this case is withdrawn, {unknown} bills again."
    ) in hint
    assert f"{stopped} bills again" not in hint


def test_an_agent_is_told_what_the_other_case_is_about_and_that_a_manager_says_filed_twice(
    agents_browser: Browser,
) -> None:
    case = make_case()
    other = make_case(client=case.client)
    withdraw = part_of(page_of(agents_browser, case), "withdraw")
    assert 'value="duplicate"' not in withdraw
    assert f"{other.number} is about" in withdraw
    assert "may not say that a case was filed twice. Ask a manager or an admin." in withdraw


def test_a_manager_is_offered_everything_and_refused_nothing(browser: Browser) -> None:
    page = page_of(browser, make_case())
    assert "may not" not in page
    assert "The client changed their mind" in page
    for button in ("Save the attempt", "Decide", "Withdraw the case", "Add the note"):
        assert re.search(rf"<button[^>]*>{button}</button>", page)


def test_the_manager_is_reminded_that_the_client_may_finish(browser: Browser) -> None:
    assert "may finish cancelling at any time by saying so" in page_of(browser, make_case())


def test_deciding_shows_the_open_invoices_and_warns_about_the_full_cancel(
    browser: Browser,
) -> None:
    case = make_case()
    make_invoice(case.client, 9900, number="INV-1")
    make_invoice(case.client, 100, number="INV-2", status=OpenInvoice.Status.UNKNOWN)
    decide = part_of(page_of(browser, case), "decide")
    assert 'value="9900:INV-1"' in decide
    assert "INV-2 (look at it in Billsby)" in decide
    assert "100:INV-2" not in decide.split("<form")[1]
    assert "cannot be undone in Billsby" in decide
    assert "left alone" not in decide
    make_subscription(case.client)
    assert "left alone, even if ticked" in part_of(page_of(browser, case), "decide")


def test_attempts_are_told_in_their_order(browser: Browser, manager: User) -> None:
    case = make_case()
    for offer, answer in (
        (Attempt.Offer.PAUSE, Attempt.Answer.NO_ANSWER),
        (Attempt.Offer.DISCOUNT, Attempt.Answer.REFUSED),
    ):
        retention.attempt(
            case, by=manager, channel=Channel.CALL, offer=offer, answer=answer, note="<b>no</b>"
        )
    part = part_of(page_of(browser, case), "retain")
    assert part.index("A pause") < part.index("A discount or credit")
    assert "Manager Example, call" in part
    assert "<b>no</b>" not in part


def test_attempts_stay_visible_after_the_decision(browser: Browser, manager: User) -> None:
    case = make_case()
    retention.attempt(
        case,
        by=manager,
        channel=Channel.CALL,
        offer=Attempt.Offer.HELP,
        answer=Attempt.Answer.REFUSED,
    )
    retention.decide(case, by=manager, decision=Decision.SUSPEND)
    part = part_of(page_of(browser, case), "retain")
    assert "Help with the service" in part
    assert "<form" not in part


def test_the_conversation_shows_both_sides(browser: Browser, agent: User) -> None:
    case = make_case()
    for direction, body in ((Message.Direction.IN, "Stop it"), (Message.Direction.OUT, "Why?")):
        services.add_message(case, by=agent, direction=direction, channel=Channel.TEXT, body=body)
    talk = words_of(part_of(page_of(browser, case), "talk"))
    assert "Stop it From the client, text" in talk
    assert "Why? To the client, text" in talk
    assert "noted by Agent Example" in talk


def test_nothing_a_client_says_becomes_markup(browser: Browser) -> None:
    evil = "<script>alert(1)</script>"
    client = make_client(evil, evil, email=f'"{evil}"@example.com', phone=evil)
    subscription = make_subscription(client, plan_name=evil, status_raw=evil)
    case = make_case(
        State.CLOSING,
        client=client,
        subscriptions=[subscription],
        reason_words=evil,
        attention=evil,
        waits_sentence=evil,
    )
    make_invoice(client, number=evil, status_raw=evil)
    make_facts(case, name=evil, reason=evil, phone=evil)
    make_step(case, Step.Name.FACTS, sentence=evil)
    make_step(case, Step.Name.CONFIRM, words=evil)
    make_click_step(case)
    make_finding(case, sentence=evil)
    services.add_message(
        case,
        by=make_user(),
        direction=Message.Direction.IN,
        channel=Channel.EMAIL,
        body=evil,
    )
    log.record(Verb.STOP_FAILED, case=case, subscription=evil, why="{evil} " + evil)
    for page in (
        page_of(browser, case),
        browser.get("/").content.decode(),
        browser.get(f"/cases/{case.pk}/live/").content.decode(),
    ):
        assert "alert(1)" in page
        assert evil not in page


def test_the_page_runs_no_script_of_its_own_text(browser: Browser) -> None:
    case = make_case()
    response = browser.get(f"/cases/{case.pk}/")
    page = response.content.decode()
    assert "'unsafe-inline'" not in response["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"\s(style|on\w+)=", page)
