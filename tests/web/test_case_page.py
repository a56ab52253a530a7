"""What the page of a case shows, to whom, and that it keeps itself up to date."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from canceldesk import clock
from canceldesk.accounts.models import Role, User
from canceldesk.cases import log, services
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, Channel, Decision, Message, State
from canceldesk.clients.models import OpenInvoice, Subscription
from canceldesk.closing.models import Hold, Intent, Step, Watch
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
    make_watch,
    make_write_off_step,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def browser(client_of: Callable[[User], Browser], manager: User) -> Browser:
    return client_of(manager)


@pytest.fixture
def agents_browser(client_of: Callable[[User], Browser], agent: User) -> Browser:
    return client_of(agent)


def _page(browser: Browser, case: Case) -> str:
    response = browser.get(f"/cases/{case.pk}/")
    assert response.status_code == 200
    return response.content.decode()


def _part(page: str, name: str) -> str:
    """The part of the page with this id, from its tag to the end of the section."""
    found = re.search(rf'<section[^>]* id="{name}".*?</section>', page, re.DOTALL)
    assert found is not None, name
    return found[0]


def _is_shown(page: str, name: str) -> bool:
    return " hidden" not in _part(page, name).split(">")[0]


def _says(page: str) -> str:
    """The page's words alone, with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_who_it_is_and_how_to_reach_them(browser: Browser) -> None:
    client = make_client("Nora", "Field", email="nora@example.com", billsby_id="NORA1")
    case = make_case(client=client, reason_words="I lost my job")
    page = _page(browser, case)
    assert "<h1>Nora Field</h1>" in page
    assert case.number in page
    assert 'href="tel:+12025550143"' in page
    assert "(202) 555-0143" in page
    assert 'href="mailto:nora@example.com"' in page
    assert 'data-copy="NORA1"' in page
    assert "I lost my job" in page


def test_a_client_without_phone_and_address_gets_no_empty_links(browser: Browser) -> None:
    page = _page(browser, make_case(client=make_client(phone="", email="")))
    assert "tel:" not in page
    assert "mailto:" not in page


def test_the_clock_shows_the_next_charge(browser: Browser) -> None:
    head = _says(_part(_page(browser, make_case()), "head"))
    assert "Next charge $99.00 in 10 days" in head
    assert "Owed Nothing" in head


def test_a_hold_says_what_it_replaced(browser: Browser) -> None:
    case = make_case(State.CLOSING)
    make_hold(case.scope.get())
    head = _says(_part(_page(browser, case), "head"))
    assert "Held until 19 May 2027 ; it was due 30 Nov ." in head


def test_a_stopped_client_expects_no_charge(browser: Browser) -> None:
    client = make_client()
    stopped = make_subscription(client, Subscription.Status.SUSPENDED)
    case = make_case(
        State.CLOSED,
        client=client,
        subscriptions=[stopped],
        next_charge_at=clock.now() + dt.timedelta(days=9),
    )
    assert "No charge expected" in _part(_page(browser, case), "head")


def test_what_is_owed_is_summed_and_listed(browser: Browser) -> None:
    case = make_case()
    make_invoice(case.client, 9900, number="INV-1")
    make_invoice(case.client, 4550, number="INV-2")
    page = _page(browser, case)
    assert "$144.50 2 open invoices" in _says(_part(page, "head"))
    services_part = _says(_part(page, "services"))
    assert "INV-1 $99.00 Unpaid" in services_part
    assert "INV-2 $45.50 Unpaid" in services_part


def test_what_stops_and_what_stays(browser: Browser) -> None:
    client = make_client()
    leaving = make_subscription(client, plan_name="Gold plan")
    make_subscription(client, plan_name="Silver plan")
    make_subscription(client, Subscription.Status.CANCELLED, plan_name="Old plan")
    case = make_case(client=client, subscriptions=[leaving])
    part = _says(_part(_page(browser, case), "services"))
    assert "Gold plan To stop Active" in part
    assert "Silver plan Stays Active" in part
    assert "Old plan" not in part


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_page_for_every_role(
    state: State, client_of: Callable[[User], Browser]
) -> None:
    case = make_case(state)
    for role in Role:
        assert str(state.label) in _page(client_of(make_user(role)), case)


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
    page = _page(browser, make_case(state))
    panels = {"retain", "decide", "withdraw", "track", "take-back", "clicks", "write-offs", "row"}
    assert {name for name in panels if _is_shown(page, name)} == shown


