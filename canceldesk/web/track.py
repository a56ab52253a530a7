"""The closing track: every step with its state, its sentence and the evidence for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from canceldesk.cases.models import Case, Decision
from canceldesk.closing.models import Facts, Hold, Intent, Step
from canceldesk.closing.shown import date, money
from canceldesk.configuration import services as configuration

STOPPING = frozenset({Decision.SUSPEND, Decision.CANCEL})

ICONS = {
    Step.State.TODO: "circle-dashed",
    Step.State.WAITING: "hourglass",
    Step.State.DONE: "circle-check",
    Step.State.NOT_NEEDED: "minus",
    Step.State.UNKNOWN: "help-circle",
}


@dataclass(frozen=True)
class Proof:
    """One piece of evidence: a value in words, or a moment."""

    label: str
    value: str = ""
    at: dt.datetime | None = None


@dataclass(frozen=True)
class Ticked:
    """One step as the page shows it. `changed_at` is None for a step not tried yet."""

    name: str
    label: str
    state: str
    state_label: str
    icon: str
    sentence: str
    changed_at: dt.datetime | None
    evidence: tuple[Proof, ...]


def of(case: Case) -> list[Ticked]:
    """All seven steps in their order. With the case's relations prefetched it asks nothing."""
    known = {step.name: step for step in case.steps.all()}
    return [_ticked(case, name, known.get(name)) for name in Step.Name]


def _ticked(case: Case, name: Step.Name, step: Step | None) -> Ticked:
    state = Step.State(step.state) if step else Step.State.TODO
    return Ticked(
        name=name.value,
        label=str(name.label),
        state=state.value,
        state_label=str(state.label),
        icon=ICONS[state],
        sentence=step.sentence if step else "",
        changed_at=step.changed_at if step else None,
        evidence=tuple(_EVIDENCE[name](case, step.evidence)) if step else (),
    )


Evidence = Mapping[str, Any]


def _facts(case: Case, evidence: Evidence) -> Iterable[Proof]:
    facts: Facts | None = getattr(case, "facts", None)
    if facts is None:
        return
    zone = configuration.zone()
    yield Proof("Name", facts.name)
    yield Proof("Phone", facts.phone or "none in Billsby")
    yield Proof("Date of cancellation", date(facts.cancelled_on, zone))
    yield Proof("Total collected", money(facts.collected_minor, facts.currency))
    if facts.billsby_total_minor is not None:
        yield Proof("Billsby's own total", money(facts.billsby_total_minor, facts.currency))
    yield Proof("Months in the program", f"{facts.months}, since {date(facts.started_on, zone)}")
    yield Proof("Reason", facts.reason)
    yield Proof("Plan", facts.plan or "none named")
    yield Proof("Next charge then", date(facts.next_charge_at, zone))
    yield Proof("Owed then", money(facts.owed_minor, facts.currency))
    for invoice in evidence.get("invoices_counted", []):
        amount = money(invoice["amount_minor"], facts.currency)
        yield Proof(f"Counted {invoice['number']}", f"{amount}, {invoice['status']}")
    for refund in evidence.get("refunds", []):
        yield Proof(
            "Refund", f"{money(refund['amount_minor'], facts.currency)}, {refund['status']}"
        )
    for other in evidence.get("left_out", []):
        yield Proof("Left out", money(other["amount_minor"], other["currency"]))
    yield Proof("Read in Billsby", at=facts.taken_at)


def _hold(case: Case, evidence: Evidence) -> Iterable[Proof]:
    zone = configuration.zone()
    for scope in case.scope.all():
        hold: Hold | None = getattr(scope, "hold", None)
        if hold is None:
            continue
        yield Proof("Subscription", str(scope.subscription))
        yield Proof("Hold", f"{hold.get_state_display()}, until {date(hold.ends_at, zone)}")
        yield Proof("Charge it replaced", date(hold.original_next_billing_at, zone))
        yield Proof("Status before", hold.original_status)
        yield from _read_in_billsby(hold.evidence)


def _read_in_billsby(evidence: Evidence) -> Iterable[Proof]:
    if status := evidence.get("billsby_status") or evidence.get("status"):
        yield Proof("Billsby says", str(status))
    if charge := _moment(evidence.get("billsby_next_billing")):
        yield Proof("Billsby's next charge", date(charge, configuration.zone()))
    if read_at := _moment(evidence.get("read_at")):
        yield Proof("Read in Billsby", at=read_at)


