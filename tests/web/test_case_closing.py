"""The closing on a case's page: track, evidence, clicks, write-offs, watch."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.test import Client as Browser

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases import services
from canceldesk.cases.models import Case, Decision, Finding, State
from canceldesk.closing.models import Hold, Intent, Step, Watch
from tests.factories import (
    make_case,
    make_click_step,
    make_facts,
    make_finding,
    make_hold,
    make_invoice,
    make_step,
    make_watch,
    make_write_off_step,
)
from tests.web.casepages import is_shown, page_of, part_of, words_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("frozen_clock")]


@pytest.fixture
def browser(client_of: Callable[[User], Browser], manager: User) -> Browser:
    return client_of(manager)


@pytest.fixture
def agents_browser(client_of: Callable[[User], Browser], agent: User) -> Browser:
    return client_of(agent)


def _closing(decision: Decision = Decision.SUSPEND) -> Case:
    case = make_case(State.CLOSING, decision=decision)
    make_facts(case, billsby_total_minor=50000)
    make_step(
        case,
        Step.Name.FACTS,
        sentence="$495.00 collected in 5 months.",
        invoices_counted=[{"number": "INV-1", "amount_minor": 9900, "status": "Paid"}],
        refunds=[{"amount_minor": 500, "status": "Completed"}],
        left_out=[{"amount_minor": 2500, "currency": "GBP"}],
    )
    make_hold(case.scope.get())
    make_step(case, Step.Name.HOLD, sentence="Held.")
    return case


def _evidence(page: str, step: str) -> str:
    found = re.search(rf'<details id="evidence-{step}">.*?</details>', page, re.DOTALL)
    assert found is not None, step
    return words_of(found[0])


def test_the_track_has_all_seven_steps_from_the_start(browser: Browser) -> None:
    track = part_of(page_of(browser, make_case(State.CLOSING)), "track")
    assert re.findall(r'data-state="(\w+)" data-step="(\w+)"', track) == [
        ("todo", name.value) for name in Step.Name
    ]
    assert "Evidence" not in track


def test_a_step_says_its_state_in_words(browser: Browser) -> None:
    case = make_case(State.CLOSING)
    for name, state in zip(Step.Name, Step.State, strict=False):
        make_step(case, name, state, f"About {name}.")
    track = words_of(part_of(page_of(browser, case), "track"))
    for words in (
        "Facts taken To do About facts.",
        "Billing held Waiting About hold.",
        "On the list Done About document.",
        "Invoices cleared Not needed About clear.",
        "Service stopped Not known About stop.",
    ):
        assert words in track


def test_the_facts_show_where_billsby_counts_differently(browser: Browser) -> None:
    page = page_of(browser, _closing())
    facts = words_of(part_of(page, "facts"))
    assert "Date of cancellation 20 Nov" in facts
    assert "Total collected $495.00 Billsby's own total is $500.00." in facts
    assert "Months in the program 5" in facts
    evidence = _evidence(page, "facts")
    assert "Counted INV-1 $99.00, Paid" in evidence
    assert "Refund $5.00, Completed" in evidence
    assert "Left out £25.00" in evidence


def test_totals_that_agree_are_said_once(browser: Browser) -> None:
    case = make_case(State.CLOSING)
    make_facts(case)
    assert "own total" not in part_of(page_of(browser, case), "facts")


def test_the_hold_shows_what_billsby_said(browser: Browser) -> None:
    evidence = _evidence(page_of(browser, _closing()), "hold")
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
    evidence = _evidence(page_of(browser, case), "document")
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


def test_a_written_off_invoice_names_amount_and_approver(
    browser: Browser, manager: User, agent: User
) -> None:
    case = _closing()
    for approved_later_too in (manager, agent):
        case.write_off_approvals.create(
            invoice_number="INV-9",
            amount_minor=4900,
            currency="USD",
            by=approved_later_too,
            at=clock.now(),
        )
    Intent.objects.create(
        case=case,
        kind=Intent.Kind.WRITE_OFF,
        target="INV-9",
        state=Intent.State.CONFIRMED,
        created_at=clock.now(),
        confirmed_at=clock.now(),
        request={
            "amount_minor": 4900,
            "currency": "USD",
            "status": "Unpaid",
            "approved_by": manager.pk,
        },
        answer={"status": "WrittenOff", "subscriptions_after": {"SUB9": "Paused"}},
    )
    make_step(case, Step.Name.CLEAR, left=[{"number": "INV-8", "belongs": "stays"}])
    evidence = _evidence(page_of(browser, case), "clear")
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
    page = page_of(browser, case)
    stop = _evidence(page, "stop")
    assert "Subscription SUB1 Billsby says Cancelled" in stop
    assert "Cancelling SUB1 Read back Asked 20 Nov, 10:00 AM" in stop
    assert "SUB1 Cancelled in Billsby Both read 20 Nov" in _evidence(page, "verify")


def test_the_words_for_the_client_can_be_copied(browser: Browser) -> None:
    case = make_case(State.CLOSED)
    make_step(case, Step.Name.CONFIRM, Step.State.NOT_NEEDED, words="Hello Nora", why="No server")
    page = page_of(browser, case)
    assert 'data-copy="Hello Nora"' in part_of(page, "words")
    assert "Why not sent No server" in _evidence(page, "confirm")


def test_a_sent_confirmation_shows_to_whom_and_when(browser: Browser) -> None:
    case = make_case(State.CLOSED)
    make_step(case, Step.Name.CONFIRM, to="nora@example.com", at=clock.now().isoformat())
    page = page_of(browser, case)
    assert "Sent to nora@example.com Sent 20 Nov, 10:00 AM" in _evidence(page, "confirm")
    assert not is_shown(page, "words")


def test_the_clicks_are_numbered_and_the_id_can_be_copied(browser: Browser) -> None:
    case = _closing()
    make_click_step(case)
    part = part_of(page_of(browser, case), "clicks")
    assert part.count("<li>") == 4
    assert f'data-copy="{case.scope.get().subscription.billsby_id}"' in part
    assert "Billsby does not offer Suspended while it is paused" in part


def test_a_release_under_way_replaces_its_button(browser: Browser) -> None:
    case = _closing()
    make_click_step(case)
    later = clock.now() + dt.timedelta(minutes=15)
    Hold.objects.update(state=Hold.State.RELEASING, release_until=later)
    part = part_of(page_of(browser, case), "clicks")
    assert "The desk lifts the pause now" in part
    assert "does not offer" not in part
    Hold.objects.update(state=Hold.State.RELEASED)
    assert "The pause is lifted until 20 Nov, 10:15 AM" in words_of(
        part_of(page_of(browser, case), "clicks")
    )


def test_an_agent_approves_small_write_offs_only(browser: Browser, agents_browser: Browser) -> None:
    small, large = make_case(State.CLOSING), make_case(State.CLOSING)
    make_write_off_step(small, make_invoice(small.client, 4900))
    make_write_off_step(large, make_invoice(large.client, 49000), manager_needed=True)
    part = part_of(page_of(agents_browser, small), "write-offs")
    assert "Approve writing off" in part
    assert "An agent may approve up to $100.00 per case." in part
    part = part_of(page_of(agents_browser, large), "write-offs")
    assert "$490.00" in part
    assert "Ask a manager or an admin. The limit is $100.00 per case." in part
    assert "<form" not in part
    assert "Approve writing off" in part_of(page_of(browser, large), "write-offs")


def test_an_invoice_that_only_a_person_can_place_is_offered_unticked(browser: Browser) -> None:
    case = _closing()
    Step.objects.create(
        case=case,
        name=Step.Name.CLEAR,
        state=Step.State.NOT_NEEDED,
        evidence={
            "may_approve": [
                {"number": "X-7", "amount_minor": 2500, "currency": "USD", "status": "Unpaid"}
            ]
        },
        changed_at=clock.now(),
    )
    part = part_of(page_of(browser, case), "write-offs")
    assert "Also open" in part
    assert 'value="2500:X-7"' in part
    assert "checked" not in part


def test_only_managers_are_offered_to_write_the_row_again(
    browser: Browser, agents_browser: Browser
) -> None:
    case = _closing()
    make_step(case, Step.Name.DOCUMENT, Step.State.WAITING, "Gone.", can_rewrite=True)
    assert "Write the row again</button>" in part_of(page_of(browser, case), "row")
    part = part_of(page_of(agents_browser, case), "row")
    assert "<button" not in part
    assert "An agent may not have a row written again." in part


def test_a_decision_can_be_taken_back_until_something_cannot_be_undone(
    browser: Browser, agents_browser: Browser
) -> None:
    case = _closing()
    assert "Take the decision back</button>" in part_of(page_of(browser, case), "take-back")
    part = part_of(page_of(agents_browser, case), "take-back")
    assert "<form" not in part
    assert "An agent may not take a decision back." in part
    Intent.objects.create(
        case=case, kind=Intent.Kind.CONFIRM, target="email", created_at=clock.now()
    )
    assert not is_shown(page_of(browser, case), "take-back")


def test_what_is_stuck_stands_on_top_with_a_retry(browser: Browser) -> None:
    case = make_case(State.CLOSING)
    services.set_attention(case, "The workbook is locked. Close it.")
    head = part_of(page_of(browser, case), "head")
    assert "The workbook is locked. Close it." in head
    assert "Try again now" in head
    assert "Needs attention" in head


def test_a_case_at_rest_offers_no_retry(browser: Browser) -> None:
    head = part_of(page_of(browser, make_case(State.WITHDRAWN)), "head")
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
    part = words_of(part_of(page_of(browser, case), "findings"))
    assert words in part
    assert "Checked 3 times" in part


def test_a_watch_without_an_end_says_why(browser: Browser) -> None:
    case = make_case(State.CLOSED)
    make_watch(case, ends_at=None)
    assert "as long as the pause is what stops the service" in page_of(browser, case)


def test_what_stands_wrong_is_on_top_and_what_is_over_is_marked(browser: Browser) -> None:
    case = make_case(State.CLOSED)
    make_finding(case, sentence="Was charged again.")
    make_finding(case, sentence="Row moved.", resolved_at=clock.now())
    page = page_of(browser, case)
    head = part_of(page, "head")
    assert "Was charged again." in head
    assert "Row moved." not in head
    part = words_of(part_of(page, "findings"))
    assert part.index("Was charged again.") < part.index("Row moved.")
    assert "Resolved" in part


# Settling


def test_a_manager_settles_what_was_found(browser: Browser) -> None:
    case = make_case(State.CLOSED)
    kind = Finding.Kind.CHARGED_AFTER_REQUEST
    one = make_finding(case, kind=kind, sentence="INV-1 was charged.")
    other = make_finding(case, kind=kind, sentence="INV-2 was charged.")
    page = page_of(browser, case)
    assert is_shown(page, "settle")
    assert all(found.sentence in part_of(page, "settle") for found in (one, other))
    assert page.count('id="settle-why"') == 1
    for _ in range(2):  # clicked twice
        response = browser.post(f"/cases/{case.pk}/settle/", {"finding": one.pk, "why": "Agreed."})
        assert (response.status_code, response["Location"]) == (303, f"/cases/{case.pk}/#findings")
    page = page_of(browser, case)
    assert "INV-1 was charged." not in part_of(page, "head")
    assert "INV-2 was charged." in part_of(page, "head")
    assert "Charged after the request Settled INV-1 was charged." in words_of(
        part_of(page, "findings")
    )
    assert "INV-1" not in part_of(page, "settle")
    assert words_of(part_of(page, "log")).count("Details of settled (Agreed.)") == 1


def test_settling_needs_one_of_the_cases_findings_and_a_reason(browser: Browser) -> None:
    case = make_case(State.CLOSED)
    mine = make_finding(case, kind=Finding.Kind.SAVE_LOST)
    elsewhere = make_finding(make_case(State.CLOSED), kind=Finding.Kind.SAVE_LOST)
    for given, complaint in (
        ({"why": "Agreed."}, "Choose one."),
        ({"finding": elsewhere.pk, "why": "Agreed."}, "Load the page again."),
        ({"finding": mine.pk, "why": " "}, "This field is required."),
    ):
        response = browser.post(f"/cases/{case.pk}/settle/", given)
        assert response.status_code == 422
        assert complaint in response.content.decode()
    assert Finding.objects.filter(settled_at=None).count() == 2


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (State.CLOSING, Finding.Kind.CHARGED_AFTER_REQUEST),
        (State.CLOSED, Finding.Kind.ROW_CHANGED),
    ],
)
def test_what_the_desk_looks_after_is_not_there_to_be_settled(
    browser: Browser, state: State, kind: Finding.Kind
) -> None:
    case = make_case(state)
    found = make_finding(case, kind=kind)
    assert not is_shown(page_of(browser, case), "settle")
    response = browser.post(f"/cases/{case.pk}/settle/", {"finding": found.pk, "why": "So."})
    assert response.status_code == 422
    assert "cannot be settled by hand" in response.content.decode()


def test_an_agent_is_told_who_settles(agents_browser: Browser) -> None:
    case = make_case(State.CLOSED)
    found = make_finding(case, kind=Finding.Kind.SAVE_LOST)
    part = part_of(page_of(agents_browser, case), "settle")
    assert "may not settle what was found wrong. Ask a manager or an admin." in part
    assert "<form" not in part
    given = {"finding": found.pk, "why": "So."}
    assert agents_browser.post(f"/cases/{case.pk}/settle/", given).status_code == 403
    found.refresh_from_db()
    assert found.stands
