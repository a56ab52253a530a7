"""Invoices change while a pass is under way: each is written off as the pass has read it last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from billsby_sandbox.records import Invoice, Subscription
from billsby_sandbox.words import Actor
from canceldesk.billsby import Invoice as AsRead
from canceldesk.billsby import InvoiceStatus
from canceldesk.cases import log
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, LogEntry, WaitsFor
from canceldesk.closing import services
from canceldesk.closing.models import Intent, Step, WriteOffApproval
from canceldesk.closing.services import Seen
from tests.closing.conftest import Desk

OWED = 1000
GREW = 99900


@dataclass
class Owing:
    """A case whose client owes for two invoices, in the order in which they are written off."""

    desk: Desk
    case: Case
    subscription: Subscription
    first: Invoice
    second: Invoice

    def approve(self, *chosen: Invoice) -> None:
        """An agent's word, at what is owed."""
        seen = [Seen(invoice.number, OWED) for invoice in chosen]
        services.approve_write_offs(self.case, by=self.desk.agent, seen=seen)

    def changes(self, invoice: Invoice, **to: Any) -> Callable[[], None]:
        """Somebody else changes an invoice at Billsby, when this is called."""

        def change() -> None:
            with self.desk.company.transaction() as books:
                row = books.invoice(invoice.number)
                books.amend(Actor.PANEL, "changed meanwhile", row, books.now(), **to)

        return change

    def is_written_off_by_hand(self, invoice: Invoice) -> Callable[[], None]:
        """A person writes an invoice off in Billsby, when this is called."""

        def write_off() -> None:
            self.desk.company.panel_write_off(invoice.number)

        return write_off

    def is_in_dispute(self, invoice: Invoice) -> Callable[[], None]:
        """Billsby shows an invoice in a status that nobody knows, once this is called."""
        honest = self.desk.billsby.customer_invoices

        def shown(client_id: str) -> list[AsRead]:
            return [
                replace(one, status=InvoiceStatus.UNKNOWN, status_raw="In dispute")
                if one.number == invoice.number
                else one
                for one in honest(client_id)
            ]

        return lambda: setattr(self.desk.billsby, "customer_invoices", shown)

    @property
    def sent_for(self) -> list[str]:
        """The invoices whose write-off arrived at Billsby, as often as it did."""
        return [call.split("/")[-2] for call in self.desk.writes("WrittenOff")]

    @property
    def step(self) -> Step:
        return self.desk.step(self.case, Step.Name.CLEAR)

    def told(self, verb: Verb) -> list[str]:
        """The invoices of which the log says so."""
        return [entry.data["invoice"] for entry in LogEntry.objects.filter(verb=verb)]


@pytest.fixture
def owing(desk: Desk) -> Owing:
    """Nothing has been approved or done yet, but the case is decided."""
    customer, subscription = desk.client()
    for _ in range(2):
        desk.invoice(subscription, OWED)
    case = desk.decided(subscription)
    listed = [i.number for i in desk.billsby.customer_invoices(customer.uid) if i.status.blocks]
    return Owing(desk, case, subscription, *map(desk.company.invoice, listed))


# the second, while the first is written off


def test_the_second_has_grown_and_waits_for_a_managers_word(owing: Owing) -> None:
    owing.desk.advance(owing.case)
    owing.approve(owing.first, owing.second)
    owing.desk.before_the_first("write_off", owing.changes(owing.second, amount=GREW))

    owing.desk.advance(owing.case)

    assert owing.sent_for == [owing.first.number]
    assert owing.case.waits_for == WaitsFor.PERSON
    assert owing.case.waits_sentence == (
        "An invoice of $999.00 in all blocks the stop. A manager must approve writing it off."
    )
    [asked] = services.to_approve(owing.case)
    assert (asked["number"], asked["amount_minor"]) == (owing.second.number, GREW)
    assert not Intent.objects.filter(target=owing.second.number).exists()


def test_the_second_has_shrunk_and_what_is_noted_is_what_is_written_off(owing: Owing) -> None:
    owing.desk.advance(owing.case)
    owing.approve(owing.first, owing.second)
    owing.desk.before_the_first("write_off", owing.changes(owing.second, amount=400))

    owing.desk.advance(owing.case)

    assert Intent.objects.get(target=owing.second.number).request["amount_minor"] == 400
    assert owing.step.sentence.startswith("$14.00 written off (")


