"""Billsby's half: what was to be stopped is stopped in the right way, all else is untouched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from tests.chaos.oracle import values
from tests.chaos.oracle.databases import Row
from tests.chaos.oracle.desk import STAYS, Case
from tests.chaos.oracle.evidence import Evidence
from tests.chaos.oracle.practice import API, ASKS_FOR_MONEY, PANEL, STOPPED, Event, stands
from tests.chaos.oracle.violation import Violation

ONE_DAY = dt.timedelta(days=1)
MOVES = ("subscription paused", "subscription active", "next billing date changed")
ALLOWED = (
    *MOVES,
    "subscription cancelled",
    "invoice written off",
    # What a cancellation brings with it where Billsby refunds the rest of the period.
    "invoice refunded",
    "credit note issued",
)


def closed_cases_are_stopped(evidence: Evidence) -> Iterator[Violation]:
    """Suspended where a manager said so, Cancelled where a manager said that; unless a person in
    the panel has done otherwise.
    """
    for case in evidence.desk.cases.values():
        if case.state == "closed":
            for subscription in case.scope:
                yield from _not_stopped(evidence, case, subscription)


def _not_stopped(evidence: Evidence, case: Case, subscription: str) -> Iterator[Violation]:
    record = evidence.billsby.subscriptions[subscription]
    right = ("Cancelled",) if case.decision == "cancel" else STOPPED
    changes = [e for e in evidence.billsby.events(subscription) if _is_new_status(e)]
    was_stopped = any(event.after["status"] in right for event in changes)
    by_person = was_stopped and changes[-1].who == PANEL and _shows(changes[-1], record)
    if record["status"] not in right and not by_person:
        yield Violation(
            "not_stopped",
            case.number,
            f"Case {case.number} is closed with the decision {case.decision}, but Billsby says "
            f"that {subscription} is {record['status']}.",
            (str(case), stands(record), *(str(event) for event in changes[-3:])),
        )


def _shows(event: Event, record: Row) -> bool:
    """Whether an event explains the status that Billsby has now."""
    return bool(event.after["status"] == record["status"])


def _is_new_status(event: Event) -> bool:
    return bool(event.before) and event.before.get("status") != event.after.get("status")


def no_open_invoice_is_left(evidence: Evidence) -> Iterator[Violation]:
    """What a closed case stopped asks for no money any more."""
    for case in evidence.desk.cases.values():
        if case.state != "closed":
            continue
        for invoice in _invoices_of(evidence, case):
            issued = evidence.billsby.events(invoice["number"])
            by_person = bool(issued) and issued[0].who == PANEL
            if invoice["status"] in ASKS_FOR_MONEY and not by_person:
                yield Violation(
                    "open_invoice_left",
                    case.number,
                    f"Case {case.number} is closed, but invoice {invoice['number']} of "
                    f"{values.money(invoice['amount'])} is still {invoice['status']}.",
                    (str(case), *(str(event) for event in issued)),
                )


def _invoices_of(evidence: Evidence, case: Case) -> list[Row]:
    """The invoices of what the case stopped. Those of nothing in particular belong to the last
    case of a client who keeps no service.
    """
    found = [row for one in case.scope for row in evidence.billsby.invoices_of(one)]
    all_cases = [
        evidence.desk.cases_of(one) for one in evidence.billsby.subscriptions_of(case.client)
    ]
    if all(any(one.state == "closed" for one in cases) for cases in all_cases):
        found += evidence.billsby.one_time_invoices_of(case.client)
    return found


def nothing_is_cancelled_unless_decided(evidence: Evidence) -> Iterator[Violation]:
    """A cancellation cannot be undone, so each needs a manager's decision to cancel."""
    for event in evidence.billsby.of_kind("subscription cancelled", API):
        cases = evidence.desk.cases_of(event.subject)
        if not any(case.decision == "cancel" for case in cases):
            yield Violation(
                "cancelled_instead",
                event.subject,
                f"The desk cancelled {event.subject} for good, and nobody decided that.",
                (str(event), *map(str, cases)),
            )


