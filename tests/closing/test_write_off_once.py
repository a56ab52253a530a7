"""Once an invoice has been written off, it takes somebody's new word to do so again."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection, transaction

from billsby_sandbox.records import Invoice
from billsby_sandbox.words import Actor
from canceldesk import clock
from canceldesk.backup import deciding_again
from canceldesk.billsby import Invoice as AsRead
from canceldesk.billsby import InvoiceStatus
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, LogEntry, State
from canceldesk.closing import clock_set_back, invoices, services
from canceldesk.closing.models import Intent, Step, WriteOffApproval
from canceldesk.closing.services import Seen
from tests.cases.conftest import elsewhere
from tests.closing.conftest import Desk
from tests.factories import make_case, make_user

OWED = 4900
INVOICES = "*/customers/*/invoices"


def approve(desk: Desk, case: Case, invoice: Invoice) -> None:
    services.approve_write_offs(case, by=desk.manager, seen=[Seen(invoice.number, OWED)])


@pytest.fixture
def written_off(desk: Desk) -> tuple[Case, Invoice]:
    """A case that waits for the click, whose invoice was written off and read back."""
    _, subscription = desk.client()
    invoice = desk.invoice(subscription, OWED)
    case = desk.decided(subscription)
    desk.advance(case)
    approve(desk, case, invoice)
    desk.advance(case)
    assert Intent.objects.get(kind="write_off").state == Intent.State.CONFIRMED
    return case, invoice


def open_again(desk: Desk, invoice: Invoice) -> None:
    with desk.company.transaction() as books:
        row = books.invoice(invoice.number)
        books.amend(Actor.PANEL, "open again", row, books.now(), status="Unpaid", amount=OWED)


def put_the_clock_back() -> None:
    """The machine's clock was ahead when all that is noted was written down."""
    clock.advance(-clock_set_back.TOLERATED * 20)
    clock_set_back.put_right()


def test_an_answer_from_before_the_write_off_does_not_repeat_it(
    desk: Desk, written_off: tuple[Case, Invoice]
) -> None:
    case, _ = written_off
    desk.company.add_fault("stale", "GET", INVOICES, times=1)
    desk.later(seconds=20)

    desk.advance(case)

    assert desk.step(case, Step.Name.CLEAR).state == Step.State.UNKNOWN
    assert "was written off, but Billsby does not show it yet" in case.waits_sentence
    desk.advance(case)
    assert desk.step(case, Step.Name.CLEAR).state == Step.State.DONE
    assert len(desk.writes("WrittenOff")) == 1


def test_one_that_asks_for_money_again_a_minute_later_waits_for_a_new_word(
    desk: Desk, written_off: tuple[Case, Invoice]
) -> None:
    case, invoice = written_off
    open_again(desk, invoice)
    desk.later(seconds=61)
    desk.advance(case)
    assert "must approve" in case.waits_sentence
    assert [one["number"] for one in services.to_approve(case)] == [invoice.number]
    assert len(desk.writes("WrittenOff")) == 1

    approve(desk, case, invoice)
    desk.advance(case)

    assert len(desk.writes("WrittenOff")) == 2
    assert desk.company.invoice(invoice.number).status == "WrittenOff"
    words = WriteOffApproval.objects.order_by("id")
    assert Intent.objects.get(kind="write_off").request["approved_at"] == words[1].at.isoformat()
    told = LogEntry.objects.filter(case=case, verb=Verb.WRITE_OFF_INTENDED)
    assert told.count() == 2


def test_the_new_word_counts_though_a_clock_that_was_ahead_dated_the_write_off(
    desk: Desk, written_off: tuple[Case, Invoice]
) -> None:
    case, invoice = written_off
    put_the_clock_back()
    open_again(desk, invoice)
    desk.later(seconds=61)

    approve(desk, case, invoice)
    desk.advance(case)

    assert desk.company.invoice(invoice.number).status == "WrittenOff"


def test_the_word_stays_used_up_though_a_clock_that_was_ahead_dated_it(
    desk: Desk, written_off: tuple[Case, Invoice]
) -> None:
    case, invoice = written_off
    put_the_clock_back()
    open_again(desk, invoice)
    desk.later(seconds=61)

    desk.advance(case)

    assert len(desk.writes("WrittenOff")) == 1
    assert "must approve" in case.waits_sentence