def test_the_second_has_been_paid_and_nobody_has_anything_to_do_about_it(owing: Owing) -> None:
    owing.desk.advance(owing.case)
    owing.approve(owing.first, owing.second)
    owing.desk.before_the_first("write_off", owing.changes(owing.second, status="Paid"))

    owing.desk.advance(owing.case)

    assert owing.sent_for == [owing.first.number]
    assert owing.step.sentence == f"$10.00 written off ({owing.first.number}), read back."
    assert "Suspended" in owing.case.waits_sentence
    assert not owing.case.attention


def test_the_second_has_been_written_off_by_a_person_whose_deed_it_stays(owing: Owing) -> None:
    owing.desk.advance(owing.case)
    owing.approve(owing.first, owing.second)
    owing.desk.before_the_first("write_off", owing.is_written_off_by_hand(owing.second))

    owing.desk.advance(owing.case)

    assert owing.sent_for == [owing.first.number]
    assert owing.told(Verb.WRITE_OFF_DONE) == [owing.first.number]
    assert not WriteOffApproval.objects.filter(used_at=None).exists()


def test_what_was_refused_before_is_told_when_a_person_does_it_meanwhile(owing: Owing) -> None:
    owing.desk.advance(owing.case)
    owing.approve(owing.second)
    owing.desk.company.add_fault("status", "PUT", "*/WrittenOff", status=400, times=1)
    owing.desk.advance(owing.case)
    owing.approve(owing.first)
    owing.desk.before_the_first("write_off", owing.is_written_off_by_hand(owing.second))

    owing.desk.advance(owing.case)

    assert owing.sent_for == [owing.second.number, owing.first.number]
    assert owing.told(Verb.WRITE_OFF_DONE) == [owing.first.number]
    assert owing.told(Verb.WRITE_OFF_FOUND) == [owing.second.number]
    assert owing.step.sentence.startswith("$20.00 written off (")


@pytest.mark.parametrize("changed", ["first", "second"])
def test_a_status_that_nobody_knows_is_shown_whenever_it_turns_up(
    owing: Owing, changed: str
) -> None:
    """Of one whose turn has passed, as of one that comes next."""
    owing.desk.advance(owing.case)
    owing.approve(*([owing.second] if changed == "first" else [owing.first, owing.second]))
    strange = getattr(owing, changed)
    owing.desk.before_the_first("write_off", owing.is_in_dispute(strange))

    owing.desk.advance(owing.case)

    assert len(owing.sent_for) == 1
    assert f'Billsby shows invoice {strange.number} as "In dispute"' in owing.case.attention


def test_what_is_still_shown_as_open_after_its_write_off_is_not_taken_for_done(
    owing: Owing,
) -> None:
    owing.desk.advance(owing.case)
    owing.approve(owing.first, owing.second)
    owing.desk.company.add_fault("stale", "GET", "*/customers/*/invoices", skip=2, times=1)

    owing.desk.advance(owing.case)

    assert owing.sent_for == [owing.first.number]
    assert owing.step.state == Step.State.UNKNOWN
    assert owing.step.sentence == (
        f"The desk wrote off invoice {owing.first.number}, but Billsby shows it as Unpaid. It "
        "looks again by itself."
    )


# the first, before anything is written off


def test_what_grows_while_its_owner_is_asked_for_is_not_written_off(owing: Owing) -> None:
    owing.desk.advance(owing.case)
    owing.approve(owing.first, owing.second)
    owing.desk.before_the_first("invoice", owing.changes(owing.first, amount=GREW))

    owing.desk.advance(owing.case)

    assert owing.sent_for == [owing.second.number]
    assert "$999.00" in owing.case.waits_sentence


def test_what_grows_while_the_row_is_written_is_not_written_off(owing: Owing) -> None:
    owing.approve(owing.first, owing.second)
    owing.desk.the_list.at_last_moment = owing.changes(owing.first, amount=GREW)

    owing.desk.advance(owing.case)

    assert owing.sent_for == [owing.second.number]
    assert "$999.00" in owing.case.waits_sentence