def nothing_outside_the_scope_is_changed(evidence: Evidence) -> Iterator[Violation]:
    """The desk touches subscriptions of its cases and their clients' invoices, and nothing else;
    and of those only what a closing needs.
    """
    clients = {case.client for case in evidence.desk.cases.values()}
    for event in evidence.billsby.history:
        if event.who != API:
            continue
        if event.what not in ALLOWED:
            yield _outside(event, f"The desk did at Billsby what it never should: {event.what}.")
        elif event.subject in evidence.billsby.subscriptions:
            if not evidence.desk.cases_of(event.subject):
                yield _outside(event, f"The desk changed {event.subject}, which no case is about.")
        elif event.after["customer_uid"] not in clients:
            yield _outside(event, f"The desk changed {event.subject} of a client without a case.")


def _outside(event: Event, sentence: str) -> Violation:
    return Violation("outside_the_scope", event.subject, sentence, (str(event),))


def holds_are_given_back(evidence: Evidence) -> Iterator[Violation]:
    """Who stays is charged again on the date that the hold replaced, or on the same day of the
    first month still ahead.
    """
    for subscription in evidence.billsby.subscriptions:
        cases = evidence.desk.cases_of(subscription)
        if cases:
            yield from _holds(evidence, subscription, cases)


def _holds(evidence: Evidence, subscription: str, cases: list[Case]) -> Iterator[Violation]:
    held: Event | None = None
    for event in evidence.billsby.events(subscription):
        if event.who == API and event.what in MOVES:
            if held is None:
                held = event if _is_hold(event) else None
            elif event.day(event.after) < event.day(event.before):
                if not _is_right_date(evidence, held, event):
                    yield _wrong_date(subscription, held, event)
                held = None
            elif _is_lifted_in_place(held, event):
                held = None
        elif event.who != API and event.before and _is_moved(event):
            held = None
    all_stay = all(case.state in STAYS for case in cases)
    is_told = any(case.waits_for_person for case in cases)
    if held is not None and all_stay and not is_told:
        yield Violation(
            "hold_kept",
            subscription,
            f"The client of {subscription} stays, but what the desk held was never given back.",
            (str(held), stands(evidence.billsby.subscriptions[subscription]), *map(str, cases)),
        )


def _is_hold(event: Event) -> bool:
    is_paused = event.after["status"] == "Paused" and event.before["status"] != "Paused"
    return is_paused or event.day(event.after) > event.day(event.before)


def _is_moved(event: Event) -> bool:
    """Whether somebody else decided about the next charge: a person, or Billsby's own billing."""
    return (
        event.before["next_billing_at"] != event.after["next_billing_at"]
        or event.after["status"] in STOPPED
    )


def _is_lifted_in_place(held: Event, event: Event) -> bool:
    """A hold on something charged later anyway leaves the date; then only the pause is lifted."""
    stayed = held.day(held.after) == held.day(held.before)
    return stayed and event.after["status"] != "Paused"


def _is_right_date(evidence: Evidence, held: Event, event: Event) -> bool:
    """Whether the date fits what the desk's clock can have shown just then; where that day has
    begun in Billsby, which refuses it then, the day after.
    """
    original = values.certain(held.before["next_billing_at"])
    around = (-evidence.timing.slack, dt.timedelta(0), evidence.timing.slack)
    shown = [evidence.journal.desk_time(event.real_at + more) + more for more in around]
    given = {_date_to_give(original, now) for now in shown}
    begun = event.at.date()
    return event.day(event.after) in given | {day + ONE_DAY for day in given if day == begun}


def _date_to_give(original: dt.datetime, now: dt.datetime) -> dt.date:
    """The date that was replaced, or the same day of the first month ahead; never today."""
    if original > now:
        return max(original.date(), now.date() + ONE_DAY)
    months = values.whole_months(original.date(), now.date())
    return next(
        day
        for more in range(3)
        if (day := values.day_after(original.date(), months + more)) > now.date()
    )


def _wrong_date(subscription: str, held: Event, event: Event) -> Violation:
    return Violation(
        "hold_given_back_wrongly",
        subscription,
        f"{subscription} was to be charged on {held.day(held.before)} before it was held, and was "
        f"given {event.day(event.after)} back.",
        (str(held), str(event)),
    )