def test_an_agent_is_told_who_can_instead_of_being_offered_a_button(
    agents_browser: Browser,
) -> None:
    page = _page(agents_browser, make_case())
    for part, words in {
        "retain": "An agent may not make a retention attempt. Ask a manager or an admin.",
        "decide": "An agent may not decide a case. Ask a manager or an admin.",
    }.items():
        assert words in _part(page, part)
        assert "<form" not in _part(page, part)
    withdraw = _part(page, "withdraw")
    assert "It was filed twice" in withdraw
    assert "The client changed their mind" not in withdraw
    assert "An agent may not say that the client changed their mind." in withdraw


def test_a_manager_is_offered_everything_and_refused_nothing(browser: Browser) -> None:
    page = _page(browser, make_case())
    assert "may not" not in page
    assert "The client changed their mind" in page
    for button in ("Save the attempt", "Decide", "Withdraw the case", "Add the note"):
        assert re.search(rf"<button[^>]*>{button}</button>", page)


def test_the_manager_is_reminded_that_the_client_may_finish(browser: Browser) -> None:
    assert "may finish cancelling at any time by saying so" in _page(browser, make_case())


def test_deciding_shows_the_open_invoices_and_warns_about_the_full_cancel(
    browser: Browser,
) -> None:
    case = make_case()
    make_invoice(case.client, 9900, number="INV-1")
    make_invoice(case.client, 100, number="INV-2", status=OpenInvoice.Status.UNKNOWN)
    decide = _part(_page(browser, case), "decide")
    assert 'value="9900:INV-1"' in decide
    assert "INV-2 (look at it in Billsby)" in decide
    assert "100:INV-2" not in decide.split("<form")[1]
    assert "cannot be undone in Billsby" in decide
    assert "left alone" not in decide
    make_subscription(case.client)
    assert "left alone, even if ticked" in _part(_page(browser, case), "decide")


def test_attempts_are_told_in_their_order(browser: Browser, manager: User) -> None:
    case = make_case()
    for offer, answer in (
        (Attempt.Offer.PAUSE, Attempt.Answer.NO_ANSWER),
        (Attempt.Offer.DISCOUNT, Attempt.Answer.REFUSED),
    ):
        retention.attempt(
            case, by=manager, channel=Channel.CALL, offer=offer, answer=answer, note="<b>no</b>"
        )
    part = _part(_page(browser, case), "retain")
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
    part = _part(_page(browser, case), "retain")
    assert "Help with the service" in part
    assert "<form" not in part


def test_the_conversation_shows_both_sides(browser: Browser, agent: User) -> None:
    case = make_case()
    for direction, body in ((Message.Direction.IN, "Stop it"), (Message.Direction.OUT, "Why?")):
        services.add_message(case, by=agent, direction=direction, channel=Channel.TEXT, body=body)
    talk = _says(_part(_page(browser, case), "talk"))
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
        _page(browser, case),
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


# The closing


def _closing(decision: Decision = Decision.SUSPEND) -> Case:
    case = make_case(State.CLOSING, decision=decision)
    make_facts(case, billsby_total_minor=50000)
    make_step(
        case,
        Step.Name.FACTS,
        sentence="$495.00 collected in 5 months.",
        invoices_counted=[{"number": "INV-1", "amount_minor": 9900, "status": "Paid"}],
        refunds=[{"amount_minor": 500, "status": "Completed"}],
    )
    make_hold(case.scope.get())
    make_step(case, Step.Name.HOLD, sentence="Held.")
    return case


def _evidence(page: str, step: str) -> str:
    found = re.search(rf'<details id="evidence-{step}">.*?</details>', page, re.DOTALL)
    assert found is not None, step
    return _says(found[0])


def test_the_track_has_all_seven_steps_from_the_start(browser: Browser) -> None:
    track = _part(_page(browser, make_case(State.CLOSING)), "track")
    assert re.findall(r'data-state="(\w+)" data-step="(\w+)"', track) == [
        ("todo", name.value) for name in Step.Name
    ]
    assert "Evidence" not in track


def test_a_step_says_its_state_in_words(browser: Browser) -> None:
    case = make_case(State.CLOSING)
    for name, state in zip(Step.Name, Step.State, strict=False):
        make_step(case, name, state, f"About {name}.")
    track = _says(_part(_page(browser, case), "track"))
    for words in (
        "Facts taken To do About facts.",
        "Billing held Waiting About hold.",
        "On the list Done About document.",
        "Invoices cleared Not needed About clear.",
        "Service stopped Not known About stop.",
    ):
        assert words in track