def test_a_word_for_what_somebody_wrote_off_in_billsby_is_used_up(desk: Desk) -> None:
    _, subscription = desk.client()
    invoice = desk.invoice(subscription, OWED)
    case = desk.decided(subscription)
    desk.advance(case)
    approve(desk, case, invoice)
    desk.company.panel_write_off(invoice.number)
    desk.advance(case)
    open_again(desk, invoice)

    desk.advance(case)

    assert not desk.writes("WrittenOff")
    assert "must approve" in case.waits_sentence


def test_after_a_restore_a_new_word_is_asked_for_once_more(
    desk: Desk, written_off: tuple[Case, Invoice]
) -> None:
    case, invoice = written_off
    open_again(desk, invoice)
    desk.later(seconds=61)
    approve(desk, case, invoice)

    assert deciding_again.ask_again().approvals == 1

    desk.advance(case)
    assert len(desk.writes("WrittenOff")) == 1
    assert "must approve" in case.waits_sentence


def test_two_invoices_written_off_in_one_pass_leave_nothing_to_ask(desk: Desk) -> None:
    _, subscription = desk.client()
    owed = [desk.invoice(subscription, OWED) for _ in range(2)]
    case = desk.decided(subscription)
    seen = [Seen(invoice.number, OWED) for invoice in owed]
    services.approve_write_offs(case, by=desk.manager, seen=seen)

    desk.advance(case)

    step = desk.step(case, Step.Name.CLEAR)
    assert step.sentence.startswith("$98.00 written off (")
    assert step.sentence.endswith("read back.")
    assert step.evidence["left"] == []
    assert desk.step(case, Step.Name.STOP).state == Step.State.WAITING


def test_a_call_that_was_turned_away_is_repeated_in_the_same_pass(desk: Desk) -> None:
    _, subscription = desk.client()
    invoice = desk.invoice(subscription, OWED)
    case = desk.decided(subscription)
    desk.advance(case)
    approve(desk, case, invoice)
    desk.company.add_fault("status", "PUT", "*/WrittenOff", status=429, retry_after="0", times=1)

    desk.advance(case)

    assert len(desk.writes("WrittenOff")) == 2
    assert desk.step(case, Step.Name.CLEAR).state == Step.State.DONE


def test_an_agent_may_approve_again_what_they_might_before(
    desk: Desk, written_off: tuple[Case, Invoice]
) -> None:
    case, invoice = written_off
    with desk.company.transaction() as books:
        row = books.invoice(invoice.number)
        books.amend(Actor.PANEL, "open again", row, books.now(), status="Unpaid", amount=9000)
    desk.later(seconds=61)

    desk.advance(case)

    assert "Somebody must approve" in case.waits_sentence
    services.approve_write_offs(case, by=desk.agent, seen=[Seen(invoice.number, 9000)])


@pytest.fixture
def two_cases(desk: Desk) -> tuple[Case, Case, Invoice]:
    """Two cases of a client about a service each, who may both write off a one-time charge."""
    customer, first = desk.client()
    second = desk.company.add_subscription(customer.uid, next_billing_at=first.next_billing_at)
    charge = desk.company.add_invoice(customer.uid, OWED)
    cases = desk.decided(first), desk.decided(second)
    for case in cases:
        desk.advance(case)
        approve(desk, case, charge)
    return (*cases, charge)


def test_two_cases_that_may_do_it_at_once_take_turns(
    desk: Desk, two_cases: tuple[Case, Case, Invoice]
) -> None:
    one, two, _ = two_cases
    desk.before_the_first("write_off", lambda: desk.advance(two))

    desk.advance(one)

    assert len(desk.writes("WrittenOff")) == 1
    sentence = desk.step(one, Step.Name.CLEAR).sentence
    assert "was written off for another case of the client" in sentence
    assert not Intent.objects.filter(case=one, kind="write_off").exists()
    desk.settle(one, rounds=3)
    assert desk.step(one, Step.Name.CLEAR).state == Step.State.NOT_NEEDED
    assert len(desk.writes("WrittenOff")) == 1


def test_a_case_waits_for_what_another_has_sent(
    desk: Desk, two_cases: tuple[Case, Case, Invoice]
) -> None:
    one, two, charge = two_cases
    desk.company.add_fault("drop_before", "PUT", "*/WrittenOff", times=1)
    desk.advance(one)

    desk.advance(two)
    assert f"was written off for {one.number}" in desk.step(two, Step.Name.CLEAR).sentence
    assert len(desk.writes("WrittenOff")) == 1

    desk.later(seconds=61)
    desk.advance(two)
    assert desk.company.invoice(charge.number).status == "WrittenOff"