def _document(case: Case, evidence: Evidence) -> Iterable[Proof]:
    row = _intent(case, Intent.Kind.ROW)
    if row is None:
        return
    yield from _row_values(row.request)
    place = {**row.answer, **evidence}
    yield from _place_on_the_list(place)
    if row.sent_at:
        yield Proof("Written", at=row.sent_at)
    if row.state == Intent.State.REMOVED:
        yield Proof("Taken off the list, read back", at=row.confirmed_at)
    elif row.is_to_leave:
        yield Proof("Now", row.get_state_display())
    elif row.confirmed_at:
        yield Proof("Read back", at=row.confirmed_at)


def _row_values(row: Evidence) -> Iterable[Proof]:
    zone = configuration.zone()
    yield Proof("Name", str(row.get("name", "")))
    yield Proof("Phone", str(row.get("phone", "")))
    yield Proof("Date", date(dt.date.fromisoformat(row["cancelled_on"]), zone))
    yield Proof("Total collected", money(row["collected_minor"], row["currency"]))
    yield Proof("Months", str(row.get("months", "")))
    yield Proof("Reason", str(row.get("reason", "")))


def _place_on_the_list(place: Evidence) -> Iterable[Proof]:
    if "row_number" in place:
        yield Proof("Row number", str(place["row_number"]))
    if "tab" in place:
        yield Proof("Tab", str(place["tab"]))
    if "fingerprint" in place:
        yield Proof("Fingerprint of the tab", str(place["fingerprint"]))


def _clear(case: Case, evidence: Evidence) -> Iterable[Proof]:
    names = {approval.by_id: approval.by.name for approval in case.write_off_approvals.all()}
    for intent in case.intents.all():
        if intent.kind != Intent.Kind.WRITE_OFF:
            continue
        amount = money(intent.request["amount_minor"], intent.request["currency"])
        was = intent.request.get("status", "")
        by = names.get(intent.request.get("approved_by"), "somebody")
        yield Proof(
            intent.target,
            f"{amount}, was {was}, approved by {by}: {intent.get_state_display().lower()}",
        )
        if intent.state == Intent.State.CONFIRMED:
            yield Proof("Read back", at=intent.confirmed_at)
        for subscription, status in intent.answer.get("subscriptions_after", {}).items():
            yield Proof(f"{subscription} afterwards", str(status))
    for left in evidence.get("left", []):
        yield Proof(left["number"], "left alone: not surely of the service that stops")


def _stop(case: Case, evidence: Evidence) -> Iterable[Proof]:
    for part in evidence.get("parts", [evidence]):
        if "subscription" in part:
            yield Proof("Subscription", str(part["subscription"]))
        yield from _read_in_billsby(part)
    for intent in case.intents.all():
        if intent.kind == Intent.Kind.CANCEL:
            yield Proof(f"Cancelling {intent.target}", intent.get_state_display())
            if intent.sent_at:
                yield Proof("Asked", at=intent.sent_at)


def _verify(case: Case, evidence: Evidence) -> Iterable[Proof]:
    yield from _place_on_the_list(evidence)
    for subscription, status in evidence.get("statuses", {}).items():
        yield Proof(str(subscription), f"{status} in Billsby")
    if read_at := _moment(evidence.get("read_at")):
        yield Proof("Both read", at=read_at)


def _confirm(case: Case, evidence: Evidence) -> Iterable[Proof]:
    if "to" in evidence:
        yield Proof("Sent to", str(evidence["to"]))
    if at := _moment(evidence.get("at")):
        yield Proof("Sent", at=at)
    if why := evidence.get("why"):
        yield Proof("Why not sent", str(why))
    if words := evidence.get("words"):
        yield Proof("Words", str(words))


_EVIDENCE: dict[Step.Name, Callable[[Case, Evidence], Iterable[Proof]]] = {
    Step.Name.FACTS: _facts,
    Step.Name.HOLD: _hold,
    Step.Name.DOCUMENT: _document,
    Step.Name.CLEAR: _clear,
    Step.Name.STOP: _stop,
    Step.Name.VERIFY: _verify,
    Step.Name.CONFIRM: _confirm,
}


def _intent(case: Case, kind: Intent.Kind) -> Intent | None:
    return next((intent for intent in case.intents.all() if intent.kind == kind), None)


def _moment(text: object) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if isinstance(text, str) and text else None