def test_the_facts_show_where_billsby_counts_differently(browser: Browser) -> None:
    page = _page(browser, _closing())
    facts = _says(_part(page, "facts"))
    assert "Date of cancellation 20 Nov" in facts
    assert "Total collected $495.00 Billsby's own total is $500.00." in facts
    assert "Months in the program 5" in facts
    evidence = _evidence(page, "facts")
    assert "Counted INV-1 $99.00, Paid" in evidence
    assert "Refund $5.00, Completed" in evidence


def test_totals_that_agree_are_said_once(browser: Browser) -> None:
    case = make_case(State.CLOSING)
    make_facts(case)
    assert "own total" not in _part(_page(browser, case), "facts")


def test_the_hold_shows_what_billsby_said(browser: Browser) -> None:
    evidence = _evidence(_page(browser, _closing()), "hold")
    assert "Charge it replaced 30 Nov 2026" in evidence
    assert "Billsby says Paused" in evidence
    assert "Read in Billsby 20 Nov, 10:00 AM" in evidence


def test_the_row_shows_its_values_and_its_place(browser: Browser) -> None:
    case = _closing()
    Intent.objects.create(
        case=case,
        kind=Intent.Kind.ROW,
        target="row",
        state=Intent.State.CONFIRMED,
        created_at=clock.now(),
        sent_at=clock.now(),
        confirmed_at=clock.now(),
        request={
            "name": "Nora Field",
            "phone": "(202) 555-0143",
            "cancelled_on": "2026-11-20",
            "collected_minor": 49500,
            "currency": "USD",
            "months": 5,
            "reason": "Too expensive",
        },
        answer={"row_number": 4, "fingerprint": "old"},
    )
    make_step(case, Step.Name.DOCUMENT, row_number=5, tab="cancellation", fingerprint="f1ng3r")
    evidence = _evidence(_page(browser, case), "document")
    for words in (
        "Name Nora Field",
        "Date 20 Nov 2026",
        "Total collected $495.00",
        "Months 5",
        "Row number 5",
        "Tab cancellation",
        "Fingerprint of the tab f1ng3r",
        "Read back 20 Nov, 10:00 AM",
    ):
        assert words in evidence


def test_a_written_off_invoice_names_amount_and_approver(browser: Browser, manager: User) -> None:
    case = _closing()
    case.write_off_approvals.create(
        invoice_number="INV-9", amount_minor=4900, currency="USD", by=manager, at=clock.now()
    )
    Intent.objects.create(
        case=case,
        kind=Intent.Kind.WRITE_OFF,
        target="INV-9",
        state=Intent.State.CONFIRMED,
        created_at=clock.now(),
        confirmed_at=clock.now(),
        request={"amount_minor": 4900, "currency": "USD", "status": "Unpaid"},
        answer={"status": "WrittenOff", "subscriptions_after": {"SUB9": "Paused"}},
    )
    make_step(case, Step.Name.CLEAR, left=[{"number": "INV-8", "belongs": "stays"}])
    evidence = _evidence(_page(browser, case), "clear")
    assert "INV-9 $49.00, was Unpaid, approved by Manager Example: read back" in evidence
    assert "SUB9 afterwards Paused" in evidence
    assert "INV-8 left alone" in evidence


def test_the_stop_and_the_last_reading_show_billsbys_words(browser: Browser) -> None:
    case = _closing(decision=Decision.CANCEL)
    read_at = clock.now().isoformat()
    Intent.objects.create(
        case=case,
        kind=Intent.Kind.CANCEL,
        target="SUB1",
        state=Intent.State.CONFIRMED,
        created_at=clock.now(),
        sent_at=clock.now(),
    )
    make_step(
        case,
        Step.Name.STOP,
        parts=[{"subscription": "SUB1", "status": "Cancelled", "read_at": read_at}],
    )
    make_step(
        case,
        Step.Name.VERIFY,
        row_number=4,
        tab="cancellation",
        fingerprint="f1",
        statuses={"SUB1": "Cancelled"},
        read_at=read_at,
    )
    page = _page(browser, case)
    stop = _evidence(page, "stop")
    assert "Subscription SUB1 Billsby says Cancelled" in stop
    assert "Cancelling SUB1 Read back Asked 20 Nov, 10:00 AM" in stop
    assert "SUB1 Cancelled in Billsby Both read 20 Nov" in _evidence(page, "verify")


def test_the_words_for_the_client_can_be_copied(browser: Browser) -> None:
    case = make_case(State.CLOSED)
    make_step(case, Step.Name.CONFIRM, Step.State.NOT_NEEDED, words="Hello Nora", why="No server")
    page = _page(browser, case)
    assert 'data-copy="Hello Nora"' in _part(page, "words")
    assert "Why not sent No server" in _evidence(page, "confirm")