def test_a_charge_that_a_case_need_not_wait_for_is_not_waited_for_because_another_sent_it(
    desk: Desk, two_cases: tuple[Case, Case, Invoice]
) -> None:
    one, two, charge = two_cases
    WriteOffApproval.objects.filter(case=two).delete()
    desk.company.add_fault("drop_before", "PUT", "*/WrittenOff", times=1)
    desk.advance(one)

    desk.advance(two)

    assert desk.step(two, Step.Name.CLEAR).state == Step.State.NOT_NEEDED
    assert desk.step(two, Step.Name.STOP).state == Step.State.WAITING
    assert charge.number in desk.step(two, Step.Name.CLEAR).evidence["left"][0]["number"]


def test_nobody_is_asked_to_approve_what_another_case_has_just_sent(desk: Desk) -> None:
    customer, stopped = desk.client()
    runs = desk.company.add_subscription(customer.uid, next_billing_at=stopped.next_billing_at)
    desk.company.panel_suspend(stopped.uid)
    charge = desk.company.add_invoice(customer.uid, OWED)
    one, two = desk.decided(stopped), desk.decided(runs)
    approve(desk, one, charge)
    desk.company.add_fault("drop_before", "PUT", "*/WrittenOff", times=1)
    desk.advance(one)

    desk.advance(two)

    step = desk.step(two, Step.Name.CLEAR)
    assert f"was written off for {one.number}" in step.sentence
    assert step.state == Step.State.UNKNOWN
    desk.later(seconds=61)
    desk.advance(two)
    assert "Somebody must approve" in desk.step(two, Step.Name.CLEAR).sentence


def test_a_charge_that_another_case_was_given_a_new_word_for_is_not_waited_for(
    desk: Desk, two_cases: tuple[Case, Case, Invoice]
) -> None:
    one, two, charge = two_cases
    desk.advance(one)
    desk.advance(two)
    open_again(desk, charge)
    desk.later(seconds=61)
    approve(desk, one, charge)
    desk.company.add_fault("drop_before", "PUT", "*/WrittenOff", times=1)
    desk.advance(one)

    desk.advance(two)

    assert desk.step(two, Step.Name.CLEAR).state == Step.State.NOT_NEEDED


def test_a_charge_that_is_open_again_is_not_told_as_written_off(
    desk: Desk, two_cases: tuple[Case, Case, Invoice]
) -> None:
    one, _, charge = two_cases
    desk.advance(one)
    assert desk.step(one, Step.Name.CLEAR).state == Step.State.DONE
    open_again(desk, charge)
    desk.later(seconds=61)

    desk.advance(one)

    step = desk.step(one, Step.Name.CLEAR)
    assert step.evidence["written_off"] == []
    assert [left["number"] for left in step.evidence["left"]] == [charge.number]


def test_a_word_given_in_another_case_before_it_was_done_is_used_up(
    desk: Desk, two_cases: tuple[Case, Case, Invoice]
) -> None:
    one, two, charge = two_cases
    desk.advance(one)
    open_again(desk, charge)
    desk.later(seconds=61)

    desk.advance(two)

    assert len(desk.writes("WrittenOff")) == 1
    assert charge.number in two.waits_sentence
    offered = desk.step(two, Step.Name.CLEAR).evidence["may_approve"]
    assert [invoice["number"] for invoice in offered] == [charge.number]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    "connection.vendor != 'postgresql'",
    reason="SQLite lets one transaction write at a time",
)
def test_who_notes_that_an_invoice_leaves_keeps_the_other_case_waiting() -> None:
    one = make_case(state=State.CLOSING)
    two = make_case(client=one.client, state=State.CLOSING)
    invoice = AsRead(
        number="INV-1",
        amount_minor=OWED,
        currency="USD",
        status=InvoiceStatus.UNPAID,
        status_raw="Unpaid",
    )
    words = [
        WriteOffApproval.objects.create(
            case=case,
            invoice_number=invoice.number,
            amount_minor=OWED,
            currency="USD",
            by=make_user(),
            at=clock.now(),
        )
        for case in (one, two)
    ]

    def of_the_other() -> bool:
        with transaction.atomic():
            connection.cursor().execute("SET LOCAL lock_timeout = '50ms'")
            return invoices.is_in_force(words[1], two, invoice)

    with transaction.atomic():
        assert invoices.is_in_force(words[0], one, invoice)
        with pytest.raises(OperationalError, match="lock timeout"):
            elsewhere(of_the_other)
        invoices.use_up(one, invoice.number)
    assert not elsewhere(of_the_other)
