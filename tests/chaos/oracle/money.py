"""Money: each invoice written off with authority; nothing charged after the hold."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.oracle import values
from tests.chaos.oracle.desk import Approval, Case, Entry
from tests.chaos.oracle.evidence import Evidence
from tests.chaos.oracle.practice import API, BILLING, PANEL, STOPPED, WRITTEN_OFF, Event
from tests.chaos.oracle.violation import Violation

ENDS = ("case.closed", "case.withdrawn")
TIME_TO_HOLD = dt.timedelta(minutes=3)


def write_offs_are_approved(evidence: Evidence) -> Iterator[Violation]:
    """Each covered by a person's word from before, at no less than what was written off."""
    for event in evidence.billsby.of_kind(WRITTEN_OFF, API):
        given = [a for a in evidence.desk.approvals if a.invoice == event.subject]
        enough = [a for a in given if a.amount_minor >= event.before["amount"]]
        amount = values.money(event.before["amount"])
        if not enough:
            yield Violation(
                "write_off_not_approved",
                event.subject,
                f"The desk wrote off invoice {event.subject} of {amount}, and nobody approved "
                f"{'so much' if given else 'it'}.",
                (str(event), *map(str, given)),
            )
        elif not any(_was_told_before(evidence, approval, event) for approval in enough):
            yield Violation(
                "write_off_before_approval",
                event.subject,
                f"The desk wrote off invoice {event.subject} of {amount} before anybody approved "
                "it, or the log does not tell who did.",
                (str(event), *map(str, enough)),
            )


def _was_told_before(evidence: Evidence, approval: Approval, event: Event) -> bool:
    """Whether the log has the approval, by the same person, from before the write-off."""
    for entry in evidence.desk.story(approval.case):
        if entry.verb == "write_off.approved" and entry.by == approval.by:
            numbers = entry.text("invoices").split(", ")
            at = evidence.timing.real(entry)
            if approval.invoice in numbers and at <= event.real_at + evidence.timing.slack:
                return True
    return False


def agents_stay_below_their_limit(evidence: Evidence) -> Iterator[Violation]:
    """An agent's word counts as long as everything approved in the case stays within the limit."""
    by_case: dict[int, list[Approval]] = defaultdict(list)
    for approval in evidence.desk.approvals:
        by_case[approval.case].append(approval)
    for case_id, approvals in by_case.items():
        highest: dict[str, int] = {}
        for approval in approvals:
            before = highest.get(approval.invoice, 0)
            highest[approval.invoice] = max(before, approval.amount_minor)
            total = sum(highest.values())
            if total > evidence.agent_limit_minor and not evidence.desk.manages(approval.by):
                number = evidence.desk.cases[case_id].number
                yield Violation(
                    "agent_above_limit",
                    number,
                    f"An agent approved a write-off in case {number} with which it came to "
                    f"{values.money(total)}; the limit is "
                    f"{values.money(evidence.agent_limit_minor)}.",
                    tuple(str(one) for one in approvals),
                )
                break


def debts_of_what_stays_are_left_alone(evidence: Evidence) -> Iterator[Violation]:
    """Only invoices of what a case stops, or of nothing in particular, are written off."""
    for event in evidence.billsby.of_kind(WRITTEN_OFF, API):
        subscription = event.before["subscription_uid"]
        if subscription is None:
            continue
        record = evidence.billsby.as_of(subscription, None, event.id)
        is_stopped = record is not None and record["status"] in STOPPED
        if not _deciding(evidence, subscription) and not is_stopped:
            yield Violation(
                "debt_of_what_stays",
                event.subject,
                f"The desk wrote off invoice {event.subject}, which is for {subscription}, a "
                "service that no case stops.",
                (str(event),),
            )


def _deciding(evidence: Evidence, subscription: str) -> list[Case]:
    """The cases that stop a subscription, or have stopped it."""
    found = evidence.desk.cases_of(subscription)
    return [case for case in found if case.decision in {"suspend", "cancel"}]


def nothing_is_charged_after_the_hold(evidence: Evidence) -> Iterator[Violation]:
    """No invoice is issued for what the desk holds or what is stopped, unless a person in the
    panel has started it again; and long after the decision none at all.
    """
    for subscription in evidence.billsby.subscriptions:
        if evidence.desk.cases_of(subscription):
            yield from _charges(evidence, subscription)