def test_nothing_is_read_again_for_an_approval_that_no_longer_fits(owing: Owing) -> None:
    owing.approve(owing.first, owing.second)
    for invoice in (owing.first, owing.second):
        owing.changes(invoice, amount=GREW)()
    owing.desk.advance(owing.case)
    before = len(owing.desk.company.calls())

    owing.desk.advance(owing.case)

    asked = [call.path for call in owing.desk.company.calls()[before:]]
    assert len([path for path in asked if path.endswith("/invoices")]) == 1


# a change so late that Billsby refuses


def test_what_was_paid_in_the_last_moment_is_refused_and_blocks_nothing(owing: Owing) -> None:
    owing.desk.advance(owing.case)
    owing.approve(owing.first, owing.second)
    owing.desk.before_the_first("write_off", owing.changes(owing.first, status="Paid"))

    owing.desk.advance(owing.case)

    assert owing.told(Verb.WRITE_OFF_FAILED) == [owing.first.number]
    assert owing.step.sentence == f"$10.00 written off ({owing.second.number}), read back."
    assert not owing.case.attention


def test_what_a_person_wrote_off_in_the_last_moment_is_told_as_found(owing: Owing) -> None:
    owing.desk.company.set_quirk("write_off_repeat", "400")
    owing.desk.advance(owing.case)
    owing.approve(owing.first, owing.second)
    owing.desk.before_the_first("write_off", owing.is_written_off_by_hand(owing.first))

    owing.desk.advance(owing.case)

    assert owing.told(Verb.WRITE_OFF_FOUND) == [owing.first.number]
    assert owing.told(Verb.WRITE_OFF_DONE) == [owing.second.number]
    assert Intent.objects.get(target=owing.first.number).state == Intent.State.CONFIRMED
    assert owing.step.state == Step.State.DONE


def test_what_turned_pending_in_the_last_moment_waits_for_the_batch(owing: Owing) -> None:
    owing.desk.company.set_quirk("write_off_pending_allowed", "no")
    owing.desk.advance(owing.case)
    owing.approve(owing.first, owing.second)
    owing.desk.before_the_first("write_off", owing.changes(owing.first, status="Pending"))

    owing.desk.advance(owing.case)

    assert "is pending: Billsby is just taking the money" in owing.step.sentence
    assert not owing.case.attention


def test_nobody_is_told_to_write_off_by_hand_what_has_grown_since_it_was_approved(
    owing: Owing,
) -> None:
    owing.desk.advance(owing.case)
    owing.approve(owing.first, owing.second)
    owing.desk.company.add_fault("status", "PUT", "*/WrittenOff", status=400, times=1)
    owing.desk.before_the_first("write_off", owing.changes(owing.first, amount=GREW))

    owing.desk.advance(owing.case)

    assert owing.sent_for == [owing.first.number, owing.second.number]
    assert "A manager must approve" in owing.case.waits_sentence


def test_what_was_refused_and_shows_a_status_that_nobody_knows_is_shown_so(owing: Owing) -> None:
    owing.desk.advance(owing.case)
    owing.approve(owing.first, owing.second)
    owing.desk.company.add_fault("status", "PUT", "*/WrittenOff", status=400, times=1)
    owing.desk.before_the_first("write_off", owing.is_in_dispute(owing.first))

    owing.desk.advance(owing.case)

    assert owing.sent_for == [owing.first.number]
    assert '"In dispute"' in owing.case.attention


def test_what_a_person_wrote_off_after_a_refusal_is_not_told_as_the_desks_own(
    owing: Owing,
) -> None:
    owing.desk.advance(owing.case)
    owing.approve(owing.first)
    owing.desk.company.add_fault("status", "PUT", "*/WrittenOff", status=400, times=1)
    owing.desk.advance(owing.case)
    owing.is_written_off_by_hand(owing.first)()

    owing.desk.advance(owing.case)

    assert not owing.told(Verb.WRITE_OFF_DONE)
    entry = LogEntry.objects.get(verb=Verb.WRITE_OFF_FOUND)
    assert log.sentence(entry) == (
        f"found that {owing.first.number} is written off, which Billsby had refused to the desk"
    )