def test_a_sent_confirmation_shows_to_whom_and_when(browser: Browser) -> None:
    case = make_case(State.CLOSED)
    make_step(case, Step.Name.CONFIRM, to="nora@example.com", at=clock.now().isoformat())
    page = _page(browser, case)
    assert "Sent to nora@example.com Sent 20 Nov, 10:00 AM" in _evidence(page, "confirm")
    assert not _is_shown(page, "words")


def test_the_clicks_are_numbered_and_the_id_can_be_copied(browser: Browser) -> None:
    case = _closing()
    make_click_step(case)
    part = _part(_page(browser, case), "clicks")
    assert part.count("<li>") == 4
    assert f'data-copy="{case.scope.get().subscription.billsby_id}"' in part
    assert "Billsby does not offer Suspended while it is paused" in part


def test_a_release_under_way_replaces_its_button(browser: Browser) -> None:
    case = _closing()
    make_click_step(case)
    later = clock.now() + dt.timedelta(minutes=15)
    Hold.objects.update(state=Hold.State.RELEASING, release_until=later)
    part = _part(_page(browser, case), "clicks")
    assert "The desk lifts the pause now" in part
    assert "does not offer" not in part
    Hold.objects.update(state=Hold.State.RELEASED)
    assert "The pause is lifted until 20 Nov, 10:15 AM" in _says(
        _part(_page(browser, case), "clicks")
    )


def test_an_agent_approves_small_write_offs_only(browser: Browser, agents_browser: Browser) -> None:
    small, large = make_case(State.CLOSING), make_case(State.CLOSING)
    make_write_off_step(small, make_invoice(small.client, 4900))
    make_write_off_step(large, make_invoice(large.client, 49000), manager_needed=True)
    part = _part(_page(agents_browser, small), "write-offs")
    assert "Approve writing off" in part
    assert "An agent may approve up to $100.00 per case." in part
    part = _part(_page(agents_browser, large), "write-offs")
    assert "$490.00" in part
    assert "Ask a manager or an admin. The limit is $100.00 per case." in part
    assert "<form" not in part
    assert "Approve writing off" in _part(_page(browser, large), "write-offs")


def test_only_managers_are_offered_to_write_the_row_again(
    browser: Browser, agents_browser: Browser
) -> None:
    case = _closing()
    make_step(case, Step.Name.DOCUMENT, Step.State.WAITING, "Gone.", can_rewrite=True)
    assert "Write the row again</button>" in _part(_page(browser, case), "row")
    part = _part(_page(agents_browser, case), "row")
    assert "<button" not in part
    assert "An agent may not have a row written again." in part


def test_a_decision_can_be_taken_back_until_something_is_written(
    browser: Browser, agents_browser: Browser
) -> None:
    case = _closing()
    assert "Take the decision back</button>" in _part(_page(browser, case), "take-back")
    part = _part(_page(agents_browser, case), "take-back")
    assert "<form" not in part
    assert "An agent may not take a decision back." in part
    Intent.objects.create(
        case=case, kind=Intent.Kind.CONFIRM, target="email", created_at=clock.now()
    )
    assert not _is_shown(_page(browser, case), "take-back")


def test_what_is_stuck_stands_on_top_with_a_retry(browser: Browser) -> None:
    case = make_case(State.CLOSING)
    services.set_attention(case, "The workbook is locked. Close it.")
    head = _part(_page(browser, case), "head")
    assert "The workbook is locked. Close it." in head
    assert "Try again now" in head
    assert "Needs attention" in head


def test_a_case_at_rest_offers_no_retry(browser: Browser) -> None:
    head = _part(_page(browser, make_case(State.WITHDRAWN)), "head")
    assert "Try again now" not in head
    assert "Nothing is left to do." in head


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (Watch.Result.WATCHING, "Watching since 20 Nov , until 19 Jan 2027"),
        (Watch.Result.CLEAN, "The watch has ended: nothing happened."),
        (Watch.Result.WRONG, "The watch has ended: something was found."),
    ],
)
def test_the_watch_says_how_it_stands(browser: Browser, result: str, words: str) -> None:
    case = make_case(State.CLOSED)
    make_watch(case, result=result, checks=3, checked_at=clock.now())
    part = _says(_part(_page(browser, case), "findings"))
    assert words in part
    assert "Checked 3 times" in part