def _charges(evidence: Evidence, subscription: str) -> Iterator[Violation]:
    billsby = evidence.billsby
    issued = {
        events[0].id: events[0]
        for invoice in billsby.invoices_of(subscription)
        if (events := billsby.events(invoice["number"]))
    }
    shield: Event | None = None
    is_persons = False
    events = [*billsby.events(subscription), *issued.values()]
    for event in sorted(events, key=lambda one: one.id):
        if event.id not in issued:
            shield = _shield(shield, event)
            is_persons = _is_persons(event, before=is_persons)
        elif event.who == BILLING and shield is not None:
            yield _charged(event, subscription, shield)
        elif event.who == BILLING and event.id > billsby.leap and not is_persons:
            yield from _unprotected(evidence, event, subscription)
        elif event.who == BILLING and event.id > billsby.filled and not is_persons:
            yield from _too_late(evidence, event, subscription)


def _is_persons(event: Event, *, before: bool) -> bool:
    """Whether it is by a person's deed in the panel that a subscription bills."""
    if event.after["status"] in STOPPED or event.who == API:
        return False
    return before or event.who == PANEL


def _shield(before: Event | None, event: Event) -> Event | None:
    """The event that keeps a subscription from being charged from here on, if one does."""
    if event.what == "subscription renewed":
        # Billing renews first and issues after: what was held before is what the charge broke.
        return before if event.who == BILLING else None
    if event.after["status"] in STOPPED:
        return event
    if event.who == PANEL:
        return None
    if event.who != API:
        return before
    is_held = event.after["status"] == "Paused" or event.day(event.after) > event.day(event.before)
    is_given_back = event.day(event.after) < event.day(event.before)
    if is_given_back:
        return None
    return event if is_held else before


def _charged(event: Event, subscription: str, shield: Event) -> Violation:
    amount = values.money(event.after["original_amount"])
    how = "was stopped" if shield.after["status"] in STOPPED else "was held"
    return Violation(
        "charged_after_stop" if shield.after["status"] in STOPPED else "charged_after_hold",
        event.subject,
        f"Billsby charged {amount} for {subscription} (invoice {event.subject}) although it {how}.",
        (str(shield), str(event)),
    )


def _unprotected(evidence: Evidence, event: Event, subscription: str) -> Iterator[Violation]:
    for case in evidence.desk.cases_of(subscription):
        is_told = case.is_open and case.waits_for_person and _is_refused(evidence, case, event)
        if case.state in {"closing", "closed"} and not is_told:
            yield Violation(
                "charged_without_hold",
                event.subject,
                f"Billsby charged {values.money(event.after['original_amount'])} for "
                f"{subscription} long after case {case.number} was decided: nothing held it.",
                (str(case), str(event)),
            )


def _too_late(evidence: Evidence, event: Event, subscription: str) -> Iterator[Violation]:
    """A charge is near when it comes, so the desk has minutes from the request on to hold it."""
    at = evidence.billsby.not_before(event)
    for case in evidence.desk.cases_of(subscription):
        story = evidence.desk.story(case.id)
        filed = [evidence.timing.real(e) for e in story if e.verb == "case.filed"]
        ended = [evidence.timing.real(e) for e in story if e.verb in ENDS or _stays(e)]
        is_open = bool(filed) and filed[0] + TIME_TO_HOLD < at < min(
            ended, default=at + TIME_TO_HOLD
        )
        if is_open and not _is_refused(evidence, case, event):
            yield Violation(
                "charged_unheld",
                event.subject,
                f"Billsby charged {values.money(event.after['original_amount'])} for "
                f"{subscription} although case {case.number} had been open for minutes: nothing "
                "held it.",
                (str(case), str(event)),
            )


def _stays(entry: Entry) -> bool:
    return entry.verb == "case.decided" and entry.text("decision") == "Retained"


def _is_refused(evidence: Evidence, case: Case, event: Event) -> bool:
    """Whether the log says that Billsby refused to hold what the invoice is for."""
    return any(
        entry.verb == "hold.failed"
        and event.after["subscription_uid"] in entry.text("subscription")
        for entry in evidence.desk.story(case.id)
    )


def nothing_is_collected_after_closing(evidence: Evidence) -> Iterator[Violation]:
    """An invoice that was left open would still take money when the case is long closed."""
    for event in evidence.billsby.of_kind("invoice paid", BILLING):
        subscription = event.after["subscription_uid"]
        if event.id <= evidence.billsby.leap or subscription is None:
            continue
        issued = evidence.billsby.events(event.subject)[0]
        if issued.id > evidence.billsby.leap or issued.who == PANEL:
            continue
        for case in evidence.desk.cases_of(subscription):
            if case.state == "closed":
                yield Violation(
                    "collected_after_closing",
                    event.subject,
                    f"Billsby collected invoice {event.subject} of {subscription} although case "
                    f"{case.number} is closed.",
                    (str(case), str(event)),
                )