def test_a_watch_without_an_end_says_why(browser: Browser) -> None:
    case = make_case(State.CLOSED)
    make_watch(case, ends_at=None)
    assert "as long as the pause is what stops the service" in _page(browser, case)


def test_what_stands_wrong_is_on_top_and_what_is_over_is_marked(browser: Browser) -> None:
    case = make_case(State.CLOSED)
    make_finding(case, sentence="Was charged again.")
    make_finding(case, sentence="Row moved.", resolved_at=clock.now())
    page = _page(browser, case)
    head = _part(page, "head")
    assert "Was charged again." in head
    assert "Row moved." not in head
    part = _says(_part(page, "findings"))
    assert part.index("Was charged again.") < part.index("Row moved.")
    assert "Resolved" in part


# The log


def test_the_log_is_told_newest_first_with_who_and_the_raw_answer(
    browser: Browser, agent: User
) -> None:
    case = make_case()
    log.record(Verb.CASE_RETRIED, by=agent, case=case)
    log.record(Verb.HOLD_FAILED, case=case, subscription="Gold", why="Billsby said no")
    part = _part(_page(browser, case), "log")
    words = _says(part)
    assert words.index("The desk could not hold Gold: Billsby said no") < words.index(
        "Agent Example asked the desk to try again"
    )
    assert "&quot;why&quot;: &quot;Billsby said no&quot;" in part


def test_a_long_log_is_cut_until_asked_for(browser: Browser) -> None:
    case = make_case()
    for number in range(70):
        log.record(Verb.CASE_WITHDRAWN, case=case, why=f"number {number}.")
    page = _page(browser, case)
    assert "number 69." in page
    assert "number 9." not in page
    assert "Show the whole log" in page
    whole = browser.get(f"/cases/{case.pk}/?log=all").content.decode()
    assert "number 0." in whole
    assert "Show the whole log" not in whole


# Live


def _asks_again(page: str) -> str:
    found = re.search(r'hx-get="(/cases/\d+/live/\?version=[^"]+)"', page)
    assert found is not None
    return found[1]


def test_the_page_asks_and_is_answered_only_when_something_changed(browser: Browser) -> None:
    case = make_case()
    address = _asks_again(_page(browser, case))
    assert browser.get(address).status_code == 204
    services.set_attention(case, "Stuck.")
    fresh = browser.get(address)
    assert fresh.status_code == 200
    parts = fresh.content.decode()
    assert "Stuck." in parts
    assert 'id="head" hx-swap-oob="true"' in parts
    assert 'id="note-body"' not in parts
    assert browser.get(_asks_again(parts)).status_code == 204


@pytest.mark.parametrize(
    "change",
    [
        lambda case: log.record(Verb.CASE_RETRIED, case=case),
        lambda case: make_watch(case, checks=1),
        lambda case: clock.advance(dt.timedelta(minutes=1)),
    ],
)
def test_whatever_shows_makes_a_new_version(
    browser: Browser, change: Callable[[Case], object]
) -> None:
    case = make_case(State.CLOSED)
    address = _asks_again(_page(browser, case))
    change(case)
    assert browser.get(address).status_code == 200


def test_parts_with_forms_say_what_they_show_so_that_typing_is_left_alone(
    browser: Browser,
) -> None:
    page = _page(browser, make_case())
    for name in ("retain", "decide", "withdraw", "take-back", "write-offs"):
        assert "data-shows=" in _part(page, name).split(">")[0]


def test_a_case_that_is_not_there_is_not_found(browser: Browser) -> None:
    for path in ("/cases/999/", "/cases/999/live/"):
        assert browser.get(path).status_code == 404


def test_only_people_signed_in_see_it() -> None:
    case = make_case()
    for path in (f"/cases/{case.pk}/", f"/cases/{case.pk}/live/", f"/cases/{case.pk}/note/"):
        assert Browser().get(path)["Location"].startswith("/account/login/")


def test_a_full_case_costs_a_fixed_number_of_queries(
    browser: Browser, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = make_client()
    case = make_case(
        State.CLOSING, client=client, subscriptions=[make_subscription(client) for _ in range(4)]
    )
    for scope in case.scope.all():
        make_hold(scope)
    for _ in range(4):
        make_invoice(client)
        make_finding(case)
    make_step(case, Step.Name.STOP, Step.State.WAITING, click=True)
    with django_assert_max_num_queries(26):
        assert browser.get(f"/cases/{case.pk}/").status_code == 200
    address = _asks_again(_page(browser, case))
    with django_assert_max_num_queries(6):
        assert browser.get(address).status_code == 204
